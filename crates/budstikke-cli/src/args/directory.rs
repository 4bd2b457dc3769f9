//! The Ministry's directory: its arguments.

use clap::{Args, ValueEnum};

use super::Path;

#[derive(Args)]
pub(crate) struct Directory {
    #[arg(long, value_name = "FILE", conflicts_with = "output")]
    pub(crate) import: Option<Path>,
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<Path>,
}

#[derive(Args)]
pub(crate) struct Revoke {
    #[arg(value_enum)]
    pub(crate) what: RevokeWhat,
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    #[arg(long, value_enum, default_value_t = RevokeReason::Lost)]
    pub(crate) reason: RevokeReason,
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: Path,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RevokeWhat {
    Device,
    Unit,
    Relay,
    Issuer,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RevokeReason {
    Lost,
    Seized,
    Left,
    Compromised,
    Replaced,
}

#[derive(Args)]
pub(crate) struct PublishDirectory {
    #[arg(long = "relay", value_name = "ADDRESS")]
    pub(crate) relays: Vec<String>,
    #[arg(long = "holder", value_name = "FILE")]
    pub(crate) holders: Vec<Path>,
}
