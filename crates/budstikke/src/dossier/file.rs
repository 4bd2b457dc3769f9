//! The file of a case, opened: what the guards of the case rules look at.

use budstikke_case::action::{ActionEvent, ActionPhase, ActionState, CaseFacts, ask};
use budstikke_case::alert::{AlertEvent, AlertState};
use budstikke_case::consent::{
    Ledger, STATUS_MAX_AGE_S, Statement, Suspension, verify, verify_record,
};
use budstikke_case::wire::{
    Alert, ApprovalRequest, CaseIntake, ConsentRecord, ConsentStatus, ConsentStatusBody,
    ConsentToken, ConsentWithdrawalBody, DecisionBody, DisclosureNotice, EscalationContact,
    GuardOverride, RiskAssessment, Scope, VerificationRecord,
};
use budstikke_case::{Hash, Refusal, Unit};
use prost::Message;

use super::keys::Proven;
use crate::client::Work;
use crate::error::Error;
use crate::records::{
    self, ActRecord, CaseRecord, DossierRecord, EarlyRecord, KeptAlertRecord, Proof, ReachRecord,
    SuspensionRecord,
};

/// The file of one case, in a transaction. Nothing is written before [`Dossier::save`].
pub(crate) struct Dossier {
    key: Vec<u8>,
    pub(crate) consents: Vec<Consent>,
    withdrawals: Vec<Vec<u8>>,
    suspensions: Vec<SuspensionRecord>,
    pub(crate) ledger: Ledger,
    pub(crate) risk: Option<RiskAssessment>,
    pub(crate) facts: Vec<VerificationRecord>,
    pub(crate) overrides: Vec<GuardOverride>,
    pub(crate) acts: Vec<Act>,
    pub(crate) alerts: Vec<KeptAlert>,
    pub(crate) brief: Option<Hash>,
    /// Notices that the person's quiet time holds back.
    pub(crate) notices: Vec<DisclosureNotice>,
    /// What this office adds to what was told.
    pub(crate) own_parts: Vec<CaseIntake>,
    /// At the Ministry: how the consents that it was shown last stood, where they did.
    pub(crate) statuses: Vec<ConsentStatus>,
    /// How either side of a line is reached when nobody in it answers.
    pub(crate) reaches: Vec<Reach>,
    /// Case bytes that came before what they are about, and whether this unit said them.
    pub(crate) early: Vec<(Vec<u8>, bool)>,
}

/// A consent and its proof.
#[derive(Clone)]
pub(crate) struct Consent {
    pub(crate) statement: Statement,
    /// The whole record, where it is known here.
    pub(crate) record: Option<ConsentRecord>,
    token: Vec<u8>,
    /// Scopes that the Ministry has been shown.
    pub(crate) shown: Vec<Scope>,
    /// Whether an officer knows that whoever gave it may.
    pub(crate) vouched: bool,
}

/// A guarded act.
#[derive(Clone)]
pub(crate) struct Act {
    pub(crate) state: ActionState,
    pub(crate) request: Option<ApprovalRequest>,
    pub(crate) decision: Option<DecisionBody>,
    /// When the Ministry was last told how its consents stand, Unix seconds.
    pub(crate) told_at: i64,
}

/// How one side of a line is reached about an alert.
pub(crate) struct Reach {
    line: Vec<u8>,
    ours: bool,
    pub(crate) contact: EscalationContact,
    /// When it was said, Unix seconds.
    pub(crate) at: i64,
}

/// An alert.
pub(crate) struct KeptAlert {
    pub(crate) state: AlertState,
    pub(crate) case_id: Vec<u8>,
    pub(crate) ours: bool,
    pub(crate) told_of: i64,
    pub(crate) message_id: Vec<u8>,
}

/// An alert after somebody answered it or took it back.
pub(crate) struct Turned {
    pub(crate) alert: Alert,
    /// Whether this unit raised it.
    pub(crate) ours: bool,
    /// Whether it waited for a person before, and whether it does now.
    pub(crate) waited: bool,
    pub(crate) waits: bool,
}

