//! What the Ministry gets of a case: a brief built for it, never what was told forwarded; and the notice of it to the
//! person concerned.

use budstikke_case::projection::{Material, Permission, build, finds, identifying_texts};
use budstikke_case::wire::{
    CaseIntake, DisclosureNotice, IdentityLevel, IdentitySheet, LeftOut, OnwardMode, Purpose, Scope,
};
use budstikke_case::{
    Body, Built, Hash, Kind, Received, Refusal, TermsState, Warning, may_pass_on, merge,
};
use prost::Message;

use super::act::mission_case;
use super::consent::line_of;
use super::file::Dossier;
use super::proof::proofs;
use crate::channel::seat::{Seat, terms_of};
use crate::channel::send::{SendOptions, post};
use crate::client::{Client, Work};
use crate::error::Error;
use crate::mission::unit_and_team;
use crate::random::fresh;
use crate::records::{self, CaseRecord, MessageRecord};
use crate::view::message_key;

/// What goes into a brief beside what was told.
#[derive(Clone, PartialEq)]
pub struct Brief {
    /// Aliases of those it is about; everybody else is a third party and is left out. Empty: everybody whom item 1
    /// of the checklist names.
    pub persons: Vec<String>,
    /// How much of them it shows.
    pub level: IdentityLevel,
    /// Words to take out wherever they stand, as names of villages.
    pub also_leave_out: Vec<String>,
    /// The mission's own assessment.
    pub assessment: String,
    /// What is asked of the Ministry.
    pub asked_of_you: String,
}

/// What left, and what the person concerned will be told.
#[derive(Clone)]
#[non_exhaustive]
pub struct Shared {
    /// Number of the brief on the line.
    pub brief: u64,
    /// Number of the notice in the conversation with the person concerned; `None` when their quiet time holds it
    /// back: it goes with the next [`Client::sync`] after that.
    pub notice: Option<u64>,
    /// Numbers of the items of Box 2.6 that it draws on.
    pub items: Vec<u32>,
    /// What was told and is not in it.
    pub left_out: Vec<LeftOut>,
    /// What allowed it.
    pub allowed_by: OnwardMode,
    /// What the officer should know all the same.
    pub warnings: Vec<Warning>,
}

impl Client {
    /// Builds a brief of what stands in a case, sends it over the case's line, and tells the person concerned who has
    /// got what.
    ///
    /// # Errors
    /// [`Error::Refused`]: T05, T06, T03, C01 to C10, P02; nothing leaves then. [`Error::NotFound`] when nothing has
    /// been told yet.
    pub async fn share(&self, case: &str, brief: Brief) -> Result<Shared, Error> {
        let case = case.to_owned();
        self.vault(move |work| share(work, &mission_case(work, &case)?, &brief)).await
    }
}

fn share(work: &Work<'_>, case: &CaseRecord, wanted: &Brief) -> Result<Shared, Error> {
    let told = Told::of(work, case)?;
    let persons = told.persons(wanted);
    let line = line_of(work, case)?;
    let onward = match &line {
        Some(line) => terms_of(line)?,
        None => TermsState::new(budstikke_case::Leg::MissionMinistry),
    };
    let defender = terms_of(case)?;
    let mut file = Dossier::of(work, case)?;
    let material = Material {
        intake: &told.intake,
        identity: &told.identity,
        persons: &persons,
        level: wanted.level,
        also_leave_out: &wanted.also_leave_out,
        assessment: &wanted.assessment,
        asked_of_you: &wanted.asked_of_you,
    };
    let made = |file: &Dossier, tokens: &[Vec<u8>]| {
        let consents = &file.ledger;
        let permission = Permission { defender: &defender, onward: &onward, consents, tokens };
        build(&material, &permission, fresh::<16>(), work.now)
    };
    // Where the terms let it pass as it is, no proof leaves with it.
    let built = match (made(&file, &[]), &line) {
        (Err(Refusal::ConsentProofInvalid { step: "token" }), Some(line)) => {
            let seat = Seat::case(work, line.clone())?;
            let proofs = proofs(&seat, &mut file, &persons, Scope::ShareMinistry, work.now)?;
            let tokens: Vec<_> = proofs.iter().map(|(token, _, _)| token.encode_to_vec()).collect();
            file.save(work)?;
            made(&file, &tokens)?
        }
        (built, _) => built?,
    };
    let line = line.ok_or(Refusal::MinistryLegNotAgreed)?;
    let unit = line.peer_name.clone();
    let seat = Seat::case(work, line.clone())?;
    let sent = post(work, seat, built.brief.clone().into(), &SendOptions::default())?;
    let content: MessageRecord = records::need(work.tx, &message_key(&line.id, sent.number))?;
    let rights = rights(work)?;
    let notice = built.notice(&content.content, &unit, Purpose::Protection, &rights, work.now);
    let notice = notify(work, &case.id, notice)?;
    Ok(Shared {
        brief: sent.number,
        notice,
        items: built.items,
        left_out: built.brief.left_out,
        allowed_by: built.allowed_by,
        warnings: sent.warnings,
    })
}

