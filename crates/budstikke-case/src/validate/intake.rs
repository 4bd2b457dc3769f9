//! Box 2.6. Paths are those of the files: `incidents[1].what_happened`.

use super::MAX_ALIAS;
use super::check::{Check, Checked, MAX_TIME, Optional, Required};
use crate::refusal::{Fault, Refusal};
use crate::roles::{Side, side};
use crate::warning::Warning;
use crate::wire as w;
use crate::wire::{Answer, CaseIntake, Leg, Role};
use crate::words::strict;

/// Bytes of one long answer.
const LONG: usize = 4_000;
/// Bytes of one short answer.
const SHORT: usize = 200;

/// Whether any of the items 1 to 7, or 12 alone, is told.
pub(super) fn tells(m: &CaseIntake) -> bool {
    m.who.is_some()
        || m.what.is_some()
        || !m.incidents.is_empty()
        || m.link.is_some()
        || m.alleged.is_some()
        || m.authorities.is_some()
        || !m.others.is_empty()
        || m.wish.is_some()
}

pub(super) fn case_intake(m: &CaseIntake, leg: Leg, role: Role, c: &mut Check) -> Checked {
    let assessed = m.source.is_some() || m.contact.is_some() || m.actions.is_some();
    let skipped = !m.not_now.is_empty() || !m.rather_not_say.is_empty();
    if !tells(m) && !assessed && m.results.is_none() && m.updates.is_none() && !skipped {
        return Err(c.fault("who", Fault::Missing));
    }
    may_leave(m, leg)?;
    m.who.iter().try_for_each(|item| c.inside("who", |c| who(item, c)))?;
    m.what.iter().try_for_each(|item| c.inside("what", |c| what(item, c)))?;
    let refs: Vec<&str> =
        m.who.iter().flat_map(|i| &i.subjects).map(|s| s.r#ref.as_str()).collect();
    c.each("incidents", &m.incidents, 0..=64, |c, item| incident(item, &refs, c))?;
    m.link.iter().try_for_each(|item| c.inside("link", |c| link(item, c)))?;
    m.alleged.iter().try_for_each(|item| c.inside("alleged", |c| alleged(item, c)))?;
    m.authorities.iter().try_for_each(|item| c.inside("authorities", |c| authorities(item, c)))?;
    c.each("others", &m.others, 0..=32, |c, item| other(item, c))?;
    m.source.iter().try_for_each(|item| c.inside("source", |c| source(item, c)))?;
    m.contact.iter().try_for_each(|item| c.inside("contact", |c| contact(item, c)))?;
    m.actions.iter().try_for_each(|item| c.inside("actions", |c| actions(item, c)))?;
    m.results.iter().try_for_each(|item| c.inside("results", |c| results(item, c)))?;
    m.updates.iter().try_for_each(|item| c.inside("updates", |c| updates(item, c)))?;
    for (field, items) in [("not_now", &m.not_now), ("rather_not_say", &m.rather_not_say)] {
        c.entries(field, items.len(), 0..=12)?;
        items.iter().try_for_each(|item| c.range(field, *item, 1..=12))?;
    }
    m.wish.iter().try_for_each(|item| c.inside("wish", |c| wish(item, c)))?;
    warn(m, leg, role, c);
    Ok(())
}

/// The items of a brief, which are an intake's with less in them.
pub(super) fn brief(m: &w::CaseBrief, c: &mut Check) -> Checked {
    let refs: Vec<&str> = m.subjects.iter().map(|s| s.r#ref.as_str()).collect();
    m.wish.iter().try_for_each(|item| c.inside("wish", |c| wish(item, c)))?;
    m.what.iter().try_for_each(|item| c.inside("what", |c| what(item, c)))?;
    c.each("incidents", &m.incidents, 0..=64, |c, item| incident(item, &refs, c))?;
    m.link.iter().try_for_each(|item| c.inside("link", |c| link(item, c)))?;
    m.alleged.iter().try_for_each(|item| c.inside("alleged", |c| alleged(item, c)))?;
    m.authorities.iter().try_for_each(|item| c.inside("authorities", |c| authorities(item, c)))?;
    c.each("others", &m.others, 0..=32, |c, item| other(item, c))?;
    c.word::<w::Reliability>("reliability", m.reliability, Optional)?;
    c.range("independent_sources", m.independent_sources, 0..=100)
}

/// P02: item 8 stays in the mission unless the source said yes, and then goes to the Ministry
/// only; third parties are stripped from what goes onward.
fn may_leave(m: &CaseIntake, leg: Leg) -> Checked {
    if let Some(source) = &m.source {
        let named = strict::<Answer>(source.may_be_named_to_ministry) == Answer::Yes;
        match leg {
            Leg::MissionTeam => {}
            Leg::MissionMinistry if named => {}
            _ => return Err(Refusal::SourceMayNotLeave),
        }
    }
    if !matches!(leg, Leg::MissionMinistry | Leg::MissionMultilateralMission) {
        return Ok(());
    }
    let stripped = |field: String| Err(Refusal::ThirdPartyNotStripped { field });
    let Some(alleged) = &m.alleged else { return Ok(()) };
    if let Some(index) = alleged.actors.iter().position(|actor| !actor.name.is_empty()) {
        return stripped(format!("alleged.actors[{index}].name"));
    }
    if !alleged.witness_refs.is_empty() {
        return stripped("alleged.witness_refs".to_owned());
    }
    Ok(())
}

/// Item 1.
fn who(m: &w::Item01Who, c: &mut Check) -> Checked {
    c.each("subjects", &m.subjects, 1..=32, |c, subject| {
        c.text("ref", &subject.r#ref, Required, MAX_ALIAS)?;
        c.word::<w::SubjectKind>("kind", subject.kind, Required)?;
        c.text("linked_to", &subject.linked_to, Optional, MAX_ALIAS)?;
        c.text("linked_how", &subject.linked_how, Optional, SHORT)?;
        c.word::<Answer>("under_18", subject.under_18, Optional)
    })?;
    let mut seen = std::collections::BTreeSet::new();
    match m.subjects.iter().position(|subject| !seen.insert(&subject.r#ref)) {
        Some(index) => Err(c.fault(&format!("subjects[{index}].ref"), Fault::Twice)),
        None => Ok(()),
    }
}

/// Item 2.
fn what(m: &w::Item02What, c: &mut Check) -> Checked {
    c.words::<w::Theme>("themes", &m.themes, 0..=18)?;
    c.text("activities", &m.activities, Required, LONG)?;
    c.text("works_in", &m.works_in, Optional, SHORT)?;
    c.word::<Answer>("outside_capital", m.outside_capital, Optional)?;
    c.text("how_they_describe_themselves", &m.how_they_describe_themselves, Optional, 400)?;
    c.text("gender_specific", &m.gender_specific, Optional, 1_000)
}

/// Item 3.
fn incident(m: &w::IncidentRecord, refs: &[&str], c: &mut Check) -> Checked {
    c.words::<w::IncidentType>("types", &m.types, 1..=8)?;
    c.time("when", m.when.as_ref(), Required)?;
    c.text("where", &m.r#where, Optional, SHORT)?;
    c.text("what_happened", &m.what_happened, Required, LONG)?;
    c.texts("happened_to", &m.happened_to, 0..=32, MAX_ALIAS)?;
    c.text("how_threat_was_made", &m.how_threat_was_made, Optional, 1_000)?;
    c.word::<Answer>("still_going_on", m.still_going_on, Optional)?;
    // Item 1 may have travelled in an earlier part.
    let listed = |alias: &&String| refs.is_empty() || refs.contains(&alias.as_str());
    if let Some(index) = m.happened_to.iter().position(|alias| !listed(&alias)) {
        return Err(c.fault(&format!("happened_to[{index}]"), Fault::Reference));
    }
    m.detention.iter().try_for_each(|facts| c.inside("detention", |c| detention(facts, c)))
}

fn detention(m: &w::DetentionFacts, c: &mut Check) -> Checked {
    c.text("held_where", &m.held_where, Optional, SHORT)?;
    c.word::<Answer>("lawyer", m.lawyer, Optional)?;
    c.word::<Answer>("family_visits", m.family_visits, Optional)?;
    c.word::<Answer>("medicine", m.medicine, Optional)?;
    c.word::<Answer>("medical_help", m.medical_help, Optional)?;
    c.text("conditions", &m.conditions, Optional, 2_000)?;
    c.text("charge", &m.charge, Optional, 1_000)?;
    c.text("court_case", &m.court_case, Optional, 1_000)?;
    c.time("next_hearing", m.next_hearing.as_ref(), Optional)?;
    c.word::<Answer>("house_arrest", m.house_arrest, Optional)?;
    c.time("released", m.released.as_ref(), Optional)
}

/// Item 4.
fn link(m: &w::Item04Link, c: &mut Check) -> Checked {
    c.word::<Answer>("because_of_their_work", m.because_of_their_work, Optional)?;
    c.text("why_they_think_so", &m.why_they_think_so, Optional, LONG)?;
    c.word::<Answer>("earlier_incidents", m.earlier_incidents, Optional)?;
    c.text("earlier_incidents_what", &m.earlier_incidents_what, Optional, LONG)?;
    c.word::<Answer>("others_in_similar_situation", m.others_in_similar_situation, Optional)?;
    c.text("others_what", &m.others_what, Optional, LONG)?;
    let reprisal = m.reprisal_for_un_or_mission_contact;
    c.word::<Answer>("reprisal_for_un_or_mission_contact", reprisal, Optional)?;
    c.text("reprisal_what", &m.reprisal_what, Optional, LONG)
}

/// Item 5.
fn alleged(m: &w::Item05Alleged, c: &mut Check) -> Checked {
    c.each("actors", &m.actors, 0..=32, |c, actor| {
        c.word::<w::ActorKind>("kind", actor.kind, Required)?;
        c.range("number", actor.number, 0..=100_000)?;
        c.text("gender", &actor.gender, Optional, 64)?;
        c.text("title_or_unit", &actor.title_or_unit, Optional, SHORT)?;
        c.text("name", &actor.name, Optional, SHORT)?;
        c.word::<Answer>("state_or_armed_link", actor.state_or_armed_link, Optional)?;
        c.text("why_suspected", &actor.why_suspected, Optional, 2_000)
    })?;
    c.range("witnesses", m.witnesses, 0..=100_000)?;
    c.texts("witness_refs", &m.witness_refs, 0..=32, MAX_ALIAS)?;
    let agree = m.witnesses_agree_to_be_contacted;
    c.word::<Answer>("witnesses_agree_to_be_contacted", agree, Optional)
}

/// Item 6.
fn authorities(m: &w::Item06Authorities, c: &mut Check) -> Checked {
    c.word::<Answer>("reported", m.reported, Optional)?;
    c.text("reported_by", &m.reported_by, Optional, SHORT)?;
    c.time("reported_when", m.reported_when.as_ref(), Optional)?;
    c.text("response", &m.response, Optional, LONG)?;
    c.word::<Answer>("publicly_available", m.publicly_available, Optional)?;
    c.text("public_where", &m.public_where, Optional, 400)
}

/// Item 7.
fn other(m: &w::OtherReaction, c: &mut Check) -> Checked {
    c.word::<w::OtherActorKind>("kind", m.kind, Required)?;
    c.text("who", &m.who, Optional, SHORT)?;
    c.text("response", &m.response, Optional, LONG)?;
    c.time("when", m.when.as_ref(), Optional)
}

fn wish(m: &w::ExpressedWish, c: &mut Check) -> Checked {
    c.text("want", &m.want, Optional, 2_000)?;
    c.text("do_not_want", &m.do_not_want, Optional, 2_000)
}

/// Item 8.
fn source(m: &w::SourceSheet, c: &mut Check) -> Checked {
    c.word::<w::SourceKind>("kind", m.kind, Required)?;
    c.text("who", &m.who, Optional, SHORT)?;
    c.text("how_received", &m.how_received, Optional, 1_000)?;
    c.word::<w::Reliability>("reliability", m.reliability, Optional)?;
    c.range("independent_sources", m.independent_sources, 0..=100)?;
    c.word::<Answer>("may_be_named_to_ministry", m.may_be_named_to_ministry, Optional)
}

/// Item 9.
fn contact(m: &w::Item09Contact, c: &mut Check) -> Checked {
    c.word::<Answer>("known_before", m.known_before, Required)?;
    c.each("entries", &m.entries, 0..=32, |c, entry| {
        c.time("when", entry.when.as_ref(), Optional)?;
        c.text("what", &entry.what, Required, 1_000)
    })?;
    c.word::<Answer>("on_trusted_list", m.on_trusted_list, Optional)
}

/// Item 10.
fn actions(m: &w::Item10Actions, c: &mut Check) -> Checked {
    c.text("risk_assessments_made", &m.risk_assessments_made, Optional, LONG)?;
    c.ids("risk_assessment_ids", &m.risk_assessment_ids, 16)?;
    c.text("embassy_could", &m.embassy_could, Optional, LONG)?;
    c.text("work_with", &m.work_with, Optional, 2_000)?;
    c.ids("action_ids", &m.action_ids, 16)
}

/// Item 11.
fn results(m: &w::Item11Results, c: &mut Check) -> Checked {
    c.each("entries", &m.entries, 1..=32, |c, entry| {
        c.time("when", entry.when.as_ref(), Optional)?;
        c.text("action", &entry.action, Required, 1_000)?;
        c.text("new_contacts", &entry.new_contacts, Optional, 2_000)?;
        c.text("new_incidents", &entry.new_incidents, Optional, 2_000)?;
        c.text("security", &entry.security, Optional, 2_000)?;
        let relations = &entry.relations_with_authorities;
        c.text("relations_with_authorities", relations, Optional, 2_000)?;
        c.text("family_situation", &entry.family_situation, Optional, 2_000)?;
        c.text("positive_and_negative", &entry.positive_and_negative, Optional, 2_000)
    })
}

/// Item 12.
fn updates(m: &w::Item12Updates, c: &mut Check) -> Checked {
    c.range("next_review_s", m.next_review_s, 0..=MAX_TIME)?;
    c.text("changed_since_last", &m.changed_since_last, Optional, LONG)?;
    c.ids("supersedes_messages", &m.supersedes_messages, 32)?;
    if m.nothing_changed && !m.changed_since_last.is_empty() {
        return Err(c.fault("nothing_changed", Fault::Contradiction));
    }
    Ok(())
}

fn warn(m: &CaseIntake, leg: Leg, role: Role, c: &mut Check) {
    let subjects = m.who.iter().flat_map(|item| &item.subjects);
    if subjects.clone().any(|s| strict::<Answer>(s.under_18) == Answer::Yes) {
        c.warnings.push(Warning::ChildConcerned);
    }
    if tells(m) && m.who.is_none() && !m.more_follows {
        c.warnings.push(Warning::NobodyNamed);
    }
    let person_asks = side(leg, role) == Some(Side::Asking);
    if tells(m) && person_asks && role != Role::Defender {
        c.warnings.push(Warning::ToldByOther);
    }
}
