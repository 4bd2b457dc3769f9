//! What an officer leaves in reserve, in case they are gone one day without handing over (SPEC.md section 11.5).
//!
//! A device seals it to a key pair of its own, whose seed it then splits among three holders in the Ministry: any two
//! together have it, none alone learns a bit of it. It is replicated secret sharing (Ito, Saito and Nishizeki 1987) for
//! two of three: for each pair of holders a random string to the one, its exclusive or with the seed to the other. The
//! sealed reserve itself stays with the team, so two holders without the team, and the team without two holders, open
//! nothing.

use std::fmt;

use prost::Message as _;
use rand_core::{CryptoRng, RngCore};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    cert::{CertError, Chain, Role, VerifiedDevice, valid_name},
    keys::{Fingerprint, HpkePublic, HpkeSecret, KeyError, SigningKey, VerifyingKey, hash},
    note, pb, signed,
    suite::{HpkeError, Suite},
};

/// Holders that a directory names, if it names any.
pub const HOLDERS: usize = 3;
/// Most bytes of a reason.
pub const MAX_REASON: usize = 500;
/// The holders of each pair: the first has a random string, the second what makes the seed of it.
const PAIRS: [(usize, usize); 3] = [(0, 1), (0, 2), (1, 2)];
const DOMAIN: &str = "reserve-ask";
const SHARE: &str = "reserve-share";
const ANSWER: &str = "reserve-answer";
const XWING_PUBLIC_LEN: usize = 1_216;
/// Answers that are looked at, false ones included.
const MAX_ANSWERS: usize = 6;
/// How long an ask holds, and how far its sender's clock may run ahead, in seconds: 28 days and a day.
const ASK_LIFETIME: i64 = 28 * 86_400;
const ASK_AHEAD: i64 = 86_400;

type Half = Zeroizing<[u8; 32]>;

/// Somebody in the Ministry who keeps one of the three keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// For people.
    pub name: String,
    /// X-Wing, 1,216 bytes; [`HpkePublic::from_bytes`] checks it before it is used.
    pub key: Vec<u8>,
}

/// A head of mission asks the holders for a colleague's reserve.
#[derive(Clone, PartialEq, Eq)]
pub struct Ask {
    /// Key of the colleague's device.
    pub device: VerifyingKey,
    /// The colleague, for people.
    pub name: String,
    /// Why nothing was handed over; at most [`MAX_REASON`] bytes.
    pub reason: String,
    /// The shares of that device's seed, in the directory's order of holders.
    pub shares: Vec<Vec<u8>>,
    /// Where the answers are sealed to, an X-Wing public key.
    pub answer_key: Vec<u8>,
    /// Unix seconds.
    pub made_at: i64,
}

/// An ask that verified.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedAsk {
    /// What is asked.
    pub ask: Ask,
    /// Who asks.
    pub by: VerifiedDevice,
    /// What the answers name.
    pub hash: [u8; 32],
}

/// Something about a reserve that can't be made or taken.
#[derive(Debug, Error, PartialEq, Eq, Clone)]
#[non_exhaustive]
pub enum ReserveError {
    /// Not of a known form, or incomplete.
    #[error("this is no request to holders, no answer of theirs, or of a later version")]
    Malformed,
    /// The asking device's certificates fail.
    #[error("the certificates of who asks do not hold: {0}")]
    Certificate(#[from] CertError),
    /// The signature is false.
    #[error("the signature of the request is false: it is not from who it says")]
    Forged,
    /// A device without that role.
    #[error("only a head of mission may ask the holders")]
    NotHead,
    /// Made longer than 28 days ago, or dated more than a day ahead.
    #[error("the request is too old, or from the future: ask for a new one")]
    Late,
    /// The share is another device's, or another unit's.
    #[error("what is asked for belongs to another mission, or to another colleague than is named")]
    AnotherDevice,
    /// None of the three is for this key.
    #[error("none of the shares is for this holder: another directory named other holders")]
    NotAHolder,
    /// Fewer than two holders have answered.
    #[error(
        "the answers of two different holders are needed; an answer to another request does not count"
    )]
    TooFew,
    /// A key fails.
    #[error(transparent)]
    Hpke(#[from] HpkeError),
}

impl From<KeyError> for ReserveError {
    fn from(_: KeyError) -> Self {
        Self::Malformed
    }
}

