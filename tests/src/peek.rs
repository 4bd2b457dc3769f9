//! Looks into a vault's file and at what a relay holds for it, past the client: what a person with the passphrase and
//! a debugger could see.

use std::path::Path;

use budstikke::SecretString;
use budstikke::vault::{Kind, Vault, VaultError};
use budstikke_e2ee::contact::Route;
use budstikke_e2ee::envelope::Envelope;
use budstikke_e2ee::group::{Group, Inbound};
use budstikke_e2ee::slot::SlotKeys;
use budstikke_e2ee::{Env, Suite};
use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::cell::{self, Opened, SealKey};
use budstikke_proto::id::RecvId;
use prost::Message;
use rand_core::OsRng;

use crate::raw::Raw;
use crate::world::PASSPHRASE;

/// Every kind of record that a vault holds, by number: the MLS state too.
pub const KINDS: std::ops::Range<u16> = 0..120;
const POST: u16 = 20;
const LANE: u16 = 21;
const CASE: u16 = 40;
/// [`Lane::used_for`] of a correspondent's.
const PEER: i32 = 3;

/// A mailbox, as the vault remembers it.
#[derive(Clone, PartialEq, Message)]
pub struct Post {
    /// Its relay's address.
    #[prost(string, tag = "1")]
    pub relay: String,
    /// Its owner's key.
    #[prost(bytes = "vec", tag = "2")]
    pub recv_secret: Vec<u8>,
    /// Its id.
    #[prost(bytes = "vec", tag = "3")]
    pub recv_id: Vec<u8>,
}

/// A grant, as the vault remembers it.
#[derive(Clone, PartialEq, Message)]
pub struct Lane {
    /// Comes back with every cell.
    #[prost(bytes = "vec", tag = "1")]
    pub label: Vec<u8>,
    /// Opens the cells.
    #[prost(bytes = "vec", tag = "2")]
    pub seal_key: Vec<u8>,
    /// 1 front door, 2 team, 3 one correspondent.
    #[prost(int32, tag = "3")]
    pub used_for: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Case {
    #[prost(bytes = "vec", tag = "2")]
    group_id: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "5")]
    routes: Vec<Vec<u8>>,
}

/// What one cell at a relay is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// An MLS message of a correspondent.
    Message,
    /// Anything else: nudges, Welcomes, parts, colleagues' words.
    Other,
}

/// All records of a kind in a vault that nobody has open.
///
/// # Panics
/// When the vault cannot be read.
pub fn records<R: Message + Default>(vault: &Path, kind: u16) -> Vec<R> {
    let values = values(vault, Kind::new(kind));
    values.iter().map(|value| R::decode(value.as_slice()).expect("a record")).collect()
}

/// All values of a kind.
///
/// # Panics
/// When the vault cannot be read.
pub fn values(vault: &Path, kind: Kind) -> Vec<Vec<u8>> {
    let mut vault = open(vault);
    let rows = vault.read(|view| view.list(kind)).expect("the rows");
    rows.into_iter().map(|row| row.value.to_vec()).collect()
}

/// Where the only case of a vault writes to.
///
/// # Panics
/// When the vault holds no case.
pub fn routes(vault: &Path) -> Vec<Route> {
    let case = records::<Case>(vault, CASE).into_iter().next().expect("a case");
    case.routes.iter().map(|route| Route::from_bytes(route).expect("a route")).collect()
}

/// The keys of the slot of the only case's group, at the first attempt: what a member of that epoch can derive.
///
/// # Panics
/// When the vault holds no case.
pub fn slot_keys(path: &Path, now: i64) -> SlotKeys {
    let case = records::<Case>(path, CASE).into_iter().next().expect("a case");
    let suite = Suite::new(&mut OsRng);
    let derived = open(path).transaction(|tx| {
        let env = Env { suite: &suite, store: tx, now };
        let group = Group::load(&env, &case.group_id).expect("the group").expect("a group");
        Ok::<_, VaultError>(group.slot_keys(&env, 0).expect("slot keys"))
    });
    derived.expect("a transaction")
}

