//! The Ministry's directory on this device (SPEC.md section 10.10): what it says of keys and of the time, and how
//! everybody who verifies a chain asks it.

mod fetch;
mod publish;
mod show;

use std::collections::{BTreeMap, BTreeSet};

use budstikke_e2ee::bundle::{IntakeBundle, chain_of};
use budstikke_e2ee::cert::{Chain, VerifiedDevice, VerifiedUnit};
use budstikke_e2ee::directory::{Directory, DirectoryError, RootRevocation, Standing, Trust};
use budstikke_e2ee::group::{Group, Party};
use budstikke_e2ee::invite::Invitation;
use budstikke_e2ee::keys::{Fingerprint, VerifyingKey};

pub use publish::{DirectoryPublished, Revoke, RevokeReason};
pub(crate) use publish::{list, plan, reason};
pub(crate) use show::ROOT_REVOCATION;
pub use show::{DirectoryCard, DirectoryUnit, Imported, ListedHolder, RevokedKey};

use crate::channel::seat::Seat;
use crate::client::{Work, parse_address};
use crate::error::{self, Error};
use crate::events::Event;
use crate::mission::leave::want_remove;
use crate::mission::{need_admin, own_device};
use crate::records::{
    self, Approach, CaseRecord, Device, DirectoryClock, DirectoryRecord, Ministry, SELF, Unit,
    fixed,
};
use crate::reserve;

/// Contradictions kept as proof; the first are as good as the last.
const MAX_FORKS: usize = 4;

/// What the newest directory under a root says.
pub(crate) fn trust(work: &Work<'_>, root: &Fingerprint) -> Result<Trust, Error> {
    Ok(Trust::load(work.tx, root)?)
}

/// Verifies a chain that must end with a device: valid now, and nothing in it revoked.
///
/// # Errors
/// [`Error::Trust`].
pub(crate) fn device(
    work: &Work<'_>,
    chain: &Chain,
    root: &Fingerprint,
) -> Result<VerifiedDevice, Error> {
    let device = chain.verify_device(root, work.now)?;
    trust(work, root)?.check_device(&device)?;
    Ok(device)
}

/// Verifies a chain that must end with a unit: valid now, and nothing in it revoked.
///
/// # Errors
/// [`Error::Trust`].
pub(crate) fn unit(
    work: &Work<'_>,
    chain: &Chain,
    root: &Fingerprint,
) -> Result<VerifiedUnit, Error> {
    let unit = chain.verify_unit(root, work.now)?;
    trust(work, root)?.check_unit(&unit)?;
    Ok(unit)
}

/// Verifies what stands under an invitation's notice; a revoked unit's is refused.
///
/// # Errors
/// [`Error::Trust`].
pub(crate) fn bundle(
    work: &Work<'_>,
    content: &[u8],
    invitation: &Invitation,
) -> Result<IntakeBundle, Error> {
    let bundle = IntakeBundle::verify(work.suite, content, invitation, work.now)?;
    trust(work, &bundle.unit.root)?.check_unit(&bundle.unit)?;
    Ok(bundle)
}

/// Fails when a directory was seen under this root and its time is over: what needs authority waits for the next.
///
/// # Errors
/// [`error::Trust::StaleDirectory`].
pub(crate) fn authority(work: &Work<'_>, root: &Fingerprint) -> Result<(), Error> {
    if trust(work, root)?.is_stale(work.now) {
        return Err(Error::Trust(Box::new(error::Trust::StaleDirectory)));
    }
    Ok(())
}

/// Fails for a relay that any directory here revokes: nothing new is put there.
///
/// # Errors
/// [`error::Trust::RelayRevoked`]; [`Error::Input`] for what is no address.
pub(crate) fn relay(work: &Work<'_>, address: &str) -> Result<(), Error> {
    let id = parse_address(address)?.id;
    for (root, _) in records::all::<DirectoryClock>(work.tx)? {
        if trust(work, &fixed(&root, "a root's fingerprint")?)?.of_relay(&id).is_some() {
            return Err(Error::Trust(Box::new(error::Trust::RelayRevoked)));
        }
    }
    Ok(())
}

