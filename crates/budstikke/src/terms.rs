//! Negotiating channel terms inside a case (Box 2.3: decided jointly).

use budstikke_case::file::TermsFile;
use budstikke_case::wire::{TermsChange, TermsChangeKind, TermsCounter, TermsProposal};
use budstikke_case::{Body, Hash};

use crate::channel::commit::want_terms;
use crate::channel::seat::{Seat, terms_of};
use crate::channel::send::{SendOptions, Sent, own_side, post};
use crate::client::{Client, Work};
use crate::error::Error;
use crate::mission::found::accept;
use crate::mission::line::inherited;
use crate::view::case_of_name;

impl Client {
    /// Accepts the terms that the other side put on the table.
    ///
    /// # Errors
    /// [`Error::NotFound`] when nothing of theirs waits for an answer; [`Error::Refused`].
    pub async fn accept_terms(&self, case: &str) -> Result<Sent, Error> {
        self.negotiate(case, |_, seat| {
            let Some(record) = &seat.case else { return Err(Error::NotFound { what: "the case" }) };
            let terms = terms_of(record)?;
            let own = own_side(seat, terms.leg())?;
            let theirs = terms.pending().filter(|(_, _, by)| Some(*by) != own).last();
            let (hash, pending, _) =
                theirs.ok_or(Error::NotFound { what: "terms that wait for your answer" })?;
            Ok(accept(hash, pending, &[&record.own_unit, &record.peer_unit])?.into())
        })
        .await
    }

    /// Proposes terms, or counters those that the other side proposed, and accepts them for this side.
    ///
    /// # Errors
    /// [`Error::Refused`] for terms that break a rule.
    pub async fn propose_terms(&self, case: &str, file: TermsFile) -> Result<Sent, Error> {
        let name = case.to_owned();
        self.vault(move |work| propose(work, &name, file)).await
    }

    /// Suspends, resumes or ends the terms for this side, at once. After an end nothing but an emergency goes
    /// through until new terms are agreed.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is nothing to change.
    pub async fn change_terms(
        &self,
        case: &str,
        kind: TermsChangeKind,
        reason: &str,
    ) -> Result<Sent, Error> {
        let reason = reason.to_owned();
        self.negotiate(case, move |_, seat| {
            let Some(record) = &seat.case else { return Err(Error::NotFound { what: "the case" }) };
            let hash = terms_of(record)?.agreed_hash();
            let terms_hash = hash.map(Hash::to_vec).unwrap_or_default();
            Ok(TermsChange { kind: kind.into(), terms_hash, reason }.into())
        })
        .await
    }

    async fn negotiate(
        &self,
        case: &str,
        body: impl FnOnce(&Work<'_>, &Seat) -> Result<Body, Error> + Send + 'static,
    ) -> Result<Sent, Error> {
        let name = case.to_owned();
        self.vault(move |work| {
            let seat = Seat::case(work, case_of_name(work, &name)?)?;
            let body = body(work, &seat)?;
            let sent = post(work, seat, body, &SendOptions::default())?;
            want_terms(work, &Seat::case(work, case_of_name(work, &name)?)?)?;
            Ok(sent)
        })
        .await
    }
}

/// Puts terms on the table and accepts them for this side.
pub(crate) fn propose(work: &Work<'_>, name: &str, mut file: TermsFile) -> Result<Sent, Error> {
    let seat = Seat::case(work, case_of_name(work, name)?)?;
    let Some(record) = &seat.case else { return Err(Error::NotFound { what: "the case" }) };
    let terms = terms_of(record)?;
    let own = own_side(&seat, terms.leg())?;
    let standing = terms.pending().last().map(|(_, terms, _)| terms).or(terms.agreed());
    if let Some(standing) = standing {
        file.terms.privacy_notice_hash.clone_from(&standing.privacy_notice_hash);
    }
    if let Some(hash) = inherited(work, record)? {
        file.terms.inherits_terms_hash = hash;
    } else if let Some(standing) = standing {
        file.terms.inherits_terms_hash.clone_from(&standing.inherits_terms_hash);
    }
    if file.terms.units.is_empty() {
        file.terms.units.push(record.unit_id.clone());
    }
    let (bytes, hash) = file.encode();
    let theirs = terms.pending().filter(|(_, _, by)| Some(*by) != own).last();
    let body: Body = match theirs {
        Some((countered, _, _)) => {
            TermsCounter { terms: bytes, counters_hash: countered.to_vec(), why: file.note.clone() }
                .into()
        }
        None => TermsProposal { terms: bytes, note: file.note.clone() }.into(),
    };
    let units = [record.own_unit.as_str(), record.peer_unit.as_str()];
    let acceptance = accept(hash, &file.terms, &units)?;
    post(work, seat, body, &SendOptions::default())?;
    let seat = Seat::case(work, case_of_name(work, name)?)?;
    post(work, seat, acceptance.into(), &SendOptions::default())
}
