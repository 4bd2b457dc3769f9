//! `bud ministry`: the root of everybody's trust, and the issuers under it. The root's vault belongs on a machine
//! without a network.

use std::io::IsTerminal as _;

use budstikke::{MinistryCard, MinistryPart, UnitKind};
use serde_json::json;

use crate::{
    app::{App, Vault},
    args::{
        IssuerRequest, Keep, Ministry, MinistryInit, MinistryIssuer, MinistryRoot, RootCertify,
        RootSplit, TextIn, TextInOut,
    },
    catalogue::t,
    exit::Exit,
    failure::Failure,
    files,
    reply::{Piece, Reply},
    show::time,
};

/// `bud ministry`
pub(crate) async fn run(app: &App, command: &Ministry) -> Result<Reply, Failure> {
    match command {
        Ministry::Init(args) => init(app, args).await,
        Ministry::Certify(args) => certify(app, args).await,
        Ministry::Publish(args) => super::directory::publish(app, args).await,
        Ministry::Revoke(args) => super::directory::revoke(app, args).await,
        Ministry::Root(MinistryRoot::Init(args)) => root_init(app, args).await,
        Ministry::Root(MinistryRoot::Certify(args)) => root_certify(app, args).await,
        Ministry::Root(MinistryRoot::Split(args)) => split(app, args).await,
        Ministry::Issuer(MinistryIssuer::Request(args)) => issuer_request(app, args).await,
        Ministry::Issuer(MinistryIssuer::Install(args)) => issuer_install(app, args).await,
        Ministry::Holder(command) => super::reserve::holder(app, command).await,
    }
}

/// `bud ministry init`
async fn init(app: &App, args: &MinistryInit) -> Result<Reply, Failure> {
    app.with(Vault::ThereOrNew, async |client| {
        let card = client.found_ministry(&args.name).await.map_err(|error| app.failed(error))?;
        let reply = Reply::new().text(t!(app.catalogue, "ministry-made"));
        Ok(brief(app, reply, &card).next(t!(app.catalogue, "ministry-made-next")))
    })
    .await
}

/// `bud ministry certify`
async fn certify(app: &App, args: &TextInOut) -> Result<Reply, Failure> {
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
        if made.cut_short {
            reply.pieces.push(Piece::Warn(t!(catalogue, "ministry-certified-short")));
        }
        reply.artefact = artefact;
        Ok(reply)
    })
    .await
}

/// `bud ministry root init`
async fn root_init(app: &App, args: &MinistryInit) -> Result<Reply, Failure> {
    app.with(Vault::ThereOrNew, async |client| {
        let card = client.found_root(&args.name).await.map_err(|error| app.failed(error))?;
        let reply = Reply::new().text(t!(app.catalogue, "root-made"));
        Ok(show(app, reply, &card).next(t!(app.catalogue, "root-made-next")))
    })
    .await
}

/// `bud ministry root certify`
async fn root_certify(app: &App, args: &RootCertify) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let request = files::read(&args.file, catalogue)?;
    app.with(Vault::There, async |client| {
        let asked = client.read_issuer_request(&request).await;
        let asked = asked.map_err(|error| app.failed(error))?;
        app.out.note(&t!(
            catalogue,
            "root-asked",
            name = asked.name.as_str(),
            key = grouped(&asked.fingerprint),
        ));
        if let Some(at) = asked.certified_until {
            app.out.note(&t!(catalogue, "root-asked-again", at = time::moment(at)));
        }
        confirm(app, args.yes, t!(catalogue, "root-certify-confirm"))?;
        let made = client.certify_issuer(&request).await.map_err(|error| app.failed(error))?;
        let mut reply = Reply::new()
            .text(t!(catalogue, "root-certified"))
            .pair(t!(catalogue, "issuer-name"), made.name.as_str())
            .pair(t!(catalogue, "issuer-fingerprint"), grouped(&made.fingerprint))
            .pair(t!(catalogue, "valid-until"), time::moment(made.not_after))
            .next(t!(catalogue, "root-certified-next"))
            .field("name", made.name)
            .field("issuer_fingerprint", made.fingerprint)
            .field("not_after", made.not_after);
        reply.artefact = files::write(&args.output, made.text, catalogue)?;
        Ok(reply)
    })
    .await
}

/// `bud ministry root split`
async fn split(app: &App, args: &RootSplit) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let (keep, question, said) = match args.keep {
        Keep::Root => (
            MinistryPart::Root,
            t!(catalogue, "split-root-confirm"),
            t!(catalogue, "split-root-done"),
        ),
        Keep::Issuer => (
            MinistryPart::Issuer,
            t!(catalogue, "split-issuer-confirm"),
            t!(catalogue, "split-issuer-done"),
        ),
    };
    app.with(Vault::There, async |client| {
        confirm(app, args.yes, question)?;
        let card = client.split_ministry(keep).await.map_err(|error| app.failed(error))?;
        let next = t!(catalogue, "split-next");
        Ok(show(app, Reply::new().text(said), &card).next(next))
    })
    .await
}

