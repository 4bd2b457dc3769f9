//! Blind tokens: those that an issuer was asked for, and those that wait to be spent.

use prost::Message;

use super::record;

/// A request that its issuer has not answered yet, under a random key.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct TokenRequestRecord {
    /// `bud://…` address of the relay that the tokens are for.
    #[prost(string, tag = "1")]
    pub(crate) relay: String,
    /// The issuer's public key, as DER.
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) key: Vec<u8>,
    /// Last Unix second of the key.
    #[prost(int64, tag = "3")]
    pub(crate) expires_s: i64,
    /// Nonce, randomizer and blinding factor of each, in the order of the request.
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub(crate) blindings: Vec<Vec<u8>>,
    #[prost(int64, tag = "5")]
    pub(crate) asked_at: i64,
}
record!(TokenRequestRecord, 70, "a request for tokens", blindings);

/// A token, under its nonce; gone once its mailbox is made.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct TokenRecord {
    #[prost(string, tag = "1")]
    pub(crate) relay: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) key_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) randomizer: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) nonce: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    pub(crate) signature: Vec<u8>,
    #[prost(int64, tag = "6")]
    pub(crate) expires_s: i64,
    /// The one mailbox that it may pay for, its `recv_pk`; empty while it is free. Written before it is spent.
    #[prost(bytes = "vec", tag = "7")]
    pub(crate) held_for: Vec<u8>,
}
record!(TokenRecord, 71, "a token", randomizer, nonce, signature);
