//! What the people of the story read and write: the same files that anybody can try the program
//! with.

use budstikke::Offer;

use super::stop::Stop;
use crate::case::{
    file::{
        AlertFile, ConsentFile, ConsentRequestFile, EffectFile, FactsFile, FileError, Format,
        HandoverFile, IntakeFile, PlanFile, PrivacyNoticeFile, RiskFile, TermsFile,
    },
    wire::{ActionPlan, CaseIntake, QuietTime, QuietWindow},
};

macro_rules! paper {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/data/", $name, ".toml"))
    };
}

/// What Officer A leaves behind about one case.
pub(crate) fn handover() -> Result<HandoverFile, FileError> {
    HandoverFile::parse(paper!("handover-case"), Format::Toml)
}

/// What the mission publishes.
pub(crate) fn offer(now: i64) -> Result<Offer, FileError> {
    Ok(Offer {
        terms: vec![terms(now)?],
        emergency: Some(TermsFile::parse(paper!("terms-emergency"), Format::Toml, now)?),
        privacy: PrivacyNoticeFile::parse(paper!("privacy-notice"), Format::Toml, now)?,
    })
}

/// The mission's terms.
pub(crate) fn terms(now: i64) -> Result<TermsFile, FileError> {
    TermsFile::parse(paper!("terms-offer"), Format::Toml, now)
}

/// What the Ministry's desk publishes for missions.
pub(crate) fn desk_offer(now: i64) -> Result<Offer, FileError> {
    let terms = TermsFile::parse(paper!("terms-ministry"), Format::Toml, now)?;
    Ok(Offer { terms: vec![terms], emergency: None, ..offer(now)? })
}

/// HERON's own terms. The quiet hours are moved away from now: the story must hold at any hour.
pub(crate) fn counter(now: i64) -> Result<TermsFile, FileError> {
    let mut file = TermsFile::parse(paper!("terms-counter"), Format::Toml, now)?;
    if let Some(quiet) = &mut file.terms.quiet_time {
        *quiet = later_today(quiet, now);
    }
    Ok(file)
}

/// What HERON tells.
pub(crate) fn intake() -> Result<IntakeFile, FileError> {
    IntakeFile::parse(paper!("intake-heron"), Format::Toml)
}

/// The same in the three parts that a person might send as they are ready.
pub(crate) fn intake_in_parts() -> Result<[CaseIntake; 3], FileError> {
    let whole = intake()?.intake;
    let mut incidents = whole.incidents.clone();
    let later = incidents.split_off(incidents.len().min(1));
    let first = CaseIntake {
        who: whole.who.clone(),
        what: whole.what.clone(),
        wish: whole.wish.clone(),
        more_follows: true,
        ..CaseIntake::default()
    };
    let second = CaseIntake { incidents, more_follows: true, ..CaseIntake::default() };
    let third = CaseIntake { who: None, what: None, wish: None, incidents: later, ..whole };
    Ok([first, second, third])
}

/// What the mission adds: the source among it.
pub(crate) fn own_part() -> Result<IntakeFile, FileError> {
    IntakeFile::parse(paper!("intake-heron-mission"), Format::Toml)
}

/// Officer A's assessment, made then.
pub(crate) fn risk(made_at: i64) -> Result<RiskFile, FileError> {
    RiskFile::parse(paper!("risk-heron"), Format::Toml, made_at)
}

/// What is known to be so, and what is not.
pub(crate) fn facts(now: i64) -> Result<FactsFile, FileError> {
    FactsFile::parse(paper!("facts-heron"), Format::Toml, now)
}

/// What Officer A asks of HERON.
pub(crate) fn question() -> Result<ConsentRequestFile, FileError> {
    ConsentRequestFile::parse(paper!("consent-request"), Format::Toml)
}

/// HERON's answers: yes to a démarche, no to anything public.
pub(crate) fn answers(now: i64) -> Result<ConsentFile, FileError> {
    ConsentFile::parse(paper!("consent-demarche"), Format::Toml, now)
}

/// HERON's second answer: yes to these words in public.
pub(crate) fn answer_to_words(now: i64) -> Result<ConsentFile, FileError> {
    ConsentFile::parse(paper!("consent-statement"), Format::Toml, now)
}

/// An alert with an hour to answer.
pub(crate) fn alert(now: i64) -> Result<AlertFile, FileError> {
    AlertFile::parse(paper!("alert-flash"), Format::Toml, now)
}

/// The same as an exercise.
pub(crate) fn exercise(now: i64) -> Result<AlertFile, FileError> {
    let text = concat!("exercise = true\n", paper!("alert-flash"));
    AlertFile::parse(text, Format::Toml, now)
}

/// What the démarche led to.
pub(crate) fn effect(now: i64) -> Result<EffectFile, FileError> {
    EffectFile::parse(paper!("effect-demarche"), Format::Toml, now)
}

/// A note to the foreign ministry.
pub(crate) fn demarche(change: impl FnOnce(&mut ActionPlan)) -> Result<PlanFile, Stop> {
    plan(paper!("plan-demarche"), change)
}

/// Words for the public.
pub(crate) fn statement(change: impl FnOnce(&mut ActionPlan)) -> Result<PlanFile, Stop> {
    plan(paper!("plan-statement"), change)
}

/// A question to the court.
pub(crate) fn enquiry() -> Result<PlanFile, Stop> {
    plan(paper!("plan-enquiry"), |_| {})
}

fn plan(text: &str, change: impl FnOnce(&mut ActionPlan)) -> Result<PlanFile, Stop> {
    let mut plan = PlanFile::parse(text, Format::Toml)?;
    change(&mut plan.plan);
    Ok(plan)
}

/// Eight hours of quiet that begin two hours from now.
fn later_today(quiet: &QuietTime, now: i64) -> QuietTime {
    let minute = |hours: i64| {
        let local = now / 60 + i64::from(quiet.utc_offset_min) + hours * 60;
        u32::try_from(local.rem_euclid(24 * 60)).unwrap_or_default()
    };
    let window = QuietWindow { from_minute: minute(2), until_minute: minute(10), weekdays: vec![] };
    QuietTime { windows: vec![window], ..quiet.clone() }
}
