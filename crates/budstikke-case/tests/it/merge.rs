//! An intake told in parts: whatever the order, the repeats and the gaps, nothing that was told is lost.

use budstikke_case::merge;
use budstikke_case::wire::{
    CaseIntake, ExpressedWish, IncidentRecord, Item02What, Item04Link, Item05Alleged,
    Item06Authorities, Item10Actions, Item12Updates, OtherReaction, SourceSheet,
};
use proptest::prelude::*;

/// Items that stand once in an intake, those without much to tell them apart left out.
const ITEMS: usize = 8;

/// One item and nothing else; `told` sets two tellings of it apart.
fn item(place: usize, told: u8) -> CaseIntake {
    let (mut part, text) = (CaseIntake::default(), format!("told {told}"));
    match place {
        0 => part.what = Some(Item02What { activities: text, ..Default::default() }),
        1 => part.link = Some(Item04Link { why_they_think_so: text, ..Default::default() }),
        2 => part.alleged = Some(Item05Alleged { witnesses: told.into(), ..Default::default() }),
        3 => part.authorities = Some(Item06Authorities { response: text, ..Default::default() }),
        4 => part.source = Some(SourceSheet { who: text, ..Default::default() }),
        5 => part.actions = Some(Item10Actions { embassy_could: text, ..Default::default() }),
        6 => part.updates = Some(Item12Updates { changed_since_last: text, ..Default::default() }),
        _ => part.wish = Some(ExpressedWish { want: text, ..Default::default() }),
    }
    part
}

fn incidents(numbers: Vec<u8>) -> Vec<IncidentRecord> {
    let incident = |number| IncidentRecord {
        what_happened: format!("incident {number}"),
        ..IncidentRecord::default()
    };
    numbers.into_iter().map(incident).collect()
}

fn others(numbers: Vec<u8>) -> Vec<OtherReaction> {
    let reaction =
        |number| OtherReaction { who: format!("organisation {number}"), ..Default::default() };
    numbers.into_iter().map(reaction).collect()
}

prop_compose! {
    fn part()(
        place in 0..ITEMS,
        told: u8,
        happened in prop::collection::vec(0_u8..12, 0..5),
        reacted in prop::collection::vec(0_u8..6, 0..3),
        rather_not_say in prop::collection::vec(1_u32..13, 0..3),
        more_follows: bool,
    ) -> CaseIntake {
        let (incidents, others) = (incidents(happened), others(reacted));
        CaseIntake { incidents, others, rather_not_say, more_follows, ..item(place, told) }
    }
}

/// Parts that each tell of something else.
fn apart() -> impl Strategy<Value = Vec<CaseIntake>> {
    let items: Vec<_> =
        (0..ITEMS).map(|place| any::<u8>().prop_map(move |told| item(place, told))).collect();
    let happened = prop::collection::vec(0_u8..12, 0..8)
        .prop_map(|numbers| CaseIntake { incidents: incidents(numbers), ..Default::default() });
    let reacted = prop::collection::vec(0_u8..6, 0..4)
        .prop_map(|numbers| CaseIntake { others: others(numbers), ..Default::default() });
    (items, happened, reacted).prop_map(|(mut parts, happened, reacted)| {
        parts.extend([happened, reacted]);
        parts
    })
}

fn parts() -> impl Strategy<Value = Vec<CaseIntake>> {
    prop::collection::vec(part(), 0..8)
}

proptest! {
    /// A part that comes twice, or a whole that is joined again, changes nothing.
    #[test]
    fn told_twice_is_told_once(parts in parts()) {
        let whole = merge(&parts);
        prop_assert!(merge(std::slice::from_ref(&whole)) == whole);
        prop_assert!(merge(&[parts.clone(), parts.clone()].concat()) == whole);
        let each_twice: Vec<_> = parts.iter().flat_map(|part| [part.clone(), part.clone()]).collect();
        prop_assert!(merge(&each_twice) == whole);
        // Joined as it comes in, or all at once.
        let growing = parts.iter().fold(CaseIntake::default(), |known, part| {
            merge(&[known, part.clone()])
        });
        prop_assert!(growing == whole);
    }

    /// Parts of different items may overtake each other on the way.
    #[test]
    fn the_order_of_different_items_is_nothing(
        (parts, shuffled) in apart().prop_flat_map(|parts| {
            (Just(parts.clone()), Just(parts).prop_shuffle())
        }),
    ) {
        prop_assert!(merge(&parts) == merge(&shuffled));
    }

    /// Every incident that anybody told is there, once, in the order in which it was first told.
    #[test]
    fn no_incident_is_lost(parts in parts()) {
        let whole = merge(&parts);
        let mut told: Vec<&IncidentRecord> = Vec::new();
        for incident in parts.iter().flat_map(|part| &part.incidents) {
            if !told.contains(&incident) {
                told.push(incident);
            }
        }
        prop_assert!(whole.incidents.iter().eq(told));
        for part in &parts {
            prop_assert!(part.others.iter().all(|other| whole.others.contains(other)));
            let silent = &part.rather_not_say;
            prop_assert!(silent.iter().all(|item| whole.rather_not_say.contains(item)));
        }
    }

    /// Of an item told twice the newest telling stands, and none falls away because another part is silent on it.
    #[test]
    fn the_newest_telling_stands(parts in parts()) {
        let whole = merge(&parts);
        let newest = |part: &&CaseIntake| part.what.is_some();
        prop_assert!(whole.what == parts.iter().rev().find(newest).and_then(|p| p.what.clone()));
        let newest = |part: &&CaseIntake| part.wish.is_some();
        prop_assert!(whole.wish == parts.iter().rev().find(newest).and_then(|p| p.wish.clone()));
        prop_assert!(whole.more_follows == parts.last().is_some_and(|part| part.more_follows));
    }
}
