//! Power losses: what a disk may hold after one, from the log that tests/src/disk.c writes.
//!
//! A file holds what was synced, and of the writes since then any part, torn at sectors or pages. A folder holds the
//! changes that were synced, and of those since then a beginning. A sync of a file that was just made also keeps its
//! name, as ext4, XFS and btrfs do; no other change of a folder outlives a power loss without a sync of the folder.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::load::Numbers;

/// Compiles the shim into a folder and answers where it is.
///
/// # Errors
/// [`io::Error`] when there is no C compiler or it fails.
pub fn shim(folder: &Path) -> io::Result<PathBuf> {
    let (source, library) = (folder.join("disk.c"), folder.join("disk.so"));
    std::fs::write(&source, include_str!("disk.c"))?;
    let mut command = Command::new("cc");
    command.args(["-O1", "-fPIC", "-shared", "-pthread", "-o"]).arg(&library).arg(&source);
    let status = command.arg("-ldl").status()?;
    if status.success() { Ok(library) } else { Err(io::Error::other("cc failed")) }
}

/// One record.
#[derive(Clone, Copy, Debug)]
struct Record<'a> {
    op: u8,
    number: u64,
    path: &'a str,
    data: &'a [u8],
    /// Where the record ends in the log: the ledger's clock.
    end: u64,
}

fn records(log: &[u8]) -> impl Iterator<Item = Record<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = log.get(at..)?;
        let (op, rest) = rest.split_first()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (path_len, rest) = rest.split_first_chunk()?;
        let (data_len, rest) = rest.split_first_chunk()?;
        let path_len = usize::try_from(u32::from_ne_bytes(*path_len)).ok()?;
        let data_len = usize::try_from(u32::from_ne_bytes(*data_len)).ok()?;
        let path = std::str::from_utf8(rest.get(..path_len)?).ok()?;
        let data = rest.get(path_len..path_len.checked_add(data_len)?)?;
        at += 17 + path_len + data_len;
        let end = u64::try_from(at).ok()?;
        Some(Record { op: *op, number: u64::from_ne_bytes(*number), path, data, end })
    })
}

/// How much of what was not synced outlives the power loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nothing.
    None,
    /// Everything, as after SIGKILL.
    All,
    /// A beginning, its last write torn.
    Beginning,
    /// Any part, in pieces of this many bytes.
    Pieces(u64),
}

impl Kept {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::None, Self::All, Self::Beginning, Self::Pieces(512), Self::Pieces(4_096)];
}

#[derive(Clone, Copy)]
enum Change<'a> {
    Write(u64, &'a [u8]),
    Cut(u64),
}

/// Bytes, and zeros up to a length.
#[derive(Clone, Default)]
struct Content {
    bytes: Vec<u8>,
    len: u64,
}

impl Content {
    fn write(&mut self, at: u64, data: &[u8]) {
        let begin = usize::try_from(at).unwrap_or(usize::MAX);
        let end = begin.saturating_add(data.len());
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        if let Some(place) = self.bytes.get_mut(begin..end) {
            place.copy_from_slice(data);
        }
        self.len = self.len.max(at.saturating_add(u64::try_from(data.len()).unwrap_or(0)));
    }

    fn apply(&mut self, change: Change<'_>) {
        match change {
            Change::Write(at, data) => self.write(at, data),
            Change::Cut(len) => {
                self.bytes.truncate(usize::try_from(len).unwrap_or(usize::MAX));
                self.len = len;
            }
        }
    }
}

#[derive(Default)]
struct File<'a> {
    synced: Content,
    since: Vec<Change<'a>>,
}

impl File<'_> {
    fn after(&self, kept: Kept, numbers: &mut Numbers) -> Content {
        let mut content = self.synced.clone();
        let count = u64::try_from(self.since.len()).unwrap_or(0);
        let upto = numbers.below(count + 1);
        for (at, change) in (0u64..).zip(&self.since) {
            match (kept, *change) {
                (Kept::All, change) => content.apply(change),
                (Kept::Beginning, change) if at < upto => content.apply(change),
                (Kept::Beginning, Change::Write(place, data)) if at == upto => {
                    let len = numbers.below(u64::try_from(data.len()).unwrap_or(0));
                    // A disk writes whole sectors.
                    let end = (place + len) / 512 * 512;
                    let len = usize::try_from(end.saturating_sub(place)).unwrap_or(0);
                    content.write(place, data.get(..len).unwrap_or_default());
                }
                (Kept::None | Kept::Beginning, _) => break,
                (Kept::Pieces(size), Change::Write(place, data)) => {
                    let (mut at, mut rest) = (place, data);
                    while !rest.is_empty() {
                        let room = usize::try_from(size - at % size).unwrap_or(1).min(rest.len());
                        let (piece, after) = rest.split_at(room);
                        if numbers.below(2) == 0 {
                            content.write(at, piece);
                        }
                        (at, rest) = (at + u64::try_from(room).unwrap_or(0), after);
                    }
                }
                (Kept::Pieces(_), cut @ Change::Cut(_)) => {
                    if numbers.below(2) == 0 {
                        content.apply(cut);
                    }
                }
            }
        }
        content
    }
}

