//! Reads tags before anything is decoded, because protobuf forgives too much: of two bodies the
//! last would win, of two concatenated messages a `want` could meet another's `do_not_want`, and
//! an unknown body would look like none (SPEC.md section 11). The schema has no recursion, so neither
//! has the depth of this.

use crate::refusal::{Fault, Refusal, Unit};

/// Most entries of one repeated field, before validation knows the field's own, lower cap: bounds
/// the memory that 60 KiB of empty entries could ask for.
const MAX_ENTRIES: usize = 256;
/// Numbers of `Content` that are bodies, known or not.
const ARMS: std::ops::RangeInclusive<u32> = 10..=199;

struct Shape {
    name: &'static str,
    fields: &'static [Field],
}

struct Field {
    number: u32,
    repeated: bool,
    oneof: bool,
    nested: Option<usize>,
}

include!(concat!(env!("OUT_DIR"), "/shapes.rs"));

/// What the tags of a `Content` say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scanned {
    /// Number of the only body, if there is one.
    pub(crate) arm: Option<u32>,
}

/// Scans an encoded `Content`.
///
/// # Errors
/// W02: not protobuf, two bodies, a singular field twice at any depth, or too many entries.
pub(crate) fn content(bytes: &[u8]) -> Result<Scanned, Refusal> {
    let mut arms = Vec::new();
    message(bytes, shape("Content"), &mut |number| {
        if ARMS.contains(&number) {
            arms.push(number);
        }
    })?;
    match arms.as_slice() {
        [] => Ok(Scanned { arm: None }),
        [arm] => Ok(Scanned { arm: Some(*arm) }),
        _ => Err(malformed("body", Fault::TwoBodies)),
    }
}

/// Scans another encoded message of the schema, by its name.
///
/// # Errors
/// As for [`content`].
pub(crate) fn other(bytes: &[u8], name: &'static str) -> Result<(), Refusal> {
    message(bytes, shape(name), &mut |_| {})
}

/// Whether this version knows the arm.
#[cfg(test)]
pub(crate) fn is_known_arm(number: u32) -> bool {
    let fields = shape("Content").map_or(&[][..], |shape| shape.fields);
    ARMS.contains(&number) && fields.iter().any(|field| field.number == number)
}

fn shape(name: &str) -> Option<&'static Shape> {
    SHAPES.iter().find(|shape| shape.name == name)
}

fn message(
    mut bytes: &[u8],
    shape: Option<&'static Shape>,
    top: &mut dyn FnMut(u32),
) -> Result<(), Refusal> {
    let name = shape.map_or("message", |shape| shape.name);
    let broken = || malformed(name, Fault::Encoding);
    let mut seen: Vec<(u32, usize)> = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes).ok_or_else(broken)?;
        let number = u32::try_from(key >> 3).map_err(|_| broken())?;
        let value = value(&mut bytes, key & 7).ok_or_else(broken)?;
        if number == 0 {
            return Err(broken());
        }
        top(number);
        let Some(field) = shape.and_then(|s| s.fields.iter().find(|f| f.number == number)) else {
            continue;
        };
        let count = count(&mut seen, number);
        if field.repeated && count > MAX_ENTRIES {
            let (field, limit) = (name.to_owned(), MAX_ENTRIES);
            return Err(Refusal::TooLarge { field, limit, got: count, unit: Unit::Entries });
        }
        // A second body is reported as such by `content`; here a second anything singular.
        if !field.repeated && !field.oneof && count > 1 {
            return Err(malformed(name, Fault::Twice));
        }
        if let (Some(nested), Some(inner)) = (field.nested, value) {
            message(inner, SHAPES.get(nested), &mut |_| {})?;
        }
    }
    Ok(())
}

fn count(seen: &mut Vec<(u32, usize)>, number: u32) -> usize {
    if let Some((_, count)) = seen.iter_mut().find(|(known, _)| *known == number) {
        *count += 1;
        return *count;
    }
    seen.push((number, 1));
    1
}

/// Takes one value off; `Some(Some(_))` is the inside of a length-delimited one.
#[allow(clippy::option_option)]
fn value<'a>(bytes: &mut &'a [u8], wire_type: u64) -> Option<Option<&'a [u8]>> {
    match wire_type {
        0 => varint(bytes).map(|_| None),
        1 => take(bytes, 8).map(|_| None),
        2 => {
            let length = usize::try_from(varint(bytes)?).ok()?;
            take(bytes, length).map(Some)
        }
        5 => take(bytes, 4).map(|_| None),
        // 3 and 4 are groups, which proto3 has not.
        _ => None,
    }
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(head)
}

/// At most ten bytes; the bits beyond 64 are refused.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        value |= bits << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn malformed(field: &str, fault: Fault) -> Refusal {
    Refusal::Malformed { field: field.to_owned(), fault }
}
