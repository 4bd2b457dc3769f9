//! Commits through slots (SPEC.md sections 5.3 and 10.8): stage, append, read back, merge or redo.
//!
//! What this device wants to commit stands in the vault before anything leaves it. Whatever happens in between, a
//! loser of a race, a crash after the append or a lost acknowledgement, the next [`Client::settle`] reads the slot
//! of the current epoch and goes on from what stands there.

use budstikke_case::Phase;
use budstikke_e2ee::checks::Check;
use budstikke_e2ee::contact::Route;
use budstikke_e2ee::envelope::{Envelope, Nudge, WelcomeBody};
use budstikke_e2ee::group::{Assignment, Group, GroupError, KeyPackage, Member, Outcome, Pending};
use budstikke_e2ee::slot::{SlotError, SlotKeys};
use budstikke_proto::id::SlotId;
use budstikke_proto::proof::Receipt;
use budstikke_proto::sign::SigningSeed;
use rand_core::OsRng;

use super::seat::{Seat, case_of_group, terms_of};
use super::verify::watch;
use crate::client::{Client, Work};
use crate::crash;
use crate::error::Error;
use crate::events::Event;
use crate::mission::{assign, lapsed, leave, own_device, rotate, team};
use crate::outbox::{Belongs, enqueue};
use crate::records::{self, CaseRecord, Commit, SELF, Team};
use crate::recovery::{again, receipts, transcript};
use crate::relay::{RelayError, SlotEntry, Standing};

/// Epochs walked and races lost in one call; the next call goes on.
const MAX_ROUNDS: usize = 64;
/// Commits that may wait behind the first in one group.
const MAX_WANTED: usize = 256;

/// The slot of a group's current epoch, and whether this device wants something in it.
struct SlotView {
    relay: String,
    id: SlotId,
    wanted: bool,
}

/// A slot entry to append: the slot's signing key and the sealed cells.
type Entry = (SigningSeed, Vec<Vec<u8>>);

/// What reading a slot led to.
enum Step {
    /// The group is in the next epoch.
    Advanced,
    /// No valid entry yet, and room for one.
    Open,
    /// Four entries and none of them valid: on to the next slot.
    Spoilt,
}

impl Client {
    /// Brings a group up to date with its slots, and gets this device's wanted commit through.
    pub(crate) async fn settle(&self, group_id: &[u8]) -> Result<(), Error> {
        for _ in 0..MAX_ROUNDS {
            let id = group_id.to_vec();
            let Some(view) = self.vault(move |work| view(work, &id)).await? else { return Ok(()) };
            let relay = self.relay(&view.relay, group_id)?;
            let entries = relay.slot_read(view.id).await?;
            let told = receipts::of_entries(*view.id.as_bytes(), &entries);
            if !self.keep_receipts(group_id, &view.relay, told).await? {
                return Ok(());
            }
            let (id, slot) = (group_id.to_vec(), view.id);
            let outcome = self.vault(move |work| apply(work, &id, slot, &entries)).await;
            if let Err(error) = &outcome {
                self.note_stuck(group_id, error).await?;
            }
            match outcome? {
                Step::Advanced => {
                    crash::point("commit-after-merge");
                    // Now, not at the end: only the last few epochs can still be read then, and the next commit may
                    // set terms whose acceptance waits among these.
                    self.retry_deferred(group_id).await?;
                }
                Step::Spoilt => {}
                Step::Open if !view.wanted => return Ok(()),
                Step::Open => {
                    let id = group_id.to_vec();
                    let Some((key, cells)) = self.vault(move |work| stage(work, &id)).await? else {
                        continue;
                    };
                    crash::point("commit-after-staging");
                    match relay.slot_append(&key, cells).await {
                        Ok(word) => {
                            let told = vec![word.word()];
                            if !self.keep_receipts(group_id, &view.relay, told).await? {
                                return Ok(());
                            }
                        }
                        // Full: others were faster, and reading tells who.
                        Err(RelayError::Full { .. } | RelayError::Conflict) => {}
                        Err(error) => return Err(error.into()),
                    }
                    crash::point("commit-after-append");
                }
            }
        }
        Ok(())
    }

