//! Checks the files, each in both directions, against this crate and against `raw`.

use budstikke_proto::address::{AddressError, RelayAddress};
use budstikke_proto::auth::{CapabilityKey, operation_hash};
use budstikke_proto::blob::{self, BlobError, BlobKey, BlobSize};
use budstikke_proto::cell::{self, CellError, Fragment, Opened, SealKey};
use budstikke_proto::descriptor::{self, Descriptor, DescriptorError, MailboxPrice};
use budstikke_proto::frame::{Frame, FrameError, Kind};
use budstikke_proto::id::{
    CancelPk, DeleteId, DeletePk, FetchId, FetchPk, Hash, Label, MsgId, NoticeId, RecvId, RecvPk,
    RelayId, Seed, SendId, SendPk, Signature, SlotId,
};
use budstikke_proto::op::{BlobHead, ErrorCode, OpError, Part, Request, Response};
use budstikke_proto::sign::SigningSeed;
use budstikke_proto::token::{Blinding, IssuerKey, Token, TokenKey};
use budstikke_proto::work::{Purpose, Solution};
use budstikke_proto::{held, notice, slot, wire, work};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{CryptoRng, Error, RngCore, SeedableRng};

use crate::files::{
    AddressFile, AuthCase, BlobFile, CellFile, Counting, DescriptorFile, Fields, FrameFile,
    HeldCase, NoticeFile, OpFile, SlotCase, TokenFile, WorkCase, array, bytes, hex, load,
};
use crate::raw;

#[test]
fn frames() {
    let file: FrameFile = load("frame.json");
    for case in &file.frames {
        let kind =
            [Kind::Request, Kind::Response, Kind::Push, Kind::Cover][usize::from(case.kind) - 1];
        let frame = Frame {
            kind,
            request: number(&case.request),
            tag: array(&case.tag),
            op: bytes(&case.op),
            payload: case.payload.map(Counting::bytes),
        };
        let expected = bytes(&case.frame);
        assert_eq!(frame.encode().unwrap(), expected, "{}", case.name);
        assert_eq!(Frame::decode(&expected).unwrap(), frame, "{}", case.name);
        let payload = case.payload.map(Counting::bytes);
        let raw = raw::frame(case.kind, frame.request, &frame.tag, &frame.op, payload.as_deref());
        assert_eq!(raw, expected, "{}", case.name);
    }
    for case in &file.refused {
        let base = file.frames.iter().find(|frame| frame.name == case.base).unwrap();
        let (mut frame, patch) = (bytes(&base.frame), bytes(&case.bytes));
        frame[case.offset..case.offset + patch.len()].copy_from_slice(&patch);
        frame.truncate(case.length);
        let error = match Frame::decode(&frame).unwrap_err() {
            FrameError::Class(_) => "class",
            FrameError::Version(_) => "version",
            FrameError::Kind(_) => "kind",
            FrameError::OpLength(_) => "op length",
            FrameError::Length(_) => "length",
            FrameError::Padding => "padding",
            _ => "other",
        };
        assert_eq!(error, case.error, "{}", case.name);
    }
}

#[test]
fn operations() {
    let file: OpFile = load("op.json");
    for case in &file.requests {
        let request = request(&case.name, &case.fields);
        assert_eq!(hex(request.encode()), case.op, "{}", case.name);
        assert_eq!(Request::decode(&bytes(&case.op)).unwrap(), request, "{}", case.name);
    }
    for case in &file.responses {
        let response = response(&case.name, &case.fields);
        assert_eq!(hex(response.encode()), case.op, "{}", case.name);
        assert_eq!(Response::decode(&bytes(&case.op)).unwrap(), response, "{}", case.name);
    }
    for case in &file.refused_requests {
        let error = match Request::decode(&bytes(&case.op)).unwrap_err() {
            OpError::Malformed => "malformed",
            OpError::Unknown => "unknown",
            OpError::Bounds(_) => "bounds",
            OpError::Length(_) => "length",
            _ => "other",
        };
        assert_eq!(error, case.error, "{}", case.name);
    }
}

