//! The engine's files, looked at before it opens them and named when they are damaged.
//!
//! The engine checks what it reads, but some damage it takes for an unfinished beginning or end, and throws away what
//! it cannot read: a journal after its first bad byte, a keyspace without its `current`. So this looks first.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fjall::SingleWriterTxDatabase;
use xxhash_rust::xxh3::Xxh3;

use crate::log;
use crate::store::StoreError;

const MAGIC: [u8; 4] = [b'F', b'J', b'L', 3];
const KEYSPACES: &str = "keyspaces";
/// Number and length of the last journal when it was last known to be whole, and a checksum.
const MARK: &str = "journal.mark";
const LOCK: &str = "lock";
/// As long as the engine itself waits.
const LOCK_TRIES: u32 = 3;
const LOCK_PAUSE: Duration = Duration::from_millis(100);
static ZEROS: [u8; 65_536] = [0; 65_536];

/// A file of the store; its name tells nothing about anybody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum StoreFile {
    /// The mark of the format.
    Version,
    /// What was written since the last tables.
    Journal(u64),
    /// Which manifest counts.
    Current(u64),
    /// The list of a keyspace's files.
    Manifest(u64, u64),
    /// Sorted rows.
    Table(u64, u64),
    /// Large values.
    Blob(u64, u64),
}

impl StoreFile {
    fn path(self) -> PathBuf {
        let within = |keyspace: u64| Path::new(KEYSPACES).join(keyspace.to_string());
        match self {
            Self::Version => "version".into(),
            Self::Journal(number) => format!("{number}.jnl").into(),
            Self::Current(keyspace) => within(keyspace).join("current"),
            Self::Manifest(keyspace, number) => within(keyspace).join(format!("v{number}")),
            Self::Table(keyspace, number) => {
                within(keyspace).join("tables").join(number.to_string())
            }
            Self::Blob(keyspace, number) => within(keyspace).join("blobs").join(number.to_string()),
        }
    }
}

impl fmt::Display for StoreFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path().display().fmt(f)
    }
}

impl fmt::Debug for StoreFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Opens the engine. What it cannot open has a name.
pub(super) fn open(folder: &Path) -> Result<SingleWriterTxDatabase, StoreError> {
    prepare(folder)?;
    // Some damage it meets with a panic.
    let opened = catch_unwind(|| SingleWriterTxDatabase::builder(folder).open());
    match opened.map_err(|_| StoreError::Damaged).and_then(|it| Ok(it?)) {
        Err(error @ (StoreError::Damaged | StoreError::Disk)) => {
            Err(blame(folder).unwrap_or(error))
        }
        other => other,
    }
}

/// Names all damaged files in the log; answers the first.
pub(super) fn blame(folder: &Path) -> Option<StoreError> {
    let found = damaged_files(folder).unwrap_or_default();
    for file in &found {
        log::error("a file of the store is damaged", &[("file", file)]);
    }
    found.first().copied().map(StoreError::DamagedFile)
}

/// Keeps another relay away while this looks.
fn lock(folder: &Path) -> Result<File, StoreError> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(LOCK));
    let file = file.map_err(|_| StoreError::Disk)?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(_)) => return Err(StoreError::Disk),
        }
    }
    Err(StoreError::Locked)
}

/// Looks at what the engine would misread, and mends what a power loss leaves: a first start that was cut off, and a
/// last commit that was never acknowledged.
fn prepare(folder: &Path) -> Result<(), StoreError> {
    if !folder.exists() {
        return Ok(());
    }
    let _lock = lock(folder)?;
    let version = read(&folder.join(StoreFile::Version.path()))?;
    if version.as_deref().and_then(<[u8]>::first_chunk) != Some(&MAGIC) {
        if !never_used(folder)? {
            return Err(StoreError::DamagedFile(StoreFile::Version));
        }
        log::warn("a first start was cut off before anything was stored: beginning again", &[]);
        return fs::remove_dir_all(folder).map_err(|_| StoreError::Disk);
    }
    let mut used = BTreeSet::new();
    let journals = numbers(folder, ".jnl")?;
    for number in &journals {
        let end = journal(folder, *number, journals.last() == Some(number), &mut used)?;
        if end < marked(folder, *number)? {
            return Err(StoreError::DamagedFile(StoreFile::Journal(*number)));
        }
    }
    if let Some(file) = lost_journal(folder, &journals)? {
        return Err(StoreError::DamagedFile(file));
    }
    let keyspaces = numbers(&folder.join(KEYSPACES), "")?;
    let (first, rest) = (keyspaces.contains(&0), keyspaces.iter().any(|number| *number > 0));
    for keyspace in &keyspaces {
        let place = folder.join(KEYSPACES).join(keyspace.to_string());
        let filled = used.contains(keyspace)
            || (*keyspace == 0 && rest)
            || !numbers(&place.join("tables"), "")?.is_empty()
            || !numbers(&place.join("blobs"), "")?.is_empty();
        // The engine would take it for one that was never finished.
        if manifest(folder, *keyspace)?.is_none() && filled {
            return Err(StoreError::DamagedFile(StoreFile::Current(*keyspace)));
        }
    }
    used.insert(0);
    let lost = used.iter().find(|number| !keyspaces.contains(number));
    match lost {
        Some(number) if first || rest || used.len() > 1 => {
            Err(StoreError::DamagedFile(StoreFile::Current(*number)))
        }
        _ => Ok(()),
    }
}

