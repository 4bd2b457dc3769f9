//! SPEC.md once more, with the bare primitives and none of this crate's code.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, XChaCha20Poly1305};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};

/// 3: class, version, kind, 0, request, op length, 0 0, forward area, tag, operation area, payload.
pub(crate) fn frame(
    kind: u8,
    request: u64,
    tag: &[u8],
    op: &[u8],
    payload: Option<&[u8]>,
) -> Vec<u8> {
    let area = if payload.is_some() { 192 } else { 880 };
    let class = if payload.is_some() { 2 } else { 1 };
    let mut out = vec![class, 1, kind, 0];
    out.extend(request.to_be_bytes());
    out.extend(u16::try_from(op.len()).unwrap().to_be_bytes());
    out.extend([0; 2]);
    out.extend([0; 1_136]);
    out.extend(tag);
    out.extend(op);
    out.extend(vec![0; area - op.len()]);
    out.extend(payload.unwrap_or_default());
    out
}

/// 3.3: what the tag covers.
pub(crate) fn operation_hash(op: &[u8], payload: &[u8]) -> [u8; 32] {
    let length = u64::try_from(op.len()).unwrap().to_be_bytes();
    sha256(&[b"budstikke/operation/v1", &length, op, payload])
}

/// 3.3: the pairwise key from the X25519 shared secret.
pub(crate) fn pair_key(
    shared: &[u8; 32],
    cap_pk: &[u8],
    epoch_pk: &[u8],
    relay: &[u8],
) -> [u8; 32] {
    hkdf(relay, shared, &[b"budstikke/auth/v1", cap_pk, epoch_pk].concat())
}

/// 3.3: the key of one session.
pub(crate) fn session_key(pair: &[u8; 32], nonce: &[u8]) -> [u8; 32] {
    hkdf(nonce, pair, b"budstikke/auth/session/v1")
}

/// 3.3: the tag.
pub(crate) fn tag(session: &[u8; 32], request: u64, hash: &[u8; 32]) -> Vec<u8> {
    let nonce = [&[0; 4][..], &request.to_be_bytes()].concat();
    ChaCha20Poly1305::new(session.into())
        .encrypt(nonce.as_slice().into(), Payload { msg: &[], aad: hash })
        .unwrap()
}

pub(crate) fn x25519(secret: [u8; 32], public: [u8; 32]) -> [u8; 32] {
    x25519_dalek::x25519(secret, public)
}

/// 3.4: the fragment before the seal.
pub(crate) fn fragment(envelope: &[u8], index: u16, count: u16, body: &[u8]) -> Vec<u8> {
    let mut out = vec![1, 1];
    out.extend(index.to_be_bytes());
    out.extend(count.to_be_bytes());
    out.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    out.extend(envelope);
    out.extend(body);
    out
}

/// 3.4: nonce, then XChaCha20-Poly1305 over the fragment filled with zeros.
pub(crate) fn seal(key: &[u8; 32], nonce: &[u8; 24], mut plain: Vec<u8>) -> Vec<u8> {
    plain.resize(14_984, 0);
    let sealed = XChaCha20Poly1305::new(key.into())
        .encrypt(nonce.into(), Payload { msg: &plain, aad: b"budstikke/cell/v1" })
        .unwrap();
    [nonce.as_slice(), &sealed].concat()
}

/// 3.4: the seal key of a front door.
pub(crate) fn front_door_key(send_secret: &[u8; 32]) -> [u8; 32] {
    // HKDF without a salt takes 32 zeros (RFC 5869 section 2.2).
    hkdf(&[0; 32], send_secret, b"budstikke/front-door/seal/v1")
}

/// 5.3 and 5.4: the hash over all payloads.
pub(crate) fn payload_hash(payloads: &[Vec<u8>]) -> [u8; 32] {
    sha256(&[b"budstikke/payloads/v1", &payloads.concat()])
}

/// 5.4: length, content, zeros.
pub(crate) fn notice_payloads(content: &[u8]) -> Vec<Vec<u8>> {
    let mut all = u32::try_from(content.len()).unwrap().to_be_bytes().to_vec();
    all.extend(content);
    all.resize(all.len().next_multiple_of(15_024), 0);
    all.chunks(15_024).map(<[u8]>::to_vec).collect()
}

