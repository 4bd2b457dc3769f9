//! What stands inside MLS (`proto/budstikke/e2ee/v1/group.proto`), written down a second time.

use prost::{Message, Oneof};

#[derive(Clone, PartialEq, Message)]
pub struct Credential {
    #[prost(oneof = "Party", tags = "1, 2")]
    pub party: Option<Party>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum Party {
    #[prost(bytes, tag = "1")]
    Chain(Vec<u8>),
    #[prost(string, tag = "2")]
    Pseudonym(String),
}

#[derive(Clone, PartialEq, Message)]
pub struct Charter {
    #[prost(uint32, tag = "1")]
    pub version: u32,
    #[prost(int32, tag = "2")]
    pub kind: i32,
    #[prost(bytes, tag = "3")]
    pub root_fingerprint: Vec<u8>,
    #[prost(string, repeated, tag = "4")]
    pub units: Vec<String>,
    #[prost(bytes, tag = "5")]
    pub case_id: Vec<u8>,
    #[prost(bytes, tag = "6")]
    pub terms: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Frame {
    #[prost(uint32, tag = "1")]
    pub version: u32,
    #[prost(uint64, tag = "2")]
    pub counter: u64,
    #[prost(bytes, tag = "3")]
    pub previous: Vec<u8>,
    #[prost(bytes, tag = "4")]
    pub epoch_authenticator: Vec<u8>,
    #[prost(bytes, tag = "5")]
    pub receipt: Vec<u8>,
    #[prost(bytes, tag = "6")]
    pub content: Vec<u8>,
    #[prost(message, repeated, tag = "7")]
    pub adds: Vec<Joined>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub struct Joined {
    #[prost(uint64, tag = "1")]
    pub epoch: u64,
    #[prost(uint64, tag = "2")]
    pub counter: u64,
}

#[derive(Clone, PartialEq, Message)]
pub struct CommitData {
    #[prost(bytes, repeated, tag = "1")]
    pub assignments: Vec<Vec<u8>>,
    #[prost(int64, tag = "2")]
    pub made_at: i64,
}
