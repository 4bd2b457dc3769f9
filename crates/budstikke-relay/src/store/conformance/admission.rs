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
    let blob = || blob_put(1, 1, BlobSize::Small, 5);
    assert_eq!(one(&store, NOW, blob().with_payment(false)).await, Outcome::Unpaid);
    all_done(&store, NOW, vec![blob(), blob().with_payment(false)]).await;
}

pub(in crate::store) async fn a_token_makes_one_mailbox(lab: &impl Lab) {
    let store = lab.open().await;
    let last_day = day_of(NOW) + 2;
    let token = |n| SpentToken { id: [n; 32], last_day };
    let make = |n, token| Mutation::ByToken { token, change: Box::new(create(n, TTL, false)) };
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

pub(in crate::store) async fn a_token_pays_for_one_change_that_was_to_be_paid(lab: &impl Lab) {
    let store = lab.open().await;
    let last_day = day_of(NOW) + 5;
    let by = |n, change: Mutation| {
        let token = SpentToken { id: [n; 32], last_day };
        Mutation::ByToken { token, change: Box::new(change) }
    };
    let small = |n| blob_put(n, n, BlobSize::Small, 5);
    let door = vec![create(1, TTL, true), grant(1, 2, 1, true), grant(1, 3, 9, false)];
    all_done(&store, NOW, door).await;
    let spent = |n| store.key_of(NOW, Capability::Spent([n; 32]));
    assert_eq!(spent(1).await, Ok(None));
    // A blob, a cell at a door, a slot's first entry, a notice: each is done and its token gone in one step.
    let changes = vec![
        by(1, small(1)),
        by(1, small(2)),
        by(2, append(2, 1)),
        by(1, append(2, 2)),
        by(3, slot_append(1, false)),
        by(4, notice_put(1, 1, false)),
        by(4, small(2)),
    ];
    let (done, unpaid) = (Outcome::Done, Outcome::Unpaid);
    let outcomes = store.apply(NOW, changes).await.unwrap();
    assert_eq!(outcomes, [done, unpaid, done, unpaid, Outcome::Placed(0), done, unpaid]);
    assert_eq!(spent(1).await, Ok(Some([1; 32])));
    assert_eq!(store.blob(NOW, fetch(2), 0, 1).await, Ok(None));
    // A repeat, what costs nothing, what finds no room, no grant or something else in its place: none uses a token up.
    let changes = vec![
        by(5, small(1)),
        by(5, append(2, 1)),
        by(5, append(3, 9)),
        by(5, append(2, 3)),
        by(5, append(9, 3)),
        by(5, blob_put(1, 8, BlobSize::Small, 5)),
        by(5, slot_append(2, false)),
    ];
    let outcomes = store.apply(NOW, changes).await.unwrap();
    let (full, unknown) = (Outcome::Full, Outcome::Unknown);
    let conflict = Outcome::Conflict;
    assert_eq!(outcomes, [done, done, done, full, unknown, conflict, Outcome::Placed(1)]);
    // It was good all the time, and is remembered by a store that is opened again.
    all_done(&store, NOW, vec![by(5, small(3))]).await;
    let store = lab.open().await;
    assert_eq!(store.key_of(NOW, Capability::Spent([5; 32])).await, Ok(Some([5; 32])));
    assert_eq!(one(&store, NOW, by(5, small(4))).await, unpaid);
    let over = NOW + 6 * DAY_S;
    store.sweep(over).await.unwrap();
    assert_eq!(store.key_of(over, Capability::Spent([5; 32])).await, Ok(None));
    assert_eq!(one(&store, over, by(6, small(4))).await, unpaid, "its key's time is over");
}
