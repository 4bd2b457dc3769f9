//! Slots (SPEC.md section 5.3).

use budstikke_proto::id::SlotId;
use budstikke_proto::limits::{MAX_SLOT_CELLS, MAX_SLOT_ENTRIES};
use budstikke_proto::op::{Part, Request};
use budstikke_proto::sign::SigningSeed;
use budstikke_proto::slot::{payload_hash, sign_entry};
use budstikke_proto::work::{Purpose, Solution};

use super::session::Ask;
use super::{
    RelayClient, RelayError, SlotEntry, SlotReceipt, assemble, parts, whole, with_work, within,
};

impl RelayClient {
    /// Appends an entry of 1 to 4 cells to the slot of this key; does the proof of work if the relay wants one. The
    /// receipt says at which place it stands; only [`Self::slot_read`] says what stands before it.
    ///
    /// # Errors
    /// [`RelayError::Full`] when four entries stand there already, else [`RelayError`].
    pub async fn slot_append(
        &self,
        key: &SigningSeed,
        cells: Vec<Vec<u8>>,
    ) -> Result<SlotReceipt, RelayError> {
        let count = u32::try_from(cells.len()).unwrap_or(u32::MAX);
        within(count, MAX_SLOT_CELLS, "the number of cells in the entry")?;
        cells.iter().try_for_each(|cell| whole(cell))?;
        let slot_id = SlotId::from_bytes(key.public());
        let hash = payload_hash(cells.iter().map(Vec::as_slice));
        let signature = sign_entry(key, count, &hash);
        let purpose = Purpose::Slot(*slot_id.as_bytes());
        let cells = &cells;
        self.run(|session| async move {
            let ask = |work: Option<Solution>| {
                parts(cells, |index| Request::SlotAppend {
                    slot_id,
                    part: Part { index, count, signature },
                    work: work.filter(|_| index == 0),
                })
            };
            // Nearly every append is the first of its slot, so the work is done before it is asked for.
            let wanted = session.descriptor.work_effort > 0;
            let answer = with_work(&session, purpose, wanted, ask).await?;
            assemble::receipt(&answer, slot_id, hash, &session.descriptor.identity_pk)
        })
        .await
    }

    /// Reads all entries of a slot, at most four, in order of arrival. None for a slot that nobody wrote to.
    ///
    /// # Errors
    /// [`RelayError`]; an entry with a bad signature is no error but marked ([`SlotEntry::standing`]).
    pub async fn slot_read(&self, slot_id: SlotId) -> Result<Vec<SlotEntry>, RelayError> {
        self.run(|session| async move {
            let max = MAX_SLOT_ENTRIES * MAX_SLOT_CELLS;
            let ask = Ask {
                max_pushes: usize::try_from(max).unwrap_or(usize::MAX),
                ..Ask::new(None, Request::SlotRead { slot_id })
            };
            match session.call(ask).await {
                // It needs no right to be asked, so a refusal can only mean that there is nothing.
                Err(RelayError::Refused) => Ok(Vec::new()),
                answer => {
                    let relay_pk = &session.descriptor.identity_pk;
                    assemble::slot_entries(answer?, &slot_id, relay_pk)
                }
            }
        })
        .await
    }
}
