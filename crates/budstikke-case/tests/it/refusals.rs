//! Every refusal that needs no terms, provoked; and every refusal's words.

use std::collections::BTreeSet;

use crate::common::{
    ID, LEG, NOW, code, emergency, free_text, from_heron, from_mission, in_force, intake, letter,
    terms,
};
use budstikke_case::wire::{self as w, Handling, Purpose, ReceiptKind, Transport};
use budstikke_case::{
    Body, Draft, Fault, Leg, Phase, Refusal, Role, Unit, Unknown, Warning, WhoCanFix, validate,
};

fn onward(role: Role) -> Draft {
    let draft = Draft::new(Leg::MissionMinistry, role, ID, NOW).purpose(Purpose::Protection);
    draft.handling(Handling::Ministry)
}

#[test]
fn i03_only_the_mission_fills_8_to_11() {
    let mission = || intake("intake-heron-mission.toml").intake;
    assert_eq!(code(from_heron().build(mission())), "I03");
    let mut mixed = intake("intake-heron.toml").intake;
    mixed.actions = mission().actions;
    assert_eq!(code(from_heron().build(mixed.clone())), "I03");
    // On behalf, items 1-7 are the mission's too; item 8 apart, this may go to the defender.
    assert!(from_mission().build(mixed).is_ok());
}

#[test]
fn i03_roles() {
    let offer = || w::ChannelOffer { terms: terms("terms-offer.toml").encode().0 };
    assert_eq!(code(from_heron().build(offer())), "I03");
    let staff = || Draft::new(LEG, Role::MissionStaff, ID, NOW).purpose(Purpose::Protection);
    assert_eq!(code(staff().build(offer())), "I03");
    assert_eq!(code(staff().build(emergency())), "I03");
    assert!(staff().build(free_text("x")).is_ok());
    let desk = Draft::new(LEG, Role::MinistryDesk, ID, NOW).purpose(Purpose::Protection);
    assert_eq!(code(desk.build(free_text("x"))), "I03");
    // A header that claims more than the certificate.
    let content = letter(from_mission()).content;
    assert_eq!(code(validate(&content, LEG, Role::MissionStaff)), "I03");
}

#[test]
fn p01_case_content_says_what_it_is_for() {
    let no_purpose = || Draft::new(LEG, Role::Defender, ID, NOW);
    let bodies: [Body; 4] = [
        free_text("x"),
        emergency().into(),
        intake("intake.json").intake.into(),
        intake("intake-heron.toml").identity[0].clone().into(),
    ];
    for body in bodies {
        assert_eq!(no_purpose().build(body).unwrap_err(), Refusal::PurposeMissing);
    }
    assert!(no_purpose().build(crate::common::receipt(ReceiptKind::Read)).is_ok());
}

#[test]
fn p02_the_source_stays_in_the_mission() {
    let mut mission = intake("intake-heron-mission.toml").intake;
    let team = || {
        let draft = Draft::new(Leg::MissionTeam, Role::MissionStaff, ID, NOW);
        draft.purpose(Purpose::Protection)
    };
    assert!(team().build(mission.clone()).is_ok());
    let staff = || onward(Role::MissionStaff);
    assert_eq!(staff().build(mission.clone()).unwrap_err(), Refusal::SourceMayNotLeave);
    assert_eq!(from_mission().build(mission.clone()).unwrap_err(), Refusal::SourceMayNotLeave);
    // Unknown answers are no yes.
    let source = mission.source.as_mut().unwrap();
    source.may_be_named_to_ministry = 99;
    assert_eq!(staff().build(mission.clone()).unwrap_err(), Refusal::SourceMayNotLeave);
    mission.source.as_mut().unwrap().may_be_named_to_ministry = w::Answer::Yes.into();
    let field = "case_intake".to_owned();
    let refused = Refusal::ThirdPartyNotStripped { field };
    assert_eq!(staff().build(mission).unwrap_err(), refused, "a brief goes, not what was told");
}

