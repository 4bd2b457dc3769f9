//! The Ministry's part: certify a mission. Run it in the folder in which `mission` left its request.
//!
//! ```text
//! cargo run -p budstikke --example ministry -- FOLDER
//! ```

use std::error::Error;
use std::path::Path;

use budstikke::Client;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: ministry FOLDER")?;
    run(Path::new(&folder)).await
}

/// Founds the Ministry, certifies the unit that asks in `FOLDER/unit.request`, writes `FOLDER/unit.certificate`.
pub(crate) async fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let client = Client::builder(folder.join("ministry.vault"))
        .passphrase("ministry: four long plain words")
        .create()
        .await?;
    let card = client.found_ministry("Ministry of Foreign Affairs").await?;
    println!("ministry: root {}", card.root_fingerprint);

    // Make sure in person that a request is that mission's: this is the root of everybody's trust.
    let request = std::fs::read_to_string(folder.join("unit.request"))?;
    let certificate = client.certify_unit(&request).await?;
    println!("ministry: certified {} ({})", certificate.name, certificate.unit_id);
    std::fs::write(folder.join("unit.certificate"), &certificate.text)?;
    client.close().await?;
    Ok(())
}
