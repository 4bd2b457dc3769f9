//! HERON, the mission `no.emb.karvonia`, and their terms.

use budstikke_case::file::{EmergencyFile, Format, IntakeFile, PrivacyNoticeFile, TermsFile};
use budstikke_case::wire::{self as w, Purpose};
use budstikke_case::{
    Body, Built, Draft, Hash, Leg, Passage, Phase, Refusal, Role, Side, TermsEvent, TermsState,
};

/// 5 November 2026, 11:40 in Karvonia (UTC+3).
pub(crate) const NOW: i64 = 1_793_868_000;
pub(crate) const MISSION: &str = "no.emb.karvonia";
pub(crate) const LEG: Leg = Leg::DefenderMission;
pub(crate) const ID: [u8; 16] = [7; 16];

pub(crate) fn data(name: &str) -> String {
    let path = format!("{}/../../tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(crate) fn intake(name: &str) -> IntakeFile {
    IntakeFile::parse(&data(name), Format::of_name(name)).unwrap()
}

pub(crate) fn terms(name: &str) -> TermsFile {
    TermsFile::parse(&data(name), Format::Toml, NOW).unwrap()
}

pub(crate) fn emergency() -> w::EmergencyContact {
    EmergencyFile::parse(&data("emergency.toml"), Format::Toml).unwrap().emergency
}

pub(crate) fn privacy_notice() -> w::PrivacyNotice {
    PrivacyNoticeFile::parse(&data("privacy-notice.toml"), Format::Toml, NOW).unwrap().notice
}

/// A leg on which the mission has published its offer and its emergency terms.
pub(crate) fn offered() -> TermsState {
    let mut state = TermsState::new(LEG);
    for name in ["terms-offer.toml", "terms-emergency.toml"] {
        let (terms, _) = terms(name).encode();
        state.apply(TermsEvent::Offered { by: Side::Offering, terms }, NOW).unwrap();
    }
    state
}

/// The same with HERON's counter agreed on.
pub(crate) fn in_force() -> (TermsState, Hash) {
    let mut state = offered();
    let counters = state.offers().next().unwrap().0;
    let (terms, hash) = terms("terms-counter.toml").encode();
    state.apply(TermsEvent::Countered { by: Side::Asking, terms, counters }, NOW).unwrap();
    accept(&mut state, Side::Offering, hash).unwrap();
    assert_eq!(accept(&mut state, Side::Asking, hash), Ok(Phase::InForce));
    (state, hash)
}

pub(crate) fn accept(state: &mut TermsState, by: Side, hash: Hash) -> Result<Phase, Refusal> {
    state.apply(TermsEvent::Accepted { by, hash, notice: None }, NOW)
}

/// From HERON to the mission.
pub(crate) fn from_heron() -> Draft {
    Draft::new(LEG, Role::Defender, ID, NOW).to(MISSION).purpose(Purpose::Protection)
}

/// From the contact person to HERON.
pub(crate) fn from_mission() -> Draft {
    Draft::new(LEG, Role::MissionContactPerson, ID, NOW).purpose(Purpose::Protection)
}

pub(crate) fn letter(draft: Draft) -> Built {
    draft.build(free_text("The nets are drying.")).unwrap()
}

pub(crate) fn free_text(text: &str) -> Body {
    w::FreeText { text: text.to_owned(), distressing: false }.into()
}

pub(crate) fn receipt(kind: w::ReceiptKind) -> Body {
    let mut receipt =
        w::Receipt { kind: kind.into(), message_id: ID.to_vec(), ..w::Receipt::default() };
    if kind == w::ReceiptKind::Refused {
        "T01".clone_into(&mut receipt.code);
    }
    receipt.into()
}

pub(crate) fn to_mission() -> Passage<'static> {
    Passage::new(w::Transport::RelayQuic, MISSION)
}

pub(crate) fn to_heron() -> Passage<'static> {
    Passage::new(w::Transport::RelayQuic, "")
}

pub(crate) fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
    result.unwrap_err().code()
}
