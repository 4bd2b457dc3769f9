//! Looks for secrets where none may be: in folders and texts, raw and in every usual encoding.

use std::path::{Path, PathBuf};

use data_encoding::{BASE32_NOPAD, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

/// Something that must not be found.
#[derive(Clone, Debug)]
pub struct Secret {
    /// What to call it in a failure.
    pub name: String,
    /// Its bytes, at least 4.
    pub bytes: Vec<u8>,
}

impl Secret {
    /// A secret.
    pub fn new(name: impl Into<String>, bytes: impl AsRef<[u8]>) -> Self {
        Self { name: name.into(), bytes: bytes.as_ref().to_vec() }
    }

    /// Its bytes, and how they look written down.
    fn forms(&self) -> Vec<(&'static str, Vec<u8>)> {
        let bytes = &self.bytes;
        vec![
            ("raw", bytes.clone()),
            ("hex", HEXLOWER.encode(bytes).into_bytes()),
            ("HEX", HEXUPPER.encode(bytes).into_bytes()),
            ("base32", BASE32_NOPAD.encode(bytes).to_ascii_lowercase().into_bytes()),
            ("BASE32", BASE32_NOPAD.encode(bytes).into_bytes()),
            ("base64", BASE64_NOPAD.encode(bytes).into_bytes()),
            ("base64url", BASE64URL_NOPAD.encode(bytes).into_bytes()),
        ]
    }
}

/// Which secrets stand in these bytes, and how.
#[allow(clippy::indexing_slicing, reason = "all indices are made here, over 65,536 places")]
pub fn scan_bytes(place: &str, hay: &[u8], secrets: &[Secret]) -> Vec<String> {
    let forms: Vec<_> = secrets
        .iter()
        .flat_map(|secret| secret.forms().into_iter().map(move |form| (secret, form)))
        .collect();
    // Files of 64 MiB, hundreds of forms: the first two bytes decide whether a place is looked at.
    let pair = |bytes: &[u8]| match bytes {
        [first, second, ..] => usize::from(*first) << 8 | usize::from(*second),
        _ => 0,
    };
    let mut starts = vec![Vec::new(); 1 << 16];
    for (index, (_, (_, bytes))) in forms.iter().enumerate() {
        starts[pair(bytes)].push(index);
    }
    let mut found = vec![false; forms.len()];
    for at in 0..hay.len().saturating_sub(3) {
        let here = &hay[at..];
        for index in &starts[pair(here)] {
            found[*index] |= here.starts_with(&forms[*index].1.1);
        }
    }
    let named = forms.iter().zip(found).filter(|(_, found)| *found);
    named.map(|((secret, (form, _)), _)| format!("{} as {form} in {place}", secret.name)).collect()
}

/// Which secrets stand in the files of a folder, in their names too.
///
/// # Errors
/// What the system says.
pub fn scan_folder(folder: &Path, secrets: &[Secret]) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    for file in files(folder)? {
        let place = file.display().to_string();
        found.extend(scan_bytes("a file name", place.as_bytes(), secrets));
        found.extend(scan_bytes(&place, &std::fs::read(&file)?, secrets));
    }
    Ok(found)
}

/// All files under a folder.
///
/// # Errors
/// What the system says.
pub fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { all.extend(files(&path)?) } else { all.push(path) }
    }
    Ok(all)
}

/// Every length-delimited field of encoded protobuf, at every depth that parses.
#[allow(clippy::indexing_slicing, reason = "within the length that was just compared")]
pub fn fields(bytes: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let Some(key) = varint(&mut rest) else { return found };
        match key & 7 {
            0 if varint(&mut rest).is_some() => {}
            1 if rest.len() >= 8 => rest = &rest[8..],
            5 if rest.len() >= 4 => rest = &rest[4..],
            2 => {
                let length = varint(&mut rest).and_then(|length| usize::try_from(length).ok());
                let Some(length) = length.filter(|length| *length <= rest.len()) else {
                    return found;
                };
                let (field, after) = rest.split_at(length);
                found.push(field);
                found.extend(fields(field));
                rest = after;
            }
            _ => return found,
        }
    }
    found
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