/// Bytes of the largest file of a case: hundreds of consents and acts. What would not fit is refused, so that nobody
/// fills a vault by writing to one case.
const MAX_FILE_LEN: usize = 4 * 1_024 * 1_024;
/// Bytes after which a part of a file is full: with one entry more it still fits into an envelope.
const PART_LEN: usize = 96 * 1_024;
/// Messages that may wait for what they are about.
const MAX_EARLY: usize = 32;

const DAMAGED: Error = Error::Damaged { what: "the file of the case" };

impl Dossier {
    /// The file of a case; a mission's line shares that of the case it carries on.
    pub(crate) fn of(work: &Work<'_>, case: &CaseRecord) -> Result<Self, Error> {
        let key = if case.line_for.is_empty() { &case.id } else { &case.line_for };
        let record: DossierRecord = records::load(work.tx, key)?.unwrap_or_default();
        Self::open(key.clone(), record)
    }

    /// The file with this key, which is the defender's case's id.
    pub(crate) fn of_key(work: &Work<'_>, key: &[u8]) -> Result<Self, Error> {
        Self::open(key.to_vec(), records::load(work.tx, key)?.unwrap_or_default())
    }

    fn open(key: Vec<u8>, record: DossierRecord) -> Result<Self, Error> {
        let mut ledger = Ledger::new();
        let mut consents = Vec::new();
        for proof in record.proofs {
            let consent = Consent::open(proof)?;
            ledger.add(consent.statement.clone());
            consents.push(consent);
        }
        for body in &record.withdrawals {
            ledger.withdraw(&read::<ConsentWithdrawalBody>(body)?);
        }
        for suspension in &record.suspensions {
            let place = usize::try_from(suspension.cause).ok();
            let cause = place.and_then(|place| Suspension::ALL.get(place)).ok_or(DAMAGED)?;
            ledger.suspend(&suspension.person, *cause, suspension.since);
            if suspension.until != 0 {
                ledger.reached(&suspension.person, suspension.until);
            }
        }
        Ok(Self {
            key,
            consents,
            withdrawals: record.withdrawals,
            suspensions: record.suspensions,
            ledger,
            risk: optional(&record.risk)?,
            facts: every(&record.facts)?,
            overrides: every(&record.overrides)?,
            acts: record.acts.iter().map(Act::open).collect::<Result<_, _>>()?,
            alerts: record.alerts.into_iter().map(KeptAlert::open).collect::<Result<_, _>>()?,
            brief: Hash::from_slice(&record.brief),
            notices: every(&record.notices)?,
            own_parts: every(&record.own_parts)?,
            statuses: every(&record.statuses)?,
            reaches: record.reaches.iter().map(Reach::open).collect::<Result<_, _>>()?,
            early: record.early.into_iter().map(|early| (early.content, early.ours)).collect(),
        })
    }

    /// Writes the file back.
    pub(crate) fn save(&self, work: &Work<'_>) -> Result<(), Error> {
        let record = DossierRecord {
            proofs: self.consents.iter().map(Consent::record).collect(),
            withdrawals: self.withdrawals.clone(),
            suspensions: self.suspensions.clone(),
            risk: self.risk.as_ref().map(Message::encode_to_vec).unwrap_or_default(),
            facts: self.facts.iter().map(Message::encode_to_vec).collect(),
            overrides: self.overrides.iter().map(Message::encode_to_vec).collect(),
            acts: self.acts.iter().map(Act::record).collect(),
            alerts: self.alerts.iter().map(KeptAlert::record).collect(),
            brief: self.brief.map(Hash::to_vec).unwrap_or_default(),
            notices: self.notices.iter().map(Message::encode_to_vec).collect(),
            own_parts: self.own_parts.iter().map(Message::encode_to_vec).collect(),
            statuses: self.statuses.iter().map(Message::encode_to_vec).collect(),
            early: self
                .early
                .iter()
                .map(|(content, ours)| EarlyRecord { content: content.clone(), ours: *ours })
                .collect(),
            reaches: self.reaches.iter().map(Reach::record).collect(),
        };
        let got = record.encoded_len();
        if got > MAX_FILE_LEN {
            let (field, limit, unit) = ("file".to_owned(), MAX_FILE_LEN, Unit::Bytes);
            return Err(Refusal::TooLarge { field, limit, got, unit }.into());
        }
        records::save(work.tx, &self.key, &record)
    }

