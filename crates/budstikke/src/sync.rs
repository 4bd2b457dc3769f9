//! Fetching and sending: one pass over everything that can move, and a listener that makes passes as cells arrive.

use std::time::Duration;

use budstikke_e2ee::team::TeamMessage;
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::id::RecvId;
use tokio_stream::StreamExt;

use crate::channel::commit::heal;
use crate::channel::inbound;
use crate::channel::seat::REMOVED;
use crate::client::{Client, Work};
use crate::crash;
use crate::directory::remove_revoked;
use crate::error::Error;
use crate::events::Event;
use crate::handover;
use crate::mission::{CertificateStatus, TEAM_POST, rotate, team};
use crate::records::{self, Commit, Deferred, Post, Record, SELF, Team, fixed};
use crate::recovery::transcript;
use crate::relay::RelayError;
use crate::reserve;

/// Cells asked for at a time.
const PAGE: u32 = 64;
/// Pages of one mailbox in one pass: whatever a relay says, the pass ends.
const MAX_PAGES: usize = 1_024;
/// A listener looks at everything this often even when nothing is pushed: slots and notices are never pushed.
const LISTEN_PASS: Duration = Duration::from_mins(1);
/// How long a listener waits before it connects again after a relay was not reached.
const LISTEN_RETRY: Duration = Duration::from_secs(5);
/// Passes in one call while each of them still moves something.
const MAX_PASSES: usize = 8;

/// A device tells its team how far it has read after this many cells, so that telling is not what they read.
const REPORT_AFTER: u64 = 64;

/// What one [`Client::sync`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncReport {
    /// Cells taken in.
    pub received: usize,
    /// Cells that relays acknowledged.
    pub sent: usize,
    /// Cells that still wait.
    pub waiting: usize,
    /// What could not be done now, in one plain sentence each; everything else went on.
    pub problems: Vec<String>,
    /// Certificates of this vault's chain that have to be renewed, or have ended.
    pub certificates: Vec<CertificateStatus>,
    /// What is worth knowing and stops nothing: an implausible clock, a directory that is out of date.
    pub warnings: Vec<String>,
    /// One of the problems is that a relay wants a token: [`crate::Client::request_tokens`] begins to mend it.
    pub wants_token: bool,
}

/// A mailbox of ours as a pass needs it.
struct Mailbox {
    key: Vec<u8>,
    relay: String,
    owner: CapabilityKey,
    recv_id: RecvId,
    cursor: u64,
    trimmed: u64,
    retired: bool,
}

impl Client {
    /// Fetches what has come, does what it asks for, and sends what waits.
    ///
    /// A relay that is not reached is a problem in the report, not an error: the rest goes on, and what waits is
    /// kept. Safe to drop at any point and to call again.
    ///
    /// # Errors
    /// [`Error::Vault`] and [`Error::Damaged`]: this device can't go on. [`Error::NotReady`] once this device was told
    /// that it was removed from its team ([`Event::RemovedFromTeam`]).
    pub async fn sync(&self) -> Result<SyncReport, Error> {
        let _turn = self.turn().await;
        if self
            .vault(|work| records::load::<Team>(work.tx, SELF))
            .await?
            .is_some_and(|team| team.removed_at > 0)
        {
            return Err(REMOVED);
        }
        let mut report = SyncReport::default();
        // First, so that what is revoked is refused in what comes now.
        self.look_at_directories(&mut report).await?;
        let removed = self.vault(remove_revoked).await;
        note(&mut report, removed)?;
        let of_directories = std::mem::take(&mut report.problems);
        self.vault(handover::leave::look).await?;
        let looked = self.vault(reserve::look).await;
        note(&mut report, looked)?;
        let kept = self.vault(reserve::keep).await;
        note(&mut report, kept)?;
        if self.may_heal() {
            self.vault(heal).await?;
        }
        for _ in 0..MAX_PASSES {
            report.problems.clear();
            report.wants_token = false;
            let before = report.received + report.sent;
            self.pass(&mut report).await?;
            if report.received + report.sent == before {
                break;
            }
        }
        report.problems.extend(of_directories);
        let published = self.renew_directory().await;
        note(&mut report, published)?;
        self.look_at_clocks().await?;
        self.vault(transcript::look).await?;
        let told = self.tell_routes().await;
        note(&mut report, told)?;
        let told = self.tell_reach().await;
        note(&mut report, told)?;
        let cleared = self.clear_old().await;
        note(&mut report, cleared)?;
        let called_off = self.call_off_waiting().await;
        note(&mut report, called_off)?;
        if self.outbox().await?.len() > report.waiting {
            self.send_waiting(&mut report).await?;
        }
        report.problems.dedup();
        report.certificates = self.certificates_to_renew().await?;
        Ok(report)
    }

