//! Which of two terms is stricter.

use crate::hash::Hash;
use crate::refusal::{Refusal, onward_words};
use crate::wire::{ChannelTerms, Handling, IdentityLevel, OnwardMode, RecipientClass};
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
        let what = "retention.ministry_days".to_owned();
        return Err(exceeds(what, days(onward).to_string(), days(defender).to_string()));
    }
    let (asked, allowed) = (strict::<Handling>(onward.handling), strict(defender.handling));
    // The leg itself widens the circle to the unit at its end, and no further.
    let allowed = if i32::from(allowed) < i32::from(Handling::Ministry) {
        Handling::Ministry
    } else {
        allowed
    };
    if i32::from(asked) > i32::from(allowed) {
        return Err(exceeds("handling".to_owned(), asked.name(), allowed.name()));
    }
    Ok(())
}

/// The unit at the end of the leg is itself a recipient.
fn receiving_unit(onward: &ChannelTerms, defender: &ChannelTerms) -> Result<(), Refusal> {
    use crate::wire::Leg;
    let class = match Leg::try_from(onward.leg) {
        Ok(Leg::MissionMinistry) => RecipientClass::Ministry,
        Ok(Leg::MissionMultilateralMission) => RecipientClass::MultilateralMission,
        _ => return Ok(()),
    };
    let allowed = Onward::of(defender, class.into());
    let identity = strict(onward.identity);
    let asked = Onward { mode: least(OnwardMode::AskEachTime, allowed.mode), identity };
    if allowed.mode == OnwardMode::Never || asked.exceeds(allowed) {
        let asked = onward_words(OnwardMode::AskEachTime, identity);
        return Err(exceeds(class.key(), asked, words(allowed)));
    }
    Ok(())
}

fn exceeds(what: String, asked: String, allowed: String) -> Refusal {
    Refusal::OnwardExceedsDefenderTerms { what, asked, allowed }
}

fn words(onward: Onward) -> String {
    onward_words(onward.mode, onward.identity)
}

/// Restricting enums are numbered from strict to loose.
fn least<E: Word>(a: E, b: E) -> E {
    if a.into() <= b.into() { a } else { b }
}
