//! Box 2.6 and the emergency form from a file.

use super::table::Table;
use super::{FileError, Format};
use crate::validate::{validate_emergency, validate_identity, validate_intake};
use crate::warning::Warning;
use crate::wire as w;

/// An intake file: items 1 to 7 and 12 by the defender, 8 to 11 by the mission, and the identity
/// sheets that travel apart.
#[derive(Clone, PartialEq)]
pub struct IntakeFile {
    /// The checklist.
    pub intake: w::CaseIntake,
    /// `[[identity]]`: a message each.
    pub identity: Vec<w::IdentitySheet>,
    /// BCP 47; `en` when absent.
    pub language: String,
    /// Times whose words were kept without a date, and the like.
    pub warnings: Vec<Warning>,
}

/// An emergency form.
#[derive(Clone, PartialEq)]
pub struct EmergencyFile {
    /// The form.
    pub emergency: w::EmergencyContact,
    /// BCP 47; `en` when absent.
    pub language: String,
    /// As for an intake.
    pub warnings: Vec<Warning>,
}

impl IntakeFile {
    /// Reads and checks a file against the message's table.
    ///
    /// # Errors
    /// With the path of the field: unknown names and words with a suggestion, missing and
    /// overlong fields as the refusal they would become.
    pub fn parse(text: &str, format: Format) -> Result<Self, FileError> {
        let value = format.read(text)?;
        let mut t = Table::root(&value)?;
        let language = language(&mut t)?;
        let identity = t.tables("identity", identity)?;
        let intake = intake(&mut t)?;
        t.finish()?;
        let warnings = validate_intake(&intake)?;
        for (index, sheet) in identity.iter().enumerate() {
            validate_identity(sheet, index)?;
        }
        Ok(Self { intake, identity, language, warnings })
    }
}

impl EmergencyFile {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// As for [`IntakeFile::parse`].
    pub fn parse(text: &str, format: Format) -> Result<Self, FileError> {
        let value = format.read(text)?;
        let mut t = Table::root(&value)?;
        let language = language(&mut t)?;
        let emergency = w::EmergencyContact {
            what: t.words::<w::IncidentType>("what")?,
            what_is_happening: t.text("what_is_happening")?,
            r#where: t.text("where")?,
            since: t.time("since")?,
            i_need: t.text("i_need")?,
            do_not_want: t.text("do_not_want")?,
            reach_me: t.text("reach_me")?,
            who: t.text("who")?,
            urgency: t.word::<w::Urgency>("urgency")?,
            people_in_danger: t.number("people_in_danger")?,
            children_affected: t.answer("children_affected")?,
        };
        t.finish()?;
        let warnings = validate_emergency(&emergency)?;
        Ok(Self { emergency, language, warnings })
    }
}

pub(super) fn language(t: &mut Table<'_>) -> Result<String, FileError> {
    let language = t.text("language")?;
    Ok(if language.is_empty() { "en".to_owned() } else { language })
}

fn identity(t: &mut Table<'_>) -> Result<w::IdentitySheet, FileError> {
    Ok(w::IdentitySheet {
        subject_ref: t.text("subject_ref")?,
        name: t.text("name")?,
        organisation: t.text("organisation")?,
        contact: t.text("contact")?,
        gender: t.text("gender")?,
        pronouns: t.text("pronouns")?,
        age_band: t.word::<w::AgeBand>("age_band")?,
        nationality: t.text("nationality")?,
        occupation: t.text("occupation")?,
        languages: t.texts("languages")?,
        care_needs: t.text("care_needs")?,
        readers: t.words::<w::Role>("readers")?,
    })
}

fn intake(t: &mut Table<'_>) -> Result<w::CaseIntake, FileError> {
    Ok(w::CaseIntake {
        who: t.table("who", |t| Ok(w::Item01Who { subjects: t.tables("subjects", subject)? }))?,
        what: t.table("what", what)?,
        incidents: t.tables("incidents", incident)?,
        link: t.table("link", link)?,
        alleged: t.table("alleged", alleged)?,
        authorities: t.table("authorities", authorities)?,
        others: t.tables("others", other)?,
        source: t.table("source", source)?,
        contact: t.table("contact", contact)?,
        actions: t.table("actions", actions)?,
        results: t
            .table("results", |t| Ok(w::Item11Results { entries: t.tables("entries", result)? }))?,
        updates: t.table("updates", updates)?,
        more_follows: t.flag("more_follows")?,
        not_now: t.numbers("not_now")?,
        rather_not_say: t.numbers("rather_not_say")?,
        wish: t.table("wish", |t| {
            let (want, do_not_want) = (t.text("want")?, t.text("do_not_want")?);
            Ok(w::ExpressedWish { want, do_not_want })
        })?,
    })
}

fn subject(t: &mut Table<'_>) -> Result<w::Subject, FileError> {
    Ok(w::Subject {
        r#ref: t.text("ref")?,
        kind: t.word::<w::SubjectKind>("kind")?,
        linked_to: t.text("linked_to")?,
        linked_how: t.text("linked_how")?,
        under_18: t.answer("under_18")?,
    })
}

fn what(t: &mut Table<'_>) -> Result<w::Item02What, FileError> {
    Ok(w::Item02What {
        themes: t.words::<w::Theme>("themes")?,
        activities: t.text("activities")?,
        works_in: t.text("works_in")?,
        outside_capital: t.answer("outside_capital")?,
        how_they_describe_themselves: t.text("how_they_describe_themselves")?,
        gender_specific: t.text("gender_specific")?,
    })
}

