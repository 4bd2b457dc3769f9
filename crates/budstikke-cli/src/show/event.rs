//! What happened while messages came and went.

use budstikke::Event;
use serde_json::{Map, Value, json};

use crate::{
    catalogue::{Catalogue, t},
    show::time,
};

/// One sentence.
pub(crate) fn sentence(event: &Event, catalogue: &Catalogue) -> String {
    match event {
        Event::ContactArrived { contact, emergency: true } => {
            t!(catalogue, "event-contact-emergency", id = contact.as_str())
        }
        Event::ContactArrived { contact, .. } => {
            t!(catalogue, "event-contact-arrived", id = contact.as_str())
        }
        Event::ContactTaken { contact } => {
            t!(catalogue, "event-contact-taken", id = contact.as_str())
        }
        Event::CaseOpened { case } => t!(catalogue, "event-case-opened", id = case.as_str()),
        Event::TermsProposed { case } => t!(catalogue, "event-terms-proposed", id = case.as_str()),
        Event::TermsInForce { case } => t!(catalogue, "event-terms-in-force", id = case.as_str()),
        Event::MessageReceived { case, number, kind } => {
            let kind = catalogue.maybe(&format!("kind-{kind}")).unwrap_or_else(|| kind.clone());
            t!(catalogue, "event-message", id = case.as_str(), number = *number, kind = kind)
        }
        Event::MessageRefused { case, code, .. } => {
            t!(catalogue, "event-message-refused", id = case.as_str(), code = code.as_str())
        }
        Event::MessageAtRelay { case, number } => {
            t!(catalogue, "event-at-relay", id = case.as_str(), number = *number)
        }
        Event::HandoverChanged { .. } => t!(catalogue, "event-handover-changed"),
        Event::HandoverOffered { .. } => t!(catalogue, "event-handover-offered"),
        Event::HandoverObjected { case } => {
            t!(catalogue, "event-handover-objected", id = case.as_str())
        }
        Event::Receipt { case, number } => {
            t!(catalogue, "event-receipt", id = case.as_str(), number = *number)
        }
        Event::MembersChanged { case: Some(case) } => {
            t!(catalogue, "event-members", id = case.as_str())
        }
        Event::MembersChanged { case: None } => t!(catalogue, "event-team"),
        Event::KeyChanged { case } => t!(catalogue, "event-key-changed", id = case.as_str()),
        Event::RemovedFromCase { case } => {
            t!(catalogue, "event-removed-from", id = case.as_str())
        }
        Event::RemovedFromTeam => t!(catalogue, "event-removed-from-team"),
        Event::DeviceEnrolled { officer } => {
            t!(catalogue, "event-device-enrolled", officer = officer.as_str())
        }
        Event::JoinAnswered => t!(catalogue, "event-join-answered"),
        Event::JoinRefused { why } => {
            let cause = crate::errors::sentence(&why.to_string());
            t!(catalogue, "event-join-refused", cause = cause)
        }
        Event::CommitLost { .. } => t!(catalogue, "event-commit-lost"),
        Event::HistoryBroken { case, from, missing, numbers } => t!(
            catalogue,
            "event-history",
            id = case.as_str(),
            who = from.as_str(),
            count = *missing,
            numbers = super::case::numbers(numbers)
        ),
        Event::MessageLate { case, from, number } => t!(
            catalogue,
            "event-message-late",
            id = case.as_str(),
            who = from.as_str(),
            number = *number
        ),
        Event::DuplicateIgnored { case, .. } => {
            t!(catalogue, "event-duplicate", id = case.as_str())
        }
        Event::ChangesWithheld { case, since } => {
            t!(catalogue, "event-withheld", id = case.as_str(), at = time::moment(*since))
        }
        Event::RelayEquivocated { .. } => t!(catalogue, "event-equivocated"),
        Event::CaseFrozen { case } => t!(catalogue, "event-frozen", id = case.as_str()),
        Event::AskedToBeAddedAgain { case } => {
            t!(catalogue, "event-asks-again", id = case.as_str())
        }
        Event::AskedToTakeOver { case, who } => {
            t!(catalogue, "event-asks-to-take-over", id = case.as_str(), who = who.as_str())
        }
        Event::HoldersChanged { holders } => {
            t!(catalogue, "event-holders-changed", holders = holders.join(", "))
        }
        Event::ReserveOpened { leaver, by } => {
            t!(catalogue, "event-reserve-opened", leaver = leaver.as_str(), by = by.as_str())
        }
        Event::AskedForNewGroup { case } => {
            t!(catalogue, "event-asks-new-group", id = case.as_str())
        }
        Event::CaseRecovered { case, new_group: true } => {
            t!(catalogue, "event-recovered-new-group", id = case.as_str())
        }
        Event::CaseRecovered { case, .. } => t!(catalogue, "event-recovered", id = case.as_str()),
        Event::AlertNear { alert } => t!(catalogue, "event-alert-near", alert = alert.as_str()),
        Event::AlertOverdue { alert } => {
            t!(catalogue, "event-alert-overdue", alert = alert.as_str())
        }
        Event::AlertPassedOn { alert } => {
            t!(catalogue, "event-alert-passed-on", alert = alert.as_str())
        }
        Event::AlertNotPassedOn { alert } => {
            t!(catalogue, "event-alert-not-passed-on", alert = alert.as_str())
        }
        Event::AlertOpenAgain { alert } => {
            t!(catalogue, "event-alert-open-again", alert = alert.as_str())
        }
        Event::AlertForYou { alert } => {
            t!(catalogue, "event-alert-for-you", alert = alert.as_str())
        }
        Event::AlertExhausted { alert } => {
            t!(catalogue, "event-alert-exhausted", alert = alert.as_str())
        }
        Event::AlertTaken { alert } => t!(catalogue, "event-alert-taken", alert = alert.as_str()),
        Event::CertificateEnds(status) => super::certificate::sentence(status, catalogue),
        Event::CertificateRenewed { not_after } => {
            t!(catalogue, "event-certificate-renewed", at = super::time::moment(*not_after))
        }
        Event::DirectoryForked { .. } => t!(catalogue, "event-directory-forked"),
        Event::Problem { what } => {
            t!(catalogue, "event-problem", cause = crate::errors::sentence(what))
        }
        _ => String::new(),
    }
}

