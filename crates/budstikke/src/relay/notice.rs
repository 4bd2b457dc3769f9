//! Notices (SPEC.md section 5.4).

use budstikke_proto::id::NoticeId;
use budstikke_proto::limits::MAX_NOTICE_PARTS;
use budstikke_proto::notice;
use budstikke_proto::op::{Part, Request};
use budstikke_proto::sign::SigningSeed;
use budstikke_proto::slot::payload_hash;
use budstikke_proto::work::{Purpose, Solution};

use super::{Notice, RelayClient, RelayError, assemble, parts, with_work};

impl RelayClient {
    /// Publishes `content` (at most 240,380 bytes) as this version of the key's notice; does the proof of work if the
    /// relay wants one.
    ///
    /// # Errors
    /// [`RelayError::Conflict`] when the relay has this version with other content, or a higher one, else
    /// [`RelayError`].
    pub async fn notice_put(
        &self,
        key: &SigningSeed,
        version: u64,
        content: &[u8],
    ) -> Result<(), RelayError> {
        let payloads =
            notice::to_payloads(content).map_err(|_| RelayError::Invalid("the notice's length"))?;
        let count = u32::try_from(payloads.len()).unwrap_or(u32::MAX);
        let notice_id = NoticeId::from_bytes(key.public());
        let hash = payload_hash(payloads.iter().map(Vec::as_slice));
        let signature = notice::sign(key, version, count, &hash);
        let purpose = Purpose::Notice(*notice_id.as_bytes());
        let payloads = &payloads;
        let answer = self
            .run(|session| async move {
                let ask = |work: Option<Solution>| {
                    parts(payloads, |index| Request::NoticePut {
                        notice_id,
                        version,
                        part: Part { index, count, signature },
                        work: work.filter(|_| index == 0),
                    })
                };
                // Most puts replace a version, which costs no work.
                with_work(&session, purpose, false, ask).await
            })
            .await?;
        assemble::done(&answer)
    }

    /// Fetches a notice's newest version, or `None` when the relay has none. A relay can show an old version: compare
    /// with the highest seen.
    ///
    /// # Errors
    /// [`RelayError::Protocol`] when the publisher's signature does not verify, else [`RelayError`].
    pub async fn notice_get(&self, notice_id: NoticeId) -> Result<Option<Notice>, RelayError> {
        let request = Request::NoticeGet { notice_id };
        match self.ask_many(None, request, MAX_NOTICE_PARTS).await {
            // It needs no right to be asked, so a refusal can only mean that there is nothing.
            Err(RelayError::Refused) => Ok(None),
            answer => assemble::notice(answer?, &notice_id),
        }
    }
}
