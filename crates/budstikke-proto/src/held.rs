//! Held cells (SPEC.md section 5.2): kept back by the relay until their time, unless somebody cancels them.
//!
//! Whoever has the cancel key may cancel, without any right to send or to read: an alert carries the key, so that
//! acknowledging it keeps it from escalating.

use crate::id::{CancelPk, MsgId, SendId, Signature};
use crate::sign::{self, SigningSeed};

const DOMAIN: &[u8] = b"budstikke/cancel/v1";

/// Signs that this cell is not to be released.
pub fn sign_cancel(key: &SigningSeed, send_id: &SendId, msg_id: &MsgId) -> Signature {
    key.sign(DOMAIN, &[send_id.as_bytes(), msg_id.as_bytes()])
}

/// Whether the holder of the cell's cancel key signed that it is not to be released.
pub fn verify_cancel(
    cancel_pk: &CancelPk,
    send_id: &SendId,
    msg_id: &MsgId,
    signature: &Signature,
) -> bool {
    let parts: [&[u8]; 2] = [send_id.as_bytes(), msg_id.as_bytes()];
    sign::verify(cancel_pk.as_bytes(), DOMAIN, &parts, signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancellation_is_good_for_one_cell_only() {
        let key = SigningSeed::from_bytes([1; 32]);
        let cancel_pk = CancelPk::from_bytes(key.public());
        let (send_id, msg_id) = (SendId::from_bytes([2; 32]), MsgId::from_bytes([3; 16]));
        let signature = sign_cancel(&key, &send_id, &msg_id);
        assert!(verify_cancel(&cancel_pk, &send_id, &msg_id, &signature));
        let (send, msg) = (SendId::from_bytes([4; 32]), MsgId::from_bytes([4; 16]));
        assert!(!verify_cancel(&cancel_pk, &send, &msg_id, &signature));
        assert!(!verify_cancel(&cancel_pk, &send_id, &msg, &signature));
        let other = CancelPk::from_bytes(SigningSeed::from_bytes([5; 32]).public());
        assert!(!verify_cancel(&other, &send_id, &msg_id, &signature));
    }
}
