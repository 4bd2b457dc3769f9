//! Everybody at work on HERON's situation, with the line between the mission and the Ministry, and
//! the steps that the stories share.

use budstikke::{
    Brief, Choice, Client, Decision, Error, ReachOut, Role, Ruling, Shared, Submission, UnitKind,
    UnitSetup,
};

use super::{
    cast, papers,
    stage::{self, Stage},
    stop::Stop,
};
use crate::case::{
    action::ActionPhase,
    wire::{Answer, IdentityLevel, ReactionInformed, Verdict},
};

/// Four people, the conversation with HERON and the line that carries it on.
pub(crate) struct Company {
    pub(crate) heron: Client,
    pub(crate) a: Client,
    pub(crate) desk: Client,
    pub(crate) k: Client,
    /// The conversation between HERON and the mission.
    pub(crate) case: String,
    /// The line between the mission and the desk.
    pub(crate) line: String,
}

/// A certificate from the Ministry for a unit's first device.
pub(crate) async fn certified(
    ministry: &Client,
    client: &Client,
    setup: UnitSetup,
) -> Result<budstikke::StaffCard, Stop> {
    let request = client.request_unit(setup).await?;
    let made = ministry.certify_unit(&request).await?;
    Ok(client.install_unit(&made.text).await?)
}

/// What the mission asks for.
pub(crate) fn mission(stage: &Stage<'_>) -> UnitSetup {
    UnitSetup {
        unit_id: cast::UNIT.to_owned(),
        name: cast::MISSION.to_owned(),
        kind: UnitKind::BilateralMission,
        officer: cast::OFFICER_A.to_owned(),
        roles: vec![Role::ContactPerson, Role::Admin],
        relays: vec![stage.relay.clone()],
    }
}

/// What the desk asks for.
pub(crate) fn desk(stage: &Stage<'_>) -> UnitSetup {
    UnitSetup {
        unit_id: cast::DESK_UNIT.to_owned(),
        name: cast::DESK.to_owned(),
        kind: UnitKind::MinistryDesk,
        officer: cast::DESK_M.to_owned(),
        roles: vec![Role::Desk],
        ..mission(stage)
    }
}

/// Another device of a unit.
pub(crate) async fn enrolled(
    stage: &Stage<'_>,
    first: &Client,
    new: &Client,
    (officer, role): (&str, Role),
) -> Result<(), Stop> {
    let request = new.request_device(officer, &[role]).await?;
    let enrolment = first.enrol_device(&request).await?;
    new.install_device(&enrolment).await?;
    stage.settle(&[new, first]).await
}

/// Officer A opens a line for a conversation, and the desk says yes. Its name.
pub(crate) async fn line(
    stage: &Stage<'_>,
    (a, desk): (&Client, &Client),
    invitation: &str,
    case: &str,
) -> Result<String, Stop> {
    a.open_line(invitation, case).await?;
    desk.sync().await?;
    let contacts = desk.contacts().await?;
    let contact = contacts.first().ok_or(Error::NotFound { what: "the mission at the door" })?;
    let line = desk.answer(&contact.id, Decision::Accept).await?;
    stage.settle(&[desk, a]).await?;
    Ok(line)
}

/// Decision-maker K is let into the line.
pub(crate) async fn let_in(
    stage: &Stage<'_>,
    (a, desk, k): (&Client, &Client, &Client),
    line: &str,
) -> Result<(), Stop> {
    desk.assign(line, cast::DECIDER_K).await?;
    stage.settle(&[desk, k, a]).await
}

impl Company {
    /// Everybody from nothing, under the terms as the mission offers them.
    pub(crate) async fn gather(stage: &Stage<'_>) -> Result<Self, Stop> {
        let company = Self::gather_apart(stage).await?;
        let Self { a, desk, k, line, .. } = &company;
        let_in(stage, (a, desk, k), line).await?;
        Ok(company)
    }

