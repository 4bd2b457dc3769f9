//! Renewal before certificates end (SPEC.md section 10.2): a device's by its team's admin, the unit's by the Ministry.
//!
//! A certificate is bound to its whole parent, so a renewed unit certificate needs new ones for all its devices. Keys
//! stay the same throughout: who a device is to others does not change, only until when its unit vouches for it.

use budstikke_e2ee::armor;
use budstikke_e2ee::cert::{
    CertError, Chain, DeviceRequest, Level, UnitRequest, VerifiedDevice, VerifiedUnit, issue_device,
};
use budstikke_e2ee::group::{Member, Party};
use budstikke_e2ee::keys::SigningKey;
use budstikke_e2ee::team::TeamMessage;

use super::publish::KEY_AGE_S;
use super::{kind_of, own_papers, team, unit_and_team};
use crate::channel::commit::want_update;
use crate::channel::seat::Seat;
use crate::client::{Client, Work};
use crate::directory;
use crate::error::Error;
use crate::events::Event;
use crate::ministry::UNIT_REQUEST;
use crate::records::{self, CaseRecord, Device, Ministry, RenewalRecord, SELF, Team, Unit, fixed};

const DAY_S: i64 = 86_400;
/// A device asks for a new certificate from 10 days before the end of its own.
const DEVICE_DUE_S: i64 = 10 * DAY_S;
/// A unit's is due from 30 days before its end.
const UNIT_DUE_S: i64 = 30 * DAY_S;
/// An issuer's is due while the units that it certifies still get their full time.
const ISSUER_DUE_S: i64 = 120 * DAY_S;
/// A device asks its admin's at most this often.
const ASK_AGAIN_S: i64 = DAY_S;
/// New chains in one message: about 14 KB, one cell.
const MAX_CHAINS: usize = 16;

/// Whether a certificate has to be renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateState {
    /// It holds.
    Good,
    /// It holds, and is to be renewed now.
    Due,
    /// It has ended. A device still reads; what it sends, others see as lapsed, and it can't change a group.
    Ended,
}

/// A certificate of this vault's chain, and until when it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateStatus {
    /// Whose it is.
    pub level: Level,
    /// Unix seconds.
    pub not_after: i64,
    /// Whole days until then; 0 on the last and after it.
    pub days_left: u32,
    /// Whether it is time.
    pub state: CertificateState,
    /// Whether its renewal begins in this vault: the admin's for the unit, an issuer's for the issuer.
    pub ours: bool,
}

impl Client {
    /// The certificates of this vault's own chain, the highest first; none in a defender's vault and in the root's.
    ///
    /// # Errors
    /// [`Error::Vault`], [`Error::Damaged`].
    pub async fn certificates(&self) -> Result<Vec<CertificateStatus>, Error> {
        self.vault(status).await
    }

    /// Those that have to be renewed, or have ended; of several that end together the highest, for the others follow
    /// from it.
    ///
    /// # Errors
    /// As [`Client::certificates`].
    pub async fn certificates_to_renew(&self) -> Result<Vec<CertificateStatus>, Error> {
        self.vault(attention).await
    }

    /// On the admin's device: the request for a new certificate of this unit, for the same keys. It goes the way of
    /// the first one, and comes back through [`Client::install_unit`].
    ///
    /// # Errors
    /// [`Error::NotReady`] on any other device.
    pub async fn renew_unit(&self) -> Result<String, Error> {
        self.vault(|work| {
            let (unit, _) = unit_and_team(work)?;
            let key = unit_key(&unit)?;
            let notice = SigningKey::from_bytes(&fixed(&unit.notice_seed, "the notice key")?);
            let kind = kind_of(unit.kind).ok_or(Error::Damaged { what: "the unit" })?;
            let request = UnitRequest {
                key: key.public(),
                name: unit.name.clone(),
                id: unit.id.clone(),
                kind,
                notice: notice.public(),
                relays: unit.relays.clone(),
            };
            Ok(armor::encode(UNIT_REQUEST, &request.sign(&key, work.now)?))
        })
        .await
    }

