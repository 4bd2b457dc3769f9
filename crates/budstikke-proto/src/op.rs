//! Operations, parsed (SPEC.md section 4): every length is checked once, here, and never again.

use prost::Message;

use crate::blob::BlobSize;
use crate::frame::{Frame, Kind};
use crate::id::{CancelPk, DeleteId, DeletePk, FetchId, FetchPk, Hash, Label, LengthError, MsgId};
use crate::id::{NoticeId, RecvId, RecvPk, Seed, SendId, SendPk, Signature, SlotId};
use crate::limits::{MAX_BLOB_PARTS, MAX_BLOB_TTL_DAYS, RELEASE_STEP_S, TAG_LEN};
use crate::token::{Token, TokenError};
use crate::wire;
use crate::work::Solution;

pub use crate::wire::ErrorCode;

/// Why an operation's bytes were not accepted. The sender's fault, except for [`OpError::Unknown`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpError {
    /// Not protobuf of this schema.
    #[error("the operation is malformed")]
    Malformed,
    /// A kind that this version does not know; the other side may be newer.
    #[error("the operation is not known to this version")]
    Unknown,
    /// An id or a number is out of its bounds.
    #[error("the operation's {0} is out of bounds")]
    Bounds(&'static str),
    /// An id has the wrong length.
    #[error(transparent)]
    Length(#[from] LengthError),
}

/// One of several frames of a slot entry or a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Position, from 0.
    pub index: u32,
    /// How many frames there are.
    pub count: u32,
    /// The member's or publisher's signature over count and [`crate::slot::payload_hash`].
    pub signature: Signature,
}

/// What all frames of one blob say alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobHead {
    /// The key that will fetch it.
    pub fetch_pk: FetchPk,
    /// The key that makes it, and will delete it.
    pub delete_pk: DeletePk,
    /// Its size.
    pub size: BlobSize,
    /// How long it lives, 1 to 30 days.
    pub ttl_days: u32,
    /// [`crate::blob::hash`] over all its payloads.
    pub hash: Hash,
}

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "each field's meaning stands in SPEC.md section 5, under the operation's name"
)]
pub enum Request {
    /// Opens a stream in direct mode.
    Open,
    /// Asks for the descriptor again.
    Info,
    /// Asks for a challenge.
    Challenge,
    /// Pays with a token for whatever the seed that comes back is used for.
    ChallengeByToken { token: Token },
    /// Makes a mailbox; authenticated by `recv_pk`.
    Create { recv_pk: RecvPk, ttl_days: u32, work: Option<Solution> },
    /// Makes a mailbox and pays with a token; authenticated by `recv_pk`.
    CreateByToken { recv_pk: RecvPk, ttl_days: u32, token: Token },
    /// Makes a capability to send; authenticated by the owner.
    Grant { recv_id: RecvId, send_pk: SendPk, label: Label, quota: u32, work_required: bool },
    /// Ends a capability; authenticated by the owner.
    Revoke { recv_id: RecvId, send_id: SendId },
    /// Appends the payload; authenticated by the grant's key.
    Send { send_id: SendId, msg_id: MsgId, work: Option<Solution> },
    /// Leaves the payload to be appended at `release_at` (Unix seconds, whole minutes); authenticated by the grant's
    /// key. On the wire it is a `send` with two fields more.
    Hold { send_id: SendId, msg_id: MsgId, release_at: i64, cancel_pk: CancelPk },
    /// Removes a held cell; signed by its cancel key.
    Cancel { send_id: SendId, msg_id: MsgId, signature: Signature },
    /// Reads up to `max` cells with a sequence number above `since`; authenticated by the owner.
    Read { recv_id: RecvId, since: u64, max: u32 },
    /// Reads on and on; authenticated by the owner.
    Subscribe { recv_id: RecvId, since: u64 },
    /// Deletes cells up to and including `upto`; authenticated by the owner.
    Trim { recv_id: RecvId, upto: u64 },
    /// Deletes the mailbox; authenticated by the owner.
    Delete { recv_id: RecvId },
    /// Appends an entry; signed by the slot's key.
    SlotAppend { slot_id: SlotId, part: Part, work: Option<Solution> },
    /// Reads all entries.
    SlotRead { slot_id: SlotId },
    /// Publishes a version; signed by the notice's key.
    NoticePut { notice_id: NoticeId, version: u64, part: Part, work: Option<Solution> },
    /// Fetches the newest version.
    NoticeGet { notice_id: NoticeId },
    /// Writes a blob, one payload a frame; each authenticated by `delete_pk`.
    BlobPut { head: BlobHead, index: u32, work: Option<Solution> },
    /// Fetches up to `count` payloads from number `first` on; authenticated by the fetch key.
    BlobGet { fetch_id: FetchId, first: u32, count: u32 },
    /// Deletes a blob; authenticated by the delete key.
    BlobDelete { delete_id: DeleteId },
}

