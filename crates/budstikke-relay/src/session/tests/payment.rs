//! Work and tokens.

use super::*;

#[test]
fn a_challenge_pays_once_and_not_for_ever() {
    let mut bench = Bench::open(1);
    let owner = bench.key();
    let recv_pk = owner.recv_pk();
    let purpose = Purpose::Create(*recv_pk.as_bytes());
    let paid = |bench: &mut Bench, work| {
        let create = Request::Create { recv_pk, ttl_days: 1, work };
        let (_, mutation) = submitted(bench.ask(&create, Some(&owner), None));
        matches!(mutation, Mutation::Create { paid: true, .. })
    };
    let solve = |bench: &mut Bench| {
        let actions = bench.ask(&Request::Challenge, None, None);
        let Response::Seed { seed, effort, .. } = written(&actions) else { panic!("no seed") };
        work::solve(seed, &purpose, effort, 0, || true)
    };
    assert!(!paid(&mut bench, None));
    let work = solve(&mut bench);
    assert!(paid(&mut bench, work));
    assert!(!paid(&mut bench, work), "good once");
    let mut forged = solve(&mut bench);
    if let Some(work) = &mut forged {
        work.solution[0] ^= 1;
    }
    assert!(!paid(&mut bench, forged));
    // The oldest is forgotten when there are too many; none is good for ever.
    let first = solve(&mut bench);
    for _ in 0..MAX_OPEN_CHALLENGES {
        bench.ask(&Request::Challenge, None, None);
    }
    assert_eq!(bench.session.challenges.open.len(), MAX_OPEN_CHALLENGES);
    assert!(!paid(&mut bench, first));
    let late = solve(&mut bench);
    let seed = late.unwrap().seed;
    assert!(bench.session.challenges.take(NOW + CHALLENGE_S + 1, seed).is_none());
}

#[test]
fn a_challenge_is_answered_at_the_price_that_it_named() {
    let mut bench = Bench::open(1);
    let owner = bench.key();
    let recv_pk = owner.recv_pk();
    let purpose = Purpose::Create(*recv_pk.as_bytes());
    let challenge = |bench: &mut Bench| {
        let actions = bench.ask(&Request::Challenge, None, None);
        let Response::Seed { seed, effort, .. } = written(&actions) else { panic!("no seed") };
        (seed, effort)
    };
    let paid = |bench: &mut Bench, work| {
        let create = Request::Create { recv_pk, ttl_days: 1, work };
        let (_, mutation) = submitted(bench.ask(&create, Some(&owner), None));
        matches!(mutation, Mutation::Create { paid: true, .. })
    };
    let (cheap, effort) = challenge(&mut bench);
    assert_eq!(effort, 1);
    // The load rises: work for the old price pays with its own challenge and no other.
    let prices = Arc::clone(&bench.session.prices);
    (0..6).for_each(|_| prices.look(2_000));
    let (dear, effort) = challenge(&mut bench);
    assert_eq!(effort, 64);
    assert!(paid(&mut bench, work::solve(cheap, &purpose, 1, 0, || true)));
    let too_little = (0..10_000)
        .filter_map(|nonce| work::solve(dear, &purpose, 1, nonce, || true))
        .find(|work| !work::verify(work, &purpose, 64));
    assert!(too_little.is_some() && !paid(&mut bench, too_little));
    let (dear, effort) = challenge(&mut bench);
    assert!(paid(&mut bench, work::solve(dear, &purpose, effort, 0, || true)));
    // Two were paid in this look, where one is comfortable.
    prices.look(0);
    assert_eq!(prices.efforts().create, 64);
    (0..40).for_each(|_| prices.look(0));
    assert_eq!(challenge(&mut bench).1, 1);
}

