//! Kills and power losses under load, and what is left.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use budstikke_relay::store::{FjallStore, Limits, Store, StoreKey};
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::load::{Ledger, Numbers, Opened, Verdict};
use crate::power::{Disk, Kept, replay, shim};
use crate::raw::{Raw, now};
use crate::relay_process::{RelayOptions, RelayProcess};

/// What a run found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// SIGKILLs.
    pub kills: u64,
    /// Power losses looked at.
    pub states: u64,
    /// Of those, the ones that did not open, could not be read, or lacked something; what does not open is one loss.
    pub failures: Vec<String>,
    /// Sums over all states.
    pub verdict: Verdict,
    /// Repeats the choices of the run; its timing stays the system's.
    pub seed: u64,
}

impl Report {
    /// Nothing was lost and nothing was there twice.
    pub fn clean(&self) -> bool {
        let Verdict { acknowledged, lost, duplicated, .. } = self.verdict;
        acknowledged > 0 && lost == 0 && duplicated == 0 && self.failures.is_empty()
    }

    /// One line.
    pub fn json(&self) -> String {
        let Verdict { acknowledged, delivered, lost, duplicated } = self.verdict;
        json!({
            "kills": self.kills, "states": self.states, "acknowledged": acknowledged,
            "delivered": delivered, "lost": lost, "duplicated": duplicated,
            "failures": self.failures.len(), "seed": self.seed,
        })
        .to_string()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { acknowledged, delivered, lost, duplicated } = self.verdict;
        writeln!(f, "kills         {}", self.kills)?;
        writeln!(f, "power losses  {}", self.states)?;
        writeln!(f, "acknowledged  {acknowledged}")?;
        writeln!(f, "delivered     {delivered}")?;
        writeln!(f, "lost          {lost}")?;
        writeln!(f, "duplicated    {duplicated}")?;
        writeln!(f, "failed        {}", self.failures.len())?;
        self.failures.iter().take(12).try_for_each(|text| writeln!(f, "  {text}"))?;
        write!(f, "seed          {}", self.seed)
    }
}

/// A relay that is killed again and again.
#[derive(Clone, Debug)]
pub struct Kills {
    /// How often.
    pub kills: u64,
    /// Of the choices.
    pub seed: u64,
    /// Mailboxes.
    pub lines: usize,
    /// Whether to wait until all held cells are out: up to a minute.
    pub held: bool,
    /// Runs as the relay when `AS_RELAY` is set; none: the relay program of the tests.
    pub program: Option<PathBuf>,
}

impl Kills {
    /// A proof.
    pub fn full(seed: u64) -> Self {
        Self { kills: 60, seed, lines: 8, held: true, program: None }
    }

    /// Some seconds.
    pub fn short(seed: u64) -> Self {
        Self { kills: 3, seed, lines: 4, held: false, program: None }
    }

    /// Kills while it starts, under load, while held cells are released, and while it stops.
    ///
    /// # Panics
    /// When the relay does not start again.
    #[allow(clippy::expect_used, reason = "a test fails loudly")]
    pub async fn run(&self) -> Report {
        let folder = tempfile::tempdir().expect("a folder");
        let mut numbers = Numbers(self.seed);
        let mut options = options(folder.path(), self.program.as_ref());
        let mut relay = RelayProcess::start(&options);
        let address = relay.address.clone();
        options.port = address.port;
        let ticks = AtomicU64::new(0);
        let clock = move || ticks.fetch_add(1, Ordering::SeqCst);
        let ledger = Ledger::make(&address, self.lines, clock).await.expect("mailboxes");
        for kill in 0..self.kills {
            let mut clients = ledger.load(&address);
            let before = ledger.acknowledged();
            let enough = async {
                while ledger.acknowledged() < before + 60 {
                    sleep(Duration::from_millis(2)).await;
                }
            };
            timeout(Duration::from_secs(30), enough).await.expect("the relay acknowledges");
            sleep(Duration::from_millis(numbers.below(300))).await;
            if kill % 4 == 2 {
                // What was held comes out at the full minute; be there when it is near.
                let left = 60 - now() % 60;
                if self.held && left < 15 {
                    let left = Duration::from_secs(u64::try_from(left).unwrap_or(0));
                    sleep(left + Duration::from_millis(numbers.below(400))).await;
                }
            }
            if kill % 4 == 3 {
                relay.ask_to_stop();
                sleep(Duration::from_millis(numbers.below(60))).await;
            }
            relay.kill();
            // Answers that were sent before are on their way still.
            sleep(Duration::from_millis(10)).await;
            clients.shutdown().await;
            if kill % 4 == 1 {
                let mut starting = RelayProcess::spawn(&options);
                sleep(Duration::from_millis(numbers.below(120))).await;
                starting.kill().expect("it can be killed");
                starting.wait().expect("it ended");
            }
            relay = RelayProcess::start(&options);
        }
        let due = if self.held { ledger.last_release() } else { 0 };
        while now() <= due + 2 {
            sleep(Duration::from_millis(200)).await;
        }
        let raw = Raw::connect(&address).await.expect("the relay is back");
        let mut stream = raw.open().await.expect("it answers");
        let judged = ledger.judge(&mut stream, u64::MAX, due, true).await;
        let mut report = Report { kills: self.kills, seed: self.seed, ..Report::default() };
        // One more for each that was killed while it started.
        report.kills += (self.kills + 2) / 4;
        match judged {
            Ok(verdict) => report.verdict = verdict,
            Err(error) => report.failures.push(error),
        }
        report
    }
}