    /// Goes on fetching and sending until the future is dropped or the client is closed. Cells are taken as the
    /// relay pushes them, and what other calls queue meanwhile is sent at once; watch [`Client::events`].
    ///
    /// # Errors
    /// As [`Client::sync`].
    pub async fn listen(&self) -> Result<(), Error> {
        loop {
            self.sync().await?;
            let pushed = self.next_push();
            tokio::select! {
                () = self.stopped().cancelled() => return Ok(()),
                () = pushed => {}
                () = self.newly_queued() => {}
                () = tokio::time::sleep(self.until_next_look().await?) => {}
            }
        }
    }

    /// Until the next regular pass, or the next deadline if that is sooner.
    async fn until_next_look(&self) -> Result<Duration, Error> {
        let deadline = self.next_deadline().await?.map(|at| at.saturating_sub(self.now()));
        let left = deadline.and_then(|left| u64::try_from(left).ok()).map(Duration::from_secs);
        Ok(left.map_or(LISTEN_PASS, |left| left.min(LISTEN_PASS)))
    }

    async fn pass(&self, report: &mut SyncReport) -> Result<(), Error> {
        let moved = self.move_team().await;
        note(report, moved)?;
        let joined = self.resume_joins().await;
        note(report, joined)?;
        let resumed = self.resume_answers().await;
        note(report, resumed)?;
        let prepared = self.prepare_approaches().await;
        note(report, prepared)?;
        for mailbox in self.vault(mailboxes).await? {
            let fetched = self.fetch(mailbox, report).await;
            note(report, fetched)?;
        }
        let renewed = self.renew_certificates().await;
        note(report, renewed)?;
        let renewed = self.renew_intake().await;
        note(report, renewed)?;
        self.send_waiting(report).await?;
        for group_id in self.vault(unsettled).await? {
            let settled = self.settle(&group_id).await;
            let done = settled.is_ok();
            note(report, settled)?;
            self.retry_deferred(&group_id).await?;
            let note = if done { inbound::looked } else { inbound::look_again };
            self.vault(move |work| note(work, &group_id)).await?;
        }
        self.send_waiting(report).await
    }

    async fn send_waiting(&self, report: &mut SyncReport) -> Result<(), Error> {
        let flushed = self.flush().await?;
        report.sent += flushed.sent;
        report.waiting = flushed.waiting;
        report.problems.extend(flushed.problem);
        Ok(())
    }

    /// Takes in what a mailbox holds, then deletes the relay's copy of what everybody who reads there has.
    async fn fetch(&self, mailbox: Mailbox, report: &mut SyncReport) -> Result<(), Error> {
        if !mailbox.retired {
            self.ensure_post(&mailbox.key).await?;
        }
        let relay = self.relay(&mailbox.relay, &mailbox.key)?;
        let mut since = mailbox.cursor;
        for _ in 0..MAX_PAGES {
            let page = match relay.read(&mailbox.owner, mailbox.recv_id, since, PAGE).await {
                Err(RelayError::Refused) if mailbox.key.starts_with(TEAM_POST) => {
                    let (key, retired) = (mailbox.key, mailbox.retired);
                    self.vault(move |work| team_post_gone(work, &key, retired)).await?;
                    return if retired { Ok(()) } else { Err(RelayError::Refused.into()) };
                }
                page => page?,
            };
            crash::point("receive-after-read");
            for cell in page.cells {
                self.take(&mailbox.key, cell).await?;
                report.received += 1;
            }
            since = page.next;
            if !page.more {
                break;
            }
        }
        let key = mailbox.key.clone();
        let upto = self.vault(move |work| read_by_all(work, &key)).await?;
        if upto > mailbox.trimmed {
            relay.trim(&mailbox.owner, mailbox.recv_id, upto).await?;
            crash::point("receive-after-trim");
            let key = mailbox.key;
            self.vault(move |work| {
                let mut post: Post = records::need(work.tx, &key)?;
                post.trimmed = post.trimmed.max(upto);
                records::save(work.tx, &key, &post)
            })
            .await?;
        }
        Ok(())
    }