/// What a relay answers.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "each field's meaning stands in SPEC.md section 5, under the operation's name"
)]
pub enum Response {
    /// Refused, and when a repeat may help (seconds; 0 = never unchanged).
    Error { code: ErrorCode, retry_after_s: u32 },
    /// The signed descriptor; check it with [`crate::descriptor::Descriptor::verify`].
    Hello(wire::Hello),
    /// Done, and durable.
    Done,
    /// A challenge.
    Seed { seed: Seed, effort: u32, front_door_effort: u32 },
    /// The mailbox is there.
    Created { recv_id: RecvId },
    /// The grant is there.
    Granted { send_id: SendId },
    /// One cell (the payload); pushed.
    Cell { seq: u64, label: Label },
    /// The end of a read; `next` is the `since` to go on from.
    End { next: u64, more: bool },
    /// An entry stands in a slot.
    SlotReceipt { slot_id: SlotId, entry: u32, hash: Hash, signature: Signature },
    /// One cell (the payload) of an entry; pushed.
    SlotEntry { entry: u32, index: u32, count: u32, signature: Signature, receipt: Signature },
    /// One payload of a notice; pushed.
    NoticePart { version: u64, index: u32, count: u32, signature: Signature },
    /// The blob is there.
    BlobStored { fetch_id: FetchId, delete_id: DeleteId },
    /// One payload of a blob of `count`; pushed.
    BlobPart { index: u32, count: u32 },
}

impl Request {
    /// Encodes the operation.
    pub fn encode(&self) -> Vec<u8> {
        wire::Request { op: Some(self.to_wire()) }.encode_to_vec()
    }

