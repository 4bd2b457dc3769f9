//! What each command does: read what was given, call the client, say what came of it.

mod check;
mod program;

use crate::{app::App, args::Command, failure::Failure, reply::Reply};

/// Runs one command.
pub(crate) async fn run(app: &App, command: Command) -> Result<Reply, Failure> {
    match command {
        Command::Check(args) => check::check(app, &args),
        Command::Completions(args) => program::completions(app, &args),
        Command::Man(args) => program::man(app, &args),
        _ => unreachable!(),
    }
}
