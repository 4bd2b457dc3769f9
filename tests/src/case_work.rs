//! HERON's case on the Ministry line: what the scenarios begin from, with the steps that they share.

use budstikke::case::action::ActionPhase;
use budstikke::case::file::{
    AlertFile, ConsentFile, ConsentRequestFile, EffectFile, FactsFile, Format, IntakeFile,
    PlanFile, RiskFile,
};
use budstikke::case::wire::{
    ActionPlan, Answer, CaseIntake, IdentityLevel, ReactionInformed, Scope, Verdict,
};
use budstikke::case::{Body, Refusal};
use budstikke::clock::Clock;
use budstikke::{ActView, Brief, Choice, Client, Decision, Error, Ruling, SendOptions, Submission};

use crate::desk::{Line, desk_with_decider};
use crate::world::{Ground, World, data, intake, settle, ten_in_the_morning, terms};

/// Seconds.
pub const MINUTE: i64 = 60;
/// Seconds.
pub const HOUR: i64 = 3_600;
/// Seconds.
pub const DAY: i64 = 86_400;

/// Stands in HERON's identity sheet, and may stand nowhere at the Ministry.
pub const NAME: &str = "the-true-name-of-heron";
/// Stands in the sheet of the source, and may stand nowhere at the Ministry.
pub const SOURCE: &str = "whoever-told-the-mission";

/// A case with its line, both under terms in force.
pub struct CaseWork {
    /// Everybody else.
    pub world: World,
    /// The desk, with its decision-maker.
    pub line: Line,
    /// The case's name at HERON's.
    pub at_heron: String,
    /// The case's name at the mission.
    pub at_mission: String,
}

impl CaseWork {
    /// Begins four days ago at 10:00, so that the story can last.
    ///
    /// # Panics
    /// When a step fails.
    pub async fn new() -> Self {
        Self::under(Choice::Accept(0)).await
    }

    /// The same under HERON's own terms: quiet at night, and asked each time before the Ministry gets anything.
    ///
    /// # Panics
    /// When a step fails.
    pub async fn under_own_terms() -> Self {
        let at = ten_in_the_morning() - 4 * DAY;
        Self::under(Choice::Counter(Box::new(terms("terms-counter.toml", at)))).await
    }

    async fn under(choice: Choice) -> Self {
        let mut ground = Ground::new().await;
        ground.clock = Clock::fixed(ten_in_the_morning() - 4 * DAY);
        let world = World::on(ground).await;
        world.reach_out(choice).await;
        let (at_heron, at_mission) = world.answered(Decision::Accept).await;
        world.heron.confirm_words(&at_heron).await.expect("words");
        let line = desk_with_decider(&world, &at_mission).await;
        Self { world, line, at_heron, at_mission }
    }

    /// HERON's case told in three parts over 40 minutes, two of them twice, and an identity sheet; Officer A's own
    /// part with the source; an assessment 21 hours old and the facts.
    ///
    /// # Panics
    /// When a step fails.
    pub async fn told(&self) {
        let file = intake();
        let mut parts = three_parts(&file.intake);
        // Where a brief draws on: it has to be taken out.
        for incident in &mut parts[2].incidents {
            incident.what_happened += &["They asked for", NAME, "and for", SOURCE].join(" ");
        }
        let order = [&parts[0], &parts[0], &parts[1], &parts[2], &parts[2]];
        for part in order {
            self.heron_sends(Body::CaseIntake(Box::new(part.clone()))).await;
            self.world.clock.advance(8 * MINUTE);
            self.settle().await;
        }
        for mut sheet in file.identity {
            NAME.clone_into(&mut sheet.name);
            self.heron_sends(Body::IdentitySheet(Box::new(sheet))).await;
        }
        let mission = IntakeFile::parse(&data("intake-heron-mission.toml"), Format::Toml);
        let mut mission = mission.expect("the mission's part");
        if let Some(source) = &mut mission.intake.source {
            SOURCE.clone_into(&mut source.who);
        }
        self.officer_a().add_to_intake(&self.at_mission, mission).await.expect("own part");
        self.settle().await;
        self.assessed(21 * HOUR).await;
    }

