//! Compiles `proto/budstikke/e2ee/v1` without an installed `protoc`.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = "../../proto";
    let files = ["cert", "contact", "envelope", "group", "team"]
        .map(|name| format!("budstikke/e2ee/v1/{name}.proto"));
    println!("cargo:rerun-if-changed={root}/budstikke/e2ee");
    let set = protox::compile(files, [root])?;
    // No `Debug` of its own on what may hold secrets: see `redacted` in `lib.rs`.
    prost_build::Config::new().skip_debug(["."]).compile_fds(set)?;
    Ok(())
}
