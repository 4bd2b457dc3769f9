//! One intake from the parts in which it was told (Box 2.6; sent as ready).

use crate::wire::CaseIntake;

/// Joins parts, oldest first. Of an item told twice the newer telling counts; incidents and reactions of others add
/// up, and one that was told twice in the same words counts once.
pub fn merge(parts: &[CaseIntake]) -> CaseIntake {
    let mut whole = CaseIntake::default();
    for part in parts.iter().cloned() {
        macro_rules! item {
            ($($field:ident)*) => {$(
                if part.$field.is_some() {
                    whole.$field = part.$field;
                }
            )*};
        }
        item!(who what link alleged authorities source contact actions results updates wish);
        add(&mut whole.incidents, part.incidents);
        add(&mut whole.others, part.others);
        add(&mut whole.not_now, part.not_now);
        add(&mut whole.rather_not_say, part.rather_not_say);
        whole.more_follows = part.more_follows;
    }
    whole
}

fn add<T: PartialEq>(whole: &mut Vec<T>, part: Vec<T>) {
    for one in part {
        if !whole.contains(&one) {
            whole.push(one);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{IncidentRecord, Item02What};

    fn incident(what: &str) -> IncidentRecord {
        IncidentRecord { what_happened: what.to_owned(), ..IncidentRecord::default() }
    }

    fn part(what: Option<&str>, incidents: &[&str], more_follows: bool) -> CaseIntake {
        CaseIntake {
            what: what
                .map(|text| Item02What { activities: text.to_owned(), ..Item02What::default() }),
            incidents: incidents.iter().map(|what| incident(what)).collect(),
            more_follows,
            ..CaseIntake::default()
        }
    }

    #[test]
    fn parts_add_up_and_a_repeat_counts_once() {
        let parts = [
            part(Some("teaches"), &["arrest"], true),
            part(None, &["arrest", "letter"], true),
            part(Some("teaches and measures water"), &["car"], false),
            part(None, &["car"], false),
        ];
        let whole = merge(&parts);
        let told: Vec<_> = whole.incidents.iter().map(|i| i.what_happened.as_str()).collect();
        assert_eq!(told, ["arrest", "letter", "car"]);
        assert_eq!(whole.what, parts[2].what);
        assert!(!whole.more_follows);
        assert_eq!(merge(&[whole.clone(), whole.clone()]), whole);
    }
}
