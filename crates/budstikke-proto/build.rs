//! Compiles the relay's schema with protox, so that no protoc is needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::path::Path::new("../../proto");
    println!("cargo:rerun-if-changed=../../proto/budstikke/relay");
    let files = protox::compile(["budstikke/relay/v1/relay.proto"], [root])?;
    prost_build::Config::new().compile_fds(files)?;
    Ok(())
}