#[derive(Clone, Debug)]
enum Entry {
    Set(String, usize),
    Moved(String, String, usize),
    Gone(String),
}

#[derive(Default)]
struct Folder {
    synced: BTreeMap<String, usize>,
    since: Vec<Entry>,
}

impl Folder {
    fn apply(entries: &mut BTreeMap<String, usize>, change: &Entry) {
        match change {
            Entry::Set(name, node) => {
                entries.insert(name.clone(), *node);
            }
            Entry::Moved(from, to, node) => {
                entries.remove(from);
                entries.insert(to.clone(), *node);
            }
            Entry::Gone(name) => {
                entries.remove(name);
            }
        }
    }

    fn sync(&mut self, upto: usize) {
        for change in self.since.drain(..upto) {
            Self::apply(&mut self.synced, &change);
        }
    }
}

enum Node<'a> {
    File(File<'a>),
    Folder(Folder),
}

/// A disk, while its log is replayed.
pub struct Disk<'a> {
    nodes: Vec<Node<'a>>,
    /// As a running program sees it.
    paths: BTreeMap<String, usize>,
    keeps_new_names: bool,
    shared: Option<PathBuf>,
}

const ROOT: usize = 0;

impl<'a> Disk<'a> {
    /// An empty one. Unless it `keeps_new_names`, a new file's name needs a sync of its folder too. A `shared` folder
    /// keeps what states have in common.
    pub fn new(keeps_new_names: bool, shared: Option<PathBuf>) -> Self {
        let paths = [(String::new(), ROOT)].into();
        Self { nodes: vec![Node::Folder(Folder::default())], paths, keeps_new_names, shared }
    }

    fn make(&mut self, path: &str, node: Node<'a>) {
        let number = self.nodes.len();
        self.nodes.push(node);
        self.paths.insert(path.to_owned(), number);
        let (folder, name) = split(path);
        self.change(folder, Entry::Set(name.to_owned(), number));
    }

    fn change(&mut self, folder: &str, change: Entry) {
        if let Some(Node::Folder(folder)) =
            self.paths.get(folder).and_then(|it| self.nodes.get_mut(*it))
        {
            folder.since.push(change);
        }
    }

    fn write(&mut self, path: &str, change: Change<'a>) {
        if !self.paths.contains_key(path) {
            // Made before the log began.
            self.make(path, Node::File(File::default()));
        }
        if let Some(Node::File(file)) = self.paths.get(path).and_then(|it| self.nodes.get_mut(*it))
        {
            file.since.push(change);
        }
    }

    fn sync(&mut self, path: &str) {
        let Some(number) = self.paths.get(path).copied() else { return };
        match self.nodes.get_mut(number) {
            Some(Node::File(file)) => {
                for change in std::mem::take(&mut file.since) {
                    file.synced.apply(change);
                }
                if self.keeps_new_names {
                    self.keep_name(path, number);
                }
            }
            Some(Node::Folder(folder)) => folder.sync(folder.since.len()),
            None => {}
        }
    }

    fn keep_name(&mut self, path: &str, number: usize) {
        if path.is_empty() {
            return;
        }
        let (parent, _) = split(path);
        let Some(of) = self.paths.get(parent).copied() else { return };
        if let Some(Node::Folder(folder)) = self.nodes.get_mut(of) {
            let made = |entry: &Entry| matches!(entry, Entry::Set(_, node) if *node == number);
            if let Some(place) = folder.since.iter().position(made) {
                folder.sync(place + 1);
            }
        }
        self.keep_name(parent, of);
    }

    /// The kernel forgets what it could not write: later syncs do not bring it back.
    fn fail(&mut self, path: &str) {
        if let Some(Node::File(file)) = self.paths.get(path).and_then(|it| self.nodes.get_mut(*it))
        {
            file.since.clear();
        }
    }

