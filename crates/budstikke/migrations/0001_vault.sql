-- Vault format 1. The file shows sizes, the number of entries and which of them share a namespace;
-- never a kind, a key or a value. See src/vault/key.rs for what is sealed under what.
--
-- Never edited again, not even in its spaces: an opened file's schema must equal this text.

-- One row: how the passphrase opens the data key.
-- salt: 16 B, and memory_kib, passes, lanes: Argon2id. wrapped: 72 B, nonce and the data key sealed
-- under the passphrase's key. checksum: 32 B, SHA-256 of the columns before it, which tells decay
-- from a wrong passphrase. key_check: 40 B, nonce and tag of nothing under the data key.
CREATE TABLE header (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    salt       BLOB    NOT NULL,
    memory_kib INTEGER NOT NULL,
    passes     INTEGER NOT NULL,
    lanes      INTEGER NOT NULL,
    wrapped    BLOB    NOT NULL,
    checksum   BLOB    NOT NULL,
    key_check  BLOB    NOT NULL
) STRICT;

-- AUTOINCREMENT: a sequence number that was committed once is never given out again.
-- space: 64 bits of HMAC(kind). mac: 32 B, HMAC(kind, key); NULL for an appended entry, which has
-- no key. sealed: nonce, ciphertext and tag of (key, value).
CREATE TABLE item (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    space  INTEGER NOT NULL,
    mac    BLOB,
    sealed BLOB    NOT NULL
) STRICT;

CREATE UNIQUE INDEX item_by_key ON item (space, mac);
CREATE INDEX item_in_order ON item (space, seq);
