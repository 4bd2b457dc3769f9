//! Consent: proofs that show one act and nothing else, and whose word goes before whose.

use crate::common::{NOW, code};
use crate::line::{
    DAY, HOUR, a, b, directory, giving, heron, k, ledger, person, rng, signed, statement, status,
    token,
};
use budstikke_case::carried::decode;
use budstikke_case::consent::{self, Ask, Suspension};
use budstikke_case::officer::{ATTEST_DOMAIN, WITHDRAWAL_NOTED_DOMAIN};
use budstikke_case::wire::{
    self as w, Activation, Choice, GiverBasis, IdentityLevel, Role, Scope, Urgency,
};
use budstikke_case::{Hash, Refusal};
use proptest::prelude::*;
use prost::Message as _;

const FILE: &str = "consent-demarche.toml";

fn ask(scope: Scope, identity: IdentityLevel) -> Ask {
    Ask::new(scope, identity, Urgency::Routine)
}

fn demarche() -> Ask {
    ask(Scope::Demarche, IdentityLevel::Organisation)
}

fn claim(scope: Scope, choice: Choice) -> w::ConsentClaim {
    w::ConsentClaim {
        scope: scope.into(),
        choice: choice.into(),
        identity: IdentityLevel::Name.into(),
        activation: Activation::Always.into(),
        ..w::ConsentClaim::default()
    }
}

/// Somebody's single answer about HERON, as the ledger takes it.
fn says(basis: GiverBasis, at: i64, scope: Scope, choice: Choice) -> consent::Statement {
    let mut said = statement(FILE, at);
    said.record_id = vec![u8::try_from(i32::from(basis)).unwrap(), u8::try_from(at % 200).unwrap()];
    said.token_hash = budstikke_case::hash::consent_hash(&said.record_id);
    (said.basis, said.claims) = (basis, vec![claim(scope, choice)]);
    (said.given_at_s, said.affirmed_at_s, said.expires_at_s) = (at, at, at + 60 * DAY);
    said
}

#[test]
fn a_token_shows_one_act_among_48_digests() {
    let record = signed(FILE, NOW);
    let token = token(&record, &[Scope::Demarche]);
    let proven = consent::verify(&token, &directory()).unwrap();
    assert_eq!(proven.claims.len(), 1);
    assert_eq!((proven.person.as_str(), proven.basis), ("HERON", GiverBasis::Self_));
    let body: w::ConsentTokenBody = decode(&token.body).unwrap();
    assert_eq!(body.digests.len(), 48);
    assert!(body.digests.is_sorted());
    // Whoever answers two questions or five shows the same: no other scope, no number of them.
    let mut fewer = giving(FILE, NOW);
    fewer.claims.truncate(2);
    let fewer = fewer.sign(heron().public(), &mut rng(2), heron().signs()).unwrap();
    let other = self::token(&fewer, &[Scope::Demarche]);
    assert_eq!(other.encoded_len(), token.encoded_len());
    let bytes = token.encode_to_vec();
    for hidden in record.claims.iter().filter(|one| !token.disclosed.contains(one)) {
        assert!(!contains(&bytes, &hidden.claim) && !contains(&bytes, &hidden.salt));
    }
}

