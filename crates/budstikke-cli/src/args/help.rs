//! Puts the catalogue's words into the command line: `cmd-<path>` says what a command does,
//! `cmd-<path>-after` what happens next, `arg-<path>-<name>` or `arg-<name>` what an argument is.

use clap::{Arg, Command, CommandFactory as _};

use crate::catalogue::{Catalogue, t};

/// The whole command line, in the catalogue's language.
pub(crate) fn command(catalogue: &Catalogue) -> Command {
    localise(super::Cli::command(), "bud", catalogue)
}

fn localise(command: Command, path: &str, catalogue: &Catalogue) -> Command {
    let mut command = command.about(catalogue.text(&format!("cmd-{path}"), &[]));
    if let Some(after) = catalogue.maybe(&format!("cmd-{path}-after")) {
        command = command.after_help(after);
    }
    command.mut_args(|arg| describe(arg, path, catalogue)).mut_subcommands(|sub| {
        let path = match path {
            "bud" => sub.get_name().to_owned(),
            path => format!("{path}-{}", sub.get_name()),
        };
        localise(sub, &path, catalogue)
    })
}

fn describe(arg: Arg, path: &str, catalogue: &Catalogue) -> Arg {
    let name = arg.get_id().as_str().replace('_', "-");
    let own = format!("arg-{path}-{name}");
    let key = if catalogue.has(&own) { own } else { format!("arg-{name}") };
    let text = catalogue.text(&key, &[]);
    if arg.is_global_set() {
        // clap keeps headings as `&'static str`: one short text per process and option.
        let heading: &'static str = t!(catalogue, "help-everywhere").leak();
        arg.help(text).help_heading(heading)
    } else {
        arg.help(text)
    }
}
