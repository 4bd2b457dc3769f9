//! The brief: built, never forwarded.

use crate::common::{LEG, NOW, accept, code, in_force, intake, offered, terms};
use crate::line::{DAY, DESK, directory, ledger, signed, statement, token};
use budstikke_case::consent::Ledger;
use budstikke_case::projection::{
    Brief, Material, Permission, build, finds, identifying_texts, proven,
};
use budstikke_case::wire::{
    self as w, Handling, IdentityLevel, LeftOutWhy, OnwardMode, Purpose, RecipientClass, Scope,
    TermsChangeKind,
};
use budstikke_case::{
    Draft, Leg, Passage, Refusal, Role, Side, TermsEvent, TermsState, may_accept, validate,
};
use prost::Message as _;

const GRANTED: &str = "consent-demarche.toml";

/// HERON's whole intake with the mission's items, a name, and a source who must not be found.
fn case() -> (w::CaseIntake, Vec<w::IdentitySheet>) {
    let file = intake("intake-heron.toml");
    let mission = intake("intake-heron-mission.toml").intake;
    let (mut case, mut identity) = (file.intake, file.identity);
    (case.source, case.contact) = (mission.source, mission.contact);
    (case.actions, case.results) = (mission.actions, mission.results);
    "The nurse of the market".clone_into(&mut case.source.as_mut().unwrap().who);
    "Firstname Lastname".clone_into(&mut identity[0].name);
    // People do write their own names.
    case.incidents[1]
        .what_happened
        .push_str(" One says: Firstname, stop it. LASTNAME, we know you.");
    case.others[0].response.push_str(" The nurse of the market rang them.");
    (case, identity)
}

/// The mission's and the desk's terms on top of the defender's.
fn ministry(defender: &TermsState) -> TermsState {
    ministry_that(defender, |_| {})
}

fn ministry_that(defender: &TermsState, edit: fn(&mut w::ChannelTerms)) -> TermsState {
    let leg = Leg::MissionMinistry;
    let bytes = defender.agreed_bytes().unwrap().to_vec();
    let mut state = TermsState::onward_of(leg, bytes).unwrap();
    let mut file = terms("terms-ministry.toml").inheriting(defender.agreed_hash().unwrap());
    edit(&mut file.terms);
    let (terms, hash) = file.encode();
    state.apply(TermsEvent::Proposed { by: Side::Asking, terms }, NOW).unwrap();
    for by in [Side::Asking, Side::Offering] {
        accept(&mut state, by, hash).unwrap();
    }
    state
}

/// The offer as it is: the Ministry reads along, under an alias.
fn standing() -> TermsState {
    let mut state = offered();
    let hash = state.offers().next().unwrap().0;
    accept(&mut state, Side::Asking, hash).unwrap();
    state
}

struct Order<'a> {
    defender: &'a TermsState,
    onward: &'a TermsState,
    consents: &'a Ledger,
    tokens: &'a [Vec<u8>],
    level: IdentityLevel,
}

fn brief(order: &Order<'_>) -> Result<Brief, Refusal> {
    let (intake, identity) = case();
    let material = Material {
        intake: &intake,
        identity: &identity,
        persons: &["HERON".to_owned(), "REED".to_owned()],
        level: order.level,
        also_leave_out: &["Sundra".to_owned()],
        assessment: "Urgent. HERON (Firstname Lastname) asks for quiet.",
        asked_of_you: "Who decides this week?",
    };
    let permission = Permission {
        defender: order.defender,
        onward: order.onward,
        consents: order.consents,
        tokens: order.tokens,
    };
    build(&material, &permission, [4; 16], NOW)
}

fn plain<'a>(defender: &'a TermsState, onward: &'a TermsState, consents: &'a Ledger) -> Order<'a> {
    Order { defender, onward, consents, tokens: &[], level: IdentityLevel::Alias }
}