fn incident(t: &mut Table<'_>) -> Result<w::IncidentRecord, FileError> {
    Ok(w::IncidentRecord {
        types: t.words::<w::IncidentType>("types")?,
        when: t.time("when")?,
        r#where: t.text("where")?,
        what_happened: t.text("what_happened")?,
        happened_to: t.texts("happened_to")?,
        how_threat_was_made: t.text("how_threat_was_made")?,
        detention: t.table("detention", detention)?,
        still_going_on: t.answer("still_going_on")?,
    })
}

fn detention(t: &mut Table<'_>) -> Result<w::DetentionFacts, FileError> {
    Ok(w::DetentionFacts {
        held_where: t.text("held_where")?,
        lawyer: t.answer("lawyer")?,
        family_visits: t.answer("family_visits")?,
        medicine: t.answer("medicine")?,
        medical_help: t.answer("medical_help")?,
        conditions: t.text("conditions")?,
        charge: t.text("charge")?,
        court_case: t.text("court_case")?,
        next_hearing: t.time("next_hearing")?,
        house_arrest: t.answer("house_arrest")?,
        released: t.time("released")?,
    })
}

fn link(t: &mut Table<'_>) -> Result<w::Item04Link, FileError> {
    Ok(w::Item04Link {
        because_of_their_work: t.answer("because_of_their_work")?,
        why_they_think_so: t.text("why_they_think_so")?,
        earlier_incidents: t.answer("earlier_incidents")?,
        earlier_incidents_what: t.text("earlier_incidents_what")?,
        others_in_similar_situation: t.answer("others_in_similar_situation")?,
        others_what: t.text("others_what")?,
        reprisal_for_un_or_mission_contact: t.answer("reprisal_for_un_or_mission_contact")?,
        reprisal_what: t.text("reprisal_what")?,
    })
}

fn alleged(t: &mut Table<'_>) -> Result<w::Item05Alleged, FileError> {
    Ok(w::Item05Alleged {
        actors: t.tables("actors", |t| {
            Ok(w::AllegedActor {
                kind: t.word::<w::ActorKind>("kind")?,
                number: t.number("number")?,
                gender: t.text("gender")?,
                title_or_unit: t.text("title_or_unit")?,
                name: t.text("name")?,
                state_or_armed_link: t.answer("state_or_armed_link")?,
                why_suspected: t.text("why_suspected")?,
            })
        })?,
        witnesses: t.number("witnesses")?,
        witness_refs: t.texts("witness_refs")?,
        witnesses_agree_to_be_contacted: t.answer("witnesses_agree_to_be_contacted")?,
    })
}

fn authorities(t: &mut Table<'_>) -> Result<w::Item06Authorities, FileError> {
    Ok(w::Item06Authorities {
        reported: t.answer("reported")?,
        reported_by: t.text("reported_by")?,
        reported_when: t.time("reported_when")?,
        response: t.text("response")?,
        publicly_available: t.answer("publicly_available")?,
        public_where: t.text("public_where")?,
    })
}

fn other(t: &mut Table<'_>) -> Result<w::OtherReaction, FileError> {
    Ok(w::OtherReaction {
        kind: t.word::<w::OtherActorKind>("kind")?,
        who: t.text("who")?,
        response: t.text("response")?,
        when: t.time("when")?,
    })
}

fn source(t: &mut Table<'_>) -> Result<w::SourceSheet, FileError> {
    Ok(w::SourceSheet {
        kind: t.word::<w::SourceKind>("kind")?,
        who: t.text("who")?,
        how_received: t.text("how_received")?,
        reliability: t.word::<w::Reliability>("reliability")?,
        independent_sources: t.number("independent_sources")?,
        may_be_named_to_ministry: t.answer("may_be_named_to_ministry")?,
    })
}

fn contact(t: &mut Table<'_>) -> Result<w::Item09Contact, FileError> {
    Ok(w::Item09Contact {
        known_before: t.answer("known_before")?,
        entries: t.tables("entries", |t| {
            Ok(w::ContactEntry { when: t.time("when")?, what: t.text("what")? })
        })?,
        on_trusted_list: t.answer("on_trusted_list")?,
    })
}

/// Ids of risk assessments and actions are set by the client, not written by hand.
fn actions(t: &mut Table<'_>) -> Result<w::Item10Actions, FileError> {
    Ok(w::Item10Actions {
        risk_assessments_made: t.text("risk_assessments_made")?,
        embassy_could: t.text("embassy_could")?,
        work_with: t.text("work_with")?,
        ..w::Item10Actions::default()
    })
}

fn result(t: &mut Table<'_>) -> Result<w::ResultEntry, FileError> {
    Ok(w::ResultEntry {
        when: t.time("when")?,
        action: t.text("action")?,
        new_contacts: t.text("new_contacts")?,
        new_incidents: t.text("new_incidents")?,
        security: t.text("security")?,
        relations_with_authorities: t.text("relations_with_authorities")?,
        family_situation: t.text("family_situation")?,
        positive_and_negative: t.text("positive_and_negative")?,
    })
}

fn updates(t: &mut Table<'_>) -> Result<w::Item12Updates, FileError> {
    Ok(w::Item12Updates {
        next_review_s: t.date("next_review")?,
        changed_since_last: t.text("changed_since_last")?,
        nothing_changed: t.flag("nothing_changed")?,
        ..w::Item12Updates::default()
    })
}
