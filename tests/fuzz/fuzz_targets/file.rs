//! Files that people write: read, or refused with a place; never half of it.
#![no_main]

use budstikke_case::file::{
    AlertFile, ConsentFile, ConsentRequestFile, EffectFile, FactsFile, Format, IntakeFile,
    PlanFile, RiskFile, TermsFile,
};
use libfuzzer_sys::fuzz_target;

const NOW: i64 = 1_793_868_000;

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let format = if kind & 0x80 == 0 { Format::Toml } else { Format::Json };
    let error = match kind & 0x0f {
        0 => ConsentFile::parse(text, format, NOW).err(),
        1 => ConsentRequestFile::parse(text, format).err(),
        2 => RiskFile::parse(text, format, NOW).err(),
        3 => FactsFile::parse(text, format, NOW).err(),
        4 => PlanFile::parse(text, format).map(|plan| plan.encode([1; 16])).err(),
        5 => AlertFile::parse(text, format, NOW).err(),
        6 => EffectFile::parse(text, format, NOW).err(),
        7 => TermsFile::parse(text, format, NOW).err(),
        _ => IntakeFile::parse(text, format).err(),
    };
    assert!(error.is_none_or(|error| !error.to_string().is_empty()));
});
