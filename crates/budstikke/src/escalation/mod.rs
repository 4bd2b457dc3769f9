//! What happens to an alert that nobody takes in time: whoever comes next hears of it, also when the device that raised
//! it has no power by then.
//!
//! Each end of a line tells the other, once a week, where copies go and which key they are sealed to ([`reach`]). With an
//! alert, one copy for each person in turn is left at the relay, to be released at its time unless somebody calls it off
//! ([`copies`]). Where a copy is released, it is opened and answered outside of any group ([`words`]).

pub(crate) mod copies;
pub(crate) mod reach;
pub(crate) mod words;

use budstikke_e2ee::cert::Chain;
use budstikke_e2ee::keys::SigningKey;

use crate::client::Work;
use crate::error::Error;
use crate::records::{self, Device, SELF, fixed};

/// What this device signs with outside of groups.
fn signer(work: &Work<'_>) -> Result<(SigningKey, Chain), Error> {
    let device: Device = records::need(work.tx, SELF)?;
    let key = SigningKey::from_bytes(&fixed(&device.seed, "this device's key")?);
    Ok((key, Chain::from_bytes(&device.chain)?))
}
