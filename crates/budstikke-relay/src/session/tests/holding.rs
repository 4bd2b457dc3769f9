//! Held cells.

use budstikke_proto::held;

use super::*;

#[test]
fn a_release_lies_ahead_and_not_too_far() {
    let mut bench = Bench::open(0);
    let sender = bench.key();
    let (send_id, msg_id) = (SendId::from_bytes([1; 32]), MsgId::from_bytes([1; 16]));
    let cancel_pk = CancelPk::from_bytes([4; 32]);
    let hold = |release_at| Request::Hold { send_id, msg_id, release_at, cancel_pk };
    let cell = || Some(vec![1; CELL_LEN]);
    let minute = NOW - NOW % 60;
    // Too far ahead is said to the grant's holder only.
    let far = hold(minute + 28 * 24 * 3600 + 60);
    assert!(matches!(bench.ask(&far, None, cell())[..], [Action::Lookup(Capability::Sender(_))]));
    assert!(refused(&bench.input(Input::Key(Ok(Some(sender.public()))))));
    bench.ask(&far, Some(&sender), cell());
    let actions = bench.input(Input::Key(Ok(Some(sender.public()))));
    assert_eq!(code(&actions), ErrorCode::Malformed);
    for ahead in [60, 28 * 24 * 3600] {
        let actions = bench.ask(&hold(minute + ahead), Some(&sender), cell());
        let (_, mutation) = submitted(actions);
        let Mutation::Hold { release_at, .. } = mutation else { panic!("not held") };
        assert_eq!(release_at, minute + ahead);
    }
    for past in [minute, minute - 60] {
        let (_, mutation) = submitted(bench.ask(&hold(past), Some(&sender), cell()));
        assert!(matches!(mutation, Mutation::Append { paid: false, .. }));
    }
}

#[test]
fn only_its_key_cancels_a_held_cell() {
    let mut bench = Bench::open(0);
    let key = SigningSeed::from_bytes([6; 32]);
    let (send_id, msg_id) = (SendId::from_bytes([1; 32]), MsgId::from_bytes([1; 16]));
    let signature = held::sign_cancel(&key, &send_id, &msg_id);
    let cancel = |signature| Request::Cancel { send_id, msg_id, signature };
    let ask = |bench: &mut Bench, signature, found| {
        let actions = bench.ask(&cancel(signature), None, None);
        assert!(matches!(actions[..], [Action::Lookup(Capability::Canceller(..))]));
        bench.input(Input::Key(found))
    };
    let forged = held::sign_cancel(&key, &send_id, &MsgId::from_bytes([2; 16]));
    let nobody = bench.session.epoch.identity.epoch_secret(i64::MIN + 1);
    let nobody = held::sign_cancel(&SigningSeed::from_bytes(nobody), &send_id, &msg_id);
    assert!(refused(&ask(&mut bench, forged, Ok(Some(key.public())))));
    assert!(refused(&ask(&mut bench, signature, Ok(Some([7; 32])))));
    assert!(refused(&ask(&mut bench, signature, Ok(None))));
    assert!(refused(&ask(&mut bench, nobody, Ok(None))), "even whoever knew the stand-in key");
    let (ticket, mutation) = submitted(ask(&mut bench, signature, Ok(Some(key.public()))));
    assert!(matches!(mutation, Mutation::Cancel { .. }));
    assert!(refused(&bench.input(Input::Stored(ticket, Ok(Outcome::Unknown)))));
    let failed = ask(&mut bench, signature, Err(StoreError::Disk));
    assert_eq!(code(&failed), ErrorCode::Storage);
}
