//! Compiles the case schema with protox (no protoc needed) and writes two tables beside it: the
//! shape of every message, which `scan` checks received bytes against, and `Debug`
//! implementations that print a type's name only, because a case must not reach a log.

use std::fmt::Write as _;

use prost_build::Config;
use protox::prost_reflect::{Cardinality, DescriptorPool, Kind, MessageDescriptor};

const FILES: [&str; 2] = ["budstikke/case/v1/content.proto", "budstikke/case/v1/local.proto"];
/// Arms of `Content.body` that would make every message large in memory.
const LARGE: [&str; 14] = [
    "privacy_notice",
    "emergency_contact",
    "case_intake",
    "identity_sheet",
    "case_brief",
    "risk_assessment",
    "handover",
    "consent_record",
    "action_plan",
    "approval_request",
    "alert",
    "escalation_contact",
    "effect_report",
    "disclosure_notice",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::path::Path::new("../../proto");
    println!("cargo:rerun-if-changed=../../proto/budstikke/case");
    let files = protox::compile(FILES, [root])?;
    let pool = DescriptorPool::from_file_descriptor_set(files.clone())?;
    let messages: Vec<_> = pool.all_messages().collect();

    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("shapes.rs"), shapes(&messages)?)?;
    std::fs::write(out.join("debug.rs"), debug(&messages)?)?;

    let mut config = Config::new();
    config.skip_debug(messages.iter().map(|m| format!(".{}", m.full_name())));
    for arm in LARGE {
        config.boxed(format!(".budstikke.case.v1.Content.body.{arm}"));
    }
    config.compile_fds(files)?;
    Ok(())
}

/// One `Shape` per message: its fields, which of them repeat, which oneof they belong to.
fn shapes(messages: &[MessageDescriptor]) -> Result<String, Box<dyn std::error::Error>> {
    let mut text = String::from("static SHAPES: &[Shape] = &[\n");
    for message in messages {
        writeln!(text, "Shape {{ name: {:?}, fields: &[", message.name())?;
        for field in message.fields() {
            let nested = match field.kind() {
                Kind::Message(inner) => messages.iter().position(|m| *m == inner),
                _ => None,
            };
            let repeated = field.cardinality() == Cardinality::Repeated;
            // An explicit-presence field sits in a oneof of its own, which asks nothing more.
            let oneof = field.containing_oneof().is_some_and(|o| o.fields().count() > 1);
            writeln!(
                text,
                "Field {{ number: {}, repeated: {repeated}, oneof: {oneof}, nested: {nested:?} }},",
                field.number(),
            )?;
        }
        text.push_str("] },\n");
    }
    text.push_str("];\n");
    Ok(text)
}

fn debug(messages: &[MessageDescriptor]) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for message in messages {
        let name = message.name();
        writeln!(
            text,
            "impl ::core::fmt::Debug for {name} {{\n    fn fmt(&self, f: &mut \
             ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {{ f.write_str({name:?}) }}\n}}"
        )?;
    }
    Ok(text)
}
