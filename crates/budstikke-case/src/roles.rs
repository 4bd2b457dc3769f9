//! Who may do what (the acts that exist so far), and which side of a leg they are.

use crate::refusal::Refusal;
use crate::wire::{Leg, Role};

use Role::{
    Defender, Family, HeadOfMission, LegalRepresentative, MinistryDecisionMaker, MinistryDesk,
    MinistryDutyOfficer, MinistryPrivacyOfficer, MissionContactPerson, MissionStaff,
    MultilateralMissionStaff, TrustedContact,
};

/// A side of a leg's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Comes to the other: a defender to a mission, a mission to the Ministry.
    Asking,
    /// Publishes offers: a mission, the Ministry's desk.
    Offering,
}

/// Something a role may or may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Act {
    /// Publish terms or a privacy notice.
    Publish,
    /// Propose, counter or accept terms.
    Negotiate,
    /// Suspend, resume or end terms.
    ChangeTerms,
    /// Send the emergency form.
    CallForHelp,
    /// Box 2.6 items 1-7 and 12.
    TellOfCase,
    /// Box 2.6 items 8-11.
    AssessCase,
    /// Send an identity sheet.
    SendIdentity,
    /// Letters and receipts.
    Write,
    /// Ask for consent.
    AskConsent,
    /// Give, refuse or take back consent, as oneself or with standing.
    GiveConsent,
    /// Write down what was said to an officer.
    RecordConsent,
    /// Pass on a token or its state.
    ShareConsent,
    /// Send a brief built for its reader.
    BriefOnCase,
    /// Plan an act and follow its steps.
    PlanAction,
    /// Ask the Ministry for approval.
    SubmitRequest,
    /// Decide on a request.
    Decide,
    /// Pass a guard of strength O with reasons.
    Override,
    /// Raise or cancel an alert.
    RaiseAlert,
    /// Acknowledge an alert.
    Acknowledge,
    /// Tell the defender what was done and who knows.
    TellDefender,
    /// Say no to somebody who is to read.
    Object,
    /// Give cases to somebody else when an officer leaves.
    HandOver,
}

