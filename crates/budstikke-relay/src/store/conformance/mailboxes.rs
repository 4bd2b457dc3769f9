//! Mailboxes, grants and cells.

use super::*;

pub(in crate::store) async fn mailboxes_are_made_once_and_live_longer_when_renewed(lab: &impl Lab) {
    let store = lab.open().await;
    let owner = Capability::Owner(recv(1));
    assert_eq!(store.key_of(NOW, owner).await, Ok(None));
    all_done(&store, NOW, vec![create(1, TTL, true), grant(1, 2, 5, false)]).await;
    assert_eq!(store.key_of(NOW, owner).await, Ok(Some([0xFE; 32])));
    assert_eq!(store.key_of(NOW, Capability::Sender(sender(2))).await, Ok(Some([0xFD; 32])));
    let later = NOW + i64::from(TTL) * DAY_S;
    assert_eq!(one(&store, later, create(1, TTL, false)).await, Outcome::Done);
    let (store, later) = (lab.open().await, later + i64::from(TTL) * DAY_S);
    store.sweep(later).await.unwrap();
    assert_eq!(store.key_of(later, owner).await, Ok(Some([0xFE; 32])));
    // Its grants live as long as it does; trimming lengthens its life as well.
    assert_eq!(one(&store, later, append(2, 1)).await, Outcome::Done);
    assert_eq!(one(&store, later, trim(1, 0)).await, Outcome::Done);
    let later = later + i64::from(TTL) * DAY_S;
    store.sweep(later).await.unwrap();
    assert_eq!(one(&store, later, append(2, 2)).await, Outcome::Done);
    let end = later + DAY_S;
    assert_eq!(store.key_of(end, owner).await, Ok(None));
    assert_eq!(store.key_of(end, Capability::Sender(sender(2))).await, Ok(None));
}

pub(in crate::store) async fn cells_come_in_order_and_once(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![create(1, TTL, true), grant(1, 2, 50, false)]).await;
    all_done(&store, NOW, vec![grant(1, 3, 50, false)]).await;
    for msg in 1..=20 {
        all_done(&store, NOW, vec![append(2 + msg % 2, msg), append(2 + msg % 2, msg)]).await;
    }
    let store = lab.open().await;
    all_done(&store, NOW, vec![append(2, 20), append(3, 19)]).await;
    let cells = read(&store, NOW, 1, 0).await;
    assert_eq!(marks(&cells), (1..=20).collect::<Vec<_>>());
    assert!(cells.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert_eq!(marks(&read(&store, NOW, 1, cells[4].0).await), (6..=20).collect::<Vec<_>>());
    let page = store.read(NOW, recv(1), cells[4].0, 3).await.unwrap().unwrap();
    assert!(page.more && page.next == cells[7].0);
    assert_eq!(page.cells[0].label, label(2));
    assert_eq!(page.cells[1].label, label(3));
    assert!(store.read(NOW, recv(9), 0, 10).await.unwrap().is_none());
    assert_eq!(one(&store, NOW, append(9, 1)).await, Outcome::Unknown);
}

pub(in crate::store) async fn numbers_are_never_used_twice(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![create(1, TTL, true), grant(1, 2, 50, false), append(2, 1)]).await;
    let first = read(&store, NOW, 1, 0).await[0].0;
    all_done(&store, NOW, vec![trim(1, u64::MAX)]).await;
    let store = lab.open().await;
    all_done(&store, NOW, vec![append(2, 2)]).await;
    let second = read(&store, NOW, 1, 0).await[0].0;
    assert!(second > first);
    // A mailbox that is made again goes on above what its owner may remember.
    all_done(&store, NOW, vec![Mutation::Delete { recv_id: recv(1) }]).await;
    let later = NOW + 1;
    all_done(&store, later, vec![create(1, TTL, true), grant(1, 2, 50, false)]).await;
    all_done(&store, later, vec![append(2, 1)]).await;
    let third = read(&store, later, 1, second).await;
    assert_eq!(marks(&third), [1]);
    // A trimmed cell's name is still known.
    all_done(&store, later, vec![trim(1, u64::MAX), append(2, 1)]).await;
    assert_eq!(read(&store, later, 1, 0).await, []);
}

