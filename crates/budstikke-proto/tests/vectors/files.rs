//! The shape of the JSON files. Byte strings are lower-case hex, 64-bit numbers are decimal strings.

use std::collections::BTreeMap;
use std::path::PathBuf;

use data_encoding::HEXLOWER;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Where a file of this name lies.
fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../proto/vectors").join(name)
}

pub(crate) fn load<T: DeserializeOwned>(name: &str) -> T {
    let text = std::fs::read_to_string(path(name)).expect(name);
    serde_json::from_str(&text).expect(name)
}

pub(crate) fn save(name: &str, value: &impl Serialize) {
    let text = serde_json::to_string_pretty(value).unwrap();
    std::fs::write(path(name), text + "\n").unwrap();
}

pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    HEXLOWER.encode(bytes.as_ref())
}

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    HEXLOWER.decode(hex.as_bytes()).expect("lower-case hex")
}

pub(crate) fn array<const N: usize>(hex: &str) -> [u8; N] {
    bytes(hex).try_into().expect("length")
}

/// `length` bytes that count up from `start` and wrap.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Counting {
    pub(crate) start: u8,
    pub(crate) length: usize,
}

impl Counting {
    pub(crate) fn bytes(self) -> Vec<u8> {
        (0..self.length)
            .scan(self.start, |at, _| Some(std::mem::replace(at, at.wrapping_add(1))))
            .collect()
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct FrameFile {
    pub(crate) frames: Vec<FrameCase>,
    pub(crate) refused: Vec<FrameRefused>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct FrameCase {
    pub(crate) name: String,
    pub(crate) kind: u8,
    pub(crate) request: String,
    pub(crate) tag: String,
    pub(crate) op: String,
    pub(crate) payload: Option<Counting>,
    pub(crate) frame: String,
}

/// A frame of the list with bytes replaced at an offset and then cut to a length.
#[derive(Serialize, Deserialize)]
pub(crate) struct FrameRefused {
    pub(crate) name: String,
    pub(crate) base: String,
    pub(crate) offset: usize,
    pub(crate) bytes: String,
    pub(crate) length: usize,
    pub(crate) error: String,
}

pub(crate) type Fields = BTreeMap<String, String>;

#[derive(Serialize, Deserialize)]
pub(crate) struct OpFile {
    pub(crate) requests: Vec<OpCase>,
    pub(crate) responses: Vec<OpCase>,
    pub(crate) refused_requests: Vec<OpRefused>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct OpCase {
    pub(crate) name: String,
    pub(crate) fields: Fields,
    pub(crate) op: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct OpRefused {
    pub(crate) name: String,
    pub(crate) op: String,
    pub(crate) error: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct CellFile {
    pub(crate) cells: Vec<CellCase>,
    pub(crate) cover: CoverCase,
    pub(crate) front_door: FrontDoorCase,
    pub(crate) envelopes: Vec<EnvelopeCase>,
    pub(crate) refused: Vec<PlainRefused>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct CellCase {
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) nonce: String,
    pub(crate) envelope: String,
    pub(crate) index: u16,
    pub(crate) count: u16,
    pub(crate) body: Counting,
    pub(crate) cell: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct CoverCase {
    pub(crate) key: String,
    pub(crate) nonce: String,
    pub(crate) cell: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct FrontDoorCase {
    pub(crate) send_secret: String,
    pub(crate) seal_key: String,
}

/// How many bytes of an envelope each of its cells holds.
#[derive(Serialize, Deserialize)]
pub(crate) struct EnvelopeCase {
    pub(crate) length: usize,
    pub(crate) bodies: Vec<usize>,
}

/// A plain fragment that starts like this and goes on with zeros, properly sealed: to be refused.
#[derive(Serialize, Deserialize)]
pub(crate) struct PlainRefused {
    pub(crate) name: String,
    pub(crate) plain: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct AuthCase {
    pub(crate) name: String,
    pub(crate) capability_secret: String,
    pub(crate) capability_pk: String,
    pub(crate) epoch_secret: String,
    pub(crate) epoch_pk: String,
    pub(crate) relay_id: String,
    pub(crate) session_nonce: String,
    pub(crate) pair_key: String,
    pub(crate) session_key: String,
    pub(crate) request: String,
    pub(crate) op: String,
    pub(crate) payload: Option<Counting>,
    pub(crate) operation_hash: String,
    pub(crate) tag: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct SlotCase {
    pub(crate) slot_seed: String,
    pub(crate) slot_id: String,
    pub(crate) payloads: Vec<Counting>,
    pub(crate) hash: String,
    pub(crate) signature: String,
    pub(crate) relay_seed: String,
    pub(crate) relay_pk: String,
    pub(crate) entry: u32,
    pub(crate) receipt: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct NoticeFile {
    pub(crate) notices: Vec<NoticeCase>,
    pub(crate) refused: Vec<PlainRefused>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct NoticeCase {
    pub(crate) seed: String,
    pub(crate) notice_id: String,
    pub(crate) version: String,
    pub(crate) content: Counting,
    pub(crate) count: u32,
    pub(crate) hash: String,
    pub(crate) signature: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct DescriptorFile {
    pub(crate) identity_seed: String,
    pub(crate) identity_pk: String,
    pub(crate) spki: String,
    pub(crate) relay_id: String,
    pub(crate) epoch_pk: String,
    pub(crate) valid_until_s: i64,
    pub(crate) max_ttl_days: u32,
    pub(crate) max_quota: u32,
    pub(crate) work_effort: u32,
    pub(crate) front_door_effort: u32,
    pub(crate) software: String,
    pub(crate) max_blob_ttl_days: u32,
    pub(crate) descriptor: String,
    pub(crate) signature: String,
    pub(crate) refused: Vec<HelloRefused>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct HelloRefused {
    pub(crate) name: String,
    pub(crate) descriptor: String,
    pub(crate) signature: String,
    pub(crate) expected: String,
    pub(crate) now: i64,
    pub(crate) error: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct AddressFile {
    pub(crate) addresses: Vec<AddressCase>,
    pub(crate) refused: Vec<AddressRefused>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct AddressCase {
    pub(crate) text: String,
    pub(crate) relay_id: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) canonical: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct AddressRefused {
    pub(crate) text: String,
    pub(crate) error: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct WorkCase {
    pub(crate) purpose: String,
    pub(crate) target: String,
    pub(crate) seed: String,
    pub(crate) effort: u32,
    pub(crate) nonce: String,
    pub(crate) challenge: String,
    pub(crate) solution: String,
    pub(crate) pays: bool,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct HeldCase {
    pub(crate) cancel_seed: String,
    pub(crate) cancel_pk: String,
    pub(crate) send_id: String,
    pub(crate) msg_id: String,
    pub(crate) signature: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct BlobFile {
    pub(crate) blobs: Vec<BlobCase>,
    pub(crate) sealed: Vec<SealedCase>,
    /// Lengths that no blob has.
    pub(crate) refused_contents: Vec<usize>,
    /// Places in the last payload of the smallest blob where a byte that is not zero is to be refused.
    pub(crate) refused_fillings: Vec<usize>,
}

/// A sealed content: the blob's hash stands for its bytes.
#[derive(Serialize, Deserialize)]
pub(crate) struct SealedCase {
    pub(crate) key: String,
    pub(crate) nonce: String,
    pub(crate) content: Counting,
    pub(crate) size: u32,
    pub(crate) hash: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct BlobCase {
    pub(crate) size: u32,
    pub(crate) content: Counting,
    pub(crate) count: u32,
    pub(crate) hash: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct TokenFile {
    pub(crate) spki: String,
    pub(crate) key_id: String,
    /// PKCS #8.
    pub(crate) issuer: String,
    pub(crate) relay_id: String,
    pub(crate) nonce: String,
    pub(crate) randomizer: String,
    /// The inverse of the blinding factor.
    pub(crate) unblinder: String,
    pub(crate) request: String,
    pub(crate) answer: String,
    pub(crate) signature: String,
    pub(crate) spent_id: String,
    pub(crate) create: String,
    pub(crate) challenge: String,
    pub(crate) refused: Vec<TokenRefused>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct TokenRefused {
    pub(crate) name: String,
    pub(crate) relay_id: String,
    pub(crate) nonce: String,
    pub(crate) randomizer: String,
    pub(crate) signature: String,
}