#[test]
fn cells() {
    let file: CellFile = load("cell.json");
    for case in &file.cells {
        let (key, nonce) = (array(&case.key), array(&case.nonce));
        let (envelope, body) = (array(&case.envelope), case.body.bytes());
        let fragment = Fragment { envelope, index: case.index, count: case.count, body };
        let expected = bytes(&case.cell);
        let seal_key = SealKey::from_bytes(key);
        assert_eq!(cell::seal(&fragment, &seal_key, &mut Fixed(&nonce)).unwrap(), expected);
        let plain = raw::fragment(&envelope, case.index, case.count, &fragment.body);
        assert_eq!(raw::seal(&key, &nonce, plain), expected, "{}", case.name);
        assert_eq!(
            cell::open(&expected, &seal_key),
            Ok(Opened::Fragment(fragment)),
            "{}",
            case.name
        );
    }
    let (key, nonce) = (array(&file.cover.key), array(&file.cover.nonce));
    let expected = bytes(&file.cover.cell);
    assert_eq!(cell::seal_cover(&SealKey::from_bytes(key), &mut Fixed(&nonce)), expected);
    assert_eq!(raw::seal(&key, &nonce, vec![1, 2]), expected);
    assert_eq!(cell::open(&expected, &SealKey::from_bytes(key)), Ok(Opened::Cover));
    let secret = array(&file.front_door.send_secret);
    assert_eq!(hex(SealKey::of_front_door(&secret).as_bytes()), file.front_door.seal_key);
    assert_eq!(hex(raw::front_door_key(&secret)), file.front_door.seal_key);
    for case in &file.envelopes {
        let envelope = Counting { start: 3, length: case.length }.bytes();
        let fragments = cell::split(&envelope, [1; 16]).unwrap();
        let lengths: Vec<_> = fragments.iter().map(|fragment| fragment.body.len()).collect();
        assert_eq!(lengths, case.bodies);
        let back: Vec<_> = fragments.iter().flat_map(|fragment| fragment.body.clone()).collect();
        assert_eq!(back, envelope);
    }
    for case in &file.refused {
        let cell = raw::seal(&key, &nonce, bytes(&case.plain));
        let opened = cell::open(&cell, &SealKey::from_bytes(key));
        assert_eq!(opened, Err(CellError::Header), "{}", case.name);
    }
}

#[test]
fn authenticators() {
    for case in load::<Vec<AuthCase>>("auth.json") {
        let client = CapabilityKey::from_bytes(array(&case.capability_secret));
        let epoch = CapabilityKey::from_bytes(array(&case.epoch_secret));
        let (client_pk, epoch_pk) = (array(&case.capability_pk), array(&case.epoch_pk));
        assert_eq!((client.public(), epoch.public()), (client_pk, epoch_pk), "{}", case.name);
        let (relay, nonce) =
            (RelayId::from_bytes(array(&case.relay_id)), array(&case.session_nonce));
        let (op, payload) = (bytes(&case.op), case.payload.map(Counting::bytes));
        let (request, tag) = (number(&case.request), array(&case.tag));

        let hash = operation_hash(&op, payload.as_deref());
        assert_eq!(hex(hash.as_bytes()), case.operation_hash, "{}", case.name);
        let ours = client.agree(&client_pk, &epoch_pk, &relay).session(&nonce);
        let theirs = epoch.agree(&client_pk, &epoch_pk, &relay).session(&nonce);
        assert_eq!(ours.tag(request, &hash), tag, "{}", case.name);
        assert!(theirs.verify(request, &hash, &tag), "{}", case.name);
        assert!(!theirs.verify(request ^ 1, &hash, &tag), "{}", case.name);

        let shared = raw::x25519(*epoch.as_bytes(), client_pk);
        let pair = raw::pair_key(&shared, &client_pk, &epoch_pk, relay.as_bytes());
        assert_eq!(hex(pair), case.pair_key, "{}", case.name);
        let session = raw::session_key(&pair, &nonce);
        assert_eq!(hex(session), case.session_key, "{}", case.name);
        let hash = raw::operation_hash(&op, payload.as_deref().unwrap_or_default());
        assert_eq!(raw::tag(&session, request, &hash), tag, "{}", case.name);
    }
}

