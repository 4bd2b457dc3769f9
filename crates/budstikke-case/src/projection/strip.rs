//! Which parts of an intake a brief has.

use super::Material;
use crate::refusal::Refusal;
use crate::wire as w;
use crate::wire::{CaseBrief, IdentityLevel, LeftOut, LeftOutWhy};

/// The brief without what never leaves; texts are not masked yet.
pub(super) fn strip(m: &Material<'_>) -> CaseBrief {
    let intake = m.intake;
    let mut left_out = Vec::new();
    let mut leave = |field: String, why: LeftOutWhy| {
        left_out.push(LeftOut { field, why: why.into() });
    };
    let subjects = intake.who.as_ref().map_or(&[][..], |who| &who.subjects);
    for (index, subject) in subjects.iter().enumerate() {
        if !m.persons.contains(&subject.r#ref) {
            leave(format!("who.subjects[{index}]"), LeftOutWhy::ThirdParty);
        }
    }
    for (index, sheet) in m.identity.iter().enumerate() {
        if !m.persons.contains(&sheet.subject_ref) || m.level != IdentityLevel::Name {
            leave(format!("identity[{index}]"), LeftOutWhy::Identity);
        }
    }
    let mut incidents = intake.incidents.clone();
    for (index, incident) in incidents.iter_mut().enumerate() {
        let before = incident.happened_to.len();
        incident.happened_to.retain(|alias| m.persons.contains(alias));
        if incident.happened_to.len() != before {
            leave(format!("incidents[{index}].happened_to"), LeftOutWhy::ThirdParty);
        }
    }
    let mut alleged = intake.alleged.clone();
    if let Some(alleged) = &mut alleged {
        for (index, actor) in alleged.actors.iter_mut().enumerate() {
            if !actor.name.is_empty() {
                actor.name.clear();
                leave(format!("alleged.actors[{index}].name"), LeftOutWhy::ThirdParty);
            }
        }
        if !alleged.witness_refs.is_empty() {
            alleged.witness_refs.clear();
            leave("alleged.witness_refs".to_owned(), LeftOutWhy::ThirdParty);
        }
    }
    let mut authorities = intake.authorities.clone();
    if let Some(authorities) = &mut authorities
        && !authorities.reported_by.is_empty()
    {
        authorities.reported_by.clear();
        leave("authorities.reported_by".to_owned(), LeftOutWhy::ThirdParty);
    }
    let inside = [
        ("source", intake.source.is_some(), LeftOutWhy::Source),
        ("contact", intake.contact.is_some(), LeftOutWhy::MissionOnly),
        ("actions", intake.actions.is_some(), LeftOutWhy::MissionOnly),
        ("results", intake.results.is_some(), LeftOutWhy::MissionOnly),
        ("updates", intake.updates.is_some(), LeftOutWhy::NotNeeded),
    ];
    for (field, told, why) in inside {
        if told {
            leave(field.to_owned(), why);
        }
    }
    let source = intake.source.as_ref();
    CaseBrief {
        identity: m.level.into(),
        subjects: shown(m),
        wish: intake.wish.clone(),
        what: intake.what.clone(),
        incidents,
        link: intake.link.clone(),
        alleged,
        authorities,
        others: intake.others.clone(),
        // How good the source is, not who.
        reliability: source.map_or(0, |source| source.reliability),
        independent_sources: source.map_or(0, |source| source.independent_sources),
        assessment: m.assessment.to_owned(),
        asked_of_you: m.asked_of_you.to_owned(),
        left_out,
        ..CaseBrief::default()
    }
}

/// The people it is about, at the level agreed.
fn shown(m: &Material<'_>) -> Vec<w::BriefSubject> {
    let level = i32::from(m.level);
    let subjects = m.intake.who.as_ref().map_or(&[][..], |who| &who.subjects);
    let told = |alias: &String| subjects.iter().find(|subject| subject.r#ref == *alias);
    let sheet = |alias: &String| m.identity.iter().find(|sheet| sheet.subject_ref == *alias);
    let at = |from: IdentityLevel, text: Option<&String>| match text {
        Some(text) if level >= i32::from(from) => text.clone(),
        _ => String::new(),
    };
    let one = |alias: &String| w::BriefSubject {
        r#ref: alias.clone(),
        kind: told(alias).map_or(w::SubjectKind::Person.into(), |subject| subject.kind),
        under_18: told(alias).map_or(0, |subject| subject.under_18),
        organisation: at(IdentityLevel::Organisation, sheet(alias).map(|s| &s.organisation)),
        name: at(IdentityLevel::Name, sheet(alias).map(|s| &s.name)),
    };
    m.persons.iter().map(one).collect()
}

/// P02: the fields of a brief that are empty in every one.
pub(crate) fn is_stripped(m: &CaseBrief) -> Result<(), Refusal> {
    let named = |field: String| Err(Refusal::ThirdPartyNotStripped { field });
    if let Some(alleged) = &m.alleged {
        if let Some(index) = alleged.actors.iter().position(|actor| !actor.name.is_empty()) {
            return named(format!("alleged.actors[{index}].name"));
        }
        if !alleged.witness_refs.is_empty() {
            return named("alleged.witness_refs".to_owned());
        }
    }
    if m.authorities.as_ref().is_some_and(|a| !a.reported_by.is_empty()) {
        return named("authorities.reported_by".to_owned());
    }
    let listed = |alias: &String| m.subjects.iter().any(|subject| subject.r#ref == *alias);
    let unlisted = |incident: &w::IncidentRecord| !incident.happened_to.iter().all(listed);
    match m.incidents.iter().position(unlisted) {
        Some(index) => named(format!("incidents[{index}].happened_to")),
        None => Ok(()),
    }
}

/// Items of Box 2.6 that a brief draws on.
pub(super) fn items(m: &CaseBrief) -> Vec<u32> {
    let drawn = [
        (1, !m.subjects.is_empty()),
        (2, m.what.is_some()),
        (3, !m.incidents.is_empty()),
        (4, m.link.is_some()),
        (5, m.alleged.is_some()),
        (6, m.authorities.is_some()),
        (7, !m.others.is_empty()),
    ];
    drawn.into_iter().filter(|(_, drawn)| *drawn).map(|(item, _)| item).collect()
}