/// A relay whose power goes.
#[derive(Clone, Debug)]
pub struct PowerLoss {
    /// How often.
    pub states: usize,
    /// How much it writes first.
    pub megabytes: u64,
    /// Of the choices.
    pub seed: u64,
    /// Whether a new file's name needs a sync of its folder too.
    pub strict_names: bool,
    /// Runs a relay that does not sync.
    pub no_sync: bool,
    /// The sync that fails, counted under load.
    pub fail_sync: Option<u64>,
    /// Runs as the relay when `AS_RELAY` is set; none: the relay program of the tests.
    pub program: Option<PathBuf>,
}

impl PowerLoss {
    /// A proof: enough to write that tables are made and journals removed.
    pub fn full(seed: u64) -> Self {
        let (states, megabytes, strict_names, no_sync) = (320, 150, false, false);
        let (fail_sync, program) = (None, None);
        Self { states, megabytes, seed, strict_names, no_sync, fail_sync, program }
    }

    /// Some seconds.
    pub fn short(seed: u64) -> Self {
        Self { states: 24, megabytes: 8, ..Self::full(seed) }
    }

    /// Records, replays, judges.
    ///
    /// # Panics
    /// When the relay does not start, or something about this machine fails.
    #[allow(clippy::expect_used, reason = "a test fails loudly")]
    pub async fn run(&self) -> Report {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().canonicalize().expect("a folder");
        let log = place.join("disk.log");
        let ledger = self.record(&place, &log).await;
        let text = std::fs::read(place.join("keys/store.key")).expect("the store key");
        let key = data_encoding::HEXLOWER.decode(text.trim_ascii()).expect("hexadecimal");
        let key = StoreKey::from_bytes(key.try_into().expect("32 bytes"));
        let keys = std::fs::read(place.join("data/relay.keys")).expect("the sealed keys");
        let bytes = std::fs::read(&log).expect("the log");
        let mut report = Report { seed: self.seed, ..Report::default() };
        let state = place.join("state");
        let (mut turn, total) = (0usize, bytes.len());
        let mut numbers = Numbers(self.seed);
        let shared = place.join("shared");
        std::fs::create_dir_all(&shared).expect("a folder");
        let disk = Disk::new(!self.strict_names, Some(shared));
        let states = replay(&bytes, disk, self.states, &mut numbers, {
            |disk: &Disk<'_>, at, numbers: &mut Numbers| {
                let last = at == u64::try_from(total).unwrap_or(u64::MAX);
                let kept = Kept::ALL.get(turn % Kept::ALL.len()).copied().unwrap_or(Kept::None);
                turn += 1;
                // The whole log makes what is there: the shim saw everything.
                if last && self.fail_sync.is_none() {
                    disk.write_to(&state, Kept::All, numbers)?;
                    let made = same(&place.join("data"), &state);
                    std::fs::remove_dir_all(&state)?;
                    made?;
                }
                disk.write_to(&state, kept, numbers)?;
                let judged = tokio::task::block_in_place(|| {
                    tokio::runtime::Handle::current()
                        .block_on(open(&ledger, &state, &key, &keys, at))
                });
                std::fs::remove_dir_all(&state)?;
                report.states += 1;
                if report.states.is_multiple_of(20) {
                    eprintln!("{} power losses", report.states);
                }
                match judged {
                    Ok(verdict) => {
                        report.verdict.add(verdict);
                        let Verdict { lost, duplicated, .. } = verdict;
                        if lost + duplicated > 0 {
                            let found = format!("{lost} lost, {duplicated} duplicated");
                            report.failures.push(format!("{found} at {at} of {total}, {kept:?}"));
                        }
                    }
                    Err(error) => {
                        report.verdict.lost += 1;
                        report.failures.push(format!("{error} at {at} of {total}, {kept:?}"));
                    }
                }
                Ok::<(), std::io::Error>(())
            }
        });
        states.expect("the disk can be replayed");
        report
    }

    /// Runs the relay under load until it wrote enough, and kills it.
    #[allow(clippy::expect_used, reason = "a test fails loudly")]
    async fn record(&self, place: &Path, log: &Path) -> std::sync::Arc<Ledger> {
        let mut options = options(place, self.program.as_ref());
        let failing = place.join("failing");
        options.env.extend([
            ("LD_PRELOAD".to_owned(), shim(place).expect("a C compiler").into()),
            ("DISK_ROOT".to_owned(), place.join("data").into()),
            ("DISK_LOG".to_owned(), log.into()),
        ]);
        if let Some(count) = self.fail_sync {
            options.env.push(("DISK_FAIL_SYNC".to_owned(), count.to_string().into()));
            options.env.push(("DISK_FAIL_FROM".to_owned(), failing.clone().into()));
        }
        if self.no_sync {
            options.env.push(("PLANT_NO_SYNC".to_owned(), "1".into()));
        }
        let relay = RelayProcess::start(&options);
        let at = log.to_path_buf();
        let clock = move || std::fs::metadata(&at).map_or(0, |meta| meta.len());
        let ledger = Ledger::make(&relay.address, 6, clock).await.expect("mailboxes");
        let mut clients = ledger.load(&relay.address);
        if self.fail_sync.is_some() {
            std::fs::write(&failing, b"").expect("a file");
        }
        let begin = Instant::now();
        let (mut before, mut idle) = (0, 0);
        loop {
            let len = std::fs::metadata(log).map_or(0, |meta| meta.len());
            idle = if len == before { idle + 1 } else { 0 };
            before = len;
            // A relay whose disk failed stores nothing more.
            let done = len >= self.megabytes << 20 || (self.fail_sync.is_some() && idle > 20);
            if done || begin.elapsed() > Duration::from_mins(10) {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        // Not between an effect and its record.
        let file = std::fs::File::open(log).expect("the log");
        file.lock().expect("a lock");
        relay.kill();
        sleep(Duration::from_millis(10)).await;
        clients.shutdown().await;
        ledger
    }
}

/// Opens a state and compares it.
async fn open(
    ledger: &Ledger,
    state: &Path,
    key: &StoreKey,
    keys: &[u8],
    at: u64,
) -> Result<Verdict, String> {
    let store = FjallStore::open(&state.join("store"), key, Limits::default());
    let store = store.map_err(|error| format!("not opened: {error}"))?;
    // All held cells are out then.
    let later = now() + 3_600;
    store.release(later).await.map_err(|error| format!("not released: {error}"))?;
    let judged = ledger.judge(&mut Opened(&store, later), at, later, false).await;
    store.close().await;
    let verdict = judged?;
    let kept = std::fs::read(state.join("relay.keys")).is_ok_and(|found| found == keys);
    if verdict.acknowledged > 0 && !kept {
        Err("the sealed keys are gone".into())
    } else {
        Ok(verdict)
    }
}

fn options(folder: &Path, program: Option<&PathBuf>) -> RelayOptions {
    let mut options = RelayOptions::new(folder);
    if let Some(program) = program {
        options.program = Some(program.clone());
        options.env.push(("AS_RELAY".into(), "1".into()));
    }
    options
}

/// Two folders hold the same.
fn same(a: &Path, b: &Path) -> std::io::Result<()> {
    let differ =
        |what: &Path| Err(std::io::Error::other(format!("the log misses {}", what.display())));
    let mut names: Vec<_> = std::fs::read_dir(a)?
        .map(|it| Ok(it?.file_name()))
        .collect::<Result<_, std::io::Error>>()?;
    let others = std::fs::read_dir(b)?.map(|it| Ok(it?.file_name()));
    let mut others: Vec<_> = others.collect::<Result<_, std::io::Error>>()?;
    names.sort();
    others.sort();
    if names != others {
        return differ(a);
    }
    for name in names {
        let (a, b) = (a.join(&name), b.join(&name));
        if a.is_dir() {
            same(&a, &b)?;
        } else if std::fs::read(&a)? != std::fs::read(&b)? {
            return differ(&a);
        }
    }
    Ok(())
}
