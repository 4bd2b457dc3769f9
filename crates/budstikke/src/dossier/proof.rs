//! What the Ministry is shown of a consent: of each person's answers those that one act needs, how they stand, and
//! that they no longer do.

use budstikke_case::action::{ActionPhase, ask};
use budstikke_case::consent::{Ledger, STATUS_MAX_AGE_S, Statement, disclose, sign_status};
use budstikke_case::hash::consent_status_hash;
use budstikke_case::officer::ATTEST_DOMAIN;
use budstikke_case::wire::{ConsentStatus, ConsentToken, ConsentWithdrawalBody, Scope};
use budstikke_case::{Act, Hash, Refusal};

use super::consent::line_of;
use super::file::{Consent, Dossier};
use super::keys::{attest, own_officer, role_for};
use crate::channel::seat::Seat;
use crate::channel::send::{SendOptions, post};
use crate::client::Work;
use crate::error::Error;
use crate::events::Event;
use crate::records::{self, CaseRecord};

/// A withdrawal's consequence: the Ministry hears that what it was shown no longer stands. What it was not shown it
/// does not hear of.
pub(super) fn tell_ministry(
    work: &Work<'_>,
    case: &CaseRecord,
    body: &ConsentWithdrawalBody,
) -> Result<(), Error> {
    let file = Dossier::of(work, case)?;
    let concerned = |scope: Scope| body.scopes.is_empty() || body.scopes.contains(&scope.into());
    let shown: Vec<_> = shown(&file, |statement| statement.record_id == body.record_id)
        .into_iter()
        .filter(|(_, scope)| concerned(*scope))
        .collect();
    tell(work, case, &file, &shown)
}

/// How long the Ministry's word of a consent may be before it gets a newer one: half of what it accepts.
const REFRESH_S: i64 = STATUS_MAX_AGE_S / 2;

/// While an act waits for a decision or for its time, the Ministry's proof of consent is kept fresh.
pub(super) fn refresh(work: &Work<'_>, case_id: &[u8]) -> Result<(), Error> {
    let case = records::load::<CaseRecord>(work.tx, case_id)?;
    let Some(case) = case.filter(|case| !case.line && !case.defender) else { return Ok(()) };
    let mut file = Dossier::of(work, &case)?;
    let waits = |act: &&mut super::file::Act| {
        let waits = matches!(
            act.state.phase(work.now),
            ActionPhase::AwaitingApproval | ActionPhase::Cleared | ActionPhase::Scheduled
        );
        act.request.is_some() && waits && work.now.saturating_sub(act.told_at) > REFRESH_S
    };
    let mut persons = Vec::new();
    for act in file.acts.iter_mut().filter(waits) {
        act.told_at = work.now;
        let scope = ask(act.state.plan()).map(|ask| ask.scope);
        persons.extend(act.state.plan().persons.iter().map(|person| (person.clone(), scope)));
    }
    if persons.is_empty() {
        return Ok(());
    }
    file.save(work)?;
    let about: Vec<_> = shown(&file, |_| true)
        .into_iter()
        .filter(|(s, scope)| persons.contains(&(s.person.clone(), Some(*scope))))
        .collect();
    tell(work, &case, &file, &about)
}

pub(super) fn tell(
    work: &Work<'_>,
    case: &CaseRecord,
    file: &Dossier,
    shown: &[(Statement, Scope)],
) -> Result<(), Error> {
    if shown.is_empty() {
        return Ok(());
    }
    let Some(line) = line_of(work, case)? else { return Ok(()) };
    for (statement, scope) in shown {
        let seat = Seat::case(work, records::need(work.tx, &line.id)?)?;
        let (status, _) = status(&seat, &file.ledger, statement, *scope, work.now)?;
        match post(work, seat, status.into(), &SendOptions::default()) {
            Ok(_) => {}
            Err(error) if error.is_fatal() => return Err(error),
            Err(_) => {
                let what = "the Ministry could not be told here that a consent no longer stands: \
                            tell it another way";
                work.event(Event::Problem { what: what.to_owned() });
            }
        }
    }
    Ok(())
}

/// Each statement and scope that the Ministry was shown.
pub(super) fn shown(file: &Dossier, of: impl Fn(&Statement) -> bool) -> Vec<(Statement, Scope)> {
    let about = file.consents.iter().filter(|consent| of(&consent.statement));
    about
        .flat_map(|consent| {
            let all = consent.statement.claims.iter();
            // Of what this device knows from the line alone, everything was shown there.
            let scopes = match &consent.record {
                Some(_) => consent.shown.clone(),
                None => all.filter_map(|claim| Scope::try_from(claim.scope).ok()).collect(),
            };
            scopes.into_iter().map(|scope| (consent.statement.clone(), scope))
        })
        .collect()
}

/// The proof of each person's consent to one scope, and how it stands now; notes that the Ministry was shown it. For
/// whoever has not answered there is no proof: the guards say so.
pub(super) fn proofs(
    seat: &Seat,
    file: &mut Dossier,
    persons: &[String],
    scope: Scope,
    now: i64,
) -> Result<Vec<(ConsentToken, ConsentStatus, Hash)>, Error> {
    let mut proofs = Vec::new();
    for person in persons {
        let decides = file.ledger.deciding(person, scope).map(|statement| statement.token_hash);
        let of_it = |c: &&mut Consent| Some(c.statement.token_hash) == decides;
        let Some(consent) = file.consents.iter_mut().find(of_it) else { continue };
        let Some(record) = &consent.record else { continue };
        if !consent.vouched {
            return Err(Refusal::ConsentProofInvalid { step: "standing-not-checked" }.into());
        }
        let role = role_for(seat, Act::ShareConsent)?;
        let mut officers = record.attestations.clone();
        if officers.is_empty() {
            officers.push(attest(seat, role, ATTEST_DOMAIN, &record.body)?);
        }
        let token = disclose(record, &[scope], officers)?;
        if !consent.shown.contains(&scope) {
            consent.shown.push(scope);
        }
        let statement = consent.statement.clone();
        let (status, hash) = status(seat, &file.ledger, &statement, scope, now)?;
        proofs.push((token, status, hash));
    }
    Ok(proofs)
}

/// How one scope of a statement stands, signed by this officer.
fn status(
    seat: &Seat,
    ledger: &Ledger,
    statement: &Statement,
    scope: Scope,
    now: i64,
) -> Result<(ConsentStatus, Hash), Error> {
    let body = ledger.status(statement, &[scope], now);
    let officer = own_officer(seat, role_for(seat, Act::ShareConsent)?)?;
    let key = seat.me.signing_key();
    let status = sign_status(&body, officer, |domain, body| key.sign(domain, body));
    let hash = consent_status_hash(&status.body);
    Ok((status, hash))
}