    /// Parses an operation.
    ///
    /// # Errors
    /// [`OpError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, OpError> {
        let request = wire::Request::decode(bytes).map_err(|_| OpError::Malformed)?;
        Self::from_wire(request.op.ok_or(OpError::Unknown)?)
    }

    /// The request as a frame; `payload` for `Send`, `Hold`, `SlotAppend`, `NoticePut` and `BlobPut`.
    pub fn into_frame(&self, request: u64, tag: [u8; TAG_LEN], payload: Option<Vec<u8>>) -> Frame {
        Frame { kind: Kind::Request, request, tag, op: self.encode(), payload }
    }

    fn to_wire(&self) -> wire::request::Op {
        use wire::request::Op;
        let v = |bytes: &[u8]| bytes.to_vec();
        match self {
            Self::Open => Op::Open(wire::Open { mode: 1 }),
            Self::Info => Op::Info(wire::Info {}),
            Self::Challenge => Op::Challenge(wire::Challenge { token: None }),
            Self::ChallengeByToken { token } => {
                Op::Challenge(wire::Challenge { token: Some(token_to_wire(token)) })
            }
            Self::Create { recv_pk, ttl_days, work } => Op::Create(wire::Create {
                recv_pk: v(recv_pk.as_bytes()),
                ttl_days: *ttl_days,
                work: work.map(work_to_wire),
                token: None,
            }),
            Self::CreateByToken { recv_pk, ttl_days, token } => Op::Create(wire::Create {
                recv_pk: v(recv_pk.as_bytes()),
                ttl_days: *ttl_days,
                work: None,
                token: Some(token_to_wire(token)),
            }),
            Self::Grant { recv_id, send_pk, label, quota, work_required } => {
                Op::Grant(wire::Grant {
                    recv_id: v(recv_id.as_bytes()),
                    send_pk: v(send_pk.as_bytes()),
                    label: v(label.as_bytes()),
                    quota: *quota,
                    work_required: *work_required,
                })
            }
            Self::Revoke { recv_id, send_id } => Op::Revoke(wire::Revoke {
                recv_id: v(recv_id.as_bytes()),
                send_id: v(send_id.as_bytes()),
            }),
            Self::Send { send_id, msg_id, work } => Op::Send(wire::Send {
                send_id: v(send_id.as_bytes()),
                msg_id: v(msg_id.as_bytes()),
                work: work.map(work_to_wire),
                release_at: 0,
                cancel_pk: Vec::new(),
            }),
            Self::Hold { send_id, msg_id, release_at, cancel_pk } => Op::Send(wire::Send {
                send_id: v(send_id.as_bytes()),
                msg_id: v(msg_id.as_bytes()),
                work: None,
                release_at: u64::try_from(*release_at).unwrap_or(0),
                cancel_pk: v(cancel_pk.as_bytes()),
            }),
            Self::Cancel { send_id, msg_id, signature } => Op::Cancel(wire::Cancel {
                send_id: v(send_id.as_bytes()),
                msg_id: v(msg_id.as_bytes()),
                signature: v(signature.as_bytes()),
            }),
            Self::Read { recv_id, since, max } => {
                Op::Read(wire::Read { recv_id: v(recv_id.as_bytes()), since: *since, max: *max })
            }
            Self::Subscribe { recv_id, since } => {
                Op::Subscribe(wire::Subscribe { recv_id: v(recv_id.as_bytes()), since: *since })
            }
            Self::Trim { recv_id, upto } => {
                Op::Trim(wire::Trim { recv_id: v(recv_id.as_bytes()), upto: *upto })
            }
            Self::Delete { recv_id } => Op::Delete(wire::Delete { recv_id: v(recv_id.as_bytes()) }),
            Self::SlotAppend { slot_id, part, work } => Op::SlotAppend(wire::SlotAppend {
                slot_id: v(slot_id.as_bytes()),
                index: part.index,
                count: part.count,
                signature: v(part.signature.as_bytes()),
                work: work.map(work_to_wire),
            }),
            Self::SlotRead { slot_id } => {
                Op::SlotRead(wire::SlotRead { slot_id: v(slot_id.as_bytes()) })
            }
            Self::NoticePut { notice_id, version, part, work } => Op::NoticePut(wire::NoticePut {
                notice_id: v(notice_id.as_bytes()),
                version: *version,
                index: part.index,
                count: part.count,
                signature: v(part.signature.as_bytes()),
                work: work.map(work_to_wire),
            }),
            Self::NoticeGet { notice_id } => {
                Op::NoticeGet(wire::NoticeGet { notice_id: v(notice_id.as_bytes()) })
            }
            Self::BlobPut { head, index, work } => Op::BlobPut(wire::BlobPut {
                fetch_pk: v(head.fetch_pk.as_bytes()),
                delete_pk: v(head.delete_pk.as_bytes()),
                size: head.size.code(),
                ttl_days: head.ttl_days,
                index: *index,
                count: head.size.parts(),
                hash: v(head.hash.as_bytes()),
                work: work.map(work_to_wire),
            }),
            Self::BlobGet { fetch_id, first, count } => Op::BlobGet(wire::BlobGet {
                fetch_id: v(fetch_id.as_bytes()),
                first: *first,
                count: *count,
            }),
            Self::BlobDelete { delete_id } => {
                Op::BlobDelete(wire::BlobDelete { delete_id: v(delete_id.as_bytes()) })
            }
        }
    }

    fn from_wire(op: wire::request::Op) -> Result<Self, OpError> {
        use crate::limits::{MAX_NOTICE_PARTS, MAX_SLOT_CELLS};
        use wire::request::Op;
        Ok(match op {
            Op::Open(open) if open.mode == 1 => Self::Open,
            Op::Info(_) => Self::Info,
            Op::Challenge(wire::Challenge { token: None }) => Self::Challenge,
            Op::Challenge(wire::Challenge { token: Some(token) }) => {
                Self::ChallengeByToken { token: token_from_wire(token)? }
            }
            Op::Create(wire::Create { recv_pk, ttl_days, work, token: None }) => Self::Create {
                recv_pk: RecvPk::parse(&recv_pk)?,
                ttl_days,
                work: work_from_wire(work)?,
            },
            Op::Create(wire::Create { work: Some(_), .. }) => {
                return Err(OpError::Bounds("payment"));
            }
            Op::Create(wire::Create { recv_pk, ttl_days, work: None, token: Some(token) }) => {
                let recv_pk = RecvPk::parse(&recv_pk)?;
                Self::CreateByToken { recv_pk, ttl_days, token: token_from_wire(token)? }
            }
            Op::Grant(op) => Self::Grant {
                recv_id: RecvId::parse(&op.recv_id)?,
                send_pk: SendPk::parse(&op.send_pk)?,
                label: Label::parse(&op.label)?,
                quota: op.quota,
                work_required: op.work_required,
            },
            Op::Revoke(op) => Self::Revoke {
                recv_id: RecvId::parse(&op.recv_id)?,
                send_id: SendId::parse(&op.send_id)?,
            },
            Op::Send(op) if op.release_at == 0 && op.cancel_pk.is_empty() => Self::Send {
                send_id: SendId::parse(&op.send_id)?,
                msg_id: MsgId::parse(&op.msg_id)?,
                work: work_from_wire(op.work)?,
            },
            Op::Send(op) => Self::Hold {
                send_id: SendId::parse(&op.send_id)?,
                msg_id: MsgId::parse(&op.msg_id)?,
                release_at: release_time(op.release_at)?,
                cancel_pk: CancelPk::parse(&op.cancel_pk)?,
            },
            Op::Cancel(op) => Self::Cancel {
                send_id: SendId::parse(&op.send_id)?,
                msg_id: MsgId::parse(&op.msg_id)?,
                signature: Signature::parse(&op.signature)?,
            },
            Op::Read(op) => {
                Self::Read { recv_id: RecvId::parse(&op.recv_id)?, since: op.since, max: op.max }
            }
            Op::Subscribe(op) => {
                Self::Subscribe { recv_id: RecvId::parse(&op.recv_id)?, since: op.since }
            }
            Op::Trim(op) => Self::Trim { recv_id: RecvId::parse(&op.recv_id)?, upto: op.upto },
            Op::Delete(op) => Self::Delete { recv_id: RecvId::parse(&op.recv_id)? },
            Op::SlotAppend(op) => Self::SlotAppend {
                slot_id: SlotId::parse(&op.slot_id)?,
                part: part(op.index, op.count, MAX_SLOT_CELLS, &op.signature)?,
                work: work_from_wire(op.work)?,
            },
            Op::SlotRead(op) => Self::SlotRead { slot_id: SlotId::parse(&op.slot_id)? },
            Op::NoticePut(op) => Self::NoticePut {
                notice_id: NoticeId::parse(&op.notice_id)?,
                version: op.version,
                part: part(op.index, op.count, MAX_NOTICE_PARTS, &op.signature)?,
                work: work_from_wire(op.work)?,
            },
            Op::NoticeGet(op) => Self::NoticeGet { notice_id: NoticeId::parse(&op.notice_id)? },
            Op::BlobPut(op) => blob_put(op)?,
            Op::BlobGet(op) => {
                let fetch_id = FetchId::parse(&op.fetch_id)?;
                if op.first >= MAX_BLOB_PARTS || !(1..=MAX_BLOB_PARTS).contains(&op.count) {
                    return Err(OpError::Bounds("part number"));
                }
                Self::BlobGet { fetch_id, first: op.first, count: op.count }
            }
            Op::BlobDelete(op) => Self::BlobDelete { delete_id: DeleteId::parse(&op.delete_id)? },
            // Forwarding is specified, with its numbers, and not served yet.
            Op::Open(_) => return Err(OpError::Unknown),
        })
    }
}

