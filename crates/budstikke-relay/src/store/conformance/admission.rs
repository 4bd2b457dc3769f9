//! What is new is paid.

use super::*;

pub(in crate::store) async fn admission_is_asked_for_what_is_new_only(lab: &impl Lab) {
    let store = lab.open().await;
    assert_eq!(one(&store, NOW, create(1, TTL, false)).await, Outcome::Unpaid);
    all_done(&store, NOW, vec![create(1, TTL, true), create(1, TTL, false)]).await;
    all_done(&store, NOW, vec![grant(1, 2, 5, true)]).await;
    assert_eq!(one(&store, NOW, append(2, 1)).await, Outcome::Unpaid);
    let Mutation::Append { send_id, msg_id, cell, .. } = append(2, 1) else { unreachable!() };
    all_done(&store, NOW, vec![Mutation::Append { send_id, msg_id, cell, paid: true }]).await;
    assert_eq!(one(&store, NOW, append(2, 1)).await, Outcome::Done, "a repeat was paid");
    assert_eq!(one(&store, NOW, slot_append(1, false)).await, Outcome::Unpaid);
    assert_eq!(one(&store, NOW, slot_append(1, true)).await, Outcome::Placed(0));
    assert_eq!(one(&store, NOW, slot_append(2, false)).await, Outcome::Placed(1));
    assert_eq!(one(&store, NOW, notice_put(1, 1, false)).await, Outcome::Unpaid);
    all_done(&store, NOW, vec![notice_put(1, 1, true), notice_put(2, 2, false)]).await;
}

pub(in crate::store) async fn a_token_makes_one_mailbox(lab: &impl Lab) {
    let store = lab.open().await;
    let last_day = day_of(NOW) + 2;
    let token = |n| SpentToken { id: [n; 32], last_day };
    let make = |n, token| {
        let recv_pk = RecvPk::from_bytes([n ^ 0xFF; 32]);
        Mutation::CreateByToken { recv_id: recv(n), recv_pk, ttl_days: TTL, token }
    };
    // Twice in one batch, and a repeat that finds its mailbox.
    let batch = vec![make(1, token(1)), make(2, token(1)), make(1, token(1)), make(3, token(3))];
    let outcomes = store.apply(NOW, batch).await.unwrap();
    assert_eq!(outcomes, [Outcome::Done, Outcome::Unpaid, Outcome::Done, Outcome::Done]);
    // A mailbox that is there uses none up.
    let again = vec![make(1, token(4)), make(4, token(4)), make(5, token(4))];
    let outcomes = store.apply(NOW, again).await.unwrap();
    assert_eq!(outcomes, [Outcome::Done, Outcome::Done, Outcome::Unpaid]);
    // Spent stays spent when its mailbox is gone, until the key's last day; then the key is not taken any more.
    let (delete, anew) = (Mutation::Delete { recv_id: recv(1) }, make(1, token(1)));
    let later = NOW + 2 * DAY_S;
    let outcomes = store.apply(later, vec![delete, anew]).await.unwrap();
    assert_eq!(outcomes, [Outcome::Done, Outcome::Unpaid]);
    store.sweep(later).await.unwrap();
    assert_eq!(store.apply(later, vec![make(6, token(3))]).await.unwrap(), [Outcome::Unpaid]);
    let over = later + DAY_S;
    store.sweep(over).await.unwrap();
    assert_eq!(store.apply(over, vec![make(6, token(9))]).await.unwrap(), [Outcome::Unpaid]);
}