    /// The file in parts that fit into one envelope each, for who takes the case over. Notices that wait for the end of
    /// quiet hours are still sent from here.
    pub(crate) fn parts(work: &Work<'_>, case: &[u8]) -> Result<Vec<DossierRecord>, Error> {
        let whole: DossierRecord = records::load(work.tx, case)?.unwrap_or_default();
        let first =
            DossierRecord { risk: whole.risk, brief: whole.brief, ..DossierRecord::default() };
        let mut parts = vec![first];
        macro_rules! share {
            ($($list:ident),*) => {$(
                for item in whole.$list {
                    if parts.last().is_none_or(|part| part.encoded_len() > PART_LEN) {
                        parts.push(DossierRecord::default());
                    }
                    if let Some(part) = parts.last_mut() {
                        part.$list.push(item);
                    }
                }
            )*};
        }
        share!(proofs, withdrawals, suspensions, facts, overrides, acts, alerts, own_parts, early);
        Ok(parts)
    }

    /// Takes in a part of a colleague's file. What stands here already followed the conversation and stays.
    pub(crate) fn take_over(&mut self, part: DossierRecord) -> Result<(), Error> {
        let other = Self::open(self.key.clone(), part)?;
        for consent in other.consents {
            self.add(consent);
        }
        for body in other.withdrawals {
            if !self.withdrawals.contains(&body) {
                self.ledger.withdraw(&read::<ConsentWithdrawalBody>(&body)?);
                self.withdrawals.push(body);
            }
        }
        for suspension in other.suspensions {
            if !self.suspensions.contains(&suspension) {
                self.suspensions.push(suspension);
            }
        }
        if let Some(risk) = &other.risk {
            self.newer_risk(risk);
        }
        keep_new(&mut self.facts, other.facts, |a, b| a == b);
        keep_new(&mut self.overrides, other.overrides, |a, b| a == b);
        keep_new(&mut self.own_parts, other.own_parts, |a, b| a == b);
        keep_new(&mut self.early, other.early, |a, b| a == b);
        let id = |act: &Act| act.state.plan().action_id.clone();
        keep_new(&mut self.acts, other.acts, |a, b| id(a) == id(b));
        let id = |kept: &KeptAlert| kept.state.alert().alert_id.clone();
        keep_new(&mut self.alerts, other.alerts, |a, b| id(a) == id(b));
        self.brief = self.brief.or(other.brief);
        Ok(())
    }

    /// Adds a proven consent of which everything is known. `vouched`: it is known that whoever gave it may.
    pub(crate) fn add_record(
        &mut self,
        record: &ConsentRecord,
        statement: Statement,
        vouched: bool,
    ) {
        let record = Some(record.clone());
        let (token, shown) = (Vec::new(), Vec::new());
        self.add(Consent { statement, record, token, shown, vouched });
    }

    /// Adds a proven consent of which only one act's answers are known; or, where all of it is, notes that the
    /// Ministry has been shown these.
    pub(crate) fn add_token(&mut self, token: &[u8], statement: Statement) {
        let whole =
            |c: &&mut Consent| c.record.is_some() && c.statement.token_hash == statement.token_hash;
        if let Some(consent) = self.consents.iter_mut().find(whole) {
            let scopes = statement.claims.iter().filter_map(|c| Scope::try_from(c.scope).ok());
            for scope in scopes {
                if !consent.shown.contains(&scope) {
                    consent.shown.push(scope);
                }
            }
            return;
        }
        let token = token.to_vec();
        self.add(Consent { statement, record: None, token, shown: Vec::new(), vouched: true });
    }

