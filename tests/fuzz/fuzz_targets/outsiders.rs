//! What strangers and other members send behind the envelope: first contacts, routes, intake bundles, key packages,
//! MLS messages, asks. Nothing that nobody signed or sealed is believed, and a group stays as it is.
#![no_main]

use budstikke_e2ee::bundle::IntakeBundle;
use budstikke_e2ee::contact::{FirstContact, Route};
use budstikke_e2ee::group::{Ask, Charter, Group, GroupKind, Identity, Inbound, KeyPackage};
use budstikke_e2ee::invite::Invitation;
use budstikke_e2ee::keys::SigningKey;
use budstikke_e2ee::testing::MemoryStore;
use budstikke_e2ee::{Env, Suite};
use libfuzzer_sys::fuzz_target;
use rand_core::OsRng;
use std::cell::RefCell;

const NOW: i64 = 1_793_868_000;

struct Ground {
    suite: Suite,
    store: MemoryStore,
    group: Group,
    invitation: Invitation,
}

thread_local! {
    static GROUND: RefCell<Ground> = RefCell::new({
        let (suite, store) = (Suite::new(&mut OsRng), MemoryStore::new());
        let env = Env { suite: &suite, store: &store, now: NOW };
        let me = Identity::defender(SigningKey::from_bytes(&[1; 32]), "REED").unwrap();
        let (root, case_id) = ([1; 32], vec![1; 16]);
        let kind = GroupKind::Case;
        let charter = Charter { kind, root, units: vec!["no.emb.x".into()], case_id, terms: None };
        let group = Group::create(&env, &me, &charter).unwrap();
        let invitation = Invitation {
            root,
            unit_id: "no.emb.x".into(),
            notice: SigningKey::from_bytes(&[2; 32]).public(),
            send_id: [3; 32],
            send_secret: [4; 32].into(),
            relays: vec!["bud://x".into()],
        };
        Ground { suite, store, group, invitation }
    });
}

fuzz_target!(|data: &[u8]| {
    if let Ok(route) = Route::from_bytes(data) {
        assert!(*Route::from_bytes(&route.to_bytes()).unwrap().to_bytes() == *route.to_bytes());
    }
    GROUND.with_borrow_mut(|ground| {
        let Ground { suite, store, group, invitation } = ground;
        let env = Env { suite, store, now: NOW };
        assert!(FirstContact::open(suite, data, &[]).is_err());
        assert!(IntakeBundle::verify(suite, data, invitation, NOW).is_err());
        // What parses and is signed may be a key package; nobody asks who made it.
        let _ = KeyPackage::parse(&env, data);
        assert!(Ask::verify(&env, data, group).is_err());
        let epoch = group.epoch();
        // Refused with the number of a check, or not even read.
        let taken = group.process(&env, data, None);
        assert!(matches!(taken, Err(_) | Ok(Inbound::Rejected(_))));
        assert_eq!(group.epoch(), epoch);
    });
});