    /// One cell, one transaction. A cell that can't be taken is passed over, with a reason, so that it never holds
    /// up the next.
    async fn take(&self, post: &[u8], cell: crate::relay::ReceivedCell) -> Result<(), Error> {
        let (key, seq, label) = (post.to_vec(), cell.seq, *cell.label.as_bytes());
        let taken = self.vault(move |work| {
            inbound::take(work, &key, &cell)?;
            crash::point("receive-before-commit");
            Ok(())
        });
        match taken.await {
            Ok(()) => crash::point("receive-after-commit"),
            Err(error) if inbound::is_about_the_cell(&error) => {
                let key = post.to_vec();
                self.vault(move |work| inbound::skip(work, &key, seq, &label, &error)).await?;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Takes the messages of a group whose epoch has come.
    pub(crate) async fn retry_deferred(&self, group_id: &[u8]) -> Result<(), Error> {
        let group = group_id.to_vec();
        let seqs = self.vault(move |work| inbound::deferred_for(work, &group)).await?;
        for seq in seqs {
            match self.vault(move |work| inbound::retry_deferred(work, seq)).await {
                Err(error) if inbound::is_about_the_cell(&error) => {
                    let group = group_id.to_vec();
                    self.vault(move |work| {
                        work.tx.delete_seq(Deferred::KIND, seq)?;
                        work.event(Event::Problem { what: error.to_string() });
                        inbound::show_receipts(work, &group, &error)
                    })
                    .await?;
                }
                done => done?,
            }
        }
        Ok(())
    }

    /// Waits until some relay pushes a cell.
    async fn next_push(&self) {
        let mailboxes = self.vault(mailboxes).await.unwrap_or_default();
        let mut waits = futures_util::stream::FuturesUnordered::new();
        for mailbox in mailboxes {
            waits.push(async move {
                let pushed = async {
                    let relay = self.relay(&mailbox.relay, &mailbox.key)?;
                    let mut pushed =
                        relay.subscribe(&mailbox.owner, mailbox.recv_id, mailbox.cursor).await?;
                    pushed.next().await?;
                    Ok::<_, Error>(())
                };
                if pushed.await.is_err() {
                    tokio::time::sleep(LISTEN_RETRY).await;
                }
            });
        }
        if waits.next().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// The relay has a mailbox of the team no more: the team has deleted it, or somebody who has left. Either way its slot
/// tells who is in the team.
fn team_post_gone(work: &Work<'_>, key: &[u8], retired: bool) -> Result<(), Error> {
    if retired {
        rotate::forget_post(work, key)?;
    }
    let team: Team = records::need(work.tx, SELF)?;
    inbound::look_again(work, &team.group_id)
}

/// Keeps what can wait as a sentence; passes on what can't.
fn note(report: &mut SyncReport, result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Ok(()) | Err(Error::Relay(RelayError::ClientClosed)) => Ok(()),
        Err(error) if error.is_fatal() => Err(error),
        Err(error) => {
            let about_tokens = matches!(&error, Error::Relay(relay) if relay.is_about_tokens());
            report.wants_token |= about_tokens;
            report.problems.push(error.to_string());
            Ok(())
        }
    }
}

fn mailboxes(work: &Work<'_>) -> Result<Vec<Mailbox>, Error> {
    let posts = records::all::<Post>(work.tx)?;
    posts
        .into_iter()
        .filter(|(_, post)| !post.recv_id.is_empty())
        .map(|(key, post)| {
            Ok(Mailbox {
                key,
                relay: post.relay.clone(),
                owner: CapabilityKey::from_bytes(fixed(&post.recv_secret, Post::NAME)?),
                recv_id: RecvId::from_bytes(fixed(&post.recv_id, Post::NAME)?),
                cursor: post.cursor,
                trimmed: post.trimmed,
                retired: post.retired_at > 0,
            })
        })
        .collect()
}

/// How far everybody has read who reads a mailbox. A shared one's colleagues are told now and then how far this
/// device is; whoever is new and has not said anything yet holds the rest back.
fn read_by_all(work: &Work<'_>, key: &[u8]) -> Result<u64, Error> {
    let mut post: Post = records::need(work.tx, key)?;
    if !post.shared {
        return Ok(post.cursor);
    }
    if post.retired_at > 0 {
        // It goes as a whole when its time is over.
        return Ok(0);
    }
    let untold = post.cursor >= post.reported.saturating_add(REPORT_AFTER);
    if post.cursor <= post.trimmed && !untold {
        return Ok(0);
    }
    // Before this device is in the team it neither tells nor deletes.
    let Some(slowest) = team::slowest(work)? else { return Ok(0) };
    if untold {
        post.reported = post.cursor;
        records::save(work.tx, key, &post)?;
        let team: Team = records::need(work.tx, SELF)?;
        let (relay, mailbox) = (post.relay.clone(), team.mailbox.clone());
        let told = TeamMessage::Cursor { relay, read_to: post.cursor, mailbox };
        team::tell(work, &told)?;
    }
    Ok(slowest.min(post.cursor))
}

/// Groups with a wanted commit or with messages from epochs ahead.
fn unsettled(work: &Work<'_>) -> Result<Vec<Vec<u8>>, Error> {
    let mut groups: Vec<Vec<u8>> =
        records::all::<Commit>(work.tx)?.into_iter().map(|(key, _)| key).collect();
    for row in work.tx.list_after(Deferred::KIND, 0, usize::MAX)? {
        let deferred = inbound::read_deferred(&row.value)?;
        if !groups.contains(&deferred.group_id) {
            groups.push(deferred.group_id.clone());
        }
    }
    Ok(groups)
}
