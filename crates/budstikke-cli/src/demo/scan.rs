//! Looks for things that must not be there: in files, in lines, in any bytes, and in the forms in
//! which they might hide: raw, hex, base32 and base64, at every alignment.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Bits and digits of an encoding.
const HEX: (usize, &[u8]) = (4, b"0123456789abcdef");
const HEX_UPPER: (usize, &[u8]) = (4, b"0123456789ABCDEF");
const BASE32: (usize, &[u8]) = (5, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
const BASE32_LOWER: (usize, &[u8]) = (5, b"abcdefghijklmnopqrstuvwxyz234567");
const BASE64: (usize, &[u8]) =
    (6, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
const BASE64_URL: (usize, &[u8]) =
    (6, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
const ENCODINGS: [(&str, (usize, &[u8])); 6] = [
    ("hex", HEX),
    ("hex", HEX_UPPER),
    ("base32", BASE32),
    ("base32", BASE32_LOWER),
    ("base64", BASE64),
    ("base64", BASE64_URL),
];

/// Shorter patterns than this stand in random bytes now and then.
const SHORTEST: usize = 5;
const HEAD: usize = 4;

/// Something to look for: what it is, for the report, and its bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Marker {
    pub(crate) what: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// One place where a marker stands. The report names the kind of marker and the place, never the
/// marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) what: &'static str,
    pub(crate) form: &'static str,
    pub(crate) place: String,
}

impl std::fmt::Debug for Marker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Marker").field("what", &self.what).finish_non_exhaustive()
    }
}

struct Pattern {
    marker: usize,
    form: &'static str,
    bytes: Vec<u8>,
}

/// Looks for many markers at once.
pub(crate) struct Scanner {
    markers: Vec<Marker>,
    patterns: Vec<Pattern>,
    /// Patterns by their first bytes, and a quick no for most positions.
    by_head: HashMap<[u8; HEAD], Vec<usize>>,
    first_two: Vec<bool>,
}

/// What a scan went through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Scanned {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

impl Scanner {
    pub(crate) fn new(mut markers: Vec<Marker>) -> Self {
        markers.sort();
        markers.dedup_by(|a, b| a.bytes == b.bytes);
        let mut scanner = Self {
            markers: Vec::new(),
            patterns: Vec::new(),
            by_head: HashMap::new(),
            first_two: vec![false; 1 << 16],
        };
        for (index, marker) in markers.iter().enumerate() {
            for (form, bytes) in forms(&marker.bytes) {
                scanner.add(index, form, bytes);
            }
        }
        scanner.markers = markers;
        scanner
    }

    fn add(&mut self, marker: usize, form: &'static str, bytes: Vec<u8>) {
        let Some(head) = bytes.first_chunk::<HEAD>().copied() else { return };
        if bytes.len() < SHORTEST {
            return;
        }
        if let Some(entry) = self.first_two.get_mut(two(head[0], head[1])) {
            *entry = true;
        }
        self.by_head.entry(head).or_default().push(self.patterns.len());
        self.patterns.push(Pattern { marker, form, bytes });
    }

    /// How many markers it looks for.
    pub(crate) fn len(&self) -> usize {
        self.markers.len()
    }

    /// Every marker in `bytes`, once per form.
    pub(crate) fn bytes(&self, bytes: &[u8], place: &str) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for (at, window) in bytes.windows(HEAD).enumerate() {
            let &[a, b, c, d] = window else { continue };
            if !self.first_two.get(two(a, b)).copied().unwrap_or(false) {
                continue;
            }
            let Some(candidates) = self.by_head.get(&[a, b, c, d]) else { continue };
            let rest = bytes.get(at..).unwrap_or_default();
            for pattern in candidates.iter().filter_map(|index| self.patterns.get(*index)) {
                if rest.starts_with(&pattern.bytes) {
                    let what = self.markers.get(pattern.marker).map_or("", |marker| marker.what);
                    let hit = Found { what, form: pattern.form, place: place.to_owned() };
                    if !found.contains(&hit) {
                        found.push(hit);
                    }
                }
            }
        }
        found
    }

    /// Every marker in the names and contents of the files of a folder, however deep.
    pub(crate) fn folder(&self, folder: &Path) -> io::Result<(Scanned, Vec<Found>)> {
        let mut scanned = Scanned::default();
        let mut found = Vec::new();
        for path in files(folder)? {
            let place = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
            let bytes = fs::read(&path)?;
            scanned.files += 1;
            scanned.bytes += bytes.len() as u64;
            found.extend(self.bytes(place.as_bytes(), &place));
            found.extend(self.bytes(&bytes, &place));
        }
        Ok((scanned, found))
    }
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { paths.push(path) }
        }
    }
    paths.sort();
    Ok(paths)
}

