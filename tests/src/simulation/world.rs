//! Who takes part: four parties with two devices each in a Ministry line, or a defender and three
//! devices of a mission in a case. Their certificates come from the real issuing code.

use budstikke_e2ee::Suite;
use budstikke_e2ee::cert::{
    Chain, DeviceRequest, IssuerRequest, Role, UnitKind, UnitRequest, issue_device, issue_issuer,
    issue_unit,
};
use budstikke_e2ee::group::{Assignment, Charter, Expect, GroupKind, Identity};
use budstikke_e2ee::keys::SigningKey;
use rand_chacha::ChaCha20Rng;

const UNITS: [(&str, UnitKind); 4] = [
    ("no.emb.karvonia", UnitKind::BilateralMission),
    ("no.emb.tirelia", UnitKind::BilateralMission),
    ("no.del.geneva", UnitKind::MultilateralMission),
    ("no.ministry.desk", UnitKind::MinistryDesk),
];
const CASE: &[u8] = b"sixteen bytes id";
const TERMS: [u8; 32] = [7; 32];

/// One group's people, and the paper that lets them in.
pub(super) struct World {
    pub(super) suite: Suite,
    pub(super) people: Vec<Identity>,
    charter: Charter,
    /// An admin of each person's unit; a defender's is the mission's.
    admins: Vec<(SigningKey, Chain)>,
    now: i64,
}

impl World {
    /// Two devices of each of four units: eight members in four parties.
    pub(super) fn line(rng: &mut ChaCha20Rng, now: i64) -> Self {
        Self::make(rng, now, GroupKind::MinistryLine)
    }

    /// A defender and three devices of one mission.
    pub(super) fn case(rng: &mut ChaCha20Rng, now: i64) -> Self {
        Self::make(rng, now, GroupKind::Case)
    }

    fn make(rng: &mut ChaCha20Rng, now: i64, kind: GroupKind) -> Self {
        let suite = Suite::new(rng);
        let root = SigningKey::generate(rng);
        let issuer = SigningKey::generate(rng);
        let request = IssuerRequest::make(&issuer, "Ministry issuer", now).expect("a request");
        let request = IssuerRequest::from_bytes(&request).expect("a request");
        let issuers = issue_issuer(&root, &request, now);
        let (units, each) = match kind {
            GroupKind::Case => (&UNITS[..1], 3),
            _ => (&UNITS[..], 2),
        };
        let (mut people, mut admins) = (Vec::new(), Vec::new());
        for &(id, unit_kind) in units {
            let (unit, notice) = (SigningKey::generate(rng), SigningKey::generate(rng));
            let request = UnitRequest::make(&unit, id, id, unit_kind, &notice.public(), now);
            let request = UnitRequest::from_bytes(&request.expect("a request")).expect("one");
            let chain = issue_unit(&issuer, &issuers, &request, now).expect("a unit's chain");
            let device = |key: &SigningKey, label: &str, role: Role| {
                let request = DeviceRequest::make(key, label, &[role], now).expect("a request");
                let request = DeviceRequest::from_bytes(&request).expect("a request");
                issue_device(&unit, &chain, &request, &[role], now).expect("a device's chain")
            };
            let role = if unit_kind == UnitKind::MinistryDesk { Role::Desk } else { Role::Staff };
            let admin = SigningKey::generate(rng);
            let admin_chain = device(&admin, "Admin", Role::Admin);
            for number in 0..each {
                let key = SigningKey::generate(rng);
                let chain = device(&key, &format!("Device {number}"), role);
                people.push(Identity::staff(key, chain));
                admins.push((admin.clone(), admin_chain.clone()));
            }
        }
        if kind == GroupKind::Case {
            let key = SigningKey::generate(rng);
            people.push(Identity::defender(key, "HERON").expect("a pseudonym"));
            admins.push(admins.first().expect("a mission").clone());
        }
        let charter = Charter {
            kind,
            root: root.public().fingerprint(),
            units: units.iter().map(|(id, _)| (*id).to_owned()).collect(),
            case_id: CASE.to_vec(),
            terms: (kind == GroupKind::Case).then_some(TERMS),
        };
        Self { suite, people, charter, admins, now }
    }

    pub(super) fn charter(&self) -> &Charter {
        &self.charter
    }

    /// What every Welcome must be; a device in trouble asks for one, so it may replace.
    pub(super) fn expect(&self) -> Expect {
        Expect {
            kind: self.charter.kind,
            root: self.charter.root,
            unit: self.charter.units.first().cloned().unwrap_or_default(),
            case_id: Some(CASE.to_vec()),
            terms: self.charter.terms,
            replace: true,
        }
    }

    /// An admin's word that this person may be added, or added again.
    pub(super) fn assign(&self, person: usize, now: i64) -> Assignment {
        let (admin, chain) = &self.admins[person];
        let key = self.people[person].key();
        let expires = self.now + 29 * 86_400;
        Assignment::issue(admin, chain, CASE, &key, expires, now).expect("an assignment")
    }

    /// Which person has this key.
    pub(super) fn person(&self, key: &budstikke_e2ee::keys::VerifyingKey) -> Option<usize> {
        self.people.iter().position(|person| person.key() == *key)
    }
}
