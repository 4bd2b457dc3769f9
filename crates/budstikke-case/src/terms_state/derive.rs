//! Terms of an onward leg, made from what its receiver offers so that they fit under the terms with the defender.

use super::compare::{self, Onward, least};
use super::{Phase, TermsState};
use crate::received::malformed;
use crate::refusal::{Fault, Refusal};
use crate::validate::validate_terms;
use crate::wire::{ChannelTerms, Leg, OnwardMode, OnwardRule, Purpose, RecipientClass, Retention};
use crate::words::strict;

/// What the terms with a defender let pass to the unit at the end of `leg`, at `now` (Unix seconds).
///
/// # Errors
/// T01 or T02 when they are not in force, T05 when they let nothing pass, W02 for a leg that leads to no such unit.
pub fn may_pass_on(defender: &TermsState, leg: Leg, now: i64) -> Result<Onward, Refusal> {
    let reader = compare::receiver(leg).ok_or_else(not_onward)?;
    match defender.phase(now) {
        Phase::InForce | Phase::Amending => {}
        Phase::Expired => {
            let since = defender.agreed().map_or(now, |terms| terms.valid_until_s);
            return Err(Refusal::TermsExpired { since });
        }
        state => return Err(Refusal::TermsNotInForce { leg: defender.leg(), state }),
    }
    let allowed = defender.onward(reader, now);
    if allowed.mode == OnwardMode::Never {
        return Err(compare::receiver_exceeds(reader, Onward::NEVER.identity, allowed));
    }
    Ok(allowed)
}

/// Terms for an onward leg between `units`: the receiver's offer, cut down to what the terms with the defender allow,
/// and naming those. Of every bound the stricter of the two counts. `now` in Unix seconds.
///
/// # Errors
/// As [`may_pass_on`]; T02 for an offer past its date; T05 when the defender's terms leave the receiver no time to
/// keep anything; P01 when the two have no purpose in common; W02 and P04 for an offer that is not in order.
pub fn onward_terms(
    offer: &ChannelTerms,
    defender: &TermsState,
    units: &[&str],
    now: i64,
) -> Result<ChannelTerms, Refusal> {
    let leg = Leg::try_from(offer.leg).map_err(|_| not_onward())?;
    let allowed = may_pass_on(defender, leg, now)?;
    let (Some(bound), Some(hash), Some(reader)) =
        (defender.agreed(), defender.agreed_hash(), compare::receiver(leg))
    else {
        return Err(Refusal::TermsNotInForce { leg: defender.leg(), state: Phase::None });
    };
    if now >= offer.valid_until_s {
        return Err(Refusal::TermsExpired { since: offer.valid_until_s });
    }
    let identity = least(strict(offer.identity), allowed.identity);
    // The leg itself widens the circle to the unit at its end, and no further.
    let handling = least(strict(offer.handling), compare::widened(strict(bound.handling)));
    let terms = ChannelTerms {
        units: units.iter().map(|unit| (*unit).to_owned()).collect(),
        retention: offer.retention.map(|kept| retention(kept, bound, leg)).transpose()?,
        onward: onward(offer, defender, (reader, Onward { identity, ..allowed }), now),
        purposes: purposes(offer, defender)?,
        identity: identity.into(),
        handling: handling.into(),
        attachments_keep_metadata: offer.attachments_keep_metadata
            && bound.attachments_keep_metadata,
        inherits_terms_hash: hash.to_vec(),
        valid_until_s: offer.valid_until_s.min(bound.valid_until_s),
        ..offer.clone()
    };
    validate_terms(&terms, leg)?;
    compare::not_looser(&terms, bound, hash)?;
    Ok(terms)
}

/// The rule for the reader itself tells its client whether the defender is asked each time; the reader may ask for
/// more care than the defender does, not for less. Then the classes that both let have something.
fn onward(
    offer: &ChannelTerms,
    defender: &TermsState,
    (reader, allowed): (RecipientClass, Onward),
    now: i64,
) -> Vec<OnwardRule> {
    let rule = |recipients, onward: Onward| OnwardRule {
        recipients,
        mode: onward.mode.into(),
        identity: onward.identity.into(),
    };
    let says = |class: i32| offer.onward.iter().any(|rule| rule.recipients == class);
    let careful =
        says(reader.into()) && Onward::of(offer, reader.into()).mode != OnwardMode::Standing;
    let mode = if careful { OnwardMode::AskEachTime } else { allowed.mode };
    let mut rules = vec![rule(reader.into(), Onward { mode, ..allowed })];
    for offered in &offer.onward {
        let class = offered.recipients;
        let Ok(known) = RecipientClass::try_from(class) else { continue };
        if rules.iter().any(|rule| rule.recipients == class) {
            continue;
        }
        let both = Onward::of(offer, class).stricter(defender.onward(known, now));
        if both.mode != OnwardMode::Never {
            rules.push(rule(class, both));
        }
    }
    rules
}

