//! What travels as bytes inside messages, and what is done with it: nothing made of random bytes proves anything.
#![no_main]

use budstikke_case::action::review;
use budstikke_case::carried::{Carried, decode};
use budstikke_case::consent::{Ledger, check_status, verify, verify_record, verify_withdrawal};
use budstikke_case::officer::Keys;
use budstikke_case::projection::proven;
use budstikke_case::wire as w;
use budstikke_case::{Body, Leg, Received};
use libfuzzer_sys::fuzz_target;

const NOW: i64 = 1_793_868_000;

/// Every signature holds, so that what comes after it is reached; or none does.
struct Say(bool);

impl Keys for Say {
    fn verify(&self, _: &[u8], _: &'static str, _: &[u8], _: &[u8]) -> bool {
        self.0
    }

    fn certified(&self, _: &w::Officer) -> bool {
        self.0
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind {
        0 => token(rest),
        1 => each::<w::ConsentStatusBody>(rest),
        2 => each::<w::ConsentTokenBody>(rest),
        3 => each::<w::ActionPlan>(rest),
        4 => each::<w::DecisionBody>(rest),
        5 => each::<w::RiskAssessment>(rest),
        6 => each::<w::VerificationRecord>(rest),
        7 => each::<w::AlertAckBody>(rest),
        8 => each::<w::ConsentWithdrawalBody>(rest),
        _ => message(data),
    }
});

/// The bytes are what is hashed; to read them twice is to read the same.
fn each<M: Carried + PartialEq>(data: &[u8]) {
    if let Ok(one) = decode::<M>(data) {
        assert!(decode::<M>(data).unwrap() == one);
    }
}

fn token(data: &[u8]) {
    let Ok(token) = decode::<w::ConsentToken>(data) else { return };
    assert!(verify(&token, &Say(false)).is_err());
    let Ok(statement) = verify(&token, &Say(true)) else { return };
    assert_eq!(statement.claims.len(), token.disclosed.len());
    let body = Ledger::new().status(&statement, &[w::Scope::Demarche], NOW);
    assert!(body.affirmed_at_s <= NOW);
}

/// A whole message, as a receiver whose members all sign soundly would look at it.
fn message(data: &[u8]) {
    let Ok(received) = Received::open(data.to_vec()) else { return };
    for keys in [Say(false), Say(true)] {
        match &received.content().body {
            Some(Body::ApprovalRequest(request)) => {
                let looked = review(request, None, &[], &keys, NOW);
                assert!(keys.0 || looked.is_err());
                let Ok(looked) = looked else { continue };
                let yes = looked.decision([1; 16], w::Verdict::Approved, NOW);
                assert_eq!(yes.is_err(), !looked.refusals.is_empty());
            }
            Some(Body::CaseBrief(brief)) => {
                for leg in [Leg::MissionMinistry, Leg::MissionMultilateralMission] {
                    let proofs = proven(brief, leg, &keys);
                    assert!(keys.0 || brief.consent_tokens.is_empty() || proofs.is_err());
                }
            }
            Some(Body::ConsentRecord(record)) => {
                let Ok(statement) = verify_record(record, &keys) else { continue };
                assert!(keys.0);
                let status = w::ConsentStatus { body: record.body.clone(), by: None };
                assert!(check_status(&status, &statement, &keys, NOW).is_err());
                let taken = w::ConsentWithdrawal { body: record.body.clone(), ..<_>::default() };
                assert!(verify_withdrawal(&taken, &statement, &keys).is_err());
            }
            _ => {}
        }
    }
}
