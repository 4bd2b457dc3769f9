//! Every key that is used has a text, and every text is used: a test over the sources themselves.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::{args, case::catalogue_keys, catalogue::Catalogue};

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

/// Every string literal of a crate's sources that could be a key.
fn literals(folder: &str) -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut files);
    let mut found = BTreeSet::new();
    for file in files.iter().filter(|file| !file.ends_with("keys.rs")) {
        let text = fs::read_to_string(file).unwrap();
        found.extend(text.split('"').map(str::to_owned).filter(|word| is_key(word)));
    }
    found
}

fn is_key(word: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    word.contains('-') && !word.ends_with('-') && word.chars().all(allowed)
}

/// The keys of the English files.
fn texts() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales/en");
    let mut keys = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        keys.extend(text.lines().filter_map(|line| {
            let (key, _) = line.split_once(" =")?;
            is_key(key).then(|| key.to_owned())
        }));
    }
    keys
}

/// Keys that this crate puts together at run time; the case crate lists its own.
fn made() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let lists: [(&str, &[&str]); 5] = [
        ("progress", &["on-this-device", "at-relay", "on-their-device", "taken-on", "refused"]),
        ("contact", &["waiting", "answering", "answered", "colleague"]),
        (
            "staff-role",
            &[
                "staff",
                "contact-person",
                "head-of-mission",
                "admin",
                "desk",
                "duty",
                "decision-maker",
                "privacy",
                "other",
            ],
        ),
        (
            "act",
            &[
                "cleared-next",
                "scheduled-now-next",
                "closed-next",
                "cancelled-next",
                "resumed-next",
                "edited-next",
                "submitted-next",
                "condition-met-next",
                "done-next",
                "effect-next",
                "informed-next",
                "passed-next",
            ],
        ),
        (
            "demo-who",
            &[
                "ministry",
                "officer-a",
                "officer-b",
                "desk-m",
                "decider-k",
                "duty-d",
                "reed",
                "heron",
                "relay",
                "head",
                "holders",
            ],
        ),
    ];
    for (prefix, names) in lists {
        keys.extend(names.iter().map(|name| format!("{prefix}-{name}")));
    }
    keys
}

/// Keys of the command line's help, as `args::help` asks for them.
fn help(catalogue: &Catalogue) -> BTreeSet<String> {
    fn walk(
        command: &clap::Command,
        path: &str,
        has: &dyn Fn(&str) -> bool,
        out: &mut BTreeSet<String>,
    ) {
        out.insert(format!("cmd-{path}"));
        if has(&format!("cmd-{path}-after")) {
            out.insert(format!("cmd-{path}-after"));
        }
        for arg in command.get_arguments() {
            let name = arg.get_id().as_str().replace('_', "-");
            let own = format!("arg-{path}-{name}");
            out.insert(if has(&own) { own } else { format!("arg-{name}") });
        }
        for sub in command.get_subcommands() {
            let name = sub.get_name();
            let path = if path == "bud" { name.to_owned() } else { format!("{path}-{name}") };
            walk(sub, &path, has, out);
        }
    }
    let mut keys = BTreeSet::new();
    walk(&args::command(catalogue), "bud", &|key| catalogue.has(key), &mut keys);
    keys
}

#[test]
fn every_key_has_a_text_and_every_text_is_used() {
    let catalogue = Catalogue::new(Some("en"));
    let texts = texts();
    let mut needed = made();
    needed.extend(help(&catalogue));
    needed.extend(catalogue_keys());
    let missing: Vec<_> = needed.iter().filter(|key| !texts.contains(*key)).collect();
    assert!(missing.is_empty(), "no text for {missing:?}");

    let literals = literals("src");
    let unused: Vec<_> =
        texts.iter().filter(|key| !needed.contains(*key) && !literals.contains(*key)).collect();
    assert!(unused.is_empty(), "never used: {unused:?}");
}

/// Every `t!` in the sources names a key that has a text; a missing one would show itself as a key.
#[test]
fn every_literal_key_in_a_call_has_a_text() {
    let texts = texts();
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut calls = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for call in [
            "t!(",
            ".text(\"",
            "tell.scene(",
            "tell.does(",
            "tell.sees(",
            "tell.check(",
            "tell.stopped(",
        ] {
            for rest in text.split(call).skip(1) {
                let near: String = rest.chars().take(120).collect();
                let quoted = if call.ends_with('"') {
                    near.split('"').next()
                } else {
                    near.split('"').nth(1)
                };
                let Some(key) = quoted.filter(|key| is_key(key)) else { continue };
                calls += 1;
                assert!(texts.contains(key), "{}: {key}", file.display());
            }
        }
    }
    assert!(calls > 150, "only {calls} calls were found: the test looks at the wrong thing");
}

#[test]
fn no_text_promises_or_calls_anything_secure() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales/en");
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let line = line.to_lowercase();
            for word in ["secure", "guarantee", "100%", "unbreakable", "we promise", "complaint"] {
                let shown = line.split_once('=').map_or(line.as_str(), |(_, shown)| shown);
                assert!(!shown.contains(word), "\"{word}\" in: {line}");
            }
        }
    }
}

/// Toward the defender nothing is submitted and nobody is a case.
#[test]
fn what_a_defender_reads_says_neither_submit_nor_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales/en");
    for name in [
        "consent.ftl",
        "contact.ftl",
        "conversation.ftl",
        "view.ftl",
        "refusals.ftl",
        "program.ftl",
    ] {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let shown = line.split_once(" = ").map_or(line, |(_, shown)| shown).to_lowercase();
            let words = || shown.split(|c: char| !c.is_alphanumeric());
            for word in ["submit", "submitted", "case", "cases"] {
                assert!(words().all(|found| found != word), "\"{word}\" in {name}: {line}");
            }
        }
    }
}
