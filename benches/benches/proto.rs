//! The wire's cost per cell and per operation, against the bare primitives: criterion measures, and a table of
//! ratios ends the run. Ratios within one run mean something on a noisy machine; single times do not.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement that fails should stop")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use budstikke_proto::auth::{CapabilityKey, operation_hash};
use budstikke_proto::cell::{self, Fragment, SealKey};
use budstikke_proto::frame::{Frame, Kind};
use budstikke_proto::id::RelayId;
use budstikke_proto::limits::{CELL_LEN, FRAGMENT_LEN, TAG_LEN};
use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag, XChaCha20Poly1305, XNonce};
use criterion::Criterion;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use x25519_dalek::{PublicKey, StaticSecret};

/// What is compared, and with what.
const RATIOS: [(&str, &str); 7] = [
    ("cell seal", "raw XChaCha20-Poly1305 seal"),
    ("cell open", "raw XChaCha20-Poly1305 open"),
    ("frame encode", "raw copy of a cell"),
    ("frame decode", "raw copy of a cell"),
    ("authenticator, first of a capability", "raw X25519"),
    ("authenticator, session key cached", "raw ChaCha20-Poly1305 tag"),
    ("operation hash with a cell", "raw XChaCha20-Poly1305 seal"),
];

/// Nanoseconds per iteration, one value for each of criterion's samples.
#[derive(Default)]
struct Samples(RefCell<BTreeMap<&'static str, Vec<f64>>>);

impl Samples {
    fn measure<T>(
        &self,
        criterion: &mut Criterion,
        name: &'static str,
        mut work: impl FnMut() -> T,
    ) {
        criterion.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| {
                let start = Instant::now();
                for _ in 0..rounds {
                    black_box(work());
                }
                let took = start.elapsed();
                self.add(name, took, rounds);
                took
            });
        });
    }

    fn add(&self, name: &'static str, took: Duration, rounds: u64) {
        #[allow(clippy::cast_precision_loss, reason = "round counts are far below 2^52")]
        let each = took.as_secs_f64() * 1e9 / rounds as f64;
        self.0.borrow_mut().entry(name).or_default().push(each);
    }

    fn median(&self, name: &str) -> Option<f64> {
        let mut all = self.0.borrow().get(name)?.clone();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied()
    }

    fn print(&self) {
        println!("\n{:<38} {:>10}   {:<30} {:>10}   ratio", "ours", "ns", "raw", "ns");
        for (ours, raw) in RATIOS {
            // A filter on the command line may have left either out.
            if let (Some(a), Some(b)) = (self.median(ours), self.median(raw)) {
                println!("{ours:<38} {a:>10.0}   {raw:<30} {b:>10.0}   {:>5.2}", a / b);
            }
        }
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30)
        .configure_from_args();
    let samples = Samples::default();
    cells(&mut criterion, &samples);
    frames(&mut criterion, &samples);
    authenticators(&mut criterion, &samples);
    criterion.final_summary();
    samples.print();
}

fn cells(criterion: &mut Criterion, samples: &Samples) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    let key = SealKey::from_bytes(bytes);
    let fragment = Fragment { envelope: [1; 16], index: 0, count: 1, body: vec![7; FRAGMENT_LEN] };
    let sealed = cell::seal(&fragment, &key, &mut rng).unwrap();
    samples.measure(criterion, "cell seal", || cell::seal(&fragment, &key, &mut rng).unwrap());
    samples.measure(criterion, "cell open", || cell::open(&sealed, &key).unwrap());

    let raw = XChaCha20Poly1305::new(&bytes.into());
    let nonce = XNonce::from([2; 24]);
    let mut buffer = vec![7; FRAGMENT_LEN];
    let mut tag = Tag::default();
    samples.measure(criterion, "raw XChaCha20-Poly1305 seal", || {
        tag = raw.encrypt_in_place_detached(&nonce, b"", &mut buffer).unwrap();
        tag
    });
    let plain = vec![7; FRAGMENT_LEN];
    let mut sealed = plain.clone();
    let tag = raw.encrypt_in_place_detached(&nonce, b"", &mut sealed).unwrap();
    samples.measure(criterion, "raw XChaCha20-Poly1305 open", || {
        buffer.copy_from_slice(&sealed);
        raw.decrypt_in_place_detached(&nonce, b"", &mut buffer, &tag).unwrap();
    });
}

fn frames(criterion: &mut Criterion, samples: &Samples) {
    let frame = Frame {
        kind: Kind::Request,
        request: 1,
        tag: [1; TAG_LEN],
        op: vec![1; 60],
        payload: Some(vec![7; CELL_LEN]),
    };
    let bytes = frame.encode().unwrap();
    samples.measure(criterion, "frame encode", || frame.encode().unwrap());
    samples.measure(criterion, "frame decode", || Frame::decode(&bytes).unwrap());
    let cell = vec![7u8; CELL_LEN];
    samples.measure(criterion, "raw copy of a cell", || black_box(&cell).clone());
}

fn authenticators(criterion: &mut Criterion, samples: &Samples) {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let (client, epoch) = (CapabilityKey::random(&mut rng), CapabilityKey::random(&mut rng));
    let (client_pk, epoch_pk) = (client.public(), epoch.public());
    let relay = RelayId::from_bytes([3; 32]);
    let hash = operation_hash(&[1; 60], None);
    samples.measure(criterion, "authenticator, first of a capability", || {
        epoch.agree(&client_pk, &epoch_pk, &relay).session(&[4; 32]).tag(1, &hash)
    });
    let session = epoch.agree(&client_pk, &epoch_pk, &relay).session(&[4; 32]);
    samples.measure(criterion, "authenticator, session key cached", || session.tag(1, &hash));
    let payload = vec![7; CELL_LEN];
    samples.measure(criterion, "operation hash with a cell", || {
        operation_hash(&[1; 60], Some(&payload))
    });

    let secret = StaticSecret::from(*epoch.as_bytes());
    let public = PublicKey::from(client_pk);
    samples.measure(criterion, "raw X25519", || secret.diffie_hellman(&public).to_bytes());
    let raw = ChaCha20Poly1305::new(&[5; 32].into());
    samples.measure(criterion, "raw ChaCha20-Poly1305 tag", || {
        raw.encrypt_in_place_detached(&Nonce::default(), hash.as_bytes(), &mut []).unwrap()
    });
}
