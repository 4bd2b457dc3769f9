//! Takes names out of what people wrote, and finds them in bytes.
//!
//! Masking is literal: whole words, whatever the case. It cannot know a nickname or a misspelling,
//! so an officer reads the brief before it goes.

use super::Material;
use crate::wire::{
    CaseBrief, FuzzyTime, IdentityLevel, IdentitySheet, LeftOut, LeftOutWhy, SourceSheet,
};

const MASK: &str = "[…]";
/// Shorter texts would match by chance.
const SHORTEST: usize = 3;

/// Texts of identity sheets and of item 8 that tell who somebody is.
pub fn identifying_texts(sheets: &[IdentitySheet], source: Option<&SourceSheet>) -> Vec<String> {
    let sheets = sheets.iter().flat_map(|sheet| [&sheet.name, &sheet.organisation, &sheet.contact]);
    let source = source.into_iter().flat_map(|source| [&source.who, &source.how_received]);
    let long = |text: &&String| text.trim().chars().count() >= SHORTEST;
    sheets.chain(source).filter(long).map(|text| text.trim().to_owned()).collect()
}

/// Whether any of the texts stands in the bytes, whatever the case.
pub fn finds(bytes: &[u8], texts: &[String]) -> bool {
    let hay = String::from_utf8_lossy(bytes).to_lowercase();
    texts.iter().any(|text| !text.is_empty() && hay.contains(&text.to_lowercase()))
}

/// Masks every text of a brief and notes where.
pub(super) fn mask(brief: &mut CaseBrief, m: &Material<'_>) {
    let needles = needles(m);
    let mut left_out = std::mem::take(&mut brief.left_out);
    each_text(brief, &mut |field, text| {
        for (needle, why) in &needles {
            if let Some(masked) = replace(text, needle) {
                *text = masked;
                let entry = LeftOut { field: field.clone(), why: (*why).into() };
                if !left_out.contains(&entry) {
                    left_out.push(entry);
                }
            }
        }
    });
    // The receiver's own limit; the rest is said by the masks themselves.
    left_out.truncate(256);
    brief.left_out = left_out;
}

/// What to take out, longest first, so that a name goes before its parts.
fn needles(m: &Material<'_>) -> Vec<(Vec<char>, LeftOutWhy)> {
    let mut all: Vec<(String, LeftOutWhy)> = Vec::new();
    let mut add = |text: &str, why| {
        if text.trim().chars().count() >= SHORTEST {
            all.push((text.trim().to_owned(), why));
        }
    };
    for sheet in m.identity {
        let about = m.persons.contains(&sheet.subject_ref);
        let shows = |level: IdentityLevel| about && i32::from(m.level) >= i32::from(level);
        if !shows(IdentityLevel::Name) {
            add(&sheet.name, LeftOutWhy::Identity);
            // Parts of a name are names; words in small letters are not.
            let names = sheet.name.split_whitespace();
            names
                .filter(|part| part.chars().next().is_some_and(char::is_uppercase))
                .for_each(|part| add(part, LeftOutWhy::Identity));
        }
        if !shows(IdentityLevel::Organisation) {
            add(&sheet.organisation, LeftOutWhy::Identity);
        }
        add(&sheet.contact, LeftOutWhy::Identity);
    }
    if let Some(source) = &m.intake.source {
        add(&source.who, LeftOutWhy::Source);
        add(&source.how_received, LeftOutWhy::Source);
    }
    let subjects = m.intake.who.iter().flat_map(|who| &who.subjects);
    for subject in subjects.filter(|subject| !m.persons.contains(&subject.r#ref)) {
        add(&subject.r#ref, LeftOutWhy::ThirdParty);
    }
    if let Some(alleged) = &m.intake.alleged {
        alleged.actors.iter().for_each(|actor| add(&actor.name, LeftOutWhy::ThirdParty));
        let refs = alleged.witness_refs.iter().filter(|alias| !m.persons.contains(*alias));
        refs.for_each(|alias| add(alias, LeftOutWhy::ThirdParty));
    }
    m.also_leave_out.iter().for_each(|text| add(text, LeftOutWhy::NotNeeded));
    all.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    all.into_iter().map(|(text, why)| (text.chars().collect(), why)).collect()
}

/// The text with every whole-word occurrence masked; `None` where there is none.
fn replace(text: &str, needle: &[char]) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let (mut at, mut found) = (0, false);
    while let Some(rest) = chars.get(at..).filter(|rest| !rest.is_empty()) {
        let before = at.checked_sub(1).and_then(|i| chars.get(i));
        let after = rest.get(needle.len());
        let same =
            rest.len() >= needle.len() && rest.iter().zip(needle).all(|(a, b)| alike(*a, *b));
        if same && !before.is_some_and(|c| in_word(*c)) && !after.is_some_and(|c| in_word(*c)) {
            out.push_str(MASK);
            (at, found) = (at + needle.len(), true);
        } else {
            out.extend(rest.first());
            at += 1;
        }
    }
    found.then_some(out)
}

fn alike(a: char, b: char) -> bool {
    a.to_lowercase().eq(b.to_lowercase()) || (a.is_whitespace() && b.is_whitespace())
}

/// An alias may have a hyphen in it: REED is not in REED-SISTER.
fn in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_')
}

