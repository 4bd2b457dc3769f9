-- Vault format 1. The file shows sizes, the number of entries and which of them share a namespace;
-- never a kind, a key or a value. See src/vault/key.rs for what is sealed under what.

-- One row: how the passphrase opens the data key.
CREATE TABLE header (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    salt       BLOB    NOT NULL, -- 16 B, Argon2id
    memory_kib INTEGER NOT NULL,
    passes     INTEGER NOT NULL,
    lanes      INTEGER NOT NULL,
    wrapped    BLOB    NOT NULL, -- 72 B: nonce, data key sealed under the passphrase's key
    checksum   BLOB    NOT NULL, -- 32 B, SHA-256 of the columns above: tells decay from a wrong passphrase
    key_check  BLOB    NOT NULL  -- 40 B: nonce, tag of nothing under the data key
) STRICT;

-- AUTOINCREMENT: a sequence number that was committed once is never given out again.
CREATE TABLE item (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    space  INTEGER NOT NULL, -- 64 bits of HMAC(kind)
    mac    BLOB,             -- 32 B, HMAC(kind, key); NULL for an appended entry, which has no key
    sealed BLOB    NOT NULL  -- nonce, ciphertext and tag of (key, value)
) STRICT;

CREATE UNIQUE INDEX item_by_key ON item (space, mac);
CREATE INDEX item_in_order ON item (space, seq);
