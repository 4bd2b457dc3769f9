//! The vault among async tasks.

use std::{future::Future, pin::pin, sync::mpsc, task::Poll, time::Duration};

use budstikke::vault::{AsyncVault, Cost, VaultError};
use rand_core::OsRng;

use crate::{LOG, NOTE, Place, passphrase};

async fn shared(place: &Place) -> AsyncVault {
    AsyncVault::create(place.file(), passphrase(), Cost::INSECURE_FOR_TESTS, OsRng).await.unwrap()
}

#[tokio::test]
async fn tasks_take_turns() {
    let place = Place::new();
    let vault = shared(&place).await;
    let tasks: Vec<_> = (0..20_u8)
        .map(|number| {
            let vault = vault.clone();
            tokio::spawn(async move {
                vault
                    .run(move |tx| {
                        let count = tx.count(LOG)?;
                        tx.append(LOG, &[number])?;
                        Ok::<_, VaultError>(count)
                    })
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut seen = Vec::new();
    for task in tasks {
        seen.push(task.await.unwrap());
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..20).collect::<Vec<u64>>());
    vault.close().await.unwrap();
}

/// Dropped after it began: it ends all the same, and the next call sees the result.
#[tokio::test]
async fn a_begun_transaction_ends_though_its_caller_is_gone() {
    let place = Place::new();
    let vault = shared(&place).await;
    let (begun, wait_begun) = mpsc::channel();
    let (go_on, wait) = mpsc::channel::<()>();
    {
        let mut call = pin!(vault.run(move |tx| {
            tx.put(NOTE, b"first", b"half")?;
            begun.send(()).unwrap();
            wait.recv_timeout(Duration::from_mins(1)).unwrap();
            tx.put(NOTE, b"second", b"half")
        }));
        let polled = std::future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await;
        assert!(polled.is_pending());
        wait_begun.recv().unwrap();
    }
    go_on.send(()).unwrap();
    let count = vault.read(|view| view.count(NOTE)).await;
    assert_eq!(count, Ok::<_, VaultError>(2));
}

/// Dropped while it waits: it never happens.
#[tokio::test]
async fn a_waiting_call_that_is_dropped_does_nothing() {
    let place = Place::new();
    let vault = shared(&place).await;
    let (go_on, wait) = mpsc::channel::<()>();
    let busy = tokio::spawn({
        let vault = vault.clone();
        async move {
            vault
                .run(move |tx| {
                    wait.recv_timeout(Duration::from_mins(1)).unwrap();
                    tx.append(LOG, b"busy").map(drop)
                })
                .await
        }
    });
    tokio::task::yield_now().await;
    let waiting = vault.run(|tx| tx.append(LOG, b"dropped").map(drop));
    assert!(tokio::time::timeout(Duration::from_millis(20), waiting).await.is_err());
    go_on.send(()).unwrap();
    busy.await.unwrap().unwrap();
    let rows = vault.read(|view| view.list(LOG)).await;
    let rows = rows.unwrap_or_else(|error: VaultError| panic!("{error}"));
    assert_eq!(rows.iter().map(|row| row.value.to_vec()).collect::<Vec<_>>(), [b"busy"]);
}

#[tokio::test]
async fn a_panic_reaches_the_caller_and_nobody_else() {
    let place = Place::new();
    let vault = shared(&place).await;
    let task = tokio::spawn({
        let vault = vault.clone();
        async move {
            vault
                .run::<(), VaultError, _>(|tx| {
                    tx.put(NOTE, b"key", b"value")?;
                    panic!("in the middle")
                })
                .await
        }
    });
    assert!(task.await.unwrap_err().is_panic());
    let count = vault.read(|view| view.count(NOTE)).await;
    assert_eq!(count, Ok::<_, VaultError>(0));
}

#[tokio::test]
async fn closing_is_final_for_every_handle() {
    let place = Place::new();
    let vault = shared(&place).await;
    let other = vault.clone();
    vault
        .run(|tx| tx.put(NOTE, b"key", b"value"))
        .await
        .unwrap_or_else(|e: VaultError| panic!("{e}"));
    assert_eq!(vault.close().await, Ok(()));
    assert_eq!(other.close().await, Ok(()));
    assert_eq!(other.run(|tx| tx.append(LOG, b"late")).await, Err(VaultError::Closed));
    assert_eq!(other.with(|vault| vault.check()).await, Err(VaultError::Closed));
    let again = AsyncVault::open(place.file(), passphrase()).await.unwrap();
    assert_eq!(again.with(|vault| vault.check()).await, Ok(1));
    let wrong = AsyncVault::open(place.file(), "wrong".into()).await;
    assert_eq!(wrong.err(), Some(VaultError::InUse));
}
