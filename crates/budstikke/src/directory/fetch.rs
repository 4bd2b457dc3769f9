//! Fetching the directory: everybody alike, at the first sync after 00:00 and after 12:00 UTC, over a connection of its
//! own.

use budstikke_e2ee::cert::Chain;
use budstikke_e2ee::directory::Standing;
use budstikke_e2ee::keys::Fingerprint;
use budstikke_proto::id::NoticeId;

use super::{places, relay, take, trust};
use crate::client::{Client, Work};
use crate::error::Error;
use crate::records::{self, Device, DirectoryClock, SELF};
use crate::relay::RelayError;
use crate::sync::SyncReport;

const HALF_DAY_S: i64 = 43_200;
/// After a relay that did not answer, the next is asked no sooner.
const RETRY_S: i64 = 600;
/// How far the system's clock may be behind the newest directory.
const BEHIND_S: i64 = 3_600;
/// How far it may be ahead: directories are renewed every day.
const AHEAD_S: i64 = 365 * 86_400;
/// Notices and relays asked for one root.
const MAX_IDS: usize = 4;
const MAX_RELAYS: usize = 8;

/// The directory of one root, to be fetched.
struct Ask {
    root: Fingerprint,
    ids: Vec<NoticeId>,
    relays: Vec<String>,
}

impl Client {
    /// Fetches the directories whose half day has come, and says what is wrong with the time or with them.
    pub(crate) async fn look_at_directories(&self, report: &mut SyncReport) -> Result<(), Error> {
        if self.may_ask_directories() {
            let mut all = true;
            for ask in self.vault(due).await? {
                all &= self.fetch_directory(ask, report).await?;
            }
            let next = if all { next_half_day(self.now()) } else { self.now() + RETRY_S };
            self.ask_directories_at(next);
        }
        let system = self.system_now();
        let warnings = self.vault(move |work| warnings(work, system)).await?;
        report.warnings.extend(warnings);
        Ok(())
    }

    /// The same for one root alone, from the relays of an invitation that somebody looks at.
    pub(crate) async fn look_at_directory_of(
        &self,
        root: Fingerprint,
        id: [u8; 32],
        relays: &[String],
    ) -> Result<(), Error> {
        let asked = self.vault(move |work| {
            let clock = records::load::<DirectoryClock>(work.tx, &root)?;
            Ok(clock.is_some_and(|clock| clock.asked == half_day(work.now)))
        });
        if asked.await? {
            return Ok(());
        }
        let ids = vec![NoticeId::from_bytes(id)];
        let ask = Ask { root, ids, relays: relays.iter().take(MAX_RELAYS).cloned().collect() };
        // Whoever only looks is told nothing of relays that are away: they have just been asked.
        self.fetch_directory(ask, &mut SyncReport::default()).await.map(drop)
    }

    /// Whether a relay has answered, with a directory or without.
    async fn fetch_directory(&self, ask: Ask, report: &mut SyncReport) -> Result<bool, Error> {
        let Ask { root, ids, relays } = ask;
        let mut answered = false;
        for address in &relays {
            for id in &ids {
                match self.relay(address, b"directory")?.notice_get(*id).await {
                    Ok(found) => {
                        answered = true;
                        let Some(notice) = found else { continue };
                        let content = notice.content;
                        let taken = self.vault(move |work| take(work, &root, &content)).await;
                        note(report, taken)?;
                    }
                    Err(RelayError::ClientClosed) => return Ok(true),
                    Err(error) => {
                        report.problems.push(format!("the Ministry's directory: {error}"));
                        break;
                    }
                }
            }
            self.hang_up(address, b"directory").await;
        }
        if answered {
            self.vault(move |work| {
                let mut clock =
                    records::load::<DirectoryClock>(work.tx, &root)?.unwrap_or_default();
                clock.asked = half_day(work.now);
                records::save(work.tx, &root, &clock)
            })
            .await?;
        }
        Ok(answered || relays.is_empty())
    }
}

fn note(report: &mut SyncReport, taken: Result<Standing, Error>) -> Result<(), Error> {
    let said = match taken {
        Ok(Standing::Older) => {
            "a relay shows an older directory of the Ministry's than is held here; it was ignored"
                .to_owned()
        }
        Ok(_) => return Ok(()),
        Err(error) if error.is_fatal() => return Err(error),
        Err(error) => error.to_string(),
    };
    report.warnings.push(said);
    Ok(())
}

/// What is to be fetched in this half day and has not been.
fn due(work: &Work<'_>) -> Result<Vec<Ask>, Error> {
    let mut due = Vec::new();
    for (root, place) in places(work)? {
        let clock = records::load::<DirectoryClock>(work.tx, &root)?.unwrap_or_default();
        if place.ids.is_empty() || clock.asked == half_day(work.now) {
            continue;
        }
        let mut relays: Vec<String> = place.relays.into_iter().collect();
        relays.retain(|address| relay(work, address).is_ok());
        relays.truncate(MAX_RELAYS);
        let ids = place.ids.iter().take(MAX_IDS).map(|id| NoticeId::from_bytes(*id.as_bytes()));
        due.push(Ask { root, ids: ids.collect(), relays });
    }
    Ok(due)
}

fn half_day(now: i64) -> i64 {
    now.div_euclid(HALF_DAY_S)
}

fn next_half_day(now: i64) -> i64 {
    half_day(now).saturating_add(1).saturating_mul(HALF_DAY_S)
}

/// What a person should know of the time and of what is held.
fn warnings(work: &Work<'_>, system: i64) -> Result<Vec<String>, Error> {
    let mut warnings = Vec::new();
    for (root, clock) in records::all::<DirectoryClock>(work.tx)? {
        let trust = trust(work, &records::fixed(&root, "a root's fingerprint")?)?;
        if clock.made_at > 0 && system < clock.made_at.saturating_sub(BEHIND_S) {
            warnings.push(
                "this device's clock is behind the Ministry's directory: set it; until then the directory's time counts"
                    .to_owned(),
            );
        }
        if clock.made_at > 0 && system > clock.made_at.saturating_add(AHEAD_S) {
            warnings.push(
                "this device's clock is more than a year ahead of the newest directory: check it"
                    .to_owned(),
            );
        }
        if trust.is_stale(work.now) {
            warnings.push(
                "the Ministry's directory here is out of date: certifying, assigning and deciding wait for the next"
                    .to_owned(),
            );
        }
    }
    if let Some(device) = records::load::<Device>(work.tx, SELF)?
        && let Ok(chain) = Chain::from_bytes(&device.chain)
    {
        let own = chain.trusted_device(&chain.claimed_root())?;
        if trust(work, &own.unit.root)?.check_device(&own).is_err() {
            let what =
                "this device is revoked: nobody acts on what it says any more; ask your admin";
            warnings.push(what.to_owned());
        }
    }
    Ok(warnings)
}
