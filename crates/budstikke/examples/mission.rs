//! A mission's part: ask the Ministry for a certificate, publish terms, invite, answer, write.
//!
//! ```text
//! cargo run -p budstikke --example mission -- FOLDER bud://…@host:port   writes FOLDER/unit.request
//! cargo run -p budstikke --example ministry -- FOLDER                    writes FOLDER/unit.certificate
//! cargo run -p budstikke --example mission -- FOLDER                     writes FOLDER/invitation.txt, then answers
//! ```

use std::error::Error;
use std::path::Path;

use budstikke::case::file::{Format, PrivacyNoticeFile, TermsFile};
use budstikke::case::wire::FreeText;
use budstikke::clock::Clock;
use budstikke::{Client, Decision, Event, Language, Offer, Role, SendOptions, UnitKind, UnitSetup};
use tokio_stream::StreamExt as _;

const PASSPHRASE: &str = "mission: four long plain words";
const TERMS: &str = include_str!("../../../tests/data/terms-offer.toml");
const PRIVACY: &str = include_str!("../../../tests/data/privacy-notice.toml");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: mission FOLDER [bud://RELAY]")?;
    match std::env::args().nth(2) {
        Some(relay) => request(Path::new(&folder), &relay).await,
        None => serve(Path::new(&folder)).await,
    }
}

/// Makes the mission's keys and the request to the Ministry.
pub(crate) async fn request(folder: &Path, relay: &str) -> Result<(), Box<dyn Error>> {
    let client =
        Client::builder(folder.join("mission.vault")).passphrase(PASSPHRASE).create().await?;
    let setup = UnitSetup {
        unit_id: "no.emb.karvonia".into(),
        name: "Embassy in Karvonia".into(),
        kind: UnitKind::BilateralMission,
        officer: "Officer A".into(),
        roles: vec![Role::ContactPerson],
        relays: vec![relay.to_owned()],
    };
    std::fs::write(folder.join("unit.request"), client.request_unit(setup).await?)?;
    client.close().await?;
    Ok(())
}

/// Installs the certificate, publishes, invites; then answers the first defender and their first letter.
pub(crate) async fn serve(folder: &Path) -> Result<(), Box<dyn Error>> {
    let client =
        Client::builder(folder.join("mission.vault")).passphrase(PASSPHRASE).open().await?;
    client.install_unit(&std::fs::read_to_string(folder.join("unit.certificate"))?).await?;
    let now = Clock::system().now();
    let published = client
        .publish(Offer {
            terms: vec![TermsFile::parse(TERMS, Format::Toml, now)?],
            emergency: None,
            privacy: PrivacyNoticeFile::parse(PRIVACY, Format::Toml, now)?,
        })
        .await?;
    std::fs::write(folder.join("invitation.txt"), client.invitation().await?)?;
    let words = published.safety_words.words(Language::English).join(" ");
    println!("mission: our words are {words}");

    // The listener fetches, sends and tells; what to say is decided beside it.
    let mut events = client.events();
    let listening = client.listen();
    let answering = async {
        while let Some(event) = events.next().await {
            match event {
                Event::ContactArrived { contact, .. } => {
                    let case = client.answer(&contact, Decision::Accept).await?;
                    println!("mission: {contact} became case {case}");
                }
                Event::MessageReceived { case, number, kind } if kind == "free-text" => {
                    println!("mission: a letter in case {case}");
                    let text = "We have read it, and will answer within a day.".to_owned();
                    let options = SendOptions { in_reply_to: Some(number), ..Default::default() };
                    client.send(&case, FreeText { text, distressing: false }, options).await?;
                    client.sync().await?;
                    break;
                }
                _ => {}
            }
        }
        Ok::<_, budstikke::Error>(())
    };
    tokio::select! {
        ended = listening => ended?,
        done = answering => done?,
    }
    client.close().await?;
    Ok(())
}
