//! A disk that is really full: a small tmpfs in a mount namespace of the test's own.

use std::{fs, path::Path, process::Command};

use budstikke::vault::{Vault, VaultError};

use crate::{LOG, NOTE, Place, create, get, open, put};

const FOLDER: &str = "BUDSTIKKE_TEST_SMALL_DISK";
const DISK: usize = 600 * 1024;

/// Needs a mount namespace: root has one, and other users where the system allows user namespaces.
#[test]
fn a_full_disk_loses_nothing() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return on_a_small_disk(Path::new(&folder));
    }
    let allowed = Command::new("unshare").args(["-Umr", "true"]).status();
    assert!(
        allowed.is_ok_and(|status| status.success()),
        "no mount namespace for a small disk: run this test as root, or allow user namespaces"
    );
    let place = Place::new();
    let script = format!("mount -t tmpfs -o size={DISK} none \"${FOLDER}\" && exec \"$0\" \"$@\"");
    let status = Command::new("unshare")
        .args(["-Umr", "sh", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "full::a_full_disk_loses_nothing", "--nocapture"])
        .env(FOLDER, place.dir.path())
        .status()
        .unwrap();
    assert!(status.success());
}

fn on_a_small_disk(folder: &Path) {
    let (file, ballast) = (folder.join("vault.db"), folder.join("ballast"));
    fs::write(&ballast, vec![0; DISK / 3]).unwrap();
    let mut vault = create(&file).unwrap();
    put(&mut vault, b"kept", &[7; 5000]);

    let stored = fill(&mut vault);
    assert!(stored > 3);
    for _ in 0..3 {
        assert_eq!(vault.transaction(|tx| tx.append(LOG, &[8; 16_000])), Err(VaultError::Full));
        assert_eq!(vault.check(), Ok(stored + 1));
    }
    // Closing may find no room to move the log into the file, and says so; the log stays.
    let closed = vault.close();
    assert!(matches!(closed, Ok(()) | Err(VaultError::Full)), "{closed:?}");

    fs::remove_file(&ballast).unwrap();
    let mut vault = open(&file).unwrap();
    assert_eq!(vault.check(), Ok(stored + 1));
    assert_eq!(get(&mut vault, b"kept").unwrap(), [7; 5000]);
    put(&mut vault, b"after", b"there is room again");
    vault.close().unwrap();

    // A disk too small for a vault gives the error at once, and nothing that looks like one.
    let size = fs::metadata(&file).unwrap().len();
    let used = usize::try_from(size).unwrap();
    fs::write(&ballast, vec![0; DISK - used - 8192]).unwrap();
    let second = folder.join("second.db");
    assert_eq!(create(&second).err(), Some(VaultError::Full));
    assert_eq!(open(&second).err(), Some(VaultError::NotFound));
    fs::remove_file(&ballast).unwrap();
    create(&second).unwrap();
}

/// Appends until the disk is full; how many entries that were.
fn fill(vault: &mut Vault) -> u64 {
    loop {
        match vault.transaction(|tx| tx.append(LOG, &[8; 16_000])) {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error, VaultError::Full);
                let count: Result<_, VaultError> = vault.read(|view| view.count(LOG));
                assert!(vault.transaction(|tx| tx.get(NOTE, b"kept")).unwrap().is_some());
                return count.unwrap();
            }
        }
    }
}
