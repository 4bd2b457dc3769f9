//! What the vault remembers, as small protobuf records: additive, so that a file of any released version opens.
//!
//! Every record has a kind of its own ([`Record::KIND`]) and a key; the vault seals the value and hides the key.

mod case;
mod channel;
mod contact;
mod directory;
mod dossier;
mod handover;
mod held;
mod own;
mod recovery;
mod reserve;
mod team;
mod token;

use prost::Message;
use zeroize::Zeroizing;

pub(crate) use case::{
    CaseRecord, Commit, Deferred, MessageIndex, MessageRecord, NoteSecret, OrderRecord,
    SeenKeysRecord, WantedPackage,
};
pub(crate) use channel::{CursorRecord, FragmentRecord, Hold, Lane, LaneUse, OutboxRecord, Post};
pub(crate) use contact::{Approach, ContactRecord, ContactState, Wish};
pub(crate) use directory::{
    CertifiedUnit, DirectoryClock, DirectoryRecord, Publishing, RevocationRecord,
};
pub(crate) use dossier::{
    ActRecord, DossierRecord, EarlyRecord, KeptAlertRecord, Proof, ReachRecord, SuspensionRecord,
};
pub(crate) use handover::{HandedRecord, HandoverRecord, HandoverSecret};
pub(crate) use held::{CancelRecord, CopyRecord, HeldKeyRecord};
pub(crate) use own::{Device, IntakeKeyRecord, IssuerRecord, Ministry, RenewalRecord, Team, Unit};
pub(crate) use recovery::{
    AskRecord, Frozen, OwnAskRecord, ProofRecord, ReceiptsRecord, RelayKeyRecord, SenderGaps,
    TranscriptRecord,
};
pub(crate) use reserve::{
    OpenedRecord, OwnReserveRecord, ReserveAskRecord, ReserveKeyRecord, ReserveRecord, TakenRecord,
};
pub(crate) use team::{GoneRecord, InviteRecord, JoinRecord, SinceRecord};
pub(crate) use token::{TokenRecord, TokenRequestRecord};

use crate::error::Error;
use crate::vault::{Kind, Tx, View};

/// A record with a kind of its own.
pub(crate) trait Record: Message + Default {
    /// The vault's namespace of this record. Numbers are for ever.
    const KIND: Kind;
    /// Its name in errors.
    const NAME: &'static str;
}

/// When the newest directory in a vault was made, Unix seconds; `i64::MIN` without one.
pub(crate) fn newest_directory(view: &View<'_>) -> Result<i64, Error> {
    let mut newest = i64::MIN;
    for row in view.list(DirectoryClock::KIND)? {
        newest = newest.max(decode::<DirectoryClock>(&row.value)?.made_at);
    }
    Ok(newest)
}

/// The key of records of which there is one.
pub(crate) const SELF: &[u8] = b"self";

/// Reads a record.
pub(crate) fn load<R: Record>(tx: &Tx<'_>, key: &[u8]) -> Result<Option<R>, Error> {
    tx.get(R::KIND, key)?.map(|bytes| decode(&bytes)).transpose()
}

/// Reads a record that must be there.
pub(crate) fn need<R: Record>(tx: &Tx<'_>, key: &[u8]) -> Result<R, Error> {
    load(tx, key)?.ok_or(Error::NotFound { what: R::NAME })
}

/// Writes a record.
pub(crate) fn save<R: Record>(tx: &Tx<'_>, key: &[u8], record: &R) -> Result<(), Error> {
    let bytes = Zeroizing::new(record.encode_to_vec());
    Ok(tx.put(R::KIND, key, &bytes)?)
}

/// Removes a record; whether it was there.
pub(crate) fn remove<R: Record>(tx: &Tx<'_>, key: &[u8]) -> Result<bool, Error> {
    Ok(tx.delete(R::KIND, key)?)
}

/// Removes the records that are over; what they held is erased with this transaction.
pub(crate) fn forget<R: Record>(tx: &Tx<'_>, over: impl Fn(&R) -> bool) -> Result<(), Error> {
    for (key, record) in all::<R>(tx)? {
        if over(&record) {
            remove::<R>(tx, &key)?;
            tx.erase_now();
        }
    }
    Ok(())
}

/// All records of a kind with their keys, oldest first.
pub(crate) fn all<R: Record>(tx: &Tx<'_>) -> Result<Vec<(Vec<u8>, R)>, Error> {
    let rows = tx.list(R::KIND)?;
    rows.into_iter().map(|row| Ok((row.key.to_vec(), decode(&row.value)?))).collect()
}

fn decode<R: Record>(bytes: &[u8]) -> Result<R, Error> {
    R::decode(bytes).map_err(|_| Error::Damaged { what: R::NAME })
}

/// Reads a field of fixed length.
pub(crate) fn fixed<const N: usize>(bytes: &[u8], what: &'static str) -> Result<[u8; N], Error> {
    bytes.try_into().map_err(|_| Error::Damaged { what })
}

/// Implements [`Record`], a `Debug` that shows only the type, and zeroizing of the named secret fields on drop.
macro_rules! record {
    ($type:ident, $kind:literal, $name:literal) => {
        impl $crate::records::Record for $type {
            const KIND: $crate::vault::Kind = $crate::vault::Kind::new($kind);
            const NAME: &'static str = $name;
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($type))
            }
        }
    };
    ($type:ident, $kind:literal, $name:literal, $($secret:ident),+) => {
        record!($type, $kind, $name);

        impl Drop for $type {
            fn drop(&mut self) {
                $(zeroize::Zeroize::zeroize(&mut self.$secret);)+
            }
        }
    };
}
pub(crate) use record;
