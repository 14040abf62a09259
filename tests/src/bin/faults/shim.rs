//! A clock that can be set and a disk that fails as told, for one process: a small library in C that is put before the
//! C library (`LD_PRELOAD`). The kernel gives a namespace its own monotonic clock and no wall clock, and lets writes
//! fail for a whole device only.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::scenario::Skip;
use crate::site::run;

const SOURCE: &str = include_str!("shim.c");
/// Where the numbers stand in the file of controls.
const CLOCK_AT: u64 = 0;
const FAULT_AT: u64 = 8;
const COUNTDOWN_AT: u64 = 16;
const HAPPENED_AT: u64 = 24;
const CONTROL_BYTES: u64 = 32;

/// What happens to the files of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Writes fail with an error of the disk.
    Write = 1,
    /// Forcing to disk fails with an error of the disk.
    Sync = 2,
    /// Half of a write is done, and the process is gone.
    Torn = 3,
}

/// The library, and the controls of one process.
pub struct Shim {
    library: PathBuf,
    control: File,
    control_path: PathBuf,
    concerned: PathBuf,
}

impl Shim {
    /// Builds the library for a process whose files under `concerned` may fail.
    pub fn build(folder: &Path, concerned: &Path) -> Result<Self, Skip> {
        let (source, library, control_path) = (folder.join("shim.c"), folder.join("shim.so"), folder.join("control"));
        let failed = |error: std::io::Error| Skip(error.to_string());
        std::fs::write(&source, SOURCE).map_err(failed)?;
        let (from, to) = (source.to_string_lossy().into_owned(), library.to_string_lossy().into_owned());
        run(&["cc", "-shared", "-fPIC", "-O2", "-o", &to, &from, "-ldl"])
            .map_err(|reason| Skip(format!("要有 C 编译器（cc） · a C compiler is needed: {reason}")))?;
        let opened = File::options().create(true).truncate(true).read(true).write(true).open(&control_path);
        let control = opened.map_err(failed)?;
        control.set_len(CONTROL_BYTES).map_err(failed)?;
        Ok(Self { library, control, control_path, concerned: concerned.to_owned() })
    }

    /// What the process is started under.
    pub fn prefix(&self) -> Vec<String> {
        let named = |name: &str, path: &Path| format!("{name}={}", path.display());
        vec![
            "env".to_owned(),
            named("LD_PRELOAD", &self.library),
            named("XIANMENG_FAULTS_CONTROL", &self.control_path),
            named("XIANMENG_FAULTS_PATH", &self.concerned),
        ]
    }

    /// Sets the wall clock of the process off by so much.
    pub fn set_clock(&self, off_ms: i64) {
        self.put(CLOCK_AT, off_ms);
    }

    /// Lets a fault happen, from the so-and-so-many-th call on.
    pub fn fail(&self, fault: Fault, call: i64) {
        self.put(FAULT_AT, 0);
        self.put(HAPPENED_AT, 0);
        self.put(COUNTDOWN_AT, call);
        self.put(FAULT_AT, fault as i64);
    }

    /// Ends the fault.
    pub fn mend(&self) {
        self.put(FAULT_AT, 0);
    }

    /// How often the fault happened.
    pub fn happened(&self) -> i64 {
        let mut bytes = [0; 8];
        self.control.read_exact_at(&mut bytes, HAPPENED_AT).expect("the controls can be read");
        i64::from_ne_bytes(bytes)
    }

    fn put(&self, at: u64, number: i64) {
        self.control.write_all_at(&number.to_ne_bytes(), at).expect("the controls can be written");
    }
}
