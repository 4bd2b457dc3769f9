//! The people of the Ministry line and their keys: HERON, Officers A, B and H at the mission, K who
//! decides, M at the desk.

use std::collections::BTreeMap;

use crate::common::{NOW, data};
use budstikke_case::action::{ActionEvent, ActionState, CaseFacts};
use budstikke_case::consent::{self, Ledger, Statement};
use budstikke_case::file::{ConsentFile, FactsFile, Format, PlanFile, RiskFile};
use budstikke_case::officer::{ATTEST_DOMAIN, Keys, attest};
use budstikke_case::wire::{self as w, Officer, Role, Scope};
use budstikke_case::{Hash, Refusal};
use ed25519_dalek::{Signer as _, SigningKey};
use prost::Message as _;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

pub(crate) const DAY: i64 = 86_400;
pub(crate) const HOUR: i64 = 3_600;
pub(crate) const ACTION: [u8; 16] = [0xac; 16];
pub(crate) const DESK: &str = "no.mfa.desk";

/// A key and what its certificate says.
#[derive(Clone)]
pub(crate) struct Person {
    key: SigningKey,
    pub(crate) officer: Officer,
}

pub(crate) fn person(label: &str, unit: &str, role: Role) -> Person {
    let mut seed = [0; 32];
    for (to, from) in seed.iter_mut().zip(format!("{label}{unit}").bytes()) {
        *to = from;
    }
    let key = SigningKey::from_bytes(&seed);
    let officer = Officer {
        key: key.verifying_key().to_bytes().to_vec(),
        unit: unit.to_owned(),
        label: label.to_owned(),
        role: role.into(),
    };
    Person { key, officer }
}

pub(crate) fn a() -> Person {
    person("Officer A", "no.emb.karvonia", Role::MissionContactPerson)
}

pub(crate) fn b() -> Person {
    person("Officer B", "no.emb.karvonia", Role::MissionStaff)
}

pub(crate) fn k() -> Person {
    person("Decision-maker K", DESK, Role::MinistryDecisionMaker)
}

pub(crate) fn m() -> Person {
    person("Desk M", DESK, Role::MinistryDesk)
}

impl Person {
    pub(crate) fn signs(&self) -> impl FnOnce(&'static str, &[u8]) -> [u8; 64] {
        let key = self.key.clone();
        move |domain, body| key.sign(&message(domain, body)).to_bytes()
    }

    pub(crate) fn attests(&self, domain: &'static str, body: &[u8]) -> w::Attestation {
        attest(self.officer.clone(), domain, body, self.signs())
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }
}

fn message(domain: &str, body: &[u8]) -> Vec<u8> {
    [b"budstikke/v1/", domain.as_bytes(), &[0], body].concat()
}

/// The directory: certified officers, and strict Ed25519.
pub(crate) struct Directory(BTreeMap<Vec<u8>, Officer>);

pub(crate) fn directory() -> Directory {
    Directory([a(), b(), k(), m()].map(|p| (p.officer.key.clone(), p.officer)).into())
}

impl Keys for Directory {
    fn verify(&self, key: &[u8], domain: &'static str, body: &[u8], signature: &[u8]) -> bool {
        let (Ok(key), Ok(signature)) = (key.try_into(), signature.try_into()) else { return false };
        let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(key) else { return false };
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        key.verify_strict(&message(domain, body), &signature).is_ok()
    }

    fn certified(&self, officer: &Officer) -> bool {
        self.0.get(&officer.key) == Some(officer)
    }
}

pub(crate) fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

/// HERON's key for this case.
pub(crate) fn heron() -> Person {
    person("HERON", "", Role::Defender)
}

pub(crate) fn giving(file: &str, at: i64) -> consent::Giving {
    let mut giving = ConsentFile::parse(&data(file), Format::Toml, at).unwrap().giving;
    giving.record_id = [u8::try_from(at % 251).unwrap(); 16];
    giving
}

/// HERON's answers of a file, signed.
pub(crate) fn signed(file: &str, at: i64) -> w::ConsentRecord {
    giving(file, at).sign(heron().public(), &mut rng(1), heron().signs()).unwrap()
}

