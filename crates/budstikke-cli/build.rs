//! Embeds every `locales/<language>/*.ftl`, so that a language is added by dropping a folder.

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=locales");
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("locales");
    let mut code = String::from("&[\n");
    for language in sorted(&root)? {
        let name = language.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for file in sorted(&language)? {
            let path = file.to_string_lossy();
            if file.extension().is_some_and(|extension| extension == "ftl") {
                writeln!(code, "    ({name:?}, include_str!({path:?})),")?;
            }
        }
    }
    code.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("locales.rs"), code)?;
    Ok(())
}

fn sorted(folder: &Path) -> Result<Vec<std::path::PathBuf>, Box<dyn Error>> {
    let mut entries =
        fs::read_dir(folder)?.map(|e| Ok(e?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    entries.sort();
    Ok(entries)
}
