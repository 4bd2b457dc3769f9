//! OpenMLS' `StorageProvider` over [`StateStore`]: one entry per value, lists as one value, all
//! CBOR.
//!
//! Store keys are `"mls/1/" || label || 0x00 || CBOR(key)`, the last part hashed if it is long. The
//! library never opens a transaction; the caller's surrounds everything.

use ciborium::{from_reader, into_writer};
use openmls_traits::storage::{CURRENT_VERSION as V, StorageProvider, traits};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::store::{StateError, StateStore};

pub(crate) struct Storage<'a>(pub(crate) &'a dyn StateStore);

type Done = Result<(), StateError>;
type Items = Vec<Vec<u8>>;

const MAX_KEY: usize = 128;

impl Storage<'_> {
    fn key(label: &'static str, key: &impl Serialize) -> Result<Vec<u8>, StateError> {
        let mut out = Vec::with_capacity(96);
        out.extend_from_slice(b"mls/1/");
        out.extend_from_slice(label.as_bytes());
        out.push(0);
        let mut key_bytes = Vec::with_capacity(64);
        into_writer(key, &mut key_bytes).map_err(|_| StateError::Damaged(label))?;
        if key_bytes.len() > MAX_KEY {
            // An X-Wing public key as a lookup key.
            key_bytes = Sha256::digest(&key_bytes).to_vec();
        }
        out.append(&mut key_bytes);
        Ok(out)
    }

    fn encode(
        label: &'static str,
        value: &impl Serialize,
    ) -> Result<Zeroizing<Vec<u8>>, StateError> {
        let mut out = Zeroizing::new(Vec::new());
        into_writer(value, &mut *out).map_err(|_| StateError::Damaged(label))?;
        Ok(out)
    }

    fn decode<T: DeserializeOwned>(label: &'static str, bytes: &[u8]) -> Result<T, StateError> {
        from_reader(bytes).map_err(|_| StateError::Damaged(label))
    }

    fn write(&self, label: &'static str, key: &impl Serialize, value: &impl Serialize) -> Done {
        self.0.put(&Self::key(label, key)?, &Self::encode(label, value)?)
    }

    fn read<T: DeserializeOwned>(
        &self,
        label: &'static str,
        key: &impl Serialize,
    ) -> Result<Option<T>, StateError> {
        let bytes = self.0.get(&Self::key(label, key)?)?;
        bytes.map(|bytes| Self::decode(label, &bytes)).transpose()
    }

    fn erase(&self, label: &'static str, key: &impl Serialize) -> Done {
        self.0.delete(&Self::key(label, key)?)
    }

    fn items(&self, label: &'static str, key: &impl Serialize) -> Result<Items, StateError> {
        Ok(self.read(label, key)?.unwrap_or_default())
    }

    fn list<T: DeserializeOwned>(
        &self,
        label: &'static str,
        key: &impl Serialize,
    ) -> Result<Vec<T>, StateError> {
        let items = self.items(label, key)?;
        items.iter().map(|item| Self::decode(label, item)).collect()
    }

    fn push(&self, label: &'static str, key: &impl Serialize, value: &impl Serialize) -> Done {
        let mut items = self.items(label, key)?;
        items.push(Self::encode(label, value)?.to_vec());
        self.write(label, key, &items)
    }
}

/// Write, read and erase of one value per group.
macro_rules! per_group {
    ($label:literal, $kind:ident, $write:ident, $read:ident, $erase:ident) => {
        fn $write<G: traits::GroupId<V>, T: traits::$kind<V>>(&self, id: &G, value: &T) -> Done {
            self.write($label, id, value)
        }
        fn $read<G: traits::GroupId<V>, T: traits::$kind<V>>(
            &self,
            id: &G,
        ) -> Result<Option<T>, StateError> {
            self.read($label, id)
        }
        fn $erase<G: traits::GroupId<V>>(&self, id: &G) -> Done {
            self.erase($label, id)
        }
    };
}

