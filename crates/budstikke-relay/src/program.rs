//! The program `budstikke-relay`: parses, starts the relay, waits for the signal to stop. In the library, so that a
//! test can run exactly it.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use etcetera::BaseStrategy;
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::keys::{KeySource, STORE_FOLDER};
use crate::store::{self, StoreError};
use crate::{Config, ConfigError, Relay, SpawnError, inspect};

mod tokens;

const NAME: &str = "budstikke-relay";
const AFTER: &str = "\
Every setting can stand in the TOML file under its name with _ for - (data_dir = \"…\"), in the environment as
BUDSTIKKE_RELAY_DATA_DIR, or here; flags win over the environment, the environment over the file.

The first line on standard output is the relay's address, bud://…, to hand to clients. Everything else goes to
standard error and names no client, no mailbox and no address.

Exit codes: 0 stopped when asked; 1 stopped, but work under way was cut off; 2 wrong flags; 69 cannot listen;
74 the data folder cannot be read or written; 78 a setting or a key cannot be used.";

/// The relay of budstikke: stores and forwards sealed cells that it cannot open.
#[derive(Debug, Parser)]
#[command(name = NAME, version, after_help = AFTER)]
struct Flags {
    #[command(subcommand)]
    command: Option<Command>,
    /// Configuration file, TOML. Default: none, or budstikke-relay/relay.toml in the configuration folder if it is there.
    #[arg(long, value_name = "FILE", env = "BUDSTIKKE_RELAY_CONFIG", global = true)]
    config: Option<PathBuf>,
    /// UDP address to listen on; port 0 takes a free one. [default: [::]:4433]
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
    /// Where clients reach this relay, printed in its address. [default: where it listens]
    #[arg(long, value_name = "HOST:PORT")]
    advertise: Option<String>,
    /// Folder for everything durable. [default: $STATE_DIRECTORY, or budstikke-relay in the user's state folder]
    #[arg(long, value_name = "FOLDER", global = true)]
    data_dir: Option<PathBuf>,
    /// Where the store key comes from, never from the data folder or next to it: file:PATH (made on the first start),
    /// passphrase:PATH, credential:NAME or environment:VARIABLE.
    /// [default: credential:store-key if there is one, or file:budstikke-relay/store.key in the configuration folder]
    #[arg(long, value_name = "SOURCE")]
    store_key: Option<String>,
    /// Storage engine: fjall (durable) or memory (forgets everything, for tests). [default: fjall]
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
    /// Application protocol to accept in the TLS handshake; may be repeated. [default: h3]
    #[arg(long, value_name = "NAME")]
    alpn: Vec<String>,
    /// Longest life of a mailbox and of a cell, 1 to 90 days. [default: 90]
    #[arg(long, value_name = "DAYS")]
    max_ttl_days: Option<u32>,
    /// Most cells waiting under one grant, 1 to 4096. [default: 4096]
    #[arg(long, value_name = "CELLS")]
    max_quota: Option<u32>,
    /// Most MiB of all blobs together; 0 takes none. [default: 4096]
    #[arg(long, value_name = "MIB")]
    max_blob_mib: Option<u32>,
    /// What a new mailbox and each blob cost: open (nothing, on loopback only), work, tokens, or either. [default: work]
    #[arg(long, value_name = "PRICE")]
    admission: Option<String>,
    /// Public key file whose tokens are taken; given at most twice.
    #[arg(long = "token-key", value_name = "FILE")]
    token_keys: Vec<PathBuf>,
    /// Proof-of-work effort for a new mailbox, slot, notice or blob; 0 asks none, on loopback only. [default: 100]
    #[arg(long, value_name = "EFFORT")]
    work_effort: Option<u32>,
    /// Proof-of-work effort for each cell at a front door, at least 1. [default: 200]
    #[arg(long, value_name = "EFFORT")]
    front_door_effort: Option<u32>,
    /// What --work-effort may rise to under load. [default: 2000]
    #[arg(long, value_name = "EFFORT")]
    work_effort_max: Option<u32>,
    /// What --front-door-effort may rise to under load. [default: 4000]
    #[arg(long, value_name = "EFFORT")]
    front_door_effort_max: Option<u32>,
    /// Paid mailboxes, slots and notices in a minute above which their effort rises. [default: 600]
    #[arg(long, value_name = "COUNT")]
    creations_per_minute: Option<u32>,
    /// Cells at front doors in a minute above which their effort rises. [default: 600]
    #[arg(long, value_name = "COUNT")]
    front_door_per_minute: Option<u32>,
    /// Connections at once. [default: 10000]
    #[arg(long, value_name = "COUNT")]
    max_connections: Option<u32>,
    /// Connections of one network (IPv4 /24, IPv6 /48) at once; 0 for any number. [default: 2500]
    #[arg(long, value_name = "COUNT")]
    connections_per_prefix: Option<u32>,
    /// Handshakes under way at once, 1 to 65536. [default: 1024]
    #[arg(long, value_name = "COUNT")]
    max_handshakes: Option<u32>,
    /// Handshakes that one network may begin in a minute; 0 for any number. [default: 1200]
    #[arg(long, value_name = "COUNT")]
    handshakes_per_prefix: Option<u32>,
    /// Handshakes under way from which on newcomers first prove their address (QUIC Retry). [default: 0, always]
    #[arg(long, value_name = "COUNT")]
    retry_above: Option<u32>,
    /// Seconds without a packet after which a connection is dropped, 5 to 600. [default: 120]
    #[arg(long, value_name = "SECONDS")]
    idle_timeout_s: Option<u32>,
    /// Seconds that a shutdown waits for work under way. [default: 10]
    #[arg(long, value_name = "SECONDS")]
    shutdown_timeout_s: Option<u32>,
    /// Loopback TCP address for /livez, /readyz and /metrics. [default: off]
    #[arg(long, value_name = "IP:PORT")]
    admin_listen: Option<SocketAddr>,
    /// off, error, warn, info, debug or trace. [default: info]
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows what is stored: counts, days and sizes, all that can be read without the store key. The relay must not run.
    Inspect {
        /// One JSON object instead of a table.
        #[arg(long)]
        json: bool,
        /// Reads every file against its checksum instead, and names the damaged ones.
        #[arg(long, conflicts_with = "json")]
        check: bool,
    },
    /// Blind tokens, for an issuer: whoever holds one may make a mailbox, and nobody can tell whose it was.
    Tokens {
        #[command(subcommand)]
        command: tokens::Tokens,
    },
}

