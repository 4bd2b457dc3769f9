//! Held cells.

use super::*;

pub(in crate::store) async fn a_held_cell_waits_for_its_time(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![create(1, TTL, true), grant(1, 2, 3, false)]).await;
    all_done(&store, NOW, vec![hold(2, 1, NOW + 120), hold(2, 2, NOW + 60), hold(2, 3, NOW + 60)])
        .await;
    // It has a place under the quota, is no cell yet, and is stored once.
    assert_eq!(one(&store, NOW, append(2, 4)).await, Outcome::Full);
    assert_eq!(one(&store, NOW, hold(2, 4, NOW + 60)).await, Outcome::Full);
    assert_eq!(one(&store, NOW, hold(2, 1, NOW + 1)).await, Outcome::Done, "a repeat");
    assert_eq!(one(&store, NOW, append(2, 1)).await, Outcome::Done, "a repeat");
    assert_eq!(read(&store, NOW, 1, 0).await, []);
    assert_eq!(store.release(NOW + 59).await, Ok(0));
    let store = lab.open().await;
    let mut watch = store.watch(recv(1));
    assert_eq!(read(&store, NOW + 60, 1, 0).await, []);
    assert_eq!(store.key_of(NOW, canceller(2, 1)).await, Ok(Some([1; 32])));
    assert_eq!(store.release(NOW + 60).await, Ok(2));
    for wanted in [2, 3] {
        let WatchEvent::Cell(cell) = watch.next().await else { panic!("no cell") };
        assert_eq!((cell.cell[0], cell.label), (wanted, label(2)));
    }
    // A change of the grant changes what is released under it.
    let relabel = Mutation::Grant {
        recv_id: recv(1),
        send_id: sender(2),
        send_pk: SendPk::from_bytes([2 ^ 0xFF; 32]),
        label: label(9),
        quota: 3,
        work_required: false,
    };
    all_done(&store, NOW + 61, vec![relabel]).await;
    assert_eq!(one(&store, NOW + 61, append(2, 4)).await, Outcome::Full, "released, not trimmed");
    // A batch releases first what is due.
    let cells = read(&store, NOW + 61, 1, 0).await;
    assert_eq!(marks(&cells), [2, 3]);
    all_done(&store, NOW + 120, vec![trim(1, cells[1].0), append(2, 5)]).await;
    let store = lab.open().await;
    assert_eq!(store.release(NOW + 500).await, Ok(0));
    let page = store.read(NOW + 120, recv(1), 0, 9).await.unwrap().unwrap();
    let found: Vec<_> = page.cells.iter().map(|cell| (cell.cell[0], cell.label)).collect();
    assert_eq!(found, [(1, label(9)), (5, label(9))]);
    assert!(page.cells[0].seq > cells[1].0);
    // The names stay known for as long as the released cells may live, and no longer.
    let last = NOW + i64::from(TTL) * DAY_S;
    all_done(&store, NOW + 130, vec![trim(1, u64::MAX)]).await;
    all_done(&store, last, vec![create(1, TTL, true), append(2, 1), append(2, 2)]).await;
    assert_eq!(read(&store, last, 1, 0).await, []);
    all_done(&store, last + DAY_S, vec![append(2, 1)]).await;
    assert_eq!(marks(&read(&store, last + DAY_S, 1, 0).await), [1]);
}

pub(in crate::store) async fn a_cancelled_cell_never_comes(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![create(1, TTL, true), grant(1, 2, 2, false)]).await;
    all_done(&store, NOW, vec![hold(2, 1, NOW + 60), hold(2, 2, NOW + 60)]).await;
    assert_eq!(store.key_of(NOW, canceller(2, 1)).await, Ok(Some([1; 32])));
    for unknown in [canceller(2, 9), canceller(9, 1)] {
        assert_eq!(store.key_of(NOW, unknown).await, Ok(None));
    }
    assert_eq!(one(&store, NOW, cancel(2, 9)).await, Outcome::Unknown);
    assert_eq!(one(&store, NOW, cancel(9, 1)).await, Outcome::Unknown);
    assert_eq!(one(&store, NOW + 59, cancel(2, 1)).await, Outcome::Done);
    let store = lab.open().await;
    assert_eq!(store.key_of(NOW, canceller(2, 1)).await, Ok(None));
    assert_eq!(one(&store, NOW + 59, cancel(2, 1)).await, Outcome::Unknown);
    // A repeat of the first request, perhaps late, brings nothing back; the place is free.
    all_done(&store, NOW + 59, vec![hold(2, 1, NOW + 60), append(2, 3)]).await;
    assert_eq!(one(&store, NOW + 59, append(2, 4)).await, Outcome::Full);
    // What is due cannot be cancelled any more, released or not.
    assert_eq!(one(&store, NOW + 60, cancel(2, 2)).await, Outcome::Unknown);
    assert_eq!(marks(&read(&store, NOW + 60, 1, 0).await), [3, 2]);
    assert_eq!(store.key_of(NOW + 60, canceller(2, 2)).await, Ok(None));
    // A grant that asks for work holds nothing.
    all_done(&store, NOW + 61, vec![trim(1, u64::MAX), grant(1, 2, 2, true)]).await;
    assert_eq!(one(&store, NOW + 61, hold(2, 5, NOW + 90)).await, Outcome::Unknown);
    assert_eq!(one(&store, NOW + 61, hold(2, 1, NOW + 90)).await, Outcome::Done, "a repeat");
}