/// What goes to the desk, as it is sealed.
fn content(brief: w::CaseBrief, onward: &TermsState) -> budstikke_case::Built {
    Draft::new(Leg::MissionMinistry, Role::MissionContactPerson, [7; 16], NOW)
        .to(DESK)
        .purpose(Purpose::Protection)
        .handling(Handling::Ministry)
        .terms(onward.agreed_hash().unwrap())
        .build(brief)
        .unwrap()
}

#[test]
fn a_brief_names_nobody_and_says_what_it_leaves_out() {
    let (defender, consents) = (standing(), Ledger::new());
    let onward = ministry(&defender);
    let built = brief(&plain(&defender, &onward, &consents)).unwrap();
    let sent = content(built.brief.clone(), &onward);
    let (intake, identity) = case();
    let secrets = identifying_texts(&identity, intake.source.as_ref());
    assert!(secrets.len() >= 4);
    assert!(!finds(&sent.bytes, &secrets));
    let words =
        ["firstname", "lastname", "the foreman", "REED-SISTER", "Sundra", "nurse", "Officer A"];
    for word in words {
        assert!(!finds(&sent.bytes, &[word.to_owned()]), "{word}");
    }
    // And finds a planted one.
    let mut planted = built.brief.clone();
    planted.incidents[0].what_happened.push_str(" (firstname lastname)");
    assert!(finds(&planted.encode_to_vec(), &secrets));
    // What is left is whole.
    assert_eq!(built.brief.incidents.len(), 3);
    assert_eq!(built.items, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(built.brief.incidents[0].happened_to, ["REED"]);
    assert_eq!(built.brief.independent_sources, 1);
    assert!(built.brief.assessment.contains("HERON ([…])"), "{}", built.brief.assessment);
    let wish = built.brief.wish.as_ref().unwrap();
    assert!(!wish.do_not_want.is_empty());
    let left = |field: &str, why: LeftOutWhy| {
        let entry = w::LeftOut { field: field.to_owned(), why: why.into() };
        assert!(built.brief.left_out.contains(&entry), "{field}");
    };
    left("source", LeftOutWhy::Source);
    left("identity[0]", LeftOutWhy::Identity);
    left("contact", LeftOutWhy::MissionOnly);
    left("alleged.actors[1].name", LeftOutWhy::ThirdParty);
    left("alleged.witness_refs", LeftOutWhy::ThirdParty);
    left("who.subjects[2]", LeftOutWhy::ThirdParty);
    left("incidents[1].what_happened", LeftOutWhy::Identity);
    left("what.works_in", LeftOutWhy::NotNeeded);
    // The desk takes it under its own terms.
    assert!(validate(&sent.content, Leg::MissionMinistry, Role::MissionContactPerson).is_ok());
    let passage = Passage::new(w::Transport::RelayQuic, DESK);
    assert!(may_accept(&sent.content, &onward, NOW, &passage).is_ok());
}

#[test]
fn the_defender_learns_who_has_got_what() {
    let (defender, consents) = (standing(), Ledger::new());
    let onward = ministry(&defender);
    let built = brief(&plain(&defender, &onward, &consents)).unwrap();
    let sent = content(built.brief.clone(), &onward);
    let rights = "You can ask us who has seen this.";
    let notice = built.notice(&sent.bytes, DESK, Purpose::Protection, rights, NOW);
    assert_eq!(notice.recipients, i32::from(RecipientClass::Ministry));
    assert_eq!((notice.kept_days, notice.unit.as_str()), (180, DESK));
    assert_eq!(notice.of_hash, budstikke_case::hash::brief_hash(&sent.bytes).to_vec());
    assert_eq!(notice.allowed_by, i32::from(OnwardMode::Standing));
    assert_eq!(notice.left_out, built.brief.left_out);
    let draft = Draft::new(LEG, Role::MissionContactPerson, [8; 16], NOW);
    assert!(draft.build(notice).is_ok());
}

#[test]
fn t05_t06_c01_what_the_terms_do_not_allow() {
    let consents = Ledger::new();
    let asks = |defender: &TermsState, onward: &TermsState, consents: &Ledger| {
        code(brief(&plain(defender, onward, consents)))
    };
    // The defender's terms first: none, never.
    let standing_terms = standing();
    let onward = ministry(&standing_terms);
    assert_eq!(asks(&TermsState::new(LEG), &onward, &consents), "T01");
    let mut never = standing();
    let mut file = terms("terms-offer.toml");
    file.terms.onward.clear();
    let (bytes, _) = file.encode();
    never.apply(TermsEvent::Proposed { by: Side::Asking, terms: bytes }, NOW).unwrap();
    assert_eq!(asks(&never, &onward, &consents), "T05", "while it is on the table already");
    // Then the leg's own.
    let none = TermsState::new(Leg::MissionMinistry);
    assert_eq!(asks(&standing_terms, &none, &consents), "T06");
    let mut suspended = ministry(&standing_terms);
    let kind = TermsChangeKind::Suspend;
    suspended.apply(TermsEvent::Changed { by: Side::Offering, kind, hash: None }, NOW).unwrap();
    assert_eq!(asks(&standing_terms, &suspended, &consents), "T06");
    // Terms of another defender's channel.
    let (asking, _) = in_force();
    assert_eq!(asks(&asking, &onward, &consents), "T03");
    // "Ask me each time": each person, and a proof.
    let onward = ministry(&asking);
    let refusal = brief(&plain(&asking, &onward, &consents)).unwrap_err();
    let person = "HERON".to_owned();
    assert_eq!(refusal, Refusal::ConsentMissing { person, scope: Scope::ShareMinistry });
    let reed = {
        let mut said = statement(GRANTED, NOW + 1);
        said.person = "REED".to_owned();
        said
    };
    let consents = ledger([statement(GRANTED, NOW), reed]);
    assert_eq!(asks(&asking, &onward, &consents), "C10");
    let heron = token(&signed(GRANTED, NOW), &[Scope::ShareMinistry]).encode_to_vec();
    let tokens = [heron.clone(), heron];
    let order = Order { tokens: &tokens[..1], ..plain(&asking, &onward, &consents) };
    assert_eq!(code(brief(&order)), "C10", "one for everybody");
    let order = Order { tokens: &tokens, ..order };
    let built = brief(&order).unwrap();
    assert_eq!(built.allowed_by, OnwardMode::AskEachTime);
    assert_eq!(built.brief.consent_tokens, tokens);
    // The desk looks for itself: nobody has proven anything for REED.
    let refusal = proven(&built.brief, Leg::MissionMinistry, &directory()).unwrap_err();
    let person = "REED".to_owned();
    assert_eq!(refusal, Refusal::ConsentMissing { person, scope: Scope::ShareMinistry });
    let mut alone = built.brief;
    alone.subjects.truncate(1);
    let statements = proven(&alone, Leg::MissionMinistry, &directory()).unwrap();
    assert_eq!(statements[0].claims.len(), 1);
    // More than an alias: neither terms allow it.
    let order = Order { level: IdentityLevel::Name, ..order };
    assert_eq!(code(brief(&order)), "T05");
    let order =
        Order { level: IdentityLevel::Organisation, ..plain(&standing_terms, &onward, &consents) };
    assert_eq!(code(brief(&order)), "T05");
}

/// T03, T05, C10 at the receiver: the leg's own terms are held against the brief once more.
#[test]
fn a_brief_keeps_to_the_terms_of_its_leg_on_both_sides() {
    let (defender, consents) = (standing(), Ledger::new());
    let onward = ministry(&defender);
    let sent = content(brief(&plain(&defender, &onward, &consents)).unwrap().brief, &onward);
    let passage = Passage::new(w::Transport::RelayQuic, DESK);
    let accept = |terms: &TermsState, edit: fn(&mut w::CaseBrief)| {
        let mut content = sent.content.clone();
        let Some(budstikke_case::Body::CaseBrief(brief)) = &mut content.body else { panic!() };
        edit(brief);
        let header = content.header.as_mut().unwrap();
        header.terms_hash = terms.agreed_hash().unwrap().to_vec();
        may_accept(&content, terms, NOW, &passage)
    };
    assert!(accept(&onward, |_| {}).is_ok());
    assert_eq!(code(accept(&onward, |b| b.under_terms_hash = vec![1; 32])), "T03");
    assert_eq!(code(accept(&onward, |b| b.identity = IdentityLevel::Name.into())), "T05");
    // Terms of the leg that ask each time, though the defender's do not.
    let tight = ministry_that(&defender, |terms| {
        terms.onward = vec![w::OnwardRule {
            recipients: RecipientClass::Ministry.into(),
            mode: OnwardMode::AskEachTime.into(),
            identity: IdentityLevel::Alias.into(),
        }];
    });
    assert_eq!(code(accept(&tight, |_| {})), "C10");
    assert_eq!(code(brief(&plain(&defender, &tight, &consents))), "C01");
}

/// A modified sender fills in what a brief never has.
#[test]
fn p02_c08_at_the_receiver() {
    let (defender, consents) = (standing(), Ledger::new());
    let onward = ministry(&defender);
    let sent = content(brief(&plain(&defender, &onward, &consents)).unwrap().brief, &onward);
    let with = |edit: fn(&mut w::CaseBrief)| {
        let mut content = sent.content.clone();
        let Some(budstikke_case::Body::CaseBrief(brief)) = &mut content.body else { panic!() };
        edit(brief);
        code(validate(&content, Leg::MissionMinistry, Role::MissionContactPerson))
    };
    assert_eq!(with(|b| b.alleged.as_mut().unwrap().actors[0].name = "The foreman".into()), "P02");
    assert_eq!(with(|b| b.alleged.as_mut().unwrap().witness_refs = vec!["X".into()]), "P02");
    assert_eq!(with(|b| b.authorities.as_mut().unwrap().reported_by = "X".into()), "P02");
    assert_eq!(with(|b| b.incidents[0].happened_to = vec!["REED-SISTER".into()]), "P02");
    assert_eq!(with(|b| b.subjects[0].name = "X".into()), "C08");
    assert_eq!(with(|b| b.subjects[0].organisation = "X".into()), "C08");
    // A level of a newer version shows an alias.
    assert_eq!(
        with(|b| {
            b.identity = 99;
            b.subjects[0].name = "X".into();
        }),
        "C08"
    );
    // A name without its own consent.
    assert_eq!(
        with(|b| {
            b.identity = IdentityLevel::Name.into();
            b.subjects[0].name = "X".into();
        }),
        "W02"
    );
    assert_eq!(with(|b| b.under_terms_hash.clear()), "W02");
    // And it goes nowhere near the defender's channel.
    assert_eq!(code(validate(&sent.content, LEG, Role::MissionContactPerson)), "W02");
    let to_heron = Draft::new(LEG, Role::MissionContactPerson, [7; 16], NOW);
    let Some(budstikke_case::Body::CaseBrief(brief)) = sent.content.body.clone() else { panic!() };
    assert_eq!(code(to_heron.purpose(Purpose::Protection).build(*brief)), "I03");
}

#[test]
fn expired_terms_let_nothing_out() {
    let (defender, consents) = (standing(), Ledger::new());
    let onward = ministry(&defender);
    let (intake, identity) = case();
    let material = Material {
        intake: &intake,
        identity: &identity,
        persons: &["HERON".to_owned()],
        level: IdentityLevel::Alias,
        also_leave_out: &[],
        assessment: "",
        asked_of_you: "",
    };
    let (consents, tokens) = (&consents, &[][..]);
    let permission = Permission { defender: &defender, onward: &onward, consents, tokens };
    let at = |days: i64| build(&material, &permission, [4; 16], NOW + days * DAY);
    assert!(at(59).is_ok());
    assert_eq!(code(at(61)), "T06");
    assert_eq!(code(at(181)), "T02");
}
