//! The Ministry's side: what it revokes, and the next directory on every relay that it lists.

use budstikke_e2ee::armor;
use budstikke_e2ee::cert::{CertError, Chain, UnitRequest, VerifiedUnit};
use budstikke_e2ee::directory::{
    Contents, Directory, ListedUnit, Reason, Revocation, Revoked, RootRevocation,
};
use budstikke_e2ee::keys::{Fingerprint, SigningKey, VerifyingKey};
use budstikke_e2ee::reserve::{HOLDERS, Holder};
use budstikke_proto::id::{NoticeId, RelayId};
use budstikke_proto::sign::SigningSeed;
use data_encoding::HEXLOWER_PERMISSIVE;
use rand_core::OsRng;
use zeroize::Zeroizing;

use super::show::{ROOT_REVOCATION, card};
use super::{DirectoryCard, held, take, take_root};
use crate::client::{Client, Work, parse_address, wrong_role};
use crate::error::Error;
use crate::mission::kind_number;
use crate::records::{self, CertifiedUnit, Ministry, Publishing, RevocationRecord, SELF, fixed};
use crate::reserve::{HOLDER_CARD, HolderCard};

const DAY_S: i64 = 86_400;

/// What the Ministry revokes. Keys are 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revoke {
    /// A device, by its key ([`TeamMember::key`](crate::TeamMember)).
    Device(String),
    /// A unit with all its devices, by its id or its key.
    Unit(String),
    /// A relay, by its address.
    Relay(String),
}

/// Why, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokeReason {
    /// Nobody knows where it is.
    Lost = 1,
    /// Somebody took it.
    Seized = 2,
    /// Its user has left.
    Left = 3,
    /// Somebody else may have the key.
    Compromised = 4,
    /// Another took its place.
    Replaced = 5,
}

impl RevokeReason {
    const ALL: [Self; 5] =
        [Self::Lost, Self::Seized, Self::Left, Self::Compromised, Self::Replaced];
}

/// A directory that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryPublished {
    /// What it says.
    pub card: DirectoryCard,
    /// How many relays have it.
    pub relays: usize,
    /// Why the others do not: the next [`Client::sync`] tries again.
    pub problems: Vec<String>,
}

impl Client {
    /// Notes in the Ministry's vault that a key counts no more, `since` (Unix seconds). It takes effect with the next
    /// directory: [`Client::publish_directory`].
    ///
    /// # Errors
    /// [`Error::WrongRole`]; [`Error::NotFound`] for a unit that this Ministry has not certified; [`Error::Input`].
    pub async fn revoke(
        &self,
        what: Revoke,
        reason: RevokeReason,
        since: i64,
    ) -> Result<(), Error> {
        self.vault(move |work| {
            need_ministry(work)?;
            let (kind, key): (u8, [u8; 32]) = match what {
                Revoke::Device(key) => (1, *parse_key(&key)?.as_bytes()),
                Revoke::Unit(unit) => (2, *unit_key(work, unit.trim())?.as_bytes()),
                Revoke::Relay(address) => (3, *parse_address(&address)?.id.as_bytes()),
            };
            let reason = reason as u32;
            let record = RevocationRecord { what: kind.into(), key: key.to_vec(), since, reason };
            records::save(work.tx, &[&[kind], key.as_slice()].concat(), &record)?;
            due(work)
        })
        .await
    }

    /// Takes the root's signed word that an issuer counts no more (`budrootrevocation1…`) into the Ministry's vault;
    /// the next directory carries it.
    ///
    /// # Errors
    /// [`Error::WrongRole`]; [`Error::Trust`] for what this Ministry's root has not signed.
    pub async fn revoke_issuer(&self, text: &str) -> Result<(), Error> {
        let bytes = armor::decode(ROOT_REVOCATION, text)?;
        self.vault(move |work| {
            let (_, chain) = need_ministry(work)?;
            let root = chain.claimed_root();
            let word = RootRevocation::verify(&bytes, &root)?;
            take_root(work, &root, &word)?;
            let mut publishing = publishing(work)?;
            if !publishing.root_revocations.contains(&bytes) {
                publishing.root_revocations.push(bytes);
            }
            records::save(work.tx, SELF, &publishing)?;
            due(work)
        })
        .await
    }