/// What waits at the relay in the only mailbox of a vault.
///
/// # Panics
/// When the relay does not answer.
pub async fn waiting(vault: &Path) -> Vec<Waiting> {
    let what = |(used_for, envelope)| match envelope {
        Some(Envelope::Mls(_)) if used_for == PEER => Waiting::Message,
        _ => Waiting::Other,
    };
    envelopes(vault).await.into_iter().map(what).collect()
}

/// The MLS messages of correspondents that wait at the relay in the only mailbox of a vault: what somebody can put
/// aside who has its keys.
///
/// # Panics
/// When the relay does not answer.
pub async fn messages(vault: &Path) -> Vec<Vec<u8>> {
    let message = |(used_for, envelope)| match envelope {
        Some(Envelope::Mls(message)) if used_for == PEER => Some(message),
        _ => None,
    };
    envelopes(vault).await.into_iter().filter_map(message).collect()
}

/// Loses the keys of the only case of a vault, as a damaged disk would: its history stays.
///
/// # Panics
/// When the vault holds no case.
pub fn lose_keys(path: &Path, now: i64) {
    let case = records::<Case>(path, CASE).into_iter().next().expect("a case");
    let suite = Suite::new(&mut OsRng);
    let done = open(path).transaction(|tx| {
        let env = Env { suite: &suite, store: tx, now };
        let group = Group::load(&env, &case.group_id).expect("the group").expect("a group");
        group.delete(&env).expect("deleted");
        Ok::<_, VaultError>(())
    });
    done.expect("a transaction");
}

/// Whether a vault can still open a message of its only case.
///
/// # Panics
/// When the vault holds no case.
pub fn opens(path: &Path, message: &[u8], now: i64) -> bool {
    let case = records::<Case>(path, CASE).into_iter().next().expect("a case");
    let suite = Suite::new(&mut OsRng);
    let mut opened = false;
    // Rolled back: looking uses no key up.
    let done = open(path).transaction(|tx| {
        let env = Env { suite: &suite, store: tx, now };
        let mut group = Group::load(&env, &case.group_id).expect("the group").expect("a group");
        let taken = group.process(&env, message, None).expect("a verdict");
        opened = matches!(taken, Inbound::Application(_));
        Err::<(), _>(VaultError::WrongPassphrase)
    });
    assert!(done.is_err(), "rolled back");
    opened
}

async fn envelopes(vault: &Path) -> Vec<(i32, Option<Envelope>)> {
    let post = records::<Post>(vault, POST).into_iter().next().expect("a mailbox");
    let lanes = records::<Lane>(vault, LANE);
    let address: RelayAddress = post.relay.parse().expect("an address");
    let owner = CapabilityKey::from_bytes(post.recv_secret.as_slice().try_into().expect("a key"));
    let recv_id = RecvId::parse(&post.recv_id).expect("an id");
    let raw = Raw::connect(&address).await.expect("a connection");
    let mut stream = raw.open().await.expect("a stream");
    let cells = stream.read_all(&owner, recv_id).await.expect("cells");
    let open = |cell: &crate::raw::Cell| {
        let lane = lanes.iter().find(|lane| lane.label == cell.label.as_bytes()).expect("a lane");
        let key = SealKey::from_bytes(lane.seal_key.as_slice().try_into().expect("a key"));
        let envelope = match cell::open(&cell.cell, &key) {
            Ok(Opened::Fragment(part)) => Envelope::from_bytes(&part.body).ok(),
            _ => None,
        };
        (lane.used_for, envelope)
    };
    cells.iter().map(open).collect()
}

fn open(vault: &Path) -> Vault {
    Vault::open(vault, &SecretString::from(PASSPHRASE)).expect("the vault opens")
}
