//! Blind tokens (SPEC.md section 6.1): asking an issuer for them, keeping them, and paying for a mailbox with one.
//!
//! A token is held for one mailbox, durably, before the relay sees it, and goes with the transaction that keeps the
//! mailbox's id. Whatever happens in between, the same token comes with the same mailbox again.

use std::collections::BTreeMap;

use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::descriptor::MailboxPrice;
use budstikke_proto::id::{RecvId, RecvPk, RelayId, TokenKeyId};
use budstikke_proto::limits::MAX_TTL_DAYS;
use budstikke_proto::token::{
    ANSWER_TEXT, Blinding, MAX_REQUESTS, REQUEST_TEXT, Token, TokenKey, from_text, to_text,
};
use data_encoding::{BASE64, HEXLOWER};
use rand_core::{OsRng, RngCore};
use serde::Deserialize;

use crate::client::{Client, Work, parse_address};
use crate::error::Error;
use crate::records::{self, Record, TokenRecord, TokenRequestRecord};
use crate::relay::{RelayClient, RelayError};

/// A request for tokens, to be carried to the issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// The text for the issuer. It tells nothing about the tokens.
    pub text: String,
    /// How many tokens it asks for.
    pub count: usize,
    /// The relay that they are for.
    pub relay: String,
    /// SHA-256 of the issuer's key, 64 hexadecimal digits. Everybody who gets tokens should see the same.
    pub key: String,
    /// Unix second after which they can't be spent.
    pub valid_until: i64,
}

/// An issuer's answer, taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokensAccepted {
    /// New tokens in the vault.
    pub count: usize,
    /// How many fewer than were asked for.
    pub missing: usize,
    /// The relay that they are for.
    pub relay: String,
    /// SHA-256 of the issuer's key, 64 hexadecimal digits.
    pub key: String,
    /// Unix second after which they can't be spent.
    pub valid_until: i64,
}

/// The tokens for one relay under one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenStock {
    /// The relay that they are for.
    pub relay: String,
    /// SHA-256 of the issuer's key, 64 hexadecimal digits.
    pub key: String,
    /// Tokens that can be spent.
    pub ready: usize,
    /// Tokens that were sent with a mailbox whose relay has not answered yet.
    pub under_way: usize,
    /// Tokens that an issuer was asked for and has not answered.
    pub asked: usize,
    /// Unix second after which they can't be spent.
    pub valid_until: i64,
}

/// What a text or a file about tokens is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenText {
    /// A request for so many, for an issuer.
    Request(usize),
    /// An issuer's answer with so many signatures. Whether they are good, only the vault that asked can tell.
    Answer(usize),
    /// An issuer's public key.
    Key {
        /// Its SHA-256, 64 hexadecimal digits.
        key: String,
        /// Last Unix second at which its tokens can be spent.
        valid_until: i64,
    },
}

impl TokenText {
    /// Reads a text that begins as one of these; `None` for any other.
    ///
    /// # Errors
    /// [`Error::Trust`] for a damaged text, [`Error::Input`] for a key file that is none.
    pub fn read(text: &str) -> Result<Option<Self>, Error> {
        let start = text.trim_start();
        Ok(Some(if start.starts_with(REQUEST_TEXT) {
            Self::Request(from_text(REQUEST_TEXT, text)?.len())
        } else if start.starts_with(ANSWER_TEXT) {
            Self::Answer(from_text(ANSWER_TEXT, text)?.len())
        } else if start.starts_with("expires_s") {
            let (key, valid_until) = read_key_file(text)?;
            Self::Key { key: HEXLOWER.encode(key.id().as_bytes()), valid_until }
        } else {
            return Ok(None);
        }))
    }
}

impl Client {
    /// Draws `count` (1 to 100) tokens for a relay and blinds them; the text goes to the issuer. `key_file` is the
    /// issuer's public file, the same for everybody. Talks to nobody.
    ///
    /// # Errors
    /// [`Error::Input`] for a relay address, a count, or a key file that can't be used or has ended.
    pub async fn request_tokens(
        &self,
        relay: &str,
        key_file: &str,
        count: usize,
    ) -> Result<TokenRequest, Error> {
        let address = parse_address(relay)?;
        let (key, expires_s) = read_key_file(key_file)?;
        if expires_s < self.now() {
            return Err(bad_key("its time is over; ask the issuer for the new one"));
        }
        if !(1..=MAX_REQUESTS).contains(&count) {
            let why = format!("ask for 1 to {MAX_REQUESTS} at once");
            return Err(Error::Input { what: "number of tokens", why });
        }
        self.vault(move |work| request(work, &address, &key, expires_s, count)).await
    }

