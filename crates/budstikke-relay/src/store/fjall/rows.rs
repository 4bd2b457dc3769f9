//! The rows, before they are sealed. Protobuf, so that rows written by a released version stay readable.

use budstikke_proto::id::{
    DeleteId, FetchId, Hash, Label, LengthError, MsgId, RecvId, SendId, Signature,
};
use bytes::Bytes;
use prost::Message;

use crate::store::StoreError;

#[derive(Clone, PartialEq, Message)]
pub(super) struct MailboxRow {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) recv_pk: Vec<u8>,
    #[prost(uint32, tag = "2")]
    pub(super) ttl_days: u32,
    /// The number of the newest cell ever stored.
    #[prost(uint64, tag = "3")]
    pub(super) last_seq: u64,
    /// No cell below this is left.
    #[prost(uint64, tag = "4")]
    pub(super) first_seq: u64,
    /// The newest cell's last day; no later cell expires before.
    #[prost(uint32, tag = "5")]
    pub(super) cell_day: u32,
    #[prost(uint32, tag = "6")]
    pub(super) waiting: u32,
    /// Grants stand at 0 to this, without gaps.
    #[prost(uint32, tag = "7")]
    pub(super) grants: u32,
    /// Parts this life of the mailbox from an earlier one under the same key.
    #[prost(uint64, tag = "8")]
    pub(super) born: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GrantRow {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) recv_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) send_pk: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) label: Vec<u8>,
    #[prost(uint32, tag = "4")]
    pub(super) quota: u32,
    #[prost(bool, tag = "5")]
    pub(super) work_required: bool,
    #[prost(uint32, tag = "6")]
    pub(super) waiting: u32,
    /// Where the mailbox lists this grant.
    #[prost(uint32, tag = "7")]
    pub(super) place: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GrantAtRow {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) send_id: Vec<u8>,
}

/// A waiting cell without its bytes, so that trimming and expiring need not read them.
#[derive(Clone, PartialEq, Message)]
pub(super) struct CellAtRow {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) send_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) label: Vec<u8>,
}

/// Stands in the expiry list beside a cell, so that its counters can be corrected.
#[derive(Clone, PartialEq, Message)]
pub(super) struct CellRef {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) recv_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) send_id: Vec<u8>,
    #[prost(uint64, tag = "3")]
    pub(super) seq: u64,
}

/// A held cell without its bytes, so that a start need not read them.
#[derive(Clone, PartialEq, Message)]
pub(super) struct HeldRow {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) recv_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) send_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) msg_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) cancel_pk: Vec<u8>,
    #[prost(int64, tag = "5")]
    pub(super) release_at: i64,
    /// Which of those with one time came first.
    #[prost(uint64, tag = "6")]
    pub(super) order: u64,
    /// Its mailbox's.
    #[prost(uint64, tag = "7")]
    pub(super) born: u64,
}

/// A stored message's name: that it is there is all it says.
#[derive(Clone, PartialEq, Message)]
pub(super) struct MarkRow {}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SlotRow {
    #[prost(message, repeated, tag = "1")]
    pub(super) entries: Vec<HeadRow>,
}

/// A slot's entry, or a notice, without its payloads.
#[derive(Clone, PartialEq, Message)]
pub(super) struct HeadRow {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) signature: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) hash: Vec<u8>,
    #[prost(uint32, tag = "3")]
    pub(super) parts: u32,
    /// Zero in a slot.
    #[prost(uint64, tag = "4")]
    pub(super) version: u64,
}

/// A blob without its payloads.
#[derive(Clone, PartialEq, Message)]
pub(super) struct BlobRow {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) fetch_pk: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) delete_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) hash: Vec<u8>,
    #[prost(uint32, tag = "4")]
    pub(super) parts: u32,
    /// What it counts as.
    #[prost(uint32, tag = "5")]
    pub(super) bytes: u32,
}

/// Which blob a delete id belongs to.
#[derive(Clone, PartialEq, Message)]
pub(super) struct BlobOwnerRow {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) fetch_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) delete_pk: Vec<u8>,
}

/// A cell's bytes, or one payload of a slot entry, a notice or a blob.
#[derive(Clone, PartialEq, Message)]
pub(super) struct BodyRow {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) bytes: Bytes,
}

fn damaged(_: LengthError) -> StoreError {
    StoreError::Damaged
}

impl GrantRow {
    pub(super) fn recv_id(&self) -> Result<RecvId, StoreError> {
        RecvId::parse(&self.recv_id).map_err(damaged)
    }

    pub(super) fn label(&self) -> Result<Label, StoreError> {
        Label::parse(&self.label).map_err(damaged)
    }
}

impl GrantAtRow {
    pub(super) fn send_id(&self) -> Result<SendId, StoreError> {
        SendId::parse(&self.send_id).map_err(damaged)
    }
}

impl CellAtRow {
    pub(super) fn send_id(&self) -> Result<SendId, StoreError> {
        SendId::parse(&self.send_id).map_err(damaged)
    }

    pub(super) fn label(&self) -> Result<Label, StoreError> {
        Label::parse(&self.label).map_err(damaged)
    }
}

impl HeldRow {
    pub(super) fn ids(&self) -> Result<(RecvId, SendId, MsgId), StoreError> {
        let recv_id = RecvId::parse(&self.recv_id).map_err(damaged)?;
        let send_id = SendId::parse(&self.send_id).map_err(damaged)?;
        Ok((recv_id, send_id, MsgId::parse(&self.msg_id).map_err(damaged)?))
    }
}

impl BlobRow {
    pub(super) fn delete_id(&self) -> Result<DeleteId, StoreError> {
        DeleteId::parse(&self.delete_id).map_err(damaged)
    }

    pub(super) fn hash(&self) -> Result<Hash, StoreError> {
        Hash::parse(&self.hash).map_err(damaged)
    }
}

impl BlobOwnerRow {
    pub(super) fn fetch_id(&self) -> Result<FetchId, StoreError> {
        FetchId::parse(&self.fetch_id).map_err(damaged)
    }
}

impl CellRef {
    pub(super) fn ids(&self) -> Result<(RecvId, SendId), StoreError> {
        let recv_id = RecvId::parse(&self.recv_id).map_err(damaged)?;
        Ok((recv_id, SendId::parse(&self.send_id).map_err(damaged)?))
    }
}

impl HeadRow {
    pub(super) fn signature(&self) -> Result<Signature, StoreError> {
        Signature::parse(&self.signature).map_err(damaged)
    }

    pub(super) fn hash(&self) -> Result<Hash, StoreError> {
        Hash::parse(&self.hash).map_err(damaged)
    }
}