impl Holder {
    /// The text's bytes that a holder gives the issuer.
    pub fn to_card(&self) -> Vec<u8> {
        pb::HolderCard { version: 1, name: self.name.clone(), key: self.key.clone() }
            .encode_to_vec()
    }

    /// Reads a holder's card. Who it is from, its bearer vouches for.
    ///
    /// # Errors
    /// [`ReserveError::Malformed`].
    pub fn from_card(suite: &Suite, bytes: &[u8]) -> Result<Self, ReserveError> {
        let card = pb::HolderCard::decode(bytes).map_err(|_| ReserveError::Malformed)?;
        let holder = Self::of(pb::Holder { name: card.name, key: card.key });
        let holder = holder.filter(|_| card.version == 1).ok_or(ReserveError::Malformed)?;
        HpkePublic::from_bytes(suite, &holder.key)?;
        Ok(holder)
    }

    /// To compare over another way: of its key.
    pub fn fingerprint(&self) -> Fingerprint {
        hash("holder", &[&self.key])
    }

    pub(crate) fn of(pb: pb::Holder) -> Option<Self> {
        let sound = valid_name(&pb.name) && pb.key.len() == XWING_PUBLIC_LEN;
        sound.then_some(Self { name: pb.name, key: pb.key })
    }

    pub(crate) fn to_pb(&self) -> pb::Holder {
        pb::Holder { name: self.name.clone(), key: self.key.clone() }
    }
}

/// Splits the seed of a device's reserve key among the holders: one sealed share for each.
///
/// # Errors
/// [`ReserveError::Malformed`] for other than [`HOLDERS`] holders or a holder's malformed key.
pub fn split(
    suite: &Suite,
    rng: &mut (impl RngCore + CryptoRng),
    device: &VerifyingKey,
    unit_id: &str,
    seed: &[u8; 32],
    holders: &[Holder],
) -> Result<Vec<Vec<u8>>, ReserveError> {
    if holders.len() != HOLDERS {
        return Err(ReserveError::Malformed);
    }
    let mut halves: Vec<Vec<pb::ReserveHalf>> = vec![Vec::new(); HOLDERS];
    for (pair, (first, second)) in (0..).zip(PAIRS) {
        let mut random = Zeroizing::new([0; 32]);
        rng.fill_bytes(random.as_mut_slice());
        for (holder, half) in [(first, random.clone()), (second, xor(&random, seed))] {
            if let Some(of) = halves.get_mut(holder) {
                of.push(pb::ReserveHalf { pair, half: half.to_vec() });
            }
        }
    }
    let seal = |(holder, halves): (&Holder, Vec<pb::ReserveHalf>)| {
        let public = HpkePublic::from_bytes(suite, &holder.key)?;
        let share = pb::ReserveShare {
            version: 1,
            device_key: device.as_bytes().to_vec(),
            unit_id: unit_id.to_owned(),
            halves,
        };
        Ok(note::seal(suite, &public, SHARE, &Zeroizing::new(share.encode_to_vec()))?)
    };
    holders.iter().zip(halves).map(seal).collect()
}

impl Ask {
    /// Signs it with the device key that `chain` certifies.
    pub fn sign(&self, key: &SigningKey, chain: &Chain) -> Vec<u8> {
        let body = pb::ReserveAskBody {
            version: 1,
            device_key: self.device.as_bytes().to_vec(),
            name: self.name.clone(),
            reason: self.reason.clone(),
            shares: self.shares.clone(),
            answer_key: self.answer_key.clone(),
            chain: chain.to_bytes(),
            made_at: self.made_at,
        };
        signed::seal(DOMAIN, key, body.encode_to_vec())
    }

