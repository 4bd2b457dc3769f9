//! Consent in the channel: asked for, given with a key of this case alone, written down when it was said to officers,
//! taken back; and its proof for the Ministry, which shows one act's answers and nothing of the others.

use budstikke_case::consent::{Statement, Suspension, withdraw};
use budstikke_case::file::{ConsentFile, ConsentRequestFile};
use budstikke_case::officer::{ATTEST_DOMAIN, WITHDRAWAL_NOTED_DOMAIN};
use budstikke_case::wire::{ConsentRecord, ConsentRequest, ConsentWithdrawal, Scope};
use budstikke_case::{Act, Body, Phase, Refusal, consent};
use budstikke_e2ee::armor;
use budstikke_e2ee::keys::SigningKey;
use prost::Message;
use rand_core::OsRng;
use zeroize::Zeroizing;

use super::file::Dossier;
use super::keys::{attest, own_officer, role_for};
use super::proof::{shown, tell};
use crate::channel::seat::{Seat, terms_of};
use crate::channel::send::{SendOptions, Sent, post};
use crate::client::{Client, Work};
use crate::error::Error;
use crate::random::fresh;
use crate::records::{self, CaseRecord, MessageRecord, fixed};
use crate::view::{by_name, case_of_name, message_key};

/// Marks the text of a consent that was said to an officer and waits for a second one's signature.
const ORAL_PREFIX: &str = "budoral";

impl Client {
    /// Asks for consent. With `act`, the act is being talked over from then on.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::NotFound`] for an act that is not in this case.
    pub async fn ask_consent(
        &self,
        case: &str,
        file: ConsentRequestFile,
        act: Option<&str>,
    ) -> Result<Sent, Error> {
        let (case, act) = (case.to_owned(), act.map(str::to_owned));
        self.vault(move |work| {
            let record = case_of_name(work, &case)?;
            if let Some(act) = act {
                super::act::talk_over(work, &record, &act)?;
            }
            let request = ConsentRequest { request_id: fresh::<16>().to_vec(), ..file.request };
            post(work, Seat::case(work, record)?, request.into(), &SendOptions::default())
        })
        .await
    }

    /// Gives, or refuses, consent: the answers of a file, signed with a key that this device makes for this case and
    /// uses nowhere else. Answers the newest question of the mission's about the same person.
    ///
    /// # Errors
    /// [`Error::WrongRole`] on an officer's device ([`Client::hear_consent`] is theirs); [`Error::Refused`], among
    /// them I02 before the safety words were compared.
    pub async fn give_consent(&self, case: &str, file: ConsentFile) -> Result<Sent, Error> {
        let case = case.to_owned();
        self.vault(move |work| {
            let mut record = case_of_name(work, &case)?;
            let key = consent_key(work, &mut record)?;
            let mut giving = file.giving;
            giving.record_id = fresh::<16>();
            if giving.in_reply_to.is_empty() {
                giving.in_reply_to = newest_request(work, &record, &giving.person)?;
            }
            let public = *key.public().as_bytes();
            let given = giving.sign(public, &mut OsRng, |domain, body| key.sign(domain, body))?;
            post(work, Seat::case(work, record)?, given.into(), &SendOptions::default())
        })
        .await
    }

    /// Takes back consent to these scopes (none: to everything) in every answer that this device gave. Possible also
    /// when the terms have run out. What was said to officers is taken back by telling one ([`Client::note_withdrawal`]
    /// is theirs).
    ///
    /// # Errors
    /// [`Error::NotFound`] when nothing was given that could be taken back.
    pub async fn withdraw_consent(
        &self,
        case: &str,
        scopes: &[Scope],
        reason: &str,
    ) -> Result<Vec<Sent>, Error> {
        let (case, scopes, reason) = (case.to_owned(), scopes.to_vec(), reason.to_owned());
        self.vault(move |work| {
            let mut record = case_of_name(work, &case)?;
            let key = consent_key(work, &mut record)?;
            let own = *key.public().as_bytes();
            let standing = standing(&Dossier::of(work, &record)?, &scopes, work.now);
            let mut sent = Vec::new();
            for statement in standing.into_iter().filter(|s| s.giver_key == own) {
                let id = fixed(&statement.record_id, "a consent")?;
                let at = work.now - work.now.rem_euclid(60);
                let taken = withdraw(id, &scopes, at, &reason, |domain, b| key.sign(domain, b));
                let seat = Seat::case(work, records::need(work.tx, &record.id)?)?;
                sent.push(post(work, seat, taken.into(), &SendOptions::default())?);
            }
            if sent.is_empty() {
                return Err(Error::NotFound { what: "a consent that could be taken back" });
            }
            Ok(sent)
        })
        .await
    }