    /// Takes an issuer's answer, makes the tokens and checks each.
    ///
    /// # Errors
    /// [`Error::Trust`] for a text that is damaged or something else; [`Error::Input`] for an answer that fits no
    /// request of this vault, or of which a signature is wrong: nothing of it is kept.
    pub async fn accept_tokens(&self, answer: &str) -> Result<TokensAccepted, Error> {
        let answers = from_text(ANSWER_TEXT, answer)?;
        self.vault(move |work| accept(work, &answers)).await
    }

    /// The tokens of this vault whose time is not over, by relay and key.
    ///
    /// # Errors
    /// [`Error::Vault`].
    pub async fn tokens(&self) -> Result<Vec<TokenStock>, Error> {
        self.vault(stock).await
    }

    /// Makes a planned mailbox: with a token where the relay takes one and the vault has one, else with work. One
    /// that is there is found again, and costs nothing.
    pub(crate) async fn open_mailbox(
        &self,
        relay: &RelayClient,
        owner: &CapabilityKey,
        is_new: bool,
    ) -> Result<RecvId, Error> {
        if !is_new {
            match relay.find(owner, MAX_TTL_DAYS).await {
                Err(RelayError::WorkRequired | RelayError::TokenRequired) => {}
                found => return Ok(found?),
            }
        }
        let (id, recv_pk) = (relay.address().id, owner.recv_pk());
        if self.vault(move |work| has_any(work, &id)).await? {
            let (price, keys) = relay.mailbox_price().await?;
            let takes = price != MailboxPrice::Work;
            let held = self.vault(
                move |work| {
                    if takes { hold(work, &id, &recv_pk, &keys) } else { Ok(None) }
                },
            );
            if let Some(token) = held.await? {
                match relay.create_with_token(owner, MAX_TTL_DAYS, &token).await {
                    Err(RelayError::TokenRefused) => {
                        self.vault(move |work| forget_spent(work, &recv_pk)).await?;
                        if price == MailboxPrice::Token {
                            return Err(RelayError::TokenRefused.into());
                        }
                    }
                    made => return Ok(made?),
                }
            }
        }
        Ok(relay.create(owner, MAX_TTL_DAYS).await?)
    }
}

/// Forgets the tokens held for a mailbox: it is there now, or its relay would not take them.
pub(crate) fn forget_spent(work: &Work<'_>, recv_pk: &RecvPk) -> Result<(), Error> {
    for (key, token) in records::all::<TokenRecord>(work.tx)? {
        if token.held_for == recv_pk.as_bytes() {
            records::remove::<TokenRecord>(work.tx, &key)?;
            // Whoever gets the file later must not see which mailbox a token paid for.
            work.tx.erase_now();
        }
    }
    Ok(())
}

fn request(
    work: &Work<'_>,
    address: &RelayAddress,
    key: &TokenKey,
    expires_s: i64,
    count: usize,
) -> Result<TokenRequest, Error> {
    forget_ended(work)?;
    let blind = || key.blind(address.id, &mut OsRng).map_err(|_| bad_key("it can't be used"));
    let blindings = std::iter::repeat_with(blind).take(count).collect::<Result<Vec<_>, _>>()?;
    let requests: Vec<_> = blindings.iter().map(Blinding::request).collect();
    let text = to_text(REQUEST_TEXT, &requests).map_err(|_| bad_key("it can't be used"))?;
    let record = TokenRequestRecord {
        relay: address.to_text(),
        key: key.spki().to_vec(),
        expires_s,
        blindings: blindings.iter().map(|blinding| blinding.to_bytes().to_vec()).collect(),
        asked_at: work.now,
    };
    let mut name = [0; 16];
    OsRng.fill_bytes(&mut name);
    records::save(work.tx, &name, &record)?;
    Ok(TokenRequest {
        text,
        count,
        relay: record.relay.clone(),
        key: HEXLOWER.encode(key.id().as_bytes()),
        valid_until: expires_s,
    })
}

