//! Who may sign what in a case: the members' certificates, and this officer's own key.

use budstikke_case::officer::Keys;
use budstikke_case::wire::{Attestation, Officer};
use budstikke_case::{Act, Leg, Role, permit};
use budstikke_e2ee::cert::VerifiedDevice;
use budstikke_e2ee::group::Party;
use budstikke_e2ee::keys::{SigningKey, VerifyingKey};

use crate::channel::seat::{Seat, case_roles, terms_of};
use crate::client::Work;
use crate::error::Error;

/// The members of a channel. A signature counts when its officer is one of the certified.
pub(crate) struct Members {
    certified: Vec<Member>,
    defenders: Vec<String>,
}

struct Member {
    key: [u8; 32],
    unit: String,
    label: String,
    roles: Vec<Role>,
}

impl Members {
    /// Everybody in the channel whose certificate holds now and is not revoked.
    pub(crate) fn of(work: &Work<'_>, seat: &Seat, leg: Leg) -> Result<Self, Error> {
        let mut members = Self { certified: Vec::new(), defenders: Vec::new() };
        let all = seat.group.members()?.into_iter();
        for member in all.filter(|member| !member.lapsed(work.now)) {
            if member.is_revoked(&work.env())? {
                continue;
            }
            match member.party {
                Party::Device(device) => members.certified.push(Member::of(&device, leg)),
                Party::Defender { pseudonym } => members.defenders.push(pseudonym),
                _ => {}
            }
        }
        Ok(members)
    }

    /// One device alone, for what it signed outside of a channel.
    pub(crate) fn one(device: &VerifiedDevice, leg: Leg) -> Self {
        Self { certified: vec![Member::of(device, leg)], defenders: Vec::new() }
    }

    /// Whether this alias is that of the defender whose channel it is.
    pub(crate) fn is_defender(&self, alias: &str) -> bool {
        self.defenders.iter().any(|name| name == alias)
    }
}

impl Member {
    fn of(device: &VerifiedDevice, leg: Leg) -> Self {
        Self {
            key: *device.key.as_bytes(),
            unit: device.unit.id.clone(),
            label: device.label.clone(),
            // What an officer heard in one channel is shown in another, where the same office has other words
            // for the same role.
            roles: [leg, Leg::DefenderMission, Leg::DefenderMultilateralMission]
                .iter()
                .flat_map(|leg| case_roles(&device.roles, *leg))
                .collect(),
        }
    }
}

impl Keys for Members {
    fn verify(&self, key: &[u8], domain: &'static str, body: &[u8], signature: &[u8]) -> bool {
        let key = VerifyingKey::from_bytes(key);
        key.is_ok_and(|key| key.verify(domain, body, signature).is_ok())
    }

    fn certified(&self, officer: &Officer) -> bool {
        let Ok(role) = Role::try_from(officer.role) else { return false };
        self.certified.iter().any(|member| {
            member.key.as_slice() == officer.key
                && member.unit == officer.unit
                && member.label == officer.label
                && member.roles.contains(&role)
        })
    }
}

/// For what stands in the vault: it was proven before it got there, under certificates that may have ended since.
pub(crate) struct Proven;

impl Keys for Proven {
    fn verify(&self, _: &[u8], _: &'static str, _: &[u8], _: &[u8]) -> bool {
        true
    }

    fn certified(&self, _: &Officer) -> bool {
        true
    }
}

/// This device's user as an officer in a role.
///
/// # Errors
/// [`Error::NotReady`] for a device that is no member, or no officer's.
pub(crate) fn own_officer(seat: &Seat, role: Role) -> Result<Officer, Error> {
    Ok(officer_of(&*own_device(seat)?, role))
}

/// A device's user as an officer in a role.
pub(crate) fn officer_of(device: &VerifiedDevice, role: Role) -> Officer {
    Officer {
        key: device.key.as_bytes().to_vec(),
        unit: device.unit.id.clone(),
        label: device.label.clone(),
        role: role.into(),
    }
}

fn own_device(seat: &Seat) -> Result<Box<VerifiedDevice>, Error> {
    match seat.own_party()? {
        Some(Party::Device(device)) => Ok(device),
        _ => Err(Error::NotReady("only an officer's device signs for an office")),
    }
}

/// This officer's signature over `body`.
pub(crate) fn attest(
    seat: &Seat,
    role: Role,
    domain: &'static str,
    body: &[u8],
) -> Result<Attestation, Error> {
    Ok(sign_as(own_officer(seat, role)?, seat.me.signing_key(), domain, body))
}

/// An officer's signature over `body`, by the key of their device.
pub(crate) fn sign_as(
    officer: Officer,
    key: &SigningKey,
    domain: &'static str,
    body: &[u8],
) -> Attestation {
    budstikke_case::officer::attest(officer, domain, body, |domain, body| key.sign(domain, body))
}

/// The first of this device's roles that may do something in this channel; else the first of all, for the guards to
/// refuse.
pub(crate) fn role_for(seat: &Seat, act: Act) -> Result<Role, Error> {
    let Some(case) = &seat.case else { return Err(Error::NotFound { what: "the case" }) };
    let leg = terms_of(case)?.leg();
    let roles = case_roles(&own_device(seat)?.roles, leg);
    let may = roles.iter().find(|role| permit(act, leg, **role).is_ok());
    Ok(may.or(roles.first()).copied().unwrap_or(Role::Unspecified))
}