    /// Writes down what was said to this officer, and signs for having heard it. The text goes to the second
    /// officer's device ([`Client::attest_consent`]), or straight to [`Client::enter_consent`] where one is enough.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::NotReady`] on a device that is no officer's.
    pub async fn hear_consent(&self, case: &str, file: ConsentFile) -> Result<String, Error> {
        let case = case.to_owned();
        self.vault(move |work| {
            let seat = Seat::case(work, case_of_name(work, &case)?)?;
            let mut giving = file.giving;
            giving.record_id = fresh::<16>();
            let mut record = giving.oral(&mut OsRng)?;
            sign_for(&seat, &mut record)?;
            Ok(armor::encode(ORAL_PREFIX, &record.encode_to_vec()))
        })
        .await
    }

    /// Signs as the second officer who heard it. What was said is to be shown first ([`heard`]).
    ///
    /// # Errors
    /// [`Error::Refused`] I06 when this officer has signed already; [`Error::Trust`] for a text that is none.
    pub async fn attest_consent(&self, case: &str, text: &str) -> Result<String, Error> {
        let (case, mut record) = (case.to_owned(), heard(text)?);
        self.vault(move |work| {
            let seat = Seat::case(work, case_of_name(work, &case)?)?;
            sign_for(&seat, &mut record)?;
            Ok(armor::encode(ORAL_PREFIX, &record.encode_to_vec()))
        })
        .await
    }

    /// Puts a consent that officers heard into the channel, where everybody in it sees what was written down.
    ///
    /// # Errors
    /// [`Error::Refused`]: I06 for a démarche or a statement with one officer, C10 for a signature that does not hold.
    pub async fn enter_consent(&self, case: &str, text: &str) -> Result<Sent, Error> {
        let (case, record) = (case.to_owned(), heard(text)?);
        self.vault(move |work| {
            let seat = Seat::case(work, case_of_name(work, &case)?)?;
            post(work, seat, record.into(), &SendOptions::default())
        })
        .await
    }

    /// Notes that this officer knows that whoever gave a consent may: a parent, a lawyer, a colleague for themselves.
    /// Needed before it is shown to the Ministry, for all but the defender's own word in their own channel and what
    /// officers heard themselves. `consent` is its short name.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::WrongRole`] on a defender's device.
    pub async fn vouch_for_consent(&self, case: &str, consent: &str) -> Result<(), Error> {
        let (case, consent) = (case.to_owned(), consent.to_owned());
        self.vault(move |work| {
            let record = super::act::mission_case(work, &case)?;
            let mut file = Dossier::of(work, &record)?;
            let named = file.consents.iter_mut().map(|c| (c.statement.record_id.clone(), c));
            let one = by_name(named, &consent);
            one.ok_or(Error::NotFound { what: "a consent of that name" })?.vouched = true;
            file.save(work)
        })
        .await
    }

    /// Writes down that somebody took consent back in a talk with this officer; none of `scopes` means all.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such consent; [`Error::Refused`].
    pub async fn note_withdrawal(
        &self,
        case: &str,
        person: &str,
        scopes: &[Scope],
        reason: &str,
    ) -> Result<Vec<Sent>, Error> {
        let (case, person) = (case.to_owned(), person.to_owned());
        let (scopes, reason) = (scopes.to_vec(), reason.to_owned());
        self.vault(move |work| {
            let record = case_of_name(work, &case)?;
            let standing = standing(&Dossier::of(work, &record)?, &scopes, work.now);
            let mut sent = Vec::new();
            for statement in standing.into_iter().filter(|s| s.person == person) {
                let id = fixed(&statement.record_id, "a consent")?;
                let body = consent::withdrawal_body(id, &scopes, work.now, &reason);
                let seat = Seat::case(work, records::need(work.tx, &record.id)?)?;
                let role = role_for(&seat, Act::RecordConsent)?;
                let by = attest(&seat, role, WITHDRAWAL_NOTED_DOMAIN, &body)?;
                let giver_signature = Vec::new();
                let noted = ConsentWithdrawal { body, giver_signature, attestations: vec![by] };
                sent.push(post(work, seat, noted.into(), &SendOptions::default())?);
            }
            if sent.is_empty() {
                return Err(Error::NotFound { what: "a consent of that person" });
            }
            Ok(sent)
        })
        .await
    }

    /// Notes that somebody's own word does not count, as when their device is in other hands; tells the Ministry of
    /// every consent of theirs that it was shown. `since_s` (Unix seconds) is when it may have begun: what came from
    /// then on is void for good, whatever time it says it was given.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Vault`].
    pub async fn suspend_consents(
        &self,
        case: &str,
        person: &str,
        cause: Suspension,
        since_s: i64,
    ) -> Result<(), Error> {
        let person = person.to_owned();
        self.doubt(case, move |file, now| {
            file.suspend(&person, cause, since_s.min(now));
            person
        })
        .await
    }

