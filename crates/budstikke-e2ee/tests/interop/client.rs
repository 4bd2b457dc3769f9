//! A client built on mls-rs from SPEC.md section 10.6: credentials, charter, commit data, frames.
//! Of this crate it takes the keys, certificates and assignments, nothing of the MLS side.

use budstikke_e2ee::group::{Assignment, Charter, GroupKind, Identity};
use mls_rs::{
    Client, Extension, ExtensionList, Group, MlsMessage,
    client_builder::{
        BaseConfig, PaddingMode, WithCryptoProvider, WithIdentityProvider, WithMlsRules,
    },
    error::MlsError,
    extension::{MlsExtension as _, built_in::RequiredCapabilitiesExt},
    group::{CommitBuilder, CommitEffect, ReceivedMessage},
    identity::{CredentialType, SigningIdentity, basic::BasicCredential},
    mls_rules::{CommitOptions, DefaultMlsRules, EncryptionOptions},
};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::{
    certificates::Certificates,
    common::World,
    suite::{Crypto, suite},
    wire,
};

const CHARTER: u16 = 0xF0B5;
const FOUR_WEEKS: u64 = 28 * 86_400;

type Config = WithMlsRules<
    DefaultMlsRules,
    WithCryptoProvider<Crypto, WithIdentityProvider<Certificates, BaseConfig>>,
>;

/// A device whose MLS is mls-rs.
pub struct Other {
    pub crypto: Crypto,
    client: Client<Config>,
    group: Option<Group<Config>>,
    now: i64,
    counter: u64,
    previous: Vec<u8>,
    adds: Vec<wire::Joined>,
}

impl Other {
    pub fn new(world: &World, me: &Identity) -> Self {
        let crypto = Crypto::default();
        let bytes = me.to_bytes();
        let (seed, credential) = bytes.split_at(32);
        let credential = BasicCredential::new(credential.to_vec()).into_credential();
        let identity = SigningIdentity::new(credential, me.key().as_bytes().to_vec().into());
        let rules = DefaultMlsRules::new()
            .with_commit_options(CommitOptions::new().with_path_required(true))
            .with_encryption_options(EncryptionOptions::new(true, PaddingMode::StepFunction));
        let client = Client::builder()
            .identity_provider(Certificates { root: world.fingerprint(), now: world.now })
            .crypto_provider(crypto.clone())
            .mls_rules(rules)
            .extension_type(CHARTER.into())
            .key_package_lifetime(std::time::Duration::from_secs(FOUR_WEEKS))
            .signing_identity(identity, seed.to_vec().into(), suite())
            .build();
        let (counter, previous, adds) = (0, Vec::new(), Vec::new());
        Self { crypto, client, group: None, now: world.now, counter, previous, adds }
    }

    pub fn package(&self) -> Vec<u8> {
        let none = ExtensionList::default;
        let package = self.client.generate_key_package_message(none(), none(), None).unwrap();
        package.to_bytes().unwrap()
    }

    pub fn found(&mut self, charter: &Charter) {
        let group = self.client.create_group(extensions(charter), ExtensionList::default(), None);
        self.group = Some(group.unwrap());
    }

    pub fn join(&mut self, welcome: &[u8]) {
        let welcome = MlsMessage::from_bytes(welcome).unwrap();
        self.group = Some(self.client.join_group(None, &welcome, None).unwrap().0);
        self.somebody_joined();
    }

    pub fn group(&self) -> &Group<Config> {
        self.group.as_ref().unwrap()
    }

    fn group_mut(&mut self) -> &mut Group<Config> {
        self.group.as_mut().unwrap()
    }

