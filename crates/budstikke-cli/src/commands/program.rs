//! `bud completions` and `bud man`: made from the same definition as the help.

use std::path::Path;

use crate::{
    app::App,
    args::{self, Completions, Man},
    catalogue::t,
    exit::Exit,
    failure::Failure,
    files,
    reply::Reply,
};

/// Prints the completions of a shell.
pub(crate) fn completions(app: &App, args: &Completions) -> Reply {
    let mut bytes = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(&app.catalogue), "bud", &mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Reply { artefact: Some(text), ..Reply::new() }
}

/// Prints the main page, or writes a page for each command into a folder.
pub(crate) fn man(app: &App, args: &Man) -> Result<Reply, Failure> {
    let command = args::command(&app.catalogue);
    let failed = |error: std::io::Error, place: &Path| {
        let (file, cause) = (files::shown(place), error.to_string());
        let text = t!(app.catalogue, "path-unwritable", file = file, cause = cause);
        Failure::new(Exit::Usage, text)
    };
    let Some(folder) = &args.folder else {
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(command).render(&mut page);
        rendered.map_err(|error| failed(error, Path::new("-")))?;
        let text = String::from_utf8_lossy(&page).into_owned();
        return Ok(Reply { artefact: Some(text), ..Reply::new() });
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command, folder))
        .map_err(|error| failed(error, folder))?;
    let text = t!(app.catalogue, "man-written", folder = files::shown(folder));
    Ok(Reply::new().text(text).field("folder", files::shown(folder)))
}