/// Golden value: SHA-256("budstikke-consent-claim-v1" ‖ 16 × 0x01 ‖ 0x080410021802), computed by
/// another implementation.
#[test]
fn digest_is_pinned() {
    struct Ones;
    impl rand_core::RngCore for Ones {
        fn next_u32(&mut self) -> u32 {
            0x0101_0101
        }
        fn next_u64(&mut self) -> u64 {
            0x0101_0101_0101_0101
        }
        fn fill_bytes(&mut self, dest: &mut [u8]) {
            dest.fill(1);
        }
        fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
            dest.fill(1);
            Ok(())
        }
    }
    impl rand_core::CryptoRng for Ones {}
    let mut giving = giving(FILE, NOW);
    giving.claims = vec![w::ConsentClaim {
        scope: Scope::Demarche.into(),
        choice: Choice::Granted.into(),
        identity: IdentityLevel::Organisation.into(),
        ..w::ConsentClaim::default()
    }];
    let record = giving.oral(&mut Ones).unwrap();
    assert_eq!(record.claims[0].claim, [0x08, 4, 0x10, 2, 0x18, 2]);
    let body: w::ConsentTokenBody = decode(&record.body).unwrap();
    let real: Vec<_> = body.digests.iter().filter(|digest| **digest != [1; 32]).collect();
    let hex = Hash::from_slice(real[0]).unwrap().to_string();
    assert_eq!((real.len(), hex.as_str()), (1, GOLDEN));
}

const GOLDEN: &str = "e8c1185eacc3b5ee8f9336f5aaf179dafe5f0eb7750da0b7aebf84ddeb20f370";

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn c10_every_step_of_a_proof() {
    let record = signed(FILE, NOW);
    let good = || token(&record, &[Scope::Demarche]);
    let step = |token: w::ConsentToken| match consent::verify(&token, &directory()) {
        Err(Refusal::ConsentProofInvalid { step }) => step,
        other => panic!("{:?}", other.map(|_| ())),
    };
    let mut token = good();
    token.disclosed[0].salt[0] ^= 1;
    assert_eq!(step(token), "digest");
    // A yes that was never given, with a salt of its own.
    let mut token = good();
    token.disclosed[0].claim = claim(Scope::OfficialStatement, Choice::Granted).encode_to_vec();
    assert_eq!(step(token), "digest");
    let mut token = good();
    token.disclosed.push(token.disclosed[0].clone());
    assert_eq!(step(token), "digest");
    let mut token = good();
    token.giver_signature[0] ^= 1;
    assert_eq!(step(token), "giver");
    let mut token = good();
    token.attestations.clear();
    assert_eq!(step(token), "officer");
    let mut token = good();
    token.attestations[0].signature[5] ^= 1;
    assert_eq!(step(token), "officer");
    // Nobody of the Ministry attests for a mission, and nobody unknown for anybody.
    let mut token = good();
    token.attestations = vec![k().attests(ATTEST_DOMAIN, &token.body)];
    assert_eq!(step(token), "officer-role");
    let mut token = good();
    let stranger = person("Officer A", "no.emb.karelvia", Role::MissionContactPerson);
    token.attestations = vec![stranger.attests(ATTEST_DOMAIN, &token.body)];
    assert_eq!(step(token), "officer");
    // A signature made for another purpose.
    let mut token = good();
    token.attestations = vec![a().attests(WITHDRAWAL_NOTED_DOMAIN, &token.body)];
    assert_eq!(step(token), "officer");
    let edit = |edit: fn(&mut w::ConsentTokenBody)| {
        let mut token = good();
        let mut body: w::ConsentTokenBody = decode(&token.body).unwrap();
        edit(&mut body);
        token.body = body.encode_to_vec();
        step(token)
    };
    assert_eq!(edit(|body| body.digests.swap(0, 1)), "digests");
    assert_eq!(edit(|body| body.digests.truncate(47)), "digests");
    assert_eq!(edit(|body| body.evidence = 99), "evidence");
    assert_eq!(edit(|body| body.expires_at_s += 1), "giver");
}