    /// Renews what is due, asks for what others renew, and carries new chains into every group.
    pub(crate) async fn renew_certificates(&self) -> Result<(), Error> {
        self.vault(look).await
    }
}

fn attention(work: &Work<'_>) -> Result<Vec<CertificateStatus>, Error> {
    let mut all = status(work)?;
    all.retain(|one| one.state != CertificateState::Good);
    let mut above = i64::MAX;
    all.retain(|one| {
        let first = one.not_after < above;
        above = above.min(one.not_after);
        first
    });
    Ok(all)
}

fn status(work: &Work<'_>) -> Result<Vec<CertificateStatus>, Error> {
    let (chain, may) = if let Some(ministry) = records::load::<Ministry>(work.tx, SELF)? {
        (ministry.issuer_chain.clone(), Some(Level::Issuer))
    } else if let Some(device) = records::load::<Device>(work.tx, SELF)? {
        let unit = records::load::<Unit>(work.tx, SELF)?;
        let may = unit.filter(|unit| !unit.seed.is_empty()).map(|_| Level::Unit);
        (device.chain.clone(), may)
    } else {
        return Ok(Vec::new());
    };
    if chain.is_empty() {
        return Ok(Vec::new());
    }
    let one = |(level, not_after): (Level, i64)| {
        let left = not_after.saturating_sub(work.now);
        let due = match level {
            Level::Issuer if may == Some(level) => ISSUER_DUE_S,
            Level::Issuer | Level::Unit => UNIT_DUE_S,
            Level::Device => DEVICE_DUE_S,
        };
        let state = match left {
            ..=0 => CertificateState::Ended,
            left if left <= due => CertificateState::Due,
            _ => CertificateState::Good,
        };
        let days_left = u32::try_from(left.max(0) / DAY_S).unwrap_or(u32::MAX);
        CertificateStatus { level, not_after, days_left, state, ours: may == Some(level) }
    };
    Ok(Chain::from_bytes(&chain)?.ends()?.into_iter().map(one).collect())
}

fn look(work: &Work<'_>) -> Result<(), Error> {
    let Some(device) = records::load::<Device>(work.tx, SELF)? else { return Ok(()) };
    if device.chain.is_empty() {
        return Ok(());
    }
    let own = own_papers(work)?;
    if own.not_after <= work.now.saturating_add(DEVICE_DUE_S) {
        let (unit, _) = unit_and_team(work)?;
        if unit.seed.is_empty() {
            ask(work, &device, &own)?;
        } else if let Some(chain) = issued(work, &unit, &own)? {
            adopt(work, &chain)?;
        }
    }
    let mut record = load(work)?;
    if record.spreading {
        record.spreading = !spread(work)?;
        records::save(work.tx, SELF, &record)?;
    }
    if record.told_at <= work.now.saturating_sub(DAY_S) {
        let ending = attention(work)?;
        if !ending.is_empty() {
            record.told_at = work.now;
            records::save(work.tx, SELF, &record)?;
        }
        for status in ending {
            work.event(Event::CertificateEnds(status));
        }
    }
    Ok(())
}

/// Asks the admin's device, once a day.
fn ask(work: &Work<'_>, device: &Device, own: &VerifiedDevice) -> Result<(), Error> {
    let mut record = load(work)?;
    if record.asked_at > work.now.saturating_sub(ASK_AGAIN_S) {
        return Ok(());
    }
    let key = SigningKey::from_bytes(&fixed(&device.seed, "this device's key")?);
    let request = DeviceRequest::make(&key, &own.label, &own.roles, work.now)?;
    match team::tell(work, &TeamMessage::RenewalRequest { request }) {
        // Not in the team yet.
        Err(Error::NotReady(_)) => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            record.asked_at = work.now;
            records::save(work.tx, SELF, &record)
        }
    }
}