    /// Officer A files the assessment, as old as this, and the facts.
    ///
    /// # Panics
    /// When a step fails.
    pub async fn assessed(&self, age: i64) {
        let (a, now) = (self.officer_a(), self.world.now());
        let risk = RiskFile::parse(&data("risk-heron.toml"), Format::Toml, now - age);
        a.assess_risk(&self.at_mission, risk.expect("risk")).await.expect("assessed");
        let facts = FactsFile::parse(&data("facts-heron.toml"), Format::Toml, now);
        a.verify_facts(&self.at_mission, facts.expect("facts")).await.expect("facts");
    }

    /// Officer A asks, HERON answers with this file.
    ///
    /// # Panics
    /// When a step fails.
    pub async fn consented(&self, file: &str) {
        let asked = ConsentRequestFile::parse(&data("consent-request.toml"), Format::Toml);
        let asked = asked.expect("request");
        self.officer_a().ask_consent(&self.at_mission, asked, None).await.expect("ask");
        self.settle().await;
        let answers = self.answers(file);
        self.world.heron.give_consent(&self.at_heron, answers).await.expect("answer");
        self.settle().await;
    }

    /// The answers of a file, given now.
    ///
    /// # Panics
    /// When the file does not read.
    pub fn answers(&self, file: &str) -> ConsentFile {
        ConsentFile::parse(&data(file), Format::Toml, self.world.now()).expect("answers")
    }

    /// Officer A sends the Ministry a brief.
    ///
    /// # Errors
    /// What the client says.
    pub async fn share(&self, level: IdentityLevel) -> Result<budstikke::Shared, Error> {
        let brief = self.brief_about(&["HERON", "REED"], level);
        self.officer_a().share(&self.at_mission, brief).await
    }

    /// What Officer A writes of these people.
    pub fn brief_about(&self, persons: &[&str], level: IdentityLevel) -> Brief {
        Brief {
            persons: persons.iter().map(|&person| person.into()).collect(),
            level,
            also_leave_out: vec!["Sundra".into()],
            assessment: "A lawyer is the most urgent.".into(),
            asked_of_you: "Who decides on a note this week?".into(),
        }
    }

    /// An alert from a file, raised now.
    ///
    /// # Panics
    /// When the file does not read.
    pub fn alert(&self, file: &str) -> AlertFile {
        AlertFile::parse(&data(file), Format::Toml, self.world.now()).expect("alert")
    }

    /// Officer A plans an act from a file.
    ///
    /// # Panics
    /// When a step fails.
    pub async fn plan(&self, file: &str) -> String {
        let plan = plan(file, |_| {});
        self.officer_a().plan_act(&self.at_mission, plan).await.expect("plan")
    }

    /// Officer A puts an act before the Ministry.
    ///
    /// # Errors
    /// What the client says.
    pub async fn submit(&self, act: &str) -> Result<(), Error> {
        let submission = Submission { note: "Before the hearing.".into(), decide_by_s: 0 };
        self.officer_a().submit_act(&self.at_mission, act, submission).await?;
        self.settle().await;
        Ok(())
    }

    /// Decision-maker K answers.
    ///
    /// # Errors
    /// What the client says.
    pub async fn decide(
        &self,
        act: &str,
        verdict: Verdict,
        conditions: &[&str],
    ) -> Result<(), Error> {
        let ruling = Ruling {
            verdict,
            reasons: "Written where the file is kept.".into(),
            conditions: conditions.iter().map(|&condition| condition.into()).collect(),
            ..Ruling::default()
        };
        self.decider().decide(&self.line.at_desk, act, ruling).await?;
        self.settle().await;
        Ok(())
    }

    /// HERON takes consent back; it does not leave HERON's device yet.
    ///
    /// # Panics
    /// When a step fails.
    pub async fn withdrawn(&self, scopes: &[Scope]) {
        let taken = self.world.heron.withdraw_consent(&self.at_heron, scopes, "").await;
        assert!(!taken.expect("withdraw").is_empty());
    }

    /// Officer A reports the effect.
    ///
    /// # Errors
    /// What the client says.
    ///
    /// # Panics
    /// When the file does not read.
    pub async fn report(&self, act: &str) -> Result<(), Error> {
        let file = EffectFile::parse(&data("effect-demarche.toml"), Format::Toml, self.world.now());
        self.officer_a().report_effect(&self.at_mission, act, file.expect("effect")).await
    }