    fn add(&mut self, consent: Consent) {
        let known = |known: &&Consent| {
            let (a, b) = (&known.statement, &consent.statement);
            a.token_hash == b.token_hash && a.claims == b.claims
        };
        if self.consents.iter().any(|other| known(&other)) {
            return;
        }
        self.ledger.add(consent.statement.clone());
        self.consents.push(consent);
    }

    /// The person was known to stand by it at this time.
    pub(crate) fn affirm(&mut self, token: Hash, at: i64) {
        self.ledger.affirm(token, at);
        let of = self.consents.iter_mut().map(|consent| &mut consent.statement);
        of.filter(|statement| statement.token_hash == token)
            .for_each(|statement| statement.affirmed_at_s = statement.affirmed_at_s.max(at));
    }

    /// Takes a proven withdrawal: every act that rests on it stops, or is not used further.
    pub(crate) fn withdraw(&mut self, body: &ConsentWithdrawalBody, now: i64) -> Result<(), Error> {
        let of_record = |c: &&Consent| c.statement.record_id == body.record_id;
        let person = self.consents.iter().find(of_record).map(|c| c.statement.person.clone());
        let bytes = body.encode_to_vec();
        if self.withdrawals.contains(&bytes) {
            return Ok(());
        }
        self.ledger.withdraw(body);
        self.withdrawals.push(bytes);
        let Some(person) = person else { return Ok(()) };
        let ids: Vec<Vec<u8>> = self
            .acts
            .iter()
            .filter(|act| {
                let scope = ask(act.state.plan()).map(|ask| i32::from(ask.scope));
                body.scopes.is_empty() || scope.is_some_and(|scope| body.scopes.contains(&scope))
            })
            .map(|act| act.state.plan().action_id.clone())
            .collect();
        for id in ids {
            let (person, at) = (person.clone(), body.written_at_s);
            self.step(&id, ActionEvent::ConsentWithdrawn { person, at }, now)?;
        }
        Ok(())
    }

    /// At the Ministry: keeps the word that a consent stands for as long as it counts; several officers may have said
    /// it, and an act names one of them.
    pub(crate) fn keep_status(&mut self, status: &ConsentStatus, now: i64) {
        self.statuses.retain(|known| {
            let as_of = ConsentStatusBody::decode(known.body.as_slice()).map(|b| b.as_of_s);
            as_of.is_ok_and(|at| now.saturating_sub(at) <= STATUS_MAX_AGE_S) && known != status
        });
        self.statuses.push(status.clone());
    }

    /// Keeps what came before what it is about, within bounds.
    ///
    /// # Errors
    /// W02 when too much waits already.
    pub(crate) fn keep_early(&mut self, content: &[u8], ours: bool) -> Result<(), Refusal> {
        let known = self.early.iter().any(|(bytes, _)| bytes == content);
        if !known && self.early.len() >= MAX_EARLY {
            let (field, limit) = ("early".to_owned(), MAX_EARLY);
            let (got, unit) = (MAX_EARLY + 1, Unit::Entries);
            return Err(Refusal::TooLarge { field, limit, got, unit });
        }
        if !known {
            self.early.push((content.to_vec(), ours));
        }
        Ok(())
    }

    /// How one side of a line is reached, if it has said so.
    pub(crate) fn reach(&self, line: &[u8], ours: bool) -> Option<&Reach> {
        self.reaches.iter().find(|reach| reach.line == line && reach.ours == ours)
    }

    /// How both sides of a line are reached, for a colleague's device.
    pub(crate) fn reaches_of(&self, line: &[u8]) -> Vec<ReachRecord> {
        self.reaches.iter().filter(|reach| reach.line == line).map(Reach::record).collect()
    }