    /// Makes a commit, and leaves it pending: its bytes and the Welcome.
    pub fn commit(
        &mut self,
        assignments: &[Assignment],
        change: impl for<'a> FnOnce(CommitBuilder<'a, Config>) -> CommitBuilder<'a, Config>,
    ) -> (Vec<u8>, Option<Vec<u8>>) {
        let assignments = assignments.iter().map(Assignment::to_bytes).collect();
        let data = wire::CommitData { assignments, made_at: self.now }.encode_to_vec();
        let builder = self.group_mut().commit_builder().authenticated_data(data);
        let made = change(builder).build().unwrap();
        assert!(made.contains_update_path);
        let welcome = made.welcome_messages.first().map(|welcome| welcome.to_bytes().unwrap());
        (made.commit_message.to_bytes().unwrap(), welcome)
    }

    pub fn update(&mut self) -> Vec<u8> {
        self.commit(&[], |builder| builder).0
    }

    pub fn add(&mut self, package: &[u8], assignments: &[Assignment]) -> (Vec<u8>, Vec<u8>) {
        let package = MlsMessage::from_bytes(package).unwrap();
        let (commit, welcome) =
            self.commit(assignments, |builder| builder.add_member(package).unwrap());
        (commit, welcome.unwrap())
    }

    pub fn remove(&mut self, leaf: u32) -> Vec<u8> {
        self.commit(&[], |builder| builder.remove_member(leaf).unwrap()).0
    }

    pub fn set_charter(&mut self, charter: &Charter) -> Vec<u8> {
        self.commit(&[], |builder| builder.set_group_context_ext(extensions(charter)).unwrap()).0
    }

    pub fn merge_pending(&mut self) {
        let members = self.members().len();
        self.group_mut().apply_pending_commit().unwrap();
        if self.members().len() > members {
            self.somebody_joined();
        }
    }

    pub fn drop_pending(&mut self) {
        self.group_mut().clear_pending_commit();
    }

    /// Applies a commit of the others; true if this device is still a member.
    pub fn follow(&mut self, commit: &[u8]) -> bool {
        let members = self.members().len();
        let ReceivedMessage::Commit(done) = self.receive(commit).unwrap() else {
            panic!("no commit")
        };
        if self.members().len() > members {
            self.somebody_joined();
        }
        matches!(done.effect, CommitEffect::NewEpoch(_))
    }

    pub fn receive(&mut self, bytes: &[u8]) -> Result<ReceivedMessage, MlsError> {
        self.group_mut().process_incoming_message(MlsMessage::from_bytes(bytes)?)
    }

    pub fn send(&mut self, text: &str) -> Vec<u8> {
        let frame = wire::Frame {
            version: 1,
            counter: self.counter,
            previous: self.previous.clone(),
            epoch_authenticator: self.authenticator(),
            receipt: Vec::new(),
            content: text.into(),
            adds: self.adds.clone(),
        };
        let frame = frame.encode_to_vec();
        self.counter += 1;
        self.previous =
            Sha256::digest([b"budstikke/v1/frame\0", frame.as_slice()].concat()).to_vec();
        let message = self.group_mut().encrypt_application_message(&frame, Vec::new()).unwrap();
        message.to_bytes().unwrap()
    }

    pub fn read(&mut self, bytes: &[u8]) -> wire::Frame {
        let ReceivedMessage::ApplicationMessage(message) = self.receive(bytes).unwrap() else {
            panic!("no application message")
        };
        let frame = wire::Frame::decode(message.data()).unwrap();
        assert_eq!((frame.version, &frame.epoch_authenticator), (1, &self.authenticator()));
        frame
    }

    pub fn authenticator(&self) -> Vec<u8> {
        self.group().epoch_authenticator().unwrap().as_bytes().to_vec()
    }

    pub fn export(&self, label: &str, context: &[u8], len: usize) -> Vec<u8> {
        let secret = self.group().export_secret(label.as_bytes(), context, len).unwrap();
        secret.as_bytes().to_vec()
    }

    /// Leaf and signature key of each.
    pub fn members(&self) -> Vec<(u32, Vec<u8>)> {
        let key = |member: mls_rs::group::Member| {
            (member.index, member.signing_identity.signature_key.to_vec())
        };
        self.group().roster().members_iter().map(key).collect()
    }

    fn somebody_joined(&mut self) {
        let epoch = self.group().current_epoch();
        self.adds.push(wire::Joined { epoch, counter: self.counter });
    }
}

fn extensions(charter: &Charter) -> ExtensionList {
    let bytes = wire::Charter {
        version: 1,
        kind: match charter.kind {
            GroupKind::Case => 1,
            GroupKind::MinistryLine => 2,
            GroupKind::Team => 3,
            _ => panic!("no such kind"),
        },
        root_fingerprint: charter.root.to_vec(),
        units: charter.units.clone(),
        case_id: charter.case_id.clone(),
        terms: charter.terms.map(|hash| hash.to_vec()).unwrap_or_default(),
    }
    .encode_to_vec();
    let needs =
        RequiredCapabilitiesExt::new(vec![CHARTER.into()], vec![], vec![CredentialType::BASIC]);
    vec![needs.into_extension().unwrap(), Extension::new(CHARTER.into(), bytes)].into()
}