    /// The same, with Decision-maker K at the desk and not in the line.
    pub(crate) async fn gather_apart(stage: &Stage<'_>) -> Result<Self, Stop> {
        let new = |name| stage.vaults.create(name);
        let (ministry, a, heron) = (new("ministry").await?, new("officer-a").await?, new("heron"));
        let (heron, desk, k) = (heron.await?, new("desk").await?, new("decider").await?);
        ministry.found_ministry(cast::MINISTRY).await?;
        certified(&ministry, &a, mission(stage)).await?;
        certified(&ministry, &desk, self::desk(stage)).await?;
        ministry.close().await?;
        a.publish(papers::offer(stage.now())?).await?;
        desk.publish(papers::desk_offer(stage.now())?).await?;
        let (door, line) = (a.invitation().await?, desk.invitation().await?);
        enrolled(stage, &desk, &k, (cast::DECIDER_K, Role::DecisionMaker)).await?;

        heron.look_up(&door).await?;
        let pseudonym = Some(cast::HERON.to_owned());
        let request = ReachOut { choice: Choice::Accept(0), emergency: None, pseudonym };
        heron.reach_out(request).await?;
        a.sync().await?;
        let contacts = a.contacts().await?;
        let contact = contacts.first().ok_or(Error::NotFound { what: "somebody at the door" })?;
        let case = a.answer(&contact.id, Decision::Accept).await?;
        stage.settle(&[&a, &heron]).await?;
        heron.confirm_words(&case).await?;
        a.confirm_words(&case).await?;
        let line = self::line(stage, (&a, &desk), &line, &case).await?;
        Ok(Self { heron, a, desk, k, case, line })
    }

    /// Officer A files what the mission adds, an assessment of then, and the facts.
    pub(crate) async fn assess(&self, stage: &Stage<'_>, assessed_at: i64) -> Result<(), Stop> {
        let (a, case) = (&self.a, self.case.as_str());
        a.add_to_intake(case, papers::own_part()?).await?;
        a.assess_risk(case, papers::risk(assessed_at)?).await?;
        a.verify_facts(case, papers::facts(stage.now())?).await?;
        Ok(())
    }

    /// Officer A sends the Ministry a brief about these people.
    pub(crate) async fn share(
        &self,
        persons: &[&str],
        level: IdentityLevel,
    ) -> Result<Shared, Error> {
        let brief = Brief {
            persons: persons.iter().map(|&person| person.to_owned()).collect(),
            level,
            also_leave_out: vec!["Sundra".to_owned()],
            assessment: "A lawyer is the most urgent.".to_owned(),
            asked_of_you: "Who decides on a note this week?".to_owned(),
        };
        self.a.share(&self.case, brief).await
    }

    /// Officer A puts an act before the Ministry.
    pub(crate) async fn submit(&self, act: &str) -> Result<(), Error> {
        let note = "Before the hearing, if it can be.".to_owned();
        self.a.submit_act(&self.case, act, Submission { note, decide_by_s: 0 }).await.map(drop)
    }

    /// Decision-maker K answers.
    pub(crate) async fn decide(
        &self,
        act: &str,
        verdict: Verdict,
        (reasons, conditions): (&str, &[&str]),
    ) -> Result<(), Error> {
        let ruling = Ruling {
            verdict,
            reasons: reasons.to_owned(),
            conditions: conditions.iter().map(|&condition| condition.to_owned()).collect(),
            ..Ruling::default()
        };
        self.k.decide(&self.line, act, ruling).await.map(drop)
    }

    /// Officer A tells HERON what was done, or why nothing was.
    pub(crate) async fn inform(
        &self,
        stage: &Stage<'_>,
        act: &str,
        done: Answer,
        what: &str,
    ) -> Result<(), Stop> {
        let informed = ReactionInformed {
            anything_done: done.into(),
            what_was_done: what.to_owned(),
            family_told: Answer::Unknown.into(),
            why_not_told: "You decide that.".to_owned(),
            what_happens_next: "We speak again on Monday.".to_owned(),
            what_cannot_be_undone: match done {
                Answer::Yes => "What was handed over stays with them.".to_owned(),
                _ => String::new(),
            },
            ..ReactionInformed::default()
        };
        self.a.inform_of_act(&self.case, act, informed).await?;
        self.settle(stage).await
    }

    /// Everybody fetches and sends.
    pub(crate) async fn settle(&self, stage: &Stage<'_>) -> Result<(), Stop> {
        stage.settle(&[&self.heron, &self.a, &self.desk, &self.k]).await
    }

    /// The same without HERON, whose telephone is off.
    pub(crate) async fn settle_offices(&self, stage: &Stage<'_>) -> Result<(), Stop> {
        stage.settle(&[&self.a, &self.desk, &self.k]).await
    }

    /// Whether an act stands there on both sides.
    pub(crate) async fn stands(&self, act: &str, phase: ActionPhase) -> Result<bool, Stop> {
        let ours = stage::act(&self.a, &self.case, act).await?.phase;
        let theirs = stage::act(&self.k, &self.line, act).await?.phase;
        Ok(ours == phase && theirs == phase)
    }

    /// Everybody goes home.
    pub(crate) async fn close(self) -> Result<(), Stop> {
        for client in [self.heron, self.a, self.desk, self.k] {
            client.close().await?;
        }
        Ok(())
    }
}
