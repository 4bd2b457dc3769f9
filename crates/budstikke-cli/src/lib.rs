//! `bud`, the command-line client of budstikke: parse, ask, print. What it does is the `budstikke`
//! crate's work; what it says is in `locales/`; how it looks is in `out`.
//!
//! A library, so that tests can put it behind a binary of their own.

mod app;
mod args;
mod catalogue;
mod commands;
#[cfg(feature = "demo")]
mod demo;
mod errors;
mod exit;
mod failure;
mod files;
#[cfg(test)]
mod keys;
mod out;
mod passphrase;
mod refused;
mod reply;
mod show;

pub(crate) use budstikke::case;

use std::process::ExitCode;

use clap::FromArgMatches as _;

use crate::{
    app::App,
    args::Cli,
    catalogue::{Catalogue, t},
    exit::Exit,
    failure::Failure,
    out::Out,
};

/// Runs the program with this process's arguments.
pub fn main() -> ExitCode {
    // A crash must not write the memory, keys and all, to the disk. Where the limit cannot be
    // set, there is nothing better to do than to go on.
    #[cfg(unix)]
    let _ = rlimit::setrlimit(rlimit::Resource::CORE, 0, 0);

    let args: Vec<_> = std::env::args_os().collect();
    let catalogue = Catalogue::for_process(&args);
    let parsed = args::command(&catalogue).try_get_matches_from(&args);
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return not_parsed(&error, &args, &catalogue),
    };
    // The demo keeps the log of its relay to search it.
    if !cli.command.keeps_the_log() {
        log_to_stderr(cli.global.verbose);
    }
    let out = Out::new(cli.global.json);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let text = t!(catalogue, "error-internal", cause = error.to_string());
            out.failure(&Failure::new(Exit::Internal, text), &catalogue);
            return Exit::Internal.into();
        }
    };
    let app = App::new(cli.global, catalogue, out);
    let done = runtime.block_on(commands::run(&app, cli.command));
    match done {
        Ok(reply) => {
            let code = reply.failure.as_ref().map_or(ExitCode::SUCCESS, |f| f.exit.into());
            app.out.reply(reply, &app.catalogue);
            code
        }
        Err(failure) => {
            app.out.failure(&failure, &app.catalogue);
            failure.exit.into()
        }
    }
}

/// Help and version are no errors; everything else is, and a program that asked for JSON gets it.
fn not_parsed(error: &clap::Error, args: &[std::ffi::OsString], catalogue: &Catalogue) -> ExitCode {
    if error.use_stderr() && args.iter().any(|arg| arg == "--json") {
        let text = error.render().to_string();
        let text = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Out::new(true).failure(&Failure::new(Exit::Usage, text), catalogue);
    } else {
        let _ = error.print();
    }
    if error.use_stderr() { Exit::Usage.into() } else { ExitCode::SUCCESS }
}

/// `-v` shows what the libraries say about themselves; the log-safe types keep ids and names out.
fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => "budstikke=info",
        2 => "budstikke=debug",
        _ => "budstikke=trace,quinn=debug",
    };
    let subscriber = tracing_subscriber::fmt().with_env_filter(level).with_writer(std::io::stderr);
    let _ = subscriber.try_init();
}
