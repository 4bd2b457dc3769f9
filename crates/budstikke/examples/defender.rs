//! A defender's part: look at an invitation, compare the words, reach out, write, read the answer.
//!
//! ```text
//! cargo run -p budstikke --example defender -- FOLDER "$(cat invitation.txt)"
//! ```

use std::error::Error;
use std::path::Path;

use budstikke::case::wire::FreeText;
use budstikke::case::{Body, Received};
use budstikke::{Choice, Client, Event, Language, ReachOut, SendOptions};
use tokio_stream::StreamExt as _;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [folder, invitation] = arguments.as_slice() else {
        return Err("usage: defender FOLDER INVITATION".into());
    };
    println!("the mission answered: {}", run(Path::new(folder), invitation).await?);
    Ok(())
}

/// Writes to the mission of an invitation, and waits for what it answers.
pub(crate) async fn run(folder: &Path, invitation: &str) -> Result<String, Box<dyn Error>> {
    let client = Client::builder(folder.join("defender.vault"))
        .passphrase("defender: four long plain words")
        .create()
        .await?;
    let mission = client.look_up(invitation).await?;
    let words = mission.safety_words.words(Language::English).join(" ");
    println!("defender: {} says {words}", mission.name);
    let pseudonym = Some("HERON".to_owned());
    let request = ReachOut { choice: Choice::Accept(0), emergency: None, pseudonym };
    client.reach_out(request).await?;

    let mut events = client.events();
    let listening = client.listen();
    let writing = async {
        while let Some(event) = events.next().await {
            match event {
                Event::CaseOpened { case } => {
                    let text = "The nets are drying, but nobody has seen REED.".to_owned();
                    let letter = FreeText { text, distressing: false };
                    client.send(&case, letter, SendOptions::default()).await?;
                }
                Event::MessageReceived { case, number, .. } => {
                    let messages = client.case(&case).await?.messages;
                    let answer = messages.into_iter().find(|message| message.number == number);
                    let received = answer.map(|answer| Received::open(answer.content));
                    if let Some(Body::FreeText(letter)) =
                        received.transpose()?.and_then(|received| received.content().body.clone())
                    {
                        return Ok(letter.text);
                    }
                }
                _ => {}
            }
        }
        Err("the client was closed".into())
    };
    let answer: Result<String, Box<dyn Error>> = tokio::select! {
        ended = listening => { ended?; Err("the client was closed".into()) }
        answer = writing => answer,
    };
    client.close().await?;
    answer
}
