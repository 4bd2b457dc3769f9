//! Reading enums that may hold numbers of a newer version, and naming their values in files.

use crate::wire as w;

/// A schema enum with names for files and for Fluent keys.
pub trait Word: Copy + PartialEq + TryFrom<i32> + Into<i32> + 'static {
    /// Fluent key part, as `incident-type`.
    const TYPE: &'static str;
    /// Schema prefix, as `INCIDENT_TYPE_`.
    const PREFIX: &'static str;
    /// The schema's name of the value.
    fn schema_name(self) -> &'static str;
    /// Name in files: `job-loss`.
    fn name(self) -> String {
        let name = self.schema_name();
        name.strip_prefix(Self::PREFIX).unwrap_or(name).to_lowercase().replace('_', "-")
    }
    /// Key of the value's text in the message catalogue: `incident-type-job-loss`.
    fn key(self) -> String {
        format!("{}-{}", Self::TYPE, self.name())
    }
    /// Every value but UNSPECIFIED, by number. Numbers stay below 64 in v1.
    fn all() -> impl Iterator<Item = Self> {
        (1..64).filter_map(|number| Self::try_from(number).ok())
    }
    /// Value of a file's word; case, `_` and blanks do not matter.
    fn parse(text: &str) -> Option<Self> {
        let wanted = text.trim().to_lowercase().replace(['_', ' '], "-");
        Self::all().find(|value| value.name() == wanted)
    }
}

/// An enum that grants something: what is unknown or unspecified is read as the least.
pub trait Restricting: Word {
    /// The most restrictive value.
    const STRICTEST: Self;
}

/// Value of a restricting field; unknown and UNSPECIFIED give the most restrictive one. The
/// generated accessors would give UNSPECIFIED instead and are not used on these fields.
pub fn strict<E: Restricting>(raw: i32) -> E {
    if raw == 0 { E::STRICTEST } else { E::try_from(raw).unwrap_or(E::STRICTEST) }
}

/// Value of a descriptive field.
pub fn described<E: Word>(raw: i32) -> Described<E> {
    match (raw, E::try_from(raw)) {
        (0, _) => Described::NotSaid,
        (_, Ok(value)) => Described::Known(value),
        (_, Err(_)) => Described::Newer(raw),
    }
}

/// What a descriptive enum field says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Described<E> {
    /// Nothing was chosen.
    NotSaid,
    /// A value of this version.
    Known(E),
    /// "Other (update needed)": a number of a newer version, kept.
    Newer(i32),
}

impl<E: Word> Described<E> {
    /// Fluent key of the text to show; `None` where nothing was said.
    pub fn key(self) -> Option<String> {
        match self {
            Self::NotSaid => None,
            Self::Known(value) => Some(value.key()),
            Self::Newer(_) => Some("word-other-update-needed".to_owned()),
        }
    }
}

macro_rules! words {
    ($($name:ident $prefix:literal $key:literal;)*) => {$(
        impl Word for w::$name {
            const TYPE: &'static str = $key;
            const PREFIX: &'static str = $prefix;
            fn schema_name(self) -> &'static str {
                self.as_str_name()
            }
        }
    )*};
}

macro_rules! restricting {
    ($($name:ident => $strictest:ident;)*) => {$(
        impl Restricting for w::$name {
            const STRICTEST: Self = Self::$strictest;
        }
    )*};
}