/// `bud ministry issuer request`
async fn issuer_request(app: &App, args: &IssuerRequest) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::ThereOrNew, async |client| {
        let made = client.request_issuer(args.name.as_deref()).await;
        let request = made.map_err(|error| app.failed(error))?;
        let card = client.ministry().await.map_err(|error| app.failed(error))?;
        let mut reply = Reply::new()
            .text(t!(catalogue, "issuer-requested"))
            .pair(t!(catalogue, "issuer-name"), card.name.as_str())
            .pair(t!(catalogue, "issuer-fingerprint"), grouped(&card.issuer_fingerprint))
            .next(t!(catalogue, "issuer-requested-next"))
            .field("name", card.name)
            .field("issuer_fingerprint", card.issuer_fingerprint);
        reply.artefact = files::write(&args.output, request, catalogue)?;
        Ok(reply)
    })
    .await
}

/// `bud ministry issuer install`
async fn issuer_install(app: &App, args: &TextIn) -> Result<Reply, Failure> {
    let certificate = files::read(&args.file, &app.catalogue)?;
    app.with(Vault::There, async |client| {
        let installed = client.install_issuer(&certificate).await;
        let card = installed.map_err(|error| app.failed(error))?;
        let reply = Reply::new().text(t!(app.catalogue, "issuer-installed"));
        Ok(show(app, reply, &card).next(t!(app.catalogue, "issuer-installed-next")))
    })
    .await
}

/// Asks where there is somebody to ask; in a pipe, `--yes` is the answer.
pub(super) fn confirm(app: &App, yes: bool, question: String) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let asked = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let question = dialoguer::Confirm::new().with_prompt(question).default(false);
    if asked && question.interact().unwrap_or(false) {
        return Ok(());
    }
    let next = t!(app.catalogue, "root-not-done-next");
    Err(Failure::new(Exit::Conflict, t!(app.catalogue, "root-not-done")).next(next))
}

/// Adds who it is.
fn brief(app: &App, reply: Reply, card: &MinistryCard) -> Reply {
    let catalogue = &app.catalogue;
    let reply = reply
        .pair(t!(catalogue, "ministry-name"), card.name.as_str())
        .field("role", "ministry")
        .field("name", card.name.as_str());
    if card.root_fingerprint.is_empty() {
        return reply;
    }
    reply
        .pair(t!(catalogue, "root-fingerprint"), grouped(&card.root_fingerprint))
        .field("root_fingerprint", card.root_fingerprint.as_str())
}

/// Adds a Ministry's card.
pub(super) fn show(app: &App, reply: Reply, card: &MinistryCard) -> Reply {
    let catalogue = &app.catalogue;
    let (part, holds) = match card.part {
        MinistryPart::Whole => ("whole", t!(catalogue, "ministry-part-whole")),
        MinistryPart::Root => ("root", t!(catalogue, "ministry-part-root")),
        MinistryPart::Issuer => ("issuer", t!(catalogue, "ministry-part-issuer")),
        MinistryPart::Holder => ("holder", t!(catalogue, "ministry-part-holder")),
        _ => ("waiting", t!(catalogue, "ministry-part-waiting")),
    };
    let mut reply =
        brief(app, reply, card).pair(t!(catalogue, "ministry-part"), holds).field("part", part);
    if !card.issuer_fingerprint.is_empty() {
        reply = reply
            .pair(t!(catalogue, "issuer-fingerprint"), grouped(&card.issuer_fingerprint))
            .field("issuer_fingerprint", card.issuer_fingerprint.as_str());
    }
    if card.not_after > 0 {
        reply = reply
            .pair(t!(catalogue, "issuer-until"), time::moment(card.not_after))
            .field("not_after", card.not_after);
    }
    if card.part == MinistryPart::Root {
        reply = reply.pieces(card.issuers.iter().map(|issuer| {
            let (name, key) = (issuer.name.as_str(), grouped(&issuer.fingerprint));
            let at = time::moment(issuer.revoked_at.unwrap_or(issuer.not_after));
            Piece::Item(if issuer.revoked_at.is_some() {
                t!(catalogue, "issuer-listed-revoked", name = name, at = at, key = key)
            } else {
                t!(catalogue, "issuer-listed", name = name, at = at, key = key)
            })
        }));
    }
    let one = |issuer: &budstikke::CertifiedIssuer| {
        json!({
            "name": issuer.name,
            "issuer_fingerprint": issuer.fingerprint,
            "not_after": issuer.not_after,
            "revoked_at": issuer.revoked_at,
        })
    };
    reply.field("issuers", card.issuers.iter().map(one).collect::<Vec<_>>())
}

/// Groups of eight, to be read aloud.
pub(super) fn grouped(hex: &str) -> String {
    let letters: Vec<char> = hex.chars().collect();
    letters.chunks(8).map(String::from_iter).collect::<Vec<_>>().join(" ")
}
