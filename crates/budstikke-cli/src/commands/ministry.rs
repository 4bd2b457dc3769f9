//! `bud ministry`: the root of everybody's trust. Its vault belongs on a machine without a network.

use budstikke::{MinistryCard, UnitKind};

use crate::{
    app::{App, Vault},
    args::{MinistryInit, TextInOut},
    catalogue::t,
    failure::Failure,
    files,
    reply::Reply,
    show::time,
};

/// `bud ministry init`
pub(crate) async fn init(app: &App, args: &MinistryInit) -> Result<Reply, Failure> {
    app.with(Vault::ThereOrNew, async |client| {
        let card = client.found_ministry(&args.name).await.map_err(|error| app.failed(error))?;
        let reply = Reply::new().text(t!(app.catalogue, "ministry-made"));
        Ok(show(app, reply, &card).next(t!(app.catalogue, "ministry-made-next")))
    })
    .await
}

/// `bud ministry certify`
pub(crate) async fn certify(app: &App, args: &TextInOut) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let request = files::read(&args.file, catalogue)?;
    app.with(Vault::There, async |client| {
        let made = client.certify_unit(&request).await.map_err(|error| app.failed(error))?;
        let artefact = files::write(&args.output, made.text, catalogue)?;
        let desk = made.kind == UnitKind::MinistryDesk;
        let text = |mission, of_desk| catalogue.text(if desk { of_desk } else { mission }, &[]);
        let mut reply = Reply::new()
            .text(text("ministry-certified", "ministry-certified-desk"))
            .pair(text("unit-name", "desk-name"), made.name.as_str())
            .pair(text("unit-id", "desk-id"), made.unit_id.as_str())
            .pair(t!(catalogue, "valid-until"), time::moment(made.not_after))
            .next(text("ministry-certified-next", "ministry-certified-desk-next"))
            .field("unit_id", made.unit_id)
            .field("name", made.name)
            .field("not_after", made.not_after);
        reply.artefact = artefact;
        Ok(reply)
    })
    .await
}

/// Adds a Ministry's card.
pub(super) fn show(app: &App, reply: Reply, card: &MinistryCard) -> Reply {
    reply
        .pair(t!(app.catalogue, "ministry-name"), card.name.as_str())
        .pair(t!(app.catalogue, "root-fingerprint"), grouped(&card.root_fingerprint))
        .field("role", "ministry")
        .field("name", card.name.as_str())
        .field("root_fingerprint", card.root_fingerprint.as_str())
}

/// Groups of eight, to be read aloud.
pub(super) fn grouped(hex: &str) -> String {
    let letters: Vec<char> = hex.chars().collect();
    letters.chunks(8).map(String::from_iter).collect::<Vec<_>>().join(" ")
}
