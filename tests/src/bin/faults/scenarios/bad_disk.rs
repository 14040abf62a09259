//! A disk that fails: ext4 on an image that lies on a file system which runs out of room. The kernel then answers
//! writes with EIO, as it does for a broken disk.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::node::wait;

use crate::federation::{Federation, REST, SOON, findings};
use crate::ledger::{Writer, tail};
use crate::scenario::{Scenario, Skip};
use crate::site::{run, unmount_under};
use crate::world::World;

pub const SCENARIO: Scenario = Scenario {
    name: "bad-disk",
    zh: "一个节点的磁盘出错（内核对写入报 EIO），节点停止并写明；换好磁盘后继续",
    en: "the disk of a node fails (the kernel answers writes with EIO), it stops and says so, and goes on once the disk \
         is mended",
    quick: true,
    play,
};

const VICTIM: usize = 2;
/// How a node ends, and a command, when the store takes nothing; and how a command ends when the node has stopped.
const STORE: i32 = 8;
const STOPPED: i32 = 3;
/// What the disk seems to have, and what is behind it.
const DISK_MIB: u64 = 256;
const BEHIND_MIB: u64 = 96;
/// What the doctor may say of it, whether the node still runs or not.
const NAMED: [&str; 4] = ["store-stopped", "store-damaged", "directory-read-only", "node-stopped"];
/// What it may say afterwards: a store that was damaged is rebuilt, and the damaged one lies aside.
const AFTERWARDS: [&str; 3] = ["store-damaged", "store-rebuilt", "store-aside"];

fn play(world: &mut World) -> Result<(), Skip> {
    let disk = Thin::new(&world.folder)?;
    let elsewhere = BTreeMap::from([(VICTIM, disk.path().join("node"))]);
    let mut federation = Federation::prepare_at(world, 3, &elsewhere)?;
    federation.start();
    let writer = Writer::begin(&world.ledger, &federation.nodes[VICTIM], 50, Duration::from_millis(20));
    wait("some are acknowledged", SOON, || writer.acknowledged() >= 5);
    world.say("磁盘出错", "the disk fails");
    disk.exhaust();
    let mut code = None;
    wait("the node stops", REST, || {
        code = federation.nodes[VICTIM].ended();
        code.is_some()
    });
    assert_eq!(code, Some(STORE), "it says that it was the store: {}", tail(&federation.nodes[VICTIM].log()));
    let written = writer.end();
    let (code, words) = written.last_refusal.expect("a broken disk takes nothing");
    assert!([STORE, STOPPED].contains(&code), "exit code {code}: {words}");
    let found = findings(&federation.nodes[VICTIM]);
    let named: Vec<&str> = NAMED.into_iter().filter(|id| found.contains_key(*id)).collect();
    assert!(!named.is_empty(), "the doctor names what is wrong: {found:?}");
    let named = named.join(" ");
    world.ledger.must_publish(&federation.nodes[0], 20);
    federation.wait_equal_among(&[0, 1], SOON);
    world.say("修好磁盘，重新启动", "the disk is mended; it is started");
    disk.mend()?;
    federation.nodes[VICTIM].start();
    federation.nodes[VICTIM].wait_ready_to_sign();
    world.ledger.must_publish(&federation.nodes[VICTIM], 20);
    federation.settle(world, &AFTERWARDS);
    world.checked(format!(
        "内核对写入报 EIO 后节点以退出码 {STORE} 停止，诊断 {named} · it ended with {STORE} when writes failed with EIO, doctor says \
         {named}"
    ));
    Ok(())
}

/// A disk that has less behind it than it seems to have.
struct Thin {
    folder: PathBuf,
}

impl Thin {
    fn new(folder: &Path) -> Result<Self, Skip> {
        let disk = Self { folder: folder.join("thin") };
        let failed = |error: std::io::Error| Skip(error.to_string());
        fs::create_dir_all(disk.behind()).map_err(failed)?;
        fs::create_dir_all(disk.path()).map_err(failed)?;
        let behind = disk.behind().to_string_lossy().into_owned();
        run(&["mount", "-t", "tmpfs", "-o", &format!("size={BEHIND_MIB}m"), "tmpfs", &behind])?;
        File::create(disk.image()).and_then(|file| file.set_len(DISK_MIB << 20)).map_err(failed)?;
        run(&["mkfs.ext4", "-q", "-F", &disk.image().to_string_lossy()])?;
        disk.mount()?;
        Ok(disk)
    }

    fn behind(&self) -> PathBuf {
        self.folder.join("behind")
    }

    fn image(&self) -> PathBuf {
        self.behind().join("image")
    }

    fn path(&self) -> PathBuf {
        self.folder.join("disk")
    }

    fn mount(&self) -> Result<(), String> {
        run(&["mount", "-o", "loop", &self.image().to_string_lossy(), &self.path().to_string_lossy()]).map(drop)
    }

    /// Takes what is left behind it.
    fn exhaust(&self) {
        let path = self.behind().join("ballast");
        // It ends when there is no room any more.
        let _ = run(&["dd", "if=/dev/zero", "bs=64k", &format!("of={}", path.display())]);
    }

    /// Gives the room back, and has the file system checked, as an operator would.
    fn mend(&self) -> Result<(), Skip> {
        fs::remove_file(self.behind().join("ballast")).expect("the ballast can be taken away");
        let path = self.path().to_string_lossy().into_owned();
        wait("the disk can be taken down", SOON, || run(&["umount", &path]).is_ok());
        // Its exit code says what it mended.
        let _ = run(&["e2fsck", "-f", "-y", &self.image().to_string_lossy()]);
        Ok(self.mount()?)
    }
}

impl Drop for Thin {
    fn drop(&mut self) {
        unmount_under(&self.folder);
    }
}
