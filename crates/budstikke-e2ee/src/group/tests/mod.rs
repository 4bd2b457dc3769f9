//! A dishonest member: what the public API refuses to make is made with the library underneath, and
//! must be refused by the other side.
#[path = "../../../tests/common/mod.rs"]
pub(crate) mod common;

mod again;
mod forged_keys;
mod policy;

use common::{Device, World};
use openmls::prelude::{LeafNodeIndex, LeafNodeParameters, Proposal};

use super::{Charter, Group, Inbound, KeyPackage, assignment, charter};
use crate::checks::Check;

/// What a dishonest committer chooses.
#[derive(Default)]
struct Forgery {
    packages: Vec<KeyPackage>,
    leaves: Vec<u32>,
    aad: Vec<u8>,
    charter: Option<Charter>,
    proposals: Vec<Proposal>,
    leaf: Option<super::Identity>,
    no_path: bool,
    /// The authenticated data as they are, and no time put into them.
    timeless: bool,
}

impl Forgery {
    /// The commit's bytes, staged in `group` without any check of ours.
    fn commit(self, world: &World, device: &Device, group: &mut Group) -> Vec<u8> {
        let env = device.env(world);
        let provider = env.provider();
        let me = self.leaf.as_ref().unwrap_or(&device.me);
        let leaf = LeafNodeParameters::builder()
            .with_credential_with_key(me.with_key())
            .with_capabilities(charter::capabilities())
            .build();
        let aad = match self.aad {
            aad if aad.is_empty() && !self.timeless => assignment::to_commit_data(&[], world.now),
            aad => aad,
        };
        group.mls.set_aad(aad);
        let mut builder = group
            .mls
            .commit_builder()
            .force_self_update(!self.no_path)
            .propose_adds(self.packages.iter().map(|package| package.package.clone()))
            .propose_removals(self.leaves.iter().copied().map(LeafNodeIndex::new))
            .add_proposals(self.proposals);
        if !self.no_path {
            builder = builder.leaf_node_parameters(leaf);
        }
        if let Some(charter) = self.charter {
            let extensions = charter.extensions().unwrap();
            builder = builder.propose_group_context_extensions(extensions).unwrap();
        }
        let bundle = builder
            .load_psks(&provider.storage)
            .unwrap()
            .build(&world.suite.crypto, &world.suite.crypto, &device.me, |_| true)
            .unwrap()
            .stage_commit(&provider)
            .unwrap();
        bundle.commit().to_bytes().unwrap()
    }
}

/// The check that `commit` fails at its receiver.
fn verdict(world: &World, device: &Device, group: &mut Group, commit: &[u8]) -> Check {
    match group.process(&device.env(world), commit, None).unwrap() {
        Inbound::Rejected(rejection) => rejection.check,
        other => panic!("not rejected: {other:?}"),
    }
}

/// A case of an officer, a defender and a second officer.
fn three(world: &World, devices: [&Device; 3]) -> [Group; 3] {
    let [officer, defender, colleague] = devices;
    let env = officer.env(world);
    let mut case = Group::create(&env, &officer.me, &world.case()).unwrap();
    let packages = [defender.package(world), colleague.package(world)];
    let pending = case.add(&env, &officer.me, &packages, &[]).unwrap();
    case.merge_pending(&env).unwrap();
    let welcome = pending.welcome.unwrap();
    let join = |device: &Device| {
        Group::join(&device.env(world), &device.me, &welcome, &world.expect()).unwrap()
    };
    [case, join(defender), join(colleague)]
}
