//! Held cells: kept under their release's day, apart from all mailboxes, and appended when their time has come.
//!
//! Each change of [`Due`] is the last step of its mutation, after everything that can fail.

use budstikke_proto::id::{CancelPk, MsgId, SendId};
use bytes::Bytes;

use super::{Group, Tables};
use crate::log;
use crate::store::fjall::due::Turn;
use crate::store::fjall::rows::{BodyRow, GrantRow, HeldRow, MailboxRow, MarkRow};
use crate::store::fjall::seal::{Kind, RowKey};
use crate::store::fjall::tables::{Found, Place};
use crate::store::rules::{day_of, last_day};
use crate::store::{Outcome, StoreError};

impl Group<'_> {
    pub(super) fn hold(
        &mut self,
        send_id: &SendId,
        msg_id: &MsgId,
        cell: Bytes,
        release_at: i64,
        cancel_pk: &CancelPk,
    ) -> Result<Outcome, StoreError> {
        let refused = |grant: &GrantRow| grant.work_required.then_some(Outcome::Unknown);
        let mut to = match self.admit(send_id, msg_id, refused)? {
            Ok(to) => to,
            Err(outcome) => return Ok(outcome),
        };
        to.mailbox.row.waiting += 1;
        to.grant.row.waiting += 1;
        let (turn, born) = (self.due.turn(release_at), to.mailbox.row.born);
        let row = HeldRow {
            recv_id: to.recv_id.as_bytes().to_vec(),
            send_id: send_id.as_bytes().to_vec(),
            msg_id: msg_id.as_bytes().to_vec(),
            cancel_pk: cancel_pk.as_bytes().to_vec(),
            release_at,
            order: turn.order,
            born,
        };
        // Its own day's key goes soon after it was released or would have been.
        let day = day_of(release_at).max(self.today);
        let place = self.tables.held(born, send_id, msg_id);
        self.put(&place, None, day, &row)?;
        let body_place = self.tables.held_body(born, send_id, msg_id);
        self.put(&body_place, None, day, &BodyRow { bytes: cell })?;
        let known = last_day(release_at, to.mailbox.row.ttl_days);
        self.put(&self.tables.message(born, send_id, msg_id.as_bytes()), None, known, &MarkRow {})?;
        self.keep_counters(&to)?;
        self.due.insert(turn, place.key, to.grant_place.key);
        Ok(Outcome::Done)
    }

    pub(super) fn cancel(
        &mut self,
        send_id: &SendId,
        msg_id: &MsgId,
    ) -> Result<Outcome, StoreError> {
        let grant_place = self.tables.grant(send_id);
        let Some(mut grant) = self.load::<GrantRow>(&grant_place)? else {
            return Ok(Outcome::Unknown);
        };
        let mailbox_place = self.tables.mailbox(&grant.row.recv_id()?);
        let Some(mut mailbox) = self.load::<MailboxRow>(&mailbox_place)? else {
            return Ok(Outcome::Unknown);
        };
        let place = self.tables.held(mailbox.row.born, send_id, msg_id);
        let Some(held) = self.load::<HeldRow>(&place)? else { return Ok(Outcome::Unknown) };
        if held.row.release_at <= self.now {
            return Ok(Outcome::Unknown);
        }
        self.remove(&place, held.day);
        self.remove(&self.tables.held_body(mailbox.row.born, send_id, msg_id), held.day);
        mailbox.row.waiting = mailbox.row.waiting.saturating_sub(1);
        grant.row.waiting = grant.row.waiting.saturating_sub(1);
        self.put(&mailbox_place, Some(mailbox.day), mailbox.day, &mailbox.row)?;
        self.put(&grant_place, Some(grant.day), grant.day, &grant.row)?;
        self.due.remove(Turn { release_at: held.row.release_at, order: held.row.order });
        Ok(Outcome::Done)
    }

    /// Stages the removal of what a grant holds. The caller takes the turns out once nothing can fail any more.
    pub(super) fn drop_held(&mut self, grant: &Place) -> Result<Vec<Turn>, StoreError> {
        let held = self.due.of_grant(&grant.key);
        for (_, key) in &held {
            self.take_held(key)?;
        }
        Ok(held.into_iter().map(|(turn, _)| turn).collect())
    }

    pub(super) fn forget_turns(&mut self, turns: Vec<Turn>) {
        for turn in turns {
            self.due.remove(turn);
        }
    }

    /// Appends up to `max` cells whose time has come; answers how many were due. After an error drop the group.
    pub(in crate::store::fjall) fn release(
        &mut self,
        now: i64,
        max: usize,
    ) -> Result<u64, StoreError> {
        (self.now, self.today) = (now, day_of(now));
        let mut count = 0;
        for _ in 0..max {
            let Some((turn, key)) = self.due.first(now) else { break };
            let (staged, told) = (self.staged.len(), self.told.len());
            match self.release_one(&key) {
                Ok(()) => {}
                Err(StoreError::Damaged) => {
                    self.staged.truncate(staged);
                    self.told.truncate(told);
                    log::error("a held cell is damaged and was not released", &[]);
                }
                Err(error) => return Err(error),
            }
            self.due.remove(turn);
            self.flush();
            count += 1;
        }
        Ok(count)
    }

    fn release_one(&mut self, key: &RowKey) -> Result<(), StoreError> {
        let Some((held, body)) = self.take_held(key)? else { return Ok(()) };
        let (recv_id, send_id, msg_id) = held.ids()?;
        let (mailbox_place, grant_place) =
            (self.tables.mailbox(&recv_id), self.tables.grant(&send_id));
        let mailbox = self.load::<MailboxRow>(&mailbox_place)?;
        // One made again under the same key is another mailbox.
        let mailbox = mailbox.filter(|found| found.row.born == held.born);
        let (Some(mailbox), Some(grant)) = (mailbox, self.load::<GrantRow>(&grant_place)?) else {
            return Ok(());
        };
        // The counters have had it since it came.
        let label = grant.row.label()?;
        let mut to = super::Admitted { recv_id, label, mailbox_place, mailbox, grant_place, grant };
        self.place_cell(&send_id, &msg_id, &mut to, body)?;
        self.keep_counters(&to)
    }

    /// Stages the removal of a held cell and answers what it was, also when its day passed while the relay did not run.
    fn take_held(&mut self, key: &RowKey) -> Result<Option<(HeldRow, Bytes)>, StoreError> {
        let place = Place { kind: Kind::Held, key: *key };
        let Some(Found { day, row }) = self.load_past::<HeldRow>(&place)? else { return Ok(None) };
        let (_, send_id, msg_id) = row.ids()?;
        let body_place = self.tables.held_body(row.born, &send_id, &msg_id);
        let body = self.load_past::<BodyRow>(&body_place)?.ok_or(StoreError::Damaged)?;
        self.remove(&place, day);
        self.remove(&body_place, body.day);
        Ok(Some((row, body.row.bytes)))
    }

    fn load_past<T: prost::Message + Default>(
        &self,
        place: &Place,
    ) -> Result<Option<Found<T>>, StoreError> {
        Tables::load(self.tables, &self.tx, 0, place)
    }
}