#[test]
fn i06_oral_consent_to_a_demarche_needs_two_officers() {
    let mut giving = giving("consent-oral-sister.toml", NOW);
    giving.claims.truncate(1);
    let mut record = giving.oral(&mut rng(3)).unwrap();
    let by = |person: crate::line::Person| person.attests(ATTEST_DOMAIN, &record.body);
    let (one, other) = (by(a()), by(b()));
    record.attestations = vec![one.clone()];
    let refusal = consent::verify_record(&record, &directory()).unwrap_err();
    assert_eq!(refusal, Refusal::FourEyes { act: "attest-oral-consent" });
    // The same person twice is one person.
    record.attestations = vec![one.clone(), one.clone()];
    assert_eq!(code(consent::verify_record(&record, &directory())), "I06");
    record.attestations = vec![one, other];
    let proven = consent::verify_record(&record, &directory()).unwrap();
    assert_eq!((proven.officers, proven.oral), (2, true));
    assert_eq!(proven.basis, GiverBasis::CloseFamily);
    let ask = ask(Scope::Demarche, IdentityLevel::Alias);
    assert!(ledger([proven]).permits("REED", &ask, NOW).is_ok());
}

/// Who, how many seconds after NOW, what.
type Said = (GiverBasis, i64, Choice);

#[test]
fn the_order_of_words() {
    use GiverBasis::{CloseFamily, FriendOrColleague, LegalRepresentative, Self_};
    let table: [(&[Said], &str); 9] = [
        (&[], "C01"),
        (&[(FriendOrColleague, 0, Choice::Granted)], "C07"),
        (&[(CloseFamily, 0, Choice::Granted)], ""),
        (&[(LegalRepresentative, 0, Choice::Granted), (CloseFamily, 1, Choice::Granted)], ""),
        // Lower in the order, but a no all the same: it narrows.
        (&[(LegalRepresentative, 0, Choice::Granted), (CloseFamily, 1, Choice::Refused)], "C02"),
        (&[(Self_, 0, Choice::Refused), (LegalRepresentative, 1, Choice::Granted)], "C02"),
        (&[(Self_, 0, Choice::Granted), (CloseFamily, 1, Choice::Refused)], "C02"),
        // The person has spoken since.
        (&[(CloseFamily, 0, Choice::Refused), (Self_, 1, Choice::Granted)], ""),
        (&[(Self_, 0, Choice::Granted), (Self_, 1, Choice::Refused)], "C02"),
    ];
    for (said, expected) in table {
        let statements =
            said.iter().map(|(basis, at, choice)| says(*basis, NOW + at, Scope::Demarche, *choice));
        let got = ledger(statements);
        let got = got.permits("HERON", &demarche(), NOW + HOUR);
        assert_eq!(got.err().map_or("", |refusal| refusal.code()), expected, "{said:?}");
    }
}

#[test]
fn c03_a_wish_in_advance_speaks_when_its_time_comes() {
    let mut ledger = ledger([statement(FILE, NOW)]);
    let statement = ask(Scope::OfficialStatement, IdentityLevel::Alias);
    assert_eq!(code(ledger.permits("HERON", &statement, NOW)), "C01");
    ledger.fire(Activation::IfDetained);
    let refusal = ledger.permits("HERON", &statement, NOW).unwrap_err();
    let activation = Activation::IfDetained;
    let (person, scope) = ("HERON".to_owned(), Scope::OfficialStatement);
    assert_eq!(refusal, Refusal::AdvanceWishForbids { person, scope, activation });
    // And nobody can turn it into a yes.
    ledger.add(says(GiverBasis::CloseFamily, NOW + 1, scope, Choice::Granted));
    assert_eq!(code(ledger.permits("HERON", &statement, NOW + 2)), "C03");
}

