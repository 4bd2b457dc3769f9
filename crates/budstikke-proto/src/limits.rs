//! Sizes and ceilings (SPEC.md section 2). Each sum proves itself at compile time.

/// Bytes of a control frame.
pub const CONTROL_FRAME_LEN: usize = 2_048;
/// Bytes of a data frame.
pub const DATA_FRAME_LEN: usize = 16_384;
/// Bytes of the header that starts every frame.
pub const HEADER_LEN: usize = 16;
/// Bytes kept for the forward seal: an X-Wing ciphertext (1,120) and a tag (16); zero in a direct frame.
pub const FORWARD_LEN: usize = 1_136;
/// Bytes of the tag (authenticator) that starts the operation area.
pub const TAG_LEN: usize = 16;
/// Bytes of a data frame's operation area, tag included.
pub const DATA_OP_LEN: usize = 208;
/// Bytes of a control frame's operation area, tag included.
pub const CONTROL_OP_LEN: usize = 896;
/// Bytes of a sealed cell, the payload of a data frame.
pub const CELL_LEN: usize = 15_024;
/// Bytes that the cell seal adds: an XChaCha20 nonce (24) and a Poly1305 tag (16).
pub const CELL_SEAL_LEN: usize = 40;
/// Bytes of the fragment header inside a cell.
pub const FRAGMENT_HEADER_LEN: usize = 24;
/// Bytes of an envelope that one cell holds.
pub const FRAGMENT_LEN: usize = 14_960;

const _: () = assert!(HEADER_LEN + FORWARD_LEN + CONTROL_OP_LEN == CONTROL_FRAME_LEN);
const _: () = assert!(HEADER_LEN + FORWARD_LEN + DATA_OP_LEN + CELL_LEN == DATA_FRAME_LEN);
const _: () = assert!(CELL_SEAL_LEN + FRAGMENT_HEADER_LEN + FRAGMENT_LEN == CELL_LEN);
const _: () = assert!(FORWARD_LEN == 1_120 + 16);

/// Most fragments (cells) that one envelope may take: 239,360 bytes.
pub const MAX_FRAGMENTS: u16 = 16;
/// Most bytes of one envelope.
pub const MAX_ENVELOPE_LEN: usize = MAX_FRAGMENTS as usize * FRAGMENT_LEN;
/// Most entries that one slot takes, ever.
pub const MAX_SLOT_ENTRIES: u32 = 4;
/// Most cells of one slot entry.
pub const MAX_SLOT_CELLS: u32 = 4;
/// Most data frames of one notice.
pub const MAX_NOTICE_PARTS: u32 = 16;
/// Most cells that one `read` returns; ask again from where it ended.
pub const MAX_READ: u32 = 256;
/// Most days that a mailbox, and a cell in it, may be asked to live.
pub const MAX_TTL_DAYS: u32 = 90;
/// Days that a slot and a notice live after their last write.
pub const RECORD_TTL_DAYS: u32 = 90;
/// Most days that a blob may be asked to live.
pub const MAX_BLOB_TTL_DAYS: u32 = 30;
/// Most data frames of one blob.
pub const MAX_BLOB_PARTS: u32 = 70;
/// Most cells that may wait under one grant.
pub const MAX_QUOTA: u32 = 4_096;
/// Most days that a held cell may wait for its release.
pub const MAX_HOLD_DAYS: u32 = 28;
/// Seconds of which a release time is a multiple.
pub const RELEASE_STEP_S: i64 = 60;
/// Most grants of one mailbox.
pub const MAX_GRANTS: u32 = 4_096;
/// Challenges that a session may hold unanswered.
pub const MAX_OPEN_CHALLENGES: usize = 16;
/// Token keys of one relay at once.
pub const MAX_TOKEN_KEYS: usize = 2;