    /// Keeps what the relay has signed, before anything is made of it; false when it convicts the relay.
    async fn keep_receipts(
        &self,
        group_id: &[u8],
        relay: &str,
        told: Vec<Receipt>,
    ) -> Result<bool, Error> {
        if told.is_empty() {
            return Ok(true);
        }
        let identity_pk = self.relay(relay, group_id)?.identity_pk().await?;
        let (id, relay) = (group_id.to_vec(), relay.to_owned());
        self.vault(move |work| {
            receipts::learn_key(work, &relay, identity_pk)?;
            receipts::keep(work, &id, &told)
        })
        .await
    }

    /// A change that this device alone can't follow stops it, until it is added again: its person is told.
    async fn note_stuck(&self, group_id: &[u8], error: &Error) -> Result<(), Error> {
        let Error::Group(inner) = error else { return Ok(()) };
        let Some(GroupError::Rejected(rejection)) = inner.downcast_ref() else { return Ok(()) };
        let check = rejection.check;
        if check.same_for_all() || check == Check::TermsUnseen {
            return Ok(());
        }
        let id = group_id.to_vec();
        self.vault(move |work| match case_of_group(work, &id)? {
            Some(case) => transcript::stuck(work, &case.id, Some(check)),
            None => Ok(()),
        })
        .await
    }
}

/// Notes that this device wants to renew its own keys, unless a commit is wanted already: every commit renews them.
pub(crate) fn want_update(work: &Work<'_>, group_id: &[u8]) -> Result<(), Error> {
    if records::load::<Commit>(work.tx, group_id)?.is_none() {
        want(work, Commit { group_id: group_id.to_vec(), ..Commit::default() })?;
    }
    Ok(())
}

/// Wants an update of every group in which this device has not renewed its keys for long, though nobody spoke there:
/// what was stolen from it a week ago opens nothing after.
pub(crate) fn heal(work: &Work<'_>) -> Result<(), Error> {
    let cases = records::all::<CaseRecord>(work.tx)?;
    let mut groups: Vec<_> = cases.iter().map(|(_, case)| case.group_id.clone()).collect();
    groups.extend(records::load::<Team>(work.tx, SELF)?.map(|team| team.group_id.clone()));
    for id in groups {
        let Some(group) = Group::load(&work.env(), &id)? else { continue };
        if group.is_active() && group.needs_update(work.now, false).is_some() {
            want_update(work, &id)?;
        }
    }
    Ok(())
}

/// Notes what this device wants to commit, behind what it wants already: one that is staged may stand in its slot,
/// and each Add lets in somebody else.
pub(crate) fn want(work: &Work<'_>, mut commit: Commit) -> Result<(), Error> {
    let key = commit.group_id.clone();
    let Some(mut first) = records::load::<Commit>(work.tx, &key)? else {
        return records::save(work.tx, &key, &commit);
    };
    let same = |other: &Commit| {
        other.add == commit.add && other.terms == commit.terms && other.remove == commit.remove
    };
    if same(&first) || first.next.iter().any(same) {
        return Ok(());
    }
    let staged = !first.cells.is_empty() || !first.message.is_empty();
    if !commit.remove.is_empty() {
        // Several leave in one step.
        let waits = if !staged && !first.remove.is_empty() {
            Some(&mut first)
        } else {
            first.next.iter_mut().find(|other| !other.remove.is_empty())
        };
        if let Some(waits) = waits {
            commit.remove.retain(|key| !waits.remove.contains(key));
            waits.remove.append(&mut commit.remove);
            return records::save(work.tx, &key, &first);
        }
    }
    if is_update(&first) && !staged {
        // A mere update: every commit renews the own keys.
        commit.next = std::mem::take(&mut first.next);
        return records::save(work.tx, &key, &commit);
    }
    if first.next.len() >= MAX_WANTED {
        return Err(Error::NotReady("too many changes wait in this group: sync first"));
    }
    first.next.push(commit);
    records::save(work.tx, &key, &first)
}

/// Whether a commit does nothing but renew the own keys.
fn is_update(commit: &Commit) -> bool {
    commit.add.is_empty() && commit.terms.is_empty() && commit.remove.is_empty()
}

/// The first wanted commit is done with, one way or the other: the next is the first.
fn done_with(work: &Work<'_>, mut commit: Commit) -> Result<(), Error> {
    if commit.next.is_empty() {
        records::remove::<Commit>(work.tx, &commit.group_id)?;
        return Ok(());
    }
    let mut first = commit.next.remove(0);
    first.next = commit.next;
    records::save(work.tx, &commit.group_id, &first)
}