#[test]
fn c04_taken_back_in_full_or_in_part() {
    let record = signed(FILE, NOW);
    let said = consent::verify_record(&record, &directory()).unwrap();
    let id: [u8; 16] = said.record_id.clone().try_into().unwrap();
    let part = consent::withdraw(id, &[Scope::Demarche], NOW + HOUR, "", heron().signs());
    let body = consent::verify_withdrawal(&part, &said, &directory()).unwrap();
    let mut ledger = ledger([said.clone()]);
    ledger.withdraw(&body);
    let refusal = ledger.permits("HERON", &demarche(), NOW + 2 * HOUR).unwrap_err();
    let person = "HERON".to_owned();
    assert_eq!(refusal, Refusal::ConsentWithdrawn { person, at: NOW + HOUR });
    let enquiry = ask(Scope::FormalEnquiry, IdentityLevel::Alias);
    assert!(ledger.permits("HERON", &enquiry, NOW + 2 * HOUR).is_ok());
    // To agree again is a new record.
    ledger.add(statement(FILE, NOW + 3 * HOUR + 7));
    assert!(ledger.permits("HERON", &demarche(), NOW + 4 * HOUR).is_ok());
    // Somebody else's key takes nothing back; an officer's note of it does.
    let forged = consent::withdraw(id, &[], NOW, "", a().signs());
    assert_eq!(code(consent::verify_withdrawal(&forged, &said, &directory())), "C10");
    let body = consent::withdrawal_body(id, &[], NOW, "By telephone, with the agreed word.");
    let attestations = vec![a().attests(WITHDRAWAL_NOTED_DOMAIN, &body)];
    let noted = w::ConsentWithdrawal { body, giver_signature: Vec::new(), attestations };
    assert!(consent::verify_withdrawal(&noted, &said, &directory()).is_ok());
}

/// S4: what a captor grants is void, and stays void when the person is back.
#[test]
fn c05_what_is_said_under_duress_is_void() {
    let mut ledger = ledger([statement(FILE, NOW)]);
    ledger.suspend("HERON", Suspension::Duress, NOW + HOUR);
    let captor = says(GiverBasis::Self_, NOW + 2 * HOUR, Scope::OfficialStatement, Choice::Granted);
    ledger.add(captor);
    let statement = ask(Scope::OfficialStatement, IdentityLevel::Alias);
    for ask in [&demarche(), &statement] {
        assert_eq!(code(ledger.permits("HERON", ask, NOW + 3 * HOUR)), "C05");
    }
    ledger.reached("HERON", NOW + 4 * DAY);
    assert!(ledger.permits("HERON", &demarche(), NOW + 5 * DAY).is_ok());
    assert_eq!(code(ledger.permits("HERON", &statement, NOW + 5 * DAY)), "C01");
}

#[test]
fn c06_by_kind_of_act() {
    let ledger = ledger([statement(FILE, NOW)]);
    let at = |ask: Ask, after: i64| ledger.permits("HERON", &ask, NOW - 60 + after).err();
    let flash = Ask::new(Scope::Demarche, IdentityLevel::Alias, Urgency::Flash);
    let enquiry = ask(Scope::FormalEnquiry, IdentityLevel::Alias);
    for (ask, max_s) in [(flash, 3 * DAY), (demarche(), 14 * DAY)] {
        assert_eq!(at(ask, max_s), None);
        let refusal = at(ask, max_s + 61).unwrap();
        assert!(matches!(refusal, Refusal::ConsentStale { max_s: max, .. } if max == max_s));
    }
    assert_eq!(at(enquiry, 30 * DAY), None);
    assert!(matches!(at(enquiry, 30 * DAY + 61), Some(Refusal::ConsentExpired { .. })));
    let mut renewed = ledger.clone();
    let token = ledger.about("HERON").next().unwrap().token_hash;
    renewed.affirm(token, NOW + 13 * DAY);
    assert!(renewed.permits("HERON", &demarche(), NOW + 20 * DAY).is_ok());
}