words! {
    Role "ROLE_" "role";
    Leg "LEG_" "leg";
    Answer "ANSWER_" "answer";
    Handling "HANDLING_" "handling";
    Purpose "PURPOSE_" "purpose";
    DataCategory "DATA_CATEGORY_" "data-category";
    IdentityLevel "IDENTITY_LEVEL_" "identity-level";
    Urgency "URGENCY_" "urgency";
    Transport "TRANSPORT_" "transport";
    RunMode "RUN_MODE_" "run-mode";
    LegalBasis "LEGAL_BASIS_" "legal-basis";
    TermsKind "TERMS_KIND_" "terms-kind";
    RecipientClass "RECIPIENT_CLASS_" "recipient-class";
    OnwardMode "ONWARD_MODE_" "onward-mode";
    ReceiptKind "RECEIPT_KIND_" "receipt-kind";
    NotificationStyle "NOTIFICATION_STYLE_" "notification-style";
    TermsChangeKind "TERMS_CHANGE_KIND_" "terms-change-kind";
    SubjectKind "SUBJECT_KIND_" "subject-kind";
    Theme "THEME_" "theme";
    IncidentType "INCIDENT_TYPE_" "incident-type";
    ActorKind "ACTOR_KIND_" "actor-kind";
    OtherActorKind "OTHER_ACTOR_KIND_" "other-actor-kind";
    SourceKind "SOURCE_KIND_" "source-kind";
    Reliability "RELIABILITY_" "reliability";
    AgeBand "AGE_BAND_" "age-band";
    Scope "SCOPE_" "scope";
    Choice "CHOICE_" "choice";
    Activation "ACTIVATION_" "activation";
    GiverBasis "GIVER_BASIS_" "giver-basis";
    ConsentEvidence "CONSENT_EVIDENCE_" "consent-evidence";
    WhyNotSelf "WHY_NOT_SELF_" "why-not-self";
    ConsentState "CONSENT_STATE_" "consent-state";
    FactStatus "FACT_STATUS_" "fact-status";
    ActionKind "ACTION_KIND_" "action-kind";
    Verdict "VERDICT_" "verdict";
    ActionStep "ACTION_STEP_" "action-step";
    PublishView "PUBLISH_VIEW_" "publish-view";
    AlertTiming "ALERT_TIMING_" "alert-timing";
    Severity "SEVERITY_" "severity";
    Certainty "CERTAINTY_" "certainty";
    AckKind "ACK_KIND_" "ack-kind";
    LeftOutWhy "LEFT_OUT_WHY_" "left-out-why";
    CaseState "CASE_STATE_" "case-state";
    InFlightKind "IN_FLIGHT_KIND_" "in-flight-kind";
    AccessChangeKind "ACCESS_CHANGE_KIND_" "access-change-kind";
}

restricting! {
    Handling => RecipientOnly;
    IdentityLevel => Alias;
    Urgency => Routine;
    OnwardMode => Never;
    NotificationStyle => None;
    TermsChangeKind => Suspend;
    Choice => Refused;
    ConsentState => Withdrawn;
    FactStatus => Unverified;
    Verdict => Refused;
    AckKind => SeenNotMine;
    // A reliability or an answer that is not understood proves and permits nothing.
    Answer => Declined;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_numbers_never_permit() {
        assert_eq!(strict::<w::OnwardMode>(99), w::OnwardMode::Never);
        assert_eq!(strict::<w::OnwardMode>(0), w::OnwardMode::Never);
        assert_eq!(strict::<w::OnwardMode>(3), w::OnwardMode::Standing);
        assert_eq!(strict::<w::IdentityLevel>(99), w::IdentityLevel::Alias);
        assert_eq!(strict::<w::Handling>(99), w::Handling::RecipientOnly);
        assert_eq!(strict::<w::Urgency>(99), w::Urgency::Routine);
        assert_eq!(strict::<w::NotificationStyle>(99), w::NotificationStyle::None);
        assert_eq!(strict::<w::TermsChangeKind>(99), w::TermsChangeKind::Suspend);
        assert_eq!(strict::<w::Answer>(99), w::Answer::Declined);
        assert_eq!(strict::<w::IdentityLevel>(-1), w::IdentityLevel::Alias);
        assert_eq!(strict::<w::Choice>(99), w::Choice::Refused);
        assert_eq!(strict::<w::ConsentState>(99), w::ConsentState::Withdrawn);
        assert_eq!(strict::<w::FactStatus>(99), w::FactStatus::Unverified);
        assert_eq!(strict::<w::Verdict>(99), w::Verdict::Refused);
        assert_eq!(strict::<w::AckKind>(99), w::AckKind::SeenNotMine);
    }

    #[test]
    fn unknown_descriptions_stay_and_say_so() {
        let other = described::<w::IncidentType>(99);
        assert_eq!(other, Described::Newer(99));
        assert_eq!(other.key().as_deref(), Some("word-other-update-needed"));
        assert_eq!(described::<w::IncidentType>(0).key(), None);
        let threat = described::<w::IncidentType>(10);
        assert_eq!(threat.key().as_deref(), Some("incident-type-threat"));
    }

    #[test]
    fn words_round_trip_through_files() {
        assert_eq!(w::IncidentType::all().count(), 24);
        for kind in w::IncidentType::all() {
            assert_eq!(w::IncidentType::parse(&kind.name()), Some(kind));
        }
        assert_eq!(w::IncidentType::parse("Job loss"), Some(w::IncidentType::JobLoss));
        assert_eq!(w::IncidentType::parse("unspecified"), None);
        assert_eq!(w::AgeBand::parse("18-to-29"), w::AgeBand::all().nth(1));
    }
}
