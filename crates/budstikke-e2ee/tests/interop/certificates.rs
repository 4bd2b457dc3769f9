//! What mls-rs asks about a leaf's credential.

use budstikke_e2ee::{cert::Chain, keys::Fingerprint};
use mls_rs::{
    ExtensionList, IdentityProvider,
    error::IntoAnyError,
    identity::{CredentialType, SigningIdentity},
    time::MlsTime,
};
use mls_rs_core::identity::MemberValidationContext;
use prost::Message as _;

use crate::wire;

/// Whom the mls-rs side lets in: devices certified under the root, and defenders.
#[derive(Clone)]
pub struct Certificates {
    pub root: Fingerprint,
    pub now: i64,
}

#[derive(Debug)]
pub struct Uncertified(#[allow(dead_code)] String); // shown when a test fails

impl IntoAnyError for Uncertified {}

impl Certificates {
    /// The unit of a staff device, the pseudonym of a defender.
    fn party(&self, leaf: &SigningIdentity) -> Result<wire::Party, Uncertified> {
        let no = |why: &dyn std::fmt::Debug| Uncertified(format!("{why:?}"));
        let basic = leaf.credential.as_basic().ok_or_else(|| no(&"not basic"))?;
        let credential = wire::Credential::decode(basic.identifier()).map_err(|e| no(&e))?;
        match credential.party.ok_or_else(|| no(&"nobody"))? {
            wire::Party::Chain(chain) => {
                let chain = Chain::from_bytes(&chain).map_err(|e| no(&e))?;
                let device = chain.verify_device(&self.root, self.now).map_err(|e| no(&e))?;
                if device.key.as_bytes().as_slice() != leaf.signature_key.as_bytes() {
                    return Err(no(&"the certificate names another key"));
                }
                Ok(wire::Party::Chain(device.unit.id.into_bytes()))
            }
            defender @ wire::Party::Pseudonym(_) => Ok(defender),
        }
    }
}

impl IdentityProvider for Certificates {
    type Error = Uncertified;

    fn validate_member(
        &self,
        leaf: &SigningIdentity,
        _: Option<MlsTime>,
        _: MemberValidationContext<'_>,
    ) -> Result<(), Uncertified> {
        self.party(leaf).map(drop)
    }

    fn validate_external_sender(
        &self,
        _: &SigningIdentity,
        _: Option<MlsTime>,
        _: Option<&ExtensionList>,
    ) -> Result<(), Uncertified> {
        Err(Uncertified("no external senders here".to_owned()))
    }

    /// The key: it stays when certificates are renewed, and no two members share one.
    fn identity(&self, leaf: &SigningIdentity, _: &ExtensionList) -> Result<Vec<u8>, Uncertified> {
        Ok(leaf.signature_key.to_vec())
    }

    fn valid_successor(
        &self,
        old: &SigningIdentity,
        new: &SigningIdentity,
        _: &ExtensionList,
    ) -> Result<bool, Uncertified> {
        Ok(old.signature_key == new.signature_key && self.party(old)? == self.party(new)?)
    }

    fn supported_types(&self) -> Vec<CredentialType> {
        vec![CredentialType::BASIC]
    }
}