#[test]
fn c08_c09_no_more_and_no_other_words_than_agreed() {
    let ledger = ledger([statement(FILE, NOW), statement("consent-statement.toml", NOW + 1)]);
    let name = ask(Scope::Demarche, IdentityLevel::Name);
    let refusal = ledger.permits("HERON", &name, NOW + 9).unwrap_err();
    assert!(matches!(
        refusal,
        Refusal::IdentityLevelTooHigh {
            asked: IdentityLevel::Name,
            allowed: IdentityLevel::Organisation,
            ..
        }
    ));
    let words = crate::line::plan("plan-statement.toml").0;
    let words: w::ActionPlan = decode(&words).unwrap();
    let with = |text: &str| {
        let hash = budstikke_case::hash::wording_hash(text);
        ask(Scope::OfficialStatement, IdentityLevel::Alias).wording(Some(hash))
    };
    assert!(ledger.permits("HERON", &with(&words.wording), NOW + 9).is_ok());
    let comma = words.wording.replace("lawyer and", "lawyer, and");
    assert_eq!(code(ledger.permits("HERON", &with(&comma), NOW + 9)), "C09");
}

#[test]
fn c11_a_group_does_not_name_its_members() {
    let group = says(GiverBasis::GroupDecision, NOW, Scope::Demarche, Choice::Granted);
    let refusal = ledger([group.clone()]).permits("HERON", &demarche(), NOW).unwrap_err();
    assert_eq!(refusal, Refusal::GroupConsentDoesNotNameMembers { person: "HERON".to_owned() });
    let own = says(GiverBasis::Self_, NOW - 9, Scope::Demarche, Choice::Granted);
    assert!(ledger([group.clone(), own]).permits("HERON", &demarche(), NOW).is_ok());
    let group = consent::Statement { person_is_group: true, ..group };
    assert!(ledger([group]).permits("HERON", &demarche(), NOW).is_ok());
}

#[test]
fn several_people_are_an_intersection() {
    let ledger = ledger([statement(FILE, NOW)]);
    let both = ["HERON".to_owned(), "REED".to_owned()];
    let refusal = ledger.all_permit(&both, &demarche(), NOW).unwrap_err();
    let person = "REED".to_owned();
    assert_eq!(refusal, Refusal::ConsentMissing { person, scope: Scope::Demarche });
    assert!(ledger.all_permit(&both[..1], &demarche(), NOW).is_ok());
}

#[test]
fn a_status_is_an_officers_of_this_token_and_fresh() {
    let record = signed(FILE, NOW);
    let scopes = [Scope::Demarche];
    let said = consent::verify(&token(&record, &scopes), &directory()).unwrap();
    let mut ledger = ledger([said.clone()]);
    let (good, hash) = status(&ledger, &said, &scopes, NOW + HOUR);
    let check =
        |status: &w::ConsentStatus, now| consent::check_status(status, &said, &directory(), now);
    assert_eq!(check(&good, NOW + 2 * HOUR).unwrap().hash, hash);
    assert_eq!(code(check(&good, NOW + 26 * HOUR)), "C06");
    let mut bad = good.clone();
    bad.body[3] ^= 1;
    assert_eq!(code(check(&bad, NOW + HOUR)), "C10");
    let other =
        consent::Statement { token_hash: Hash::from_slice(&[9; 32]).unwrap(), ..said.clone() };
    let (other, _) = status(&ledger, &other, &scopes, NOW + HOUR);
    assert_eq!(code(check(&other, NOW + HOUR)), "C10");
    // Of something else than what is disclosed.
    let (other, _) = status(&ledger, &said, &[Scope::FormalEnquiry], NOW + HOUR);
    assert_eq!(code(check(&other, NOW + HOUR)), "C10");
    ledger.suspend("HERON", Suspension::DeviceCompromised, NOW + HOUR);
    assert_eq!(code(check(&status(&ledger, &said, &scopes, NOW + HOUR).0, NOW + HOUR)), "C05");
    let record_id = said.record_id.clone();
    ledger.withdraw(&w::ConsentWithdrawalBody {
        record_id,
        written_at_s: NOW + 9,
        ..Default::default()
    });
    let (gone, _) = status(&ledger, &said, &scopes, NOW + HOUR);
    let person = "HERON".to_owned();
    let refusal = check(&gone, NOW + HOUR).unwrap_err();
    assert_eq!(refusal, Refusal::ConsentWithdrawn { person, at: NOW + 9 });
    // A state of a newer version stops.
    let body = w::ConsentStatusBody { state: 99, ..ledger.status(&said, &scopes, NOW + HOUR) };
    let newer = consent::sign_status(&body, a().officer, a().signs());
    assert_eq!(code(check(&newer, NOW + HOUR)), "C04");
}

