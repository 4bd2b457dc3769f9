//! Compiles `proto/budstikke/e2ee/v1` without an installed `protoc`.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = "../../proto";
    let files = ["cert", "contact", "directory", "envelope", "group", "held", "reserve", "team"]
        .map(|name| format!("budstikke/e2ee/v1/{name}.proto"));
    println!("cargo:rerun-if-changed={root}/budstikke/e2ee");
    let set = protox::compile(files, [root])?;
    // No `Debug` of its own on what may hold secrets: the crate's own types print their names only.
    let mut config = prost_build::Config::new();
    config.skip_debug(["."]);
    for secret in
        ["Route", "IntakeKeyShare", "GrantRecord", "Invitation", "Frame", "JoinCode", "ReserveHalf"]
    {
        let name = format!(".budstikke.e2ee.v1.{secret}");
        config.type_attribute(name, "#[derive(zeroize::Zeroize, zeroize::ZeroizeOnDrop)]");
    }
    config.field_attribute(".budstikke.e2ee.v1.Invitation.relays", "#[zeroize(skip)]");
    config.field_attribute(".budstikke.e2ee.v1.Frame.adds", "#[zeroize(skip)]");
    config.field_attribute(".budstikke.e2ee.v1.JoinCode.relay", "#[zeroize(skip)]");
    config.compile_fds(set)?;
    Ok(())
}