#[test]
fn slots() {
    for case in load::<Vec<SlotCase>>("slot.json") {
        let (seed, relay_seed) = (array(&case.slot_seed), array(&case.relay_seed));
        let (slot_id, relay_pk): ([u8; 32], _) = (array(&case.slot_id), array(&case.relay_pk));
        let payloads: Vec<_> = case.payloads.iter().map(|payload| payload.bytes()).collect();
        let count = u32::try_from(payloads.len()).unwrap();
        let hash = Hash::from_bytes(array(&case.hash));
        assert_eq!(slot::payload_hash(payloads.iter().map(Vec::as_slice)), hash);
        assert_eq!(&raw::payload_hash(&payloads), hash.as_bytes());

        let (key, id) = (SigningSeed::from_bytes(seed), SlotId::from_bytes(slot_id));
        assert_eq!(key.public(), slot_id);
        let signature = Signature::from_bytes(array(&case.signature));
        assert_eq!(slot::sign_entry(&key, count, &hash), signature);
        assert!(slot::verify_entry(&id, count, &hash, &signature));
        assert!(!slot::verify_entry(&id, count + 1, &hash, &signature));
        let parts: [&[u8]; 2] = [&count.to_be_bytes(), hash.as_bytes()];
        assert_eq!(&raw::sign(&seed, "budstikke/slot-entry/v1", &parts), signature.as_bytes());

        let relay = SigningSeed::from_bytes(relay_seed);
        let receipt = Signature::from_bytes(array(&case.receipt));
        assert_eq!(slot::sign_receipt(&relay, &id, case.entry, &hash), receipt);
        assert!(slot::verify_receipt(&relay_pk, &id, case.entry, &hash, &receipt));
        assert!(!slot::verify_receipt(&relay_pk, &id, case.entry ^ 1, &hash, &receipt));
        let parts: [&[u8]; 3] = [&slot_id, &case.entry.to_be_bytes(), hash.as_bytes()];
        assert!(raw::verify(&relay_pk, "budstikke/slot-receipt/v1", &parts, receipt.as_bytes()));
    }
}

#[test]
fn notices() {
    let file: NoticeFile = load("notice.json");
    for case in &file.notices {
        let content = case.content.bytes();
        let payloads = notice::to_payloads(&content).unwrap();
        assert_eq!(payloads, raw::notice_payloads(&content));
        assert_eq!(payloads.len(), usize::try_from(case.count).unwrap());
        assert_eq!(notice::from_payloads(payloads.iter().map(Vec::as_slice)).unwrap(), content);
        let hash = Hash::from_bytes(array(&case.hash));
        assert_eq!(slot::payload_hash(payloads.iter().map(Vec::as_slice)), hash);
        assert_eq!(&raw::payload_hash(&payloads), hash.as_bytes());

        let (seed, version) = (array(&case.seed), number(&case.version));
        let (key, id) =
            (SigningSeed::from_bytes(seed), NoticeId::from_bytes(array(&case.notice_id)));
        let signature = Signature::from_bytes(array(&case.signature));
        assert_eq!(notice::sign(&key, version, case.count, &hash), signature);
        assert!(notice::verify(&id, version, case.count, &hash, &signature));
        assert!(!notice::verify(&id, version ^ 1, case.count, &hash, &signature));
        let parts: [&[u8]; 3] =
            [&version.to_be_bytes(), &case.count.to_be_bytes(), hash.as_bytes()];
        assert_eq!(&raw::sign(&seed, "budstikke/notice/v1", &parts), signature.as_bytes());
    }
    for case in &file.refused {
        let mut payload = bytes(&case.plain);
        payload.resize(15_024, 0);
        assert!(notice::from_payloads([payload.as_slice()]).is_err(), "{}", case.name);
    }
}

