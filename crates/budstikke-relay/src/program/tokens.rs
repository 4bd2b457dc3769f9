//! `budstikke-relay tokens`: an issuer's keys, and issuing. It reads requests that tell it nothing and prints answers;
//! it never sees a token.

use std::io::{BufRead, Read as _, Write};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use budstikke_proto::token::{self, ANSWER_TEXT, IssuerKey, REQUEST_TEXT};
use clap::Subcommand;
use data_encoding::BASE64;
use rand_core::OsRng;

use super::{EX_CONFIG, EX_IOERR, Failure};
use crate::admission::tokens::{DatedKey, load_issuer, save_issuer};

const EX_USAGE: u8 = 2;
const EX_DATA: u8 = 65;
/// The longest text of requests: 100 of 512 bytes in base64, with room for line breaks.
const MAX_TEXT: u64 = 1 << 20;
/// The longest request: 512 bytes in base64.
const MAX_LINE: usize = 1_024;

/// What an issuer does.
#[derive(Debug, Subcommand)]
pub(super) enum Tokens {
    /// Make a key for one time: the secret half for the issuer, the public half for relays and clients.
    Keygen {
        /// New file for the secret half; whoever has it can make tokens.
        #[arg(long, value_name = "FILE")]
        secret: PathBuf,
        /// New file for the public half.
        #[arg(long, value_name = "FILE")]
        public: PathBuf,
        /// Days for which its tokens can be spent, 1 to 400. Give all clients of that time the same key.
        #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=400))]
        days: u32,
        /// RSA bits, 2048 to 4096.
        #[arg(long, value_name = "BITS", default_value_t = 2048, value_parser = clap::value_parser!(u32).range(2048..=4096))]
        bits: u32,
    },
    /// Sign requests: a text of `bud token request` in, the answer for `bud token accept` out; or base64, line by line.
    /// Who may have tokens is the issuer's to decide before.
    Issue {
        /// The secret half.
        #[arg(long, value_name = "FILE")]
        secret: PathBuf,
        /// Sign at most this many.
        #[arg(long, value_name = "COUNT", default_value_t = 100)]
        most: u32,
    },
}

/// Runs one command.
pub(super) fn run(
    command: &Tokens,
    input: impl BufRead,
    output: &mut impl Write,
) -> Result<(), Failure> {
    match command {
        Tokens::Keygen { secret, public, days, bits } => {
            let bits = usize::try_from(*bits).unwrap_or(0);
            let key = IssuerKey::generate(bits, &mut OsRng)
                .map_err(|error| (EX_USAGE, error.to_string()))?;
            let expires_s = now().saturating_add(i64::from(*days) * 86_400);
            let dated = key.public().map(|key| DatedKey { key, expires_s });
            let dated = dated.map_err(|error| (EX_CONFIG, error.to_string()))?;
            save_issuer(&key, secret).map_err(|error| (EX_IOERR, error.to_string()))?;
            dated.save(public).map_err(|error| (EX_IOERR, error.to_string()))
        }
        Tokens::Issue { secret, most } => {
            let key = load_issuer(secret).map_err(|error| (EX_CONFIG, error.to_string()))?;
            issue(&key, *most, input, output)
        }
    }
}

fn issue(
    key: &IssuerKey,
    most: u32,
    mut input: impl BufRead,
    output: &mut impl Write,
) -> Result<(), Failure> {
    let failed = |error: std::io::Error| (EX_IOERR, error.to_string());
    let is_text = input.fill_buf().map_err(failed)?.trim_ascii_start().first() == Some(&b'b');
    let mut begun = Vec::new();
    if is_text {
        std::io::Read::take(&mut input, MAX_TEXT).read_to_end(&mut begun).map_err(failed)?;
    }
    match std::str::from_utf8(&begun) {
        Ok(text) if text.trim_start().starts_with(REQUEST_TEXT) => {
            issue_text(key, most, text, output)
        }
        _ => issue_lines(key, most, begun.as_slice().chain(input), output),
    }
}

/// Signs what `bud token request` wrote: all of it or nothing.
fn issue_text(
    key: &IssuerKey,
    most: u32,
    text: &str,
    output: &mut impl Write,
) -> Result<(), Failure> {
    let requests = token::from_text(REQUEST_TEXT, text)
        .map_err(|error| (EX_DATA, format!("the request cannot be read: {error}")))?;
    if requests.len() > usize::try_from(most).unwrap_or(usize::MAX) {
        let sentence = format!("it asks for {} tokens; --most allows {most}", requests.len());
        return Err((EX_DATA, sentence));
    }
    let answers: Result<Vec<_>, _> =
        requests.iter().map(|request| key.sign(request, &mut OsRng)).collect();
    let answer = answers.and_then(|answers| token::to_text(ANSWER_TEXT, &answers));
    let answer = answer.map_err(|error| (EX_DATA, error.to_string()))?;
    writeln!(output, "{answer}")
        .and_then(|()| output.flush())
        .map_err(|error| (EX_IOERR, error.to_string()))
}

fn issue_lines(
    key: &IssuerKey,
    most: u32,
    mut input: impl BufRead,
    output: &mut impl Write,
) -> Result<(), Failure> {
    let failed = |error: std::io::Error| (EX_IOERR, error.to_string());
    for number in 1..=most {
        let mut line = Vec::new();
        let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
        std::io::Read::take(&mut input, limit).read_until(b'\n', &mut line).map_err(failed)?;
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let request = BASE64.decode(line.trim_ascii()).ok();
        let answer = request.and_then(|request| key.sign(&request, &mut OsRng).ok());
        let Some(answer) = answer else {
            let sentence = format!("line {number} is no request for a token of this key");
            return Err((EX_DATA, sentence));
        };
        writeln!(output, "{}", BASE64.encode(&answer)).map_err(failed)?;
    }
    output.flush().map_err(failed)
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
