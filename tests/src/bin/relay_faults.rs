//! `relay-faults`: what a relay that acknowledged something still holds after many kills, or after a power loss.

use std::process::ExitCode;

use budstikke_tests::faults::{Kills, PowerLoss, Report};
use budstikke_tests::load::Numbers;

const HELP: &str = "\
relay-faults kills [--kills 60] [--seed N] [--json]
relay-faults power [--states 320] [--megabytes 150] [--seed N] [--strict-names] [--no-sync] [--json]

kills: SIGKILL in every phase (starting, under load, releasing, stopping), at least 50 of them for a proof.
power: records what a relay writes under load and what it acknowledges, and opens what a disk may hold after a power
       loss. --strict-names: a new file's name, too, needs a sync of its folder. --no-sync: a relay that forgets to
       sync, which must be caught.
Exit codes: 0 nothing lost, nothing twice; 1 something was; 2 wrong arguments. --json: the last line is the report.";

fn main() -> ExitCode {
    if std::env::var_os("AS_RELAY").is_some() {
        budstikke_relay::testing::plant_no_sync(std::env::var_os("PLANT_NO_SYNC").is_some());
        return budstikke_relay::program::main();
    }
    let Some((report, json)) = run() else {
        eprintln!("{HELP}");
        return ExitCode::from(2);
    };
    println!("{report}");
    if json {
        println!("{}", report.json());
    }
    if report.clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run() -> Option<(Report, bool)> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next()?;
    let seed = Numbers::seed();
    let program = std::env::current_exe().ok()?;
    let mut kills = Kills { program: Some(program.clone()), ..Kills::full(seed) };
    let mut power = PowerLoss { program: Some(program), ..PowerLoss::full(seed) };
    let mut json = false;
    while let Some(argument) = arguments.next() {
        match (command.as_str(), argument.as_str()) {
            (_, "--json") => json = true,
            (_, "--seed") => {
                kills.seed = arguments.next()?.parse().ok()?;
                power.seed = kills.seed;
            }
            ("kills", "--kills") => kills.kills = arguments.next()?.parse().ok()?,
            ("power", "--states") => power.states = arguments.next()?.parse().ok()?,
            ("power", "--megabytes") => power.megabytes = arguments.next()?.parse().ok()?,
            ("power", "--strict-names") => power.strict_names = true,
            ("power", "--no-sync") => power.no_sync = true,
            _ => return None,
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().ok()?;
    match command.as_str() {
        "kills" => Some((runtime.block_on(kills.run()), json)),
        "power" => Some((runtime.block_on(power.run()), json)),
        _ => None,
    }
}