fn view(work: &Work<'_>, group_id: &[u8]) -> Result<Option<SlotView>, Error> {
    let Some(seat) = Seat::of_group(work, group_id)? else { return Ok(None) };
    let frozen = seat.case.as_ref().is_some_and(|case| case.frozen.is_some());
    if frozen || !seat.group.is_active() {
        return Ok(None);
    }
    let keys = seat.group.slot_keys(&work.env(), seat.group.slot_attempt())?;
    // Not with certificates of our own that have ended: they are renewed, and then it goes on.
    let vouched = seat.case.as_ref().is_some_and(|case| case.defender) || !lapsed(work)?;
    let wanted = vouched && records::load::<Commit>(work.tx, group_id)?.is_some();
    Ok(Some(SlotView { relay: seat.relay, id: SlotId::from_bytes(keys.id()), wanted }))
}

/// Makes the wanted commit and persists it with its cells; `None` when it is no longer needed.
fn stage(work: &Work<'_>, group_id: &[u8]) -> Result<Option<Entry>, Error> {
    let (Some(mut seat), Some(mut commit)) =
        (Seat::of_group(work, group_id)?, records::load::<Commit>(work.tx, group_id)?)
    else {
        return Ok(None);
    };
    let env = work.env();
    let keys = seat.group.slot_keys(&env, seat.group.slot_attempt())?;
    let signing = SigningSeed::from_bytes(*keys.seed());
    let current = commit.epoch == seat.group.epoch() && seat.group.pending().is_some();
    if !commit.cells.is_empty() && current {
        return Ok(Some((signing, commit.cells.clone())));
    }
    if let Some(pending) = seat.group.pending().filter(|_| current) {
        // The slot before this one was spoilt. The same commit again, not another one: whoever saw it there could
        // put it here, and this device would not know it as its own any more.
        commit.cells = sealed(&keys, &pending.commit)?;
        records::save(work.tx, group_id, &commit)?;
        return Ok(Some((signing, commit.cells)));
    }
    seat.group.clear_pending(&env)?;
    if no_longer_needed(&seat, &commit)? {
        done_with(work, commit)?;
        return Ok(None);
    }
    let pending = if !commit.add.is_empty() {
        // Not with certificates of our own that have ended: they are renewed, and then it goes on.
        if !seat.case.as_ref().is_some_and(|case| case.defender) {
            own_device(work)?;
        }
        match add(work, &mut seat, &commit) {
            Ok(Some(pending)) => pending,
            Ok(None) => {
                done_with(work, commit)?;
                return Ok(None);
            }
            Err(error @ GroupError::Store(_)) => return Err(error.into()),
            // It fails the same way every time, and others wait behind it.
            Err(error) => {
                let what = format!("a colleague could not be added ({error}): let them ask anew");
                work.event(Event::Problem { what });
                done_with(work, commit)?;
                return Ok(None);
            }
        }
    } else if !commit.remove.is_empty() {
        let leaves = leave::leaves_of(&seat, &commit.remove)?;
        if leaves.is_empty() {
            done_with(work, commit)?;
            return Ok(None);
        }
        seat.group.remove(&env, &seat.me, &leaves)?
    } else if commit.terms.is_empty() {
        seat.group.update(&env, &seat.me)?
    } else {
        seat.group.set_terms(&env, &seat.me, records::fixed(&commit.terms, "the terms")?)?
    };
    commit.cells = sealed(&keys, &pending.commit)?;
    if !commit.note_key.is_empty() {
        commit.note = assign::briefing(work, &seat, &commit.note_key)?;
    }
    commit.message = pending.commit;
    commit.welcome = pending.welcome.unwrap_or_default();
    commit.epoch = seat.group.epoch();
    records::save(work.tx, group_id, &commit)?;
    Ok(Some((signing, commit.cells.clone())))
}

fn sealed(keys: &SlotKeys, commit: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    keys.seal_entry(commit, &mut OsRng).map_err(|error| match error {
        SlotError::Cell(error) => error.into(),
        _ => Error::NotReady("this change is too large for one step; make it in several"),
    })
}