impl Response {
    /// Encodes the answer.
    pub fn encode(&self) -> Vec<u8> {
        wire::Response { result: Some(self.to_wire()) }.encode_to_vec()
    }

    /// Parses an answer.
    ///
    /// # Errors
    /// [`OpError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, OpError> {
        let response = wire::Response::decode(bytes).map_err(|_| OpError::Malformed)?;
        Self::from_wire(response.result.ok_or(OpError::Unknown)?)
    }

    /// The answer as a frame; `payload` for what is pushed: `Cell`, `SlotEntry`, `NoticePart` and `BlobPart`.
    pub fn into_frame(&self, request: u64, payload: Option<Vec<u8>>) -> Frame {
        let kind = if payload.is_some() { Kind::Push } else { Kind::Response };
        Frame { kind, request, tag: [0; TAG_LEN], op: self.encode(), payload }
    }

    fn to_wire(&self) -> wire::response::Result {
        use wire::response::Result as R;
        let v = |bytes: &[u8]| bytes.to_vec();
        match self {
            Self::Error { code, retry_after_s } => {
                R::Error(wire::Error { code: (*code).into(), retry_after_s: *retry_after_s })
            }
            Self::Hello(hello) => R::Hello(hello.clone()),
            Self::Done => R::Done(wire::Done {}),
            Self::Seed { seed, effort, front_door_effort } => R::Seed(wire::Seed {
                seed: v(seed.as_bytes()),
                effort: *effort,
                front_door_effort: *front_door_effort,
            }),
            Self::Created { recv_id } => {
                R::Created(wire::Created { recv_id: v(recv_id.as_bytes()) })
            }
            Self::Granted { send_id } => {
                R::Granted(wire::Granted { send_id: v(send_id.as_bytes()) })
            }
            Self::Cell { seq, label } => {
                R::Cell(wire::Cell { seq: *seq, label: v(label.as_bytes()) })
            }
            Self::End { next, more } => R::End(wire::End { next: *next, more: *more }),
            Self::SlotReceipt { slot_id, entry, hash, signature } => {
                R::SlotReceipt(wire::SlotReceipt {
                    slot_id: v(slot_id.as_bytes()),
                    entry: *entry,
                    hash: v(hash.as_bytes()),
                    signature: v(signature.as_bytes()),
                })
            }
            Self::SlotEntry { entry, index, count, signature, receipt } => {
                R::SlotEntry(wire::SlotEntry {
                    entry: *entry,
                    index: *index,
                    count: *count,
                    signature: v(signature.as_bytes()),
                    receipt: v(receipt.as_bytes()),
                })
            }
            Self::NoticePart { version, index, count, signature } => {
                R::NoticePart(wire::NoticePart {
                    version: *version,
                    index: *index,
                    count: *count,
                    signature: v(signature.as_bytes()),
                })
            }
            Self::BlobStored { fetch_id, delete_id } => R::BlobStored(wire::BlobStored {
                fetch_id: v(fetch_id.as_bytes()),
                delete_id: v(delete_id.as_bytes()),
            }),
            Self::BlobPart { index, count } => {
                R::BlobPart(wire::BlobPart { index: *index, count: *count })
            }
        }
    }

    fn from_wire(result: wire::response::Result) -> Result<Self, OpError> {
        use wire::response::Result as R;
        Ok(match result {
            R::Error(error) => {
                Self::Error { code: error.code(), retry_after_s: error.retry_after_s }
            }
            R::Hello(hello) => Self::Hello(hello),
            R::Done(_) => Self::Done,
            R::Seed(seed) => Self::Seed {
                seed: Seed::parse(&seed.seed)?,
                effort: seed.effort,
                front_door_effort: seed.front_door_effort,
            },
            R::Created(created) => Self::Created { recv_id: RecvId::parse(&created.recv_id)? },
            R::Granted(granted) => Self::Granted { send_id: SendId::parse(&granted.send_id)? },
            R::Cell(cell) => Self::Cell { seq: cell.seq, label: Label::parse(&cell.label)? },
            R::End(end) => Self::End { next: end.next, more: end.more },
            R::SlotReceipt(receipt) => Self::SlotReceipt {
                slot_id: SlotId::parse(&receipt.slot_id)?,
                entry: receipt.entry,
                hash: Hash::parse(&receipt.hash)?,
                signature: Signature::parse(&receipt.signature)?,
            },
            R::SlotEntry(entry) => Self::SlotEntry {
                entry: entry.entry,
                index: entry.index,
                count: entry.count,
                signature: Signature::parse(&entry.signature)?,
                receipt: Signature::parse(&entry.receipt)?,
            },
            R::NoticePart(part) => Self::NoticePart {
                version: part.version,
                index: part.index,
                count: part.count,
                signature: Signature::parse(&part.signature)?,
            },
            R::BlobStored(stored) => Self::BlobStored {
                fetch_id: FetchId::parse(&stored.fetch_id)?,
                delete_id: DeleteId::parse(&stored.delete_id)?,
            },
            R::BlobPart(part) => Self::BlobPart { index: part.index, count: part.count },
        })
    }
}

