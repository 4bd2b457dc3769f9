//! Blobs (SPEC.md section 5.5): write-once chunks of three exact sizes, each on a stream of its own, so that nothing
//! else waits behind them.

use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::blob::{self, BlobSize};
use budstikke_proto::descriptor::MailboxPrice;
use budstikke_proto::id::{DeleteId, FetchId};
use budstikke_proto::limits::{MAX_BLOB_PARTS, MAX_BLOB_TTL_DAYS};
use budstikke_proto::op::{BlobHead, Request, Response};
use budstikke_proto::token::Token;
use budstikke_proto::work::Purpose;

use super::transfer::Transfer;
use super::{RelayClient, RelayError, assemble, within};
use crate::transport::TransportError;

/// The relay's names of a stored blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobIds {
    /// For readers, beside the fetch key.
    pub fetch_id: FetchId,
    /// For the writer, beside the delete key.
    pub delete_id: DeleteId,
}

/// What came of a blob so far. Kept by the caller, it goes on where it stopped: after a break, on another connection, in
/// another run of the program.
#[derive(Clone, Default)]
pub struct Download {
    payloads: Vec<Vec<u8>>,
    size: Option<BlobSize>,
}

impl Download {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes on from payloads that came earlier, in order ([`Self::payloads`]).
    ///
    /// # Errors
    /// [`RelayError::Invalid`] for more than a blob has.
    pub fn resume(payloads: Vec<Vec<u8>>) -> Result<Self, RelayError> {
        let begun = Self { payloads, size: None };
        if begun.came() > MAX_BLOB_PARTS {
            return Err(RelayError::Invalid("the number of payloads"));
        }
        Ok(begun)
    }

    /// The payloads that came, each 15,024 bytes, from the first on without a gap.
    pub fn payloads(&self) -> &[Vec<u8>] {
        &self.payloads
    }

    fn came(&self) -> u32 {
        u32::try_from(self.payloads.len()).unwrap_or(u32::MAX)
    }

    /// Takes the next payload.
    fn take(&mut self, index: u32, count: u32, payload: Vec<u8>) -> Result<(), RelayError> {
        let size = BlobSize::ALL.into_iter().find(|size| size.parts() == count);
        let size = size.ok_or(RelayError::Protocol("its blob has no known size"))?;
        if index != self.came() || index >= count || *self.size.get_or_insert(size) != size {
            return Err(RelayError::Protocol("its parts are out of order"));
        }
        self.payloads.push(payload);
        Ok(())
    }

    fn is_whole(&self) -> bool {
        self.size.is_some_and(|size| size.parts() == self.came())
    }

    /// The relay says that nothing follows: then it is whole, or the relay lost a part.
    fn end(&mut self) -> Result<(), RelayError> {
        let came = self.came();
        self.size = self.size.or(BlobSize::ALL.into_iter().find(|size| size.parts() == came));
        if self.is_whole() { Ok(()) } else { Err(RelayError::Protocol("its blob is not complete")) }
    }

    fn content(&self) -> Result<Vec<u8>, RelayError> {
        let malformed = RelayError::Protocol("its blob is malformed");
        let size = self.size.ok_or(malformed.clone())?;
        blob::from_payloads(size, self.payloads.iter().map(Vec::as_slice)).map_err(|_| malformed)
    }
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Download")
    }
}

impl RelayClient {
    /// Stores a blob of exactly 65,536, 262,144 or 1,048,576 bytes for `ttl_days` (1 to 30); does the proof of work if the
    /// relay wants one. What is stored should be sealed ([`budstikke_proto::blob::seal`]). `progress` hears after each
    /// payload how many left and how many there are; it begins anew when the line broke. `Ok` means that it is durable.
    ///
    /// A blob is stored whole or not at all, so a repeat sends all of it again; the same keys give the same ids, and
    /// nothing is stored twice. Cancel-safe: dropping the future ends the transfer.
    ///
    /// ```no_run
    /// # async fn example(relay: budstikke::relay::RelayClient, photograph: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
    /// use budstikke::relay::Download;
    /// use budstikke_proto::auth::CapabilityKey;
    /// use budstikke_proto::blob::{self, BlobKey};
    /// use rand_core::OsRng;
    ///
    /// let (fetch, delete) = (CapabilityKey::random(&mut OsRng), CapabilityKey::random(&mut OsRng));
    /// let key = BlobKey::random(&mut OsRng);
    /// let sealed = blob::seal(photograph, &key, &mut OsRng)?;
    /// let ids = relay.blob_put(&fetch, &delete, 30, &sealed, |sent, of| println!("{sent} of {of}")).await?;
    ///
    /// // Whoever has the fetch key, the id and the blob key reads it.
    /// let mut download = Download::new();
    /// let sealed = loop {
    ///     match relay.blob_get(&fetch, ids.fetch_id, &mut download, |_, _| {}).await {
    ///         Ok(sealed) => break sealed,
    ///         // What came is kept in `download`.
    ///         Err(error) if error.is_retryable() => println!("{error}"),
    ///         Err(error) => return Err(error.into()),
    ///     }
    /// };
    /// assert_eq!(*blob::open(&sealed, &key)?, photograph);
    /// relay.blob_delete(&delete, ids.delete_id).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`RelayError::Invalid`] for another length or life, [`RelayError::Conflict`] when something else stands under
    /// `fetch`, [`RelayError::TokenRequired`] where a blob costs a token ([`Self::blob_put_with_token`]),
    /// [`RelayError::Full`] or [`RelayError::Busy`] when the relay has no room or too many under way, else
    /// [`RelayError`].
    pub async fn blob_put(
        &self,
        fetch: &CapabilityKey,
        delete: &CapabilityKey,
        ttl_days: u32,
        content: &[u8],
        progress: impl FnMut(u32, u32) + Send,
    ) -> Result<BlobIds, RelayError> {
        self.put_blob(fetch, delete, (ttl_days, content), None, progress).await
    }