fn accept(work: &Work<'_>, answers: &[Vec<u8>]) -> Result<TokensAccepted, Error> {
    let unfit = |why: &str| Error::Input { what: "the issuer's answer", why: why.to_owned() };
    for (name, asked) in records::all::<TokenRequestRecord>(work.tx)? {
        let (key, blindings) = read_request(&asked)?;
        let mut pairs = blindings.iter().zip(answers);
        let fits = pairs.next().map(|(blinding, answer)| blinding.finish(answer));
        let Some(Ok(first)) = fits else { continue };
        if answers.len() > blindings.len() {
            return Err(unfit("it holds more than was asked for; ask the issuer again"));
        }
        let rest = pairs.map(|(blinding, answer)| blinding.finish(answer));
        let rest = rest.collect::<Result<Vec<_>, _>>().map_err(|_| {
            unfit("one of its signatures is wrong; ask the issuer to sign the request again")
        })?;
        for token in [first].into_iter().chain(rest) {
            let record = TokenRecord {
                relay: asked.relay.clone(),
                key_id: token.key_id.as_bytes().to_vec(),
                randomizer: token.randomizer.to_vec(),
                nonce: token.nonce.to_vec(),
                signature: token.signature,
                expires_s: asked.expires_s,
                held_for: Vec::new(),
            };
            records::save(work.tx, &token.nonce, &record)?;
        }
        records::remove::<TokenRequestRecord>(work.tx, &name)?;
        // The blinding factors lead from a token back to its issue.
        work.tx.erase_now();
        return Ok(TokensAccepted {
            count: answers.len(),
            missing: blindings.len().saturating_sub(answers.len()),
            relay: asked.relay.clone(),
            key: HEXLOWER.encode(key.id().as_bytes()),
            valid_until: asked.expires_s,
        });
    }
    Err(unfit(
        "it fits no request of this vault; it was taken in already, or it answers somebody else's request",
    ))
}

fn read_request(asked: &TokenRequestRecord) -> Result<(TokenKey, Vec<Blinding>), Error> {
    let damaged = |_| Error::Damaged { what: TokenRequestRecord::NAME };
    let key = TokenKey::from_spki(&asked.key).map_err(damaged)?;
    let relay = parse_address(&asked.relay)?.id;
    let blindings = asked
        .blindings
        .iter()
        .map(|bytes| Blinding::from_bytes(key.clone(), relay, bytes).map_err(damaged));
    Ok((key.clone(), blindings.collect::<Result<_, _>>()?))
}

fn stock(work: &Work<'_>) -> Result<Vec<TokenStock>, Error> {
    let mut stocks = BTreeMap::new();
    let mut at =
        |relay: &str, key: &[u8], valid_until, count: fn(&mut TokenStock) -> &mut usize, more| {
            if valid_until < work.now {
                return;
            }
            let key = HEXLOWER.encode(key);
            let stock =
                stocks.entry((relay.to_owned(), key.clone())).or_insert_with(|| TokenStock {
                    relay: relay.to_owned(),
                    key,
                    ready: 0,
                    under_way: 0,
                    asked: 0,
                    valid_until,
                });
            let count = count(stock);
            *count = count.saturating_add(more);
        };
    for (_, token) in records::all::<TokenRecord>(work.tx)? {
        let count: fn(&mut TokenStock) -> &mut usize = if token.held_for.is_empty() {
            |stock| &mut stock.ready
        } else {
            |stock| &mut stock.under_way
        };
        at(&token.relay, &token.key_id, token.expires_s, count, 1);
    }
    for (_, asked) in records::all::<TokenRequestRecord>(work.tx)? {
        let (key, blindings) = read_request(&asked)?;
        at(
            &asked.relay,
            key.id().as_bytes(),
            asked.expires_s,
            |stock| &mut stock.asked,
            blindings.len(),
        );
    }
    Ok(stocks.into_values().collect())
}

/// Whether it is worth asking the relay whether it takes tokens.
fn has_any(work: &Work<'_>, relay: &RelayId) -> Result<bool, Error> {
    let tokens = records::all::<TokenRecord>(work.tx)?;
    Ok(tokens.iter().any(|(_, token)| is_for(token, relay) && token.expires_s >= work.now))
}

