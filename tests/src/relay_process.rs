//! The real relay program as a child process: started, killed or stopped.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;

use budstikke_proto::address::RelayAddress;

/// A running `budstikke-relay`. Killed when dropped.
pub struct RelayProcess {
    child: Child,
    /// The address that it printed.
    pub address: RelayAddress,
}

/// Options of the relay program.
#[derive(Clone, Debug)]
pub struct RelayOptions {
    /// Holds the data folder, the store key and, when asked for, the log.
    pub folder: PathBuf,
    /// The UDP port; 0 takes a free one.
    pub port: u16,
    /// More flags.
    pub flags: Vec<String>,
    /// Where standard error goes; none: to the test's.
    pub log: Option<PathBuf>,
    /// What to run instead of the relay program, with its flags.
    pub program: Option<PathBuf>,
    /// Variables for its environment.
    pub env: Vec<(String, OsString)>,
}

impl RelayOptions {
    /// A relay on a free loopback port that asks no work.
    pub fn new(folder: &Path) -> Self {
        let flags = vec!["--work-effort".into(), "0".into()];
        let folder = folder.to_path_buf();
        Self { folder, port: 0, flags, log: None, program: None, env: Vec::new() }
    }
}

impl RelayProcess {
    /// Starts the program and waits for its address.
    ///
    /// # Panics
    /// When it cannot be built, does not start, or prints no address.
    #[allow(clippy::expect_used, clippy::panic, reason = "a test fails loudly")]
    pub fn start(options: &RelayOptions) -> Self {
        match Self::try_start(options) {
            Ok(relay) => relay,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`RelayProcess::start`].
    ///
    /// # Errors
    /// What it printed instead of an address, and how it ended.
    ///
    /// # Panics
    /// When there is no such program.
    #[allow(clippy::expect_used, reason = "a test fails loudly")]
    pub fn try_start(options: &RelayOptions) -> Result<Self, String> {
        let mut child = Self::spawn(options);
        let out = child.stdout.take().expect("its output is piped");
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("its output is text");
        let Ok(address) = line.parse() else {
            let status = child.wait();
            return Err(format!("the relay printed {line:?}, no address, and ended: {status:?}"));
        };
        Ok(Self { child, address })
    }

    /// Starts the program, and does not wait for its address.
    ///
    /// # Panics
    /// When there is no such program.
    #[allow(clippy::expect_used, reason = "a test fails loudly")]
    pub fn spawn(options: &RelayOptions) -> Child {
        let program = options.program.as_deref().unwrap_or_else(|| relay_binary());
        let mut command = Command::new(program);
        command
            .args(["--listen", &format!("127.0.0.1:{}", options.port)])
            .arg("--data-dir")
            .arg(options.folder.join("data"))
            .arg("--store-key")
            .arg(format!("file:{}", options.folder.join("keys/store.key").display()))
            .args(&options.flags)
            .envs(options.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        if let Some(log) = &options.log {
            let log = std::fs::OpenOptions::new().create(true).append(true).open(log);
            command.stderr(log.expect("the log file opens"));
        }
        command.spawn().expect("the relay starts")
    }

    /// Its process id.
    ///
    /// # Panics
    /// Never on a system whose ids are positive.
    #[allow(clippy::expect_used, reason = "a test fails loudly")]
    pub fn pid(&self) -> i32 {
        self.child.id().try_into().expect("a process id")
    }

    /// Its resident memory, in bytes.
    ///
    /// # Panics
    /// When it does not run, or this is no Linux.
    #[allow(clippy::expect_used, reason = "a test fails loudly")]
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let pages = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        pages.expect("a number of kB") * 1024
    }

    /// Kills it with SIGKILL, at once.
    ///
    /// # Panics
    /// When the system refuses.
    #[allow(clippy::expect_used, reason = "a test fails loudly")]
    pub fn kill(mut self) {
        self.child.kill().expect("the relay can be killed");
        self.child.wait().expect("the relay ended");
    }

    /// Asks it to stop (SIGTERM).
    ///
    /// # Panics
    /// When the system refuses.
    #[allow(clippy::expect_used, reason = "a test fails loudly")]
    pub fn ask_to_stop(&self) {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(asked.success());
    }

    /// Asks it to stop and waits.
    ///
    /// # Panics
    /// When the system refuses.
    #[allow(clippy::expect_used, reason = "a test fails loudly")]
    pub fn stop(mut self) -> ExitStatus {
        self.ask_to_stop();
        self.child.wait().expect("the relay ended")
    }
}

impl Drop for RelayProcess {
    fn drop(&mut self) {
        // Ended already when it was killed or stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The relay program of this test's own profile; cargo builds it before it runs a test of this package.
///
/// # Panics
/// When it is not there.
#[allow(clippy::expect_used, reason = "a test fails loudly")]
pub fn relay_binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        // target/<profile>/deps/<test>-<hash>, or target/<profile>/<program>
        let this = std::env::current_exe().expect("this program has a path");
        let folders = this.ancestors().skip(1).take(2);
        let mut found = folders.map(|it| it.join("relay-program"));
        found.find(|it| it.exists()).expect("cargo built relay-program")
    })
}
