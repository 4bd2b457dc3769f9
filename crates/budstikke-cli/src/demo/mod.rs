//! `bud demo`: the whole path on one machine, with nothing in it fake. A real relay on loopback,
//! vaults of their own for everybody, and at the end a search of what reached the Ministry and of
//! the relay's disk, log and counters for everything that must not be there.
//!
//! The story is in [`story`], one file a chapter; single situations are in [`scenarios`]. How it is
//! told is in [`teller`], who is in it in [`cast`], what they read and write in [`papers`], what
//! they do more than once in [`company`]; [`stage`] holds it together.

mod cast;
mod company;
mod papers;
mod reached;
mod relay;
mod scan;
mod scenarios;
mod search;
mod stage;
mod stop;
mod story;
mod teller;
mod watch;

use std::path::{Path, PathBuf};

use crate::{
    app::App,
    args::Demo,
    catalogue::{Catalogue, t},
    exit::Exit,
    failure::Failure,
    files,
    reply::Reply,
};

/// Tells the story, or plays a scenario; fails if a single step did not hold.
pub(crate) async fn run(app: &App, args: &Demo) -> Result<Reply, Failure> {
    let folder = Folder::make(args.keep.as_deref(), &app.catalogue)?;
    let told = match args.scenario {
        Some(scenario) => scenarios::play(app, folder.path(), scenario).await,
        None => story::tell(app, folder.path()).await,
    };
    let checks = told.map_err(|stop| stop.failure(app))?;
    let mut reply = Reply::new()
        .text(t!(app.catalogue, "demo-held", steps = checks))
        .field("ok", true)
        .field("checks", checks);
    if let Folder::Kept(path) = &folder {
        let path = files::shown(path);
        reply = reply
            .text(t!(app.catalogue, "demo-kept", folder = path.as_str()))
            .field("folder", path);
    }
    Ok(reply)
}

/// Where everything happens: gone afterwards, unless it was asked for.
enum Folder {
    Temporary(tempfile::TempDir),
    Kept(PathBuf),
}

impl Folder {
    fn make(keep: Option<&Path>, catalogue: &Catalogue) -> Result<Self, Failure> {
        let made = match keep {
            Some(path) => std::fs::create_dir(path).map(|()| Self::Kept(path.to_owned())),
            None => tempfile::tempdir().map(Self::Temporary),
        };
        made.map_err(|error| {
            let file = keep.map_or_else(|| "tmp".to_owned(), files::shown);
            let cause = error.to_string();
            Failure::new(Exit::Usage, t!(catalogue, "path-unwritable", file = file, cause = cause))
        })
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }
}