/// Runs the program with the arguments of this process, until it is asked to stop.
pub fn main() -> ExitCode {
    match run(&Flags::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err((code, sentence)) => {
            eprintln!("{NAME}: {sentence}");
            ExitCode::from(code)
        }
    }
}

/// An exit code (sysexits) and one sentence.
type Failure = (u8, String);
const EX_UNAVAILABLE: u8 = 69;
const EX_IOERR: u8 = 74;
const EX_CONFIG: u8 = 78;

fn run(flags: &Flags) -> Result<bool, Failure> {
    let config = configuration(flags).map_err(|error| (EX_CONFIG, error.to_string()))?;
    match &flags.command {
        Some(Command::Inspect { check: true, .. }) => return check(&config).map(|()| true),
        Some(Command::Inspect { json, .. }) => return show(&config, *json).map(|()| true),
        Some(Command::Tokens { command }) => {
            let (input, mut output) = (std::io::stdin().lock(), std::io::stdout());
            return tokens::run(command, input, &mut output).map(|()| true);
        }
        None => {}
    }
    config.check().map_err(|error| (EX_CONFIG, error.to_string()))?;
    // Only this program's own events: a library's could name a peer.
    let level = config.log_level.parse().unwrap_or(LevelFilter::INFO);
    let terminal = std::io::stderr().is_terminal();
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(terminal))
        .with(Targets::new().with_target("budstikke_relay", level))
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| (EX_UNAVAILABLE, error.to_string()))?.block_on(serve(config))
}

fn check(config: &Config) -> Result<(), Failure> {
    let found = store::damaged_files(&store_folder(config)?);
    let found = found.map_err(|error| (EX_IOERR, error.to_string()))?;
    if found.is_empty() {
        println!("every file of the store holds what was written");
        return Ok(());
    }
    for file in &found {
        println!("damaged: {file}");
    }
    Err((EX_IOERR, format!("{} files of the store are damaged", found.len())))
}

fn store_folder(config: &Config) -> Result<PathBuf, Failure> {
    if config.data_dir.as_os_str().is_empty() {
        return Err((EX_CONFIG, ConfigError::Missing("data_dir").to_string()));
    }
    Ok(config.data_dir.join(STORE_FOLDER))
}

fn show(config: &Config, json: bool) -> Result<(), Failure> {
    let found = store::inventory(&store_folder(config)?).map_err(|error| {
        let todo = if error == StoreError::Locked { ": stop the relay first" } else { "" };
        (EX_IOERR, format!("{error}{todo}"))
    })?;
    let failed = |error: std::io::Error| (EX_IOERR, error.to_string());
    let text = if json {
        inspect::json(&found).map_err(|error| failed(error.into()))?
    } else {
        inspect::text(&found)
    };
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(failed)
}

