//! Consent: what the mission's client does not go ahead with, the desk does not take from a modified one.

use budstikke::case::consent::Suspension;
use budstikke::case::file::{ConsentFile, Format};
use budstikke::case::wire::{
    ActionKind, ActionPlan, Activation, Answer, Choice, ConsentClaim, ConsentException,
    ConsentRecord, ConsentState, ConsentToken, GiverBasis, IdentityLevel, Scope,
};
use budstikke_e2ee::armor;
use budstikke_e2ee::keys::SigningKey;
use budstikke_tests::case_work::{DAY, HOUR, MINUTE, plan};
use budstikke_tests::world::data;
use prost::Message;
use rand_core::OsRng;

use crate::Provoked;
use crate::bench::{Bench, newest_consent};

const DEMARCHE: &str = "plan-demarche.toml";
const STATEMENT: &str = "plan-statement.toml";

/// Somebody's word, in the order in which it is given.
pub(crate) async fn consents(provoked: &mut Provoked) {
    let bench = Bench::new().await;
    what_was_answered(provoked, &bench).await;
    how_old_it_is(provoked, &bench).await;
    who_answered(provoked, &bench).await;
    two_officers(provoked, &bench).await;
    what_proves_it(provoked, &bench).await;
    taken_back(provoked, &bench).await;
}

/// C01 to C03, C08, C09, C12.
async fn what_was_answered(provoked: &mut Provoked, bench: &Bench) {
    let note = plan(DEMARCHE, |_| {});
    bench.both_ends(provoked, "refusal-consent-missing", &note, &[]).await;
    let yes = bench.gives(|_| {}).await;

    let post = plan(DEMARCHE, |plan| {
        plan.kind = ActionKind::SocialMediaRecognition.into();
        plan.about_person_at_risk = Answer::No.into();
    });
    bench.both_ends(provoked, "refusal-consent-refused", &post, &[&yes]).await;
    let named = plan(DEMARCHE, |plan| plan.identity = IdentityLevel::Name.into());
    bench.both_ends(provoked, "refusal-identity-level-too-high", &named, &[&yes]).await;
    let tried_once = plan(DEMARCHE, |plan| {
        plan.persons = vec!["REED".into()];
        plan.consent_exception = Some(ConsentException {
            attempts: vec!["A call to the police house.".into()],
            ..ConsentException::default()
        });
    });
    let key = "refusal-consent-exception-not-available";
    bench.both_ends(provoked, key, &tried_once, &[]).await;

    bench.0.world.clock.advance(MINUTE);
    bench.0.consented("consent-statement.toml").await;
    let worded = newest_consent(bench.0.officer_a(), &bench.0.at_mission).await;
    let comma = |plan: &mut ActionPlan| plan.wording = plan.wording.replace(" and", ", and");
    let other_words = plan(STATEMENT, comma);
    bench.both_ends(provoked, "refusal-wording-changed", &other_words, &[&worded]).await;

    // Nothing on a device says yet that what a wish waits for has happened; one that waits for something that only a
    // newer version knows speaks at once when it is a no.
    let no = bench
        .gives(|giving| {
            giving.claims.truncate(1);
            (giving.claims[0].choice, giving.claims[0].activation) = (Choice::Refused.into(), 99);
        })
        .await;
    bench.both_ends(provoked, "refusal-advance-wish-forbids", &note, &[&no]).await;
    assert!(Activation::try_from(99).is_err());
}

/// C06.
async fn how_old_it_is(provoked: &mut Provoked, bench: &Bench) {
    let note = plan(DEMARCHE, |_| {});
    let short = bench.gives(|giving| giving.expires_at_s = giving.given_at_s + MINUTE).await;
    bench.0.world.clock.advance(HOUR);
    bench.both_ends(provoked, "refusal-consent-expired", &note, &[&short]).await;

    // Three days is the most when lives hang on it; the assessment is made anew.
    let key = "refusal-consent-stale";
    let yes = bench.gives(|_| {}).await;
    bench.0.world.clock.advance(3 * DAY + HOUR);
    bench.0.assessed(21 * HOUR).await;
    let flash = plan(DEMARCHE, |plan| {
        plan.urgency = budstikke::case::wire::Urgency::Flash.into();
    });
    bench.both_ends(provoked, key, &flash, &[&yes]).await;
    // Young enough, but nobody has looked since the day before yesterday.
    let mut request = bench.put(&note, &[&yes]).await;
    let seen = bench.status(&yes, Scope::Demarche, ConsentState::Valid, 2 * DAY).await;
    request.consent_statuses = vec![seen.encode_to_vec()];
    bench.slips(provoked, key, [&bench.line(), &bench.desk()], request).await;
}