#[test]
fn descriptors() {
    let file: DescriptorFile = load("descriptor.json");
    let (seed, identity_pk) = (array(&file.identity_seed), array(&file.identity_pk));
    let key = SigningSeed::from_bytes(seed);
    assert_eq!(key.public(), identity_pk);
    assert_eq!(hex(descriptor::spki(&identity_pk)), file.spki);
    let id = RelayId::from_bytes(array(&file.relay_id));
    assert_eq!(descriptor::relay_id(&identity_pk), id);
    assert_eq!(&raw::sha256(&[&bytes(&file.spki)]), id.as_bytes());
    let expected = Descriptor {
        identity_pk,
        epoch_pk: array(&file.epoch_pk),
        valid_until_s: file.valid_until_s,
        max_ttl_days: file.max_ttl_days,
        max_quota: file.max_quota,
        work_effort: file.work_effort,
        front_door_effort: file.front_door_effort,
        software: file.software.clone(),
        mailbox_price: MailboxPrice::Work,
        token_keys: Vec::new(),
        max_blob_ttl_days: file.max_blob_ttl_days,
    };
    let hello =
        wire::Hello { descriptor: bytes(&file.descriptor), signature: bytes(&file.signature) };
    assert_eq!(expected.sign(&key), hello);
    assert_eq!(Descriptor::verify(&hello, &id, file.valid_until_s), Ok(expected));
    let signed: &[&[u8]] = &[&hello.descriptor];
    assert_eq!(&raw::sign(&seed, "budstikke/descriptor/v1", signed), hello.signature.as_slice());
    for case in &file.refused {
        let hello =
            wire::Hello { descriptor: bytes(&case.descriptor), signature: bytes(&case.signature) };
        let id = RelayId::from_bytes(array(&case.expected));
        let error = match Descriptor::verify(&hello, &id, case.now).unwrap_err() {
            DescriptorError::Malformed => "malformed",
            DescriptorError::WrongRelay => "wrong relay",
            DescriptorError::Expired => "expired",
            _ => "other",
        };
        assert_eq!(error, case.error, "{}", case.name);
    }
}

#[test]
fn addresses() {
    let file: AddressFile = load("address.json");
    for case in &file.addresses {
        let id = RelayId::from_bytes(array(&case.relay_id));
        let expected = RelayAddress { id, host: case.host.clone(), port: case.port };
        assert_eq!(case.text.parse::<RelayAddress>().unwrap(), expected);
        assert_eq!(expected.to_text(), case.canonical);
        assert_eq!(case.canonical.parse::<RelayAddress>().unwrap(), expected);
    }
    for case in &file.refused {
        let error = match case.text.parse::<RelayAddress>().unwrap_err() {
            AddressError::Scheme => "scheme",
            AddressError::Fingerprint => "fingerprint",
            AddressError::Host => "host",
            AddressError::Port => "port",
            _ => "other",
        };
        assert_eq!(error, case.error, "{}", case.text);
    }
}

