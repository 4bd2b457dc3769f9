//! What a person should see before going on. A warning never blocks.

use std::fmt;

/// Something worth saying that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// Messages between this one and the last are missing; their number.
    SequenceGap {
        /// How many.
        missing: u64,
    },
    /// A number of a newer version in a descriptive field; shown as "other".
    OtherUpdateNeeded {
        /// Path of the field.
        field: String,
    },
    /// A time's words were kept but no date was understood in them.
    TimeNotUnderstood {
        /// Path of the field.
        field: String,
    },
    /// What can be expected was last looked at more than 180 days ago.
    ExpectationsOld,
    /// An intake that says whom nothing is about, and that nothing more follows.
    NobodyNamed,
    /// An exercise, not a real case.
    Exercise,
    /// The text may upset its reader.
    Distressing,
    /// A child is concerned: guardian and privacy officer.
    ChildConcerned,
    /// Said by somebody other than the person concerned.
    ToldByOther,
    /// The time of writing lies in the future or long ago.
    ClockImplausible,
    /// The terms were to be looked at again by now.
    ReviewOverdue,
    /// Facts that nobody has verified; here that stops nothing.
    FactsUnverified {
        /// Their ids.
        facts: Vec<String>,
    },
    /// An answer of the risk assessment is "not known" or "rather not say".
    RiskNotKnown {
        /// Names of the fields.
        fields: Vec<&'static str>,
    },
    /// A side of security that the assessment does not look at.
    SecuritySideMissing {
        /// "physical", "digital", "psychosocial".
        sides: Vec<&'static str>,
    },
    /// No like-minded country has been asked, and it does not say why.
    LikemindedNotAsked,
    /// It does not say why informal dialogue is not enough.
    InformalNotTried,
    /// The Ministry should be told of this, though it need not approve.
    TellTheMinistry,
    /// There are refusals in the person's wish; read them before drafting.
    ReadTheWish,
    /// Nobody comes next if the alert is not taken: the other side has named nobody, or not of late.
    NobodyNext,
}

impl Warning {
    /// Key of the text in the message catalogue.
    pub fn message_key(&self) -> &'static str {
        match self {
            Self::SequenceGap { .. } => "warning-sequence-gap",
            Self::OtherUpdateNeeded { .. } => "warning-other-update-needed",
            Self::TimeNotUnderstood { .. } => "warning-time-not-understood",
            Self::ExpectationsOld => "warning-expectations-old",
            Self::NobodyNamed => "warning-nobody-named",
            Self::Exercise => "warning-exercise",
            Self::Distressing => "warning-distressing",
            Self::ChildConcerned => "warning-child-concerned",
            Self::ToldByOther => "warning-told-by-other",
            Self::ClockImplausible => "warning-clock-implausible",
            Self::ReviewOverdue => "warning-review-overdue",
            Self::FactsUnverified { .. } => "warning-facts-unverified",
            Self::RiskNotKnown { .. } => "warning-risk-not-known",
            Self::SecuritySideMissing { .. } => "warning-security-side-missing",
            Self::LikemindedNotAsked => "warning-likeminded-not-asked",
            Self::InformalNotTried => "warning-informal-not-tried",
            Self::TellTheMinistry => "warning-tell-the-ministry",
            Self::ReadTheWish => "warning-read-the-wish",
            Self::NobodyNext => "warning-nobody-next",
        }
    }

    /// Named values for the text, safe to show.
    pub fn details(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::SequenceGap { missing } => vec![("missing", missing.to_string())],
            Self::OtherUpdateNeeded { field } | Self::TimeNotUnderstood { field } => {
                vec![("field", field.clone())]
            }
            Self::FactsUnverified { facts } => vec![("facts", facts.join(", "))],
            Self::RiskNotKnown { fields } => vec![("fields", fields.join(", "))],
            Self::SecuritySideMissing { sides } => vec![("sides", sides.join(", "))],
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SequenceGap { missing } => write!(f, "{missing} earlier messages are missing."),
            Self::OtherUpdateNeeded { field } => {
                write!(
                    f,
                    "\"{field}\" holds a choice this version does not know; update to see it."
                )
            }
            Self::TimeNotUnderstood { field } => {
                write!(f, "\"{field}\" was kept as told, but no date was understood in it.")
            }
            Self::ExpectationsOld => {
                f.write_str("What can be expected was written more than 180 days ago.")
            }
            Self::NobodyNamed => f.write_str("This does not say yet whom it is about."),
            Self::Exercise => f.write_str("EXERCISE: this is practice, not a real case."),
            Self::Distressing => f.write_str("This text may be upsetting to read."),
            Self::ChildConcerned => {
                f.write_str("A child is concerned: think of the guardian and the privacy officer.")
            }
            Self::ToldByOther => f.write_str("This was told by somebody else than the person."),
            Self::ClockImplausible => {
                f.write_str("The time of writing does not fit this device's clock.")
            }
            Self::ReviewOverdue => f.write_str("The terms should be looked at again by now."),
            Self::FactsUnverified { facts } => {
                write!(f, "Not verified yet: {}.", facts.join(", "))
            }
            Self::RiskNotKnown { fields } => {
                write!(f, "Not known in the risk assessment: {}.", fields.join(", "))
            }
            Self::SecuritySideMissing { sides } => {
                write!(f, "The risk assessment leaves out: {}.", sides.join(", "))
            }
            Self::LikemindedNotAsked => {
                f.write_str("No like-minded country has been asked, and it does not say why.")
            }
            Self::InformalNotTried => {
                f.write_str("It does not say why informal dialogue is not enough.")
            }
            Self::TellTheMinistry => f.write_str("Tell the Ministry about this."),
            Self::ReadTheWish => {
                f.write_str("The person has said what they do not want; read it first.")
            }
            Self::NobodyNext => f.write_str(
                "Nobody comes next if this is not taken: the other side has named nobody of late.",
            ),
        }
    }
}