/// A colleague's device asks: on the admin's device it gets a new certificate for what it is certified as now, if it is
/// still a member of the team.
pub(crate) fn asked(work: &Work<'_>, sender: &Member, request: &[u8]) -> Result<(), Error> {
    let (unit, _) = unit_and_team(work)?;
    if unit.seed.is_empty() {
        return Ok(());
    }
    if DeviceRequest::from_bytes(request)?.key != sender.key {
        return Err(CertError::NotYourCertificate.into());
    }
    // Whoever was revoked meanwhile must not be renewed unawares. They ask again tomorrow.
    if directory::authority(work, &own_papers(work)?.unit.root).is_err() {
        return Ok(());
    }
    let due = work.now.saturating_add(DEVICE_DUE_S);
    reissue(work, &unit, |device| device.key == sender.key && device.not_after <= due)
}

/// Issues anew for those members of the team who are meant, and tells them.
fn reissue(
    work: &Work<'_>,
    unit: &Unit,
    meant: impl Fn(&VerifiedDevice) -> bool,
) -> Result<(), Error> {
    let seat = Seat::team(work)?;
    let trust = directory::trust(work, &seat.group.charter().root)?;
    let mut chains = Vec::new();
    for member in seat.group.members()?.into_iter().filter(|member| member.key != seat.me.key()) {
        let Party::Device(device) = member.party else { continue };
        if meant(&device)
            && trust.check_device(&device).is_ok()
            && let Some(chain) = issued(work, unit, &device)?
        {
            chains.push(chain.to_bytes());
        }
    }
    for chains in chains.chunks(MAX_CHAINS) {
        team::tell(work, &TeamMessage::Renewed { chains: chains.to_vec() })?;
    }
    Ok(())
}

/// A new chain for a device as it is certified now, with no other roles; `None` if it would hold no longer than the one
/// it has, which is so when the unit's own certificate has to be renewed first.
fn issued(work: &Work<'_>, unit: &Unit, device: &VerifiedDevice) -> Result<Option<Chain>, Error> {
    let own = Chain::from_bytes(&unit.chain)?;
    let request =
        DeviceRequest { key: device.key, label: device.label.clone(), roles: device.roles.clone() };
    let chain = match issue_device(&unit_key(unit)?, &own, &request, &device.roles, work.now) {
        Err(CertError::Expired { .. }) => return Ok(None),
        made => made?,
    };
    let made = chain.trusted_device(&own.claimed_root())?;
    Ok(newer(&made, device).then_some(chain))
}

/// What the admin's device has issued again: this device's own is taken.
pub(crate) fn came(work: &Work<'_>, chains: &[Vec<u8>]) -> Result<(), Error> {
    let own = own_papers(work)?;
    for bytes in chains {
        let chain = Chain::from_bytes(bytes)?;
        let ours = chain.trusted_device(&own.unit.root).is_ok_and(|device| device.key == own.key);
        if !ours {
            continue;
        }
        let made = directory::device(work, &chain, &own.unit.root)?;
        let same = (&made.roles, &made.label) == (&own.roles, &own.label);
        if !same || !same_unit(&made.unit, &own.unit) {
            return Err(CertError::NotYourCertificate.into());
        }
        if newer(&made, &own) {
            adopt(work, &chain)?;
        }
    }
    Ok(())
}

