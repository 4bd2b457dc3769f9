//! The inbound policy: what a leaf and a commit must satisfy before the library may merge them.

use std::collections::BTreeSet;

use openmls::prelude::{
    KeyPackageIn, LeafNode, LeafNodeIndex, Proposal, ProposalOrRefType, ProtocolVersion,
    RatchetTreeIn, Sender, StagedCommit,
};

use super::{
    Group, MAX_ADDS,
    assignment::{self, Assigned},
    charter::Charter,
    identity::{Member, Party, not_revoked},
    outbound::KEY_PACKAGE_LIFETIME,
};
use crate::{
    cert::BACKDATE,
    checks::{Check, Rejection},
    suite::{CIPHERSUITE, Env, guard},
};

/// What a commit that passed does.
pub(super) struct Judged {
    pub(super) committer: Member,
    pub(super) added: Vec<Member>,
    pub(super) removed: Vec<Member>,
    pub(super) charter: Charter,
}

/// Seconds by which members' clocks may differ: an hour.
const MAX_SKEW: i64 = 3_600;

type Checked<T> = Result<T, Rejection>;

/// A key package by itself: keys, suite, lifetime, signatures.
pub(super) fn key_package(
    env: &Env<'_>,
    package: KeyPackageIn,
) -> Checked<openmls::prelude::KeyPackage> {
    let crypto = &env.suite.crypto;
    let package = package
        .validate(crypto, ProtocolVersion::Mls10)
        .map_err(|error| Rejection::new(Check::Authentic, error.to_string()))?;
    if package.ciphersuite() != CIPHERSUITE {
        return Err(Rejection::new(Check::Suite, "the key package is for another cipher suite"));
    }
    guard::key_package(crypto, &package).map_err(|_| {
        Rejection::new(Check::KeyPackageKeys, "the key package holds a malformed key")
    })?;
    let (from, until) = (package.life_time().not_before(), package.life_time().not_after());
    let now = u64::try_from(env.now).unwrap_or_default();
    let longest = u64::try_from(KEY_PACKAGE_LIFETIME + BACKDATE).unwrap_or_default();
    if until.saturating_sub(from) > longest {
        return Err(Rejection::new(Check::Lifetime, "the key package holds longer than 28 days"));
    }
    if now < from || now >= until {
        return Err(Rejection::new(Check::Lifetime, "the key package is not valid now"));
    }
    Ok(package)
}

/// Who a leaf is, its certificates valid now.
pub(super) fn leaf(
    env: &Env<'_>,
    index: u32,
    leaf: &LeafNode,
    charter: &Charter,
) -> Checked<Member> {
    let key = leaf.signature_key().as_slice();
    Member::checked(index, leaf.credential(), key, charter, Some(env))
}

/// A leaf that replaces another stays the same party with the same key.
pub(super) fn continuity(old: &Member, new: &Member) -> Checked<()> {
    match (&old.party, &new.party) {
        (Party::Defender { .. }, _) if old.party != new.party || old.key != new.key => {
            Err(Rejection::new(Check::DefenderFixed, "a defender's leaf changed its identity"))
        }
        _ if old.key != new.key => {
            Err(Rejection::new(Check::Continuity, "the leaf changed its signature key"))
        }
        (Party::Device(old), Party::Device(new)) if old.unit.id == new.unit.id => Ok(()),
        (Party::Defender { .. }, Party::Defender { .. }) => Ok(()),
        _ => Err(Rejection::new(Check::Continuity, "the leaf changed its party")),
    }
}

/// The assignments needed for `added`, one for each.
pub(super) fn assignments(
    env: &Env<'_>,
    charter: &Charter,
    aad: &[u8],
    added: &[Member],
) -> Checked<()> {
    let bad = |why: String| Rejection::new(Check::Assignment, why);
    if added.is_empty() {
        return Ok(());
    }
    let carried = assignment::of_commit_data(aad).map_err(|error| bad(error.to_string()))?;
    if carried.len() > MAX_ADDS {
        return Err(bad("more assignments than a commit may add".to_owned()));
    }
    let mut good: Vec<Assigned> = Vec::with_capacity(carried.len());
    for assignment in &carried {
        let assigned = assignment.verify(charter, env.now).map_err(|e| bad(e.to_string()))?;
        not_revoked(env, &assigned.admin)?;
        good.push(assigned);
    }
    for member in added {
        let covers = |assigned: &Assigned| {
            assigned.leaf_key == member.key
                && match &member.party {
                    Party::Device(device) => device.unit.id == assigned.admin.unit.id,
                    Party::Defender { .. } => true,
                }
        };
        if !good.iter().any(covers) {
            return Err(bad(format!("no assignment covers the leaf to add at {}", member.leaf)));
        }
    }
    Ok(())
}

/// When a commit was made, which is when its papers are judged: who reads it weeks later must come to
/// the verdict of the others. `last` is the time of the last commit merged.
pub(super) fn made_at(env: &Env<'_>, last: i64, aad: &[u8]) -> Checked<i64> {
    let made_at = assignment::made_at(aad)
        .ok_or_else(|| Rejection::new(Check::MadeAt, "the commit does not say when it was made"))?;
    if made_at.saturating_add(MAX_SKEW) < last {
        return Err(Rejection::new(Check::MadeAt, "the commit is older than the one before it"));
    }
    if made_at > env.now.saturating_add(MAX_SKEW) {
        let why = "the commit comes from the future: one of the two clocks is wrong";
        return Err(Rejection::new(Check::FromTheFuture, why));
    }
    Ok(made_at)
}