    /// Names the three holders who may open, two of them together, what an officer has left in reserve; each is the
    /// text of a holder's vault ([`Client::found_holder`]). The next directory carries them. The fingerprints, to be
    /// compared with each holder's, in the order given.
    ///
    /// # Errors
    /// [`Error::WrongRole`]; [`Error::Input`] for what is no holder's text, and for other than three different ones.
    pub async fn name_holders(&self, texts: &[String]) -> Result<Vec<HolderCard>, Error> {
        let texts = texts.to_vec();
        self.vault(move |work| {
            need_ministry(work)?;
            let bad = |why: &str| Error::Input { what: "the holders", why: why.to_owned() };
            let (mut cards, mut holders): (Vec<HolderCard>, Vec<Vec<u8>>) = Default::default();
            for text in texts {
                let bytes = armor::decode(HOLDER_CARD, &text)?;
                let holder = Holder::from_card(work.suite, &bytes)
                    .map_err(|_| bad("one of the texts is no holder's"))?;
                let fingerprint = HEXLOWER_PERMISSIVE.encode(&holder.fingerprint());
                if cards.iter().any(|card| card.fingerprint == fingerprint) {
                    return Err(bad("two of them are the same"));
                }
                cards.push(HolderCard { name: holder.name, fingerprint, text });
                holders.push(bytes);
            }
            if holders.len() != HOLDERS {
                return Err(bad("there are three of them, or none"));
            }
            let mut publishing = publishing(work)?;
            publishing.holders = holders;
            publishing.due = true;
            records::save(work.tx, SELF, &publishing)?;
            Ok(cards)
        })
        .await
    }

    /// Publishes the next directory on every relay that it lists: those of the units, and these. From then on every
    /// [`Client::sync`] of this vault does so once a day, and when there is something new.
    ///
    /// # Errors
    /// [`Error::NotReady`] when no relay is known, or the issuer's certificate names no directory; [`Error::Relay`]
    /// when none of the relays took it.
    pub async fn publish_directory(&self, relays: &[String]) -> Result<DirectoryPublished, Error> {
        let _turn = self.turn().await;
        let relays = relays.iter().map(|text| Ok(parse_address(text)?.to_text()));
        let relays = relays.collect::<Result<Vec<_>, Error>>()?;
        self.vault(move |work| {
            need_ministry(work)?;
            let mut publishing = publishing(work)?;
            for relay in relays {
                if !publishing.relays.contains(&relay) {
                    publishing.relays.push(relay);
                }
            }
            publishing.due = true;
            records::save(work.tx, SELF, &publishing)
        })
        .await?;
        self.publish_next().await
    }

    /// Once the directory was published, a new one every day, and when something is new or a relay lacks it.
    pub(crate) async fn renew_directory(&self) -> Result<(), Error> {
        let due = self.vault(|work| {
            let publishing = publishing(work)?;
            if !publishing.begun {
                return Ok(false);
            }
            let (_, chain) = need_ministry(work)?;
            let made_at = held(work, &chain.claimed_root())?.map_or(0, |held| held.made_at);
            let old = made_at <= work.now.saturating_sub(DAY_S);
            Ok(publishing.due || old)
        });
        if !due.await? {
            return Ok(());
        }
        let published = self.publish_next().await?;
        match published.problems.into_iter().next() {
            Some(why) => Err(Error::Input { what: "a relay lacks the directory", why }),
            None => Ok(()),
        }
    }