/// A new certificate for the unit of this device, which has its team already.
pub(super) fn install(work: &Work<'_>, mut unit: Unit, chain: &Chain) -> Result<(), Error> {
    if unit.chain == chain.to_bytes() {
        return Ok(());
    }
    let own = own_papers(work)?;
    let made = directory::unit(work, chain, &own.unit.root)?;
    if !same_unit(&made, &own.unit) {
        return Err(CertError::NotYourCertificate.into());
    }
    let ends = |chain: &Chain| Ok::<_, Error>(chain.ends()?.into_iter().map(|(_, end)| end).min());
    if ends(chain)? <= ends(&Chain::from_bytes(&unit.chain)?)? {
        return Err(no_later());
    }
    unit.chain = chain.to_bytes();
    records::save(work.tx, SELF, &unit)?;
    if let Some(chain) = issued(work, &unit, &own)? {
        adopt(work, &chain)?;
    }
    reissue(work, &unit, |_| true)?;
    let mut team: Team = records::need(work.tx, SELF)?;
    if team.published_at > 0 {
        // The bundle carries the chain: the next sync publishes it anew.
        team.published_at = team.published_at.min(work.now.saturating_sub(KEY_AGE_S)).max(1);
        records::save(work.tx, SELF, &team)?;
    }
    Ok(())
}

/// The error for a certificate that would shorten what is installed.
pub(crate) fn no_later() -> Error {
    Error::Input {
        what: "the certificate",
        why: "it ends no later than the one that is installed; nothing was changed".to_owned(),
    }
}

/// Makes a chain this device's own.
fn adopt(work: &Work<'_>, chain: &Chain) -> Result<(), Error> {
    let mut device: Device = records::need(work.tx, SELF)?;
    device.chain = chain.to_bytes();
    records::save(work.tx, SELF, &device)?;
    let mut unit: Unit = records::need(work.tx, SELF)?;
    if unit.seed.is_empty() {
        unit.chain = chain.parent().map(|parent| parent.to_bytes()).unwrap_or_default();
        records::save(work.tx, SELF, &unit)?;
    }
    let spreading = !spread(work)?;
    records::save(work.tx, SELF, &RenewalRecord { spreading, ..RenewalRecord::default() })?;
    let not_after = own_papers(work)?.not_after;
    work.event(Event::CertificateRenewed { not_after });
    Ok(())
}

/// Wants an update in every group whose leaf of this device carries an older chain; whether none is left. A commit that
/// was staged before carries the older one too, so this is asked again until all do.
fn spread(work: &Work<'_>) -> Result<bool, Error> {
    let own = own_papers(work)?;
    let mut seats = Vec::new();
    match Seat::team(work) {
        Ok(seat) => seats.push(seat),
        Err(Error::NotReady(_)) => {}
        Err(error) => return Err(error),
    }
    for (_, case) in records::all::<CaseRecord>(work.tx)? {
        if case.left_at > 0 {
            continue;
        }
        if !case.defender {
            match Seat::case(work, case) {
                // Its keys are lost here: who is let in again brings the newer chain.
                Err(Error::NotReady(_)) => {}
                seat => seats.push(seat?),
            }
        }
    }
    let mut done = true;
    for seat in seats.iter().filter(|seat| seat.group.is_active()) {
        match seat.own_party()? {
            Some(Party::Device(leaf)) if *leaf != own => {
                want_update(work, seat.group.id())?;
                done = false;
            }
            _ => {}
        }
    }
    Ok(done)
}

fn load(work: &Work<'_>) -> Result<RenewalRecord, Error> {
    Ok(records::load::<RenewalRecord>(work.tx, SELF)?.unwrap_or_default())
}

fn newer(made: &VerifiedDevice, than: &VerifiedDevice) -> bool {
    (made.not_after, made.unit.not_after) > (than.not_after, than.unit.not_after)
}

/// Renewal keeps who a unit is; a unit with another key is another one.
fn same_unit(one: &VerifiedUnit, other: &VerifiedUnit) -> bool {
    (one.root, &one.id, one.kind, one.key, one.notice)
        == (other.root, &other.id, other.kind, other.key, other.notice)
}

fn unit_key(unit: &Unit) -> Result<SigningKey, Error> {
    if unit.seed.is_empty() {
        return Err(Error::NotReady("only the unit's first device can do that: ask your admin"));
    }
    Ok(SigningKey::from_bytes(&fixed(&unit.seed, "the unit's key")?))
}
