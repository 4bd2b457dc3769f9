//! Makes the files from this crate. Random values come from a fixed seed, so that a second run changes nothing.

use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::{CapabilityKey, operation_hash};
use budstikke_proto::blob::{self, BlobKey, BlobSize};
use budstikke_proto::cell::{self, Fragment, SealKey};
use budstikke_proto::descriptor::{Descriptor, MailboxPrice, relay_id, spki};
use budstikke_proto::frame::{Frame, Kind};
use budstikke_proto::id::{
    CancelPk, DeleteId, DeletePk, FetchId, FetchPk, Hash, Label, MsgId, NoticeId, RecvId, RecvPk,
    RelayId, Seed, SendId, SendPk, Signature, SlotId,
};
use budstikke_proto::op::{BlobHead, ErrorCode, Part, Request, Response};
use budstikke_proto::sign::SigningSeed;
use budstikke_proto::token::IssuerKey;
use budstikke_proto::work::{Purpose, Solution};
use budstikke_proto::{held, notice, slot, wire, work};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use crate::files::{
    AddressCase, AddressFile, AddressRefused, AuthCase, BlobCase, BlobFile, CellCase, CellFile,
    Counting, CoverCase, DescriptorFile, EnvelopeCase, Fields, FrameCase, FrameFile, FrameRefused,
    FrontDoorCase, HeldCase, HelloRefused, NoticeCase, NoticeFile, OpCase, OpFile, OpRefused,
    PlainRefused, SealedCase, SlotCase, TokenFile, TokenRefused, WorkCase, hex, save,
};
use crate::raw;

#[test]
fn vectors_are_written_when_asked() {
    if std::env::var_os("BUDSTIKKE_WRITE_VECTORS").is_none_or(|value| value != "1") {
        return;
    }
    let rng = &mut ChaCha20Rng::seed_from_u64(0x6275_6473);
    save("frame.json", &frames(rng));
    save("op.json", &operations(rng));
    save("cell.json", &cells(rng));
    save("auth.json", &authenticators(rng));
    save("slot.json", &slots(rng));
    save("notice.json", &notices(rng));
    save("descriptor.json", &descriptor(rng));
    save("address.json", &addresses(rng));
    let kinds = [("create", 1, 1), ("front_door", 2, 4), ("slot", 3, 2), ("notice", 4, 2)];
    let mut paid = works(rng, &kinds);
    save("held.json", &cancellations(rng));
    paid.extend(works(rng, &[("blob", 5, 2)]));
    save("work.json", &paid);
    save("blob.json", &blobs());
    save("token.json", &tokens());
}

/// From a seed of its own: how many bytes the search for primes takes may change.
fn tokens() -> TokenFile {
    let rng = &mut ChaCha20Rng::seed_from_u64(0x746F_6B65);
    let issuer = IssuerKey::generate(2_048, rng).unwrap();
    let key = issuer.public().unwrap();
    let relay = RelayId::from_bytes(random(rng));
    let blinding = key.blind(relay, rng).unwrap();
    let answer = issuer.sign(blinding.request(), rng).unwrap();
    let token = blinding.finish(&answer).unwrap();
    let secrets = blinding.to_bytes();
    let (recv_pk, spent_id) = (RecvPk::from_bytes([0x48; 32]), token.spent_id());
    let create = Request::CreateByToken { recv_pk, ttl_days: 30, token: token.clone() };
    let case = |name: &str, at: usize| {
        let mut parts = [
            relay.as_bytes().to_vec(),
            token.nonce.into(),
            token.randomizer.into(),
            token.signature.clone(),
        ];
        parts[at][20] ^= 1;
        let [relay_id, nonce, randomizer, signature] = parts.map(hex);
        TokenRefused { name: name.into(), relay_id, nonce, randomizer, signature }
    };
    let refused = ["for another relay", "another nonce", "another randomizer", "another signature"];
    TokenFile {
        spki: hex(key.spki()),
        key_id: hex(key.id().as_bytes()),
        issuer: hex(issuer.to_der().unwrap()),
        relay_id: hex(relay.as_bytes()),
        nonce: hex(token.nonce),
        randomizer: hex(token.randomizer),
        unblinder: hex(&secrets[64..]),
        request: hex(blinding.request()),
        answer: hex(&answer),
        signature: hex(&token.signature),
        spent_id: hex(spent_id),
        create: hex(create.encode()),
        challenge: hex(Request::ChallengeByToken { token: token.clone() }.encode()),
        refused: refused.into_iter().zip(0..).map(|(name, at)| case(name, at)).collect(),
    }
}

