//! S5: Officer A leaves, with an approval in flight and somebody who does not want the next officer.

use budstikke::{Choice, Client, Decision, ReachOut, Role};

use super::{DAY, HOUR, gone, it_is, told};
use crate::{
    case::{
        Refusal, Value, View,
        action::ActionPhase,
        handover::{CaseStage, HandoverPhase},
        wire::{IdentityLevel, Verdict},
    },
    demo::{
        cast,
        company::{Company, enrolled},
        papers,
        stage::{self, Stage, holds},
        stop::Stop,
        teller::Who::{DeciderK, DeskM, Heron, OfficerA, OfficerB, Reed},
    },
};

const NEXT: &str = "Officer B writes to you next week.";
const WHY_NOT: &str = "I know them from before.";
const LAST: &str = "Thank you for this year.";
const FIRST: &str = "Good morning, Officer B.";
const REED: &str = "Are you still there?";
const REASONS: &str = "A lawyer cannot wait.";

/// Told, asked, refused, accepted; and the morning after.
pub(super) async fn tell(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let office = Office::gather(stage).await?;
    prepared(stage, &office).await?;
    objected(stage, &office).await?;
    accepted(stage, &office).await?;
    afterwards(stage, &office).await?;
    gone::tell(stage, &office).await?;
    for client in office.holders.into_iter().chain([office.b, office.h, office.reed]) {
        client.close().await?;
    }
    office.company.close().await
}

/// Everybody, with a démarche before the Ministry, and a second person whose officer is A.
pub(super) struct Office {
    pub(super) company: Company,
    pub(super) b: Client,
    pub(super) h: Client,
    reed: Client,
    pub(super) holders: Vec<Client>,
    /// The conversation with REED.
    other: String,
    act: String,
}

impl Office {
    async fn gather(stage: &mut Stage<'_>) -> Result<Self, Stop> {
        stage.tell.scene("demo-s5-scene-company");
        let company = Company::gather(stage).await?;
        let Company { heron, a, case, .. } = &company;
        let new = |name| stage.vaults.create(name);
        let (b, h, reed) = (new("officer-b").await?, new("head").await?, new("reed").await?);
        enrolled(stage, a, &b, (cast::OFFICER_B, Role::Staff)).await?;
        enrolled(stage, a, &h, (cast::HEAD_H, Role::HeadOfMission)).await?;
        let holders = gone::holders(stage, &[a, &b, &h]).await?;
        reed.look_up(&a.invitation().await?).await?;
        let pseudonym = Some(cast::REED.to_owned());
        let request = ReachOut { choice: Choice::Accept(0), emergency: None, pseudonym };
        reed.reach_out(request).await?;
        a.sync().await?;
        let contacts = a.contacts().await?;
        let waits = contacts.iter().find(|contact| contact.case.is_none());
        let waits = waits.ok_or(budstikke::Error::NotFound { what: "REED at the door" })?;
        let other = a.answer(&waits.id, Decision::Accept).await?;
        stage.settle(&[a, &reed]).await?;

        told(stage, &company).await?;
        a.ask_consent(case, papers::question()?, None).await?;
        company.settle(stage).await?;
        heron.give_consent(case, papers::answers(stage.now())?).await?;
        company.settle(stage).await?;
        company.share(&["HERON", "REED"], IdentityLevel::Alias).await?;
        let act = a.plan_act(case, papers::demarche(|_| {})?).await?;
        company.submit(&act).await?;
        company.settle(stage).await?;
        stage.tell.does(OfficerA, "demo-s5-gathered", &[]);
        let waits = company.stands(&act, ActionPhase::AwaitingApproval).await?;
        stage.tell.check("demo-s5-check-waits", waits)?;
        Ok(Self { company, b, h, reed, holders, other, act })
    }

    async fn staff(&self, stage: &Stage<'_>) -> Result<(), Stop> {
        stage.settle(&[&self.company.a, &self.b, &self.h]).await
    }

    /// What people wrote leaves, the offices come to rest, and people have what follows.
    pub(super) async fn all(&self, stage: &Stage<'_>) -> Result<(), Stop> {
        let Company { heron, a, desk, k, .. } = &self.company;
        let people = [heron, &self.reed];
        stage.settle(&people).await?;
        stage.settle(&[a, &self.b, &self.h, desk, k]).await?;
        stage.settle(&people).await
    }
}