fn blob_put(op: wire::BlobPut) -> Result<Request, OpError> {
    let size = BlobSize::parse(op.size).ok_or(OpError::Bounds("blob size"))?;
    if op.count != size.parts() || op.index >= op.count {
        return Err(OpError::Bounds("part number"));
    }
    if !(1..=MAX_BLOB_TTL_DAYS).contains(&op.ttl_days) {
        return Err(OpError::Bounds("blob life"));
    }
    let head = BlobHead {
        fetch_pk: FetchPk::parse(&op.fetch_pk)?,
        delete_pk: DeletePk::parse(&op.delete_pk)?,
        size,
        ttl_days: op.ttl_days,
        hash: Hash::parse(&op.hash)?,
    };
    Ok(Request::BlobPut { head, index: op.index, work: work_from_wire(op.work)? })
}

fn part(index: u32, count: u32, max: u32, signature: &[u8]) -> Result<Part, OpError> {
    if count == 0 || count > max || index >= count {
        return Err(OpError::Bounds("part number"));
    }
    Ok(Part { index, count, signature: Signature::parse(signature)? })
}

fn release_time(seconds: u64) -> Result<i64, OpError> {
    let time = i64::try_from(seconds).map_err(|_| OpError::Bounds("release time"))?;
    if time == 0 || time % RELEASE_STEP_S != 0 {
        return Err(OpError::Bounds("release time"));
    }
    Ok(time)
}