/// An Add of the wanted key package, unless its device is a member already.
fn add(work: &Work<'_>, seat: &mut Seat, commit: &Commit) -> Result<Option<Pending>, GroupError> {
    let env = work.env();
    let package = KeyPackage::parse(&env, &commit.add)?;
    let members = seat.group.members()?;
    let there = members.iter().find(|member| member.key == package.key());
    let assignment = Assignment::from_bytes(&commit.assignment);
    if commit.again && !commit.newcomer {
        // Only while it is a member: what has left meanwhile does not come back this way.
        let Some(leaf) = there.map(|member| member.leaf) else { return Ok(None) };
        return seat.group.change(&env, &seat.me, &[package], &[leaf], &[assignment]).map(Some);
    }
    if there.is_some() {
        return Ok(None);
    }
    seat.group.add(&env, &seat.me, &[package], &[assignment]).map(Some)
}

/// What somebody else's commit has already done.
fn no_longer_needed(seat: &Seat, commit: &Commit) -> Result<bool, Error> {
    if commit.terms.is_empty() {
        return Ok(false);
    }
    let stands = seat.group.charter().terms.is_some_and(|hash| hash.as_slice() == commit.terms);
    Ok(stands || seat.accepted_terms()?.is_none_or(|hash| hash.as_slice() != commit.terms))
}

/// Applies the first valid entry of a slot.
fn apply(
    work: &Work<'_>,
    group_id: &[u8],
    slot: SlotId,
    entries: &[SlotEntry],
) -> Result<Step, Error> {
    if entries.is_empty() {
        // Most slots that are looked at: nothing to load a group for.
        if let Some(case) = case_of_group(work, group_id)? {
            transcript::stuck(work, &case.id, None)?;
        }
        return Ok(Step::Open);
    }
    let Some(mut seat) = Seat::of_group(work, group_id)? else { return Ok(Step::Open) };
    let env = work.env();
    let keys = seat.group.slot_keys(&env, seat.group.slot_attempt())?;
    if keys.id() != *slot.as_bytes() {
        // Another call moved the group meanwhile.
        return Ok(Step::Advanced);
    }
    let cells: Vec<_> = entries
        .iter()
        .map(|entry| (entry.standing == Standing::Good).then_some(entry.cells.as_slice()))
        .collect();
    let accepted = seat.accepted_terms()?;
    let before = seat.group.members()?;
    // An error, such as terms that this device has not seen accepted yet, rolls everything back, so that the same
    // entry can be judged again.
    let reading = seat.group.read_slot(&env, &cells, accepted)?;
    if let Some(case) = &seat.case {
        transcript::stuck(work, &case.id, None)?;
    }
    for rejection in reading.void {
        work.event(Event::Problem { what: rejection.to_string() });
    }
    match reading.outcome {
        Outcome::Won { place } => {
            keep_receipt(work, &mut seat, slot, entries.get(place))?;
            won(work, &seat, &before)?;
            Ok(Step::Advanced)
        }
        Outcome::Followed { place, added, removed, committer } => {
            if !seat.group.is_active() {
                leave::removed(work, seat)?;
                return Ok(Step::Advanced);
            }
            keep_receipt(work, &mut seat, slot, entries.get(place))?;
            watch(work, &mut seat)?;
            lost(work, &seat)?;
            if let Some(case) = &seat.case {
                for member in &added {
                    again::came_back(work, &case.id, &member.key)?;
                }
            }
            leave::others_left(work, &seat, &before, &committer.key)?;
            if !added.is_empty() || !removed.is_empty() {
                if seat.case.is_none() {
                    team::note_since(work)?;
                }
                work.event(Event::MembersChanged { case: seat.case_name() });
            }
            Ok(Step::Advanced)
        }
        Outcome::Open => Ok(Step::Open),
        Outcome::Spoilt => {
            // What is staged is sealed for the slot that is spoilt: in the next one nobody could open it.
            reseal_later(work, group_id)?;
            Ok(Step::Spoilt)
        }
    }
}