    /// The same, paid with a token. A blob that is there already leaves it unused, so a lost answer is asked for again by the
    /// same call. Never spend a token for two blobs.
    ///
    /// # Errors
    /// [`RelayError::TokenKey`] when the relay names no such key, and nothing was spent; [`RelayError::TokenRefused`]
    /// when it was spent before or is not genuine; else as [`Self::blob_put`].
    pub async fn blob_put_with_token(
        &self,
        fetch: &CapabilityKey,
        delete: &CapabilityKey,
        ttl_days: u32,
        content: &[u8],
        token: &Token,
        progress: impl FnMut(u32, u32) + Send,
    ) -> Result<BlobIds, RelayError> {
        self.put_blob(fetch, delete, (ttl_days, content), Some(token), progress).await
    }

    async fn put_blob(
        &self,
        fetch: &CapabilityKey,
        delete: &CapabilityKey,
        (ttl_days, content): (u32, &[u8]),
        token: Option<&Token>,
        mut progress: impl FnMut(u32, u32) + Send,
    ) -> Result<BlobIds, RelayError> {
        within(ttl_days, MAX_BLOB_TTL_DAYS, "the blob's life in days")?;
        let (size, payloads) =
            blob::to_payloads(content).map_err(|_| RelayError::Invalid("the blob's length"))?;
        let hash = blob::hash(payloads.iter().map(Vec::as_slice));
        let (fetch_pk, delete_pk) = (fetch.fetch_pk(), delete.delete_pk());
        let head = BlobHead { fetch_pk, delete_pk, size, ttl_days, hash };
        let purpose = Purpose::Blob(*fetch_pk.as_bytes());
        let (mut broke, mut asked) = (false, false);
        loop {
            let session = self.session().await?;
            let work_pays = session.descriptor.mailbox_price != MailboxPrice::Token;
            // Each blob costs, also a repeated one.
            let wanted = asked || session.descriptor.work_effort > 0;
            let put = async {
                let work = match token {
                    // Spent by the attempt that broke, perhaps: then the blob is there, and costs nothing.
                    Some(token) => match session.paid_by(token).await {
                        Err(RelayError::TokenRefused) if broke => None,
                        paid => Some(paid?),
                    },
                    None if wanted && work_pays => Some(session.work(purpose).await?),
                    None => None,
                };
                let frames = (0..).zip(&payloads).map(|(index, payload)| {
                    let work = work.filter(|_| index == 0);
                    (Request::BlobPut { head, index, work }, payload.clone())
                });
                let mut transfer = session.transfer(delete, self.inner.clock.now()).await?;
                transfer.upload(frames.collect(), |sent| progress(sent, size.parts())).await
            };
            return match put.await {
                Ok(Response::BlobStored { fetch_id, delete_id }) => {
                    Ok(BlobIds { fetch_id, delete_id })
                }
                Ok(_) => Err(RelayError::Protocol("its answer belongs to another request")),
                Err(RelayError::Transport(TransportError::Closed)) if !broke => {
                    broke = true;
                    continue;
                }
                Err(RelayError::WorkRequired) if token.is_some() => Err(RelayError::TokenRefused),
                Err(RelayError::WorkRequired) if !work_pays => Err(RelayError::TokenRequired),
                // It asks since a moment ago, or the challenge grew stale.
                Err(RelayError::WorkRequired) if !asked => {
                    asked = true;
                    continue;
                }
                Err(error) => Err(error),
            };
        }
    }