/// Tells the person concerned; in their quiet time the notice waits in the file of the case.
fn notify(work: &Work<'_>, case_id: &[u8], notice: DisclosureNotice) -> Result<Option<u64>, Error> {
    let case: CaseRecord = records::need(work.tx, case_id)?;
    let seat = Seat::case(work, case.clone())?;
    match post(work, seat, notice.clone().into(), &SendOptions::default()) {
        Ok(sent) => Ok(Some(sent.number)),
        Err(Error::Refused(refusal)) if matches!(*refusal, Refusal::QuietTime { .. }) => {
            let mut file = Dossier::of(work, &case)?;
            file.notices.push(notice);
            file.save(work)?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Sends the notices that quiet time held back, now that it may be over.
pub(super) fn send_held_notices(work: &Work<'_>, case_id: &[u8]) -> Result<(), Error> {
    let Some(case) = records::load::<CaseRecord>(work.tx, case_id)? else { return Ok(()) };
    let mut file = Dossier::of(work, &case)?;
    let notices = std::mem::take(&mut file.notices);
    if notices.is_empty() {
        return Ok(());
    }
    file.save(work)?;
    notices.into_iter().try_for_each(|notice| notify(work, case_id, notice).map(drop))
}

/// What was told in a case, parts joined.
struct Told {
    intake: CaseIntake,
    identity: Vec<IdentitySheet>,
}

impl Told {
    fn of(work: &Work<'_>, case: &CaseRecord) -> Result<Self, Error> {
        let told = Self::read(work, case)?;
        if told.intake == CaseIntake::default() {
            return Err(Error::NotFound { what: "an account of what happened in this case" });
        }
        Ok(told)
    }

    fn read(work: &Work<'_>, case: &CaseRecord) -> Result<Self, Error> {
        let (mut parts, mut identity) = (Vec::new(), Vec::<IdentitySheet>::new());
        for number in 1..=case.messages {
            let key = message_key(&case.id, number);
            let Some(message) = records::load::<MessageRecord>(work.tx, &key)? else { continue };
            if message.quarantined {
                continue;
            }
            let Ok(received) = Received::open(message.content.clone()) else { continue };
            match &received.content().body {
                Some(Body::CaseIntake(part)) => parts.push(part.as_ref().clone()),
                Some(Body::IdentitySheet(sheet)) => identity.push(sheet.as_ref().clone()),
                _ => {}
            }
        }
        parts.extend(Dossier::of(work, case)?.own_parts);
        Ok(Self { intake: merge(&parts), identity })
    }

    fn persons(&self, wanted: &Brief) -> Vec<String> {
        if !wanted.persons.is_empty() {
            return wanted.persons.clone();
        }
        let who = self.intake.who.as_ref();
        let subjects = who.map(|who| who.subjects.as_slice()).unwrap_or_default();
        subjects.iter().map(|subject| subject.r#ref.clone()).collect()
    }
}

/// What goes over a mission's line beside a brief: only while the terms with the defender let the Ministry have
/// anything and the line's terms are made for them, and never with a name or a source in it.
///
/// # Errors
/// T01, T02, T03, T05, P02.
pub(crate) fn may_go_onward(
    work: &Work<'_>,
    line: &CaseRecord,
    terms: &TermsState,
    built: &Built,
) -> Result<(), Error> {
    let Some(body) = &built.content.body else { return Ok(()) };
    let kind = Kind::of_body(body);
    // A colleague on the line who is not in the case knows neither its terms nor its names.
    let Some(case) = records::load::<CaseRecord>(work.tx, &line.line_for)? else { return Ok(()) };
    // What has become of an act is told to the end.
    if !kind.is_case_content() || kind == Kind::ActionUpdate {
        return Ok(());
    }
    let defender = terms_of(&case)?;
    may_pass_on(&defender, terms.leg(), work.now)?;
    let expected = defender.agreed_hash();
    let got = terms.agreed().and_then(|terms| Hash::from_slice(&terms.inherits_terms_hash));
    if got != expected {
        return Err(Refusal::TermsHashMismatch { expected, got }.into());
    }
    // A brief may show what its persons agreed to, and was looked at when it was built.
    if kind == Kind::CaseBrief {
        return Ok(());
    }
    let told = Told::read(work, &case)?;
    let mut sheets = told.identity;
    // An act may name an organisation that agreed to it.
    for sheet in &mut sheets {
        sheet.organisation.clear();
    }
    if finds(&built.bytes, &identifying_texts(&sheets, told.intake.source.as_ref())) {
        let field = kind.name().to_owned();
        return Err(Refusal::ThirdPartyNotStripped { field }.into());
    }
    Ok(())
}

/// On a device that has not seen the mission publish.
const RIGHTS: &str = "You may ask the mission at any time what is kept about you and who has it, and have it corrected \
                      or erased; some of it only when the law on archives lets it go.";

/// The rights, in the words of the privacy notice that this mission publishes.
fn rights(work: &Work<'_>) -> Result<String, Error> {
    let (_, team) = unit_and_team(work)?;
    for offer in &team.offers {
        let Ok(received) = Received::open(offer.clone()) else { continue };
        if let Some(Body::PrivacyNotice(notice)) = &received.content().body {
            return Ok(notice.rights_plain.clone());
        }
    }
    Ok(RIGHTS.to_owned())
}