/// Reads every file of the store against its checksum; answers the damaged ones.
///
/// # Errors
/// [`StoreError::Missing`] when there is no store, [`StoreError::Disk`].
pub fn damaged_files(folder: &Path) -> Result<Vec<StoreFile>, StoreError> {
    if !folder.is_dir() {
        return Err(StoreError::Missing);
    }
    let mut found = Vec::new();
    let version = read(&folder.join(StoreFile::Version.path()))?;
    if version.as_deref().and_then(<[u8]>::first_chunk) != Some(&MAGIC) {
        found.push(StoreFile::Version);
    }
    let journals = numbers(folder, ".jnl")?;
    for number in &journals {
        let file = StoreFile::Journal(*number);
        match scan(&folder.join(file.path()), &mut BTreeSet::new()) {
            Ok((rest, end)) => {
                let cut = rest == Rest::Torn && journals.last() != Some(number);
                if rest == Rest::Damaged || cut || end < marked(folder, *number)? {
                    found.push(file);
                }
            }
            // Removed meanwhile, as its rows are in tables.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(_) => return Err(StoreError::Disk),
        }
    }
    found.extend(lost_journal(folder, &journals)?);
    for keyspace in numbers(&folder.join(KEYSPACES), "")? {
        let listed = match manifest(folder, keyspace) {
            Ok(Some(listed)) => listed,
            Ok(None) => {
                found.push(StoreFile::Current(keyspace));
                continue;
            }
            Err(StoreError::DamagedFile(file)) => {
                found.push(file);
                continue;
            }
            Err(error) => return Err(error),
        };
        for (file, checksum) in listed {
            if checksum_of(&folder.join(file.path()))? != Some(checksum)
                // A relay that runs may have replaced it.
                && manifest(folder, keyspace)?.is_some_and(|now| now.contains(&(file, checksum)))
            {
                found.push(file);
            }
        }
    }
    Ok(found)
}

/// Journals go when their rows are in tables, but never the last one.
fn lost_journal(folder: &Path, journals: &[u64]) -> Result<Option<StoreFile>, StoreError> {
    let mark = read_mark(folder)?.map(|(number, _)| number);
    let lost = mark.filter(|number| journals.last().is_none_or(|last| last < number));
    Ok(lost.map(StoreFile::Journal))
}

/// No first start was finished: the mark of the format is written before anything else is.
fn never_used(folder: &Path) -> Result<bool, StoreError> {
    if !numbers(&folder.join(KEYSPACES), "")?.is_empty() {
        return Ok(false);
    }
    for number in numbers(folder, ".jnl")? {
        let file = File::open(folder.join(StoreFile::Journal(number).path()));
        if !file.and_then(only_zeros).map_err(|_| StoreError::Disk)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What follows a journal's last good commit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    Nothing,
    /// One that was cut off.
    Torn,
    /// Good ones, after one that cannot be read.
    Damaged,
}

/// Answers where its good commits end.
fn journal(
    folder: &Path,
    number: u64,
    last: bool,
    used: &mut BTreeSet<u64>,
) -> Result<u64, StoreError> {
    let file = StoreFile::Journal(number);
    let path = folder.join(file.path());
    let (rest, end) = scan(&path, used).map_err(|_| StoreError::Disk)?;
    match rest {
        Rest::Nothing => Ok(end),
        // Only the last one is written to, and each commit is synced before the next begins.
        Rest::Torn if last && end >= marked(folder, number)? => {
            log::warn(
                "the last commit was cut off before it was acknowledged, and is left out",
                &[("file", &file), ("at", &end)],
            );
            let cut = || {
                let file = OpenOptions::new().write(true).open(&path)?;
                file.set_len(end)?;
                file.sync_all()
            };
            cut().map(|()| end).map_err(|_| StoreError::Disk)
        }
        Rest::Torn | Rest::Damaged => Err(StoreError::DamagedFile(file)),
    }
}

/// How long a journal is known to have been; 0 when nothing is known.
fn marked(folder: &Path, number: u64) -> Result<u64, StoreError> {
    Ok(read_mark(folder)?.filter(|mark| mark.0 == number).map_or(0, |mark| mark.1))
}

fn read_mark(folder: &Path) -> Result<Option<(u64, u64)>, StoreError> {
    let Some(bytes) = read(&folder.join(MARK))? else { return Ok(None) };
    let mark = bytes.split_first_chunk().and_then(|(number, rest)| {
        let (end, sum) = rest.split_first_chunk()?;
        let body = bytes.get(..16)?;
        let good = sum == checksum(body).to_le_bytes();
        good.then(|| (u64::from_le_bytes(*number), u64::from_le_bytes(*end)))
    });
    if mark.is_none() {
        log::warn("the journal's mark is damaged and left out", &[]);
    }
    Ok(mark)
}

/// Notes how long the journal is, now that it is synced: what is cut off below that later was no power loss.
pub(super) fn mark(folder: &Path) -> Result<(), StoreError> {
    let write = || {
        let Some(number) = numbers(folder, ".jnl").ok().and_then(|all| all.last().copied()) else {
            return Ok(());
        };
        let (_, end) = scan(&folder.join(StoreFile::Journal(number).path()), &mut BTreeSet::new())?;
        let mut bytes = [number.to_le_bytes(), end.to_le_bytes()].concat();
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        let partial = folder.join(MARK).with_extension("partial");
        fs::write(&partial, &bytes)?;
        File::open(&partial)?.sync_all()?;
        fs::rename(&partial, folder.join(MARK))?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|_: io::Error| StoreError::Disk)
}

fn checksum(bytes: &[u8]) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(bytes);
    hash.digest()
}