/// The token for this mailbox: the one that was held for it before, else a free one, held from now on. Only of a key
/// that the relay names.
fn hold(
    work: &Work<'_>,
    relay: &RelayId,
    recv_pk: &RecvPk,
    keys: &[TokenKeyId],
) -> Result<Option<Token>, Error> {
    let mut tokens = records::all::<TokenRecord>(work.tx)?;
    tokens.retain(|(_, token)| {
        let named = keys.iter().any(|key| token.key_id == key.as_bytes());
        named && is_for(token, relay) && token.expires_s >= work.now
    });
    let held = tokens.iter().position(|(_, token)| token.held_for == recv_pk.as_bytes());
    // The key that ends first goes first.
    let free = tokens.iter().enumerate().filter(|(_, (_, token))| token.held_for.is_empty());
    let free = free.min_by_key(|(_, (_, token))| token.expires_s).map(|(place, _)| place);
    let Some((name, mut record)) = held.or(free).map(|place| tokens.swap_remove(place)) else {
        return Ok(None);
    };
    record.held_for = recv_pk.as_bytes().to_vec();
    records::save(work.tx, &name, &record)?;
    let token =
        Token::parse(&record.key_id, &record.randomizer, &record.nonce, record.signature.clone());
    token.map(Some).map_err(|_| Error::Damaged { what: TokenRecord::NAME })
}

fn is_for(token: &TokenRecord, relay: &RelayId) -> bool {
    token.relay.parse::<RelayAddress>().is_ok_and(|address| address.id == *relay)
}

/// Tokens and requests whose key has ended are of no more use.
fn forget_ended(work: &Work<'_>) -> Result<(), Error> {
    for (name, token) in records::all::<TokenRecord>(work.tx)? {
        if token.expires_s < work.now {
            records::remove::<TokenRecord>(work.tx, &name)?;
        }
    }
    for (name, asked) in records::all::<TokenRequestRecord>(work.tx)? {
        if asked.expires_s < work.now {
            records::remove::<TokenRequestRecord>(work.tx, &name)?;
        }
    }
    Ok(())
}

/// What `budstikke-relay tokens keygen` writes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    expires_s: i64,
    key: String,
}

fn read_key_file(text: &str) -> Result<(TokenKey, i64), Error> {
    let bad = || bad_key("it is no public key for tokens; ask the issuer for the file again");
    let file: KeyFile = toml::from_str(text).map_err(|_| bad())?;
    let spki = BASE64.decode(file.key.as_bytes()).map_err(|_| bad())?;
    Ok((TokenKey::from_spki(&spki).map_err(|_| bad())?, file.expires_s))
}

