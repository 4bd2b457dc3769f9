//! `bud mission` and `bud device`: a mission's own set-up.

use budstikke::{Offer, Role, StaffCard, UnitKind, UnitSetup};
use serde_json::json;

use crate::{
    app::{App, Vault},
    args::{self, DeviceRequest, Invite, MissionInit, Publish, TextIn, TextInOut},
    case::file::{Format, PrivacyNoticeFile, TermsFile},
    catalogue::{Catalogue, t},
    exit::Exit,
    failure::Failure,
    files, refused,
    reply::{Piece, Reply},
    show::{qr, time},
};

/// `bud mission init`
pub(crate) async fn init(app: &App, args: &MissionInit) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let setup = UnitSetup {
        unit_id: args.unit.clone(),
        name: args.name.clone(),
        kind: match args.kind {
            args::UnitKind::Bilateral => UnitKind::BilateralMission,
            args::UnitKind::Multilateral => UnitKind::MultilateralMission,
        },
        officer: args.officer.clone(),
        roles: roles(&args.roles),
        relays: args.relays.clone(),
    };
    app.with(Vault::ThereOrNew, async |client| {
        let request = client.request_unit(setup).await.map_err(|error| app.failed(error))?;
        let mut reply = Reply::new()
            .text(t!(catalogue, "mission-requested", unit = args.unit.as_str()))
            .next(t!(catalogue, "mission-requested-next"))
            .field("unit_id", args.unit.as_str());
        reply.artefact = files::write(&args.output, request, catalogue)?;
        Ok(reply)
    })
    .await
}

/// `bud mission install`
pub(crate) async fn install(app: &App, args: &TextIn) -> Result<Reply, Failure> {
    let certificate = files::read(&args.file, &app.catalogue)?;
    app.with(Vault::There, async |client| {
        let card = client.install_unit(&certificate).await.map_err(|error| app.failed(error))?;
        let reply = Reply::new().text(t!(app.catalogue, "mission-installed"));
        Ok(show(app, reply, &card).next(t!(app.catalogue, "mission-installed-next")))
    })
    .await
}

/// `bud mission publish`
pub(crate) async fn publish(app: &App, args: &Publish) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let offer = Offer {
        terms: args.terms.iter().map(|path| terms(app, path)).collect::<Result<_, _>>()?,
        emergency: args.emergency.as_deref().map(|path| terms(app, path)).transpose()?,
        privacy: privacy(app, &args.privacy)?,
    };
    app.with(Vault::There, async |client| {
        let working = app.out.working(t!(catalogue, "working-relay"));
        let made = client.publish(offer).await.map_err(|error| app.failed(error))?;
        drop(working);
        let words = made.safety_words.join(" ");
        Ok(Reply::new()
            .text(t!(catalogue, "mission-published"))
            .pair(t!(catalogue, "safety-words"), words)
            .pair(t!(catalogue, "valid-until"), time::moment(made.valid_until))
            .next(t!(catalogue, "mission-published-next"))
            .field("version", made.version)
            .field("valid_until", made.valid_until)
            .field("safety_words", json!(made.safety_words)))
    })
    .await
}

/// `bud mission invite`
pub(crate) async fn invite(app: &App, args: &Invite) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let invitation = client.invitation().await.map_err(|error| app.failed(error))?;
        let words = client.mission_words().await.map_err(|error| app.failed(error))?;
        let mut reply = Reply::new();
        if args.qr {
            let drawn = qr::code(&invitation)
                .ok_or_else(|| Failure::new(Exit::Internal, t!(catalogue, "invite-no-qr")))?;
            reply.pieces.push(Piece::Raw(drawn));
        }
        reply = reply
            .text(t!(catalogue, "invite-made"))
            .pair(t!(catalogue, "safety-words"), words.join(" "))
            .next(t!(catalogue, "invite-made-next"))
            .field("safety_words", json!(words));
        reply.artefact = files::write(&args.output, invitation, catalogue)?;
        Ok(reply)
    })
    .await
}

/// `bud mission enrol`
pub(crate) async fn enrol(app: &App, args: &TextInOut) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let request = files::read(&args.file, catalogue)?;
    app.with(Vault::There, async |client| {
        let enrolment = client.enrol_device(&request).await.map_err(|error| app.failed(error))?;
        let mut reply = Reply::new()
            .text(t!(catalogue, "mission-enrolled"))
            .next(t!(catalogue, "mission-enrolled-next"));
        reply.artefact = files::write(&args.output, enrolment, catalogue)?;
        Ok(reply)
    })
    .await
}