#[test]
fn a_token_pays_where_it_is_taken_and_is_genuine() {
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    let issuer = IssuerKey::generate(2_048, rng).unwrap();
    let key = issuer.public().unwrap();
    let relay = *identity().relay_id();
    let mut token = |relay| {
        let blinding = key.blind(relay, rng).unwrap();
        blinding.finish(&issuer.sign(blinding.request(), rng).unwrap()).unwrap()
    };
    let good = token(relay);
    let elsewhere = token(RelayId::from_bytes([5; 32]));
    let forged = Token { nonce: [1; 32], ..good.clone() };
    let keys = |expires_s| {
        let dated = DatedKey { key: key.clone(), expires_s };
        TokenKeys::new(relay, vec![dated], 0).unwrap()
    };
    let opened = |price, keys| {
        let mut bench = Bench::with(1, price, keys);
        bench.ask(&Request::Open, None, None);
        bench
    };
    let owner = CapabilityKey::from_bytes([9; 32]);
    let recv_pk = owner.recv_pk();
    let spend = |bench: &mut Bench, token: &Token| {
        let create = Request::CreateByToken { recv_pk, ttl_days: 99, token: token.clone() };
        submitted(bench.ask(&create, Some(&owner), None)).1
    };
    let unpaid = |mutation| matches!(mutation, Mutation::Create { paid: false, .. });
    for price in [MailboxPrice::Token, MailboxPrice::Either] {
        let mut bench = opened(price, keys(NOW));
        let Mutation::ByToken { token, change } = spend(&mut bench, &good) else {
            panic!("not taken")
        };
        assert!(matches!(*change, Mutation::Create { ttl_days: 30, .. }));
        assert_eq!(token.id, good.spent_id());
        assert_eq!(i64::from(token.last_day), NOW.div_euclid(86_400));
        assert!(unpaid(spend(&mut bench, &elsewhere)));
        assert!(unpaid(spend(&mut bench, &forged)));
        // Nothing is said before the tag.
        let create = Request::CreateByToken { recv_pk, ttl_days: 1, token: good.clone() };
        let stranger = CapabilityKey::from_bytes([8; 32]);
        assert!(refused(&bench.ask(&create, Some(&stranger), None)));
    }
    assert!(
        unpaid(spend(&mut opened(MailboxPrice::Token, keys(NOW - 1)), &good)),
        "its time is over"
    );
    assert!(unpaid(spend(&mut opened(MailboxPrice::Work, keys(NOW)), &good)));
    assert!(unpaid(spend(&mut opened(MailboxPrice::Token, TokenKeys::none(relay)), &good)));
    // Work pays where the price is either, and not where it is a token.
    for (price, paid) in [(MailboxPrice::Token, false), (MailboxPrice::Either, true)] {
        let mut bench = opened(price, keys(NOW));
        let actions = bench.ask(&Request::Challenge, None, None);
        let Response::Seed { seed, effort, .. } = written(&actions) else { panic!("no seed") };
        let purpose = Purpose::Create(*recv_pk.as_bytes());
        let work = work::solve(seed, &purpose, effort, 0, || true);
        let create = Request::Create { recv_pk, ttl_days: 1, work };
        let (_, mutation) = submitted(bench.ask(&create, Some(&owner), None));
        assert!(matches!(mutation, Mutation::Create { paid: found, .. } if found == paid));
    }
}

/// A relay that takes tokens, and a few of them.
fn with_tokens(price: MailboxPrice) -> (Bench, Vec<Token>) {
    let rng = &mut ChaCha20Rng::seed_from_u64(2);
    let issuer = IssuerKey::generate(2_048, rng).unwrap();
    let key = issuer.public().unwrap();
    let relay = *identity().relay_id();
    let tokens = (0..3).map(|_| {
        let blinding = key.blind(relay, rng).unwrap();
        blinding.finish(&issuer.sign(blinding.request(), rng).unwrap()).unwrap()
    });
    let tokens = tokens.collect();
    let keys = TokenKeys::new(relay, vec![DatedKey { key, expires_s: NOW }], 0).unwrap();
    let mut bench = Bench::with(1, price, keys);
    bench.ask(&Request::Open, None, None);
    (bench, tokens)
}

/// Presents a token; `spent` is what the store says.
fn present(bench: &mut Bench, token: &Token, spent: Option<[u8; 32]>) -> Vec<Action> {
    let actions = bench.ask(&Request::ChallengeByToken { token: token.clone() }, None, None);
    if let [Action::Lookup(Capability::Spent(id))] = actions[..] {
        assert_eq!(id, token.spent_id());
        return bench.input(Input::Key(Ok(spent)));
    }
    actions
}

/// The seed that a token stands for, as a solution.
fn paid_seed(actions: &[Action]) -> work::Solution {
    let Response::Seed { seed, effort: 0, front_door_effort: 0 } = written(actions) else {
        panic!("no seed that is paid")
    };
    work::Solution { seed, nonce: 0, solution: [0; 16] }
}