impl Act {
    /// Stable word, as in a refusal's details.
    pub fn name(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Negotiate => "negotiate",
            Self::ChangeTerms => "change-terms",
            Self::CallForHelp => "call-for-help",
            Self::TellOfCase => "tell-of-case",
            Self::AssessCase => "assess-case",
            Self::SendIdentity => "send-identity",
            Self::Write => "write",
            Self::AskConsent => "ask-consent",
            Self::GiveConsent => "give-consent",
            Self::RecordConsent => "record-consent",
            Self::ShareConsent => "share-consent",
            Self::BriefOnCase => "brief-on-case",
            Self::PlanAction => "plan-action",
            Self::SubmitRequest => "submit-request",
            Self::Decide => "decide",
            Self::Override => "override",
            Self::RaiseAlert => "raise-alert",
            Self::Acknowledge => "acknowledge",
            Self::TellDefender => "tell-defender",
            Self::Object => "object",
            Self::HandOver => "hand-over",
        }
    }

    /// Roles of the table's row, whatever the leg.
    fn roles(self) -> &'static [Role] {
        match self {
            Self::Publish => {
                &[MissionContactPerson, HeadOfMission, MultilateralMissionStaff, MinistryDesk]
            }
            Self::Negotiate | Self::ChangeTerms => &[
                Defender,
                Family,
                LegalRepresentative,
                MissionContactPerson,
                HeadOfMission,
                MultilateralMissionStaff,
                MinistryDesk,
            ],
            Self::CallForHelp => &[Defender, Family, LegalRepresentative, TrustedContact],
            Self::TellOfCase => &[
                Defender,
                Family,
                LegalRepresentative,
                TrustedContact,
                MissionStaff,
                MissionContactPerson,
                HeadOfMission,
                MultilateralMissionStaff,
            ],
            Self::SendIdentity => &[
                Defender,
                Family,
                LegalRepresentative,
                MissionStaff,
                MissionContactPerson,
                HeadOfMission,
                MultilateralMissionStaff,
            ],
            Self::Write => &[
                Defender,
                Family,
                LegalRepresentative,
                TrustedContact,
                MissionStaff,
                MissionContactPerson,
                HeadOfMission,
                MultilateralMissionStaff,
                MinistryDesk,
                MinistryDutyOfficer,
                MinistryDecisionMaker,
                MinistryPrivacyOfficer,
            ],
            Self::AssessCase
            | Self::AskConsent
            | Self::RecordConsent
            | Self::ShareConsent
            | Self::BriefOnCase
            | Self::PlanAction
            | Self::TellDefender => {
                &[MissionStaff, MissionContactPerson, HeadOfMission, MultilateralMissionStaff]
            }
            Self::GiveConsent | Self::Object => &[Defender, Family, LegalRepresentative],
            Self::SubmitRequest | Self::HandOver => {
                &[MissionContactPerson, HeadOfMission, MultilateralMissionStaff]
            }
            Self::Decide => &[MinistryDecisionMaker],
            Self::Override => &[HeadOfMission, MinistryDecisionMaker],
            Self::RaiseAlert => &[
                MissionStaff,
                MissionContactPerson,
                HeadOfMission,
                MultilateralMissionStaff,
                MinistryDesk,
                MinistryDutyOfficer,
            ],
            Self::Acknowledge => &[
                MissionContactPerson,
                HeadOfMission,
                MultilateralMissionStaff,
                MinistryDesk,
                MinistryDutyOfficer,
                MinistryDecisionMaker,
            ],
        }
    }

    /// Whether the act has its place on a leg at all.
    fn on(self, leg: Leg) -> bool {
        let with_defender = matches!(leg, Leg::DefenderMission | Leg::DefenderMultilateralMission);
        match self {
            Self::Negotiate | Self::ChangeTerms => leg != Leg::MissionTeam,
            Self::AskConsent | Self::GiveConsent | Self::Object => with_defender,
            Self::HandOver => leg == Leg::MissionTeam,
            Self::RecordConsent => with_defender || leg == Leg::MissionTeam,
            Self::ShareConsent
            | Self::PlanAction
            | Self::Override
            | Self::RaiseAlert
            | Self::Acknowledge => !with_defender,
            Self::BriefOnCase => {
                matches!(leg, Leg::MissionMinistry | Leg::MissionMultilateralMission)
            }
            Self::SubmitRequest | Self::Decide => leg == Leg::MissionMinistry,
            _ => true,
        }
    }
}

/// Which side of the leg a role stands on; `None` when it has no place there. The Ministry is
/// never part of a defender's channel.
pub fn side(leg: Leg, role: Role) -> Option<Side> {
    let persons = matches!(role, Defender | Family | LegalRepresentative | TrustedContact);
    let mission = matches!(role, MissionStaff | MissionContactPerson | HeadOfMission);
    let multilateral = role == MultilateralMissionStaff;
    let ministry = matches!(
        role,
        MinistryDesk | MinistryDutyOfficer | MinistryDecisionMaker | MinistryPrivacyOfficer
    );
    let (asking, offering) = match leg {
        Leg::Unspecified => (false, false),
        Leg::DefenderMission => (persons, mission),
        Leg::DefenderMultilateralMission => (persons, multilateral),
        Leg::MissionMinistry => (mission || multilateral, ministry),
        Leg::MissionMultilateralMission => (mission, multilateral),
        Leg::MissionTeam => (false, mission || multilateral),
    };
    match (asking, offering) {
        (true, _) => Some(Side::Asking),
        (_, true) => Some(Side::Offering),
        _ => None,
    }
}

/// Whether the role may do this on this leg.
///
/// # Errors
/// I03, with the roles that may.
pub fn permit(act: Act, leg: Leg, role: Role) -> Result<(), Refusal> {
    let fits = |role: Role| {
        let side = side(leg, role);
        act.roles().contains(&role)
            && side.is_some()
            && (act != Act::Publish || side == Some(Side::Offering))
            && act.on(leg)
    };
    if fits(role) {
        return Ok(());
    }
    let allowed = act.roles().iter().copied().filter(|role| fits(*role)).collect();
    Err(Refusal::RoleNotPermitted { role, act: act.name(), allowed })
}

