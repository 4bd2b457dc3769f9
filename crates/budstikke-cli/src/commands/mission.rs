//! `bud mission`, `bud desk` and `bud device`: an office's own set-up.

use std::path::{Path, PathBuf};

use budstikke::{Offer, Role, StaffCard, UnitKind, UnitSetup};

use crate::{
    app::{App, Vault},
    args::{self, DeskInit, DeviceRequest, Invite, MissionInit, TextIn, TextInOut, TextOut},
    case::file::{Format, PrivacyNoticeFile, TermsFile},
    catalogue::{Catalogue, t},
    exit::Exit,
    failure::Failure,
    files, refused,
    reply::{Piece, Reply},
    show::{qr, time, words},
};

/// Which office is being set up: the steps are the same, the words are not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Office {
    Mission,
    Desk,
}

impl Office {
    /// The one of two texts that is for this office.
    fn text(self, mission: &'static str, desk: &'static str) -> &'static str {
        match self {
            Self::Mission => mission,
            Self::Desk => desk,
        }
    }

    /// What a device belongs to, by what its user may do.
    fn of(roles: &[Role]) -> Self {
        let desk = [Role::Desk, Role::Duty, Role::DecisionMaker, Role::Privacy];
        if roles.iter().any(|role| desk.contains(role)) { Self::Desk } else { Self::Mission }
    }
}

/// `bud mission init`
pub(crate) async fn init(app: &App, args: &MissionInit) -> Result<Reply, Failure> {
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
    requested(app, setup, &args.output, Office::Mission).await
}

/// `bud desk init`
pub(crate) async fn init_desk(app: &App, args: &DeskInit) -> Result<Reply, Failure> {
    let setup = UnitSetup {
        unit_id: args.unit.clone(),
        name: args.name.clone(),
        kind: UnitKind::MinistryDesk,
        officer: args.officer.clone(),
        roles: roles(&args.roles),
        relays: args.relays.clone(),
    };
    requested(app, setup, &args.output, Office::Desk).await
}

async fn requested(
    app: &App,
    setup: UnitSetup,
    output: &Path,
    office: Office,
) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let unit = setup.unit_id.clone();
    app.with(Vault::ThereOrNew, async |client| {
        let request = client.request_unit(setup).await.map_err(|error| app.failed(error))?;
        let next = office.text("mission-requested-next", "desk-requested-next");
        let mut reply = Reply::new()
            .text(t!(catalogue, "mission-requested", unit = unit.as_str()))
            .next(catalogue.text(next, &[]))
            .field("unit_id", unit);
        reply.artefact = files::write(output, request, catalogue)?;
        Ok(reply)
    })
    .await
}

/// `bud mission install`, `bud desk install`
pub(crate) async fn install(app: &App, args: &TextIn) -> Result<Reply, Failure> {
    let certificate = files::read(&args.file, &app.catalogue)?;
    app.with(Vault::There, async |client| {
        let before = client.certificates().await.map_err(|error| app.failed(error))?;
        let card = client.install_unit(&certificate).await.map_err(|error| app.failed(error))?;
        let office = Office::of(&card.roles);
        let after = client.certificates().await.map_err(|error| app.failed(error))?;
        let (said, next) = if before.is_empty() || before == after {
            (
                office.text("mission-installed", "desk-installed"),
                office.text("mission-installed-next", "desk-installed-next"),
            )
        } else {
            ("mission-renewed", "mission-renewed-next")
        };
        let reply = Reply::new().text(app.catalogue.text(said, &[]));
        Ok(show(app, reply, &card).next(app.catalogue.text(next, &[])))
    })
    .await
}

/// `bud mission renew`, `bud desk renew`
pub(crate) async fn renew(app: &App, args: &TextOut, office: Office) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let request = client.renew_unit().await.map_err(|error| app.failed(error))?;
        let next = office.text("mission-renewing-next", "desk-renewing-next");
        let mut reply =
            Reply::new().text(t!(catalogue, "mission-renewing")).next(catalogue.text(next, &[]));
        reply.artefact = files::write(&args.output, request, catalogue)?;
        Ok(reply)
    })
    .await
}