#[test]
fn a_token_is_made_step_by_step_and_only_a_whole_one_pays() {
    let file: TokenFile = load("token.json");
    let key = TokenKey::from_spki(&bytes(&file.spki)).unwrap();
    assert_eq!(hex(key.id().as_bytes()), file.key_id);
    let issuer = IssuerKey::from_der(&bytes(&file.issuer)).unwrap();
    assert_eq!(issuer.public().unwrap().spki(), key.spki());
    let relay = RelayId::from_bytes(array(&file.relay_id));
    // Blind signing is deterministic, whatever protects the key while it is used.
    let rng = &mut ChaCha20Rng::seed_from_u64(9);
    let answer = issuer.sign(&bytes(&file.request), rng).unwrap();
    assert_eq!(hex(&answer), file.answer);
    let secrets = bytes(&[file.nonce.as_str(), &file.randomizer, &file.unblinder].concat());
    let blinding = Blinding::from_bytes(key.clone(), relay, &secrets).unwrap();
    let token = blinding.finish(&answer).unwrap();
    assert_eq!(hex(&token.signature), file.signature);
    assert_eq!(hex(token.spent_id()), file.spent_id);
    assert_eq!(
        raw::spent_id(&array(&file.key_id), &token.randomizer, &token.nonce),
        token.spent_id()
    );
    let recv_pk = RecvPk::from_bytes([0x48; 32]);
    let create = Request::CreateByToken { recv_pk, ttl_days: 30, token: token.clone() };
    assert_eq!(Request::decode(&bytes(&file.create)), Ok(create));
    let challenge = Request::ChallengeByToken { token: token.clone() };
    assert_eq!(Request::decode(&bytes(&file.challenge)), Ok(challenge));
    let verifies = |token: &Token, relay: &RelayId| {
        let here = key.verify(token, relay);
        let message = [relay.as_bytes(), &token.nonce[..]].concat();
        let there = raw::token_verifies(key.spki(), &token.randomizer, &message, &token.signature);
        assert_eq!(here, there, "the two implementations differ");
        here
    };
    assert!(verifies(&token, &relay));
    assert_eq!(file.refused.len(), 4);
    for case in file.refused {
        let (nonce, randomizer) = (array(&case.nonce), array(&case.randomizer));
        let wrong = Token { nonce, randomizer, signature: bytes(&case.signature), ..token.clone() };
        assert!(!verifies(&wrong, &RelayId::from_bytes(array(&case.relay_id))), "{}", case.name);
    }
}

#[test]
fn work_is_paid_or_not() {
    for case in load::<Vec<WorkCase>>("work.json") {
        let (target, seed): (_, [u8; 16]) = (array(&case.target), array(&case.seed));
        let (code, purpose) = match case.purpose.as_str() {
            "create" => (1, Purpose::Create(target)),
            "front_door" => (2, Purpose::FrontDoor(target)),
            "slot" => (3, Purpose::Slot(target)),
            "notice" => (4, Purpose::Notice(target)),
            "blob" => (5, Purpose::Blob(target)),
            other => panic!("{other}"),
        };
        let (nonce, solution) = (number(&case.nonce), array(&case.solution));
        let found = Solution { seed: Seed::from_bytes(seed), nonce, solution };
        assert_eq!(work::verify(&found, &purpose, case.effort), case.pays);
        let challenge = raw::challenge(&seed, code, &target, nonce);
        assert_eq!(hex(challenge), case.challenge);
        assert_eq!(raw::pays(&challenge, &solution, case.effort), case.pays);
    }
}

#[test]
fn cancellations() {
    for case in load::<Vec<HeldCase>>("held.json") {
        let (seed, cancel_pk) = (array(&case.cancel_seed), array(&case.cancel_pk));
        let key = SigningSeed::from_bytes(seed);
        assert_eq!(key.public(), cancel_pk);
        let (send, msg): ([u8; 32], [u8; 16]) = (array(&case.send_id), array(&case.msg_id));
        let (send_id, msg_id) = (SendId::from_bytes(send), MsgId::from_bytes(msg));
        let signature = Signature::from_bytes(array(&case.signature));
        assert_eq!(held::sign_cancel(&key, &send_id, &msg_id), signature);
        let cancel_pk = CancelPk::from_bytes(cancel_pk);
        assert!(held::verify_cancel(&cancel_pk, &send_id, &msg_id, &signature));
        let other = MsgId::from_bytes([0; 16]);
        assert!(!held::verify_cancel(&cancel_pk, &send_id, &other, &signature));
        let parts: [&[u8]; 2] = [&send, &msg];
        assert_eq!(&raw::sign(&seed, "budstikke/cancel/v1", &parts), signature.as_bytes());
    }
}