/// Every text that somebody wrote, with its path in the intake.
fn each_text(brief: &mut CaseBrief, f: &mut dyn FnMut(String, &mut String)) {
    let when =
        |time: &mut Option<FuzzyTime>, path: String, f: &mut dyn FnMut(String, &mut String)| {
            if let Some(time) = time {
                f(path, &mut time.as_told);
            }
        };
    if let Some(wish) = &mut brief.wish {
        f("wish.want".to_owned(), &mut wish.want);
        f("wish.do_not_want".to_owned(), &mut wish.do_not_want);
    }
    if let Some(what) = &mut brief.what {
        f("what.activities".to_owned(), &mut what.activities);
        f("what.works_in".to_owned(), &mut what.works_in);
        let describe = &mut what.how_they_describe_themselves;
        f("what.how_they_describe_themselves".to_owned(), describe);
        f("what.gender_specific".to_owned(), &mut what.gender_specific);
    }
    for (index, incident) in brief.incidents.iter_mut().enumerate() {
        let at = |field: &str| format!("incidents[{index}].{field}");
        when(&mut incident.when, at("when"), f);
        f(at("where"), &mut incident.r#where);
        f(at("what_happened"), &mut incident.what_happened);
        f(at("how_threat_was_made"), &mut incident.how_threat_was_made);
        if let Some(detention) = &mut incident.detention {
            f(at("detention.held_where"), &mut detention.held_where);
            f(at("detention.conditions"), &mut detention.conditions);
            f(at("detention.charge"), &mut detention.charge);
            f(at("detention.court_case"), &mut detention.court_case);
            when(&mut detention.next_hearing, at("detention.next_hearing"), f);
            when(&mut detention.released, at("detention.released"), f);
        }
    }
    if let Some(link) = &mut brief.link {
        f("link.why_they_think_so".to_owned(), &mut link.why_they_think_so);
        f("link.earlier_incidents_what".to_owned(), &mut link.earlier_incidents_what);
        f("link.others_what".to_owned(), &mut link.others_what);
        f("link.reprisal_what".to_owned(), &mut link.reprisal_what);
    }
    for (index, actor) in brief.alleged.iter_mut().flat_map(|a| &mut a.actors).enumerate() {
        let at = |field: &str| format!("alleged.actors[{index}].{field}");
        f(at("gender"), &mut actor.gender);
        f(at("title_or_unit"), &mut actor.title_or_unit);
        f(at("why_suspected"), &mut actor.why_suspected);
    }
    if let Some(authorities) = &mut brief.authorities {
        f("authorities.response".to_owned(), &mut authorities.response);
        f("authorities.public_where".to_owned(), &mut authorities.public_where);
        when(&mut authorities.reported_when, "authorities.reported_when".to_owned(), f);
    }
    for (index, other) in brief.others.iter_mut().enumerate() {
        f(format!("others[{index}].who"), &mut other.who);
        f(format!("others[{index}].response"), &mut other.response);
        when(&mut other.when, format!("others[{index}].when"), f);
    }
    f("assessment".to_owned(), &mut brief.assessment);
    f("asked_of_you".to_owned(), &mut brief.asked_of_you);
}
