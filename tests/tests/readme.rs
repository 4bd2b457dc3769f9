//! README.md says only what is true: every command of its walk-through runs, in its order, against
//! the real relay, and every line of output that it shows is a line that the program prints.
#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use budstikke_tests::relay_process::relay_binary;

const SAFETY_WORDS: &str = include_str!("../../proto/safety-words.tsv");
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A command of the walk-through: whose terminal, what is typed, what is shown.
struct Step {
    terminal: String,
    command: String,
    shown: Vec<String>,
}

/// The ```console blocks, in order. `name$ command` is typed in the terminal `name`; the lines after
/// it are its output; `...` leaves some out.
fn steps(readme: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
            continue;
        }
        if !inside {
            continue;
        }
        let typed = line.split_once("$ ").filter(|(name, _)| {
            !name.is_empty() && name.chars().all(|letter| letter.is_ascii_lowercase())
        });
        if let Some((terminal, command)) = typed {
            let (terminal, command) = (terminal.to_owned(), command.to_owned());
            steps.push(Step { terminal, command, shown: Vec::new() });
        } else if let Some(step) = steps.last_mut() {
            step.shown.push(line.to_owned());
        }
    }
    steps
}

/// A terminal: the folder of the walk-through, the programs on the path, a vault.
fn terminal(folder: &Path, step: &Step) -> Command {
    let mut shell = Command::new("sh");
    let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap());
    shell
        .current_dir(folder.join("walk"))
        .env_clear()
        .env("PATH", path)
        .env("LANG", "C.UTF-8")
        .env("TZ", "UTC")
        .env("BUD_HOME", &step.terminal)
        .env("BUD_PASSPHRASE", format!("the {} keeps seven boats", step.terminal))
        .stdin(Stdio::null());
    shell
}

struct Relay(Child);

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the relay as the page says, but on a port that is free here.
fn relay(folder: &Path, step: &Step) -> Relay {
    let command = step.command.replace("127.0.0.1:4433", "127.0.0.1:0");
    assert_ne!(command, step.command, "the page's relay listens on 127.0.0.1:4433");
    let child = terminal(folder, step).args(["-c", &format!("exec {command}")]).spawn().unwrap();
    let relay = Relay(child);
    let address = folder.join("walk/relay.address");
    let deadline = Instant::now() + Duration::from_mins(1);
    while !std::fs::read_to_string(&address).is_ok_and(|text| text.ends_with('\n')) {
        assert!(Instant::now() < deadline, "the relay prints no address");
        std::thread::sleep(Duration::from_millis(20));
    }
    relay
}

/// Folders as the page has them after its build: `bin` on the path, `walk` with the files.
fn prepare(folder: &Path) {
    let (bin, walk) = (folder.join("bin"), folder.join("walk"));
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::create_dir_all(&walk).unwrap();
    let link = |program: &Path, name: &str| std::os::unix::fs::symlink(program, bin.join(name));
    link(Path::new(env!("CARGO_BIN_EXE_bud-that-crashes")), "bud").unwrap();
    link(relay_binary(), "budstikke-relay").unwrap();
    for entry in std::fs::read_dir(Path::new(ROOT).join("tests/data")).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            std::fs::copy(&path, walk.join(path.file_name().unwrap())).unwrap();
        }
    }
}

/// What differs from run to run, masked: times, ids, plan numbers, safety words.
fn masked(line: &str) -> String {
    if let Some((label, _)) = line.split_once("Safety words  ") {
        return format!("{label}Safety words WORDS");
    }
    // Their second row.
    let rows: Vec<&str> = SAFETY_WORDS.lines().filter_map(|row| row.split('\t').next()).collect();
    if line.split_whitespace().count() == 5 && line.split_whitespace().all(|w| rows.contains(&w)) {
        return "WORDS".to_owned();
    }
    let mask = |word: &str| {
        let word = word.trim_matches(|c: char| "\"().,:;".contains(c));
        let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit() || "-:+".contains(c));
        let id = word.len() == 8 && word.chars().all(|c| c.is_ascii_alphanumeric());
        // A part of a fingerprint may be digits alone.
        if id {
            "ID".to_owned()
        } else if word.len() == 16 && word.chars().all(|c| c.is_ascii_hexdigit()) {
            "NUMBER".to_owned()
        } else if word.len() >= 5 && digits(word) {
            "TIME".to_owned()
        } else {
            word.to_owned()
        }
    };
    line.split_whitespace().map(mask).collect::<Vec<_>>().join(" ")
}

/// Every line shown is printed, in this order; between two of them may be more only at `...`.
fn check_shown(step: &Step, printed: &str) {
    let mut printed_lines = printed.lines().map(masked).filter(|line| !line.is_empty());
    let mut gap = false;
    for line in step.shown.iter().filter(|line| !line.trim().is_empty()) {
        if line.trim() == "..." {
            gap = true;
            continue;
        }
        let wanted = masked(line);
        let found = if gap {
            printed_lines.any(|line| line == wanted)
        } else {
            printed_lines.next().is_some_and(|line| line == wanted)
        };
        assert!(
            found,
            "README shows\n  {line}\nafter\n  {}\nbut printed was\n{printed}",
            step.command
        );
        gap = false;
    }
}

#[test]
fn the_walk_through_works_as_it_is_written() {
    let readme = std::fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let steps = steps(&readme);
    let terminals: HashSet<_> = steps.iter().map(|step| step.terminal.as_str()).collect();
    let offices = ["relay", "ministry", "root", "issuer", "desk", "mission"];
    let people = ["colleague", "third", "again", "heron"];
    let all: Vec<_> = offices.into_iter().chain(people).collect();
    assert_eq!(terminals, all.into_iter().collect(), "a terminal is missing or new");
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let mut running = None;
    let mut shown = 0;
    for step in &steps {
        if step.terminal == "relay" {
            running = Some(relay(folder.path(), step));
            continue;
        }
        assert!(running.is_some(), "the relay comes first");
        // The two streams come in the order in which they were written, as in a terminal.
        let both = format!("{{ {}; }} 2>&1", step.command);
        let done = terminal(folder.path(), step).args(["-c", &both]).output().unwrap();
        let printed = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "{}: {}\n{printed}", step.command, done.status);
        check_shown(step, &printed);
        shown += step.shown.len();
    }
    assert!(steps.len() > 60, "only {} commands were found", steps.len());
    assert!(shown > 80, "the page shows only {shown} lines of output");
}

/// Links to files lead somewhere.
#[test]
fn its_links_lead_somewhere() {
    let readme = std::fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let targets = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let mut checked = 0;
    for target in targets {
        let here = target.strip_prefix('#');
        if let Some(anchor) = here {
            let slug = |title: &str| -> String {
                let kept = |c: char| c.is_alphanumeric() || c == ' ' || c == '-';
                title
                    .to_lowercase()
                    .chars()
                    .filter(|c| kept(*c))
                    .collect::<String>()
                    .replace(' ', "-")
            };
            let titles = readme.lines().filter(|line| line.starts_with('#'));
            let mut slugs = titles.map(|line| slug(line.trim_start_matches('#').trim()));
            assert!(slugs.any(|slug| slug == anchor), "no heading for {target}");
        } else {
            assert!(Path::new(ROOT).join(target).exists(), "{target} is not there");
        }
        checked += 1;
    }
    assert!(checked > 8, "only {checked} links were found");
}