/// On an admin's device: wants every device that is revoked out of the team and of every case.
pub(crate) fn remove_revoked(work: &Work<'_>) -> Result<(), Error> {
    let Ok(own) = own_device(work) else { return Ok(()) };
    let trust = trust(work, &own.unit.root)?;
    if trust.revoked().is_empty() || need_admin(&own).is_err() {
        return Ok(());
    }
    let mut seats: Vec<Seat> = Seat::team(work).into_iter().collect();
    for (_, case) in records::all::<CaseRecord>(work.tx)? {
        seats.extend(Seat::case(work, case));
    }
    for seat in seats.iter().filter(|seat| seat.group.is_active()) {
        for member in seat.group.members()? {
            let Party::Device(device) = member.party else { continue };
            if trust.check_device(&device).is_err() {
                want_remove(work, seat.group.id(), &member.key)?;
            }
        }
    }
    Ok(())
}

/// The directory that is held under a root.
pub(crate) fn held(work: &Work<'_>, root: &Fingerprint) -> Result<Option<Directory>, Error> {
    let Some(record) = records::load::<DirectoryRecord>(work.tx, root)? else { return Ok(None) };
    if record.directory.is_empty() {
        return Ok(None);
    }
    Ok(Some(Directory::kept(&record.directory, root)?))
}

/// The bytes of the directory that is held under a root; empty before any.
pub(crate) fn held_bytes(work: &Work<'_>, root: &Fingerprint) -> Result<Vec<u8>, Error> {
    let record = records::load::<DirectoryRecord>(work.tx, root)?;
    Ok(record.map(|record| record.directory.clone()).unwrap_or_default())
}

/// Takes a directory that came, from wherever: verified, held against the one that is here, and kept if it is later.
///
/// # Errors
/// [`Error::Trust`] for one that does not verify.
pub(crate) fn take(work: &Work<'_>, root: &Fingerprint, bytes: &[u8]) -> Result<Standing, Error> {
    let new = Directory::verify(bytes, root, work.now)?;
    let mut trust = trust(work, root)?;
    let standing = new.against(held(work, root)?.as_ref(), &trust).map_err(DirectoryError::from)?;
    let mut record = records::load::<DirectoryRecord>(work.tx, root)?.unwrap_or_default();
    match standing {
        Standing::Newer | Standing::AfterGap => {
            if standing == Standing::AfterGap {
                let what = "the Ministry's directory has moved on so far that its history does not reach back to the \
                            one held here; it was taken";
                work.event(Event::Problem { what: what.to_owned() });
            }
            record.directory = bytes.to_vec();
            record.taken_at = work.now.max(new.made_at);
            records::save(work.tx, root, &record)?;
            trust.take(&new);
            keep(work, root, &trust)?;
        }
        Standing::Forked => {
            let known = record.forks.iter().any(|fork| fork == bytes);
            if !known && record.forks.len() < MAX_FORKS {
                record.forks.push(bytes.to_vec());
                records::save(work.tx, root, &record)?;
            }
            if !known {
                work.event(Event::DirectoryForked { number: new.number });
            }
        }
        _ => {}
    }
    Ok(standing)
}

/// Takes a directory that came with something else: whatever is wrong with it, the rest goes on.
pub(crate) fn take_along(work: &Work<'_>, root: &Fingerprint, bytes: &[u8]) -> Result<(), Error> {
    match bytes {
        [] => Ok(()),
        bytes => match take(work, root, bytes) {
            Err(error) if error.is_fatal() => Err(error),
            Err(error) => {
                work.event(Event::Problem { what: error.to_string() });
                Ok(())
            }
            Ok(_) => Ok(()),
        },
    }
}

