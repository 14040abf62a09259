//! A disk whose power can be cut: ext4 on a loop device.
//!
//! The cut is `EXT4_IOC_SHUTDOWN` without a flush of the log: whatever had not been forced to the device is gone after
//! the next mount, as after a power cut. Needs root, loop devices and the ext4 tools; [`Disk::new`] says what is
//! missing, so that a test can skip itself and say why.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;

/// How often a disk is mounted again at most until its power is on, and the pause between.
const RESTORES_MAX: u32 = 50;
const RESTORE_PAUSE: Duration = Duration::from_millis(200);
/// A file that can be written only with the power on.
const PROBE: &str = ".power";

/// A filesystem of its own.
#[derive(Debug)]
pub struct Disk {
    directory: TempDir,
    mounted: bool,
}

impl Disk {
    /// Makes and mounts a filesystem of some size, in mebibytes. The error is the reason why that is not possible here.
    pub fn new(size_mib: u64) -> Result<Self, String> {
        let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
        let mut disk = Self { directory, mounted: false };
        let image = File::create(disk.image()).and_then(|file| file.set_len(size_mib * 1024 * 1024));
        image.and_then(|()| fs::create_dir(disk.path())).map_err(|error| format!("no image: {error}"))?;
        run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(disk.image()))?;
        disk.mount()?;
        Ok(disk)
    }

    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("disk")
    }

    fn image(&self) -> PathBuf {
        self.directory.path().join("image")
    }

    fn mount(&mut self) -> Result<(), String> {
        run(Command::new("mount").args(["-o", "loop"]).args([self.image(), self.path()]))?;
        self.mounted = true;
        Ok(())
    }

    /// Cuts the power: from here on every write fails, and what was not forced to disk is lost.
    pub fn cut(&self) -> io::Result<()> {
        shutdown(&self.path())
    }

    /// Turns the power on again. Nobody may have a file of the disk open any more.
    ///
    /// Another program's copy of the mounts can hold the old file system a little longer. Mounting then only brings
    /// that one back, with its power off, and so it is tried again.
    pub fn restore(&mut self) -> Result<(), String> {
        for _ in 0..RESTORES_MAX {
            if self.mounted {
                run(Command::new("umount").arg(self.path()))?;
                self.mounted = false;
            }
            self.mount()?;
            let probe = self.path().join(PROBE);
            if fs::write(&probe, PROBE).and_then(|()| fs::remove_file(&probe)).is_ok() {
                return Ok(());
            }
            std::thread::sleep(RESTORE_PAUSE);
        }
        Err("somebody holds the file system whose power was cut".to_owned())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            // Lazily, so that a failed test with an open file leaves no mount behind.
            let _ = Command::new("umount").arg("--lazy").arg(self.path()).output();
        }
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let Output { status, stderr, .. } = command.output().map_err(|error| format!("`{name}` does not run: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{name}` failed: {}", String::from_utf8_lossy(&stderr).trim())) }
}

/// `_IOR('X', 125, __u32)` of the kernel's `ext4.h`.
const EXT4_IOC_SHUTDOWN: u64 = 0x8004_587d;
/// Without a flush of the journal.
const EXT4_GOING_FLAGS_NOLOGFLUSH: u32 = 2;

// The standard library has no ioctl, and this one call is all that the tests need.
#[allow(unsafe_code)]
fn shutdown(mount: &Path) -> io::Result<()> {
    unsafe extern "C" {
        fn ioctl(descriptor: i32, request: u64, argument: *const u32) -> i32;
    }
    let directory = File::open(mount)?;
    // SAFETY: the descriptor is open, the request reads one `u32`, and that lives until the call returns.
    let result = unsafe { ioctl(directory.as_raw_fd(), EXT4_IOC_SHUTDOWN, &EXT4_GOING_FLAGS_NOLOGFLUSH) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