#[test]
fn blobs() {
    let file: BlobFile = load("blob.json");
    for case in &file.blobs {
        let (content, size) = (case.content.bytes(), BlobSize::parse(case.size).unwrap());
        let (found, payloads) = blob::to_payloads(&content).unwrap();
        assert_eq!((found, size.parts()), (size, case.count));
        assert_eq!(payloads, raw::blob_payloads(&content));
        assert_eq!(payloads.len(), usize::try_from(case.count).unwrap());
        assert_eq!(blob::from_payloads(size, payloads.iter().map(Vec::as_slice)), Ok(content));
        assert_eq!(hex(blob::hash(payloads.iter().map(Vec::as_slice)).as_bytes()), case.hash);
        assert_eq!(hex(raw::blob_hash(&payloads)), case.hash);
    }
    for case in &file.sealed {
        let (key, nonce) = (array(&case.key), array(&case.nonce));
        let content = case.content.bytes();
        let blob_key = BlobKey::from_bytes(key);
        let sealed = blob::seal(&content, &blob_key, &mut Fixed(&nonce)).unwrap();
        assert!(sealed == raw::seal_blob(&key, &nonce, &content));
        assert!(*blob::open(&sealed, &blob_key).unwrap() == content);
        let (size, payloads) = blob::to_payloads(&sealed).unwrap();
        assert_eq!((size.code(), hex(raw::blob_hash(&payloads))), (case.size, case.hash.clone()));
    }
    for length in &file.refused_contents {
        assert_eq!(blob::to_payloads(&vec![0; *length]), Err(BlobError::Size(*length)));
    }
    for place in &file.refused_fillings {
        let mut payloads = raw::blob_payloads(&file.blobs[0].content.bytes());
        payloads[4][*place] = 1;
        let found = blob::from_payloads(BlobSize::Small, payloads.iter().map(Vec::as_slice));
        assert_eq!(found, Err(BlobError::Malformed));
    }
}

fn request(name: &str, fields: &Fields) -> Request {
    let text =
        |field: &str| fields.get(field).unwrap_or_else(|| panic!("{name}: {field}")).as_str();
    let int = |field: &str| u32::try_from(number(text(field))).unwrap();
    let recv_id = || RecvId::from_bytes(array(text("recv_id")));
    let send_id = || SendId::from_bytes(array(text("send_id")));
    let slot_id = || SlotId::from_bytes(array(text("slot_id")));
    let notice_id = || NoticeId::from_bytes(array(text("notice_id")));
    let part = || Part {
        index: int("index"),
        count: int("count"),
        signature: Signature::from_bytes(array(text("signature"))),
    };
    let work = fields.get("work_seed").map(|seed| Solution {
        seed: Seed::from_bytes(array(seed)),
        nonce: number(text("work_nonce")),
        solution: array(text("work_solution")),
    });
    match name {
        "open" => Request::Open,
        "info" => Request::Info,
        "challenge" => Request::Challenge,
        "create" => {
            let recv_pk = RecvPk::from_bytes(array(text("recv_pk")));
            Request::Create { recv_pk, ttl_days: int("ttl_days"), work }
        }
        "grant" => Request::Grant {
            recv_id: recv_id(),
            send_pk: SendPk::from_bytes(array(text("send_pk"))),
            label: Label::from_bytes(array(text("label"))),
            quota: int("quota"),
            work_required: int("work_required") == 1,
        },
        "revoke" => Request::Revoke { recv_id: recv_id(), send_id: send_id() },
        "send" => {
            let (send_id, msg_id) = (send_id(), MsgId::from_bytes(array(text("msg_id"))));
            match fields.get("release_at") {
                None => Request::Send { send_id, msg_id, work },
                Some(at) => Request::Hold {
                    send_id,
                    msg_id,
                    release_at: i64::try_from(number(at)).unwrap(),
                    cancel_pk: CancelPk::from_bytes(array(text("cancel_pk"))),
                },
            }
        }
        "cancel" => Request::Cancel {
            send_id: send_id(),
            msg_id: MsgId::from_bytes(array(text("msg_id"))),
            signature: Signature::from_bytes(array(text("signature"))),
        },
        "read" => {
            Request::Read { recv_id: recv_id(), since: number(text("since")), max: int("max") }
        }
        "subscribe" => Request::Subscribe { recv_id: recv_id(), since: number(text("since")) },
        "trim" => Request::Trim { recv_id: recv_id(), upto: number(text("upto")) },
        "delete" => Request::Delete { recv_id: recv_id() },
        "slot_append" => Request::SlotAppend { slot_id: slot_id(), part: part(), work },
        "slot_read" => Request::SlotRead { slot_id: slot_id() },
        "notice_put" => {
            let version = number(text("version"));
            Request::NoticePut { notice_id: notice_id(), version, part: part(), work }
        }
        "notice_get" => Request::NoticeGet { notice_id: notice_id() },
        "blob_put" => {
            let size = BlobSize::parse(int("size")).unwrap();
            assert_eq!(size.parts(), int("count"));
            let head = BlobHead {
                fetch_pk: FetchPk::from_bytes(array(text("fetch_pk"))),
                delete_pk: DeletePk::from_bytes(array(text("delete_pk"))),
                size,
                ttl_days: int("ttl_days"),
                hash: Hash::from_bytes(array(text("hash"))),
            };
            Request::BlobPut { head, index: int("index"), work }
        }
        "blob_get" => Request::BlobGet {
            fetch_id: FetchId::from_bytes(array(text("fetch_id"))),
            first: int("first"),
            count: int("count"),
        },
        "blob_delete" => {
            Request::BlobDelete { delete_id: DeleteId::from_bytes(array(text("delete_id"))) }
        }
        other => panic!("{other}"),
    }
}

