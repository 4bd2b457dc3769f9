//! HERON's case on the Ministry line, and what a modified mission would put before the Ministry.

use budstikke::case::action::ask;
use budstikke::case::consent::{Giving, disclose};
use budstikke::case::file::{Format, PlanFile, RiskFile};
use budstikke::case::hash::consent_hash;
use budstikke::case::officer::{ATTEST_DOMAIN, STATUS_DOMAIN};
use budstikke::case::wire::{
    ApprovalRequest, ConsentRecord, ConsentState, ConsentStatus, ConsentStatusBody,
    ConsentTokenBody, Header, RiskAssessment, Scope,
};
use budstikke::case::{Body, Received};
use budstikke::{Client, Submission};
use budstikke_tests::case_work::{CaseWork, MINUTE};
use budstikke_tests::world::{data, text};
use prost::Message;

use crate::{Device, Provoked, random_id};

pub(crate) struct Bench(pub(crate) CaseWork);

impl Bench {
    /// Told, assessed, and everybody has written once, so that there is a header to copy.
    pub(crate) async fn new() -> Self {
        let bench = Self(CaseWork::new().await);
        bench.0.told().await;
        for end in [bench.heron(), bench.mission(), bench.line(), bench.desk(), bench.decider()] {
            end.send(text("so that there is a header to copy")).await;
        }
        bench.0.settle().await;
        bench
    }

    /// HERON's device.
    pub(crate) fn heron(&self) -> Device<'_> {
        Device { client: &self.0.world.heron, case: &self.0.at_heron }
    }

    /// Officer A's, with HERON.
    pub(crate) fn mission(&self) -> Device<'_> {
        Device { client: self.0.officer_a(), case: &self.0.at_mission }
    }

    /// Officer A's, on the line.
    pub(crate) fn line(&self) -> Device<'_> {
        Device { client: self.0.officer_a(), case: &self.0.line.at_mission }
    }

    /// Desk M's.
    pub(crate) fn desk(&self) -> Device<'_> {
        Device { client: &self.0.line.desk, case: &self.0.line.at_desk }
    }

    /// Decision-maker K's.
    pub(crate) fn decider(&self) -> Device<'_> {
        Device { client: self.0.decider(), case: &self.0.line.at_desk }
    }

    /// A forged message, written now, reaches the other side, which keeps it apart and says so.
    pub(crate) async fn slips(
        &self,
        provoked: &mut Provoked,
        key: &'static str,
        ends: [&Device<'_>; 2],
        body: impl Into<Body>,
    ) {
        let [from, to] = ends;
        let written = |header: &mut Header| header.written_at_s = self.0.world.now();
        let forged = from.forge(body, written).await;
        from.reaches(provoked, key, to, forged).await;
    }

    /// The mission's client does not put this plan before the Ministry. A modified one does, with these consents,
    /// and the desk does not take it.
    pub(crate) async fn both_ends(
        &self,
        provoked: &mut Provoked,
        key: &'static str,
        plan: &PlanFile,
        records: &[&ConsentRecord],
    ) {
        let act = self.0.officer_a().plan_act(&self.0.at_mission, plan.clone()).await;
        let act = act.expect("a plan");
        let submission = Submission::default();
        let attempt = self.0.officer_a().submit_act(&self.0.at_mission, &act, submission);
        self.line().denies(provoked, key, attempt).await;
        let request = self.put(plan, records).await;
        self.slips(provoked, key, [&self.line(), &self.desk()], request).await;
    }

    /// A request as Officer A's client makes one, past every guard.
    pub(crate) async fn put(&self, plan: &PlanFile, records: &[&ConsentRecord]) -> ApprovalRequest {
        let (client, line) = (self.0.officer_a(), &self.0.line.at_mission);
        let scope = ask(&plan.plan).expect("a guarded kind").scope;
        let (mut tokens, mut statuses) = (Vec::new(), Vec::new());
        for record in records {
            let by = client.attest_unchecked(line, ATTEST_DOMAIN, &record.body).await;
            let token = disclose(record, &[scope], vec![by.expect("attested")]).expect("a token");
            tokens.push(token.encode_to_vec());
            let status = self.status(record, scope, ConsentState::Valid, 0).await;
            statuses.push(status.encode_to_vec());
        }
        let file = client.file(&self.0.at_mission).await.expect("the file");
        let (plan, hash) = plan.encode(random_id());
        let by = client.attest_unchecked(line, STATUS_DOMAIN, &[]).await.expect("attested");
        ApprovalRequest {
            request_id: random_id().to_vec(),
            plan,
            plan_hash: hash.to_vec(),
            submitted_by: by.officer,
            consent_tokens: tokens,
            consent_statuses: statuses,
            risk_assessment: file.risk.expect("an assessment").encode_to_vec(),
            verification: file.facts.last().expect("facts").encode_to_vec(),
            ..ApprovalRequest::default()
        }
    }

    /// What a modified mission says of a consent, this many seconds ago.
    pub(crate) async fn status(
        &self,
        record: &ConsentRecord,
        scope: Scope,
        state: ConsentState,
        ago: i64,
    ) -> ConsentStatus {
        let given = ConsentTokenBody::decode(record.body.as_slice()).expect("a consent").given_at_s;
        let now = self.0.world.now();
        let body = ConsentStatusBody {
            token_hash: consent_hash(&record.body).to_vec(),
            scopes: vec![scope.into()],
            state: state.into(),
            as_of_s: now - ago,
            affirmed_at_s: given.min(now - ago),
            withdrawn_at_s: if state == ConsentState::Withdrawn { now - ago } else { 0 },
            reached_at_s: 0,
        };
        let body = body.encode_to_vec();
        let line = &self.0.line.at_mission;
        let by = self.0.officer_a().attest_unchecked(line, STATUS_DOMAIN, &body).await;
        ConsentStatus { body, by: Some(by.expect("attested")) }
    }

    /// HERON's answers to a démarche, changed, as they reach the mission.
    pub(crate) async fn gives(&self, change: impl FnOnce(&mut Giving)) -> ConsentRecord {
        self.0.world.clock.advance(MINUTE);
        let mut file = self.0.answers("consent-demarche.toml");
        change(&mut file.giving);
        self.0.world.heron.give_consent(&self.0.at_heron, file).await.expect("answers");
        self.0.settle().await;
        newest_consent(self.0.officer_a(), &self.0.at_mission).await
    }

    /// Officer A's assessment, changed.
    pub(crate) async fn assessed(&self, change: impl FnOnce(&mut RiskAssessment)) {
        let file = RiskFile::parse(&data("risk-heron.toml"), Format::Toml, self.0.world.now());
        let mut file = file.expect("an assessment");
        change(&mut file.risk);
        self.0.officer_a().assess_risk(&self.0.at_mission, file).await.expect("assessed");
    }
}

/// The newest consent in a case.
pub(crate) async fn newest_consent(client: &Client, case: &str) -> ConsentRecord {
    let messages = client.case(case).await.expect("case").messages;
    let found = messages.into_iter().rev().find_map(|message| {
        match Received::open(message.content).ok()?.content().body.clone()? {
            Body::ConsentRecord(record) => Some(*record),
            _ => None,
        }
    });
    found.expect("a consent")
}
