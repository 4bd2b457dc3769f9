//! Blobs.

use super::*;

pub(in crate::store) async fn a_blob_stands_whole_and_never_changes(lab: &impl Lab) {
    let store = lab.open().await;
    let (fetcher, deleter) =
        (Capability::Fetcher(fetch(1)), Capability::Deleter(DeleteId::from_bytes([1; 32])));
    assert_eq!(store.key_of(NOW, fetcher).await, Ok(None));
    assert_eq!(store.blob(NOW, fetch(1), 0, 70).await, Ok(None));
    all_done(&store, NOW, vec![blob_put(1, 7, BlobSize::Large, 5)]).await;
    let store = lab.open().await;
    assert_eq!(store.key_of(NOW, fetcher).await, Ok(Some([0xFE; 32])));
    assert_eq!(store.key_of(NOW, deleter).await, Ok(Some([0xF1; 32])));
    for (first, max, wanted) in [(0, 70, 0..70), (16, 3, 16..19), (69, 70, 69..70), (70, 1, 0..0)] {
        let page = store.blob(NOW, fetch(1), first, max).await.unwrap().unwrap();
        let wanted: Vec<_> = wanted.map(|index| Bytes::from(format!("7 {index}"))).collect();
        assert_eq!((page.payloads, page.count), (wanted, 70));
    }
    // The same again is no change, another one is refused, whoever made it.
    all_done(&store, NOW, vec![blob_put(1, 7, BlobSize::Large, 20)]).await;
    assert_eq!(one(&store, NOW, blob_put(1, 8, BlobSize::Small, 5)).await, Outcome::Conflict);
    let Mutation::BlobPut { fetch_id, blob, .. } = blob_put(1, 7, BlobSize::Large, 5) else {
        unreachable!()
    };
    let delete_id = DeleteId::from_bytes([9; 32]);
    let other = Mutation::BlobPut { fetch_id, delete_id, blob, paid: true };
    assert_eq!(one(&store, NOW, other).await, Outcome::Conflict);
    assert_eq!(one(&store, NOW, blob_delete(9)).await, Outcome::Unknown);
    all_done(&store, NOW, vec![blob_delete(1)]).await;
    let store = lab.open().await;
    assert_eq!(one(&store, NOW, blob_delete(1)).await, Outcome::Unknown);
    assert_eq!(store.blob(NOW, fetch(1), 0, 70).await, Ok(None));
    for who in [fetcher, deleter] {
        assert_eq!(store.key_of(NOW, who).await, Ok(None));
    }
    all_done(&store, NOW, vec![blob_put(1, 8, BlobSize::Small, 5)]).await;
    assert_eq!(store.blob(NOW, fetch(1), 4, 70).await.unwrap().unwrap().payloads, ["8 4"]);
}

pub(in crate::store) async fn blobs_expire_and_free_their_room(lab: &impl Lab) {
    let store = lab.open().await;
    all_done(&store, NOW, vec![blob_put(1, 1, BlobSize::Large, 2)]).await;
    all_done(&store, NOW, vec![blob_put(2, 2, BlobSize::Large, 5)]).await;
    all_done(&store, NOW, vec![blob_put(3, 3, BlobSize::Medium, 5)]).await;
    let store = lab.open().await;
    let large = |n| blob_put(n, n, BlobSize::Large, 5);
    assert_eq!(one(&store, NOW, large(4)).await, Outcome::Full);
    assert_eq!(one(&store, NOW, large(2)).await, Outcome::Done, "a repeat needs no room");
    // What was deleted, or expired and was not swept, takes none.
    all_done(&store, NOW, vec![blob_delete(3), large(4)]).await;
    let later = NOW + 2 * DAY_S;
    assert_eq!(one(&store, later, large(5)).await, Outcome::Full);
    let later = NOW + 3 * DAY_S;
    assert_eq!(store.blob(later, fetch(1), 0, 70).await, Ok(None));
    assert_eq!(store.key_of(later, Capability::Fetcher(fetch(1))).await, Ok(None));
    assert_eq!(one(&store, later, blob_delete(1)).await, Outcome::Unknown);
    all_done(&store, later, vec![blob_put(1, 9, BlobSize::Small, 30)]).await;
    assert_eq!(one(&store, later, large(5)).await, Outcome::Full);
    store.sweep(later).await.unwrap();
    let page = store.blob(later, fetch(1), 0, 70).await.unwrap().unwrap();
    assert_eq!((page.count, &page.payloads[..1]), (5, &[Bytes::from("9 0")][..]));
    let end = later + 31 * DAY_S;
    let store = lab.open().await;
    store.sweep(end).await.unwrap();
    assert_eq!(store.sweep(end).await, Ok(0));
    all_done(&store, end, vec![large(5), large(6), large(7)]).await;
    assert_eq!(one(&store, end, blob_put(8, 8, BlobSize::Small, 1)).await, Outcome::Full);
}
