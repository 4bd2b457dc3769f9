//! `relay-crowd [CONNECTIONS]`: how a relay bears 10,000 connections that say nothing. Prints what it measured.

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(10_000);
    let folder = tempfile::tempdir()?;
    // The time for all to come, on a slow machine too.
    let report = budstikke_tests::crowd::stand_around(folder.path(), count, 90).await;
    println!("{report:#?}");
    Ok(())
}