/// C07, C11.
async fn who_answered(provoked: &mut Provoked, bench: &Bench) {
    let (heron, mission) = (bench.heron(), bench.mission());
    let key = "refusal-consent-giver-not-eligible";
    let mut friends = bench.0.answers("consent-demarche.toml");
    friends.giving.person = "REED".into();
    friends.giving.basis = GiverBasis::FriendOrColleague;
    let attempt = bench.0.world.heron.give_consent(&bench.0.at_heron, friends.clone());
    heron.denies(provoked, key, attempt).await;
    bench.slips(provoked, key, [&heron, &mission], own_words(&friends)).await;
    // Heard by an officer and written down, it still is nobody's consent.
    let heard = bench.0.officer_a().hear_consent(&bench.0.at_mission, {
        friends.giving.claims.retain(|claim| claim.scope == i32::from(Scope::FormalEnquiry));
        friends
    });
    let heard = heard.await.expect("heard");
    let entered = bench.0.officer_a().enter_consent(&bench.0.at_mission, &heard).await;
    entered.expect("written down");
    bench.0.settle().await;
    let friend = newest_consent(bench.0.officer_a(), &bench.0.at_mission).await;
    let of_reed = |plan: &mut ActionPlan| plan.persons = vec!["REED".into()];
    let enquiry = plan("plan-enquiry.toml", of_reed);
    bench.both_ends(provoked, key, &enquiry, &[&friend]).await;

    let group = bench
        .gives(|giving| {
            giving.person = "REED".into();
            giving.basis = GiverBasis::GroupDecision;
        })
        .await;
    let key = "refusal-group-consent-does-not-name-members";
    bench.both_ends(provoked, key, &plan(DEMARCHE, of_reed), &[&group]).await;
}

/// I06, C10 for what was said.
async fn two_officers(provoked: &mut Provoked, bench: &Bench) {
    let (heron, mission, a) = (bench.heron(), bench.mission(), bench.0.officer_a());
    let at = &bench.0.at_mission;
    let file = data("consent-oral-sister.toml");
    let said = ConsentFile::parse(&file, Format::Toml, bench.0.world.now()).expect("answers");
    let text = a.hear_consent(at, said).await.expect("heard");
    let key = "refusal-four-eyes";
    mission.denies(provoked, key, a.attest_consent(at, &text)).await;
    mission.denies(provoked, key, a.enter_consent(at, &text)).await;
    let alone = budstikke::heard(&text).expect("a consent");
    bench.slips(provoked, key, [&mission, &heron], alone.clone()).await;

    let key = "refusal-consent-proof-invalid";
    let mut invented = alone;
    let mut second = invented.attestations[0].clone();
    let officer = second.officer.as_mut().expect("an officer");
    officer.label = "Officer B".into();
    officer.key = SigningKey::generate(&mut OsRng).public().as_bytes().to_vec();
    invented.attestations.push(second);
    let text = armor::encode("budoral", &invented.encode_to_vec());
    mission.denies(provoked, key, a.enter_consent(at, &text)).await;
    bench.slips(provoked, key, [&mission, &heron], invented).await;
}

