//! `bud team`, `bud unassign`: whose devices are in the team, who joins, who leaves.

use std::{io::IsTerminal as _, path::Path};

use serde_json::json;

use super::mission::{role_name, role_words, roles};
use crate::{
    app::{App, Vault},
    args::{Assign, Team, TeamInvite, TeamJoin, TeamRemove, TeamStep},
    catalogue::t,
    exit::Exit,
    failure::Failure,
    files,
    reply::{Piece, Reply},
    show::{qr, time},
};

const PREFIX: &str = "budjoin1";

/// `bud team`
pub(crate) async fn run(app: &App, args: &Team) -> Result<Reply, Failure> {
    match &args.step {
        None => list(app).await,
        Some(TeamStep::Invite(args)) => invite(app, args).await,
        Some(TeamStep::Join(args)) => join(app, args).await,
        Some(TeamStep::Remove(args)) => remove(app, args).await,
    }
}

/// `bud team`, `bud mission team`, `bud desk team`
pub(crate) async fn list(app: &App) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let team = client.team().await.map_err(|error| app.failed(error))?;
        let head = vec![
            t!(catalogue, "staff-officer"),
            t!(catalogue, "staff-roles"),
            t!(catalogue, "staff-since"),
            t!(catalogue, "valid-until"),
            t!(catalogue, "staff-device"),
        ];
        let rows = team.iter().map(|member| {
            let own = t!(catalogue, "show-own", name = member.officer.as_str());
            vec![
                if member.own { own } else { member.officer.clone() },
                role_words(&member.roles, catalogue),
                member.since.map(time::moment).unwrap_or_default(),
                time::moment(member.not_after),
                member.id.clone(),
            ]
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
                    "since": member.since,
                    "device": member.id,
                    "key": member.key,
                })
            })
            .collect();
        Ok(Reply::new().pieces([Piece::Table(head, rows.collect())]).field("team", json))
    })
    .await
}

async fn invite(app: &App, args: &TeamInvite) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let working = app.out.working(t!(catalogue, "working-relay"));
        let made = client.invite_device(&args.officer, &roles(&args.roles)).await;
        let code = made.map_err(|error| app.failed(error))?;
        drop(working);
        let officer = args.officer.as_str();
        let mut reply = Reply::new();
        if args.qr {
            let drawn = qr::code(&code.text)
                .ok_or_else(|| Failure::new(Exit::Internal, t!(catalogue, "invite-no-qr")))?;
            reply.pieces.push(Piece::Raw(drawn));
        }
        reply = reply
            .text(t!(catalogue, "team-code", officer = officer))
            .pair(t!(catalogue, "valid-until"), time::moment(code.expires))
            .next(t!(catalogue, "team-code-next", officer = officer))
            .field("officer", officer)
            .field("valid_until", code.expires);
        reply.artefact = files::write(&args.output, code.text, catalogue)?;
        Ok(reply)
    })
    .await
}

async fn join(app: &App, args: &TeamJoin) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let code = match args.code.as_deref() {
        // Good once and for a day: in the shell's history it is soon worth nothing.
        Some(text) if text.starts_with(PREFIX) => text.to_owned(),
        Some(path) => files::read(Path::new(path), catalogue)?,
        None => {
            if std::io::stdin().is_terminal() {
                app.out.note(&t!(catalogue, "team-paste"));
            }
            files::read(Path::new("-"), catalogue)?
        }
    };
    app.with(Vault::ThereOrNew, async |client| {
        let joining = client.join_team(code.trim()).await.map_err(|error| app.failed(error))?;
        let working = app.out.working(t!(catalogue, "working-relay"));
        let report = client.sync().await.map_err(|error| app.failed(error))?;
        drop(working);
        let (officer, unit) = (joining.officer.as_str(), joining.unit_id.as_str());
        let mut reply = Reply::new()
            .text(t!(catalogue, "team-joining", officer = officer, unit = unit))
            .next(t!(catalogue, "team-joining-next"))
            .field("officer", officer)
            .field("unit_id", unit);
        reply.failure = super::everyday::problem(app, &report);
        Ok(reply)
    })
    .await
}

async fn remove(app: &App, args: &TeamRemove) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let removed = client.remove_colleague(&args.officer).await;
        let removed = removed.map_err(|error| app.failed(error))?;
        let working = app.out.working(t!(catalogue, "working-relay"));
        let report = client.sync().await.map_err(|error| app.failed(error))?;
        drop(working);
        let officer = removed.officer.as_str();
        let mut reply = Reply::new().text(t!(catalogue, "team-removed", officer = officer));
        for case in &removed.cases {
            let text = t!(catalogue, "team-removed-case", id = case.as_str());
            reply.pieces.push(Piece::Item(text));
        }
        if removed.knew_unit_keys {
            reply.pieces.push(Piece::Warn(t!(catalogue, "team-removed-admin")));
        }
        reply = reply
            .next(t!(catalogue, "team-removed-next", officer = officer))
            .field("officer", officer)
            .field("conversations", removed.cases.clone())
            .field("new_unit_keys_needed", removed.knew_unit_keys);
        reply.failure = super::everyday::problem(app, &report);
        Ok(reply)
    })
    .await
}

/// `bud unassign`
pub(crate) async fn unassign(app: &App, args: &Assign) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let case = super::conversation::open(app, client, args.id.as_deref()).await?;
        let asked = client.unassign(&case.summary.id, &args.officer).await;
        asked.map_err(|error| app.failed(error))?;
        let working = app.out.working(t!(catalogue, "working-relay"));
        let report = client.sync().await.map_err(|error| app.failed(error))?;
        drop(working);
        let officer = args.officer.as_str();
        let mut reply = Reply::new()
            .text(t!(catalogue, "unassigned", officer = officer))
            .next(t!(catalogue, "unassigned-next", officer = officer))
            .field("officer", officer);
        reply.failure = super::everyday::problem(app, &report);
        Ok(reply)
    })
    .await
}
