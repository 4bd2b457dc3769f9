//! All or nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};

use budstikke::vault::{MAX_KEY_LEN, VaultError};

use crate::{LOG, NOTE, Place, get, put};

#[derive(Debug, PartialEq)]
enum AppError {
    Mine,
    Vault(VaultError),
}

impl From<VaultError> for AppError {
    fn from(error: VaultError) -> Self {
        Self::Vault(error)
    }
}

#[test]
fn an_error_undoes_everything() {
    let place = Place::new();
    let mut vault = place.create();
    put(&mut vault, b"old", b"1");
    let outcome: Result<(), AppError> = vault.transaction(|tx| {
        tx.put(NOTE, b"old", b"2")?;
        tx.put(NOTE, b"new", b"2")?;
        tx.append(LOG, b"2")?;
        tx.delete(NOTE, b"old")?;
        Err(AppError::Mine)
    });
    assert_eq!(outcome, Err(AppError::Mine));
    assert_eq!(get(&mut vault, b"old").unwrap(), b"1");
    assert_eq!(get(&mut vault, b"new"), None);
    assert_eq!(vault.check(), Ok(1));
}

#[test]
fn a_panic_undoes_everything_and_the_vault_goes_on() {
    let place = Place::new();
    let mut vault = place.create();
    put(&mut vault, b"old", b"1");
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        vault.transaction::<(), VaultError>(|tx| {
            tx.put(NOTE, b"old", b"2")?;
            panic!("in the middle");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(get(&mut vault, b"old").unwrap(), b"1");
    put(&mut vault, b"old", b"3");
    vault.close().unwrap();
    assert_eq!(get(&mut place.open(), b"old").unwrap(), b"3");
}

#[test]
fn a_failed_write_cannot_be_ignored() {
    let place = Place::new();
    let mut vault = place.create();
    let too_large = VaultError::TooLarge { len: MAX_KEY_LEN + 1, max: MAX_KEY_LEN };
    let outcome: Result<(), AppError> = vault.transaction(|tx| {
        tx.put(NOTE, b"before", b"1")?;
        assert!(tx.put(NOTE, &vec![0; MAX_KEY_LEN + 1], b"1").is_err());
        assert_eq!(tx.put(NOTE, b"after", b"1"), Err(too_large.clone()));
        assert_eq!(tx.delete(NOTE, b"before"), Err(too_large.clone()));
        Ok(())
    });
    assert_eq!(outcome, Err(AppError::Vault(too_large)));
    assert_eq!(vault.check(), Ok(0));
}

#[test]
fn a_reader_sees_what_was_committed() {
    let place = Place::new();
    let mut vault = place.create();
    put(&mut vault, b"key", b"1");
    let outcome: Result<u64, AppError> = vault.read(|view| Ok(view.count(NOTE)?));
    assert_eq!(outcome, Ok(1));
    let outcome: Result<u64, AppError> = vault.read(|_| Err(AppError::Mine));
    assert_eq!(outcome, Err(AppError::Mine));
    put(&mut vault, b"key", b"2");
    assert_eq!(get(&mut vault, b"key").unwrap(), b"2");
}
