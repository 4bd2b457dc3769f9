//! Every kind of file of the store is flipped, cut and removed: nothing wrong is ever served, and what is missing is
//! said and named.

use std::path::{Path, PathBuf};

use budstikke_proto::blob::BlobSize;

use super::*;
use crate::store::conformance::{NOW, append, blob_put, create, fetch, grant, limits, recv};
use crate::store::rules::first_seq;

fn key() -> StoreKey {
    StoreKey::from_bytes([7; 32])
}

/// A closed store with rows in tables, in blob files and in the journal.
async fn make(folder: &Path) {
    let store = FjallStore::open(folder, &key(), limits()).unwrap();
    let mut batch = vec![create(1, 30, true), grant(1, 2, 250, false)];
    batch.extend((0..40).map(|msg| append(2, msg)));
    batch.push(blob_put(1, 1, BlobSize::Small, 30));
    store.apply(NOW, batch).await.unwrap();
    store.tables().unwrap().flush();
    for msg in 40..50 {
        store.apply(NOW, vec![append(2, msg)]).await.unwrap();
    }
    store.close().await;
    // Without its room to grow, for speed.
    let journal = folder.join("0.jnl");
    let bytes = std::fs::read(&journal).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    std::fs::write(&journal, &bytes[..used]).unwrap();
    // Manifests that no `current` names are anybody's.
    let mut all = Vec::new();
    files(folder, &mut all);
    for file in all.iter().filter(|file| !file.ends_with("version") && pair(file)) {
        let number =
            |path: &Path| path.file_name()?.to_str()?.strip_prefix('v')?.parse::<u64>().ok();
        let beside = all.iter().filter(|it| it.parent() == file.parent());
        if number(file).is_some_and(|own| beside.filter_map(|it| number(it)).any(|it| it > own)) {
            std::fs::remove_file(file).unwrap();
        }
    }
}

/// What can be read: `None` for a refusal.
struct Found {
    cells: Vec<u64>,
    refused: u32,
    blob: Option<bool>,
}

async fn look(store: &FjallStore) -> Found {
    let mut found = Found { cells: Vec::new(), refused: 0, blob: None };
    for at in 0..50u8 {
        let before = first_seq(NOW) + u64::from(at);
        match store.read(NOW, recv(1), before, 1).await {
            Ok(Some(page)) => found.cells.extend(page.cells.iter().map(|cell| {
                assert!(cell.cell.iter().all(|byte| *byte == cell.cell[0]), "changed");
                assert_eq!(u64::from(cell.cell[0]), cell.seq - first_seq(NOW) - 1, "another cell");
                cell.seq
            })),
            Ok(None) => {}
            Err(error) => {
                assert_eq!(error, StoreError::Damaged);
                found.refused += 1;
            }
        }
    }
    found.cells.dedup();
    found.blob = match store.blob(NOW, fetch(1), 0, 70).await {
        Ok(page) => Some(page.is_some_and(|page| page.payloads.len() == 5)),
        Err(error) => {
            assert_eq!(error, StoreError::Damaged);
            None
        }
    };
    found
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, out) } else { out.push(path) }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let place = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &place);
        } else {
            std::fs::copy(&path, &place).unwrap();
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Damage {
    Flip(usize),
    Cut(usize),
    Remove,
}

fn pair(name: &Path) -> bool {
    let name = name.file_name().and_then(|name| name.to_str()).unwrap();
    name == "current" || name.starts_with('v')
}

fn damages(bytes: &[u8]) -> Vec<Damage> {
    // Behind the last byte that is not zero a journal has room only.
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let mut places: Vec<usize> = (0..4).map(|part| used * part / 4).collect();
    places.extend([9, used.saturating_sub(30), used.saturating_sub(1)]);
    places.retain(|place| *place < used);
    places.sort_unstable();
    places.dedup();
    let flips = places.iter().map(|place| Damage::Flip(*place));
    let cuts = [0, used / 2, used.saturating_sub(1)].map(Damage::Cut);
    flips.chain(cuts).chain([Damage::Remove]).collect()
}

#[tokio::test]
async fn every_damaged_file_is_noticed_and_named_and_nothing_wrong_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, broken) = (folder.path().join("whole"), folder.path().join("broken"));
    make(&whole).await;
    let mut all = Vec::new();
    files(&whole, &mut all);
    all.sort();
    let (mut refused, mut partly, mut harmless) = (0, 0, 0);
    for file in &all {
        let name = file.strip_prefix(&whole).unwrap();
        let bytes = std::fs::read(file).unwrap();
        for damage in damages(&bytes) {
            copy(&whole, &broken);
            let place = broken.join(name);
            match damage {
                Damage::Flip(at) => {
                    let mut changed = bytes.clone();
                    changed[at] ^= 0x10;
                    std::fs::write(&place, changed).unwrap();
                }
                Damage::Cut(len) => std::fs::write(&place, &bytes[..len]).unwrap(),
                Damage::Remove => std::fs::remove_file(&place).unwrap(),
            }
            let what = format!("{} {damage:?}", name.display());
            let named = super::files::damaged_files(&broken).unwrap();
            let named: Vec<_> = named.iter().map(ToString::to_string).collect();
            match FjallStore::open(&broken, &key(), limits()) {
                Err(StoreError::DamagedFile(found)) => {
                    // `current` and the manifest that it names vouch for each other.
                    let found = found.to_string();
                    let found = Path::new(&found);
                    let either = pair(name) && pair(found) && found.parent() == name.parent();
                    assert!(either || found == name, "{what}: {}", found.display());
                    refused += 1;
                }
                Err(error) => panic!("{what}: {error}"),
                Ok(store) => {
                    let found = look(&store).await;
                    let (cells, errors, blob) = (found.cells.len(), found.refused, found.blob);
                    store.close().await;
                    if errors > 0 || blob.is_none() {
                        assert!(named.iter().any(|it| Path::new(it) == name), "{what}: {named:?}");
                        partly += 1;
                    } else {
                        assert_eq!((cells, blob), (50, Some(true)), "{what}: silently lost");
                        harmless += 1;
                    }
                }
            }
            std::fs::remove_dir_all(&broken).unwrap();
        }
    }
    // Most damages are of the first sort; what is harmless fell on bytes that nobody reads.
    assert!(refused > 50 && partly > 0, "refused {refused}, partly {partly}, harmless {harmless}");
}