fn work_to_wire(work: Solution) -> wire::Work {
    wire::Work {
        seed: work.seed.as_bytes().to_vec(),
        nonce: work.nonce,
        solution: work.solution.to_vec(),
    }
}

fn token_to_wire(token: &Token) -> wire::Token {
    wire::Token {
        key_id: token.key_id.as_bytes().to_vec(),
        randomizer: token.randomizer.to_vec(),
        nonce: token.nonce.to_vec(),
        signature: token.signature.clone(),
    }
}

fn token_from_wire(token: wire::Token) -> Result<Token, OpError> {
    let wire::Token { key_id, randomizer, nonce, signature } = token;
    let malformed = |_: TokenError| OpError::Bounds("token");
    Token::parse(&key_id, &randomizer, &nonce, signature).map_err(malformed)
}

fn work_from_wire(work: Option<wire::Work>) -> Result<Option<Solution>, OpError> {
    let Some(work) = work else { return Ok(None) };
    let solution =
        work.solution.as_slice().try_into().map_err(|_| OpError::Bounds("work solution"))?;
    Ok(Some(Solution { seed: Seed::parse(&work.seed)?, nonce: work.nonce, solution }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::TokenKeyId;
    use crate::limits::{CELL_LEN, CONTROL_OP_LEN, DATA_OP_LEN};
    use proptest::prelude::*;

    fn work() -> Solution {
        let seed = Seed::from_bytes([0xFF; 16]);
        Solution { seed, nonce: u64::MAX, solution: [0xFF; 16] }
    }

    fn token(signature: usize) -> Token {
        let (key_id, randomizer, nonce) =
            (TokenKeyId::from_bytes([0xFF; 32]), [0xFF; 32], [0xFF; 32]);
        Token { key_id, randomizer, nonce, signature: vec![0xFF; signature] }
    }

    fn part(count: u32) -> Part {
        Part { index: count - 1, count, signature: Signature::from_bytes([2; 64]) }
    }

    fn blob_head() -> BlobHead {
        BlobHead {
            fetch_pk: FetchPk::from_bytes([1; 32]),
            delete_pk: DeletePk::from_bytes([2; 32]),
            size: BlobSize::Large,
            ttl_days: 30,
            hash: Hash::from_bytes([3; 32]),
        }
    }

    fn longest() -> Vec<(Request, bool)> {
        let (recv_id, send_id) = (RecvId::from_bytes([1; 32]), SendId::from_bytes([2; 32]));
        let slot_id = SlotId::from_bytes([3; 32]);
        let notice_id = NoticeId::from_bytes([4; 32]);
        vec![
            (Request::Open, false),
            (Request::Info, false),
            (Request::Challenge, false),
            (
                Request::Create {
                    recv_pk: RecvPk::from_bytes([5; 32]),
                    ttl_days: u32::MAX,
                    work: Some(work()),
                },
                false,
            ),
            (
                Request::CreateByToken {
                    recv_pk: RecvPk::from_bytes([5; 32]),
                    ttl_days: u32::MAX,
                    token: token(512),
                },
                false,
            ),
            (
                Request::Grant {
                    recv_id,
                    send_pk: SendPk::from_bytes([6; 32]),
                    label: Label::from_bytes([7; 16]),
                    quota: u32::MAX,
                    work_required: true,
                },
                false,
            ),
            (Request::ChallengeByToken { token: token(512) }, false),
            (Request::Revoke { recv_id, send_id }, false),
            (
                Request::Send { send_id, msg_id: MsgId::from_bytes([8; 16]), work: Some(work()) },
                true,
            ),
            (
                Request::Hold {
                    send_id,
                    msg_id: MsgId::from_bytes([8; 16]),
                    release_at: i64::MAX - i64::MAX % RELEASE_STEP_S,
                    cancel_pk: CancelPk::from_bytes([9; 32]),
                },
                true,
            ),
            (
                Request::Cancel {
                    send_id,
                    msg_id: MsgId::from_bytes([8; 16]),
                    signature: Signature::from_bytes([9; 64]),
                },
                false,
            ),
            (Request::Read { recv_id, since: u64::MAX, max: u32::MAX }, false),
            (Request::Subscribe { recv_id, since: u64::MAX }, false),
            (Request::Trim { recv_id, upto: u64::MAX }, false),
            (Request::Delete { recv_id }, false),
            (Request::SlotAppend { slot_id, part: part(4), work: Some(work()) }, true),
            (Request::SlotRead { slot_id }, false),
            (
                Request::NoticePut {
                    notice_id,
                    version: u64::MAX,
                    part: part(16),
                    work: Some(work()),
                },
                true,
            ),
            (Request::NoticeGet { notice_id }, false),
            (Request::BlobPut { head: blob_head(), index: 69, work: Some(work()) }, true),
            (
                Request::BlobGet { fetch_id: FetchId::from_bytes([5; 32]), first: 69, count: 70 },
                false,
            ),
            (Request::BlobDelete { delete_id: DeleteId::from_bytes([6; 32]) }, false),
        ]
    }

    #[test]
    fn every_request_round_trips_and_fits_its_area_at_its_longest() {
        for (request, data) in longest() {
            let bytes = request.encode();
            let room = if data { DATA_OP_LEN } else { CONTROL_OP_LEN } - TAG_LEN;
            assert!(bytes.len() <= room, "{request:?} takes {} of {room}", bytes.len());
            assert_eq!(Request::decode(&bytes), Ok(request.clone()));
            let frame = request.into_frame(1, [0; TAG_LEN], data.then(|| vec![0; CELL_LEN]));
            assert!(frame.encode().is_ok());
        }
    }

    #[test]
    fn what_is_reserved_is_unknown_and_what_is_out_of_bounds_is_named() {
        let held = |release_at, cancel_pk| {
            let (send_id, msg_id) = (vec![1; 32], vec![1; 16]);
            let send = wire::Send { send_id, msg_id, work: None, release_at, cancel_pk };
            let op = Some(wire::request::Op::Send(send));
            Request::decode(&wire::Request { op }.encode_to_vec())
        };
        assert!(matches!(held(120, vec![1; 32]), Ok(Request::Hold { release_at: 120, .. })));
        // Both fields or neither; whole minutes only.
        assert_eq!(held(0, vec![1; 32]), Err(OpError::Bounds("release time")));
        assert!(matches!(held(120, Vec::new()), Err(OpError::Length(_))));
        for wrong in [119, u64::MAX - u64::MAX % 60] {
            assert_eq!(held(wrong, vec![1; 32]), Err(OpError::Bounds("release time")));
        }
        // A mailbox is paid for once, and with a whole token.
        let create = |work, token| {
            let create = wire::Create { recv_pk: vec![1; 32], ttl_days: 1, work, token };
            let op = Some(wire::request::Op::Create(create));
            Request::decode(&wire::Request { op }.encode_to_vec())
        };
        let whole = |length| Some(token_to_wire(&token(length)));
        assert!(matches!(create(None, whole(256)), Ok(Request::CreateByToken { .. })));
        let twice = create(Some(work_to_wire(work())), whole(256));
        assert_eq!(twice, Err(OpError::Bounds("payment")));
        for length in [255, 513] {
            assert_eq!(create(None, whole(length)), Err(OpError::Bounds("token")));
        }
        let short = wire::Token { nonce: vec![1; 31], ..token_to_wire(&token(256)) };
        assert_eq!(create(None, Some(short)), Err(OpError::Bounds("token")));
        assert_eq!(Request::decode(&[]), Err(OpError::Unknown));
        let mut slot =
            Request::SlotAppend { slot_id: SlotId::from_bytes([3; 32]), part: part(4), work: None };
        if let Request::SlotAppend { part, .. } = &mut slot {
            part.count = 5;
        }
        assert_eq!(Request::decode(&slot.encode()), Err(OpError::Bounds("part number")));
        let put =
            |head, index| Request::decode(&Request::BlobPut { head, index, work: None }.encode());
        assert!(put(blob_head(), 69).is_ok());
        assert_eq!(put(blob_head(), 70), Err(OpError::Bounds("part number")));
        for ttl_days in [0, 31] {
            let head = BlobHead { ttl_days, ..blob_head() };
            assert_eq!(put(head, 0), Err(OpError::Bounds("blob life")));
        }
        let get = |first, count| {
            let fetch_id = FetchId::from_bytes([1; 32]);
            Request::decode(&Request::BlobGet { fetch_id, first, count }.encode())
        };
        assert!(get(69, 1).is_ok());
        for (first, count) in [(70, 1), (0, 0), (0, 71)] {
            assert_eq!(get(first, count), Err(OpError::Bounds("part number")));
        }
    }

    proptest! {
        /// A `send` is held, ordinary or refused, by its two last fields alone.
        #[test]
        fn held_means_both_fields_and_a_whole_minute(
            release_at in prop_oneof![Just(0), 0..1_000u64, any::<u64>().prop_map(|at| at / 60 * 60)],
            length in prop_oneof![Just(0), Just(32), 0..40usize],
        ) {
            let (send_id, msg_id, cancel_pk) = (vec![1; 32], vec![1; 16], vec![7; length]);
            let send = wire::Send { send_id, msg_id, work: None, release_at, cancel_pk };
            let op = Some(wire::request::Op::Send(send));
            let whole = release_at > 0 && release_at % 60 == 0 && i64::try_from(release_at).is_ok();
            match Request::decode(&wire::Request { op }.encode_to_vec()) {
                Ok(Request::Send { .. }) => prop_assert!(release_at == 0 && length == 0),
                Ok(Request::Hold { .. }) => prop_assert!(whole && length == 32),
                Ok(_) => prop_assert!(false),
                Err(_) => prop_assert!((release_at, length) != (0, 0) && !(whole && length == 32)),
            }
        }

        #[test]
        fn any_bytes_are_an_operation_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(request) = Request::decode(&bytes) {
                prop_assert_eq!(Request::decode(&request.encode()).unwrap(), request);
            }
            if let Ok(response) = Response::decode(&bytes) {
                prop_assert_eq!(Response::decode(&response.encode()).unwrap(), response);
            }
        }
    }
}