    /// Officer A tells HERON what was done, or that nothing was.
    ///
    /// # Errors
    /// What the client says.
    pub async fn inform(&self, act: &str, done: bool) -> Result<(), Error> {
        let informed = ReactionInformed {
            anything_done: if done { Answer::Yes } else { Answer::No }.into(),
            what_was_done: if done { "The note was handed over." } else { "Nothing, and why." }
                .into(),
            family_told: Answer::Unknown.into(),
            why_not_told: "HERON decides that.".into(),
            what_happens_next: "We speak again on Monday.".into(),
            what_cannot_be_undone: "What was handed over stays with them.".into(),
            ..ReactionInformed::default()
        };
        self.officer_a().inform_of_act(&self.at_mission, act, informed).await?;
        self.settle().await;
        Ok(())
    }

    /// Everybody fetches and sends until nothing moves.
    pub async fn settle(&self) {
        settle(&[&self.world.heron, self.officer_a(), &self.line.desk, self.decider()]).await;
    }

    /// The same without HERON, whose telephone is off.
    pub async fn settle_offices(&self) {
        settle(&[self.officer_a(), &self.line.desk, self.decider()]).await;
    }

    /// Officer A's device.
    pub fn officer_a(&self) -> &Client {
        &self.world.officer_a
    }

    /// Decision-maker K's device.
    ///
    /// # Panics
    /// Never: the line has one.
    pub fn decider(&self) -> &Client {
        self.line.decider()
    }

    /// An act as the mission sees it.
    ///
    /// # Panics
    /// When there is none.
    pub async fn act(&self, act: &str) -> ActView {
        act_of(self.officer_a(), &self.at_mission, act).await
    }

    /// And as Decision-maker K sees it.
    ///
    /// # Panics
    /// When there is none.
    pub async fn act_at_ministry(&self, act: &str) -> ActView {
        act_of(self.decider(), &self.line.at_desk, act).await
    }

    /// Where an act stands on both sides, which must agree.
    ///
    /// # Panics
    /// When they do not.
    pub async fn phase(&self, act: &str) -> ActionPhase {
        let ours = self.act(act).await.phase;
        assert_eq!(self.act_at_ministry(act).await.phase, ours, "both sides see the same");
        ours
    }

    async fn heron_sends(&self, body: Body) {
        let sent = self.world.heron.send(&self.at_heron, body, SendOptions::default()).await;
        sent.expect("HERON's words");
    }
}

async fn act_of(client: &Client, case: &str, act: &str) -> ActView {
    let acts = client.file(case).await.expect("the file").acts;
    acts.into_iter().find(|known| known.id == act).expect("the act")
}

/// A plan from a file, changed.
///
/// # Panics
/// When the file does not read.
pub fn plan(file: &str, change: impl FnOnce(&mut ActionPlan)) -> PlanFile {
    let mut plan = PlanFile::parse(&data(file), Format::Toml).expect("plan");
    change(&mut plan.plan);
    plan
}

/// The code of the refusal that a step must end in.
///
/// # Panics
/// When it does not.
pub fn refused<T>(done: Result<T, Error>) -> Refusal {
    match done {
        Err(Error::Refused(refusal)) => *refusal,
        Err(other) => panic!("another error: {other:?}"),
        Ok(_) => panic!("nothing was refused"),
    }
}

/// An intake in the three parts that a person might send as ready.
fn three_parts(whole: &CaseIntake) -> [CaseIntake; 3] {
    let incidents = whole.incidents.len();
    let of = |from: usize, upto: usize| whole.incidents.get(from..upto).unwrap_or(&[]).to_vec();
    let first = CaseIntake {
        who: whole.who.clone(),
        what: whole.what.clone(),
        wish: whole.wish.clone(),
        more_follows: true,
        ..CaseIntake::default()
    };
    let second = CaseIntake { incidents: of(0, 1), more_follows: true, ..CaseIntake::default() };
    let third = CaseIntake {
        incidents: of(1, incidents),
        link: whole.link.clone(),
        alleged: whole.alleged.clone(),
        authorities: whole.authorities.clone(),
        others: whole.others.clone(),
        updates: whole.updates.clone(),
        ..CaseIntake::default()
    };
    [first, second, third]
}