pub(in crate::store) async fn held_cells_go_with_their_grant_and_their_mailbox(lab: &impl Lab) {
    let store = lab.open().await;
    let both = vec![grant(1, 2, 5, false), grant(1, 3, 5, false)];
    all_done(&store, NOW, [vec![create(1, TTL, true)], both.clone()].concat()).await;
    let held = vec![hold(2, 1, NOW + 60), hold(3, 2, NOW + 60), hold(3, 3, NOW + 3 * DAY_S)];
    all_done(&store, NOW, held.clone()).await;
    let revoke = Mutation::Revoke { recv_id: recv(1), send_id: sender(2) };
    all_done(&store, NOW, vec![revoke]).await;
    assert_eq!(store.key_of(NOW, canceller(2, 1)).await, Ok(None));
    let store = lab.open().await;
    assert_eq!(store.release(NOW + 60).await, Ok(1));
    assert_eq!(marks(&read(&store, NOW + 60, 1, 0).await), [2]);
    all_done(&store, NOW + 60, vec![Mutation::Delete { recv_id: recv(1) }]).await;
    assert_eq!(store.release(NOW + 4 * DAY_S).await, Ok(0));
    // The same mailbox made again knows nothing of it, nor does one made again after it expired.
    let later = NOW + 100;
    all_done(&store, later, [vec![create(1, 1, true)], both.clone()].concat()).await;
    assert_eq!(store.key_of(later, canceller(3, 3)).await, Ok(None));
    all_done(&store, later, held).await;
    let past = NOW + 2 * DAY_S;
    assert_eq!(store.key_of(past, canceller(3, 3)).await, Ok(None), "the mailbox expired");
    all_done(&store, past, [vec![create(1, TTL, true)], both].concat()).await;
    assert_eq!(store.key_of(past, canceller(3, 3)).await, Ok(None));
    assert_eq!(one(&store, past, cancel(3, 3)).await, Outcome::Unknown);
    let store = lab.open().await;
    store.release(past + 2 * DAY_S).await.unwrap();
    store.sweep(past + 2 * DAY_S).await.unwrap();
    assert_eq!(read(&store, past + 2 * DAY_S, 1, 0).await, []);
    all_done(&store, past + 2 * DAY_S, vec![append(3, 3)]).await;
    assert_eq!(marks(&read(&store, past + 2 * DAY_S, 1, 0).await), [3], "old names are forgotten");
}

pub(in crate::store) async fn a_cell_that_was_due_while_nothing_ran_is_not_lost(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![create(1, 30, true), grant(1, 2, 5, false)]).await;
    all_done(&store, NOW, vec![hold(2, 1, NOW + 60), hold(2, 2, NOW + DAY_S)]).await;
    // A week later, and the first thing that happens is a sweep of past days.
    let store = lab.open().await;
    let late = NOW + 7 * DAY_S;
    store.sweep(late).await.unwrap();
    assert_eq!(marks(&read(&store, late, 1, 0).await), [1, 2]);
    // Their life starts now, within the mailbox's.
    let last = NOW + 30 * DAY_S;
    store.sweep(last).await.unwrap();
    let store = lab.open().await;
    assert_eq!(marks(&read(&store, last, 1, 0).await), [1, 2]);
    assert_eq!(store.key_of(last + DAY_S, Capability::Owner(recv(1))).await, Ok(None));
}