/// The side a role stands on.
///
/// # Errors
/// I03 when it has no place on this leg.
pub(crate) fn side_of(leg: Leg, role: Role) -> Result<Side, Refusal> {
    match side(leg, role) {
        Some(side) => Ok(side),
        None => Err(permit(Act::Write, leg, role).err().unwrap_or(Refusal::RoleNotPermitted {
            role,
            act: Act::Write.name(),
            allowed: Vec::new(),
        })),
    }
}

/// Roles that may bind a side.
pub(crate) fn negotiators() -> &'static [Role] {
    Act::Negotiate.roles()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Word as _;

    /// One line per row of the table: the roles that may, over all legs.
    #[test]
    fn table() {
        let may = |act| -> Vec<String> {
            let legs: Vec<Leg> = Leg::all().collect();
            Role::all()
                .filter(|role| legs.iter().any(|leg| permit(act, *leg, *role).is_ok()))
                .map(crate::words::Word::name)
                .collect()
        };
        assert_eq!(
            may(Act::CallForHelp).join(" "),
            "defender family legal-representative trusted-contact"
        );
        assert!(!may(Act::Negotiate).contains(&"mission-staff".to_owned()));
        assert!(!may(Act::Negotiate).contains(&"trusted-contact".to_owned()));
        assert!(!may(Act::AssessCase).contains(&"defender".to_owned()));
        assert!(!may(Act::Publish).contains(&"defender".to_owned()));
        assert!(!may(Act::TellOfCase).contains(&"ministry-desk".to_owned()));
        assert_eq!(may(Act::Write).len(), 12);
        assert_eq!(may(Act::Decide).join(" "), "ministry-decision-maker");
        assert_eq!(may(Act::GiveConsent).join(" "), "defender family legal-representative");
        assert!(!may(Act::SubmitRequest).contains(&"mission-staff".to_owned()));
        assert!(!may(Act::Acknowledge).contains(&"mission-staff".to_owned()));
        assert_eq!(may(Act::Object).join(" "), "defender family legal-representative");
        assert!(!may(Act::HandOver).contains(&"mission-staff".to_owned()));
        assert!(permit(Act::HandOver, Leg::MissionTeam, MissionContactPerson).is_ok());
        assert!(permit(Act::HandOver, Leg::DefenderMission, MissionContactPerson).is_err());
        assert!(!may(Act::Override).contains(&"mission-contact-person".to_owned()));
        assert!(permit(Act::BriefOnCase, Leg::DefenderMission, MissionStaff).is_err());
        assert!(permit(Act::ShareConsent, Leg::DefenderMission, MissionStaff).is_err());
        assert!(permit(Act::RaiseAlert, Leg::MissionMinistry, MissionStaff).is_ok());
        assert!(permit(Act::Decide, Leg::MissionTeam, MissionContactPerson).is_err());
    }

    #[test]
    fn ministry_has_no_place_in_a_defenders_channel() {
        for role in [MinistryDesk, MinistryDutyOfficer, MinistryDecisionMaker] {
            assert_eq!(side(Leg::DefenderMission, role), None);
            assert!(permit(Act::Write, Leg::DefenderMission, role).is_err());
        }
        assert_eq!(side(Leg::MissionMinistry, MinistryDesk), Some(Side::Offering));
        assert_eq!(side(Leg::MissionMinistry, MissionStaff), Some(Side::Asking));
        assert_eq!(side(Leg::MissionMinistry, Defender), None);
    }

    #[test]
    fn refusal_names_those_who_may_here() {
        let refusal = permit(Act::Negotiate, Leg::DefenderMission, MissionStaff).unwrap_err();
        assert_eq!(refusal.code(), "I03");
        let details = refusal.details();
        assert!(details.contains(&("act", "negotiate".to_owned())));
        let allowed = "defender, family, legal-representative, mission-contact-person, \
                       head-of-mission";
        assert!(details.contains(&("allowed", allowed.to_owned())));
    }
}
