//! The Ministry gets a desk, a line for HERON's situation, HERON's own answers, a brief that is
//! built and never forwarded, and an alert.

use budstikke::{Client, Error, Role};

use crate::{
    case::{
        Body, Phase, Refusal, Value, View,
        alert::AlertPhase,
        wire::{AckKind, Choice, IdentityLevel, LeftOut, LeftOutWhy, OnwardMode},
        words::Word,
    },
    demo::{
        cast,
        company::{self, Company},
        papers,
        stage::{Stage, count, newest},
        stop::Stop,
        teller::{
            Teller,
            Who::{DeciderK, DeskM, Heron, Ministry, OfficerA, Relay},
        },
    },
    show::time,
};

const HOUR: i64 = 3_600;
/// How old Officer A's assessment is when the brief is built.
const ASSESSED: i64 = 21 * HOUR;
/// Of what was left out, so many lines are shown.
const LINES: usize = 8;
const TAKEN: &str = "I have it. K decides on notes; I speak to K this morning.";

/// From the desk's certificate to an alert that a person has taken.
pub(super) async fn tell(stage: &mut Stage<'_>, heron: Client, a: Client) -> Result<Company, Stop> {
    let case = stage.only(&a).await?.summary.id;
    let (desk, k, invitation) = desk(stage, &heron).await?;
    let line = line(stage, (&a, &desk, &k), &invitation, &case).await?;
    let company = Company { heron, a, desk, k, case, line };
    consent(stage, &company).await?;
    brief(stage, &company).await?;
    alert(stage, &company).await?;
    Ok(company)
}

/// A unit like the mission, with a second device for who decides.
async fn desk(stage: &mut Stage<'_>, heron: &Client) -> Result<(Client, Client, String), Stop> {
    stage.tell.scene("demo-scene-desk");
    let ministry = stage.vaults.open("ministry", &cast::passphrase("ministry")).await?;
    let desk = stage.vaults.create("desk").await?;
    company::certified(&ministry, &desk, company::desk(stage)).await?;
    ministry.close().await?;
    desk.publish(papers::desk_offer(stage.now())?).await?;
    let invitation = desk.invitation().await?;
    stage.hide.whole("invitation", &invitation);
    stage.tell.does(DeskM, "demo-desk-certified", &[("unit", cast::DESK_UNIT.into())]);
    let k = stage.vaults.create("decider").await?;
    company::enrolled(stage, &desk, &k, (cast::DECIDER_K, Role::DecisionMaker)).await?;
    stage.tell.does(DeciderK, "demo-k-enrolled", &[]);
    stage.tell.sees(Ministry, "demo-ministry-sees-desk", &[]);
    stage.tell.check("demo-check-desk-team", k.team().await?.len() == 2)?;
    let closed = heron.look_up(&invitation).await.is_err();
    stage.tell.check("demo-check-desk-closed", closed)?;
    Ok((desk, k, invitation))
}

/// The line, under terms cut down to HERON's.
async fn line(
    stage: &mut Stage<'_>,
    (a, desk, k): (&Client, &Client, &Client),
    invitation: &str,
    case: &str,
) -> Result<String, Stop> {
    stage.tell.scene("demo-scene-line");
    let line = company::line(stage, (a, desk), invitation, case).await?;
    company::let_in(stage, (a, desk, k), &line).await?;
    stage.tell.does(OfficerA, "demo-a-opens-line", &[]);
    let (ours, theirs) = (a.case(&line).await?, desk.case(&line).await?);
    let heron = a.case(case).await?.agreed;
    let both = ours.agreed.as_ref().zip(heron.as_ref());
    let never_looser = both.is_some_and(|(line, heron)| never_looser(line, heron));
    stage.tell.check("demo-check-line-terms", never_looser)?;
    stage.tell.does(DeskM, "demo-m-accepts", &[]);
    let in_force = [&ours, &theirs].iter().all(|view| view.summary.terms == Phase::InForce);
    let in_force = in_force && k.case(&line).await?.summary.terms == Phase::InForce;
    stage.tell.check("demo-check-line-in-force", in_force)?;
    stage.tell.sees(DeskM, "demo-m-sees-line", &[("mission", theirs.summary.with.clone().into())]);
    let told = count(&theirs, "case-intake") + count(&theirs, "case-brief");
    let nothing = theirs.summary.line_for.is_none() && told == 0;
    stage.tell.check("demo-check-line-bare", nothing)?;
    stage.tell.sees(Relay, "demo-relay-sees-line", &[]);
    Ok(line)
}