/// `bud mission team`
pub(crate) async fn team(app: &App) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let team = client.team().await.map_err(|error| app.failed(error))?;
        let head = vec![
            t!(catalogue, "staff-officer"),
            t!(catalogue, "staff-roles"),
            t!(catalogue, "valid-until"),
        ];
        let rows = team.iter().map(|member| {
            let own = t!(catalogue, "show-own", name = member.officer.as_str());
            let name = if member.own { own } else { member.officer.clone() };
            vec![name, role_words(&member.roles, catalogue), time::moment(member.not_after)]
        });
        let json: Vec<_> = team
            .iter()
            .map(|member| {
                let roles: Vec<_> = member.roles.iter().map(|role| role_name(*role)).collect();
                json!({
                    "officer": member.officer,
                    "roles": roles,
                    "not_after": member.not_after,
                    "own": member.own,
                })
            })
            .collect();
        Ok(Reply::new().pieces([Piece::Table(head, rows.collect())]).field("team", json))
    })
    .await
}

/// `bud device request`
pub(crate) async fn request(app: &App, args: &DeviceRequest) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::ThereOrNew, async |client| {
        let made = client.request_device(&args.officer, &roles(&args.roles)).await;
        let mut reply = Reply::new()
            .text(t!(catalogue, "device-requested"))
            .next(t!(catalogue, "device-requested-next"));
        let request = made.map_err(|error| app.failed(error))?;
        reply.artefact = files::write(&args.output, request, catalogue)?;
        Ok(reply)
    })
    .await
}

/// `bud device install`
pub(crate) async fn install_device(app: &App, args: &TextIn) -> Result<Reply, Failure> {
    let enrolment = files::read(&args.file, &app.catalogue)?;
    app.with(Vault::There, async |client| {
        let card = client.install_device(&enrolment).await.map_err(|error| app.failed(error))?;
        let working = app.out.working(t!(app.catalogue, "working-relay"));
        let report = client.sync().await.map_err(|error| app.failed(error))?;
        drop(working);
        let reply = Reply::new().text(t!(app.catalogue, "device-installed"));
        let mut reply = show(app, reply, &card).next(t!(app.catalogue, "device-installed-next"));
        reply.failure = super::everyday::problem(app, &report);
        Ok(reply)
    })
    .await
}

/// Adds a staff device's card.
pub(super) fn show(app: &App, reply: Reply, card: &StaffCard) -> Reply {
    let catalogue = &app.catalogue;
    let names: Vec<_> = card.roles.iter().map(|role| role_name(*role)).collect();
    reply
        .pair(t!(catalogue, "unit-name"), card.unit_name.as_str())
        .pair(t!(catalogue, "unit-id"), card.unit_id.as_str())
        .pair(t!(catalogue, "staff-officer"), card.officer.as_str())
        .pair(t!(catalogue, "staff-roles"), role_words(&card.roles, catalogue))
        .pair(t!(catalogue, "valid-until"), time::moment(card.not_after))
        .pair(t!(catalogue, "root-fingerprint"), super::ministry::grouped(&card.root_fingerprint))
        .field("role", "staff")
        .field("certified", true)
        .field("unit_id", card.unit_id.as_str())
        .field("unit_name", card.unit_name.as_str())
        .field("officer", card.officer.as_str())
        .field("roles", names)
        .field("not_after", card.not_after)
        .field("root_fingerprint", card.root_fingerprint.as_str())
}

/// Terms from a file.
pub(super) fn terms(app: &App, path: &std::path::Path) -> Result<TermsFile, Failure> {
    let (text, name) = (files::read(path, &app.catalogue)?, files::shown(path));
    TermsFile::parse(&text, Format::of_name(&name), App::now())
        .map_err(|error| refused::file(&error, &name, &app.catalogue))
}

fn privacy(app: &App, path: &std::path::Path) -> Result<PrivacyNoticeFile, Failure> {
    let (text, name) = (files::read(path, &app.catalogue)?, files::shown(path));
    PrivacyNoticeFile::parse(&text, Format::of_name(&name), App::now())
        .map_err(|error| refused::file(&error, &name, &app.catalogue))
}

fn roles(given: &[args::Role]) -> Vec<Role> {
    let one = |role: &args::Role| match role {
        args::Role::Staff => Role::Staff,
        args::Role::ContactPerson => Role::ContactPerson,
        args::Role::HeadOfMission => Role::HeadOfMission,
        args::Role::Admin => Role::Admin,
    };
    given.iter().map(one).collect()
}

fn role_words(roles: &[Role], catalogue: &Catalogue) -> String {
    let word = |role: &Role| catalogue.text(&format!("staff-role-{}", role_name(*role)), &[]);
    roles.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Staff => "staff",
        Role::ContactPerson => "contact-person",
        Role::HeadOfMission => "head-of-mission",
        Role::Admin => "admin",
        Role::Desk => "desk",
        Role::Duty => "duty",
        Role::DecisionMaker => "decision-maker",
        Role::Privacy => "privacy",
        _ => "other",
    }
}