    fn apply(&mut self, record: &Record<'a>) {
        let path = record.path;
        match record.op {
            b'C' => self.make(path, Node::File(File::default())),
            b'M' => self.make(path, Node::Folder(Folder::default())),
            b'W' => self.write(path, Change::Write(record.number, record.data)),
            b'T' => self.write(path, Change::Cut(record.number)),
            b'S' => self.sync(path),
            b'X' => self.fail(path),
            b'U' => {
                self.paths.remove(path);
                let (folder, name) = split(path);
                self.change(folder, Entry::Gone(name.to_owned()));
            }
            b'R' => {
                let to = std::str::from_utf8(record.data).unwrap_or_default();
                let Some(node) = self.paths.remove(path) else { return };
                self.paths.insert(to.to_owned(), node);
                let ((folder, from), (_, to)) = (split(path), split(to));
                self.change(folder, Entry::Moved(from.to_owned(), to.to_owned(), node));
            }
            _ => {}
        }
    }

    /// Writes what the disk may hold now into an empty folder.
    ///
    /// # Errors
    /// [`io::Error`].
    pub fn write_to(&self, folder: &Path, kept: Kept, numbers: &mut Numbers) -> io::Result<()> {
        self.write_node(ROOT, folder, kept, numbers)
    }

    fn write_node(
        &self,
        number: usize,
        path: &Path,
        kept: Kept,
        numbers: &mut Numbers,
    ) -> io::Result<()> {
        match self.nodes.get(number) {
            Some(Node::File(file)) => {
                // Tables and large values are written once: all states share them.
                let shared = self.shared.as_ref().filter(|_| {
                    let name = path.parent().and_then(Path::file_name);
                    file.since.is_empty()
                        && file.synced.len > 0
                        && name.is_some_and(|it| it == "tables" || it == "blobs")
                });
                if let Some(folder) = shared {
                    let copy = folder.join(number.to_string());
                    if !copy.exists() {
                        std::fs::write(&copy, &file.synced.bytes)?;
                    }
                    return std::fs::hard_link(copy, path);
                }
                let content = file.after(kept, numbers);
                std::fs::write(path, &content.bytes)?;
                std::fs::OpenOptions::new().write(true).open(path)?.set_len(content.len)
            }
            Some(Node::Folder(folder)) => {
                std::fs::create_dir_all(path)?;
                let mut entries = folder.synced.clone();
                let count = folder.since.len();
                let upto = match kept {
                    Kept::None => 0,
                    Kept::All => count,
                    _ => usize::try_from(numbers.below(u64::try_from(count + 1).unwrap_or(1)))
                        .unwrap_or(0),
                };
                folder.since.iter().take(upto).for_each(|it| Folder::apply(&mut entries, it));
                for (name, node) in &entries {
                    self.write_node(*node, &path.join(name), kept, numbers)?;
                }
                Ok(())
            }
            None => Ok(()),
        }
    }
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Replays a log on a disk and hands the disk to `look` at `count` places, half of them at changes of folders and around syncs,
/// half anywhere; and once more at the end. `look` gets the place.
///
/// # Errors
/// What `look` answers.
pub fn replay<'a, E>(
    log: &'a [u8],
    mut disk: Disk<'a>,
    count: usize,
    numbers: &mut Numbers,
    mut look: impl FnMut(&Disk<'a>, u64, &mut Numbers) -> Result<(), E>,
) -> Result<(), E> {
    let all: Vec<Record<'_>> = records(log).collect();
    let rare: Vec<usize> = (0..all.len())
        .filter(|at| all.get(*at).is_some_and(|it| b"CMTURX".contains(&it.op)))
        .collect();
    let mut places: BTreeMap<usize, u32> = BTreeMap::new();
    for turn in 0..count {
        let pick = |numbers: &mut Numbers, len: usize| {
            usize::try_from(numbers.below(u64::try_from(len).unwrap_or(1))).unwrap_or(0)
        };
        let place = match rare.get(pick(numbers, rare.len())) {
            Some(place) if turn % 2 == 0 => *place + pick(numbers, 2),
            _ => pick(numbers, all.len()),
        };
        *places.entry(place.min(all.len().saturating_sub(1))).or_default() += 1;
    }
    for (at, record) in all.iter().enumerate() {
        disk.apply(record);
        for _ in 0..places.get(&at).copied().unwrap_or(0) {
            look(&disk, record.end, numbers)?;
        }
    }
    look(&disk, u64::try_from(log.len()).unwrap_or(u64::MAX), numbers)
}