#[test]
fn p02_third_parties_are_stripped_onward() {
    let mut case = intake("intake-heron.toml").intake;
    let staff = || onward(Role::MissionStaff);
    let field = "alleged.actors[1].name".to_owned();
    let refused = Refusal::ThirdPartyNotStripped { field };
    assert_eq!(staff().build(case.clone()).unwrap_err(), refused);
    case.alleged.as_mut().unwrap().actors[1].name.clear();
    let field = "alleged.witness_refs".to_owned();
    let refused = Refusal::ThirdPartyNotStripped { field };
    assert_eq!(staff().build(case.clone()).unwrap_err(), refused);
    case.alleged.as_mut().unwrap().witness_refs.clear();
    let field = "case_intake".to_owned();
    let refused = Refusal::ThirdPartyNotStripped { field };
    assert_eq!(staff().build(case).unwrap_err(), refused, "a brief goes, not what was told");
    let sheet = intake("intake-heron.toml").identity.remove(0);
    assert_eq!(code(staff().build(sheet)), "P02");
}

#[test]
fn p03_a_narrow_circle_does_not_go_onward() {
    let draft = onward(Role::MissionStaff).handling(Handling::CaseTeam);
    let handling = Handling::CaseTeam;
    assert_eq!(draft.build(free_text("x")).unwrap_err(), Refusal::HandlingForbids { handling });
    let mut content = onward(Role::MissionStaff).build(free_text("x")).unwrap().content;
    content.header.as_mut().unwrap().handling = 99;
    let refusal = validate(&content, Leg::MissionMinistry, Role::MissionStaff).unwrap_err();
    assert_eq!(refusal, Refusal::HandlingForbids { handling: Handling::RecipientOnly });
}

#[test]
fn p04_retention_is_said() {
    let remove: [fn(&mut w::ChannelTerms); 3] = [
        |t| t.retention = None,
        |t| t.retention.as_mut().unwrap().mission_days = 0,
        |t| t.retention.as_mut().unwrap().defender_device_hours = 0,
    ];
    for remove in remove {
        let mut file = terms("terms-offer.toml");
        remove(&mut file.terms);
        let proposal = w::TermsProposal { terms: file.encode().0, note: String::new() };
        assert_eq!(code(from_heron().build(proposal)), "P04");
    }
}

