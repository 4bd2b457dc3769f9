//! The key guard: malformed X-Wing keys pass the library's validation and break the next encryption
//! to them, so every key is tried before it is let in (BUD-MLS-001 to 003).
//!
//! The library keeps these keys in private fields; they are read from the TLS bytes, where each of
//! `LeafNode` and `ParentNode` begins with its encryption key (RFC 9420 sections 7.1 and 7.2).

use std::collections::BTreeSet;

use openmls::prelude::{
    KeyPackage, LeafNode, ParentNode, RatchetTreeIn,
    tls_codec::{DeserializeBytes as _, Serialize as _, VLBytes},
};
use openmls_traits::crypto::OpenMlsCrypto as _;

use super::{HPKE, XWING_PUBLIC_LEN, provider::Crypto};

/// A key that no message can be encrypted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnusableKey;

/// One trial encapsulation to `key`.
pub(crate) fn usable_key(crypto: &Crypto, key: &[u8]) -> Result<(), UnusableKey> {
    // The length first: some backends panic on a short key.
    if key.len() != XWING_PUBLIC_LEN {
        return Err(UnusableKey);
    }
    crypto
        .hpke_setup_sender_and_export(HPKE, key, b"budstikke/v1/guard", &[], 32)
        .map(|_| ())
        .map_err(|_| UnusableKey)
}

/// Leaf and init key of a key package.
pub(crate) fn key_package(crypto: &Crypto, package: &KeyPackage) -> Result<(), UnusableKey> {
    usable_key(crypto, package.hpke_init_key().as_slice())?;
    usable_key(crypto, &leaf_key(package.leaf_node())?)
}

/// Every key of `tree` that is not in `known`.
pub(crate) fn tree(
    crypto: &Crypto,
    tree: &RatchetTreeIn,
    known: &BTreeSet<Vec<u8>>,
) -> Result<(), UnusableKey> {
    for key in tree_keys(tree)? {
        if !known.contains(&key) {
            usable_key(crypto, &key)?;
        }
    }
    Ok(())
}

/// All encryption keys of a tree.
pub(crate) fn tree_keys(tree: &RatchetTreeIn) -> Result<BTreeSet<Vec<u8>>, UnusableKey> {
    let leaves = tree.leaves().map(|leaf| first_field(&leaf.tls_serialize_detached()));
    let parents = tree.parents().map(parent_key);
    leaves.chain(parents).collect()
}

pub(crate) fn leaf_key(leaf: &LeafNode) -> Result<Vec<u8>, UnusableKey> {
    first_field(&leaf.tls_serialize_detached())
}

fn parent_key(parent: &ParentNode) -> Result<Vec<u8>, UnusableKey> {
    first_field(&parent.tls_serialize_detached())
}

fn first_field<E>(encoded: &Result<Vec<u8>, E>) -> Result<Vec<u8>, UnusableKey> {
    let bytes = encoded.as_ref().map_err(|_| UnusableKey)?;
    let (key, _) = VLBytes::tls_deserialize_bytes(bytes).map_err(|_| UnusableKey)?;
    Ok(key.as_slice().to_vec())
}