    /// Fetches a blob. What came stays in `download`, whatever happens: call again with it to go on from there, on any
    /// connection. A line that breaks is taken up again as long as something comes. `progress` hears after each payload
    /// how many came and how many there are. The relay could have made the content up: open it with its blob key.
    /// Cancel-safe.
    ///
    /// # Errors
    /// [`RelayError::Refused`] when the blob is gone or the key is another one, [`RelayError::Protocol`] for parts that are
    /// not a blob, else [`RelayError`].
    pub async fn blob_get(
        &self,
        fetch: &CapabilityKey,
        fetch_id: FetchId,
        download: &mut Download,
        mut progress: impl FnMut(u32, u32) + Send,
    ) -> Result<Vec<u8>, RelayError> {
        let mut broke_at = None;
        while !download.is_whole() {
            let before = download.came();
            let session = self.session().await?;
            let got = async {
                let mut transfer = session.transfer(fetch, self.inner.clock.now()).await?;
                get(&mut transfer, fetch_id, download, &mut progress).await
            };
            match got.await {
                // Once more, and again whenever something came since.
                Err(RelayError::Transport(TransportError::Closed))
                    if broke_at.is_none_or(|at| at < download.came()) =>
                {
                    broke_at = Some(download.came());
                }
                Err(error) => return Err(error),
                Ok(true) => download.end()?,
                Ok(false) if download.came() == before => {
                    return Err(RelayError::Protocol("its blob never ends"));
                }
                Ok(false) => {}
            }
        }
        download.content()
    }

    /// Deletes a blob.
    ///
    /// # Errors
    /// [`RelayError::Refused`] also when it is already gone, by an earlier attempt perhaps; else [`RelayError`].
    pub async fn blob_delete(
        &self,
        delete: &CapabilityKey,
        delete_id: DeleteId,
    ) -> Result<(), RelayError> {
        assemble::done(&self.ask(delete, Request::BlobDelete { delete_id }).await?)
    }
}

/// Takes what one request gives; whether the relay says that nothing follows.
async fn get(
    transfer: &mut Transfer,
    fetch_id: FetchId,
    download: &mut Download,
    progress: &mut (impl FnMut(u32, u32) + Send),
) -> Result<bool, RelayError> {
    let first = download.came();
    // Whoever has all but does not know it yet asks for the last one beyond the end.
    if first >= MAX_BLOB_PARTS {
        return Ok(true);
    }
    let request = Request::BlobGet { fetch_id, first, count: MAX_BLOB_PARTS };
    let number = transfer.begin(request).await?;
    loop {
        match transfer.next(number).await? {
            (Some(payload), Response::BlobPart { index, count }) => {
                download.take(index, count, payload)?;
                progress(download.came(), count);
            }
            (None, Response::End { next, more }) => {
                if next != u64::from(download.came()) && download.came() > first {
                    return Err(RelayError::Protocol("its parts end elsewhere"));
                }
                return Ok(!more);
            }
            _ => return Err(RelayError::Protocol("its answer belongs to another request")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use budstikke_proto::limits::CELL_LEN;

    fn payload() -> Vec<u8> {
        vec![0; CELL_LEN]
    }

    #[test]
    fn parts_come_in_order_of_one_known_size_and_to_the_end() {
        let mut download = Download::new();
        for (index, count) in [(1, 5), (0, 6), (0, 0), (5, 5)] {
            assert!(download.take(index, count, payload()).is_err(), "{index} of {count}");
        }
        for index in 0..4 {
            download.take(index, 5, payload()).unwrap();
            assert!(download.clone().end().is_err(), "not yet");
            for (index, count) in [(index, 5), (index + 2, 5), (index + 1, 18)] {
                assert!(download.take(index, count, payload()).is_err(), "{index} of {count}");
            }
        }
        download.take(4, 5, payload()).unwrap();
        assert!(download.end().is_ok() && download.take(5, 5, payload()).is_err());
        assert_eq!(download.content().unwrap().len(), 65_536);
        // In another run of the program, where nobody told how many there are.
        let mut again = Download::resume(download.payloads().to_vec()).unwrap();
        assert!(!again.is_whole() && again.end().is_ok());
        assert!(Download::resume(vec![Vec::new(); 71]).is_err());
        let mut odd = Download::resume(vec![payload(); 6]).unwrap();
        assert!(odd.end().is_err(), "no blob has six");
        // A filling that is none.
        let mut filled = download.clone();
        filled.payloads[4][CELL_LEN - 1] = 1;
        assert!(filled.content().is_err());
    }
}