/// One row per limit and rule of the tables: an edit and the path that is named.
#[test]
fn w02_rows_of_the_tables() {
    type Edit = fn(&mut w::CaseIntake);
    let rows: [(Edit, &str); 16] = [
        (|c| c.incidents[1].what_happened = "a".repeat(4_001), "incidents[1].what_happened"),
        (|c| c.incidents[0].r#where = "ა".repeat(67), "incidents[0].where"),
        (|c| c.incidents[2].what_happened.clear(), "incidents[2].what_happened"),
        (|c| c.incidents[0].types.clear(), "incidents[0].types"),
        (|c| c.incidents[0].types = vec![1; 9], "incidents[0].types"),
        (|c| c.incidents[0].when = None, "incidents[0].when"),
        (|c| c.incidents = vec![c.incidents[0].clone(); 65], "incidents"),
        (|c| c.who.as_mut().unwrap().subjects[1].r#ref = "HERON".into(), "who.subjects[1].ref"),
        (|c| c.who.as_mut().unwrap().subjects[0].kind = 0, "who.subjects[0].kind"),
        (
            |c| {
                let who = c.who.as_mut().unwrap();
                who.subjects = vec![who.subjects[0].clone(); 33];
            },
            "who.subjects",
        ),
        (|c| c.alleged.as_mut().unwrap().actors[0].kind = 0, "alleged.actors[0].kind"),
        (|c| c.not_now = vec![13], "not_now"),
        (|c| c.wish.as_mut().unwrap().want = "a\u{202e}b".into(), "wish.want"),
        (|c| c.what.as_mut().unwrap().activities = "\u{7}".into(), "what.activities"),
        (
            |c| {
                let when = c.incidents[0].when.as_mut().unwrap();
                (when.earliest_s, when.latest_s) = (Some(2), Some(1));
            },
            "incidents[0].when",
        ),
        (
            |c| {
                let updates = c.updates.as_mut().unwrap();
                (updates.nothing_changed, updates.changed_since_last) = (true, "a lot".into());
            },
            "updates.nothing_changed",
        ),
    ];
    for (edit, path) in rows {
        let mut case = intake("intake-heron.toml").intake;
        edit(&mut case);
        let refusal = from_heron().build(case).unwrap_err();
        assert_eq!(refusal.code(), "W02", "{path}");
        assert_eq!(refusal.details()[0], ("field", path.to_owned()));
    }
    assert_eq!(code(from_heron().build(w::CaseIntake::default())), "W02");
}

#[test]
fn w02_terms_and_letters() {
    type Edit = fn(&mut w::ChannelTerms);
    let rows: [(Edit, &str); 11] = [
        (|t| t.expectations = None, "terms.expectations"),
        (|t| t.expectations.as_mut().unwrap().we_cannot.clear(), "terms.expectations.we_cannot"),
        (
            |t| t.expectations.as_mut().unwrap().usual_reply_hours = 0,
            "terms.expectations.usual_reply_hours",
        ),
        (|t| t.units.clear(), "terms.units"),
        (|t| t.transports.clear(), "terms.transports"),
        (|t| t.onward = vec![t.onward[0]; 21], "terms.onward"),
        (|t| t.leg = 3, "terms.leg"),
        (|t| t.valid_until_s = t.valid_from_s, "terms.valid_until_s"),
        (|t| t.valid_until_s += 400 * 86_400, "terms.valid_until_s"),
        (
            |t| t.quiet_time.as_mut().unwrap().windows[0].from_minute = 1_440,
            "terms.quiet_time.windows[0].from_minute",
        ),
        (|t| t.purposes.clear(), "terms.purposes"),
    ];
    for (edit, path) in rows {
        let mut file = terms("terms-counter.toml");
        edit(&mut file.terms);
        let proposal = w::TermsProposal { terms: file.encode().0, note: String::new() };
        let refusal = from_heron().build(proposal).unwrap_err();
        assert_eq!(refusal.details()[0], ("field", path.to_owned()), "{refusal}");
        assert_eq!(refusal.code(), "W02");
    }
    let hash = in_force().1.to_vec();
    let accept = |understood| w::TermsAcceptance {
        terms_hash: hash.clone(),
        privacy_notice_hash: Vec::new(),
        expectations_understood: understood,
    };
    assert!(from_heron().build(accept(true)).is_ok());
    let refusal = from_heron().build(accept(false)).unwrap_err();
    assert_eq!(refusal.to_string(), "\"expectations_understood\" is missing.");
    let refused = w::Receipt { kind: 4, message_id: ID.to_vec(), ..w::Receipt::default() };
    assert_eq!(code(from_heron().build(refused.clone())), "W02");
    let stray = w::Receipt { kind: 1, note: "hello".into(), ..refused };
    assert_eq!(code(from_heron().build(stray)), "W02");
    assert_eq!(code(from_heron().build(free_text(&"a".repeat(16_001)))), "W02");
    assert_eq!(code(from_heron().expires_at(1).build(free_text("x"))), "W02");
}

#[test]
fn warnings() {
    let warned = |draft: Draft, body: Body| draft.build(body).unwrap().warnings;
    assert_eq!(warned(from_heron().exercise(), free_text("x")), [Warning::Exercise]);
    let distressing = w::FreeText { text: "x".into(), distressing: true };
    assert_eq!(warned(from_heron(), distressing.into()), [Warning::Distressing]);
    let mut case = intake("intake.json").intake;
    case.who.as_mut().unwrap().subjects[0].under_18 = w::Answer::Yes.into();
    assert_eq!(warned(from_heron(), case.clone().into()), [Warning::ChildConcerned]);
    (case.who, case.more_follows) = (None, false);
    assert_eq!(warned(from_heron(), case.clone().into()), [Warning::NobodyNamed]);
    case.more_follows = true;
    case.incidents[0].types = vec![63];
    let field = "incidents[0].types".to_owned();
    let family = Draft::new(LEG, Role::Family, ID, NOW).purpose(Purpose::Protection);
    let both = [Warning::OtherUpdateNeeded { field }, Warning::ToldByOther];
    assert_eq!(warned(family, case.into()), both);
}

/// Every variant: a code, a sentence, keys, somebody who can fix it.
#[test]
fn every_refusal_can_be_shown() {
    let all = every_refusal();
    let mut keys = BTreeSet::new();
    for refusal in &all {
        let sentence = refusal.to_string();
        assert!(sentence.ends_with('.') && sentence.len() < 140, "{sentence}");
        assert!(!sentence.to_lowercase().contains("secure"), "{sentence}");
        assert!(keys.insert(refusal.message_key()), "{sentence}");
        assert!(refusal.message_key().starts_with("refusal-"));
        assert!(refusal.next_step_key().starts_with("next-step-"));
        assert!(refusal.who_can_fix().key().starts_with("fix-"));
        assert_eq!(refusal.code().len(), 3);
    }
    let codes: BTreeSet<_> = all.iter().map(Refusal::code).collect();
    let expected = "A01 A02 A03 A04 A05 A06 C01 C02 C03 C04 C05 C06 C07 C08 C09 C10 C11 C12 D01 \
                    F01 F02 F03 F05 I01 I02 I03 I04 I06 P01 P02 P03 P04 P07 T01 T02 T03 T04 T05 T06 T07 T08 W01 W02 W03 W04";
    assert_eq!(codes.into_iter().collect::<Vec<_>>().join(" "), expected);
    assert_eq!(Refusal::SourceMayNotLeave.who_can_fix(), WhoCanFix::You);
}

fn every_refusal() -> Vec<Refusal> {
    let text = String::new;
    let mut all = vec![
        Refusal::TermsNotInForce { leg: LEG, state: Phase::None },
        Refusal::TermsExpired { since: 0 },
        Refusal::TermsHashMismatch { expected: None, got: None },
        Refusal::TransportNotAgreed { transport: Transport::RelayTor },
        Refusal::OnwardExceedsDefenderTerms { what: text(), asked: text(), allowed: text() },
        Refusal::MinistryLegNotAgreed,
        Refusal::ReceiptNotAgreed { kind: ReceiptKind::Read },
        Refusal::QuietTime { until: 0 },
        Refusal::WrongRecipient { intended: text(), actual: text(), why: "" },
        Refusal::RecipientUnverified,
        Refusal::KeyChanged { since: 0 },
        Refusal::RoleNotPermitted { role: Role::Defender, act: "", allowed: vec![] },
        Refusal::PurposeMissing,
        Refusal::PurposeIncompatible { from: vec![], to: Purpose::Support },
        Refusal::SourceMayNotLeave,
        Refusal::ThirdPartyNotStripped { field: text() },
        Refusal::HandlingForbids { handling: Handling::CaseTeam },
        Refusal::RetentionMissing { field: "retention" },
        Refusal::MarkingTooHigh { marking: text() },
        Refusal::NotUnderstood { what: Unknown::Arm(77) },
        Refusal::Malformed { field: text(), fault: Fault::Missing },
        Refusal::TooLarge { field: text(), limit: 1, got: 2, unit: Unit::Bytes },
        Refusal::ReplayIgnored { seq: 1 },
    ];
    all.extend(of_the_ministry_line());
    all
}

fn of_the_ministry_line() -> Vec<Refusal> {
    let (person, scope) = ("HERON".to_owned(), w::Scope::Demarche);
    let (kind, hash) = (w::ActionKind::Demarche, in_force().1);
    let level = w::IdentityLevel::Alias;
    let person = || person.clone();
    vec![
        Refusal::RoleCertificateInvalid { reason: "signature" },
        Refusal::FourEyes { act: "decide" },
        Refusal::ConsentMissing { person: person(), scope },
        Refusal::ConsentRefused { person: person(), scope },
        Refusal::AdvanceWishForbids {
            person: person(),
            scope,
            activation: w::Activation::IfDetained,
        },
        Refusal::ConsentWithdrawn { person: person(), at: 0 },
        Refusal::ConsentSuspended { person: person(), cause: "duress" },
        Refusal::ConsentExpired { person: person(), since: 0 },
        Refusal::ConsentStale { person: person(), last: 0, max_s: 0 },
        Refusal::ConsentGiverNotEligible { person: person(), basis: String::new() },
        Refusal::IdentityLevelTooHigh { person: person(), asked: level, allowed: level },
        Refusal::WordingChanged { person: person(), agreed: None, now: None },
        Refusal::ConsentProofInvalid { step: "digest" },
        Refusal::GroupConsentDoesNotNameMembers { person: person() },
        Refusal::ConsentExceptionNotAvailable { why: "danger-not-argued" },
        Refusal::FactsNotVerified { facts: vec![] },
        Refusal::RiskAssessmentMissing { missing: vec!["all"] },
        Refusal::RiskAssessmentOutdated { made: 0, max_s: 0 },
        Refusal::NotDiscussedWithDefender,
        Refusal::LocalOrganisationsNotConsulted,
        Refusal::ApprovalMissing { kind },
        Refusal::ApprovalRefused { at: 0 },
        Refusal::ApprovalExpired { since: 0 },
        Refusal::PlanChangedSinceApproval { approved: hash, now: hash },
        Refusal::ApprovalConditionOpen { condition: 1 },
        Refusal::ConsultationNotSent { kind },
        Refusal::EffectReportDue { by: 0 },
        Refusal::DefenderNotInformed,
        Refusal::OutOfStep { step: "close", phase: "draft" },
    ]
}