/// Whether somebody has to look now.
pub(crate) fn loud(event: &Event) -> bool {
    matches!(
        event,
        Event::AlertNear { .. }
            | Event::AlertOverdue { .. }
            | Event::AlertPassedOn { .. }
            | Event::AlertNotPassedOn { .. }
            | Event::AlertOpenAgain { .. }
            | Event::AlertForYou { .. }
            | Event::AlertExhausted { .. }
            | Event::RelayEquivocated { .. }
            | Event::CaseFrozen { .. }
            | Event::ChangesWithheld { .. }
            | Event::DirectoryForked { .. }
    )
}

/// `{"event": "message_received", …}` with stable names.
pub(crate) fn json(event: &Event) -> Map<String, Value> {
    let value = match event {
        Event::ContactArrived { contact, emergency } => {
            json!({"event": "contact_arrived", "contact": contact, "emergency": emergency})
        }
        Event::ContactTaken { contact } => json!({"event": "contact_taken", "contact": contact}),
        Event::CaseOpened { case } => json!({"event": "opened", "conversation": case}),
        Event::TermsProposed { case } => json!({"event": "terms_proposed", "conversation": case}),
        Event::TermsInForce { case } => json!({"event": "terms_in_force", "conversation": case}),
        Event::MessageReceived { case, number, kind } => json!({
            "event": "message_received", "conversation": case, "number": number, "kind": kind,
        }),
        Event::MessageRefused { case, number, code } => json!({
            "event": "message_refused", "conversation": case, "number": number, "code": code,
        }),
        Event::MessageAtRelay { case, number } => {
            json!({"event": "message_at_relay", "conversation": case, "number": number})
        }
        Event::HandoverChanged { handover } => {
            json!({"event": "handover_changed", "handover": handover})
        }
        Event::HandoverOffered { handover } => {
            json!({"event": "handover_offered", "handover": handover})
        }
        Event::HandoverObjected { case } => {
            json!({"event": "handover_objected", "conversation": case})
        }
        Event::Receipt { case, number } => {
            json!({"event": "receipt", "conversation": case, "number": number})
        }
        Event::MembersChanged { case } => {
            json!({"event": "members_changed", "conversation": case})
        }
        Event::KeyChanged { case } => json!({"event": "key_changed", "conversation": case}),
        Event::RemovedFromCase { case } => {
            json!({"event": "removed_from_conversation", "conversation": case})
        }
        Event::RemovedFromTeam => json!({"event": "removed_from_team"}),
        Event::DeviceEnrolled { officer } => {
            json!({"event": "device_enrolled", "officer": officer})
        }
        Event::JoinAnswered => json!({"event": "join_answered"}),
        Event::JoinRefused { why } => {
            json!({"event": "join_refused", "why": why.to_string()})
        }
        Event::CommitLost { case } => json!({"event": "commit_lost", "conversation": case}),
        Event::HistoryBroken { case, from, missing, numbers } => json!({
            "event": "history_broken", "conversation": case, "from": from,
            "missing": missing, "numbers": numbers,
        }),
        Event::MessageLate { case, from, number } => json!({
            "event": "message_late", "conversation": case, "from": from, "number": number,
        }),
        Event::DuplicateIgnored { case, count } => {
            json!({"event": "duplicate_ignored", "conversation": case, "count": count})
        }
        Event::ChangesWithheld { case, since } => {
            json!({"event": "changes_withheld", "conversation": case, "since": since})
        }
        Event::RelayEquivocated { case } => {
            json!({"event": "relay_equivocated", "conversation": case})
        }
        Event::CaseFrozen { case } => json!({"event": "frozen", "conversation": case}),
        Event::AskedToBeAddedAgain { case } => {
            json!({"event": "asked_to_be_added_again", "conversation": case})
        }
        Event::AskedToTakeOver { case, who } => {
            json!({"event": "asked_to_take_over", "conversation": case, "who": who})
        }
        Event::HoldersChanged { holders } => {
            json!({"event": "holders_changed", "holders": holders})
        }
        Event::ReserveOpened { leaver, by } => {
            json!({"event": "reserve_opened", "leaver": leaver, "by": by})
        }
        Event::AskedForNewGroup { case } => {
            json!({"event": "asked_for_new_group", "conversation": case})
        }
        Event::CaseRecovered { case, new_group } => {
            json!({"event": "recovered", "conversation": case, "new_group": new_group})
        }
        Event::AlertNear { alert } => json!({"event": "alert_near", "alert": alert}),
        Event::AlertOverdue { alert } => json!({"event": "alert_overdue", "alert": alert}),
        Event::AlertPassedOn { alert } => json!({"event": "alert_passed_on", "alert": alert}),
        Event::AlertNotPassedOn { alert } => {
            json!({"event": "alert_not_passed_on", "alert": alert})
        }
        Event::AlertOpenAgain { alert } => json!({"event": "alert_open_again", "alert": alert}),
        Event::AlertForYou { alert } => json!({"event": "alert_for_you", "alert": alert}),
        Event::AlertExhausted { alert } => json!({"event": "alert_exhausted", "alert": alert}),
        Event::AlertTaken { alert } => json!({"event": "alert_taken", "alert": alert}),
        Event::CertificateEnds(status) => {
            let mut value = super::certificate::one(status);
            if let Value::Object(map) = &mut value {
                map.insert("event".into(), "certificate_ends".into());
            }
            value
        }
        Event::CertificateRenewed { not_after } => {
            json!({"event": "certificate_renewed", "not_after": not_after})
        }
        Event::DirectoryForked { number } => {
            json!({"event": "directory_forked", "number": number})
        }
        Event::Problem { what } => json!({"event": "problem", "what": what}),
        _ => json!({"event": "other"}),
    };
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