fn random<const N: usize>(rng: &mut ChaCha20Rng) -> [u8; N] {
    let mut out = [0; N];
    rng.fill_bytes(&mut out);
    out
}

fn frames(rng: &mut ChaCha20Rng) -> FrameFile {
    let mut case = |name: &str, kind, code, request: u64, op_len, payload: Option<Counting>| {
        let frame = Frame {
            kind,
            request,
            tag: random(rng),
            op: Counting { start: 1, length: op_len }.bytes(),
            payload: payload.map(Counting::bytes),
        };
        FrameCase {
            name: name.into(),
            kind: code,
            request: request.to_string(),
            tag: hex(frame.tag),
            op: hex(&frame.op),
            payload,
            frame: hex(frame.encode().unwrap()),
        }
    };
    let cell = Some(Counting { start: 7, length: 15_024 });
    let frames = vec![
        case("control request", Kind::Request, 1, 1, 6, None),
        case("control response, longest operation", Kind::Response, 2, u64::MAX, 880, None),
        case("control cover", Kind::Cover, 4, 0, 0, None),
        case("data request, longest operation", Kind::Request, 1, 258, 192, cell),
        case("data push", Kind::Push, 3, 3, 20, cell),
    ];
    let refuse =
        |name: &str, base: usize, offset, bytes: &[u8], length, error: &str| FrameRefused {
            name: name.into(),
            base: frames[base].name.clone(),
            offset,
            bytes: hex(bytes),
            length,
            error: error.into(),
        };
    let refused = vec![
        refuse("class 0", 0, 0, &[0], 2_048, "class"),
        refuse("class 3", 0, 0, &[3], 2_048, "class"),
        refuse("data class on 2,048 bytes", 0, 0, &[2], 2_048, "length"),
        refuse("one byte short", 0, 0, &[1], 2_047, "length"),
        refuse("shorter than a header", 0, 0, &[1], 15, "length"),
        refuse("version 2", 0, 1, &[2], 2_048, "version"),
        refuse("kind 0", 0, 2, &[0], 2_048, "kind"),
        refuse("kind 7", 0, 2, &[7], 2_048, "kind"),
        refuse("byte 3 set", 0, 3, &[1], 2_048, "padding"),
        refuse("881 bytes of operation in control", 0, 12, &[0x03, 0x71], 2_048, "op length"),
        refuse("193 bytes of operation in data", 3, 12, &[0, 193], 16_384, "op length"),
        refuse("byte 14 set", 0, 14, &[1], 2_048, "padding"),
        refuse("forward area begins with 1", 0, 16, &[1], 2_048, "padding"),
        refuse("forward area ends with 1", 0, 1_151, &[1], 2_048, "padding"),
        refuse("byte after the operation set", 0, 1_174, &[1], 2_048, "padding"),
        refuse("last byte of control set", 0, 2_047, &[1], 2_048, "padding"),
    ];
    FrameFile { frames, refused }
}

