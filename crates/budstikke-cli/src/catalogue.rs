//! Every text a person reads, by key, in their language: Fluent files embedded from `locales/`.

use std::borrow::Cow;

use budstikke::Language;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::LanguageIdentifier;

/// `(language, Fluent source)`, one pair for each file.
const SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/locales.rs"));

/// The language everything falls back to.
const FALLBACK: &str = "en";

/// Texts by key: the chosen language first, English for what it does not have.
pub(crate) struct Catalogue {
    bundles: Vec<FluentBundle<FluentResource>>,
    words: Language,
}

/// A named value inside a text.
pub(crate) type Arg<'a> = (&'a str, FluentValue<'a>);

/// The text of a key with named values: `t!(catalogue, "answered", id = name)`.
macro_rules! t {
    ($catalogue:expr, $key:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $catalogue.text($key, &[$((stringify!($name), $value.into())),*])
    };
}
pub(crate) use t;

impl Catalogue {
    /// The catalogue for `wanted`, like `en` or `nb-NO`; English where there is no such language.
    pub(crate) fn new(wanted: Option<&str>) -> Self {
        let language = wanted.and_then(best).unwrap_or(FALLBACK);
        let mut bundles = vec![bundle(language)];
        if language != FALLBACK {
            bundles.push(bundle(FALLBACK));
        }
        let words = wanted.and_then(Language::of_tag).unwrap_or(Language::English);
        Self { bundles, words }
    }

    /// The language of safety words: there are more of these than of texts.
    pub(crate) fn words(&self) -> Language {
        self.words
    }

    /// For this process: `--lang` anywhere in the arguments, else BUD_LANG, else the locale. Looked
    /// up before the arguments are parsed, because the parser's own help is in the catalogue.
    pub(crate) fn for_process(args: &[std::ffi::OsString]) -> Self {
        let asked = args.iter().enumerate().find_map(|(i, arg)| match arg.to_str()? {
            "--lang" => args.get(i + 1)?.to_str().map(str::to_owned),
            text => text.strip_prefix("--lang=").map(str::to_owned),
        });
        let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let wanted = asked
            .or_else(|| env("BUD_LANG"))
            .or_else(|| env("LC_ALL"))
            .or_else(|| env("LC_MESSAGES"))
            .or_else(|| env("LANG"));
        Self::new(wanted.as_deref())
    }

    /// Languages there are.
    #[cfg(test)]
    pub(crate) fn languages() -> Vec<&'static str> {
        let mut names: Vec<_> = SOURCES.iter().map(|(name, _)| *name).collect();
        names.dedup();
        names
    }

    /// Whether the key has a text.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.bundles.iter().any(|bundle| bundle.has_message(key))
    }

    /// The text of `key`; the key itself where there is none, which a test rules out.
    pub(crate) fn text(&self, key: &str, args: &[Arg<'_>]) -> String {
        let args: FluentArgs<'_> =
            args.iter().map(|(k, v)| (Cow::Borrowed(*k), v.clone())).collect();
        for bundle in &self.bundles {
            let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
                continue;
            };
            let mut problems = Vec::new();
            let text = bundle.format_pattern(pattern, Some(&args), &mut problems).into_owned();
            debug_assert!(problems.is_empty(), "{key}: {problems:?}");
            return text;
        }
        debug_assert!(false, "no text for {key}");
        key.to_owned()
    }

    /// The text of `key` where there is one.
    pub(crate) fn maybe(&self, key: &str) -> Option<String> {
        self.has(key).then(|| self.text(key, &[]))
    }
}

/// `nb_NO.UTF-8` → `nb-NO`, then `nb`; `C` and `POSIX` give nothing.
fn best(wanted: &str) -> Option<&'static str> {
    let tag = wanted.split(['.', '@']).next()?.replace('_', "-").to_lowercase();
    let base = tag.split('-').next()?.to_owned();
    let find = |name: &str| {
        SOURCES.iter().map(|(language, _)| *language).find(|l| l.to_lowercase() == name)
    };
    find(&tag).or_else(|| find(&base))
}

fn bundle(language: &str) -> FluentBundle<FluentResource> {
    let id: LanguageIdentifier = language.parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![id]);
    // Isolation marks are invisible in most terminals and garbage in the rest.
    bundle.set_use_isolating(false);
    for (_, source) in SOURCES.iter().filter(|(name, _)| *name == language) {
        let resource = match FluentResource::try_new((*source).to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        let added = bundle.add_resource(resource);
        debug_assert!(added.is_ok(), "a key stands twice: {added:?}");
    }
    bundle
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_parse_and_no_key_stands_twice() {
        for language in Catalogue::languages() {
            let mut all = FluentBundle::new_concurrent(vec![language.parse().unwrap()]);
            for (_, source) in SOURCES.iter().filter(|(name, _)| *name == language) {
                let resource = FluentResource::try_new((*source).to_owned())
                    .unwrap_or_else(|(_, errors)| panic!("{language}: {errors:?}"));
                all.add_resource(resource).unwrap();
            }
        }
    }

    #[test]
    fn languages_are_found_from_locale_names() {
        assert_eq!(best("en_GB.UTF-8"), Some("en"));
        assert_eq!(best("EN"), Some("en"));
        assert_eq!(best("C"), None);
        assert_eq!(best("C.UTF-8"), None);
        assert!(Catalogue::new(Some("xx")).has("cmd-bud"));
    }
}