/// Whether the line keeps to what HERON agreed to: asked each time, nothing kept for longer.
fn never_looser(line: &View, heron: &View) -> bool {
    let asked = |terms: &View| {
        let modes: Vec<_> = values(terms, "view-onward-mode").collect();
        let ask = Value::Word(OnwardMode::AskEachTime.key());
        !modes.is_empty() && modes.into_iter().all(|mode| *mode == ask)
    };
    let kept = ["view-mission-days", "view-ministry-days", "view-valid-until"];
    let kept = kept.into_iter().all(|label| {
        let most = |terms| values(terms, label).filter_map(amount).max();
        most(line).zip(most(heron)).is_some_and(|(line, heron)| line <= heron)
    });
    asked(line) && asked(heron) && kept
}

fn values<'v>(view: &'v View, label: &'static str) -> impl Iterator<Item = &'v Value> {
    let lines = view.sections.iter().flat_map(|section| &section.lines);
    lines.filter(move |line| line.label == label).map(|line| &line.value)
}

fn amount(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => i64::try_from(*number).ok(),
        Value::Moment(unix) => Some(*unix),
        _ => None,
    }
}

/// Nothing leaves before HERON has answered, and no is an answer.
async fn consent(stage: &mut Stage<'_>, company: &Company) -> Result<(), Stop> {
    stage.tell.scene("demo-scene-consent");
    let Company { heron, a, desk, case, line, .. } = company;
    company.assess(stage, stage.now() - ASSESSED).await?;
    stage.tell.does(OfficerA, "demo-a-assesses", &[]);
    stage.tell.does(OfficerA, "demo-a-tries-brief", &[]);
    let tried = company.share(&[cast::HERON], IdentityLevel::Alias).await;
    let c01 = |refusal: &Refusal| matches!(refusal, Refusal::ConsentMissing { .. });
    stage.tell.stopped(OfficerA, "demo-check-c01", tried, c01)?;

    a.ask_consent(case, papers::question()?, None).await?;
    company.settle(stage).await?;
    stage.tell.does(OfficerA, "demo-a-asks", &[]);
    heron.give_consent(case, papers::answers(stage.now())?).await?;
    company.settle(stage).await?;
    stage.tell.does(Heron, "demo-heron-consents", &[]);
    let (ours, theirs) = (heron.file(case).await?, a.file(case).await?);
    let answers = |file: &budstikke::CaseFile| -> Vec<(i32, i32)> {
        let claims = file.consents.iter().flat_map(|consent| &consent.answers);
        claims.map(|(claim, _, _)| (claim.scope, claim.choice)).collect()
    };
    let given = answers(&ours);
    let shown = given.iter().filter_map(|&(scope, choice)| said(&stage.tell, scope, choice));
    stage.tell.quote(&shown.collect::<Vec<_>>());
    let both = given.len() == 5 && given == answers(&theirs);
    stage.tell.check("demo-check-answers", both)?;
    let yes = given.iter().any(|(_, choice)| *choice == i32::from(Choice::Granted));
    let no = given.iter().any(|(_, choice)| *choice == i32::from(Choice::Refused));
    stage.tell.check("demo-check-yes-and-no", yes && no)?;
    stage.tell.sees(DeskM, "demo-m-sees-no-answers", &[]);
    let bare = desk.file(line).await?.consents.is_empty();
    Ok(stage.tell.check("demo-check-no-answers", bare)?)
}

/// "an official protest: yes"
fn said(tell: &Teller<'_>, scope: i32, choice: i32) -> Option<String> {
    let scope = crate::case::wire::Scope::try_from(scope).ok()?;
    let choice = Choice::try_from(choice).ok()?;
    Some(format!("{}: {}", tell.word(&scope.key()), tell.word(&choice.key())))
}