    /// The newest word of how a side is reached counts.
    pub(crate) fn newer_reach(
        &mut self,
        line: &[u8],
        ours: bool,
        contact: &EscalationContact,
        at: i64,
    ) {
        if self.reach(line, ours).is_some_and(|known| known.at > at) {
            return;
        }
        self.reaches.retain(|known| known.line != line || known.ours != ours);
        self.reaches.push(Reach { line: line.to_vec(), ours, contact: contact.clone(), at });
    }

    /// The newest assessment counts.
    pub(crate) fn newer_risk(&mut self, risk: &RiskAssessment) {
        if self.risk.as_ref().is_none_or(|known| known.made_at_s < risk.made_at_s) {
            self.risk = Some(risk.clone());
        }
    }

    /// Somebody's own word does not count from now on.
    pub(crate) fn suspend(&mut self, person: &str, cause: Suspension, since: i64) {
        self.ledger.suspend(person, cause, since);
        let place = Suspension::ALL.iter().position(|known| *known == cause);
        self.suspensions.push(SuspensionRecord {
            person: person.to_owned(),
            cause: place.and_then(|place| u32::try_from(place).ok()).unwrap_or_default(),
            since,
            until: 0,
        });
    }

    /// They were reached and are themselves.
    pub(crate) fn reached(&mut self, person: &str, at: i64) {
        self.ledger.reached(person, at);
        let open = self.suspensions.iter_mut().filter(|s| s.person == person && s.until == 0);
        open.for_each(|suspension| suspension.until = at);
    }

    /// The act with this id.
    pub(crate) fn act(&self, id: &[u8]) -> Option<&Act> {
        self.acts.iter().find(|act| act.state.plan().action_id == id)
    }

    /// The act with this id, to be changed.
    pub(crate) fn act_mut(&mut self, id: &[u8]) -> Option<&mut Act> {
        self.acts.iter_mut().find(|act| act.state.plan().action_id == id)
    }

    /// Whether there is an alert with this id.
    pub(crate) fn has_alert(&self, id: &[u8]) -> bool {
        self.alerts.iter().any(|kept| kept.state.alert().alert_id == id)
    }

    /// The alert with this id, to be changed.
    pub(crate) fn alert_mut(&mut self, id: &[u8]) -> Option<&mut KeptAlert> {
        self.alerts.iter_mut().find(|kept| kept.state.alert().alert_id == id)
    }

    /// What is known when an act is checked.
    pub(crate) fn facts_for<'a>(&'a self, publishes: &[u8]) -> CaseFacts<'a> {
        CaseFacts {
            risk: self.risk.as_ref(),
            verification: &self.facts,
            overrides: &self.overrides,
            published: self.act(publishes).map(|act| &act.state),
            ..CaseFacts::new(&self.ledger)
        }
    }

    /// Takes a step of an act; nothing changes when it is refused, or when there is no such act here.
    pub(crate) fn step(
        &mut self,
        id: &[u8],
        event: ActionEvent<'_>,
        now: i64,
    ) -> Result<Option<ActionPhase>, Refusal> {
        let Some(act) = self.act(id) else { return Ok(None) };
        let mut state = act.state.clone();
        let publishes = state.plan().publishes_action_id.clone();
        let phase = state.apply(event, &self.facts_for(&publishes), now)?;
        if let Some(act) = self.act_mut(id) {
            act.state = state;
        }
        Ok(Some(phase))
    }
}

impl Consent {
    fn open(proof: Proof) -> Result<Self, Error> {
        let (mut statement, record) = if proof.record.is_empty() {
            (verify(&read::<ConsentToken>(&proof.token)?, &Proven)?, None)
        } else {
            let record: ConsentRecord = read(&proof.record)?;
            (verify_record(&record, &Proven)?, Some(record))
        };
        statement.affirmed_at_s = statement.affirmed_at_s.max(proof.affirmed_at);
        statement.heard_at_s = statement.heard_at_s.max(proof.heard_at);
        let shown = proof.shown.iter().filter_map(|raw| Scope::try_from(*raw).ok()).collect();
        Ok(Self { statement, record, token: proof.token, shown, vouched: proof.vouched })
    }