#[test]
fn unknown_choices_bases_and_conditions_never_permit() {
    for edit in [
        |s: &mut consent::Statement| s.claims[0].choice = 99,
        |s: &mut consent::Statement| s.claims[0].activation = 99,
        |s: &mut consent::Statement| s.claims[0].activation = 0,
        |s: &mut consent::Statement| s.claims[0].scope = 99,
        |s: &mut consent::Statement| s.basis = GiverBasis::Unspecified,
        |s: &mut consent::Statement| s.claims[0].identity = 99,
    ] {
        let mut said = says(GiverBasis::Self_, NOW, Scope::Demarche, Choice::Granted);
        edit(&mut said);
        assert!(ledger([said]).permits("HERON", &demarche(), NOW).is_err());
    }
}

proptest! {
    /// Any bytes: no panic, and no proof.
    #[test]
    fn any_bytes_prove_nothing(body: Vec<u8>, signature: Vec<u8>, claim: Vec<u8>, salt: Vec<u8>) {
        let disclosed = vec![w::SaltedClaim { salt, claim }];
        let by = w::Attestation { officer: Some(a().officer), signature: signature.clone() };
        let attestations = vec![by];
        let token = w::ConsentToken { body, giver_signature: signature, attestations, disclosed };
        prop_assert!(consent::verify(&token, &directory()).is_err());
        let record = w::ConsentRecord { body: token.body.clone(), ..w::ConsentRecord::default() };
        prop_assert!(consent::verify_record(&record, &directory()).is_err());
        prop_assert!(consent::disclose(&record, &[Scope::Demarche], vec![]).is_err());
        let said = statement(FILE, NOW);
        let status = w::ConsentStatus { body: token.body.clone(), by: None };
        prop_assert!(consent::check_status(&status, &said, &directory(), NOW).is_err());
        let withdrawal = w::ConsentWithdrawal { body: token.body, ..Default::default() };
        prop_assert!(consent::verify_withdrawal(&withdrawal, &said, &directory()).is_err());
    }

    /// A real token with one byte changed proves nothing else than it did.
    #[test]
    fn damaged_tokens(at in 0_usize..4_000, byte: u8) {
        let good = token(&signed(FILE, NOW), &[Scope::Demarche]);
        let said = consent::verify(&good, &directory()).unwrap();
        let mut bytes = good.encode_to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(token) = decode::<w::ConsentToken>(&bytes)
            && let Ok(proven) = consent::verify(&token, &directory())
        {
            prop_assert!(proven == said || proven.claims.is_empty());
        }
    }

    /// The person's own latest no is final, whatever else anybody says before or after.
    #[test]
    fn a_no_is_final(
        others in prop::collection::vec((1_i32..8, 0_i64..100, any::<bool>()), 0..12),
    ) {
        let others = others.into_iter().filter_map(|(basis, at, yes)| {
            let own = [GiverBasis::Self_, GiverBasis::Guardian, GiverBasis::GroupDecision];
            let basis = GiverBasis::try_from(basis).ok().filter(|basis| !own.contains(basis))?;
            let choice = if yes { Choice::Granted } else { Choice::Refused };
            Some(says(basis, NOW + at, Scope::Demarche, choice))
        });
        let no = says(GiverBasis::Self_, NOW + 50, Scope::Demarche, Choice::Refused);
        let ledger = ledger(others.chain([no]));
        prop_assert_eq!(code(ledger.permits("HERON", &demarche(), NOW + 200)), "C02");
    }
}