    async fn publish_next(&self) -> Result<DirectoryPublished, Error> {
        let Where { root, id, relays, revoked } = self.vault(where_to).await?;
        // What is there already goes first, also after this vault was restored from an older copy.
        let (mut reached, mut failed) = (false, None);
        for relay in &relays {
            match self.relay(relay, b"directory")?.notice_get(id).await {
                Ok(Some(notice)) => {
                    reached = true;
                    self.vault(move |work| take(work, &root, &notice.content)).await?;
                }
                Ok(None) => reached = true,
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = failed.filter(|_| !reached) {
            return Err(error.into());
        }
        let (seed, directory) = self.vault(make).await?;
        let number = Directory::kept(&directory, &root)?.number;
        let (mut put, mut problems, mut failed) = (0, Vec::new(), None);
        for relay in &relays {
            let key = SigningSeed::from_bytes(*seed);
            match self.relay(relay, b"directory")?.notice_put(&key, number, &directory).await {
                Ok(()) => {
                    // It counts as soon as anybody can have seen it.
                    if put == 0 {
                        let bytes = directory.clone();
                        self.vault(move |work| take(work, &root, &bytes).map(drop)).await?;
                    }
                    put += 1;
                }
                // Who reads only at a revoked relay should learn of that there, if it lets them.
                Err(error) if revoked.contains(relay) => failed = failed.or(Some(error)),
                Err(error) => {
                    problems.push(error.to_string());
                    failed = failed.or(Some(error));
                }
            }
            self.hang_up(relay, b"directory").await;
        }
        if let Some(error) = failed.filter(|_| put == 0) {
            return Err(error.into());
        }
        let due = !problems.is_empty();
        let card = self.vault(move |work| {
            let mut publishing = publishing(work)?;
            (publishing.begun, publishing.due) = (true, due);
            records::save(work.tx, SELF, &publishing)?;
            card(work, &root)
        });
        Ok(DirectoryPublished { card: card.await?, relays: put, problems })
    }
}

/// Id of the notice for this issuer's directory, which its certificate is to name; its key is made once.
pub(crate) fn plan(work: &Work<'_>) -> Result<VerifyingKey, Error> {
    let mut publishing = publishing(work)?;
    if publishing.seed.is_empty() {
        publishing.seed = SigningKey::generate(&mut OsRng).to_bytes().to_vec();
        records::save(work.tx, SELF, &publishing)?;
    }
    let seed = fixed(&publishing.seed, "the directory's key")?;
    Ok(SigningKey::from_bytes(&seed).public())
}

/// Notes a unit that was certified, for the next directory.
pub(crate) fn list(
    work: &Work<'_>,
    request: &UnitRequest,
    unit: &VerifiedUnit,
) -> Result<(), Error> {
    let record = CertifiedUnit {
        name: unit.name.clone(),
        kind: kind_number(unit.kind),
        key: unit.key.as_bytes().to_vec(),
        notice: unit.notice.as_bytes().to_vec(),
        relays: request.relays.clone(),
        not_after: unit.not_after,
    };
    records::save(work.tx, unit.id.as_bytes(), &record)?;
    due(work)
}

fn due(work: &Work<'_>) -> Result<(), Error> {
    let mut publishing = publishing(work)?;
    publishing.due = true;
    records::save(work.tx, SELF, &publishing)
}

fn publishing(work: &Work<'_>) -> Result<Publishing, Error> {
    Ok(records::load::<Publishing>(work.tx, SELF)?.unwrap_or_default())
}

fn need_ministry(work: &Work<'_>) -> Result<(Ministry, Chain), Error> {
    let Some(ministry) = records::load::<Ministry>(work.tx, SELF)? else {
        return Err(wrong_role(work, "a Ministry"));
    };
    if ministry.issuer_chain.is_empty() {
        return Err(Error::NotReady("a certified issuer's vault publishes the directory"));
    }
    let chain = Chain::from_bytes(&ministry.issuer_chain)?;
    Ok((ministry, chain))
}

fn parse_key(text: &str) -> Result<VerifyingKey, Error> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).unwrap_or_default();
    VerifyingKey::from_bytes(&bytes).map_err(|_| Error::Input {
        what: "the key",
        why: "it is not 64 hexadecimal digits of a key; `bud team --json` shows a device's, \
              `bud directory --json` a mission's"
            .to_owned(),
    })
}

fn unit_key(work: &Work<'_>, unit: &str) -> Result<VerifyingKey, Error> {
    if let Some(known) = records::load::<CertifiedUnit>(work.tx, unit.as_bytes())? {
        return Ok(VerifyingKey::from_bytes(&known.key)?);
    }
    let (_, chain) = need_ministry(work)?;
    let held = held(work, &chain.claimed_root())?;
    let listed = held.iter().flat_map(|held| &held.units).find(|listed| listed.id == unit);
    match listed {
        Some(listed) => Ok(listed.key),
        None if unit.len() >= 64 => parse_key(unit),
        None => Err(Error::NotFound { what: "a unit of that id" }),
    }
}

/// Where the next directory goes.
struct Where {
    root: Fingerprint,
    id: NoticeId,
    /// Every relay that is to have it.
    relays: Vec<String>,
    /// Those of them that it revokes, and does not list.
    revoked: Vec<String>,
}

fn where_to(work: &Work<'_>) -> Result<Where, Error> {
    let (_, chain) = need_ministry(work)?;
    let root = chain.claimed_root();
    let issuer = chain.trusted_issuer(&root)?;
    let publishing = publishing(work)?;
    let own = fixed(&publishing.seed, "the directory's key").ok();
    let own = own.map(|seed| SigningKey::from_bytes(&seed).public());
    let Some(id) = issuer.directory.filter(|id| own == Some(*id)) else {
        return Err(Error::NotReady(
            "the issuer's certificate names no directory of this vault: have the root renew it",
        ));
    };
    let (contents, revoked) = contents(work, &root)?;
    let relays = [contents.relays, revoked.clone()].concat();
    if relays.is_empty() {
        return Err(Error::NotReady(
            "no relay is known to publish the directory on: name one, or certify a mission first",
        ));
    }
    Ok(Where { root, id: NoticeId::from_bytes(*id.as_bytes()), relays, revoked })
}