    fn record(&self) -> Proof {
        Proof {
            record: self.record.as_ref().map(Message::encode_to_vec).unwrap_or_default(),
            token: self.token.clone(),
            affirmed_at: self.statement.affirmed_at_s,
            shown: self.shown.iter().map(|scope| (*scope).into()).collect(),
            vouched: self.vouched,
            heard_at: self.statement.heard_at_s,
        }
    }
}

impl Act {
    /// An act that nobody was asked about yet.
    pub(crate) fn new(state: ActionState) -> Self {
        Self { state, request: None, decision: None, told_at: 0 }
    }

    fn open(record: &ActRecord) -> Result<Self, Error> {
        Ok(Self {
            state: ActionState::from_bytes(&record.state)?,
            request: optional(&record.request)?,
            decision: optional(&record.decision)?,
            told_at: record.told_at,
        })
    }

    fn record(&self) -> ActRecord {
        ActRecord {
            state: self.state.to_bytes(),
            request: self.request.as_ref().map(Message::encode_to_vec).unwrap_or_default(),
            decision: self.decision.as_ref().map(Message::encode_to_vec).unwrap_or_default(),
            told_at: self.told_at,
        }
    }
}

impl Reach {
    fn open(record: &ReachRecord) -> Result<Self, Error> {
        let (line, contact) = (record.case_id.clone(), read(&record.contact)?);
        Ok(Self { line, ours: record.ours, contact, at: record.at })
    }

    fn record(&self) -> ReachRecord {
        let (case_id, contact) = (self.line.clone(), self.contact.encode_to_vec());
        ReachRecord { case_id, ours: self.ours, contact, at: self.at }
    }
}

impl KeptAlert {
    /// Takes note of an answer, or of an end.
    pub(crate) fn turn(&mut self, event: &AlertEvent<'_>, now: i64) -> Result<Turned, Refusal> {
        let waited = self.state.waiting();
        self.state.apply(event, now)?;
        let (alert, waits) = (self.state.alert().clone(), self.state.waiting());
        Ok(Turned { alert, ours: self.ours, waited, waits })
    }

    fn open(record: KeptAlertRecord) -> Result<Self, Error> {
        Ok(Self {
            state: AlertState::from_bytes(&record.state)?,
            case_id: record.case_id,
            ours: record.ours,
            told_of: record.told_of,
            message_id: record.message_id,
        })
    }

    fn record(&self) -> KeptAlertRecord {
        KeptAlertRecord {
            state: self.state.to_bytes(),
            case_id: self.case_id.clone(),
            ours: self.ours,
            told_of: self.told_of,
            message_id: self.message_id.clone(),
        }
    }
}

/// Every file of this vault with its key.
pub(crate) fn files(work: &Work<'_>) -> Result<Vec<(Vec<u8>, Dossier)>, Error> {
    let all = records::all::<DossierRecord>(work.tx)?;
    let open = |(key, record): (Vec<u8>, DossierRecord)| {
        Dossier::open(key.clone(), record).map(|file| (key, file))
    };
    all.into_iter().map(open).collect()
}

/// Adds what is not there yet.
fn keep_new<T>(known: &mut Vec<T>, more: Vec<T>, same: impl Fn(&T, &T) -> bool) {
    for item in more {
        if !known.iter().any(|there| same(there, &item)) {
            known.push(item);
        }
    }
}

fn optional<M: Message + Default>(bytes: &[u8]) -> Result<Option<M>, Error> {
    if bytes.is_empty() { Ok(None) } else { read(bytes).map(Some) }
}

fn every<M: Message + Default>(all: &[Vec<u8>]) -> Result<Vec<M>, Error> {
    all.iter().map(|bytes| read(bytes)).collect()
}

fn read<M: Message + Default>(bytes: &[u8]) -> Result<M, Error> {
    M::decode(bytes).map_err(|_| DAMAGED)
}