/// C10 for what was signed.
async fn what_proves_it(provoked: &mut Provoked, bench: &Bench) {
    let key = "refusal-consent-proof-invalid";
    let (heron, mission, line, desk) = (bench.heron(), bench.mission(), bench.line(), bench.desk());
    let mut record = own_words(&bench.0.answers("consent-demarche.toml"));
    record.giver_signature[0] ^= 1;
    bench.slips(provoked, key, [&heron, &mission], record).await;

    let yes = bench.gives(|_| {}).await;
    let note = plan(DEMARCHE, |_| {});
    let sound = bench.put(&note, &[&yes]).await;
    let token = ConsentToken::decode(sound.consent_tokens[0].as_slice()).expect("a token");
    let spoil = |spoil: &dyn Fn(&mut ConsentToken)| {
        let mut token = token.clone();
        spoil(&mut token);
        let consent_tokens = vec![token.encode_to_vec()];
        budstikke::case::wire::ApprovalRequest { consent_tokens, ..sound.clone() }
    };
    // A condition less; a name that no officer has; an answer taken from elsewhere.
    let wider = |token: &mut ConsentToken| {
        let shown = &mut token.disclosed[0].claim;
        let mut claim = ConsentClaim::decode(shown.as_slice()).expect("an answer");
        claim.conditions.pop().expect("a condition");
        *shown = claim.encode_to_vec();
    };
    let nobody = |token: &mut ConsentToken| token.attestations[0].signature[0] ^= 1;
    let another = |token: &mut ConsentToken| token.disclosed[0].salt[0] ^= 1;
    for request in [spoil(&wider), spoil(&nobody), spoil(&another)] {
        bench.slips(provoked, key, [&line, &desk], request).await;
    }
    let mut silent = sound.clone();
    silent.consent_statuses.clear();
    bench.slips(provoked, key, [&line, &desk], silent).await;
    // Proof of another act's consent says nothing of this one.
    let mut elsewhere = sound;
    let enquiry = bench.put(&plan("plan-enquiry.toml", |_| {}), &[&yes]).await;
    elsewhere.consent_tokens = enquiry.consent_tokens;
    elsewhere.consent_statuses = enquiry.consent_statuses;
    let key = "refusal-consent-missing";
    bench.slips(provoked, key, [&line, &desk], elsewhere).await;
}

/// C04, C05.
async fn taken_back(provoked: &mut Provoked, bench: &Bench) {
    let (a, at, note) = (bench.0.officer_a(), &bench.0.at_mission, plan(DEMARCHE, |_| {}));
    let ends = [&bench.line(), &bench.desk()];
    let yes = bench.gives(|_| {}).await;
    let act = a.plan_act(at, note.clone()).await.expect("a plan");
    bench.0.submit(&act).await.expect("submitted");

    let key = "refusal-consent-suspended";
    let doubtful = bench.status(&yes, Scope::Demarche, ConsentState::Suspended, 0).await;
    let mut request = bench.put(&note, &[&yes]).await;
    request.consent_statuses = vec![doubtful.encode_to_vec()];
    bench.slips(provoked, key, ends, request).await;
    bench.0.world.clock.advance(MINUTE);
    a.suspend_consents(at, "HERON", Suspension::DeviceCompromised, bench.0.world.now())
        .await
        .expect("noted");
    bench.0.settle_offices().await;
    // The desk has been told, whatever a request says of it.
    bench.both_ends(provoked, key, &note, &[&yes]).await;
    a.person_reached(at, "HERON").await.expect("noted");
    bench.0.settle_offices().await;

    let key = "refusal-consent-withdrawn";
    let gone = bench.status(&yes, Scope::Demarche, ConsentState::Withdrawn, 0).await;
    let mut request = bench.put(&note, &[&yes]).await;
    request.consent_statuses = vec![gone.encode_to_vec()];
    bench.slips(provoked, key, ends, request).await;
    bench.0.withdrawn(&[Scope::Demarche]).await;
    bench.0.settle().await;
    bench.both_ends(provoked, key, &note, &[&yes]).await;
}

/// Answers signed by a modified device of HERON's.
fn own_words(file: &ConsentFile) -> ConsentRecord {
    let key = SigningKey::generate(&mut OsRng);
    let public = *key.public().as_bytes();
    let mut giving = file.giving.clone();
    giving.record_id = crate::random_id();
    giving.sign(public, &mut OsRng, |domain, body| key.sign(domain, body)).expect("signed")
}
