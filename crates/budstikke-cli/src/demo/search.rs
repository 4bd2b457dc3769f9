//! What is looked for on the relay's disk, in its log and in its counters, and the control that
//! shows that the search would have found it.

use std::{fs, path::Path};

use super::{
    cast,
    relay::Remains,
    scan::{Found, Marker, Scanned, Scanner},
    watch::Seen,
};
use crate::case::{Value, View};

/// Texts are looked for in pieces of this many bytes: a part of one would be found too.
const PIECE: usize = 16;

/// Everything that must not be there.
#[derive(Default)]
pub(crate) struct Markers(Vec<Marker>);

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) markers: usize,
    pub(crate) disk: Scanned,
    pub(crate) log_lines: u64,
    pub(crate) metric_lines: u64,
    pub(crate) found: Vec<Found>,
    /// Kinds of markers planted in the control file, and how many of them were found there.
    pub(crate) planted: usize,
    pub(crate) planted_found: usize,
}

impl Markers {
    /// A name, a key, an id: as a whole.
    pub(crate) fn whole(&mut self, what: &'static str, bytes: impl AsRef<[u8]>) {
        self.0.push(Marker { what, bytes: bytes.as_ref().to_vec() });
    }

    /// A text that somebody wrote: piece by piece.
    pub(crate) fn text(&mut self, text: &str) {
        for piece in text.as_bytes().chunks(PIECE).filter(|piece| piece.len() >= PIECE / 2) {
            self.whole("text", piece);
        }
    }

    /// Every text in a message.
    pub(crate) fn view(&mut self, view: &View) {
        for line in view.sections.iter().flat_map(|section| &section.lines) {
            match &line.value {
                Value::Text(text) => self.text(text),
                Value::Texts(texts) => texts.iter().for_each(|text| self.text(text)),
                Value::Told { words, .. } => self.text(words),
                _ => {}
            }
        }
    }

    /// A hexadecimal fingerprint, as the bytes it stands for.
    pub(crate) fn hex(&mut self, what: &'static str, hex: &str) {
        let digits: Vec<u8> = hex.chars().filter_map(|c| c.to_digit(16)?.try_into().ok()).collect();
        let pairs = digits.chunks_exact(2);
        let bytes: Vec<u8> = pairs.map(|pair| pair.iter().fold(0, |n, d| n << 4 | d)).collect();
        self.whole(what, bytes);
    }

    /// Looks through what the relay left behind, and through a control file with all markers.
    pub(crate) fn search(
        mut self,
        seen: &Seen,
        remains: &Remains,
        folder: &Path,
    ) -> std::io::Result<Outcome> {
        for name in [
            cast::MINISTRY,
            cast::MISSION,
            cast::UNIT,
            cast::DESK,
            cast::DESK_UNIT,
            cast::OFFICER_A,
            cast::OFFICER_B,
            cast::DESK_M,
            cast::DECIDER_K,
        ] {
            self.whole("name", name);
        }
        for alias in [cast::HERON, "REED-SISTER", "LAKE-GROUP"] {
            self.whole("alias", alias);
        }
        for name in cast::VAULTS {
            self.whole("passphrase", cast::passphrase(name));
        }
        self.0.extend(seen.markers());
        let scanner = Scanner::new(self.0.clone());
        let (disk, mut found) = scanner.folder(&remains.data)?;
        found.extend(scanner.bytes(&remains.log, "log"));
        found.extend(scanner.bytes(&remains.metrics, "counters"));
        let (planted, planted_found) = control(&scanner, &self.0, &folder.join("control"))?;
        Ok(Outcome {
            markers: scanner.len(),
            disk,
            log_lines: lines(&remains.log),
            metric_lines: lines(&remains.metrics),
            found,
            planted,
            planted_found,
        })
    }
}

/// Plants one marker of each kind among random-looking bytes, each in another form, and searches.
fn control(
    scanner: &Scanner,
    markers: &[Marker],
    folder: &Path,
) -> std::io::Result<(usize, usize)> {
    fs::create_dir(folder)?;
    let mut kinds: Vec<&Marker> = Vec::new();
    for marker in markers {
        if !kinds.iter().any(|kind| kind.what == marker.what) {
            kinds.push(marker);
        }
    }
    let mut bytes: Vec<u8> = Vec::new();
    for (n, marker) in kinds.iter().enumerate() {
        bytes.extend((0..997_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8));
        match n % 2 {
            0 => bytes.extend(&marker.bytes),
            _ => bytes.extend(marker.bytes.iter().flat_map(|b| format!("{b:02x}").into_bytes())),
        }
    }
    fs::write(folder.join("planted"), &bytes)?;
    let (_, found) = scanner.folder(folder)?;
    let hit = kinds.iter().filter(|kind| found.iter().any(|found| found.what == kind.what));
    Ok((kinds.len(), hit.count()))
}

fn lines(bytes: &[u8]) -> u64 {
    bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count() as u64
}