/// Takes the root's word about an issuer.
pub(crate) fn take_root(
    work: &Work<'_>,
    root: &Fingerprint,
    word: &RootRevocation,
) -> Result<(), Error> {
    let mut trust = trust(work, root)?;
    trust.take_root(word, work.now);
    keep(work, root, &trust)
}

fn keep(work: &Work<'_>, root: &Fingerprint, trust: &Trust) -> Result<(), Error> {
    trust.save(work.tx, root)?;
    let mut clock = records::load::<DirectoryClock>(work.tx, root)?.unwrap_or_default();
    clock.made_at = trust.made_at;
    records::save(work.tx, root, &clock)?;
    let all = records::all::<DirectoryClock>(work.tx)?;
    work.not_before(all.iter().map(|(_, clock)| clock.made_at).max().unwrap_or_default());
    Ok(())
}

/// Where the directory of a root may be found.
#[derive(Default)]
pub(crate) struct Places {
    /// Ids of its notice.
    pub(crate) ids: BTreeSet<VerifyingKey>,
    /// Relays that this device uses under that root anyway.
    pub(crate) relays: BTreeSet<String>,
}

/// The roots that this device has to do with, from every chain that it holds.
pub(crate) fn places(work: &Work<'_>) -> Result<BTreeMap<Fingerprint, Places>, Error> {
    let mut places: BTreeMap<Fingerprint, Places> = BTreeMap::new();
    let mut note = |root: Fingerprint, id: Option<VerifyingKey>, relays: &[String]| {
        let place = places.entry(root).or_default();
        place.ids.extend(id);
        place.relays.extend(relays.iter().cloned());
    };
    let ministry = records::load::<Ministry>(work.tx, SELF)?;
    if let Some(ministry) = ministry.as_ref().filter(|it| !it.issuer_chain.is_empty()) {
        let chain = Chain::from_bytes(&ministry.issuer_chain)?;
        let root = chain.claimed_root();
        note(root, chain.trusted_issuer(&root)?.directory, &[]);
    }
    if let Some(root) = ministry.as_ref().and_then(reserve::holder_of) {
        note(root, None, &[]);
    }
    let own = records::load::<Device>(work.tx, SELF)?.filter(|device| !device.chain.is_empty());
    if let Some(device) = &own {
        let chain = Chain::from_bytes(&device.chain)?;
        let root = chain.claimed_root();
        let unit = records::load::<Unit>(work.tx, SELF)?;
        let relays = unit.map(|unit| unit.relays.clone()).unwrap_or_default();
        note(root, chain.trusted_unit(&root)?.directory, &relays);
    }
    for (_, approach) in records::all::<Approach>(work.tx)?.iter().filter(|(_, a)| !a.line) {
        let Ok(root) = fixed(&approach.root, "a root's fingerprint") else { continue };
        let id = chain_of(&approach.bundle)
            .and_then(|chain| chain.trusted_unit(&root).ok())
            .and_then(|unit| unit.directory);
        let relays = Invitation::from_text(&approach.invitation).map(|it| it.relays);
        note(root, id, &relays.unwrap_or_default());
    }
    if own.is_none() {
        // The certificates of who is in a case are newer than those of its first day.
        for (_, case) in records::all::<CaseRecord>(work.tx)? {
            let Ok(root) = fixed(&case.root, "a root's fingerprint") else { continue };
            note(root, None, std::slice::from_ref(&case.relay));
            let Some(group) = Group::load(&work.env(), &case.group_id)? else { continue };
            for member in group.members()? {
                if let Party::Device(device) = member.party {
                    note(root, device.unit.directory, &[]);
                }
            }
        }
    }
    for (root, place) in &mut places {
        if let Some(held) = held(work, root)? {
            place.ids.extend(held.issuer.directory);
            if ministry.is_some() {
                place.relays.extend(held.relays);
            }
        }
    }
    Ok(places)
}