fn fields<const N: usize>(pairs: [(&str, String); N]) -> Fields {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn operations(rng: &mut ChaCha20Rng) -> OpFile {
    let (recv, send): ([u8; 32], [u8; 32]) = (random(rng), random(rng));
    let (recv_pk, send_pk): ([u8; 32], [u8; 32]) = (random(rng), random(rng));
    let (slot, notice): ([u8; 32], [u8; 32]) = (random(rng), random(rng));
    let (label, msg): ([u8; 16], [u8; 16]) = (random(rng), random(rng));
    let (sig, seed): ([u8; 64], [u8; 16]) = (random(rng), random(rng));
    let (solution, hash): ([u8; 16], [u8; 32]) = (random(rng), random(rng));
    let paid = Some(Solution { seed: Seed::from_bytes(seed), nonce: 1 << 40, solution });
    let pay = [
        ("work_seed", hex(seed)),
        ("work_nonce", (1u64 << 40).to_string()),
        ("work_solution", hex(solution)),
    ];
    let [pay3, pay4, pay5] = pay.clone();
    let [pay0, pay1, pay2] = pay;
    // Not from `rng`, so that what follows keeps its bytes.
    let (fetch_id, delete_id) = (FetchId::from_bytes([0x46; 32]), DeleteId::from_bytes([0x47; 32]));
    let head = |size| BlobHead {
        fetch_pk: FetchPk::from_bytes([0x44; 32]),
        delete_pk: DeletePk::from_bytes([0x45; 32]),
        size,
        ttl_days: 30,
        hash: Hash::from_bytes(hash),
    };
    let n = |number: u64| number.to_string();
    let (recv_id, send_id) = (RecvId::from_bytes(recv), SendId::from_bytes(send));
    let (slot_id, notice_id) = (SlotId::from_bytes(slot), NoticeId::from_bytes(notice));
    let part = |index, count| Part { index, count, signature: Signature::from_bytes(sig) };
    let ask = |name: &str, request: Request, fields: Fields| OpCase {
        name: name.into(),
        fields,
        op: hex(request.encode()),
    };
    let requests = vec![
        ask("open", Request::Open, fields([])),
        ask("info", Request::Info, fields([])),
        ask("challenge", Request::Challenge, fields([])),
        ask(
            "create",
            Request::Create { recv_pk: RecvPk::from_bytes(recv_pk), ttl_days: 30, work: paid },
            fields([
                ("recv_pk", hex(recv_pk)),
                ("ttl_days", n(30)),
                pay0.clone(),
                pay1.clone(),
                pay2.clone(),
            ]),
        ),
        ask(
            "grant",
            Request::Grant {
                recv_id,
                send_pk: SendPk::from_bytes(send_pk),
                label: Label::from_bytes(label),
                quota: 64,
                work_required: true,
            },
            fields([
                ("recv_id", hex(recv)),
                ("send_pk", hex(send_pk)),
                ("label", hex(label)),
                ("quota", n(64)),
                ("work_required", n(1)),
            ]),
        ),
        ask(
            "revoke",
            Request::Revoke { recv_id, send_id },
            fields([("recv_id", hex(recv)), ("send_id", hex(send))]),
        ),
        ask(
            "send",
            Request::Send { send_id, msg_id: MsgId::from_bytes(msg), work: None },
            fields([("send_id", hex(send)), ("msg_id", hex(msg))]),
        ),
        ask(
            "send",
            Request::Send { send_id, msg_id: MsgId::from_bytes(msg), work: paid },
            fields([
                ("send_id", hex(send)),
                ("msg_id", hex(msg)),
                pay0.clone(),
                pay1.clone(),
                pay2.clone(),
            ]),
        ),
        ask(
            "send",
            Request::Hold {
                send_id,
                msg_id: MsgId::from_bytes(msg),
                release_at: 1_800_000_060,
                cancel_pk: CancelPk::from_bytes([0x43; 32]),
            },
            fields([
                ("send_id", hex(send)),
                ("msg_id", hex(msg)),
                ("release_at", n(1_800_000_060)),
                ("cancel_pk", hex([0x43; 32])),
            ]),
        ),
        ask(
            "cancel",
            Request::Cancel {
                send_id,
                msg_id: MsgId::from_bytes(msg),
                signature: Signature::from_bytes(sig),
            },
            fields([("send_id", hex(send)), ("msg_id", hex(msg)), ("signature", hex(sig))]),
        ),
        ask(
            "read",
            Request::Read { recv_id, since: 1 << 33, max: 256 },
            fields([("recv_id", hex(recv)), ("since", n(1 << 33)), ("max", n(256))]),
        ),
        ask(
            "subscribe",
            Request::Subscribe { recv_id, since: 0 },
            fields([("recv_id", hex(recv)), ("since", n(0))]),
        ),
        ask(
            "trim",
            Request::Trim { recv_id, upto: u64::MAX },
            fields([("recv_id", hex(recv)), ("upto", n(u64::MAX))]),
        ),
        ask("delete", Request::Delete { recv_id }, fields([("recv_id", hex(recv))])),
        ask(
            "slot_append",
            Request::SlotAppend { slot_id, part: part(0, 4), work: paid },
            fields([
                ("slot_id", hex(slot)),
                ("index", n(0)),
                ("count", n(4)),
                ("signature", hex(sig)),
                pay0,
                pay1,
                pay2,
            ]),
        ),
        ask("slot_read", Request::SlotRead { slot_id }, fields([("slot_id", hex(slot))])),
        ask(
            "notice_put",
            Request::NoticePut { notice_id, version: 9, part: part(15, 16), work: None },
            fields([
                ("notice_id", hex(notice)),
                ("version", n(9)),
                ("index", n(15)),
                ("count", n(16)),
                ("signature", hex(sig)),
            ]),
        ),
        ask("notice_get", Request::NoticeGet { notice_id }, fields([("notice_id", hex(notice))])),
        ask(
            "blob_put",
            Request::BlobPut { head: head(BlobSize::Small), index: 0, work: paid },
            fields([
                ("fetch_pk", hex([0x44; 32])),
                ("delete_pk", hex([0x45; 32])),
                ("size", n(1)),
                ("ttl_days", n(30)),
                ("index", n(0)),
                ("count", n(5)),
                ("hash", hex(hash)),
                pay3,
                pay4,
                pay5,
            ]),
        ),
        ask(
            "blob_put",
            Request::BlobPut { head: head(BlobSize::Large), index: 69, work: None },
            fields([
                ("fetch_pk", hex([0x44; 32])),
                ("delete_pk", hex([0x45; 32])),
                ("size", n(3)),
                ("ttl_days", n(30)),
                ("index", n(69)),
                ("count", n(70)),
                ("hash", hex(hash)),
            ]),
        ),
        ask(
            "blob_get",
            Request::BlobGet { fetch_id, first: 17, count: 53 },
            fields([("fetch_id", hex([0x46; 32])), ("first", n(17)), ("count", n(53))]),
        ),
        ask(
            "blob_delete",
            Request::BlobDelete { delete_id },
            fields([("delete_id", hex([0x47; 32]))]),
        ),
    ];
    let answer = |name: &str, response: Response, fields: Fields| OpCase {
        name: name.into(),
        fields,
        op: hex(response.encode()),
    };
    let responses = vec![
        answer(
            "error",
            Response::Error { code: ErrorCode::Full, retry_after_s: 60 },
            fields([("code", n(4)), ("retry_after_s", n(60))]),
        ),
        answer(
            "hello",
            Response::Hello(wire::Hello { descriptor: vec![1, 2, 3], signature: sig.to_vec() }),
            fields([("descriptor", hex([1, 2, 3])), ("signature", hex(sig))]),
        ),
        answer("done", Response::Done, fields([])),
        answer(
            "seed",
            Response::Seed { seed: Seed::from_bytes(seed), effort: 8, front_door_effort: 16 },
            fields([("seed", hex(seed)), ("effort", n(8)), ("front_door_effort", n(16))]),
        ),
        answer("created", Response::Created { recv_id }, fields([("recv_id", hex(recv))])),
        answer("granted", Response::Granted { send_id }, fields([("send_id", hex(send))])),
        answer(
            "cell",
            Response::Cell { seq: 300, label: Label::from_bytes(label) },
            fields([("seq", n(300)), ("label", hex(label))]),
        ),
        answer(
            "end",
            Response::End { next: 300, more: true },
            fields([("next", n(300)), ("more", n(1))]),
        ),
        answer(
            "slot_receipt",
            Response::SlotReceipt {
                slot_id,
                entry: 3,
                hash: Hash::from_bytes(hash),
                signature: Signature::from_bytes(sig),
            },
            fields([
                ("slot_id", hex(slot)),
                ("entry", n(3)),
                ("hash", hex(hash)),
                ("signature", hex(sig)),
            ]),
        ),
        answer(
            "slot_entry",
            Response::SlotEntry {
                entry: 1,
                index: 2,
                count: 3,
                signature: Signature::from_bytes(sig),
                receipt: Signature::from_bytes([5; 64]),
            },
            fields([
                ("entry", n(1)),
                ("index", n(2)),
                ("count", n(3)),
                ("signature", hex(sig)),
                ("receipt", hex([5; 64])),
            ]),
        ),
        answer(
            "notice_part",
            Response::NoticePart {
                version: 9,
                index: 0,
                count: 2,
                signature: Signature::from_bytes(sig),
            },
            fields([("version", n(9)), ("index", n(0)), ("count", n(2)), ("signature", hex(sig))]),
        ),
        answer(
            "blob_stored",
            Response::BlobStored { fetch_id, delete_id },
            fields([("fetch_id", hex([0x46; 32])), ("delete_id", hex([0x47; 32]))]),
        ),
        answer(
            "blob_part",
            Response::BlobPart { index: 4, count: 5 },
            fields([("index", n(4)), ("count", n(5))]),
        ),
    ];
    let refuse = |name: &str, op: &[u8], error: &str| OpRefused {
        name: name.into(),
        op: hex(op),
        error: error.into(),
    };
    // A `send` whose two last fields are these, each with its tag.
    let held = |fields: &[&[u8]]| {
        let mut op = [&[0x6a, 0, 0x0a, 32][..], &[1; 32], &[0x12, 16], &[2; 16]].concat();
        op.extend(fields.concat());
        op[1] = u8::try_from(op.len() - 2).unwrap();
        op
    };
    let (minute, odd) = ([0x21, 60, 0, 0, 0, 0, 0, 0, 0], [0x21, 61, 0, 0, 0, 0, 0, 0, 0]);
    let far = [0x21, 0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
    let cancel_pk = [&[0x2a, 32][..], &[3; 32]].concat();
    let no_key = held(&[&minute]);
    let no_time = held(&[&cancel_pk]);
    let odd = held(&[&odd, &cancel_pk]);
    let far = held(&[&far, &cancel_pk]);
    let part5 = Request::SlotAppend { slot_id, part: part(0, 5), work: None }.encode();
    let beyond =
        Request::NoticePut { notice_id, version: 1, part: part(2, 2), work: None }.encode();
    let blob = |head, index| Request::BlobPut { head, index, work: None }.encode();
    let small = blob(head(BlobSize::Small), 1);
    let beyond_blob = blob(head(BlobSize::Small), 5);
    let long_blob = blob(BlobHead { ttl_days: 31, ..head(BlobSize::Small) }, 0);
    let changed = |from: [u8; 2], to: [u8; 2]| {
        let mut op = small.clone();
        let at = op.windows(2).position(|pair| pair == from).unwrap();
        op[at..at + 2].copy_from_slice(&to);
        op
    };
    let size_blob = changed([0x18, 1], [0x18, 4]);
    let count_blob = changed([0x30, 5], [0x30, 18]);
    let get_none = Request::BlobGet { fetch_id, first: 0, count: 0 }.encode();
    let short = [&[0x7a, 33, 0x0a, 31][..], &[1; 31]].concat();
    let refused_requests = vec![
        refuse("nothing", &[], "unknown"),
        refuse("number 63, not known", &[0xfa, 0x03, 0x00], "unknown"),
        refuse("open in forwarded mode, not served yet", &[0x0a, 0x02, 0x08, 0x02], "unknown"),
        refuse("held cell without a cancel key", &no_key, "length"),
        refuse("held cell without a time", &no_time, "bounds"),
        refuse("held cell, not a whole minute", &odd, "bounds"),
        refuse("held cell, a time beyond 63 bits", &far, "bounds"),
        refuse("cut short", &[0x52, 0x20, 0x0a], "malformed"),
        refuse("a slot entry of five cells", &part5, "bounds"),
        refuse("a part beyond its count", &beyond, "bounds"),
        refuse("a blob's part beyond its count", &beyond_blob, "bounds"),
        refuse("a blob that lives 31 days", &long_blob, "bounds"),
        refuse("a blob of size 4", &size_blob, "bounds"),
        refuse("a blob with another size's count", &count_blob, "bounds"),
        refuse("no part of a blob", &get_none, "bounds"),
        refuse("a recv_id of 31 bytes", &short, "length"),
    ];
    OpFile { requests, responses, refused_requests }
}

fn cells(rng: &mut ChaCha20Rng) -> CellFile {
    let mut case = |name: &str, index, count, length| {
        let (key, envelope): ([u8; 32], [u8; 16]) = (random(rng), random(rng));
        let body = Counting { start: 1, length };
        let fragment = Fragment { envelope, index, count, body: body.bytes() };
        let cell = cell::seal(&fragment, &SealKey::from_bytes(key), rng).unwrap();
        CellCase {
            name: name.into(),
            key: hex(key),
            nonce: hex(&cell[..24]),
            envelope: hex(envelope),
            index,
            count,
            body,
            cell: hex(cell),
        }
    };
    let cells = vec![
        case("one byte", 0, 1, 1),
        case("full fragment, first of two", 0, 2, 14_960),
        case("last of sixteen", 15, 16, 300),
    ];
    let key: [u8; 32] = random(rng);
    let cell = cell::seal_cover(&SealKey::from_bytes(key), rng);
    let cover = CoverCase { key: hex(key), nonce: hex(&cell[..24]), cell: hex(cell) };
    // Not from `rng`, so that what follows keeps its bytes.
    let send_secret = [0x42; 32];
    let front_door = FrontDoorCase {
        send_secret: hex(send_secret),
        seal_key: hex(SealKey::of_front_door(&send_secret).as_bytes()),
    };
    let envelopes = [1, 14_960, 14_961, 30_000, 239_360]
        .map(|length| EnvelopeCase {
            length,
            bodies: cell::split(&vec![0; length], [0; 16])
                .unwrap()
                .iter()
                .map(|fragment| fragment.body.len())
                .collect(),
        })
        .into();
    let refuse = |name: &str, plain: &[u8]| PlainRefused { name: name.into(), plain: hex(plain) };
    let name = [9; 16];
    let head = |index, count, body: &[u8]| raw::fragment(&name, index, count, body);
    let refused = vec![
        refuse("version 0", &[&[0, 1][..], &head(0, 1, b"x")[2..]].concat()),
        refuse("kind 3", &[&[1, 3][..], &head(0, 1, b"x")[2..]].concat()),
        refuse("no fragments", &head(0, 0, b"x")),
        refuse("index beyond count", &head(1, 1, b"x")),
        refuse("seventeen fragments", &head(16, 17, b"x")),
        refuse("short body before the last fragment", &head(0, 2, b"x")),
        refuse("empty body", &head(0, 1, b"")),
        refuse("body longer than the fragment", &{
            let mut plain = head(0, 1, b"x");
            plain[6..8].copy_from_slice(&14_961u16.to_be_bytes());
            plain
        }),
        refuse("padding not zero", &[head(0, 1, b"x"), vec![0, 1]].concat()),
    ];
    CellFile { cells, cover, front_door, envelopes, refused }
}

fn authenticators(rng: &mut ChaCha20Rng) -> Vec<AuthCase> {
    let mut case = |name: &str, request: u64, op: &[u8], payload: Option<Counting>| {
        let (client, epoch) =
            (CapabilityKey::from_bytes(random(rng)), CapabilityKey::from_bytes(random(rng)));
        let (relay, nonce): ([u8; 32], [u8; 32]) = (random(rng), random(rng));
        let (client_pk, epoch_pk) = (client.public(), epoch.public());
        let pair = raw::pair_key(
            &raw::x25519(*client.as_bytes(), epoch_pk),
            &client_pk,
            &epoch_pk,
            &relay,
        );
        let hash = operation_hash(op, payload.map(Counting::bytes).as_deref());
        let relay_id = budstikke_proto::id::RelayId::from_bytes(relay);
        let session = client.agree(&client_pk, &epoch_pk, &relay_id).session(&nonce);
        AuthCase {
            name: name.into(),
            capability_secret: hex(client.as_bytes()),
            capability_pk: hex(client_pk),
            epoch_secret: hex(epoch.as_bytes()),
            epoch_pk: hex(epoch_pk),
            relay_id: hex(relay),
            session_nonce: hex(nonce),
            pair_key: hex(pair),
            session_key: hex(raw::session_key(&pair, &nonce)),
            request: request.to_string(),
            op: hex(op),
            payload,
            operation_hash: hex(hash.as_bytes()),
            tag: hex(session.tag(request, &hash)),
        }
    };
    let delete = Request::Delete { recv_id: RecvId::from_bytes([1; 32]) }.encode();
    let send = Request::Send {
        send_id: SendId::from_bytes([2; 32]),
        msg_id: MsgId::from_bytes([3; 16]),
        work: None,
    }
    .encode();
    let cell = Some(Counting { start: 0, length: 15_024 });
    vec![case("control", 1, &delete, None), case("with a cell", 0x0102_0304_0506_0708, &send, cell)]
}

fn slots(rng: &mut ChaCha20Rng) -> Vec<SlotCase> {
    let mut case = |cells: u8, entry| {
        let (slot_key, relay) =
            (SigningSeed::from_bytes(random(rng)), SigningSeed::from_bytes(random(rng)));
        let payloads: Vec<_> = (0..cells).map(|start| Counting { start, length: 15_024 }).collect();
        let all: Vec<_> = payloads.iter().map(|payload| payload.bytes()).collect();
        let hash = slot::payload_hash(all.iter().map(Vec::as_slice));
        let slot_id = SlotId::from_bytes(slot_key.public());
        SlotCase {
            slot_seed: hex(slot_key.as_bytes()),
            slot_id: hex(slot_id.as_bytes()),
            payloads,
            hash: hex(hash.as_bytes()),
            signature: hex(slot::sign_entry(&slot_key, cells.into(), &hash).as_bytes()),
            relay_seed: hex(relay.as_bytes()),
            relay_pk: hex(relay.public()),
            entry,
            receipt: hex(slot::sign_receipt(&relay, &slot_id, entry, &hash).as_bytes()),
        }
    };
    vec![case(1, 0), case(4, 3)]
}

fn notices(rng: &mut ChaCha20Rng) -> NoticeFile {
    let mut case = |version: u64, length| {
        let key = SigningSeed::from_bytes(random(rng));
        let content = Counting { start: 5, length };
        let payloads = notice::to_payloads(&content.bytes()).unwrap();
        let count = u32::try_from(payloads.len()).unwrap();
        let hash = slot::payload_hash(payloads.iter().map(Vec::as_slice));
        NoticeCase {
            seed: hex(key.as_bytes()),
            notice_id: hex(key.public()),
            version: version.to_string(),
            content,
            count,
            hash: hex(hash.as_bytes()),
            signature: hex(notice::sign(&key, version, count, &hash).as_bytes()),
        }
    };
    let notices = vec![case(1, 0), case(2, 15_020), case(u64::MAX, 15_021), case(7, 240_380)];
    let refuse = |name: &str, plain: &[u8]| PlainRefused { name: name.into(), plain: hex(plain) };
    let refused = vec![
        refuse("longer than its payloads", &15_021u32.to_be_bytes()),
        refuse("longest number", &[0xFF; 4]),
        refuse("padding not zero", &[0, 0, 0, 1, 7, 1]),
    ];
    NoticeFile { notices, refused }
}

fn descriptor(rng: &mut ChaCha20Rng) -> DescriptorFile {
    let (key, other) = (SigningSeed::from_bytes(random(rng)), SigningSeed::from_bytes(random(rng)));
    let descriptor = Descriptor {
        identity_pk: key.public(),
        epoch_pk: CapabilityKey::from_bytes(random(rng)).public(),
        valid_until_s: 1_800_000_000,
        max_ttl_days: 90,
        max_quota: 4_096,
        work_effort: 4,
        front_door_effort: 8,
        software: "budstikke-relay 0.1.0".into(),
        mailbox_price: MailboxPrice::Work,
        token_keys: Vec::new(),
        max_blob_ttl_days: 30,
    };
    let hello = descriptor.sign(&key);
    let forged = descriptor.sign(&other);
    let id = hex(relay_id(&key.public()).as_bytes());
    let refuse = |name: &str, hello: &wire::Hello, expected: &str, now, error: &str| HelloRefused {
        name: name.into(),
        descriptor: hex(&hello.descriptor),
        signature: hex(&hello.signature),
        expected: expected.into(),
        now,
        error: error.into(),
    };
    let cut = wire::Hello { descriptor: hello.descriptor[..40].to_vec(), ..hello.clone() };
    let refused = vec![
        refuse("one second late", &hello, &id, 1_800_000_001, "expired"),
        refuse("another relay", &hello, &hex([0; 32]), 0, "wrong relay"),
        refuse("signed by another key", &forged, &id, 0, "wrong relay"),
        refuse("cut short", &cut, &id, 0, "malformed"),
    ];
    DescriptorFile {
        identity_seed: hex(key.as_bytes()),
        identity_pk: hex(key.public()),
        spki: hex(spki(&key.public())),
        relay_id: id,
        epoch_pk: hex(descriptor.epoch_pk),
        valid_until_s: descriptor.valid_until_s,
        max_ttl_days: descriptor.max_ttl_days,
        max_quota: descriptor.max_quota,
        work_effort: descriptor.work_effort,
        front_door_effort: descriptor.front_door_effort,
        max_blob_ttl_days: descriptor.max_blob_ttl_days,
        software: descriptor.software,
        descriptor: hex(&hello.descriptor),
        signature: hex(&hello.signature),
        refused,
    }
}

fn addresses(rng: &mut ChaCha20Rng) -> AddressFile {
    let print = {
        let id = budstikke_proto::id::RelayId::from_bytes(random(rng));
        let address = RelayAddress { id, host: "x".into(), port: 1 };
        address.to_text()[6..58].to_owned()
    };
    let case = |text: String| {
        let address: RelayAddress = text.parse().unwrap();
        AddressCase {
            text,
            relay_id: hex(address.id.as_bytes()),
            canonical: address.to_text(),
            host: address.host,
            port: address.port,
        }
    };
    let refuse = |text: String, error: &str| AddressRefused { text, error: error.into() };
    AddressFile {
        addresses: vec![
            case(format!("bud://{print}@relay.example:4433")),
            case(format!("bud://{print}@relay.example")),
            case(format!("bud://{}@192.0.2.7:443", print.to_uppercase())),
            case(format!("bud://{print}@[2001:db8::1]:8443")),
            case(format!("  bud://{print}@[2001:db8::1]\n")),
        ],
        refused: vec![
            refuse(format!("https://{print}@relay.example"), "scheme"),
            refuse("bud://relay.example:443".into(), "fingerprint"),
            refuse(format!("bud://{}@relay.example", &print[1..]), "fingerprint"),
            refuse(format!("bud://0{}@relay.example", &print[1..]), "fingerprint"),
            refuse(format!("bud://{print}@"), "host"),
            refuse(format!("bud://{print}@relay example"), "host"),
            refuse(format!("bud://{print}@[relay.example]:1"), "host"),
            refuse(format!("bud://{print}@relay.example:65536"), "port"),
            refuse(format!("bud://{print}@relay.example:quic"), "port"),
            refuse(format!("bud://{print}@[::1]8443"), "port"),
        ],
    }
}

fn works(rng: &mut ChaCha20Rng, kinds: &[(&str, u8, u32)]) -> Vec<WorkCase> {
    let mut out = Vec::new();
    for &(name, code, effort) in kinds {
        let (target, seed): ([u8; 32], [u8; 16]) = (random(rng), random(rng));
        let purpose = match code {
            1 => Purpose::Create(target),
            2 => Purpose::FrontDoor(target),
            3 => Purpose::Slot(target),
            4 => Purpose::Notice(target),
            _ => Purpose::Blob(target),
        };
        let first = rng.next_u64();
        let found = work::solve(Seed::from_bytes(seed), &purpose, effort, first, || true).unwrap();
        let case = |effort, nonce: u64, solution: [u8; 16], pays| WorkCase {
            purpose: name.into(),
            target: hex(target),
            seed: hex(seed),
            effort,
            nonce: nonce.to_string(),
            challenge: hex(raw::challenge(&seed, code, &target, nonce)),
            solution: hex(solution),
            pays,
        };
        let mut changed = found.solution;
        changed[15] ^= 1;
        out.push(case(effort, found.nonce, found.solution, true));
        out.push(case(u32::MAX, found.nonce, found.solution, false));
        out.push(case(1, found.nonce.wrapping_add(1), found.solution, false));
        out.push(case(1, found.nonce, changed, false));
    }
    out
}

fn cancellations(rng: &mut ChaCha20Rng) -> Vec<HeldCase> {
    let mut case = || {
        let key = SigningSeed::from_bytes(random(rng));
        let (send_id, msg_id) = (SendId::from_bytes(random(rng)), MsgId::from_bytes(random(rng)));
        HeldCase {
            cancel_seed: hex(key.as_bytes()),
            cancel_pk: hex(key.public()),
            send_id: hex(send_id.as_bytes()),
            msg_id: hex(msg_id.as_bytes()),
            signature: hex(held::sign_cancel(&key, &send_id, &msg_id).as_bytes()),
        }
    };
    vec![case(), case()]
}

fn blobs() -> BlobFile {
    let cases = BlobSize::ALL.map(|size| {
        let content = Counting { start: 9, length: usize::try_from(size.bytes()).unwrap() };
        let (_, payloads) = blob::to_payloads(&content.bytes()).unwrap();
        BlobCase {
            size: size.code(),
            content,
            count: size.parts(),
            hash: hex(blob::hash(payloads.iter().map(Vec::as_slice)).as_bytes()),
        }
    });
    // Not from the others' seed, so that what they write keeps its bytes.
    let rng = &mut ChaCha20Rng::seed_from_u64(0x626C_6F62);
    let sealed = [0, 65_492, 65_493, 1_048_532].map(|length| {
        let (key, content) = (random(rng), Counting { start: 3, length });
        let blob = blob::seal(&content.bytes(), &BlobKey::from_bytes(key), rng).unwrap();
        let (size, payloads) = blob::to_payloads(&blob).unwrap();
        SealedCase {
            key: hex(key),
            nonce: hex(&blob[..24]),
            content,
            size: size.code(),
            hash: hex(blob::hash(payloads.iter().map(Vec::as_slice)).as_bytes()),
        }
    });
    BlobFile {
        blobs: cases.into(),
        sealed: sealed.into(),
        refused_contents: vec![0, 65_535, 65_537, 262_143, 1_048_577],
        refused_fillings: vec![5_440, 15_023],
    }
}