/// The forms in which `bytes` may stand inside something longer. Of an encoding, only the digits
/// that the marker alone decides.
fn forms(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = vec![("raw", bytes.to_vec())];
    for (form, (bits, digits)) in ENCODINGS {
        // A group is the least number of bytes that fill whole digits: 1, 5 or 3.
        let group = (1..=bits).find(|n| n * 8 % bits == 0).unwrap_or(1);
        for shift in 0..group {
            let from = (shift * 8).div_ceil(bits);
            let until = (shift + bytes.len()) * 8 / bits;
            let padded: Vec<u8> =
                std::iter::repeat_n(0, shift).chain(bytes.iter().copied()).collect();
            let text = (from..until).filter_map(|digit| digits.get(number(&padded, digit, bits)));
            forms.push((form, text.copied().collect()));
        }
    }
    forms
}

/// The value of digit `index` of `bits` bits each.
fn number(bytes: &[u8], index: usize, bits: usize) -> usize {
    (index * bits..(index + 1) * bits).fold(0, |value, bit| {
        let byte = bytes.get(bit / 8).copied().unwrap_or(0);
        (value << 1) | usize::from(byte >> (7 - bit % 8) & 1)
    })
}

fn two(a: u8, b: u8) -> usize {
    usize::from(a) << 8 | usize::from(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanner(text: &str) -> Scanner {
        Scanner::new(vec![Marker { what: "text", bytes: text.as_bytes().to_vec() }])
    }

    fn forms_found(scanner: &Scanner, bytes: &[u8]) -> Vec<&'static str> {
        scanner.bytes(bytes, "here").into_iter().map(|found| found.form).collect()
    }

    // Encoded by other programs: printf 'xx the lake village xx' | base64, base32, xxd -p.
    #[test]
    fn a_marker_is_found_in_every_form_and_alignment() {
        let scanner = scanner("the lake village");
        assert_eq!(forms_found(&scanner, b"..the lake village.."), ["raw"]);
        assert_eq!(forms_found(&scanner, b"746865206c616b652076696c6c616765"), ["hex"]);
        assert_eq!(forms_found(&scanner, b"746865206C616B652076696C6C616765"), ["hex"]);
        for base64 in [
            "dGhlIGxha2UgdmlsbGFnZQ==",
            "eCB0aGUgbGFrZSB2aWxsYWdlIHg=",
            "eHh0aGUgbGFrZSB2aWxsYWdleA==",
        ] {
            assert_eq!(forms_found(&scanner, base64.as_bytes()), ["base64"], "{base64}");
        }
        for base32 in ["ORUGKIDMMFVWKIDWNFWGYYLHMU======", "PB4HI2DFEBWGC23FEB3GS3DMMFTWK6A="] {
            assert_eq!(forms_found(&scanner, base32.as_bytes()), ["base32"], "{base32}");
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let scanner = scanner("the lake village");
        assert_eq!(forms_found(&scanner, b"the lake villagf, dGhlIGxhbGUgdmlsbGFnZQ"), [""; 0]);
        assert_eq!(forms_found(&scanner, b""), [""; 0]);
    }

    #[test]
    fn folders_are_searched_in_names_and_contents() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("deep")).unwrap();
        fs::write(folder.path().join("deep/the lake village"), b"x").unwrap();
        fs::write(folder.path().join("b"), b"\0\0the lake village\0").unwrap();
        let (scanned, found) = scanner("the lake village").folder(folder.path()).unwrap();
        assert_eq!(scanned.files, 2);
        assert_eq!(found.len(), 2);
    }
}
