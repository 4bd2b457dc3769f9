//! What `bud` prints, word for word: the cases in `tests/transcripts/`. Each runs in a folder of its
//! own, without a terminal, without a relay. `TRYCMD=overwrite` writes them anew; read the diff.

#[test]
fn transcripts() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data");
    trycmd::TestCases::new()
        .env("LANG", "C.UTF-8")
        .env("TZ", "UTC")
        .env("COLUMNS", "100")
        .env("BUD_TEST_DATA", data)
        .case("tests/transcripts/*.trycmd");
}