fn retention(kept: Retention, bound: &ChannelTerms, leg: Leg) -> Result<Retention, Refusal> {
    let bound = bound.retention.unwrap_or_default();
    if leg == Leg::MissionMinistry && bound.ministry_days == 0 {
        return Err(compare::keeps_longer(kept.ministry_days, 0));
    }
    Ok(Retention {
        mission_days: kept.mission_days.min(bound.mission_days),
        ministry_days: kept.ministry_days.min(bound.ministry_days),
        ..kept
    })
}

/// What the defender's terms are for. Running the channel and answering for people's rights need no agreement.
fn purposes(offer: &ChannelTerms, defender: &TermsState) -> Result<Vec<i32>, Refusal> {
    let agreed = defender.purposes();
    let always = [Purpose::RunningTheChannel, Purpose::RightsRequest];
    let kept = |raw: &i32| {
        Purpose::try_from(*raw).is_ok_and(|p| agreed.contains(&p) || always.contains(&p))
    };
    let purposes: Vec<i32> = offer.purposes.iter().copied().filter(kept).collect();
    match offer.purposes.first() {
        Some(first) if purposes.is_empty() => {
            let to = Purpose::try_from(*first).unwrap_or_default();
            Err(Refusal::PurposeIncompatible { from: agreed, to })
        }
        _ => Ok(purposes),
    }
}