/// Signs the next one.
fn make(work: &Work<'_>) -> Result<(Zeroizing<[u8; 32]>, Vec<u8>), Error> {
    let (ministry, chain) = need_ministry(work)?;
    let root = chain.claimed_root();
    let issuer = SigningKey::from_bytes(&fixed(&ministry.issuer_seed, "the issuer's key")?);
    super::trust(work, &root)?.check_issuer(&issuer.public())?;
    // What the root has said of another issuer ends that one's history.
    let previous = held(work, &root)?.filter(|held| {
        super::trust(work, &root).is_ok_and(|it| it.check_issuer(&held.issuer.key).is_ok())
    });
    let (contents, _) = contents(work, &root)?;
    let made = contents.sign(&issuer, &chain, previous.as_ref(), work.now)?;
    let seed = fixed(&publishing(work)?.seed, "the directory's key")?;
    Ok((Zeroizing::new(seed), made))
}

/// What the next one says: what the last said, and what this vault has noted since; and the relays that are revoked.
fn contents(work: &Work<'_>, root: &Fingerprint) -> Result<(Contents, Vec<String>), Error> {
    let publishing = publishing(work)?;
    let held = held(work, root)?;
    let (mut units, mut revocations, mut root_revocations, mut holders) = match held {
        Some(held) => (held.units, held.revocations, held.root_revocations, held.holders),
        None => Default::default(),
    };
    if !publishing.holders.is_empty() {
        let named = publishing.holders.iter().map(|bytes| Holder::from_card(work.suite, bytes));
        let damaged = |_| Error::Damaged { what: "a holder's card" };
        holders = named.collect::<Result<_, _>>().map_err(damaged)?;
    }
    for (id, record) in records::all::<CertifiedUnit>(work.tx)? {
        let id = String::from_utf8(id).map_err(|_| CertError::BadName)?;
        units.retain(|unit| unit.id != id);
        units.push(listed(id, &record)?);
    }
    for (_, record) in records::all::<RevocationRecord>(work.tx)? {
        let new = revocation(&record)?;
        if !revocations.iter().any(|of| of.what == new.what) {
            revocations.push(new);
        }
    }
    for bytes in &publishing.root_revocations {
        let word = RootRevocation::verify(bytes, root)?;
        if !root_revocations.iter().any(|of| of.issuer == word.issuer) {
            root_revocations.push(word);
        }
    }
    let gone = |what| revocations.iter().any(|of| of.what == what);
    units.retain(|unit| !gone(Revoked::Unit(unit.key)));
    let mut relays = publishing.relays.clone();
    relays.extend(units.iter().flat_map(|unit| unit.relays.iter().cloned()));
    relays.retain(|text| parse_address(text).is_ok());
    relays.sort();
    relays.dedup();
    let of = |text: &String| parse_address(text).is_ok_and(|it| gone(Revoked::Relay(it.id)));
    let (revoked, relays) = relays.into_iter().partition(of);
    Ok((Contents { units, relays, revocations, root_revocations, holders }, revoked))
}

fn listed(id: String, record: &CertifiedUnit) -> Result<ListedUnit, Error> {
    use budstikke_e2ee::cert::UnitKind;
    let kinds = [UnitKind::BilateralMission, UnitKind::MultilateralMission, UnitKind::MinistryDesk];
    let kind = kinds.into_iter().find(|kind| kind_number(*kind) == record.kind);
    Ok(ListedUnit {
        id,
        name: record.name.clone(),
        kind: kind.ok_or(Error::Damaged { what: "a certified unit" })?,
        key: VerifyingKey::from_bytes(&record.key)?,
        notice: VerifyingKey::from_bytes(&record.notice)?,
        relays: record.relays.clone(),
    })
}

/// The same reason in the end-to-end layer's words.
pub(crate) fn reason(reason: RevokeReason) -> Reason {
    match reason {
        RevokeReason::Lost => Reason::Lost,
        RevokeReason::Seized => Reason::Seized,
        RevokeReason::Left => Reason::Left,
        RevokeReason::Compromised => Reason::Compromised,
        RevokeReason::Replaced => Reason::Replaced,
    }
}

fn revocation(record: &RevocationRecord) -> Result<Revocation, Error> {
    let key = || VerifyingKey::from_bytes(&record.key);
    let what = match record.what {
        1 => Revoked::Device(key()?),
        2 => Revoked::Unit(key()?),
        _ => Revoked::Relay(RelayId::from_bytes(fixed(&record.key, "a relay's id")?)),
    };
    let given = RevokeReason::ALL.into_iter().find(|known| *known as u32 == record.reason);
    let reason = given.map_or(Reason::Other, reason);
    Ok(Revocation { what, reason, since: record.since, listed_at: 0 })
}
