//! Which of two terms is stricter.

use crate::hash::Hash;
use crate::refusal::{Refusal, onward_words};
use crate::wire::{ChannelTerms, Handling, IdentityLevel, Leg, OnwardMode, RecipientClass};
use crate::words::{Word, described, strict};

/// What one class of recipients may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Onward {
    /// Whether at all.
    pub mode: OnwardMode,
    /// How much of an identity.
    pub identity: IdentityLevel,
}

impl Onward {
    /// Nothing.
    pub const NEVER: Self = Self { mode: OnwardMode::Never, identity: IdentityLevel::Alias };

    /// The terms' rule for a class number; of several the strictest, of none `NEVER`.
    pub(super) fn of(terms: &ChannelTerms, class: i32) -> Self {
        let rules = terms.onward.iter().filter(|rule| rule.recipients == class);
        let read = |rule: &crate::wire::OnwardRule| Self {
            mode: strict(rule.mode),
            identity: strict(rule.identity),
        };
        rules.map(read).reduce(Self::stricter).unwrap_or(Self::NEVER)
    }

    pub(super) fn stricter(self, other: Self) -> Self {
        Self { mode: least(self.mode, other.mode), identity: least(self.identity, other.identity) }
    }

    fn exceeds(self, allowed: Self) -> bool {
        self.mode != OnwardMode::Never && self.stricter(allowed) != self
    }
}

/// T05 where an onward leg's terms allow more than the terms with the defender; T03 where they
/// inherit from other terms than those.
pub(super) fn not_looser(
    onward: &ChannelTerms,
    defender: &ChannelTerms,
    defender_hash: Hash,
) -> Result<(), Refusal> {
    let inherits = Hash::from_slice(&onward.inherits_terms_hash);
    if inherits != Some(defender_hash) {
        return Err(Refusal::TermsHashMismatch { expected: Some(defender_hash), got: inherits });
    }
    for rule in &onward.onward {
        let (asked, allowed) =
            (Onward::of(onward, rule.recipients), Onward::of(defender, rule.recipients));
        if asked.exceeds(allowed) {
            let what = described::<RecipientClass>(rule.recipients).key().unwrap_or_default();
            return Err(exceeds(what, words(asked), words(allowed)));
        }
    }
    receiving_unit(onward, defender)?;
    let days = |terms: &ChannelTerms| terms.retention.as_ref().map_or(0, |kept| kept.ministry_days);
    if days(onward) > days(defender) {
        return Err(keeps_longer(days(onward), days(defender)));
    }
    let (asked, allowed) =
        (strict::<Handling>(onward.handling), widened(strict(defender.handling)));
    if i32::from(asked) > i32::from(allowed) {
        return Err(exceeds("handling".to_owned(), asked.name(), allowed.name()));
    }
    Ok(())
}

/// The unit at the end of the leg is itself a recipient.
fn receiving_unit(onward: &ChannelTerms, defender: &ChannelTerms) -> Result<(), Refusal> {
    let Some(class) = receiver(Leg::try_from(onward.leg).unwrap_or_default()) else {
        return Ok(());
    };
    let allowed = Onward::of(defender, class.into());
    let identity = strict(onward.identity);
    let asked = Onward { mode: least(OnwardMode::AskEachTime, allowed.mode), identity };
    if allowed.mode == OnwardMode::Never || asked.exceeds(allowed) {
        return Err(receiver_exceeds(class, identity, allowed));
    }
    Ok(())
}

/// The class of recipients that stands at the end of an onward leg.
pub(super) fn receiver(leg: Leg) -> Option<RecipientClass> {
    match leg {
        Leg::MissionMinistry => Some(RecipientClass::Ministry),
        Leg::MissionMultilateralMission => Some(RecipientClass::MultilateralMission),
        _ => None,
    }
}

/// The circle of readers that an onward leg may have: it widens the defender's to the unit at its end, and no further.
pub(super) fn widened(handling: Handling) -> Handling {
    if i32::from(handling) < i32::from(Handling::Ministry) { Handling::Ministry } else { handling }
}

/// T05: the leg itself, at this level of identity.
pub(super) fn receiver_exceeds(
    class: RecipientClass,
    identity: IdentityLevel,
    allowed: Onward,
) -> Refusal {
    let asked = onward_words(OnwardMode::AskEachTime, identity);
    exceeds(class.key(), asked, words(allowed))
}

/// T05: the Ministry's days.
pub(super) fn keeps_longer(asked: u32, allowed: u32) -> Refusal {
    exceeds("retention.ministry_days".to_owned(), asked.to_string(), allowed.to_string())
}

fn exceeds(what: String, asked: String, allowed: String) -> Refusal {
    Refusal::OnwardExceedsDefenderTerms { what, asked, allowed }
}

fn words(onward: Onward) -> String {
    onward_words(onward.mode, onward.identity)
}

/// Restricting enums are numbered from strict to loose.
pub(super) fn least<E: Word>(a: E, b: E) -> E {
    if a.into() <= b.into() { a } else { b }
}