/// Nobody is asked before everybody has an officer and everybody was told.
async fn prepared(stage: &mut Stage<'_>, office: &Office) -> Result<(), Stop> {
    stage.tell.scene("demo-s5-scene-told");
    let Company { heron, a, case, .. } = &office.company;
    let day_ends = stage.began + DAY + 14 * HOUR;
    a.start_handover(None, day_ends).await?;
    stage.tell.does(OfficerA, "demo-s5-starts", &[]);
    let offered = a.offer_handover().await;
    let ownerless = |refusal: &Refusal| refusal.code() == "H01";
    stage.tell.stopped(OfficerA, "demo-s5-check-owner", offered, ownerless)?;
    a.own_handed_case(case, cast::OFFICER_B, Some(papers::handover()?)).await?;
    a.own_handed_case(&office.other, cast::OFFICER_B, None).await?;
    let offered = a.offer_handover().await;
    let untold = |refusal: &Refusal| *refusal == Refusal::DefenderNotInformed;
    stage.tell.stopped(OfficerA, "demo-s5-check-untold", offered, untold)?;
    let told = a.tell_of_handover(NEXT).await?;
    a.offer_handover().await?;
    office.all(stage).await?;
    stage.tell.does(OfficerA, "demo-s5-tells", &[]);
    stage.tell.sees(Heron, "demo-s5-heron-sees", &[]);
    stage.tell.quote(&[NEXT.to_owned()]);
    let seen = says(heron, case, NEXT).await? && says(heron, case, cast::OFFICER_B).await?;
    stage.tell.check("demo-s5-check-told", seen && told.told.len() == 2 && told.held.is_empty())?;
    let early = a.assign(case, cast::OFFICER_B).await;
    let listed = |refusal: &Refusal| refusal.code() == "I05";
    stage.tell.stopped(OfficerA, "demo-s5-check-early", early, listed)?;
    let nothing = office.b.cases().await?.is_empty();
    stage.tell.check("demo-s5-check-nothing", nothing)?;
    let notes = office.b.handed_case(case).await;
    stage.tell.stopped(OfficerB, "demo-s5-check-notes", notes, listed)
}

/// REED says no, and the rest goes on.
async fn objected(stage: &mut Stage<'_>, office: &Office) -> Result<(), Stop> {
    stage.tell.scene("demo-s5-scene-no");
    let Company { a, .. } = &office.company;
    office.reed.object(&office.other, WHY_NOT).await?;
    office.reed.sync().await?;
    office.staff(stage).await?;
    stage.tell.does(Reed, "demo-s5-objects", &[]);
    stage.tell.quote(&[WHY_NOT.to_owned()]);
    let open = stage_of(a, &office.other).await? == Some(CaseStage::Open);
    let same = a.own_handed_case(&office.other, cast::OFFICER_B, None).await;
    stage.tell.check("demo-s5-check-open", open)?;
    let no = |refusal: &Refusal| refusal.code() == "W04";
    stage.tell.stopped(OfficerA, "demo-s5-check-not-again", same, no)?;
    a.own_handed_case(&office.other, cast::HEAD_H, None).await?;
    a.tell_of_handover("").await?;
    a.offer_handover().await?;
    office.all(stage).await?;
    stage.tell.does(OfficerA, "demo-s5-to-head", &[]);
    let told = says(&office.reed, &office.other, cast::HEAD_H).await?;
    Ok(stage.tell.check("demo-s5-check-told-again", told)?)
}