/// Our commit stands: Welcomes go out, and a nudge so that the others look.
fn won(work: &Work<'_>, seat: &Seat, before: &[Member]) -> Result<(), Error> {
    let group_id = seat.group.id();
    let mut audience = seat.audience(work)?;
    if let Some(commit) = records::load::<Commit>(work.tx, group_id)? {
        // The Welcome first, so that who joins knows the lane before anybody writes on it in the new epoch.
        if !commit.welcome.is_empty() {
            work.event(Event::MembersChanged { case: seat.case_name() });
            if commit.again {
                again::welcome_again(work, seat, &commit)?;
            } else {
                welcome(work, seat, &commit)?;
            }
        }
        if !commit.remove.is_empty() {
            work.event(Event::MembersChanged { case: seat.case_name() });
            // Who has left learns it as well, where they listened.
            let team: Team = records::need(work.tx, SELF)?;
            let route = Route::from_bytes(&team.route)?;
            if !audience.contains(&route) {
                audience.push(route);
            }
        }
        done_with(work, commit)?;
    }
    let nudge = Nudge {
        group_id: group_id.to_vec(),
        epoch: seat.group.epoch().saturating_sub(1),
        receipts: receipts::latest(work, group_id)?,
    };
    leave::others_left(work, seat, before, &seat.me.key())?;
    enqueue(work, &audience, &Envelope::Nudge(nudge).to_bytes(), Belongs::default(), false)?;
    Ok(())
}

/// Sends an added colleague its Welcome, over the team's own lane.
fn welcome(work: &Work<'_>, seat: &Seat, commit: &Commit) -> Result<(), Error> {
    let routes = seat.case.as_ref().map(|case| case.routes.as_slice()).unwrap_or_default();
    let body = WelcomeBody {
        welcome: commit.welcome.clone(),
        routes: routes.iter().map(|route| Route::from_bytes(route)).collect::<Result<_, _>>()?,
        contact: None,
        note: commit.note.clone(),
        again: None,
    };
    let mut routes = rotate::team_routes(work)?;
    if seat.case.is_some() {
        // What comes with it says where a case's people listen.
        routes.truncate(1);
    }
    // A device that was enrolled before the team moved listens where the team was.
    enqueue(work, &routes, &Envelope::Welcome(body).to_bytes(), Belongs::default(), false)?;
    if seat.case.is_none() { team::let_in(work) } else { Ok(()) }
}

/// Somebody else's commit came first: ours is made anew on top of it.
fn lost(work: &Work<'_>, seat: &Seat) -> Result<(), Error> {
    if unstage(work, seat.group.id())? {
        work.event(Event::CommitLost { case: seat.case_name() });
    }
    Ok(())
}

/// Back from staged to wanted; whether anything was staged.
fn unstage(work: &Work<'_>, group_id: &[u8]) -> Result<bool, Error> {
    let Some(mut commit) = records::load::<Commit>(work.tx, group_id)? else { return Ok(false) };
    if commit.cells.is_empty() {
        return Ok(false);
    }
    commit.cells.clear();
    commit.message.clear();
    commit.welcome.clear();
    commit.lost = commit.lost.saturating_add(1);
    records::save(work.tx, group_id, &commit)?;
    Ok(true)
}

/// What is staged waits to be sealed for the next slot of the same epoch.
fn reseal_later(work: &Work<'_>, group_id: &[u8]) -> Result<(), Error> {
    let Some(mut commit) = records::load::<Commit>(work.tx, group_id)? else { return Ok(()) };
    commit.cells.clear();
    records::save(work.tx, group_id, &commit)
}

/// Remembers the relay's latest word on this group's order; it travels in the next message.
fn keep_receipt(
    work: &Work<'_>,
    seat: &mut Seat,
    slot: SlotId,
    entry: Option<&SlotEntry>,
) -> Result<(), Error> {
    let (Some(case), Some(entry)) = (&mut seat.case, entry) else { return Ok(()) };
    case.receipt = [
        slot.as_bytes().as_slice(),
        &entry.entry.to_be_bytes(),
        entry.hash.as_bytes(),
        entry.receipt.as_bytes(),
    ]
    .concat();
    records::save(work.tx, &case.id.clone(), case)
}

/// Once both sides have accepted terms, they are put into the group itself, by the mission's side.
pub(crate) fn want_terms(work: &Work<'_>, seat: &Seat) -> Result<(), Error> {
    let Some(case) = seat.case.as_ref().filter(|case| !case.defender) else { return Ok(()) };
    let terms = terms_of(case)?;
    let in_force = matches!(terms.phase(work.now), Phase::InForce | Phase::Amending);
    let Some(hash) = terms.agreed_hash().filter(|_| in_force) else { return Ok(()) };
    let stands = seat.group.charter().terms == Some(*hash.as_bytes());
    if stands {
        return Ok(());
    }
    let group_id = seat.group.id().to_vec();
    want(work, Commit { group_id, terms: hash.to_vec(), ..Commit::default() })
}