#[test]
fn a_seed_that_a_token_stands_for_pays_once_and_in_one_place() {
    let (mut bench, tokens) = with_tokens(MailboxPrice::Either);
    let work = Some(paid_seed(&present(&mut bench, &tokens[0], None)));
    // It stands for one seed at a time, of all sessions; what was spent or is forged stands for none.
    assert_eq!(code(&present(&mut bench, &tokens[0], None)), ErrorCode::Busy);
    assert_eq!(code(&present(&mut bench, &tokens[1], Some([1; 32]))), ErrorCode::WorkRequired);
    let forged = Token { nonce: [1; 32], ..tokens[1].clone() };
    assert_eq!(code(&present(&mut bench, &forged, None)), ErrorCode::WorkRequired);
    let door = CapabilityKey::from_bytes([6; 32]);
    let (send_id, msg_id) = (SendId::from_bytes([1; 32]), MsgId::from_bytes([1; 16]));
    let send = Request::Send { send_id, msg_id, work };
    // Who has not the grant's key uses nothing up.
    bench.ask(&send, None, Some(vec![1; CELL_LEN]));
    assert!(refused(&bench.input(Input::Key(Ok(Some(door.public()))))));
    bench.ask(&send, Some(&door), Some(vec![1; CELL_LEN]));
    let actions = bench.input(Input::Key(Ok(Some(door.public()))));
    let (ticket, mutation) = submitted(actions);
    let Mutation::ByToken { token, change } = mutation else { panic!("not by token") };
    assert_eq!(token.id, tokens[0].spent_id());
    assert!(matches!(*change, Mutation::Append { paid: false, .. }));
    // Until it is stored the token is under way; a second use of the seed pays nothing.
    assert_eq!(code(&present(&mut bench, &tokens[0], None)), ErrorCode::Busy);
    let (_, mutation) = submitted(bench.ask(&send, Some(&door), Some(vec![1; CELL_LEN])));
    assert!(matches!(mutation, Mutation::Append { paid: false, .. }));
    bench.input(Input::Stored(ticket, Ok(Outcome::Done)));
    assert_eq!(bench.session.epoch.tokens.tenders(), 0);
    // Seeds that are pushed out give their tokens back.
    paid_seed(&present(&mut bench, &tokens[2], None));
    (0..MAX_OPEN_CHALLENGES).for_each(|_| drop(bench.ask(&Request::Challenge, None, None)));
    assert_eq!(bench.session.epoch.tokens.tenders(), 0);
    let (mut bench, tokens) = with_tokens(MailboxPrice::Work);
    assert_eq!(code(&present(&mut bench, &tokens[0], None)), ErrorCode::WorkRequired);
}

#[test]
fn a_blob_costs_a_token_where_a_mailbox_does() {
    let key = CapabilityKey::from_bytes([7; 32]);
    for (price, work_pays) in [(MailboxPrice::Token, false), (MailboxPrice::Either, true)] {
        let (mut bench, tokens) = with_tokens(price);
        let put = |bench: &mut Bench, work| {
            let mut frames = blobs::blob_frames(bench, &key, |_| {});
            let Ok(Request::BlobPut { head, .. }) = Request::decode(&frames[0].op) else {
                panic!("no blob")
            };
            bench.request -= 1;
            let first = Request::BlobPut { head, index: 0, work };
            frames[0] = bench.frame(&first, Some(&key), frames[0].payload.clone());
            frames.iter().map(|frame| bench.feed(frame)).last().unwrap()
        };
        assert_eq!(code(&put(&mut bench, None)), ErrorCode::WorkRequired);
        let work = Some(paid_seed(&present(&mut bench, &tokens[0], None)));
        let (ticket, mutation) = submitted(put(&mut bench, work));
        let Mutation::ByToken { change, .. } = mutation else { panic!("not by token") };
        assert!(matches!(*change, Mutation::BlobPut { paid: false, .. }));
        // Spent elsewhere meanwhile: the store says so.
        let unpaid = bench.input(Input::Stored(ticket, Ok(Outcome::Unpaid)));
        assert_eq!(code(&unpaid), ErrorCode::WorkRequired);
        let actions = bench.ask(&Request::Challenge, None, None);
        let Response::Seed { seed, effort, .. } = written(&actions) else { panic!("no seed") };
        let fetch_pk = CapabilityKey::from_bytes([8; 32]).fetch_pk();
        let purpose = Purpose::Blob(*fetch_pk.as_bytes());
        let actions = put(&mut bench, work::solve(seed, &purpose, effort, 0, || true));
        assert_eq!(matches!(actions[..], [Action::Submit(..)]), work_pays);
    }
}
