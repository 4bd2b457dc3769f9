//! Box 2.6. Incidents are shown in the order of their times; the order told is the message's.

use super::{Lines, Sections};
use crate::wire as w;
use crate::wire::Answer;

pub(super) fn intake(m: &w::CaseIntake, s: &mut Sections) {
    if let Some(wish) = &m.wish {
        // First, because nothing may be done against it.
        s.add("view-wish", |l| {
            l.text("view-do-not-want", &wish.do_not_want);
            l.text("view-want", &wish.want);
        });
    }
    s.each("view-subject", m.who.as_ref().map_or(&[], |who| &who.subjects), subject);
    if let Some(what) = &m.what {
        s.add("view-what", |l| {
            l.words::<w::Theme>("view-themes", &what.themes);
            l.text("view-activities", &what.activities);
            l.text("view-works-in", &what.works_in);
            l.word::<Answer>("view-outside-capital", what.outside_capital);
            l.text("view-describes-themselves", &what.how_they_describe_themselves);
            l.text("view-gender-specific", &what.gender_specific);
        });
    }
    let mut incidents: Vec<_> = m.incidents.iter().collect();
    incidents.sort_by_key(|i| i.when.as_ref().and_then(|w| w.earliest_s.or(w.latest_s)));
    s.each("view-incident", &incidents, |l, i| incident(l, i));
    if let Some(link) = &m.link {
        s.add("view-link", |l| self::link(l, link));
    }
    if let Some(alleged) = &m.alleged {
        s.each("view-alleged-actor", &alleged.actors, actor);
        s.add("view-witnesses", |l| {
            l.number("view-witness-count", alleged.witnesses);
            l.texts("view-witness-refs", &alleged.witness_refs);
            l.word::<Answer>("view-witnesses-agree", alleged.witnesses_agree_to_be_contacted);
        });
    }
    if let Some(authorities) = &m.authorities {
        s.add("view-authorities", |l| {
            l.word::<Answer>("view-reported", authorities.reported);
            l.text("view-reported-by", &authorities.reported_by);
            l.told("view-reported-when", authorities.reported_when.as_ref());
            l.text("view-response", &authorities.response);
            l.word::<Answer>("view-public", authorities.publicly_available);
            l.text("view-public-where", &authorities.public_where);
        });
    }
    s.each("view-other", &m.others, |l, other| {
        l.word::<w::OtherActorKind>("view-other-kind", other.kind);
        l.text("view-other-who", &other.who);
        l.told("view-when", other.when.as_ref());
        l.text("view-response", &other.response);
    });
    mission(m, s);
    s.add("view-updates", |l| {
        if let Some(updates) = &m.updates {
            l.moment("view-next-review", updates.next_review_s);
            l.text("view-changed", &updates.changed_since_last);
            l.flag("view-nothing-changed", updates.nothing_changed);
            l.number("view-supersedes", updates.supersedes_messages.len() as u64);
        }
        l.flag("view-more-follows", m.more_follows);
        l.texts("view-not-now", &items(&m.not_now));
        l.texts("view-rather-not-say", &items(&m.rather_not_say));
    });
}

pub(super) fn items(numbers: &[u32]) -> Vec<String> {
    numbers.iter().map(u32::to_string).collect()
}