/// B and H say yes; the démarche goes on with B.
async fn accepted(stage: &mut Stage<'_>, office: &Office) -> Result<(), Stop> {
    stage.tell.scene("demo-s5-scene-yes");
    let Company { a, k, case, line, .. } = &office.company;
    let early = a.finish_handover().await;
    let step = |refusal: &Refusal| refusal.code() == "W04";
    stage.tell.stopped(OfficerA, "demo-s5-check-unanswered", early, step)?;
    office.b.accept_handover(None).await?;
    office.h.accept_handover(None).await?;
    office.all(stage).await?;
    stage.tell.does(OfficerB, "demo-s5-accepts", &[]);
    let handed = office.b.handed_case(case).await?;
    stage.tell.sees(OfficerB, "demo-s5-b-sees", &[]);
    let promises = handed.case.promises.iter().map(|promise| promise.what.clone());
    stage.tell.quote(&promises.collect::<Vec<_>>());
    let theirs = office.b.cases().await?.iter().filter(|case| !case.line).count();
    let complete = handed.case.in_flight.len() == 1 && theirs == 1;
    stage.tell.check("demo-s5-check-handed", complete)?;
    let other = office.h.handed_case(case).await;
    stage.tell.check("demo-s5-check-alone", other.is_err())?;
    let owner = stage::act(k, line, &office.act).await?.owner;
    stage.tell.sees(DeciderK, "demo-s5-k-sees", &[]);
    stage.tell.check("demo-s5-check-owner-changed", owner.as_deref() == Some(cast::OFFICER_B))?;
    office.company.decide(&office.act, Verdict::Approved, (REASONS, &[])).await?;
    office.all(stage).await?;
    let cleared = stage::act(&office.b, case, &office.act).await?.phase == ActionPhase::Cleared;
    stage.tell.check("demo-s5-check-decided", cleared)?;
    a.finish_handover().await?;
    stage.tell.does(OfficerA, "demo-s5-finishes", &[]);
    Ok(())
}

/// The last day, and the week after.
async fn afterwards(stage: &mut Stage<'_>, office: &Office) -> Result<(), Stop> {
    stage.tell.scene("demo-s5-scene-after");
    let Company { heron, a, desk, case, line, .. } = &office.company;
    stage.write(heron, case, LAST).await?;
    office.all(stage).await?;
    let both = holds(&a.case(case).await?, LAST) && holds(&office.b.case(case).await?, LAST);
    stage.tell.check("demo-s5-check-last-day", both)?;
    it_is(stage, 3, (9, 0));
    // The Ministry's device and HERON's hear of it as well, whoever is first.
    office.all(stage).await?;
    let done = office.b.handovers().await?.iter().all(|one| one.phase == HandoverPhase::Done);
    stage.tell.does(OfficerB, "demo-s5-removes", &[]);
    stage.write(heron, case, FIRST).await?;
    stage.write(&office.reed, &office.other, REED).await?;
    let mut alert = papers::alert(stage.now())?;
    alert.alert.brief_hash.clear();
    desk.raise_alert(line, alert).await?;
    office.all(stage).await?;
    stage.tell.does(Heron, "demo-s5-writes", &[]);
    stage.tell.does(DeskM, "demo-s5-alerts", &[]);
    let to_b = holds(&office.b.case(case).await?, FIRST);
    let to_h = holds(&office.h.case(&office.other).await?, REED);
    stage.tell.check("demo-s5-check-next", done && to_b && to_h)?;
    let alerts = office.b.alerts().await?.len() == 1 && a.alerts().await?.is_empty();
    stage.tell.check("demo-s5-check-alert", alerts)?;
    // A's device has fetched all of it.
    let opens = |view: Result<budstikke::CaseView, budstikke::Error>, text: &str| {
        view.is_ok_and(|view| holds(&view, text))
    };
    let nothing = !opens(a.case(case).await, FIRST) && !opens(a.case(&office.other).await, REED);
    stage.tell.check("demo-s5-check-gone", nothing)?;
    let members = heron.case(case).await?.members;
    let gone = members.iter().all(|member| member.name != cast::OFFICER_A);
    Ok(stage.tell.check("demo-s5-check-members", gone)?)
}

/// Whether a notice of who reads says this.
async fn says(client: &Client, case: &str, text: &str) -> Result<bool, Stop> {
    let messages = client.case(case).await?.messages;
    let notices = messages.iter().filter(|message| message.kind == "case-access-change");
    let shows = |view: &View| {
        let mut lines = view.sections.iter().flat_map(|section| &section.lines);
        lines.any(|line| line.value == Value::Text(text.to_owned()))
    };
    Ok(notices.filter_map(|message| message.view.as_ref()).any(shows))
}

async fn stage_of(client: &Client, case: &str) -> Result<Option<CaseStage>, Stop> {
    let all = client.handovers().await?.into_iter().flat_map(|one| one.cases);
    Ok(all.into_iter().find(|handed| handed.case == case).map(|handed| handed.stage))
}