fn bad_key(why: &str) -> Error {
    Error::Input { what: "the issuer's key file", why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use budstikke_proto::token::IssuerKey;

    use super::*;
    use crate::clock::Clock;
    use crate::vault::Cost;

    const RELAY: &str = "bud://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@localhost:443";

    async fn client(folder: &tempfile::TempDir, clock: Clock) -> Client {
        let builder = Client::builder(folder.path().join("vault.db")).passphrase("four long words");
        builder.cost(Cost::INSECURE_FOR_TESTS).clock(clock).create().await.unwrap()
    }

    fn key_file(issuer: &IssuerKey, expires_s: i64) -> String {
        let key = BASE64.encode(issuer.public().unwrap().spki());
        format!("expires_s = {expires_s}\nkey = \"{key}\"\n")
    }

    fn answer(issuer: &IssuerKey, request: &str) -> String {
        let asked = from_text(REQUEST_TEXT, request).unwrap();
        let signed: Vec<_> =
            asked.iter().map(|one| issuer.sign(one, &mut OsRng).unwrap()).collect();
        to_text(ANSWER_TEXT, &signed).unwrap()
    }

    fn recv() -> RecvPk {
        CapabilityKey::random(&mut OsRng).recv_pk()
    }

    #[tokio::test]
    async fn a_token_is_for_one_mailbox_one_relay_and_the_time_of_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let client = client(&folder, Clock::fixed(1_000)).await;
        let issuer = IssuerKey::generate(2_048, &mut OsRng).unwrap();
        let [first, second] = ["first", "second"].map(|_| recv());
        let asked = client.request_tokens(RELAY, &key_file(&issuer, 2_000), 1).await.unwrap();
        let taken = client.accept_tokens(&answer(&issuer, &asked.text)).await.unwrap();
        assert_eq!((taken.count, taken.missing, taken.valid_until), (1, 0, 2_000));
        let id = parse_address(RELAY).unwrap().id;
        let named = vec![*issuer.public().unwrap().id()];
        let hold = async |for_whom: RecvPk, keys: &[TokenKeyId], relay: RelayId| {
            let keys = keys.to_vec();
            client.vault(move |work| hold(work, &relay, &for_whom, &keys)).await.unwrap()
        };
        assert!(hold(first, &[], id).await.is_none(), "a key that the relay does not name");
        assert!(hold(first, &named, RelayId::from_bytes([9; 32])).await.is_none());
        assert_eq!(client.tokens().await.unwrap()[0].ready, 1);
        let token = hold(first, &named, id).await.unwrap();
        assert!(issuer.public().unwrap().verify(&token, &id));
        assert!(hold(second, &named, id).await.is_none(), "held for another mailbox");
        assert!(hold(first, &named, id).await == Some(token), "the same again");
        let stock = client.tokens().await.unwrap();
        assert_eq!((stock[0].ready, stock[0].under_way), (0, 1));
        client.vault(move |work| forget_spent(work, &second)).await.unwrap();
        assert_eq!(client.tokens().await.unwrap().len(), 1);
        client.vault(move |work| forget_spent(work, &first)).await.unwrap();
        assert_eq!(client.tokens().await.unwrap(), []);
    }

    #[tokio::test]
    async fn an_answer_is_taken_once_and_only_where_it_was_asked_for() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let client_1 = client(&folder, Clock::fixed(1_000)).await;
        let client_2 = client(&elsewhere, Clock::fixed(2_001)).await;
        let issuer = IssuerKey::generate(2_048, &mut OsRng).unwrap();
        let file = key_file(&issuer, 2_000);
        let asked = client_1.request_tokens(RELAY, &file, 3).await.unwrap();
        let other = client_1.request_tokens(RELAY, &file, 2).await.unwrap();
        assert_ne!(asked.text, other.text);
        assert_eq!(client_1.tokens().await.unwrap()[0].asked, 5);
        // One signature of three is wrong, one too many, nobody's, of the wrong kind.
        let sound = answer(&issuer, &asked.text);
        let mut parts = from_text(ANSWER_TEXT, &sound).unwrap();
        parts[2][7] ^= 1;
        let altered = to_text(ANSWER_TEXT, &parts).unwrap();
        parts.push(parts[0].clone());
        let more = to_text(ANSWER_TEXT, &parts).unwrap();
        for wrong in [&altered, &more, &asked.text, "budtokenanswer1AAAA"] {
            assert!(client_1.accept_tokens(wrong).await.is_err());
        }
        assert_eq!(client_1.tokens().await.unwrap()[0].ready, 0, "nothing of it is kept");
        assert!(client_2.accept_tokens(&sound).await.is_err());
        assert_eq!(client_1.accept_tokens(&sound).await.unwrap().count, 3);
        assert!(client_1.accept_tokens(&sound).await.is_err(), "once");
        let fewer = from_text(ANSWER_TEXT, &answer(&issuer, &other.text)).unwrap();
        let fewer = to_text(ANSWER_TEXT, &fewer[..1]).unwrap();
        let taken = client_1.accept_tokens(&fewer).await.unwrap();
        assert_eq!((taken.count, taken.missing), (1, 1));
        let stock = client_1.tokens().await.unwrap();
        assert_eq!((stock[0].ready, stock[0].asked), (4, 0));
        // An issuer whose time is over, and what is no key file.
        for file in [file.as_str(), "", "expires_s = 1", "expires_s = 9999\nkey = \"AAAA\"\n"] {
            assert!(client_2.request_tokens(RELAY, file, 1).await.is_err());
        }
        for count in [0, MAX_REQUESTS + 1] {
            assert!(client_1.request_tokens(RELAY, &file, count).await.is_err());
        }
    }
}