/// `bud mission publish`, `bud desk publish`
pub(crate) async fn publish(
    app: &App,
    offered: &[PathBuf],
    privacy_notice: &Path,
    emergency: Option<&Path>,
    office: Office,
) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let offer = Offer {
        terms: offered.iter().map(|path| terms(app, path)).collect::<Result<_, _>>()?,
        emergency: emergency.map(|path| terms(app, path)).transpose()?,
        privacy: privacy(app, privacy_notice)?,
    };
    app.with(Vault::There, async |client| {
        let working = app.out.working(t!(catalogue, "working-relay"));
        let made = client.publish(offer).await.map_err(|error| app.failed(error))?;
        drop(working);
        let said = office.text("mission-published", "desk-published");
        let next = office.text("mission-published-next", "desk-published-next");
        Ok(Reply::new()
            .text(catalogue.text(said, &[]))
            .pieces(words::pieces(&made.safety_words, catalogue))
            .pair(t!(catalogue, "valid-until"), time::moment(made.valid_until))
            .next(catalogue.text(next, &[]))
            .field("version", made.version)
            .field("valid_until", made.valid_until)
            .field("safety_words", words::json(&made.safety_words, catalogue)))
    })
    .await
}

/// `bud mission invite`, `bud desk invite`
pub(crate) async fn invite(app: &App, args: &Invite, office: Office) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let invitation = client.invitation().await.map_err(|error| app.failed(error))?;
        let safety = client.mission_words().await.map_err(|error| app.failed(error))?;
        let mut reply = Reply::new();
        if args.qr {
            let drawn = qr::code(&invitation)
                .ok_or_else(|| Failure::new(Exit::Internal, t!(catalogue, "invite-no-qr")))?;
            reply.pieces.push(Piece::Raw(drawn));
        }
        reply = reply
            .text(catalogue.text(office.text("invite-made", "desk-invite-made"), &[]))
            .pieces(words::pieces(&safety, catalogue))
            .next(catalogue.text(office.text("invite-made-next", "desk-invite-made-next"), &[]))
            .field("safety_words", words::json(&safety, catalogue));
        reply.artefact = files::write(&args.output, invitation, catalogue)?;
        Ok(reply)
    })
    .await
}

/// `bud mission enrol`, `bud desk enrol`
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
    let office = Office::of(&card.roles);
    reply
        .pair(catalogue.text(office.text("unit-name", "desk-name"), &[]), card.unit_name.as_str())
        .pair(catalogue.text(office.text("unit-id", "desk-id"), &[]), card.unit_id.as_str())
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
pub(super) fn terms(app: &App, path: &Path) -> Result<TermsFile, Failure> {
    let (text, name) = (files::read(path, &app.catalogue)?, files::shown(path));
    TermsFile::parse(&text, Format::of_name(&name), App::now())
        .map_err(|error| refused::file(&error, &name, &app.catalogue))
}

fn privacy(app: &App, path: &Path) -> Result<PrivacyNoticeFile, Failure> {
    let (text, name) = (files::read(path, &app.catalogue)?, files::shown(path));
    PrivacyNoticeFile::parse(&text, Format::of_name(&name), App::now())
        .map_err(|error| refused::file(&error, &name, &app.catalogue))
}

pub(super) fn roles(given: &[args::Role]) -> Vec<Role> {
    let one = |role: &args::Role| match role {
        args::Role::Staff => Role::Staff,
        args::Role::ContactPerson => Role::ContactPerson,
        args::Role::HeadOfMission => Role::HeadOfMission,
        args::Role::Admin => Role::Admin,
        args::Role::Desk => Role::Desk,
        args::Role::Duty => Role::Duty,
        args::Role::DecisionMaker => Role::DecisionMaker,
        args::Role::Privacy => Role::Privacy,
    };
    given.iter().map(one).collect()
}

pub(super) fn role_words(roles: &[Role], catalogue: &Catalogue) -> String {
    let word = |role: &Role| catalogue.text(&format!("staff-role-{}", role_name(*role)), &[]);
    roles.iter().map(word).collect::<Vec<_>>().join(", ")
}

pub(super) fn role_name(role: Role) -> &'static str {
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
