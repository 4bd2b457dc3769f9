//! Mailboxes and grants, cells in and out, held cells (SPEC.md sections 5.1 and 5.2).

use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::descriptor::MailboxPrice;
use budstikke_proto::held;
use budstikke_proto::id::{CancelPk, Label, MsgId, RecvId, SendId, SendPk, TokenKeyId};
use budstikke_proto::limits::{MAX_QUOTA, MAX_READ, MAX_TTL_DAYS, RELEASE_STEP_S};
use budstikke_proto::op::{Request, Response};
use budstikke_proto::sign::SigningSeed;
use budstikke_proto::token::Token;
use budstikke_proto::work::Purpose;

use super::pending::Answer;
use super::session::Ask;
use super::{Page, RelayClient, RelayError, Subscription, assemble, whole, with_work, within};

const LIFE: &str = "the mailbox's life in days";

impl RelayClient {
    /// Makes the mailbox that `owner` owns, or finds it again; does the proof of work if the relay wants one.
    ///
    /// # Errors
    /// [`RelayError::Invalid`] for a life of 0 or more than 90 days, [`RelayError::TokenRequired`] where a new mailbox
    /// costs a token ([`Self::create_with_token`]), else [`RelayError`].
    pub async fn create(&self, owner: &CapabilityKey, ttl_days: u32) -> Result<RecvId, RelayError> {
        self.create_or_find(owner, ttl_days, true).await
    }

    /// Finds a mailbox again and lengthens its life. One that is gone is made anew only where that costs nothing.
    ///
    /// # Errors
    /// [`RelayError::Invalid`] for a life of 0 or more than 90 days, [`RelayError::WorkRequired`] or
    /// [`RelayError::TokenRequired`] when it is gone, else [`RelayError`].
    pub async fn find(&self, owner: &CapabilityKey, ttl_days: u32) -> Result<RecvId, RelayError> {
        self.create_or_find(owner, ttl_days, false).await
    }

    /// Makes the mailbox that `owner` owns and pays with a token. For a mailbox that is there already the token stays
    /// unused, so a lost answer is asked for again by the same call. Never spend a token for two mailboxes: after an
    /// error other than the ones named here it belongs to this one.
    ///
    /// # Errors
    /// [`RelayError::TokenKey`] when the relay names no such key, and nothing was spent; [`RelayError::TokenRefused`]
    /// when it was spent before or is not genuine; [`RelayError::Invalid`] for a life of 0 or more than 90 days; else
    /// [`RelayError`].
    pub async fn create_with_token(
        &self,
        owner: &CapabilityKey,
        ttl_days: u32,
        token: &Token,
    ) -> Result<RecvId, RelayError> {
        within(ttl_days, MAX_TTL_DAYS, LIFE)?;
        let recv_pk = owner.recv_pk();
        let answer = self
            .run(|session| async move {
                if !session.descriptor.token_keys.contains(&token.key_id) {
                    return Err(RelayError::TokenKey);
                }
                let token = token.clone();
                let request = Request::CreateByToken { recv_pk, ttl_days, token };
                session.call(Ask::new(Some(owner), request)).await.map_err(|error| match error {
                    RelayError::WorkRequired => RelayError::TokenRefused,
                    other => other,
                })
            })
            .await?;
        created(&answer)
    }