/// 5.5: content, zeros.
pub(crate) fn blob_payloads(content: &[u8]) -> Vec<Vec<u8>> {
    let mut all = content.to_vec();
    all.resize(all.len().next_multiple_of(15_024), 0);
    all.chunks(15_024).map(<[u8]>::to_vec).collect()
}

/// 5.5: nonce, then XChaCha20-Poly1305 over length, content and zeros.
pub(crate) fn seal_blob(key: &[u8; 32], nonce: &[u8; 24], content: &[u8]) -> Vec<u8> {
    let sizes = [65_536, 262_144, 1_048_576];
    let size = sizes.into_iter().find(|size| content.len() + 44 <= *size).unwrap();
    let mut plain = u32::try_from(content.len()).unwrap().to_be_bytes().to_vec();
    plain.extend(content);
    plain.resize(size - 40, 0);
    let sealed = XChaCha20Poly1305::new(key.into())
        .encrypt(nonce.into(), Payload { msg: &plain, aad: b"budstikke/blob/content/v1" })
        .unwrap();
    [nonce.as_slice(), &sealed].concat()
}

/// 5.5: the hash over all payloads.
pub(crate) fn blob_hash(payloads: &[Vec<u8>]) -> [u8; 32] {
    sha256(&[b"budstikke/blob/v1", &payloads.concat()])
}

/// 3.5: Ed25519 over domain, zero byte, parts.
pub(crate) fn sign(seed: &[u8; 32], domain: &str, parts: &[&[u8]]) -> [u8; 64] {
    SigningKey::from_bytes(seed)
        .sign(&[domain.as_bytes(), &[0], &parts.concat()].concat())
        .to_bytes()
}

pub(crate) fn verify(
    public: &[u8; 32],
    domain: &str,
    parts: &[&[u8]],
    signature: &[u8; 64],
) -> bool {
    let message = [domain.as_bytes(), &[0], &parts.concat()].concat();
    let key = VerifyingKey::from_bytes(public).unwrap();
    key.verify_strict(&message, &Signature::from_bytes(signature)).is_ok()
}

/// 6: the Equi-X challenge.
pub(crate) fn challenge(seed: &[u8], purpose: u8, target: &[u8], nonce: u64) -> [u8; 32] {
    sha256(&[b"budstikke/work/v1", seed, &[purpose], target, &nonce.to_be_bytes()])
}

/// 6: whether a solution of the challenge pays for the effort.
pub(crate) fn pays(challenge: &[u8; 32], solution: &[u8; 16], effort: u32) -> bool {
    let hash = sha256(&[b"budstikke/work/effort/v1", challenge, solution]);
    let word = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    let small = word.checked_mul(effort.max(1)).is_some();
    let right = equix::Solution::try_from_bytes(solution)
        .is_ok_and(|solution| equix::verify(challenge, &solution).is_ok());
    small && right
}

pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    Sha256::digest(parts.concat()).into()
}

fn hkdf(salt: &[u8], secret: &[u8], info: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    Hkdf::<Sha256>::new(Some(salt), secret).expand(info, &mut out).unwrap();
    out
}

pub(crate) fn spent_id(key_id: &[u8; 32], randomizer: &[u8; 32], nonce: &[u8; 32]) -> [u8; 32] {
    sha256(&[b"budstikke/token/spent/v1", key_id, randomizer, nonce])
}

/// Plain RSASSA-PSS over the prepared message, under a key of 2,048 bits: its PKCS #1 form ends the SPKI.
pub(crate) fn token_verifies(
    spki: &[u8],
    randomizer: &[u8; 32],
    relay_and_nonce: &[u8],
    signature: &[u8],
) -> bool {
    let prepared = [&randomizer[..], b"budstikke/token/v1", relay_and_nonce].concat();
    let scheme = &aws_lc_rs::signature::RSA_PSS_2048_8192_SHA384;
    let key = aws_lc_rs::signature::UnparsedPublicKey::new(scheme, &spki[spki.len() - 270..]);
    key.verify(&prepared, signature).is_ok()
}
