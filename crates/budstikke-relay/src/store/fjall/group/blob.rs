//! Blobs: written whole, never changed. Each change of [`Room`] is the last step of its mutation.

use budstikke_proto::id::{DeleteId, FetchId};

use super::Group;
use crate::store::fjall::rows::{BlobOwnerRow, BlobRow};
use crate::store::rules::last_day;
use crate::store::{Blob, Outcome, StoreError};

impl Group<'_> {
    pub(super) fn blob_put(
        &mut self,
        fetch_id: &FetchId,
        delete_id: &DeleteId,
        blob: &Blob,
        paid: bool,
    ) -> Result<Outcome, StoreError> {
        let place = self.tables.blob(fetch_id);
        if let Some(old) = self.load::<BlobRow>(&place)? {
            let same = old.row.delete_id()? == *delete_id && old.row.hash()? == blob.hash;
            return Ok(if same { Outcome::Done } else { Outcome::Conflict });
        }
        if !paid {
            return Ok(Outcome::Unpaid);
        }
        let bytes = blob.size.bytes();
        let taken = self.room.taken(self.today).saturating_add(bytes.into());
        if taken > self.limits.max_blob_bytes {
            return Ok(Outcome::Full);
        }
        let day = last_day(self.now, blob.ttl_days);
        let row = BlobRow {
            fetch_pk: blob.fetch_pk.as_bytes().to_vec(),
            delete_id: delete_id.as_bytes().to_vec(),
            hash: blob.hash.as_bytes().to_vec(),
            parts: u32::try_from(blob.payloads.len()).unwrap_or(u32::MAX),
            bytes,
        };
        let owner = BlobOwnerRow {
            fetch_id: fetch_id.as_bytes().to_vec(),
            delete_pk: blob.delete_pk.as_bytes().to_vec(),
        };
        self.put(&place, None, day, &row)?;
        self.put(&self.tables.blob_owner(delete_id), None, day, &owner)?;
        let part = |index| self.tables.blob_part(fetch_id, index);
        self.put_bodies(&blob.payloads, None, day, part)?;
        self.room.take(day, bytes);
        Ok(Outcome::Done)
    }

    pub(super) fn blob_delete(&mut self, delete_id: &DeleteId) -> Result<Outcome, StoreError> {
        let owner_place = self.tables.blob_owner(delete_id);
        let Some(owner) = self.load::<BlobOwnerRow>(&owner_place)? else {
            return Ok(Outcome::Unknown);
        };
        let fetch_id = owner.row.fetch_id()?;
        let place = self.tables.blob(&fetch_id);
        let blob = self.load::<BlobRow>(&place)?.ok_or(StoreError::Damaged)?;
        self.remove(&owner_place, owner.day);
        self.remove(&place, blob.day);
        for index in 0..blob.row.parts {
            self.remove(&self.tables.blob_part(&fetch_id, index), blob.day);
        }
        self.room.free(blob.day, blob.row.bytes);
        Ok(Outcome::Done)
    }
}