pub(in crate::store) async fn quotas_free_up_when_trimmed(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![create(1, TTL, true), grant(1, 2, 2, false)]).await;
    all_done(&store, NOW, vec![grant(1, 3, 1, false), append(2, 1), append(3, 2)]).await;
    assert_eq!(one(&store, NOW, append(3, 3)).await, Outcome::Full);
    all_done(&store, NOW, vec![append(2, 4)]).await;
    let store = lab.open().await;
    assert_eq!(one(&store, NOW, append(2, 5)).await, Outcome::Full);
    assert_eq!(one(&store, NOW, append(2, 4)).await, Outcome::Done, "a repeat needs no room");
    let cells = read(&store, NOW, 1, 0).await;
    all_done(&store, NOW, vec![trim(1, cells[0].0), append(2, 5)]).await;
    assert_eq!(one(&store, NOW, append(2, 6)).await, Outcome::Full);
    // The owner may give more, and take it back.
    all_done(&store, NOW, vec![grant(1, 2, 3, false), append(2, 6)]).await;
    assert_eq!(one(&store, NOW, append(3, 7)).await, Outcome::Full);
    assert_eq!(marks(&read(&store, NOW, 1, 0).await), [2, 4, 5, 6]);
}

pub(in crate::store) async fn a_revoked_grant_sends_no_more_and_leaves_its_cells(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![create(1, TTL, true), create(9, TTL, true)]).await;
    for n in 2..6 {
        all_done(&store, NOW, vec![grant(1, n, 5, false), append(n, n)]).await;
    }
    let revoke = |mailbox, n| Mutation::Revoke { recv_id: recv(mailbox), send_id: sender(n) };
    assert_eq!(one(&store, NOW, revoke(9, 3)).await, Outcome::Unknown, "not its owner");
    assert_eq!(one(&store, NOW, revoke(1, 3)).await, Outcome::Done);
    assert_eq!(one(&store, NOW, revoke(1, 3)).await, Outcome::Unknown);
    assert_eq!(one(&store, NOW, revoke(1, 2)).await, Outcome::Done);
    let store = lab.open().await;
    for (n, outcome) in
        [(2, Outcome::Unknown), (3, Outcome::Unknown), (4, Outcome::Done), (5, Outcome::Done)]
    {
        assert_eq!(one(&store, NOW, append(n, n + 10)).await, outcome);
    }
    assert_eq!(store.key_of(NOW, Capability::Sender(sender(3))).await, Ok(None));
    assert_eq!(marks(&read(&store, NOW, 1, 0).await), [2, 3, 4, 5, 14, 15]);
    all_done(&store, NOW, vec![trim(1, u64::MAX)]).await;
    // The rest can be revoked too, in any order, and the mailbox deleted.
    assert_eq!(one(&store, NOW, revoke(1, 5)).await, Outcome::Done);
    all_done(&store, NOW, vec![Mutation::Delete { recv_id: recv(1) }]).await;
    assert_eq!(store.key_of(NOW, Capability::Sender(sender(4))).await, Ok(None));
}

