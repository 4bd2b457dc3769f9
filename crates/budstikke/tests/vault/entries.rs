//! Keys, values and their order.

use budstikke::vault::{Kind, MAX_KEY_LEN, MAX_VALUE_LEN, Row, VaultError};
use budstikke_e2ee::store::StateStore;

use crate::{LOG, NOTE, Place, get, put};

fn values(rows: &[Row]) -> Vec<&[u8]> {
    rows.iter().map(|row| row.value.as_slice()).collect()
}

#[test]
fn an_entry_survives_closing() {
    let place = Place::new();
    let mut vault = place.create();
    put(&mut vault, b"key", b"value");
    put(&mut vault, b"", b"under the empty key");
    put(&mut vault, b"empty", b"");
    vault.close().unwrap();

    let mut vault = place.open();
    assert_eq!(get(&mut vault, b"key").unwrap(), b"value");
    assert_eq!(get(&mut vault, b"").unwrap(), b"under the empty key");
    assert_eq!(get(&mut vault, b"empty").unwrap(), b"");
    assert_eq!(get(&mut vault, b"other"), None);
    assert_eq!(vault.check(), Ok(3));
}

#[test]
fn kinds_are_apart() {
    let place = Place::new();
    let mut vault = place.create();
    vault
        .transaction(|tx| {
            for number in 0..20_u16 {
                tx.put(Kind::new(number), b"same", &number.to_be_bytes())?;
            }
            for number in 0..20_u16 {
                let value = tx.get(Kind::new(number), b"same")?.unwrap();
                assert_eq!(*value, number.to_be_bytes());
                assert_eq!(tx.count(Kind::new(number))?, 1);
            }
            assert!(tx.delete(Kind::new(7), b"same")?);
            assert!(tx.get(Kind::new(7), b"same")?.is_none());
            assert!(tx.contains(Kind::new(8), b"same")?);
            Ok::<_, VaultError>(())
        })
        .unwrap();
}

#[test]
fn a_key_keeps_its_place_when_its_value_changes() {
    let place = Place::new();
    let mut vault = place.create();
    for (key, value) in [(b"a", b"1"), (b"b", b"2"), (b"c", b"3"), (b"a", b"4")] {
        put(&mut vault, key, value);
    }
    let rows = vault.read(|view| view.list(NOTE)).unwrap_or_else(|e: VaultError| panic!("{e}"));
    assert_eq!(values(&rows), [b"4", b"2", b"3"]);
    let keys: Vec<_> = rows.iter().map(|row| row.key.as_slice()).collect();
    assert_eq!(keys, [b"a", b"b", b"c"]);
    assert!(rows.windows(2).all(|pair| pair[0].seq < pair[1].seq));
}

#[test]
fn a_deleted_key_comes_back_at_the_end() {
    let place = Place::new();
    let mut vault = place.create();
    for key in [b"a", b"b"] {
        put(&mut vault, key, key);
    }
    let gone = vault.transaction(|tx| {
        assert!(!tx.delete(NOTE, b"absent")?);
        tx.delete(NOTE, b"a")
    });
    assert_eq!(gone, Ok(true));
    put(&mut vault, b"a", b"a");
    let rows = vault.read(|view| view.list(NOTE)).unwrap_or_else(|e: VaultError| panic!("{e}"));
    assert_eq!(values(&rows), [b"b", b"a"]);
}

#[test]
fn a_sequence_number_is_never_given_out_twice() {
    let place = Place::new();
    let mut vault = place.create();
    let first = vault.transaction(|tx| tx.append(LOG, b"first")).unwrap();
    let second = vault.transaction(|tx| tx.append(LOG, b"second")).unwrap();
    assert!(first > 0 && second > first);
    assert_eq!(vault.transaction(|tx| tx.delete_seq(LOG, second)), Ok(true));
    assert_eq!(vault.transaction(|tx| tx.delete_seq(LOG, second)), Ok(false));
    vault.close().unwrap();

    let mut vault = place.open();
    let third = vault.transaction(|tx| tx.append(LOG, b"third")).unwrap();
    assert!(third > second, "the number of a deleted last entry came back");
}

#[test]
fn a_list_goes_on_where_it_stopped() {
    let place = Place::new();
    let mut vault = place.create();
    vault
        .transaction(|tx| {
            for number in 0..10_u8 {
                tx.append(LOG, &[number])?;
                // Entries of another kind between them leave no trace in the list.
                tx.append(NOTE, &[0xff])?;
            }
            let page = tx.list_after(LOG, 0, 4)?;
            assert_eq!(values(&page), [[0], [1], [2], [3]]);
            assert!(page.iter().all(|row| row.key.is_empty()));
            let page = tx.list_after(LOG, page[3].seq, 100)?;
            assert_eq!(values(&page), [[4], [5], [6], [7], [8], [9]]);
            assert!(tx.list_after(LOG, page[5].seq, 100)?.is_empty());
            assert!(tx.list_after(LOG, u64::MAX, 100)?.is_empty());
            assert!(tx.list_after(LOG, 0, 0)?.is_empty());
            assert_eq!(tx.count(LOG)?, 10);
            // A number of another kind is out of reach.
            assert!(!tx.delete_seq(NOTE, page[0].seq)?);
            assert!(!tx.delete_seq(LOG, u64::MAX)?);
            assert_eq!(tx.count(LOG)?, 10);
            Ok::<_, VaultError>(())
        })
        .unwrap();
}

#[test]
fn mls_state_lies_beside_the_records_in_the_same_transaction() {
    fn use_as_state(store: &impl StateStore) {
        store.put(b"group", b"secret").unwrap();
        store.put(b"other", b"gone").unwrap();
        store.delete(b"other").unwrap();
        store.delete(b"absent").unwrap();
        assert_eq!(*store.get(b"group").unwrap().unwrap(), b"secret");
        assert!(store.get(b"other").unwrap().is_none());
    }
    let place = Place::new();
    let mut vault = place.create();
    vault
        .transaction(|tx| {
            use_as_state(tx);
            assert_eq!(tx.count(Kind::MLS_STATE)?, 1);
            assert!((0..=u16::MAX).step_by(257).all(|n| tx.count(Kind::new(n)) == Ok(0)));
            Ok::<_, VaultError>(())
        })
        .unwrap();
    let undone = vault.transaction(|tx| {
        StateStore::put(tx, b"group", b"newer").unwrap();
        Err::<(), _>(VaultError::Closed)
    });
    assert_eq!(undone, Err(VaultError::Closed));
    let kept = vault.read(|view| view.get(Kind::MLS_STATE, b"group"));
    assert_eq!(*kept.unwrap_or_else(|e: VaultError| panic!("{e}")).unwrap(), b"secret");
}

#[test]
fn entries_have_a_largest_size() {
    let place = Place::new();
    let mut vault = place.create();
    let (key, value) = (vec![7; MAX_KEY_LEN], vec![8; MAX_VALUE_LEN]);
    put(&mut vault, &key, &value);
    assert_eq!(get(&mut vault, &key).unwrap(), value);
    let long = vec![7; MAX_KEY_LEN + 1];
    let too_large = VaultError::TooLarge { len: long.len(), max: MAX_KEY_LEN };
    assert_eq!(vault.transaction(|tx| tx.put(NOTE, &long, b"")), Err(too_large));
    let long = vec![8; MAX_VALUE_LEN + 1];
    let too_large = VaultError::TooLarge { len: long.len(), max: MAX_VALUE_LEN };
    assert_eq!(vault.transaction(|tx| tx.append(LOG, &long)), Err(too_large));
}