async fn serve(config: Config) -> Result<bool, Failure> {
    let failed = |error: std::io::Error| (EX_UNAVAILABLE, error.to_string());
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let relay = Relay::spawn(config).await.map_err(|error| {
        let code = match error {
            SpawnError::Config(_) | SpawnError::Keys(_) | SpawnError::Tokens(_) => EX_CONFIG,
            SpawnError::Store(_) => EX_IOERR,
            _ => EX_UNAVAILABLE,
        };
        (code, error.to_string())
    })?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", relay.address().to_text()).and_then(|()| out.flush()).map_err(failed)?;
    // Not started by systemd: nobody to notify.
    let _ = sd_notify::notify(false, &[sd_notify::NotifyState::Ready]);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    let _ = sd_notify::notify(false, &[sd_notify::NotifyState::Stopping]);
    Ok(relay.shutdown().await)
}

fn configuration(flags: &Flags) -> Result<Config, Box<figment::Error>> {
    let mut figment = Figment::from(Serialized::defaults(defaults()));
    let file = flags.config.clone().or_else(|| {
        let usual = config_folder()?.join("relay.toml");
        usual.exists().then_some(usual)
    });
    if let Some(file) = file {
        figment = figment.merge(Toml::file_exact(file));
    }
    let settings = Env::prefixed("BUDSTIKKE_RELAY_").ignore(&["config"]);
    figment.merge(settings).merge(Serialized::defaults(given(flags))).extract().map_err(Box::new)
}

fn defaults() -> Config {
    let mut config = Config::default();
    if let Some(folder) = state_folder() {
        config.data_dir = folder;
    }
    config.store_key = store_key();
    config
}

/// The flags that were given, under their settings' names.
fn given(flags: &Flags) -> BTreeMap<&'static str, figment::value::Value> {
    use figment::value::Value;
    let text = |path: &PathBuf| Value::from(path.to_string_lossy().into_owned());
    let address = |address: &SocketAddr| Value::from(address.to_string());
    let settings = [
        ("listen", flags.listen.as_ref().map(address)),
        ("advertise", flags.advertise.clone().map(Value::from)),
        ("data_dir", flags.data_dir.as_ref().map(text)),
        ("store_key", flags.store_key.clone().map(Value::from)),
        ("engine", flags.engine.clone().map(Value::from)),
        ("alpn", (!flags.alpn.is_empty()).then(|| Value::from(flags.alpn.clone()))),
        ("max_ttl_days", flags.max_ttl_days.map(Value::from)),
        ("max_quota", flags.max_quota.map(Value::from)),
        ("max_blob_mib", flags.max_blob_mib.map(Value::from)),
        ("admission", flags.admission.clone().map(Value::from)),
        (
            "token_keys",
            (!flags.token_keys.is_empty())
                .then(|| Value::from(flags.token_keys.iter().map(text).collect::<Vec<_>>())),
        ),
        ("work_effort", flags.work_effort.map(Value::from)),
        ("front_door_effort", flags.front_door_effort.map(Value::from)),
        ("work_effort_max", flags.work_effort_max.map(Value::from)),
        ("front_door_effort_max", flags.front_door_effort_max.map(Value::from)),
        ("creations_per_minute", flags.creations_per_minute.map(Value::from)),
        ("front_door_per_minute", flags.front_door_per_minute.map(Value::from)),
        ("max_connections", flags.max_connections.map(Value::from)),
        ("connections_per_prefix", flags.connections_per_prefix.map(Value::from)),
        ("max_handshakes", flags.max_handshakes.map(Value::from)),
        ("handshakes_per_prefix", flags.handshakes_per_prefix.map(Value::from)),
        ("retry_above", flags.retry_above.map(Value::from)),
        ("idle_timeout_s", flags.idle_timeout_s.map(Value::from)),
        ("shutdown_timeout_s", flags.shutdown_timeout_s.map(Value::from)),
        ("admin_listen", flags.admin_listen.as_ref().map(address)),
        ("log_level", flags.log_level.clone().map(Value::from)),
    ];
    settings.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn state_folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("STATE_DIRECTORY") {
        return Some(folder.into());
    }
    Some(etcetera::choose_base_strategy().ok()?.state_dir()?.join(NAME))
}

fn store_key() -> Option<KeySource> {
    const CREDENTIAL: &str = "store-key";
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY");
    if folder.is_some_and(|folder| Path::new(&folder).join(CREDENTIAL).exists()) {
        return Some(KeySource::Credential(CREDENTIAL.into()));
    }
    Some(KeySource::File(config_folder()?.join("store.key")))
}

fn config_folder() -> Option<PathBuf> {
    Some(etcetera::choose_base_strategy().ok()?.config_dir().join(NAME))
}