pub(in crate::store) async fn grants_of_one_mailbox_are_independent(lab: &impl Lab) {
    let store = lab.open().await;
    let grants = [(2, 2), (3, 3), (4, 1), (5, 4)].map(|(n, quota)| grant(1, n, quota, n == 5));
    all_done(&store, NOW, [vec![create(1, TTL, true)], grants.to_vec()].concat()).await;
    // One uses its quota up, with a cell that waits and one that is held: the others have all of theirs.
    all_done(&store, NOW, vec![append(2, 1), hold(2, 2, NOW + 60)]).await;
    assert_eq!(one(&store, NOW, append(2, 3)).await, Outcome::Full);
    all_done(&store, NOW, vec![append(3, 3), hold(3, 4, NOW + 60), append(3, 5), append(4, 6)])
        .await;
    assert_eq!(one(&store, NOW, append(4, 7)).await, Outcome::Full);
    // The names of cells are each sender's own; so is the price of a door.
    assert_eq!(one(&store, NOW, append(5, 1)).await, Outcome::Unpaid);
    // One is revoked, with what it holds: what the others sent, hold and may send stays.
    let revoke = Mutation::Revoke { recv_id: recv(1), send_id: sender(2) };
    all_done(&store, NOW, vec![revoke]).await;
    let store = lab.open().await;
    assert_eq!(store.key_of(NOW, canceller(2, 2)).await, Ok(None));
    assert_eq!(store.key_of(NOW, canceller(3, 4)).await, Ok(Some([4; 32])));
    for (mutation, outcome) in [
        (append(2, 8), Outcome::Unknown),
        (append(3, 8), Outcome::Full),
        (append(4, 8), Outcome::Full),
        (append(5, 8), Outcome::Unpaid),
    ] {
        assert_eq!(one(&store, NOW, mutation).await, outcome);
    }
    assert_eq!(store.release(NOW + 60).await, Ok(1));
    let cells = read(&store, NOW + 60, 1, 0).await;
    assert_eq!(marks(&cells), [1, 3, 5, 6, 4]);
    // Trimming one's cells frees that one's places and nobody else's.
    all_done(&store, NOW + 60, vec![trim(1, cells[1].0), append(3, 9)]).await;
    assert_eq!(one(&store, NOW + 60, append(3, 10)).await, Outcome::Full);
    assert_eq!(one(&store, NOW + 60, append(4, 10)).await, Outcome::Full);
    // The same grant made again has a full quota, and no other changes with it.
    all_done(&store, NOW + 61, vec![grant(1, 2, 2, false), append(2, 11), append(2, 12)]).await;
    assert_eq!(one(&store, NOW + 61, append(2, 13)).await, Outcome::Full);
    assert_eq!(marks(&read(&store, NOW + 61, 1, 0).await), [5, 6, 4, 9, 11, 12]);
}

pub(in crate::store) async fn deleting_forgets_at_once(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![create(1, TTL, true), grant(1, 2, 5, false), append(2, 1)]).await;
    all_done(&store, NOW, vec![create(5, TTL, true), grant(5, 6, 5, false), append(6, 9)]).await;
    all_done(&store, NOW, vec![Mutation::Delete { recv_id: recv(1) }]).await;
    let store = lab.open().await;
    assert!(store.read(NOW, recv(1), 0, 10).await.unwrap().is_none());
    for who in [Capability::Owner(recv(1)), Capability::Sender(sender(2))] {
        assert_eq!(store.key_of(NOW, who).await, Ok(None));
    }
    assert_eq!(one(&store, NOW, append(2, 2)).await, Outcome::Unknown);
    assert_eq!(one(&store, NOW, Mutation::Delete { recv_id: recv(1) }).await, Outcome::Unknown);
    // Another mailbox is not touched; the same one made again is empty and knows no old names.
    assert_eq!(marks(&read(&store, NOW, 5, 0).await), [9]);
    let later = NOW + 1;
    all_done(&store, later, vec![create(1, TTL, true), grant(1, 2, 5, false)]).await;
    assert_eq!(read(&store, later, 1, 0).await, []);
    all_done(&store, later, vec![append(2, 1)]).await;
    assert_eq!(marks(&read(&store, later, 1, 0).await), [1]);
}

pub(in crate::store) async fn a_watch_tells_in_order(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![create(1, TTL, true), grant(1, 2, 100, false)]).await;
    let mut watch = store.watch(recv(1));
    all_done(&store, NOW, vec![append(2, 1), append(2, 2), append(2, 2)]).await;
    for wanted in [1, 2] {
        let WatchEvent::Cell(cell) = watch.next().await else { panic!("no cell") };
        assert_eq!(cell.cell[0], wanted);
    }
    all_done(&store, NOW, (3..90).map(|msg| append(2, msg)).collect()).await;
    assert!(matches!(watch.next().await, WatchEvent::Behind));
    all_done(&store, NOW, vec![append(2, 90)]).await;
    assert!(matches!(watch.next().await, WatchEvent::Cell(cell) if cell.cell[0] == 90));
    all_done(&store, NOW, vec![Mutation::Delete { recv_id: recv(1) }]).await;
    assert!(matches!(watch.next().await, WatchEvent::Gone));
}
