//! What may be printed is a type.
//!
//! This is the only module that talks to `tracing`. Its messages are literals and its values are [`LogSafe`]: counts,
//! durations and literals. Ids, addresses and keys are not, so no log line can carry one.

use std::fmt;

/// A value that tells nothing about a person: the types listed here and no others.
pub(crate) trait LogSafe: fmt::Debug {}

impl LogSafe for u16 {}
impl LogSafe for u32 {}
impl LogSafe for u64 {}
impl LogSafe for usize {}
impl LogSafe for bool {}
impl LogSafe for &'static str {}
impl LogSafe for std::time::Duration {}
impl LogSafe for std::io::ErrorKind {}
impl LogSafe for crate::store::StoreError {}
impl LogSafe for crate::store::StoreFile {}

type Fields<'a> = &'a [(&'static str, &'a dyn LogSafe)];

struct Line<'a>(&'static str, Fields<'a>);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)?;
        self.1.iter().try_for_each(|(name, value)| write!(f, " {name}={value:?}"))
    }
}

pub(crate) const TARGET: &str = "budstikke_relay";

pub(crate) fn error(message: &'static str, fields: Fields<'_>) {
    tracing::error!(target: TARGET, "{}", Line(message, fields));
}

pub(crate) fn warn(message: &'static str, fields: Fields<'_>) {
    tracing::warn!(target: TARGET, "{}", Line(message, fields));
}

pub(crate) fn info(message: &'static str, fields: Fields<'_>) {
    tracing::info!(target: TARGET, "{}", Line(message, fields));
}

pub(crate) fn debug(message: &'static str, fields: Fields<'_>) {
    tracing::debug!(target: TARGET, "{}", Line(message, fields));
}

pub(crate) fn trace(message: &'static str, fields: Fields<'_>) {
    tracing::trace!(target: TARGET, "{}", Line(message, fields));
}

#[cfg(test)]
mod tests {
    /// The type decides only if nothing goes round it.
    #[test]
    fn no_other_module_logs_or_prints() {
        fn files(folder: &std::path::Path, out: &mut Vec<std::path::PathBuf>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { files(&path, out) } else { out.push(path) }
            }
        }
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
        let mut all = Vec::new();
        files(source.as_ref(), &mut all);
        assert!(all.len() > 10);
        let words = ["tracing::", "println!", "eprintln!", "print!", "dbg!", "log::Level"];
        for path in
            all.iter().filter(|path| !path.ends_with("log.rs") && !path.ends_with("program.rs"))
        {
            let text = std::fs::read_to_string(path).unwrap();
            for word in words {
                assert!(!text.contains(word), "{} uses {word}", path.display());
            }
        }
    }
}
