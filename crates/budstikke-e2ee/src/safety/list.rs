//! The word list: `proto/safety-words.tsv`, a concept a line, a language a column.

use std::sync::OnceLock;

/// A language that the list speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Language {
    /// `en`
    English,
    /// `fr`
    French,
    /// `es`
    Spanish,
    /// `ar`
    Arabic,
    /// `ru`
    Russian,
}

impl Language {
    /// All of them, in the list's order.
    pub const ALL: [Self; 5] =
        [Self::English, Self::French, Self::Spanish, Self::Arabic, Self::Russian];

    /// Its code (ISO 639-1), like `fr`.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
            Self::Spanish => "es",
            Self::Arabic => "ar",
            Self::Russian => "ru",
        }
    }

    /// Its own name for itself.
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::French => "français",
            Self::Spanish => "español",
            Self::Arabic => "العربية",
            Self::Russian => "русский",
        }
    }

    /// The language of a tag or a locale's name, like `fr`, `fr-CA` or `fr_FR.UTF-8`.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let base = tag.split(['-', '_', '.', '@']).next()?.to_ascii_lowercase();
        Self::ALL.into_iter().find(|language| language.code() == base)
    }
}

/// The word of a concept.
pub(super) fn word(place: usize, language: Language) -> &'static str {
    rows().get(place).and_then(|row| row.get(language as usize)).copied().unwrap_or_default()
}

fn rows() -> &'static [Vec<&'static str>] {
    static ROWS: OnceLock<Vec<Vec<&'static str>>> = OnceLock::new();
    ROWS.get_or_init(|| {
        include_str!("../../../../proto/safety-words.tsv")
            .lines()
            .map(|line| line.split('\t').collect())
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// As many as nine bits tell apart.
    const LEN: usize = 512;

    /// As people hear and type a word: without accents, and without what Arabic writes both ways.
    fn plain(word: &str) -> Vec<char> {
        let fold = |letter: char| match letter {
            'à' | 'â' | 'á' | 'ä' => 'a',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'î' | 'ï' | 'í' => 'i',
            'ô' | 'ó' | 'ö' => 'o',
            'û' | 'ù' | 'ú' | 'ü' => 'u',
            'ç' => 'c',
            'ñ' => 'n',
            'ё' => 'е',
            'أ' | 'إ' | 'آ' => 'ا',
            'ة' => 'ه',
            'ى' => 'ي',
            other => other,
        };
        word.chars().map(fold).collect()
    }

    fn column(language: Language) -> Vec<Vec<char>> {
        (0..LEN).map(|place| plain(word(place, language))).collect()
    }

    /// One letter more, fewer or other makes no other word.
    fn near(a: &[char], b: &[char]) -> bool {
        let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
        let same = short.iter().zip(long).take_while(|(x, y)| x == y).count();
        match long.len() - short.len() {
            0 => short[(same + 1).min(short.len())..] == long[(same + 1).min(long.len())..],
            1 => short[same..] == long[same + 1..],
            _ => false,
        }
    }

    #[test]
    fn every_concept_has_a_word_in_every_language() {
        assert_eq!(rows().len(), LEN);
        let letters = |letter: char, language| match language {
            Language::Arabic => ('\u{0621}'..='\u{064A}').contains(&letter) && letter != 'ـ',
            Language::Russian => ('а'..='я').contains(&letter),
            _ => letter.is_lowercase() && !('а'..='я').contains(&letter),
        };
        for row in rows() {
            assert_eq!(row.len(), Language::ALL.len(), "{row:?}");
        }
        for language in Language::ALL {
            for place in 0..LEN {
                let word = word(place, language);
                let length = word.chars().count();
                assert!((2..=11).contains(&length), "{word}");
                assert!(word.chars().all(|letter| letters(letter, language)), "{word}");
            }
        }
    }

    #[test]
    fn no_word_is_mistaken_for_another() {
        for language in Language::ALL {
            let words = column(language);
            for (place, one) in words.iter().enumerate() {
                for other in &words[place + 1..] {
                    let (one, other): (String, String) =
                        (one.iter().collect(), other.iter().collect());
                    let near = near(&plain(&one), &plain(&other));
                    assert!(!near, "{language:?}: {one} and {other}");
                }
            }
            // Four letters tell a word.
            let starts: BTreeSet<Vec<char>> =
                words.iter().map(|word| word.iter().take(4).copied().collect()).collect();
            assert_eq!(starts.len(), LEN, "{language:?}");
        }
    }

    #[test]
    fn languages_are_found_by_their_tags() {
        assert_eq!(Language::of_tag("fr_FR.UTF-8"), Some(Language::French));
        assert_eq!(Language::of_tag("AR"), Some(Language::Arabic));
        assert_eq!(Language::of_tag("nb-NO"), None);
        assert_eq!(Language::of_tag("C"), None);
        for language in Language::ALL {
            assert_eq!(Language::of_tag(language.code()), Some(language));
        }
    }
}
