//! Coming back (SPEC.md section 10.12): a member that has lost its state asks to be added again, and a case whose
//! group forked goes on in a new group.

use std::{collections::BTreeSet, fmt};

use prost::Message as _;

use super::{
    Assignment, Charter, Credential, Group, GroupError, Identity, KeyPackage, Member, Party,
    identity::not_revoked,
};
use crate::{
    cert::{Role, VerifiedDevice},
    checks::{Check, Rejection},
    keys::VerifyingKey,
    pb, signed,
    suite::Env,
};

const DOMAIN: &str = "again";
/// How long an ask holds, and how far its sender's clock may run ahead, in seconds: 28 days and a day.
const ASK_LIFETIME: i64 = 28 * 86_400;
const ASK_AHEAD: i64 = 86_400;

/// What a member says that wants to be added again, or wants a new group.
#[derive(Clone, PartialEq, Eq)]
pub struct Ask {
    /// The case.
    pub case_id: Vec<u8>,
    /// The group whose member it is.
    pub group_id: Vec<u8>,
    /// Its leaf key.
    pub key: VerifyingKey,
    /// A fresh key package of that key.
    pub key_package: Vec<u8>,
    /// Where to seal the [`crate::note`] for a staff device, an X-Wing public key; else empty.
    pub note_key: Vec<u8>,
    /// For a new group, because this one forked.
    pub new_group: bool,
    /// Why, if the relay is convicted: [`budstikke_proto::proof::Equivocation::to_bytes`]; else empty.
    pub proof: Vec<u8>,
    /// Unix seconds.
    pub made_at: i64,
    /// Of a device that is no member yet and asks to take the place of a colleague who is gone: an admin's
    /// [`Assignment`], encoded. Else empty.
    pub assignment: Vec<u8>,
}

/// The place in a case that a new group, or a new leaf in the same group, takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// As it stood in the group before.
    pub charter: Charter,
    /// The defenders who were in it; `None` on a staff device that lost who they were, which takes the word of the
    /// colleagues who add it, as when it is assigned.
    pub defenders: Option<BTreeSet<[u8; 32]>>,
    /// Terms that both sides have accepted since.
    pub accepted: Option<[u8; 32]>,
}

impl Ask {
    /// Signs it with the leaf's key, which [`Ask::key`] must be.
    pub fn sign(&self, me: &Identity) -> Vec<u8> {
        let body = pb::AgainBody {
            version: 1,
            case_id: self.case_id.clone(),
            group_id: self.group_id.clone(),
            key: self.key.as_bytes().to_vec(),
            key_package: self.key_package.clone(),
            note_key: self.note_key.clone(),
            new_group: self.new_group,
            proof: self.proof.clone(),
            made_at: self.made_at,
            assignment: self.assignment.clone(),
        };
        signed::seal(DOMAIN, me.signing_key(), body.encode_to_vec())
    }

    /// Reads an ask that is signed by the key it names and brings a sound key package of that key. Whether that key is
    /// a member's only a member can tell: [`Ask::verify`].
    ///
    /// # Errors
    /// [`Rejection`], BUD-MLS-033 or what is wrong with the key package.
    pub fn read(env: &Env<'_>, bytes: &[u8]) -> Result<Self, Rejection> {
        let bad = |why: &str| Rejection::new(Check::OwnAsk, why);
        let signed = signed::parse(bytes).ok_or_else(|| bad("it does not parse"))?;
        let body = pb::AgainBody::decode(signed.body.as_slice())
            .map_err(|_| bad("its body does not parse"))?;
        let key = VerifyingKey::from_bytes(&body.key).map_err(|_| bad("its key is none"))?;
        signed::check(DOMAIN, &key, &signed).map_err(|_| bad("its signature is false"))?;
        let ask = Self {
            case_id: body.case_id,
            group_id: body.group_id,
            key,
            key_package: body.key_package,
            note_key: body.note_key,
            new_group: body.new_group,
            proof: body.proof,
            made_at: body.made_at,
            assignment: body.assignment,
        };
        if body.version != 1 {
            return Err(bad("it is of an unknown version"));
        }
        let age = env.now.saturating_sub(ask.made_at);
        if !(-ASK_AHEAD..ASK_LIFETIME).contains(&age) {
            return Err(bad("it is too old, or from the future"));
        }
        let package = KeyPackage::parse(env, &ask.key_package)?;
        if package.key() != key {
            return Err(bad("its key package is of another key"));
        }
        Ok(ask)
    }

