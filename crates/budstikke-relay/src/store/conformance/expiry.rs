//! What expires, and what it frees.

use super::*;

pub(in crate::store) async fn expiry_needs_no_asking_and_frees_quotas(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![create(1, TTL, true), grant(1, 2, 2, false)]).await;
    all_done(&store, NOW, vec![append(2, 1), append(2, 2)]).await;
    let half = NOW + 5 * DAY_S;
    all_done(&store, half, vec![create(1, TTL, true)]).await;
    assert_eq!(one(&store, half, append(2, 3)).await, Outcome::Full);
    assert_eq!(marks(&read(&store, half, 1, 0).await), [1, 2]);
    // The cells' last day passes, the mailbox's does not.
    let past = NOW + i64::from(TTL + 1) * DAY_S;
    assert_eq!(read(&store, past, 1, 0).await, []);
    store.sweep(past).await.unwrap();
    let store = lab.open().await;
    all_done(&store, past, vec![append(2, 1), append(2, 2)]).await;
    assert_eq!(one(&store, past, append(2, 3)).await, Outcome::Full);
    assert_eq!(marks(&read(&store, past, 1, 0).await), [1, 2], "old names are forgotten");
    // Then the mailbox goes, and nothing is left.
    let end = half + i64::from(TTL + 1) * DAY_S;
    assert_eq!(store.key_of(end, Capability::Owner(recv(1))).await, Ok(None));
    store.sweep(end).await.unwrap();
    assert_eq!(store.sweep(end).await, Ok(0));
    assert_eq!(one(&store, end, append(2, 7)).await, Outcome::Unknown);
}

pub(in crate::store) async fn what_expired_holds_no_place_before_a_sweep(lab: &impl Lab) {
    let store = lab.open().await;
    let both = vec![grant(1, 2, 2, false), grant(1, 3, 1, false)];
    all_done(&store, NOW, [vec![create(1, TTL, true)], both].concat()).await;
    all_done(&store, NOW, vec![append(2, 1), append(3, 2)]).await;
    let half = NOW + 5 * DAY_S;
    all_done(&store, half, vec![create(1, TTL, true), append(2, 3)]).await;
    let past = NOW + i64::from(TTL + 1) * DAY_S;
    // One of the sender's two cells has expired, and the other sender's only one with it.
    all_done(&store, past, vec![append(2, 4), append(3, 5)]).await;
    assert_eq!(one(&store, past, append(2, 6)).await, Outcome::Full);
    assert_eq!(one(&store, past, append(3, 7)).await, Outcome::Full);
    assert_eq!(marks(&read(&store, past, 1, 0).await), [3, 4, 5]);
    // The sweep counts nothing a second time.
    store.sweep(past).await.unwrap();
    assert_eq!(one(&store, past, append(2, 8)).await, Outcome::Full);
    assert_eq!(one(&store, past, append(3, 9)).await, Outcome::Full);
}