const QUEUE: &str = "proposals";
const PROPOSAL: &str = "proposal";
const OWN_LEAVES: &str = "own-leaves";
const STATE: &str = "state";
const SIGNATURE: &str = "signature-key";
const ENCRYPTION: &str = "encryption-key";
const EPOCH_KEYS: &str = "epoch-keys";
const KEY_PACKAGE: &str = "key-package";
const PSK: &str = "psk";

impl StorageProvider<V> for Storage<'_> {
    type Error = StateError;

    per_group!(
        "config",
        MlsGroupJoinConfig,
        write_mls_join_config,
        mls_group_join_config,
        delete_group_config
    );
    per_group!("tree", TreeSync, write_tree, tree, delete_tree);
    per_group!(
        "transcript",
        InterimTranscriptHash,
        write_interim_transcript_hash,
        interim_transcript_hash,
        delete_interim_transcript_hash
    );
    per_group!("context", GroupContext, write_context, group_context, delete_context);
    per_group!(
        "tag",
        ConfirmationTag,
        write_confirmation_tag,
        confirmation_tag,
        delete_confirmation_tag
    );
    per_group!(
        "message-secrets",
        MessageSecrets,
        write_message_secrets,
        message_secrets,
        delete_message_secrets
    );
    per_group!(
        "resumption",
        ResumptionPskStore,
        write_resumption_psk_store,
        resumption_psk_store,
        delete_all_resumption_psk_secrets
    );
    per_group!(
        "own-index",
        LeafNodeIndex,
        write_own_leaf_index,
        own_leaf_index,
        delete_own_leaf_index
    );
    per_group!(
        "epoch-secrets",
        GroupEpochSecrets,
        write_group_epoch_secrets,
        group_epoch_secrets,
        delete_group_epoch_secrets
    );

    fn write_group_state<T: traits::GroupState<V>, G: traits::GroupId<V>>(
        &self,
        id: &G,
        value: &T,
    ) -> Done {
        self.write(STATE, id, value)
    }

    fn group_state<T: traits::GroupState<V>, G: traits::GroupId<V>>(
        &self,
        id: &G,
    ) -> Result<Option<T>, StateError> {
        self.read(STATE, id)
    }

    fn delete_group_state<G: traits::GroupId<V>>(&self, id: &G) -> Done {
        self.erase(STATE, id)
    }

    fn append_own_leaf_node<G: traits::GroupId<V>, T: traits::LeafNode<V>>(
        &self,
        id: &G,
        leaf: &T,
    ) -> Done {
        self.push(OWN_LEAVES, id, leaf)
    }

    fn own_leaf_nodes<G: traits::GroupId<V>, T: traits::LeafNode<V>>(
        &self,
        id: &G,
    ) -> Result<Vec<T>, StateError> {
        self.list(OWN_LEAVES, id)
    }

    fn delete_own_leaf_nodes<G: traits::GroupId<V>>(&self, id: &G) -> Done {
        self.erase(OWN_LEAVES, id)
    }

    fn queue_proposal<
        G: traits::GroupId<V>,
        R: traits::ProposalRef<V>,
        P: traits::QueuedProposal<V>,
    >(
        &self,
        id: &G,
        reference: &R,
        proposal: &P,
    ) -> Done {
        self.write(PROPOSAL, &(id, reference), proposal)?;
        self.push(QUEUE, id, reference)
    }

    fn queued_proposal_refs<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        id: &G,
    ) -> Result<Vec<R>, StateError> {
        self.list(QUEUE, id)
    }

    fn queued_proposals<
        G: traits::GroupId<V>,
        R: traits::ProposalRef<V>,
        P: traits::QueuedProposal<V>,
    >(
        &self,
        id: &G,
    ) -> Result<Vec<(R, P)>, StateError> {
        let references: Vec<R> = self.list(QUEUE, id)?;
        let mut out = Vec::with_capacity(references.len());
        for reference in references {
            let proposal =
                self.read(PROPOSAL, &(id, &reference))?.ok_or(StateError::Damaged(PROPOSAL))?;
            out.push((reference, proposal));
        }
        Ok(out)
    }

    fn remove_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        id: &G,
        reference: &R,
    ) -> Done {
        let gone = Self::encode(QUEUE, reference)?;
        let mut items = self.items(QUEUE, id)?;
        items.retain(|item| *item != *gone);
        self.write(QUEUE, id, &items)?;
        self.erase(PROPOSAL, &(id, reference))
    }

    fn clear_proposal_queue<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        id: &G,
    ) -> Done {
        for reference in self.list::<R>(QUEUE, id)? {
            self.erase(PROPOSAL, &(id, &reference))?;
        }
        self.erase(QUEUE, id)
    }

    fn write_signature_key_pair<
        K: traits::SignaturePublicKey<V>,
        T: traits::SignatureKeyPair<V>,
    >(
        &self,
        key: &K,
        pair: &T,
    ) -> Done {
        self.write(SIGNATURE, key, pair)
    }

    fn signature_key_pair<K: traits::SignaturePublicKey<V>, T: traits::SignatureKeyPair<V>>(
        &self,
        key: &K,
    ) -> Result<Option<T>, StateError> {
        self.read(SIGNATURE, key)
    }

    fn delete_signature_key_pair<K: traits::SignaturePublicKey<V>>(&self, key: &K) -> Done {
        self.erase(SIGNATURE, key)
    }

    fn write_encryption_key_pair<K: traits::EncryptionKey<V>, T: traits::HpkeKeyPair<V>>(
        &self,
        key: &K,
        pair: &T,
    ) -> Done {
        self.write(ENCRYPTION, key, pair)
    }

    fn encryption_key_pair<T: traits::HpkeKeyPair<V>, K: traits::EncryptionKey<V>>(
        &self,
        key: &K,
    ) -> Result<Option<T>, StateError> {
        self.read(ENCRYPTION, key)
    }

    fn delete_encryption_key_pair<K: traits::EncryptionKey<V>>(&self, key: &K) -> Done {
        self.erase(ENCRYPTION, key)
    }

    fn write_encryption_epoch_key_pairs<
        G: traits::GroupId<V>,
        K: traits::EpochKey<V>,
        T: traits::HpkeKeyPair<V>,
    >(
        &self,
        id: &G,
        epoch: &K,
        leaf: u32,
        pairs: &[T],
    ) -> Done {
        self.write(EPOCH_KEYS, &(id, epoch, leaf), &pairs)
    }

    fn encryption_epoch_key_pairs<
        G: traits::GroupId<V>,
        K: traits::EpochKey<V>,
        T: traits::HpkeKeyPair<V>,
    >(
        &self,
        id: &G,
        epoch: &K,
        leaf: u32,
    ) -> Result<Vec<T>, StateError> {
        Ok(self.read(EPOCH_KEYS, &(id, epoch, leaf))?.unwrap_or_default())
    }

    fn delete_encryption_epoch_key_pairs<G: traits::GroupId<V>, K: traits::EpochKey<V>>(
        &self,
        id: &G,
        epoch: &K,
        leaf: u32,
    ) -> Done {
        self.erase(EPOCH_KEYS, &(id, epoch, leaf))
    }

    fn write_key_package<R: traits::HashReference<V>, T: traits::KeyPackage<V>>(
        &self,
        reference: &R,
        package: &T,
    ) -> Done {
        self.write(KEY_PACKAGE, reference, package)
    }

    fn key_package<R: traits::HashReference<V>, T: traits::KeyPackage<V>>(
        &self,
        reference: &R,
    ) -> Result<Option<T>, StateError> {
        self.read(KEY_PACKAGE, reference)
    }

    fn delete_key_package<R: traits::HashReference<V>>(&self, reference: &R) -> Done {
        self.erase(KEY_PACKAGE, reference)
    }

    fn write_psk<K: traits::PskId<V>, T: traits::PskBundle<V>>(&self, id: &K, psk: &T) -> Done {
        self.write(PSK, id, psk)
    }

    fn psk<T: traits::PskBundle<V>, K: traits::PskId<V>>(
        &self,
        id: &K,
    ) -> Result<Option<T>, StateError> {
        self.read(PSK, id)
    }

    fn delete_psk<K: traits::PskId<V>>(&self, id: &K) -> Done {
        self.erase(PSK, id)
    }
}