pub(crate) fn statement(file: &str, at: i64) -> Statement {
    consent::verify_record(&signed(file, at), &directory()).unwrap()
}

pub(crate) fn ledger(statements: impl IntoIterator<Item = Statement>) -> Ledger {
    let mut ledger = Ledger::new();
    statements.into_iter().for_each(|statement| ledger.add(statement));
    ledger
}

/// A token for the act at hand, attested by A.
pub(crate) fn token(record: &w::ConsentRecord, scopes: &[Scope]) -> w::ConsentToken {
    let by = a().attests(ATTEST_DOMAIN, &record.body);
    consent::disclose(record, scopes, vec![by]).unwrap()
}

/// How HERON's consent stands, by A.
pub(crate) fn status(
    ledger: &Ledger,
    statement: &Statement,
    scopes: &[Scope],
    now: i64,
) -> (w::ConsentStatus, Hash) {
    let body = ledger.status(statement, scopes, now);
    let status = consent::sign_status(&body, a().officer, a().signs());
    let hash = budstikke_case::hash::consent_status_hash(&status.body);
    (status, hash)
}

pub(crate) fn risk(made_at_s: i64) -> w::RiskAssessment {
    let mut risk = RiskFile::parse(&data("risk-heron.toml"), Format::Toml, made_at_s).unwrap().risk;
    risk.assessment_id = vec![3; 16];
    risk
}

pub(crate) fn verification() -> w::VerificationRecord {
    FactsFile::parse(&data("facts-heron.toml"), Format::Toml, NOW).unwrap().facts
}

pub(crate) fn plan(file: &str) -> (Vec<u8>, Hash) {
    PlanFile::parse(&data(file), Format::Toml).unwrap().encode(ACTION)
}

/// The same plan with one thing changed.
pub(crate) fn edited(file: &str, edit: impl FnOnce(&mut w::ActionPlan)) -> Vec<u8> {
    let mut plan = PlanFile::parse(&data(file), Format::Toml).unwrap().plan;
    plan.action_id = ACTION.to_vec();
    edit(&mut plan);
    plan.encode_to_vec()
}

/// Everything in order but what the caller changes.
pub(crate) struct World {
    pub(crate) consents: Ledger,
    pub(crate) risk: Option<w::RiskAssessment>,
    pub(crate) verification: Vec<w::VerificationRecord>,
    pub(crate) overrides: Vec<w::GuardOverride>,
}

pub(crate) fn world(consents: Ledger, risk_made_at_s: i64) -> World {
    let (risk, verification) = (Some(risk(risk_made_at_s)), vec![verification()]);
    World { consents, risk, verification, overrides: Vec::new() }
}

impl World {
    pub(crate) fn facts(&self) -> CaseFacts<'_> {
        CaseFacts {
            risk: self.risk.as_ref(),
            verification: &self.verification,
            overrides: &self.overrides,
            ..CaseFacts::new(&self.consents)
        }
    }

    pub(crate) fn step(
        &self,
        act: &mut ActionState,
        event: ActionEvent<'_>,
        now: i64,
    ) -> Result<&'static str, Refusal> {
        act.apply(event, &self.facts(), now).map(budstikke_case::action::ActionPhase::name)
    }
}

/// A's request to the Ministry for an act as it stands.
pub(crate) fn request(
    act: &ActionState,
    world: &World,
    tokens: &[w::ConsentToken],
    statuses: &[w::ConsentStatus],
) -> w::ApprovalRequest {
    w::ApprovalRequest {
        request_id: vec![5; 16],
        plan: act.plan_bytes().to_vec(),
        plan_hash: act.plan_hash().to_vec(),
        submitted_by: Some(a().officer),
        consent_tokens: tokens.iter().map(prost::Message::encode_to_vec).collect(),
        consent_statuses: statuses.iter().map(prost::Message::encode_to_vec).collect(),
        risk_assessment: world.risk.as_ref().map(prost::Message::encode_to_vec).unwrap(),
        verification: world.verification[0].encode_to_vec(),
        decide_by_s: NOW + DAY,
        note: String::new(),
    }
}
