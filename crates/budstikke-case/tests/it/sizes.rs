//! Sizes on the wire, printed with `--nocapture` and pinned: growth is a decision.

use crate::common::{MISSION, emergency, free_text, from_heron, in_force, intake, receipt, terms};
use budstikke_case::wire as w;
use budstikke_case::{Body, Draft, Hash, MAX_CONTENT};

/// SPEC.md section 2: what one data cell carries.
const ENVELOPE: usize = 14_960;

fn with_everything(hash: Hash) -> Draft {
    from_heron().case([9; 16]).terms(hash).seq(3).in_reply_to([8; 16])
}

#[test]
fn measured() {
    let (_, hash) = in_force();
    let offer = w::ChannelOffer { terms: terms("terms-offer.toml").encode().0 };
    let mission = Draft::new(crate::common::LEG, w::Role::MissionContactPerson, [1; 16], 60);
    let offer = mission.build(offer).unwrap().bytes.len();
    let accept = w::TermsAcceptance {
        terms_hash: hash.to_vec(),
        privacy_notice_hash: hash.to_vec(),
        expectations_understood: true,
    };
    let size = |body: Body| with_everything(hash).build(body).unwrap().bytes.len();
    let measured = [
        ("receipt", size(receipt(w::ReceiptKind::Delivered))),
        ("acceptance", size(accept.into())),
        ("emergency", size(emergency().into())),
        ("letter of 600 bytes", size(free_text(&"a".repeat(600)))),
        ("offer", offer),
        ("intake with three incidents", size(intake("intake-heron.toml").intake.into())),
        ("emergency at every limit", size(largest_emergency().into())),
        ("eight incidents, 3-byte script", size(eight_incidents().into())),
    ];
    for (what, bytes) in measured {
        println!("{what}: {bytes} B");
    }
    let pinned = [161, 210, 495, 745, 709, 3_146, 1_943, 14_848];
    assert_eq!(measured.map(|(_, bytes)| bytes), pinned);
    assert!(measured.iter().all(|(_, bytes)| *bytes <= ENVELOPE));
    assert!(measured[6].1 <= 2_048, "one screen");
}

/// Every text at its limit, in a script of three bytes a character.
fn largest_emergency() -> w::EmergencyContact {
    let text = |bytes: usize| "ა".repeat(bytes / 3);
    w::EmergencyContact {
        what: vec![1; 8],
        what_is_happening: text(600),
        r#where: text(200),
        since: Some(w::FuzzyTime {
            earliest_s: Some(1_793_868_000),
            latest_s: Some(1_793_868_000),
            as_told: text(120),
            utc_offset_min: 840,
        }),
        i_need: text(300),
        do_not_want: text(300),
        reach_me: text(200),
        who: text(32),
        urgency: 4,
        people_in_danger: 100_000,
        children_affected: 1,
    }
}

fn eight_incidents() -> w::CaseIntake {
    let incident = w::IncidentRecord {
        types: vec![1],
        when: Some(budstikke_case::time::fuzzy("2026-11-03", 180)),
        what_happened: "ა".repeat(600),
        ..w::IncidentRecord::default()
    };
    w::CaseIntake { incidents: vec![incident; 8], more_follows: true, ..w::CaseIntake::default() }
}

#[test]
fn the_hard_cap_is_60_kib() {
    let mut case = eight_incidents();
    case.incidents.resize(64, case.incidents[0].clone());
    let refusal = from_heron().build(case.clone()).unwrap_err();
    let limit = MAX_CONTENT.to_string();
    assert!(refusal.details().contains(&("limit", limit)), "{refusal}");
    case.incidents.truncate(30);
    assert!(from_heron().to(MISSION).build(case).unwrap().bytes.len() < MAX_CONTENT);
}