    /// Verifies an ask under a holder's root. Whether the certificate was revoked since only a directory tells.
    ///
    /// # Errors
    /// [`ReserveError`].
    pub fn verify(bytes: &[u8], root: &Fingerprint, now: i64) -> Result<VerifiedAsk, ReserveError> {
        let signed = signed::parse(bytes).ok_or(ReserveError::Malformed)?;
        let body = pb::ReserveAskBody::decode(signed.body.as_slice())
            .map_err(|_| ReserveError::Malformed)?;
        let by = Chain::from_bytes(&body.chain)?.verify_device(root, now)?;
        signed::check(DOMAIN, &by.key, &signed).map_err(|_| ReserveError::Forged)?;
        let sound = body.version == 1
            && valid_name(&body.name)
            && body.reason.len() <= MAX_REASON
            && !body.reason.chars().any(|c| c.is_control() && c != '\n')
            && body.shares.len() == HOLDERS
            && body.answer_key.len() == XWING_PUBLIC_LEN;
        if !sound {
            return Err(ReserveError::Malformed);
        }
        if !by.has(Role::HeadOfMission) {
            return Err(ReserveError::NotHead);
        }
        if !(-ASK_AHEAD..ASK_LIFETIME).contains(&now.saturating_sub(body.made_at)) {
            return Err(ReserveError::Late);
        }
        let ask = Self {
            device: VerifyingKey::from_bytes(&body.device_key)?,
            name: body.name,
            reason: body.reason,
            shares: body.shares,
            answer_key: body.answer_key,
            made_at: body.made_at,
        };
        Ok(VerifiedAsk { ask, by, hash: hash(DOMAIN, &[&signed.body]) })
    }
}

impl VerifiedAsk {
    /// A holder's answer: its halves, sealed to who asks.
    ///
    /// # Errors
    /// [`ReserveError::NotAHolder`], [`ReserveError::AnotherDevice`], [`ReserveError::Malformed`].
    pub fn answer(&self, suite: &Suite, holder: &HpkeSecret) -> Result<Vec<u8>, ReserveError> {
        let mine = (0..).zip(&self.ask.shares).find_map(|(number, share)| {
            note::open(suite, holder, SHARE, share).ok().map(|plain| (number, plain))
        });
        let (number, plain) = mine.ok_or(ReserveError::NotAHolder)?;
        let share =
            pb::ReserveShare::decode(plain.as_slice()).map_err(|_| ReserveError::Malformed)?;
        if share.version != 1 {
            return Err(ReserveError::Malformed);
        }
        // A share says whose it is: who asks can't put another mission's in its place.
        if share.device_key != self.ask.device.as_bytes() || share.unit_id != self.by.unit.id {
            return Err(ReserveError::AnotherDevice);
        }
        let answer = pb::ReserveAnswer {
            version: 1,
            ask: self.hash.to_vec(),
            holder: number,
            halves: share.halves,
        };
        let to = HpkePublic::from_bytes(suite, &self.ask.answer_key)?;
        Ok(note::seal(suite, &to, ANSWER, &Zeroizing::new(answer.encode_to_vec()))?)
    }
}

/// Who answered, in the directory's order, and the reserve's key pair.
pub struct Joined {
    /// Numbers of the two holders, from 0.
    pub holders: [usize; 2],
    /// Opens the reserve.
    pub secret: HpkeSecret,
}

/// Joins the answers of two holders to the ask with this hash. `public`: the reserve key that the device has named.
///
/// # Errors
/// [`ReserveError::TooFew`]; [`ReserveError::Malformed`] if what two holders gave does not make that key.
pub fn join(
    suite: &Suite,
    answer_secret: &HpkeSecret,
    ask: &[u8; 32],
    answers: &[Vec<u8>],
    public: &[u8],
) -> Result<Joined, ReserveError> {
    let mut known: Vec<(usize, u32, Half)> = Vec::new();
    for answer in answers.iter().take(MAX_ANSWERS) {
        let Ok(plain) = note::open(suite, answer_secret, ANSWER, answer) else { continue };
        let Ok(answer) = pb::ReserveAnswer::decode(plain.as_slice()) else { continue };
        if answer.version != 1 || answer.ask != ask {
            continue;
        }
        let holder = usize::try_from(answer.holder).unwrap_or(usize::MAX);
        for half in answer.halves.iter().take(PAIRS.len()) {
            if let Some(bytes) = signed::fixed(&half.half) {
                known.push((holder, half.pair, Zeroizing::new(bytes)));
            }
        }
    }
    let halves = |holder: usize, pair: u32| {
        known
            .iter()
            .filter(move |(of, at, _)| *of == holder && *at == pair)
            .map(|(_, _, half)| half)
    };
    // Whoever lies stands beside those who do not: every two halves are tried.
    let mut found = false;
    for (pair, (first, second)) in (0..).zip(PAIRS) {
        for one in halves(first, pair) {
            for other in halves(second, pair) {
                found = true;
                let secret = HpkeSecret::from_seed(suite, &xor(one, other))?;
                if secret.public().as_bytes() == public {
                    return Ok(Joined { holders: [first, second], secret });
                }
            }
        }
    }
    Err(if found { ReserveError::Malformed } else { ReserveError::TooFew })
}

