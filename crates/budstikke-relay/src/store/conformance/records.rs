//! Slots and notices.

use super::*;

pub(in crate::store) async fn slots_keep_order_and_take_four(lab: &impl Lab) {
    let store = lab.open().await;
    let slot_id = SlotId::from_bytes([1; 32]);
    assert_eq!(store.slot(NOW, slot_id).await, Ok(Vec::new()));
    for n in [3, 1] {
        one(&store, NOW, slot_append(n, true)).await;
    }
    let store = lab.open().await;
    // A day later: the entries before move to the new last day.
    let later = NOW + DAY_S;
    for (n, outcome) in [
        (1, Outcome::Placed(1)),
        (4, Outcome::Placed(2)),
        (2, Outcome::Placed(3)),
        (5, Outcome::SlotFull),
        (3, Outcome::Placed(0)),
    ] {
        assert_eq!(one(&store, later, slot_append(n, true)).await, outcome);
    }
    let wanted: Vec<_> = [3, 1, 4, 2].map(|n| entry(n, usize::from(n))).into();
    assert_eq!(store.slot(later, slot_id).await, Ok(wanted.clone()));
    let last = later + 90 * DAY_S;
    store.sweep(last).await.unwrap();
    assert_eq!(store.slot(last, slot_id).await, Ok(wanted));
    assert_eq!(store.slot(last + DAY_S, slot_id).await, Ok(Vec::new()));
    store.sweep(last + DAY_S).await.unwrap();
    assert_eq!(one(&store, last + DAY_S, slot_append(1, false)).await, Outcome::Unpaid);
}

pub(in crate::store) async fn the_first_four_of_a_race_have_the_slot(lab: &impl Lab) {
    let store = lab.open().await;
    let slot_id = SlotId::from_bytes([1; 32]);
    // Each is taken in before the one before it is answered; the order of the calls is that of the places.
    let mut racing = Vec::new();
    for n in 0..200 {
        let entry = entry(n, usize::from(n % 4 + 1));
        let append = Mutation::SlotAppend { slot_id, entry, paid: true };
        racing.push(store.submit(NOW, vec![append]).await.unwrap());
    }
    let mut outcomes = Vec::new();
    for answer in racing {
        outcomes.extend(answer.await.unwrap());
    }
    assert_eq!(outcomes[..4], [0, 1, 2, 3].map(Outcome::Placed));
    assert!(outcomes[4..].iter().all(|it| *it == Outcome::SlotFull));
    let store = lab.open().await;
    let wanted: Vec<_> = (0..4).map(|n| entry(n, usize::from(n + 1))).collect();
    assert_eq!(store.slot(NOW, slot_id).await, Ok(wanted));
}

pub(in crate::store) async fn notices_only_rise(lab: &impl Lab) {
    let store = lab.open().await;
    let id = NoticeId::from_bytes([1; 32]);
    assert_eq!(store.notice(NOW, id).await, Ok(None));
    for (mutation, outcome) in [
        (notice_put(5, 3, true), Outcome::Done),
        (notice_put(4, 1, true), Outcome::Conflict),
        (notice_put(5, 2, true), Outcome::Conflict),
        (notice_put(5, 3, true), Outcome::Done),
        (notice_put(6, 2, true), Outcome::Done),
    ] {
        assert_eq!(one(&store, NOW, mutation).await, outcome);
    }
    let store = lab.open().await;
    let found = store.notice(NOW, id).await.unwrap().unwrap();
    assert_eq!((found.version, found.payloads.len()), (6, 2));
    // The same again lengthens its life.
    let later = NOW + 60 * DAY_S;
    all_done(&store, later, vec![notice_put(6, 2, true)]).await;
    let last = later + 90 * DAY_S;
    store.sweep(last).await.unwrap();
    assert_eq!(store.notice(last, id).await, Ok(Some(found)));
    assert_eq!(store.notice(last + DAY_S, id).await, Ok(None));
}