    /// What a new mailbox costs at this relay, and the keys whose tokens it takes, as it signs them.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn mailbox_price(&self) -> Result<(MailboxPrice, Vec<TokenKeyId>), RelayError> {
        self.run(|session| async move {
            Ok((session.descriptor.mailbox_price, session.descriptor.token_keys.clone()))
        })
        .await
    }

    async fn create_or_find(
        &self,
        owner: &CapabilityKey,
        ttl_days: u32,
        pay: bool,
    ) -> Result<RecvId, RelayError> {
        within(ttl_days, MAX_TTL_DAYS, LIFE)?;
        let recv_pk = owner.recv_pk();
        let purpose = Purpose::Create(*recv_pk.as_bytes());
        let answer = self
            .run(|session| async move {
                let ask = |work| Ask::new(Some(owner), Request::Create { recv_pk, ttl_days, work });
                let work_pays = session.descriptor.mailbox_price != MailboxPrice::Token;
                if pay && work_pays {
                    // Finding a mailbox again, which lengthens its life, costs no work.
                    return with_work(&session, purpose, false, ask).await;
                }
                session.call(ask(None)).await.map_err(|error| match error {
                    RelayError::WorkRequired if !work_pays => RelayError::TokenRequired,
                    other => other,
                })
            })
            .await?;
        created(&answer)
    }

    /// Lets the holder of `send_pk`'s private half append to the mailbox: up to `quota` cells that wait, each marked
    /// with `label`; each with proof of work if `work_required` (a front door). Asking again finds the same grant.
    ///
    /// # Errors
    /// [`RelayError::Invalid`] for a quota of 0 or more than 4,096, else [`RelayError`].
    pub async fn grant(
        &self,
        owner: &CapabilityKey,
        recv_id: RecvId,
        send_pk: SendPk,
        label: Label,
        quota: u32,
        work_required: bool,
    ) -> Result<SendId, RelayError> {
        within(quota, MAX_QUOTA, "the grant's quota")?;
        let request = Request::Grant { recv_id, send_pk, label, quota, work_required };
        match self.ask(owner, request).await?.last {
            Response::Granted { send_id } => Ok(send_id),
            _ => Err(RelayError::Protocol("its answer belongs to another request")),
        }
    }

    /// Ends a grant. What came through it stays.
    ///
    /// # Errors
    /// [`RelayError::Refused`] also when it has already ended, by an earlier attempt perhaps; else [`RelayError`].
    pub async fn revoke(
        &self,
        owner: &CapabilityKey,
        recv_id: RecvId,
        send_id: SendId,
    ) -> Result<(), RelayError> {
        assemble::done(&self.ask(owner, Request::Revoke { recv_id, send_id }).await?)
    }

    /// Appends a cell of 15,024 bytes. `Ok` means that it is durable at the relay. A repeat with the same `msg_id` is
    /// stored once. `front_door` says that the grant wants proof of work, which is then done.
    ///
    /// # Errors
    /// [`RelayError::Full`] until the reader trims, [`RelayError::WorkRequired`] for a front door that was not called
    /// one, else [`RelayError`].
    pub async fn send(
        &self,
        key: &CapabilityKey,
        send_id: SendId,
        msg_id: MsgId,
        cell: Vec<u8>,
        front_door: bool,
    ) -> Result<(), RelayError> {
        whole(&cell)?;
        let (purpose, cell) = (Purpose::FrontDoor(*send_id.as_bytes()), &cell);
        let answer = self
            .run(|session| async move {
                let ask = |work| Ask {
                    key: Some(key),
                    frames: vec![(Request::Send { send_id, msg_id, work }, Some(cell.clone()))],
                    max_pushes: 0,
                };
                if front_door {
                    let wanted = session.descriptor.front_door_effort > 0;
                    with_work(&session, purpose, wanted, ask).await
                } else {
                    session.call(ask(None)).await
                }
            })
            .await?;
        assemble::done(&answer)
    }

    /// Leaves a cell of 15,024 bytes with the relay, to be appended at `release_at` (Unix seconds, a whole minute, at most
    /// 28 days ahead) unless the holder of `cancel_pk`'s private half cancels it. A time that is not in the future makes
    /// it an ordinary send. `Ok` means that it is durable; a repeat with the same `msg_id` changes nothing.
    ///
    /// # Errors
    /// [`RelayError::Invalid`] for a time that is no whole minute, [`RelayError::Refused`] also at a front door, which
    /// holds nothing; else as [`Self::send`].
    pub async fn hold(
        &self,
        key: &CapabilityKey,
        send_id: SendId,
        msg_id: MsgId,
        cell: Vec<u8>,
        release_at: i64,
        cancel_pk: CancelPk,
    ) -> Result<(), RelayError> {
        whole(&cell)?;
        if release_at <= 0 || release_at % RELEASE_STEP_S != 0 {
            return Err(RelayError::Invalid("the release time"));
        }
        let cell = &cell;
        let answer = self
            .run(|session| async move {
                let request = Request::Hold { send_id, msg_id, release_at, cancel_pk };
                let frames = vec![(request, Some(cell.clone()))];
                session.call(Ask { key: Some(key), frames, max_pushes: 0 }).await
            })
            .await?;
        assemble::done(&answer)
    }

    /// Removes a held cell before its time. Needs no right but its cancel key.
    ///
    /// # Errors
    /// [`RelayError::Refused`] when the relay holds no such cell: it was released, is due, or was cancelled, by an earlier
    /// attempt perhaps; else [`RelayError`].
    pub async fn cancel_held(
        &self,
        key: &SigningSeed,
        send_id: SendId,
        msg_id: MsgId,
    ) -> Result<(), RelayError> {
        let signature = held::sign_cancel(key, &send_id, &msg_id);
        let request = Request::Cancel { send_id, msg_id, signature };
        assemble::done(&self.ask_many(None, request, 0).await?)
    }

    /// Reads up to `max` (1 to 256) cells with numbers above `since`. Nothing is deleted.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn read(
        &self,
        owner: &CapabilityKey,
        recv_id: RecvId,
        since: u64,
        max: u32,
    ) -> Result<Page, RelayError> {
        within(max, MAX_READ, "the number of cells to read")?;
        let request = Request::Read { recv_id, since, max };
        assemble::page(self.ask_many(Some(owner), request, max).await?, since)
    }

    /// Reads on and on, first what waits above `since`, then what arrives. A mailbox that the relay refuses is told
    /// by the first [`Subscription::next`]. A relay allows about fifteen subscriptions on one connection.
    ///
    /// # Errors
    /// [`crate::transport::TransportError::TimedOut`] when there are too many, else [`RelayError`].
    pub async fn subscribe(
        &self,
        owner: &CapabilityKey,
        recv_id: RecvId,
        since: u64,
    ) -> Result<Subscription, RelayError> {
        let now = self.inner.clock.now();
        self.run(|session| async move {
            let hold = session.hold();
            let request = Request::Subscribe { recv_id, since };
            let (stream, number) = session.open_with(owner, request, now).await?;
            Ok(Subscription::new(session, hold, stream, number, since))
        })
        .await
    }

    /// Deletes the cells up to and including number `upto`. For a mailbox that others read too, only when all have.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn trim(
        &self,
        owner: &CapabilityKey,
        recv_id: RecvId,
        upto: u64,
    ) -> Result<(), RelayError> {
        assemble::done(&self.ask(owner, Request::Trim { recv_id, upto }).await?)
    }

    /// Deletes the mailbox, its grants and its cells.
    ///
    /// # Errors
    /// [`RelayError::Refused`] also when it is already gone, by an earlier attempt perhaps; else [`RelayError`].
    pub async fn delete(&self, owner: &CapabilityKey, recv_id: RecvId) -> Result<(), RelayError> {
        assemble::done(&self.ask(owner, Request::Delete { recv_id }).await?)
    }
}

fn created(answer: &Answer) -> Result<RecvId, RelayError> {
    match answer.last {
        Response::Created { recv_id } => Ok(recv_id),
        _ => Err(RelayError::Protocol("its answer belongs to another request")),
    }
}