    /// Notes that they were reached another way and proved to be themselves.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Vault`].
    pub async fn person_reached(&self, case: &str, person: &str) -> Result<(), Error> {
        let person = person.to_owned();
        self.doubt(case, move |file, now| {
            file.reached(&person, now);
            person
        })
        .await
    }

    async fn doubt(
        &self,
        case: &str,
        note: impl FnOnce(&mut Dossier, i64) -> String + Send + 'static,
    ) -> Result<(), Error> {
        let case = case.to_owned();
        self.vault(move |work| {
            let record = case_of_name(work, &case)?;
            let mut file = Dossier::of(work, &record)?;
            let person = note(&mut file, work.now);
            file.save(work)?;
            let shown: Vec<_> = shown(&file, |s| s.person == person);
            tell(work, &record, &file, &shown)
        })
        .await
    }
}

/// The consent in a text of [`Client::hear_consent`], to be shown before it is signed or entered.
///
/// # Errors
/// [`Error::Trust`] for a text that is none.
pub fn heard(text: &str) -> Result<ConsentRecord, Error> {
    let bytes = armor::decode(ORAL_PREFIX, text)?;
    let bad = || Error::Input {
        what: "the consent that was heard",
        why: "it does not read; ask the first officer for it again".to_owned(),
    };
    ConsentRecord::decode(bytes.as_slice()).map_err(|_| bad())
}

/// Adds this officer's signature to a consent that was said.
fn sign_for(seat: &Seat, record: &mut ConsentRecord) -> Result<(), Error> {
    let role = role_for(seat, Act::RecordConsent)?;
    let own = own_officer(seat, role)?;
    let officers = record.attestations.iter().filter_map(|by| by.officer.as_ref());
    if officers.into_iter().any(|officer| budstikke_case::officer::same_person(officer, &own)) {
        return Err(Refusal::FourEyes { act: "attest-oral-consent" }.into());
    }
    record.attestations.push(attest(seat, role, ATTEST_DOMAIN, &record.body)?);
    Ok(())
}

/// Statements of which something in these scopes still stands.
fn standing(file: &Dossier, scopes: &[Scope], now: i64) -> Vec<Statement> {
    let stands = |statement: &Statement, raw: i32| {
        let Ok(scope) = Scope::try_from(raw) else { return false };
        let asked = scopes.is_empty() || scopes.contains(&scope);
        asked && file.ledger.status(statement, &[scope], now).withdrawn_at_s == 0
    };
    let all = file.consents.iter().map(|consent| &consent.statement);
    all.filter(|s| s.claims.iter().any(|claim| stands(s, claim.scope))).cloned().collect()
}

/// The key that this defender consents with in this case, made when it is first needed.
fn consent_key(work: &Work<'_>, case: &mut CaseRecord) -> Result<SigningKey, Error> {
    if !case.defender {
        return Err(Error::WrongRole { is: "an officer's", needs: "the person whose case it is" });
    }
    if case.consent_seed.is_empty() {
        case.consent_seed = SigningKey::generate(&mut OsRng).to_bytes().to_vec();
        records::save(work.tx, &case.id.clone(), case)?;
    }
    let seed = Zeroizing::new(fixed(&case.consent_seed, "the consent key of this case")?);
    Ok(SigningKey::from_bytes(&seed))
}

fn newest_request(work: &Work<'_>, case: &CaseRecord, person: &str) -> Result<Vec<u8>, Error> {
    for number in (1..=case.messages).rev() {
        let key = message_key(&case.id, number);
        let Some(message) = records::load::<MessageRecord>(work.tx, &key)? else { continue };
        let Ok(received) = budstikke_case::Received::open(message.content.clone()) else {
            continue;
        };
        match &received.content().body {
            Some(Body::ConsentRequest(request)) if request.person == person => {
                return Ok(request.request_id.clone());
            }
            _ => {}
        }
    }
    Ok(Vec::new())
}

/// The line that carries a case on, where there is one with terms; a line is its own.
pub(super) fn line_of(work: &Work<'_>, case: &CaseRecord) -> Result<Option<CaseRecord>, Error> {
    if case.line {
        return Ok(Some(case.clone()));
    }
    let cases = records::all::<CaseRecord>(work.tx)?;
    let lines = cases.into_iter().map(|(_, line)| line);
    let lines = lines.filter(|line| line.line && line.line_for == case.id && line.left_at == 0);
    // Of several the newest under terms, else the newest.
    Ok(lines.max_by_key(|line| (in_force(work, line), line.opened_at)))
}

/// Whether there is a line under terms that carries a case on.
pub(super) fn line_stands(work: &Work<'_>, case: &CaseRecord) -> Result<bool, Error> {
    Ok(line_of(work, case)?.is_some_and(|line| in_force(work, &line)))
}

fn in_force(work: &Work<'_>, case: &CaseRecord) -> bool {
    let phase = terms_of(case).map(|terms| terms.phase(work.now));
    matches!(phase, Ok(Phase::InForce | Phase::Amending))
}