fn scan(path: &Path, used: &mut BTreeSet<u64>) -> io::Result<(Rest, u64)> {
    let mut reader = BufReader::with_capacity(1 << 18, File::open(path)?);
    let mut end = 0u64;
    loop {
        match commit(&mut reader, used) {
            Ok(len) => end += len,
            Err(error)
                if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData) =>
            {
                break;
            }
            Err(error) => return Err(error),
        }
    }
    let mut rest = File::open(path)?;
    rest.seek(SeekFrom::Start(end))?;
    let mut bytes = Vec::new();
    // A journal is made with room to grow, all zeros.
    let (mut buffer, mut filled) = (vec![0; ZEROS.len()], 0);
    loop {
        let len = rest.read(&mut buffer)?;
        if len == 0 {
            break;
        }
        let part = buffer.get(..len).unwrap_or_default();
        let empty = Some(part) == ZEROS.get(..len);
        match (bytes.is_empty(), empty) {
            (true, true) => {}
            (_, false) => {
                bytes.extend_from_slice(part);
                filled = bytes.len();
            }
            (false, true) => bytes.extend_from_slice(part),
        }
    }
    bytes.truncate(filled);
    if bytes.is_empty() {
        return Ok((Rest::Nothing, end));
    }
    let follows = (1..bytes.len()).any(|at| {
        let from = bytes.get(at..).unwrap_or_default();
        from.first() == Some(&1) && commit(&mut &*from, &mut BTreeSet::new()).is_ok()
    });
    Ok((if follows { Rest::Damaged } else { Rest::Torn }, end))
}

/// Reads one commit and answers its length: a head, its items, and their checksum.
fn commit(reader: &mut impl Read, used: &mut BTreeSet<u64>) -> io::Result<u64> {
    let bad = || io::Error::from(ErrorKind::InvalidData);
    let [tag] = take(reader)?;
    let count = u32::from_le_bytes(take(reader)?);
    let _: [u8; 8] = take(reader)?;
    if tag != 1 || count == 0 {
        return Err(bad());
    }
    let (mut len, mut hash, mut keyspaces) = (13u64, Xxh3::new(), BTreeSet::new());
    for _ in 0..count {
        let [tag] = take(reader)?;
        hash.update(&[tag]);
        match tag {
            2 => {
                let head: [u8; 20] = take(reader)?;
                hash.update(&head);
                let field = |at: usize, len: usize| {
                    let bytes = head.get(at..at + len).into_iter().flatten().rev();
                    bytes.fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))
                };
                if head.first().is_none_or(|kind| *kind > 2) || field(1, 1) > 1 {
                    return Err(bad());
                }
                keyspaces.insert(field(2, 8));
                let body = field(10, 2) + field(16, 4);
                len += 21 + body;
                let mut left = usize::try_from(body).map_err(|_| bad())?;
                let mut piece = [0; 4_096];
                while left > 0 {
                    let part = piece.get_mut(..left.min(4_096)).ok_or_else(bad)?;
                    reader.read_exact(part)?;
                    hash.update(part);
                    left -= part.len();
                }
            }
            4 => {
                let keyspace: [u8; 8] = take(reader)?;
                hash.update(&keyspace);
                keyspaces.insert(u64::from_le_bytes(keyspace));
                len += 9;
            }
            _ => return Err(bad()),
        }
    }
    let [tag] = take(reader)?;
    let sum = u64::from_le_bytes(take(reader)?);
    if tag != 3 || sum != hash.digest() || take(reader)? != MAGIC {
        return Err(bad());
    }
    used.append(&mut keyspaces);
    Ok(len + 13)
}