/// A leaf to add is not the key of a member that stays.
pub(super) fn no_duplicates<'a>(
    members: impl IntoIterator<Item = &'a Member>,
    removed: &[Member],
    added: &[Member],
) -> Checked<()> {
    let gone: BTreeSet<u32> = removed.iter().map(|member| member.leaf).collect();
    let mut keys: BTreeSet<_> = members
        .into_iter()
        .filter(|member| !gone.contains(&member.leaf))
        .map(|member| member.key)
        .collect();
    if added.iter().all(|member| keys.insert(member.key)) {
        Ok(())
    } else {
        Err(Rejection::new(Check::NoDuplicateKey, "a leaf with that key is already a member"))
    }
}

/// Everything about a staged commit of someone else.
pub(super) fn commit(
    env: &Env<'_>,
    group: &Group,
    staged: &StagedCommit,
    sender: &Sender,
    aad: &[u8],
    accepted_terms: Option<[u8; 32]>,
) -> Checked<Judged> {
    let Sender::Member(committer) = sender else {
        return Err(Rejection::new(Check::NoExternalCommit, "the committer is not a member"));
    };
    let members = members(group)?;
    let (added, removed) = proposals(env, group, staged, *committer, &members)?;
    no_duplicates(&members, &removed, &added)?;
    assignments(env, &group.charter, aad, &added)?;
    let charter = Charter::of(staged.group_context().extensions())?;
    group.charter.allows(&charter, accepted_terms)?;
    let committer = path(env, group, staged, *committer, &members)?;
    new_keys(env, group, staged)?;
    Ok(Judged { committer, added, removed, charter })
}

fn members(group: &Group) -> Checked<Vec<Member>> {
    group.mls.members().map(|member| Member::of(&member, &group.charter)).collect()
}

fn proposals(
    env: &Env<'_>,
    group: &Group,
    staged: &StagedCommit,
    committer: LeafNodeIndex,
    members: &[Member],
) -> Checked<(Vec<Member>, Vec<Member>)> {
    let kind = |why: &str| Rejection::new(Check::ProposalKinds, why);
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for queued in staged.queued_proposals() {
        if queued.sender() != &Sender::Member(committer)
            || queued.proposal_or_ref_type() != ProposalOrRefType::Proposal
        {
            return Err(Rejection::new(
                Check::NoLooseProposal,
                "the commit uses a proposal made elsewhere",
            ));
        }
        match queued.proposal() {
            Proposal::Add(add) => {
                let package = add.key_package();
                guard::key_package(&env.suite.crypto, package).map_err(|_| {
                    Rejection::new(Check::KeyPackageKeys, "an added leaf holds a malformed key")
                })?;
                added.push(leaf(env, u32::MAX, package.leaf_node(), &group.charter)?);
            }
            Proposal::Remove(remove) => {
                let gone = remove.removed().u32();
                let member = members.iter().find(|member| member.leaf == gone);
                removed.push(member.ok_or_else(|| kind("it removes an empty leaf"))?.clone());
            }
            Proposal::GroupContextExtensions(_) => {}
            _ => return Err(kind("it holds a proposal of a kind that is not used here")),
        }
    }
    if added.len() > MAX_ADDS {
        return Err(Rejection::new(Check::AddLimit, "the commit adds more than four leaves"));
    }
    Ok((added, removed))
}

fn path(
    env: &Env<'_>,
    group: &Group,
    staged: &StagedCommit,
    committer: LeafNodeIndex,
    members: &[Member],
) -> Checked<Member> {
    let new_leaf = staged
        .update_path_leaf_node()
        .ok_or_else(|| Rejection::new(Check::PathRequired, "the commit has no update path"));
    let index = committer.u32();
    let old = members
        .iter()
        .find(|member| member.leaf == index)
        .ok_or_else(|| Rejection::new(Check::Authentic, "the committer is not a member"))?;
    let new_leaf = match new_leaf {
        Ok(leaf) => leaf,
        // The library keeps no path for a commit that removes us; there is nothing of it to merge.
        Err(_) if staged.self_removed() => return Ok(old.clone()),
        Err(error) => return Err(error),
    };
    let new = leaf(env, index, new_leaf, &group.charter)?;
    continuity(old, &new)?;
    Ok(new)
}

/// Trial encapsulation to every key of the new tree that the old one does not have.
fn new_keys(env: &Env<'_>, group: &Group, staged: &StagedCommit) -> Checked<()> {
    let crypto = &env.suite.crypto;
    let bad = |_| Rejection::new(Check::CommitKeys, "the commit holds a malformed key");
    let old = group.mls.export_ratchet_tree();
    let known = guard::tree_keys(&RatchetTreeIn::from(old.clone())).map_err(bad)?;
    let new = staged
        .export_ratchet_tree(crypto, old)
        .map_err(|error| Rejection::new(Check::CommitKeys, error.to_string()))?;
    match new {
        Some(tree) => guard::tree(crypto, &RatchetTreeIn::from(tree), &known).map_err(bad),
        // We are removed: nothing of this tree will be used.
        None => Ok(()),
    }
}