fn not_onward() -> Refusal {
    malformed("leg", Fault::Contradiction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::Side;
    use crate::terms_state::TermsEvent;
    use crate::wire::{Handling, IdentityLevel, TermsKind, Transport};
    use proptest::prelude::*;
    use prost::Message as _;

    const NOW: i64 = 1_793_868_000;
    const DAY: i64 = 86_400;
    const UNITS: [&str; 2] = ["no.emb.karvonia", "no.mfa.desk"];

    fn rule(class: RecipientClass, mode: OnwardMode, identity: IdentityLevel) -> OnwardRule {
        OnwardRule { recipients: class.into(), mode: mode.into(), identity: identity.into() }
    }

    fn terms(leg: Leg) -> ChannelTerms {
        ChannelTerms {
            kind: TermsKind::Ordinary.into(),
            leg: leg.into(),
            units: vec![UNITS[0].to_owned()],
            title: "Terms".to_owned(),
            retention: Some(Retention {
                defender_device_hours: 48,
                mission_days: 300,
                ministry_days: 200,
                archive_duty: false,
            }),
            transports: vec![Transport::RelayQuic.into()],
            purposes: vec![Purpose::Protection.into(), Purpose::RunningTheChannel.into()],
            identity: IdentityLevel::Name.into(),
            handling: Handling::Partners.into(),
            valid_from_s: NOW - DAY,
            valid_until_s: NOW + 90 * DAY,
            ..ChannelTerms::default()
        }
    }

    /// Terms with a defender that let the Ministry have this.
    fn agreed(mode: OnwardMode, identity: IdentityLevel) -> ChannelTerms {
        let expectations = crate::wire::Expectations {
            we_can: vec!["Answer.".to_owned()],
            we_cannot: vec!["Promise.".to_owned()],
            known_risks: vec!["Others see that you write.".to_owned()],
            usual_reply_hours: 24,
            as_of_s: NOW,
        };
        ChannelTerms {
            expectations: Some(expectations),
            onward: vec![rule(RecipientClass::Ministry, mode, identity)],
            ..terms(Leg::DefenderMission)
        }
    }

    fn state(terms: &ChannelTerms) -> TermsState {
        let mut state = TermsState::new(Leg::DefenderMission);
        let bytes = terms.encode_to_vec();
        let hash = crate::hash::terms_hash(&bytes);
        state.apply(TermsEvent::Offered { by: Side::Offering, terms: bytes }, NOW).unwrap();
        let yes = TermsEvent::Accepted { by: Side::Asking, hash, notice: None };
        state.apply(yes, NOW).unwrap();
        state
    }

    fn derive(
        offer: &ChannelTerms,
        defender: &ChannelTerms,
        now: i64,
    ) -> Result<ChannelTerms, Refusal> {
        onward_terms(offer, &state(defender), &UNITS, now)
    }

    #[test]
    fn of_every_bound_the_stricter() {
        let mut offer = terms(Leg::MissionMinistry);
        offer.attachments_keep_metadata = true;
        offer.purposes.push(Purpose::Reporting.into());
        offer.onward = vec![
            rule(RecipientClass::UnBody, OnwardMode::Standing, IdentityLevel::Name),
            rule(RecipientClass::Nhri, OnwardMode::AskEachTime, IdentityLevel::Name),
        ];
        let mut defender = agreed(OnwardMode::AskEachTime, IdentityLevel::Organisation);
        defender.onward.push(rule(
            RecipientClass::Nhri,
            OnwardMode::Standing,
            IdentityLevel::Alias,
        ));
        defender.retention =
            Some(Retention { mission_days: 30, ministry_days: 20, ..defender.retention.unwrap() });
        defender.handling = Handling::CaseTeam.into();
        defender.valid_until_s = NOW + 10 * DAY;
        let line = derive(&offer, &defender, NOW).unwrap();
        assert_eq!(line.units, UNITS);
        assert_eq!(line.identity(), IdentityLevel::Organisation);
        assert_eq!(line.handling(), Handling::Ministry);
        let kept = line.retention.unwrap();
        assert_eq!((kept.mission_days, kept.ministry_days), (30, 20));
        assert_eq!(line.valid_until_s, NOW + 10 * DAY);
        assert!(!line.attachments_keep_metadata);
        assert_eq!(line.purposes, terms(Leg::MissionMinistry).purposes);
        let expected = [
            rule(RecipientClass::Ministry, OnwardMode::AskEachTime, IdentityLevel::Organisation),
            rule(RecipientClass::Nhri, OnwardMode::AskEachTime, IdentityLevel::Alias),
        ];
        assert_eq!(line.onward, expected, "the UN gets nothing from the defender's terms");
        let hash = state(&defender).agreed_hash().unwrap();
        assert_eq!(line.inherits_terms_hash, hash.to_vec());
    }

    #[test]
    fn an_offer_tighter_than_the_defenders_terms_stays() {
        let mut offer = terms(Leg::MissionMinistry);
        offer.identity = 0;
        offer.handling = Handling::Ministry.into();
        offer.valid_until_s = NOW + DAY;
        offer.onward =
            vec![rule(RecipientClass::Ministry, OnwardMode::Never, IdentityLevel::Alias)];
        offer.retention.as_mut().unwrap().ministry_days = 5;
        let line = derive(&offer, &agreed(OnwardMode::Standing, IdentityLevel::Name), NOW).unwrap();
        assert_eq!(line.identity(), IdentityLevel::Alias);
        assert_eq!(line.handling(), Handling::Ministry);
        assert_eq!(line.valid_until_s, NOW + DAY);
        assert_eq!(line.retention.unwrap().ministry_days, 5);
        let asked = rule(RecipientClass::Ministry, OnwardMode::AskEachTime, IdentityLevel::Alias);
        assert_eq!(line.onward, [asked]);
    }

    #[test]
    fn what_the_defenders_terms_do_not_let_pass() {
        let offer = terms(Leg::MissionMinistry);
        let code = |defender: &ChannelTerms, now| derive(&offer, defender, now).unwrap_err().code();
        let standing = agreed(OnwardMode::Standing, IdentityLevel::Alias);
        assert_eq!(code(&agreed(OnwardMode::Never, IdentityLevel::Name), NOW), "T05");
        assert_eq!(code(&ChannelTerms { onward: Vec::new(), ..standing.clone() }, NOW), "T05");
        let mut nothing_kept = standing.clone();
        nothing_kept.retention.as_mut().unwrap().ministry_days = 0;
        assert_eq!(code(&nothing_kept, NOW), "T05");
        assert_eq!(code(&standing, NOW + 91 * DAY), "T02");
        let none = TermsState::new(Leg::DefenderMission);
        assert_eq!(onward_terms(&offer, &none, &UNITS, NOW).unwrap_err().code(), "T01");
        let mut reporting = offer.clone();
        reporting.purposes = vec![Purpose::Reporting.into()];
        assert_eq!(derive(&reporting, &standing, NOW).unwrap_err().code(), "P01");
        let past = ChannelTerms { valid_until_s: NOW, ..offer.clone() };
        assert_eq!(derive(&past, &standing, NOW).unwrap_err().code(), "T02");
        let elsewhere = terms(Leg::DefenderMission);
        assert_eq!(derive(&elsewhere, &standing, NOW).unwrap_err().code(), "W02");
    }

    /// While the defender's terms are being changed the stricter of old and new holds.
    #[test]
    fn terms_on_their_way_out_let_nothing_more_pass() {
        let mut defender = state(&agreed(OnwardMode::Standing, IdentityLevel::Name));
        let never = agreed(OnwardMode::Never, IdentityLevel::Alias).encode_to_vec();
        defender.apply(TermsEvent::Proposed { by: Side::Asking, terms: never }, NOW).unwrap();
        let refused = may_pass_on(&defender, Leg::MissionMinistry, NOW).unwrap_err();
        assert_eq!(refused.code(), "T05");
    }

    prop_compose! {
        /// Terms with numbers of newer versions, double rules and any bound.
        fn any_terms(leg: Leg)(
            identity in 0..5_i32,
            handling in 0..7_i32,
            rules in prop::collection::vec((1..6_i32, 0..5_i32, 0..5_i32), 0..8),
            days in (0..400_u32, 0..400_u32),
            purposes in prop::collection::vec(1..9_i32, 1..6),
            from in -30..10_i64,
            until in 1..120_i64,
            keep in any::<bool>(),
        ) -> ChannelTerms {
            let onward = rules.into_iter().map(|(recipients, mode, identity)| {
                OnwardRule { recipients, mode, identity }
            });
            ChannelTerms {
                identity,
                handling,
                onward: onward.collect(),
                retention: Some(Retention {
                    defender_device_hours: 48,
                    mission_days: days.0,
                    ministry_days: days.1,
                    archive_duty: keep,
                }),
                purposes,
                valid_from_s: NOW + from * DAY,
                valid_until_s: NOW + until * DAY,
                attachments_keep_metadata: keep,
                ..terms(leg)
            }
        }
    }

    proptest! {
        /// Whatever the desk offers and whatever was agreed with the defender: what comes out is no looser, is in
        /// order and can be put on the table, or nothing comes out.
        #[test]
        fn never_looser(
            offer in any_terms(Leg::MissionMinistry),
            defender in any_terms(Leg::DefenderMission),
        ) {
            // Agreed as a modified client would have stored it, past the check of its fields.
            let bytes = defender.encode_to_vec();
            let hash = crate::hash::terms_hash(&bytes);
            let stored = crate::wire::TermsRecord {
                leg: Leg::DefenderMission.into(),
                in_force: Some(crate::wire::AgreedTerms { terms: bytes.clone(), since_s: NOW }),
                ..Default::default()
            };
            let state = TermsState::from_bytes(&stored.encode_to_vec()).unwrap();
            let allowed = state.onward(RecipientClass::Ministry, NOW);
            match onward_terms(&offer, &state, &UNITS, NOW) {
                Ok(line) => {
                    prop_assert_eq!(compare::not_looser(&line, &defender, hash), Ok(()));
                    prop_assert!(line.valid_until_s <= defender.valid_until_s);
                    let mut onward = TermsState::onward_of(Leg::MissionMinistry, bytes).unwrap();
                    let step = TermsEvent::Proposed {
                        by: Side::Asking,
                        terms: line.encode_to_vec(),
                    };
                    prop_assert!(onward.apply(step, NOW).is_ok());
                }
                Err(refusal) => {
                    let sound = allowed.mode != OnwardMode::Never
                        && defender.retention.is_some_and(|r| r.ministry_days > 0 && r.mission_days > 0)
                        && validate_terms(&offer, Leg::MissionMinistry).is_ok()
                        && offer.valid_from_s < defender.valid_until_s;
                    prop_assert!(!sound || refusal.code() == "P01", "{refusal}");
                }
            }
        }
    }
}