fn xor(a: &[u8; 32], b: &[u8; 32]) -> Half {
    let mut out = Zeroizing::new(*a);
    out.iter_mut().zip(b).for_each(|(out, b)| *out ^= b);
    out
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ask")
    }
}

impl fmt::Debug for VerifiedAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifiedAsk")
    }
}

impl fmt::Debug for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Joined")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::tests::common::{Device, UNIT, World};
    use proptest::prelude::*;

    struct Scene {
        world: World,
        head: Device,
        leaver: Device,
        seed: HpkeSecret,
        answers: HpkeSecret,
        holders: Vec<HpkeSecret>,
        shares: Vec<Vec<u8>>,
    }

    fn scene() -> Scene {
        let world = World::new();
        let head = world.device("Officer H", &[Role::HeadOfMission]);
        let leaver = world.officer("Officer A");
        let pair = || HpkeSecret::generate(&world.suite, &mut *world.rng.borrow_mut()).unwrap();
        let (seed, answers) = (pair(), pair());
        let holders: Vec<_> = (0..HOLDERS).map(|_| pair()).collect();
        let shares = shares(&world, &leaver, UNIT, &seed, &holders);
        Scene { world, head, leaver, seed, answers, holders, shares }
    }

    fn shares(
        world: &World,
        of: &Device,
        unit: &str,
        seed: &HpkeSecret,
        holders: &[HpkeSecret],
    ) -> Vec<Vec<u8>> {
        let holder = |secret: &HpkeSecret| Holder {
            name: "Holder".into(),
            key: secret.public().as_bytes().to_vec(),
        };
        let named: Vec<_> = holders.iter().map(holder).collect();
        let rng = &mut *world.rng.borrow_mut();
        split(&world.suite, rng, &of.me.key(), unit, seed.seed(), &named).unwrap()
    }

    impl Scene {
        fn ask(&self, change: impl FnOnce(&mut Ask)) -> Result<VerifiedAsk, ReserveError> {
            self.ask_by(&self.head, change)
        }

        fn ask_by(
            &self,
            by: &Device,
            change: impl FnOnce(&mut Ask),
        ) -> Result<VerifiedAsk, ReserveError> {
            let mut ask = Ask {
                device: self.leaver.me.key(),
                name: "Officer A".into(),
                reason: "ill since Monday".into(),
                shares: self.shares.clone(),
                answer_key: self.answers.public().as_bytes().to_vec(),
                made_at: self.world.now,
            };
            change(&mut ask);
            let bytes = ask.sign(by.me.signing_key(), by.chain.as_ref().unwrap());
            Ask::verify(&bytes, &self.world.fingerprint(), self.world.now)
        }

        fn join(&self, ask: &VerifiedAsk, answers: &[Vec<u8>]) -> Result<Joined, ReserveError> {
            let public = self.seed.public().as_bytes();
            join(&self.world.suite, &self.answers, &ask.hash, answers, public)
        }
    }

    #[test]
    fn any_two_holders_have_the_seed_and_none_alone() {
        let s = scene();
        let ask = s.ask(|_| {}).unwrap();
        let answer = |holder: &HpkeSecret| ask.answer(&s.world.suite, holder).unwrap();
        let given: Vec<_> = s.holders.iter().map(answer).collect();
        for (first, second) in PAIRS {
            let two = [given[second].clone(), given[first].clone()];
            let joined = s.join(&ask, &two).unwrap();
            assert_eq!(joined.holders, [first, second]);
            assert_eq!(joined.secret.seed(), s.seed.seed());
        }
        for one in &given {
            let twice = [one.clone(), one.clone()];
            assert_eq!(s.join(&ask, &twice).err(), Some(ReserveError::TooFew));
        }
        // What a holder has opened is not the seed, nor a part of it.
        for (holder, share) in s.holders.iter().zip(&s.shares) {
            let plain = note::open(&s.world.suite, holder, SHARE, share).unwrap();
            assert!(plain.windows(8).all(|part| !s.seed.seed().windows(8).any(|of| of == part)));
        }
    }

    #[test]
    fn a_holder_that_lies_is_outvoted_by_two_that_do_not() {
        let s = scene();
        let ask = s.ask(|_| {}).unwrap();
        let mut given: Vec<_> =
            s.holders.iter().map(|of| ask.answer(&s.world.suite, of).unwrap()).collect();
        let lie = pb::ReserveAnswer {
            version: 1,
            ask: ask.hash.to_vec(),
            holder: 0,
            halves: (0..2).map(|pair| pb::ReserveHalf { pair, half: vec![9; 32] }).collect(),
        };
        let to = s.answers.public();
        given[0] = note::seal(&s.world.suite, to, ANSWER, &lie.encode_to_vec()).unwrap();
        assert_eq!(s.join(&ask, &given).unwrap().holders, [1, 2]);
        assert_eq!(s.join(&ask, &given[..2]).err(), Some(ReserveError::Malformed));
        // Nor does it help to speak under the others' numbers, first, or in halves of another length.
        for (number, len) in [(1, 32), (2, 32), (1, 31)] {
            let lie = pb::ReserveAnswer {
                holder: number,
                halves: (0..3).map(|pair| pb::ReserveHalf { pair, half: vec![9; len] }).collect(),
                ..lie.clone()
            };
            given[0] = note::seal(&s.world.suite, to, ANSWER, &lie.encode_to_vec()).unwrap();
            assert_eq!(s.join(&ask, &given).unwrap().holders, [1, 2]);
        }
    }

    #[test]
    fn nobody_but_the_head_of_that_mission_is_answered() {
        let s = scene();
        let suite = &s.world.suite;
        assert_eq!(s.ask_by(&s.leaver, |_| {}).err(), Some(ReserveError::NotHead));
        let refused = |ask: VerifiedAsk| ask.answer(suite, &s.holders[0]).err();
        // The head of this mission with the shares of a colleague of another one, or of this one under another name.
        let foreign = shares(&s.world, &s.leaver, "no.emb.arrania", &s.seed, &s.holders);
        let ask = s.ask(|ask| ask.shares = foreign).unwrap();
        assert_eq!(refused(ask), Some(ReserveError::AnotherDevice));
        let other = s.world.officer("Officer B").me.key();
        let ask = s.ask(|ask| ask.device = other).unwrap();
        assert_eq!(refused(ask), Some(ReserveError::AnotherDevice));
        let ask = s.ask(|_| {}).unwrap();
        assert_eq!(ask.answer(suite, &s.answers).err(), Some(ReserveError::NotAHolder));
        // An answer counts for the ask that it answers.
        let later = s.ask(|ask| ask.made_at += 1).unwrap();
        let given: Vec<_> = s.holders.iter().map(|of| ask.answer(suite, of).unwrap()).collect();
        assert_eq!(s.join(&later, &given).err(), Some(ReserveError::TooFew));
        let malformed = [
            s.ask(|ask| ask.reason = "x".repeat(MAX_REASON + 1)).err(),
            s.ask(|ask| ask.name.clear()).err(),
            s.ask(|ask| drop(ask.shares.pop())).err(),
            s.ask(|ask| ask.answer_key.truncate(9)).err(),
        ];
        assert!(malformed.iter().all(|error| *error == Some(ReserveError::Malformed)));
        for late in [-29 * 86_400, 2 * 86_400] {
            let ask = s.ask(|ask| ask.made_at += late);
            assert_eq!(ask.err(), Some(ReserveError::Late));
        }
        let another = World::seeded(8);
        let bytes = Ask {
            device: s.leaver.me.key(),
            name: "Officer A".into(),
            reason: String::new(),
            shares: s.shares.clone(),
            answer_key: s.answers.public().as_bytes().to_vec(),
            made_at: s.world.now,
        }
        .sign(&another.key(), s.head.chain.as_ref().unwrap());
        let forged = Ask::verify(&bytes, &s.world.fingerprint(), s.world.now);
        assert_eq!(forged.err(), Some(ReserveError::Forged));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_bytes_are_no_ask_no_card_and_no_answer(
            bytes in proptest::collection::vec(any::<u8>(), 0..1_400),
        ) {
            let s = scene();
            let root = s.world.fingerprint();
            prop_assert!(Ask::verify(&bytes, &root, s.world.now).is_err());
            prop_assert!(Holder::from_card(&s.world.suite, &bytes).is_err());
            let ask = s.ask(|_| {}).unwrap();
            prop_assert!(s.join(&ask, &[bytes.clone(), bytes.clone()]).is_err());
            let sealed = note::seal(&s.world.suite, s.answers.public(), ANSWER, &bytes).unwrap();
            prop_assert!(s.join(&ask, &[sealed.clone(), sealed]).is_err());
        }
    }
}