/// Built for the reader, and HERON is told.
async fn brief(stage: &mut Stage<'_>, company: &Company) -> Result<(), Stop> {
    stage.tell.scene("demo-scene-brief");
    let Company { heron, desk, case, line, .. } = company;
    stage.tell.does(OfficerA, "demo-a-tries-name", &[]);
    let tried = company.share(&[cast::HERON], IdentityLevel::Name).await;
    let t05 = |refusal: &Refusal| matches!(refusal, Refusal::OnwardExceedsDefenderTerms { .. });
    stage.tell.stopped(OfficerA, "demo-check-t05", tried, t05)?;

    let shared = company.share(&[cast::HERON], IdentityLevel::Alias).await?;
    company.settle(stage).await?;
    let left_out = shared.left_out.len() as u64;
    stage.tell.does(OfficerA, "demo-a-briefs", &[("count", left_out.into())]);
    let shown = shared.left_out.iter().filter_map(|left| left_out_line(&stage.tell, left));
    stage.tell.quote(&shown.take(LINES).collect::<Vec<_>>());
    stage.tell.check("demo-check-asked", shared.allowed_by == OnwardMode::AskEachTime)?;

    let at_desk = desk.case(line).await?;
    let brief = newest(&at_desk, |body| match body {
        Body::CaseBrief(brief) => Some(brief.as_ref().clone()),
        _ => None,
    });
    let brief = brief.ok_or(Error::NotFound { what: "the brief" })?;
    stage.tell.sees(DeskM, "demo-m-sees-brief", &[("incidents", count_of(&brief.incidents))]);
    let aliases: Vec<_> = brief.subjects.iter().map(|subject| subject.r#ref.as_str()).collect();
    let alias_only = aliases == [cast::HERON] && brief.identity == i32::from(IdentityLevel::Alias);
    stage.tell.check("demo-check-alias-only", alias_only)?;
    stage.tell.check("demo-check-left-out", !brief.left_out.is_empty())?;

    let notice = newest(&heron.case(case).await?, |body| match body {
        Body::DisclosureNotice(notice) => Some(notice.clone()),
        _ => None,
    });
    let notice = notice.ok_or(Error::NotFound { what: "the notice" })?;
    let told = [("unit", notice.unit.clone().into()), ("days", u64::from(notice.kept_days).into())];
    stage.tell.sees(Heron, "demo-heron-sees-notice", &told);
    let same = notice.left_out == brief.left_out && notice.unit == cast::DESK;
    Ok(stage.tell.check("demo-check-notice", same)?)
}

fn count_of<T>(all: &[T]) -> fluent_bundle::FluentValue<'static> {
    (all.len() as u64).into()
}

fn left_out_line(tell: &Teller<'_>, left: &LeftOut) -> Option<String> {
    let why = LeftOutWhy::try_from(left.why).ok()?;
    Some(format!("{}: {}", left.field, tell.word(&why.key())))
}

/// A deadline that both sides see, and a person who takes it.
async fn alert(stage: &mut Stage<'_>, company: &Company) -> Result<(), Stop> {
    stage.tell.scene("demo-scene-alert");
    let Company { a, desk, k, case, line, .. } = company;
    let alert = papers::alert(stage.now())?;
    let headline = alert.alert.headline.clone();
    a.raise_alert(case, alert).await?;
    company.settle(stage).await?;
    stage.tell.does(OfficerA, "demo-a-raises", &[]);
    stage.tell.quote(&[headline]);
    let first = async |client: &Client| -> Result<budstikke::AlertView, Stop> {
        let alerts = client.alerts().await?;
        Ok(alerts.into_iter().next().ok_or(Error::NotFound { what: "the alert" })?)
    };
    let (ours, theirs) = (first(a).await?, first(desk).await?);
    let by = [("by", time::moment(theirs.ack_by_s).into())];
    stage.tell.sees(DeskM, "demo-m-sees-alert", &by);
    let hour = (HOUR - 60..=HOUR).contains(&(ours.ack_by_s - ours.alert.raised_at_s));
    stage.tell.check("demo-check-deadline", hour && ours.ack_by_s == theirs.ack_by_s)?;

    desk.mark_seen(line).await?;
    company.settle(stage).await?;
    let seen = [first(a).await?, first(desk).await?];
    let runs = |alert: &budstikke::AlertView| {
        alert.acked_by.is_none()
            && matches!(alert.phase, AlertPhase::Delivered | AlertPhase::Read)
            && alert.ack_by_s == ours.ack_by_s
    };
    stage.tell.does(DeskM, "demo-m-opens-alert", &[]);
    stage.tell.check("demo-check-clock-runs", seen.iter().all(runs))?;

    let next = stage.now() + HOUR;
    stage.hide.text(TAKEN);
    desk.acknowledge_alert(&theirs.id, AckKind::SeenAndMine, next, TAKEN).await?;
    company.settle(stage).await?;
    stage.tell.does(DeskM, "demo-m-takes", &[]);
    stage.tell.quote(&[TAKEN.to_owned()]);
    let mut taken = true;
    for client in [a, desk, k] {
        let alert = first(client).await?;
        let who = alert.acked_by.as_ref().map(|(who, _)| who.as_str());
        taken &= who == Some(cast::DESK_M) && alert.phase == AlertPhase::Acked;
        taken &= alert.next_word_by_s == next;
    }
    Ok(stage.tell.check("demo-check-taken", taken)?)
}
