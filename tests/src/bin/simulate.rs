//! `simulate`: concurrent commits, crashes and a hostile relay, thousands of times, on the real
//! groups.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use budstikke_tests::load::Numbers;
use budstikke_tests::simulation::{Settings, run};

const HELP: &str = "\
simulate [--races 10000] [--seed N] [--json] [--plant arrival-order] [--episode N]

No network, simulated time, all cores; the same seed gives the same run.
--plant arrival-order: clients that apply commits as they arrive, which must be caught.
--episode N: only that one, as the report of a run that failed names it.
Exit codes: 0 nothing undetected; 1 something was; 2 wrong arguments. --json: the last line is the report.";

fn main() -> ExitCode {
    let Some((settings, json)) = settings() else {
        eprintln!("{HELP}");
        return ExitCode::from(2);
    };
    let report = run(settings);
    println!("{report}");
    if json {
        println!("{}", report.json());
    }
    if report.clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn settings() -> Option<(Settings, bool)> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let mut settings = Settings::new(10_000, Numbers::seed(), i64::try_from(since.as_secs()).ok()?);
    let mut json = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => json = true,
            "--races" => settings.races = arguments.next()?.parse().ok()?,
            "--seed" => settings.seed = arguments.next()?.parse().ok()?,
            "--episode" => settings.episode = Some(arguments.next()?.parse().ok()?),
            "--plant" if arguments.next()? == "arrival-order" => settings.arrival_order = true,
            _ => return None,
        }
    }
    let there = settings.episode.is_none_or(|only| only < settings.episodes());
    there.then_some((settings, json))
}