    /// Reads an ask of a member of this group, or of a device that an admin has assigned to it, and says who that is.
    ///
    /// # Errors
    /// [`Rejection`], BUD-MLS-033 or what is wrong with the key package.
    pub fn verify(env: &Env<'_>, bytes: &[u8], group: &Group) -> Result<(Self, Asker), GroupError> {
        let ask = Self::read(env, bytes)?;
        let bad = |why: &str| Rejection::new(Check::OwnAsk, why);
        if ask.group_id != group.id() || ask.case_id != group.charter.case_id {
            return Err(bad("it is for another group").into());
        }
        let package = KeyPackage::parse(env, &ask.key_package)?;
        let member = group.members()?.into_iter().find(|member| member.key == ask.key);
        let Some(member) = member else {
            let device = ask.newcomer(env, group, &package)?;
            return Ok((ask, Asker::Newcomer(Box::new(device))));
        };
        let same = match (&member.party, package.credential()) {
            (Party::Defender { pseudonym: old }, Credential::Defender { pseudonym: new }) => {
                old == new
            }
            (Party::Device(old), Credential::Staff(chain)) => {
                let device = chain
                    .verify_device(&group.charter.root, env.now)
                    .map_err(|error| Rejection::new(Check::Chain, error.to_string()))?;
                not_revoked(env, &device)?;
                device.unit.id == old.unit.id
            }
            _ => false,
        };
        if !same {
            return Err(bad("its key package names another party").into());
        }
        Ok((ask, Asker::Member(Box::new(member))))
    }

    /// The device that an admin of a unit of this group has assigned to it.
    fn newcomer(
        &self,
        env: &Env<'_>,
        group: &Group,
        package: &KeyPackage,
    ) -> Result<VerifiedDevice, Rejection> {
        let bad = |why: &str| Rejection::new(Check::OwnAsk, why);
        if self.assignment.is_empty() || self.new_group {
            return Err(bad("its key is no member's"));
        }
        let assigned = Assignment::from_bytes(&self.assignment).verify(&group.charter, env.now);
        let assigned = assigned.map_err(|error| bad(&error.to_string()))?;
        not_revoked(env, &assigned.admin)?;
        let Credential::Staff(chain) = package.credential() else {
            return Err(bad("it is not a staff device that asks for a colleague's place"));
        };
        let device = chain
            .verify_device(&group.charter.root, env.now)
            .map_err(|error| Rejection::new(Check::Chain, error.to_string()))?;
        not_revoked(env, &device)?;
        if !device.has(Role::HeadOfMission) {
            return Err(bad("only a head of mission asks for a colleague's place"));
        }
        if assigned.leaf_key != self.key || device.unit.id != assigned.admin.unit.id {
            return Err(bad("its assignment is another device's"));
        }
        Ok(device)
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asker {
    /// A member of the group.
    Member(Box<Member>),
    /// A device that is none yet, with an admin's assignment.
    Newcomer(Box<VerifiedDevice>),
}

impl Group {
    /// The place that this group has in its case.
    ///
    /// # Errors
    /// [`GroupError::Rejected`] as [`Group::members`].
    pub fn place(&self, accepted: Option<[u8; 32]>) -> Result<Place, GroupError> {
        let defenders = self.members()?.into_iter().filter_map(|member| {
            matches!(member.party, Party::Defender { .. }).then(|| *member.key.as_bytes())
        });
        let defenders = Some(defenders.collect());
        Ok(Place { charter: self.charter.clone(), defenders, accepted })
    }

    /// Joins from a Welcome that answers an [`Ask`]: the same group, or another in its place. Members who are new to
    /// this device come by their certificates alone, as in a founding; a defender who is new does not.
    ///
    /// # Errors
    /// As [`Group::join`]; BUD-MLS-034. Roll back on any.
    pub fn rejoin(
        env: &Env<'_>,
        me: &Identity,
        welcome: &[u8],
        place: &Place,
    ) -> Result<Self, GroupError> {
        let group = Self::join_if(env, me, welcome, true, |charter| place.check(charter))?;
        if place.defenders.is_some() && group.place(None)?.defenders != place.defenders {
            return Self::reject(Check::SamePlace, "its defenders are others");
        }
        Ok(group)
    }
}

impl Place {
    fn check(&self, charter: &Charter) -> Result<(), Rejection> {
        let known = [self.charter.terms, self.accepted];
        let same = Charter { terms: None, ..charter.clone() }
            == Charter { terms: None, ..self.charter.clone() };
        if same && known.contains(&charter.terms) {
            Ok(())
        } else {
            Err(Rejection::new(Check::SamePlace, "its charter is another"))
        }
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ask")
    }
}
