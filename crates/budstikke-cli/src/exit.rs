//! Exit codes: what a script can rely on. Documented in `bud --help` and in README.md.

use std::process::ExitCode;

use serde::Serialize;

/// Why the program ends as it does. The numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Exit {
    /// A fault of the program, or of the machine under it.
    Internal,
    /// The command line, or a file given to it.
    Usage,
    /// A rule says no; its code is printed.
    Refused,
    /// No relay answered. What waits is kept.
    Unreachable,
    /// Wrong passphrase, or no vault here.
    Passphrase,
    /// A certificate, an invitation or a signature did not hold.
    Trust,
    /// No such conversation, contact, officer or file.
    NotFound,
    /// Not now: another step comes first, or the vault is in use.
    Conflict,
    /// Something stored is damaged.
    Damaged,
    /// An alert is overdue: a person has to look now. What was asked for is done all the same.
    Attention,
}

impl Exit {
    /// All of them, for the documentation's test.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 10] = [
        Self::Internal,
        Self::Usage,
        Self::Refused,
        Self::Unreachable,
        Self::Passphrase,
        Self::Trust,
        Self::NotFound,
        Self::Conflict,
        Self::Damaged,
        Self::Attention,
    ];

    /// The number.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Internal => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Unreachable => 4,
            Self::Passphrase => 5,
            Self::Trust => 6,
            Self::NotFound => 7,
            Self::Conflict => 8,
            Self::Damaged => 9,
            Self::Attention => 10,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    #[test]
    fn every_code_stands_in_the_help_and_in_the_readme() {
        let help = Catalogue::new(Some("en")).text("cmd-bud-after", &[]);
        let (_, help) = help.split_once("Exit codes:").unwrap();
        let readme =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md"));
        let readme = readme.unwrap();
        let (_, table) = readme.split_once("## Exit codes").unwrap();
        for exit in Exit::ALL {
            let number = exit.number();
            assert!(help.contains(&format!("{number} ")), "{exit:?}");
            let class = serde_json::to_value(exit).unwrap();
            let row = format!("| {number} | `{}` |", class.as_str().unwrap());
            assert!(table.contains(&row), "{row}");
        }
        let mut numbers = Exit::ALL.map(Exit::number).to_vec();
        numbers.dedup();
        assert_eq!(numbers, (1..=10).collect::<Vec<u8>>());
    }
}