fn response(name: &str, fields: &Fields) -> Response {
    let text =
        |field: &str| fields.get(field).unwrap_or_else(|| panic!("{name}: {field}")).as_str();
    let int = |field: &str| u32::try_from(number(text(field))).unwrap();
    let signature = |field: &str| Signature::from_bytes(array(text(field)));
    match name {
        "error" => {
            let code = ErrorCode::try_from(i32::try_from(int("code")).unwrap()).unwrap();
            Response::Error { code, retry_after_s: int("retry_after_s") }
        }
        "hello" => Response::Hello(wire::Hello {
            descriptor: bytes(text("descriptor")),
            signature: bytes(text("signature")),
        }),
        "done" => Response::Done,
        "seed" => Response::Seed {
            seed: Seed::from_bytes(array(text("seed"))),
            effort: int("effort"),
            front_door_effort: int("front_door_effort"),
        },
        "created" => Response::Created { recv_id: RecvId::from_bytes(array(text("recv_id"))) },
        "granted" => Response::Granted { send_id: SendId::from_bytes(array(text("send_id"))) },
        "cell" => {
            let label = Label::from_bytes(array(text("label")));
            Response::Cell { seq: number(text("seq")), label }
        }
        "end" => Response::End { next: number(text("next")), more: int("more") == 1 },
        "slot_receipt" => Response::SlotReceipt {
            slot_id: SlotId::from_bytes(array(text("slot_id"))),
            entry: int("entry"),
            hash: Hash::from_bytes(array(text("hash"))),
            signature: signature("signature"),
        },
        "slot_entry" => Response::SlotEntry {
            entry: int("entry"),
            index: int("index"),
            count: int("count"),
            signature: signature("signature"),
            receipt: signature("receipt"),
        },
        "notice_part" => Response::NoticePart {
            version: number(text("version")),
            index: int("index"),
            count: int("count"),
            signature: signature("signature"),
        },
        "blob_stored" => Response::BlobStored {
            fetch_id: FetchId::from_bytes(array(text("fetch_id"))),
            delete_id: DeleteId::from_bytes(array(text("delete_id"))),
        },
        "blob_part" => Response::BlobPart { index: int("index"), count: int("count") },
        other => panic!("{other}"),
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("decimal number")
}

/// Gives the nonce that a file names, once.
struct Fixed<'a>(&'a [u8; 24]);

impl RngCore for Fixed<'_> {
    fn next_u32(&mut self) -> u32 {
        unreachable!()
    }
    fn next_u64(&mut self) -> u64 {
        unreachable!()
    }
    fn fill_bytes(&mut self, out: &mut [u8]) {
        out.copy_from_slice(self.0);
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(out);
        Ok(())
    }
}

impl CryptoRng for Fixed<'_> {}
