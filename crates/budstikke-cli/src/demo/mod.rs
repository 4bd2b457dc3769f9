//! `bud demo`: the whole path on one machine, with nothing in it fake. A real relay on loopback, a
//! vault of its own for the Ministry, two officers and a defender, and at the end a search of the
//! relay's disk, log and counters for everything that must not be there.
//!
//! The story is in [`story`], how it is told in [`teller`], who is in it in [`cast`].

mod cast;
mod relay;
mod scan;
mod search;
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

/// Tells the story; fails if a single step did not hold.
pub(crate) async fn run(app: &App, args: &Demo) -> Result<Reply, Failure> {
    let folder = Folder::make(args.keep.as_deref(), &app.catalogue)?;
    let told = story::tell(app, folder.path()).await?;
    let mut reply = Reply::new()
        .text(t!(app.catalogue, "demo-held", steps = told.checks))
        .field("ok", true)
        .field("checks", told.checks);
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