fn take<const N: usize>(reader: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn only_zeros(mut file: File) -> io::Result<bool> {
    let mut buffer = vec![0; ZEROS.len()];
    loop {
        let len = file.read(&mut buffer)?;
        if len == 0 {
            return Ok(true);
        }
        if buffer.get(..len) != ZEROS.get(..len) {
            return Ok(false);
        }
    }
}

/// A keyspace's files and their checksums; `None` without a `current`.
fn manifest(folder: &Path, keyspace: u64) -> Result<Option<Vec<(StoreFile, u128)>>, StoreError> {
    let current = StoreFile::Current(keyspace);
    let Some(bytes) = read(&folder.join(current.path()))? else { return Ok(None) };
    let damaged = |file| StoreError::DamagedFile(file);
    let parsed = bytes.split_first_chunk().and_then(|(number, rest)| {
        let (sum, rest) = rest.split_first_chunk()?;
        (rest == [0]).then(|| (u64::from_le_bytes(*number), u128::from_le_bytes(*sum)))
    });
    let (number, sum) = parsed.ok_or(damaged(current))?;
    let file = StoreFile::Manifest(keyspace, number);
    let path = folder.join(file.path());
    // The engine does not look at this checksum.
    if checksum_of(&path)? != Some(sum) {
        // Either of the two is damaged; if there is another manifest, it is the one that points.
        let other = fs::read_dir(folder.join(KEYSPACES).join(keyspace.to_string()));
        let other = other.into_iter().flatten().flatten().any(|entry| {
            let name = entry.file_name();
            name.to_string_lossy().starts_with('v') && Some(name.as_os_str()) != path.file_name()
        });
        return Err(damaged(if path.exists() || !other { file } else { current }));
    }
    let listed = || {
        let archive = sfa::Reader::new(&path).ok()?;
        let section = |name: &[u8]| {
            let mut bytes = Vec::new();
            let mut reader = archive.toc().section(name)?.buf_reader(&path).ok()?;
            reader.read_to_end(&mut bytes).ok()?;
            Some(bytes)
        };
        let (tables, blobs) = (section(b"tables")?, section(b"blob_files")?);
        let mut files = Vec::new();
        let mut at = tables.as_slice();
        let [levels] = take(&mut at).ok()?;
        for _ in 0..levels {
            let [runs] = take(&mut at).ok()?;
            for _ in 0..runs {
                for _ in 0..u32::from_le_bytes(take(&mut at).ok()?) {
                    let number = u64::from_le_bytes(take(&mut at).ok()?);
                    let [_] = take(&mut at).ok()?;
                    let sum = u128::from_le_bytes(take(&mut at).ok()?);
                    let _: [u8; 8] = take(&mut at).ok()?;
                    files.push((StoreFile::Table(keyspace, number), sum));
                }
            }
        }
        let mut at = blobs.as_slice();
        for _ in 0..u32::from_le_bytes(take(&mut at).ok()?) {
            let number = u64::from_le_bytes(take(&mut at).ok()?);
            let [_] = take(&mut at).ok()?;
            files.push((
                StoreFile::Blob(keyspace, number),
                u128::from_le_bytes(take(&mut at).ok()?),
            ));
        }
        Some(files)
    };
    listed().map(Some).ok_or(damaged(file))
}

/// `None` when it is not there.
fn checksum_of(path: &Path) -> Result<Option<u128>, StoreError> {
    let sum = || {
        let (mut file, mut hash) = (File::open(path)?, Xxh3::new());
        let mut buffer = vec![0; 1 << 18];
        loop {
            let len = file.read(&mut buffer)?;
            if len == 0 {
                return Ok(hash.digest128());
            }
            hash.update(buffer.get(..len).unwrap_or_default());
        }
    };
    match sum() {
        Ok(sum) => Ok(Some(sum)),
        Err(error) if io::Error::kind(&error) == ErrorKind::NotFound => Ok(None),
        Err(_) => Err(StoreError::Disk),
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(_) => Err(StoreError::Disk),
    }
}

/// The numbers that stand before `ending` in a folder's names, in order.
fn numbers(folder: &Path, ending: &str) -> Result<Vec<u64>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(_) => return Err(StoreError::Disk),
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.map_err(|_| StoreError::Disk)?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(ending)?.parse::<u64>().ok());
        found.extend(number);
    }
    found.sort_unstable();
    Ok(found)
}