fn subject(l: &mut Lines, m: &w::Subject) {
    l.text("view-alias", &m.r#ref);
    l.word::<w::SubjectKind>("view-subject-kind", m.kind);
    l.text("view-linked-to", &m.linked_to);
    l.text("view-linked-how", &m.linked_how);
    l.word::<Answer>("view-under-18", m.under_18);
}

fn incident(l: &mut Lines, m: &w::IncidentRecord) {
    l.told("view-when", m.when.as_ref());
    l.words::<w::IncidentType>("view-incident-types", &m.types);
    l.text("view-where", &m.r#where);
    l.text("view-what-happened", &m.what_happened);
    l.texts("view-happened-to", &m.happened_to);
    l.text("view-how-threat-was-made", &m.how_threat_was_made);
    l.word::<Answer>("view-still-going-on", m.still_going_on);
    let Some(d) = &m.detention else { return };
    l.text("view-held-where", &d.held_where);
    l.word::<Answer>("view-lawyer", d.lawyer);
    l.word::<Answer>("view-family-visits", d.family_visits);
    l.word::<Answer>("view-medicine", d.medicine);
    l.word::<Answer>("view-medical-help", d.medical_help);
    l.text("view-conditions", &d.conditions);
    l.text("view-charge", &d.charge);
    l.text("view-court-case", &d.court_case);
    l.told("view-next-hearing", d.next_hearing.as_ref());
    l.word::<Answer>("view-house-arrest", d.house_arrest);
    l.told("view-released", d.released.as_ref());
}

fn link(l: &mut Lines, m: &w::Item04Link) {
    l.word::<Answer>("view-because-of-work", m.because_of_their_work);
    l.text("view-why-they-think-so", &m.why_they_think_so);
    l.word::<Answer>("view-earlier-incidents", m.earlier_incidents);
    l.text("view-earlier-incidents-what", &m.earlier_incidents_what);
    l.word::<Answer>("view-others-similar", m.others_in_similar_situation);
    l.text("view-others-what", &m.others_what);
    l.word::<Answer>("view-reprisal", m.reprisal_for_un_or_mission_contact);
    l.text("view-reprisal-what", &m.reprisal_what);
}

/// Every label says "alleged": these are claims about people who have not been heard.
fn actor(l: &mut Lines, m: &w::AllegedActor) {
    l.word::<w::ActorKind>("view-alleged-kind", m.kind);
    l.number("view-alleged-number", m.number);
    l.text("view-alleged-gender", &m.gender);
    l.text("view-alleged-title-or-unit", &m.title_or_unit);
    l.text("view-alleged-name", &m.name);
    l.word::<Answer>("view-alleged-state-link", m.state_or_armed_link);
    l.text("view-alleged-why", &m.why_suspected);
}

/// Items 8 to 11.
fn mission(m: &w::CaseIntake, s: &mut Sections) {
    if let Some(source) = &m.source {
        s.add("view-source", |l| {
            l.word::<w::SourceKind>("view-source-kind", source.kind);
            l.text("view-source-who", &source.who);
            l.text("view-source-how", &source.how_received);
            l.word::<w::Reliability>("view-reliability", source.reliability);
            l.number("view-independent-sources", source.independent_sources);
            l.strict::<Answer>("view-may-be-named", source.may_be_named_to_ministry);
        });
    }
    if let Some(contact) = &m.contact {
        s.add("view-contact", |l| {
            l.word::<Answer>("view-known-before", contact.known_before);
            l.word::<Answer>("view-on-trusted-list", contact.on_trusted_list);
        });
        s.each("view-contact-entry", &contact.entries, |l, entry| {
            l.told("view-when", entry.when.as_ref());
            l.text("view-contact-what", &entry.what);
        });
    }
    if let Some(actions) = &m.actions {
        s.add("view-actions", |l| {
            l.text("view-risk-assessments", &actions.risk_assessments_made);
            l.text("view-embassy-could", &actions.embassy_could);
            l.text("view-work-with", &actions.work_with);
        });
    }
    s.each("view-result", m.results.as_ref().map_or(&[], |r| &r.entries), |l, entry| {
        l.told("view-when", entry.when.as_ref());
        l.text("view-action", &entry.action);
        l.text("view-new-contacts", &entry.new_contacts);
        l.text("view-new-incidents", &entry.new_incidents);
        l.text("view-security", &entry.security);
        l.text("view-relations", &entry.relations_with_authorities);
        l.text("view-family", &entry.family_situation);
        l.text("view-positive-negative", &entry.positive_and_negative);
    });
}
