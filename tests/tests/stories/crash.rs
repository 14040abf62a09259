//! Kill -9 and power cuts at random moments during an import.
//!
//! The seed is printed; `XIANMENG_SEED=<seed>` repeats the moments, as far as a machine repeats anything.

use std::time::{Duration, Instant};

use harness::node::{Line, Node};
use harness::power::Disk;
use harness::{seed, sheet};

const ROUNDS: usize = 50;
const POWER_CUTS: usize = 20;
/// Room for all rounds of power cuts, in mebibytes.
const DISK_MIB: u64 = 512;
/// Rows that each round adds.
const ROWS: usize = 3_000;

fn acknowledged(node: &Node) -> u64 {
    // The journal is written before anything is acknowledged, and the status counts what is committed.
    let (address, token) = node.api();
    let request = ureq::get(format!("http://{address}/v1/status")).header("Authorization", format!("Bearer {token}"));
    let text = request.call().ok().and_then(|mut response| response.body_mut().read_to_string().ok());
    let status: Option<serde_json::Value> = text.and_then(|text| serde_json::from_str(&text).ok());
    status.and_then(|status| status["entries"].as_u64()).unwrap_or_default()
}

#[test]
fn nothing_acknowledged_is_lost_in_fifty_kills_during_import() {
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut line = Line::found(&["秘书处"]);
    let mut rows = 0;
    for round in 0..ROUNDS {
        let file = sheet::demands(line.folder(), rows, ROWS);
        rows += ROWS;
        let node = &mut line.nodes[0];
        let before = acknowledged(node);
        let mut import = node.begin(&["import", &file.to_string_lossy(), "--batch", "100"]);
        let begun = Instant::now();
        // At least one batch is acknowledged before the blow falls.
        while acknowledged(node) < before + 100 && begun.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(random.u64(..60)));
        let seen = acknowledged(node);
        assert!(seen >= before + 100, "seed {seed}, round {round}: no batch was acknowledged");
        node.kill();
        let _ = import.kill();
        let _ = import.wait();
        node.start();
        let status = node.status();
        let entries = status["entries"].as_u64().expect("a number");
        assert!(entries >= seen, "seed {seed}, round {round}: {seen} were acknowledged, {entries} are there");
        assert!(status["heads"][0]["forked_at"].is_null(), "seed {seed}, round {round}: the log forked");
        assert_eq!(status["complete"], true);
        // What was cut off is imported again: whatever had arrived is recognised by its number.
        if round % 10 == 9 {
            let report = node.run(&["import", &file.to_string_lossy()]).ok();
            let known = report["unchanged"].as_u64().expect("a number");
            assert_eq!(report["published"].as_u64().expect("a number") + known, ROWS as u64);
        }
    }
    let out = line.folder().join("all.bundle");
    let out = out.to_string_lossy().into_owned();
    line.nodes[0].run(&["export", "--out", &out]).ok();
    line.nodes[0].run(&["verify", &out]).ok();
}

#[test]
fn nothing_acknowledged_is_lost_in_twenty_power_cuts_during_import() {
    let mut disk = match Disk::new(DISK_MIB) {
        Ok(disk) => disk,
        Err(reason) => {
            eprintln!("skipped, it needs root and loop devices: {reason}");
            return;
        }
    };
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = tempfile::tempdir().expect("a temporary directory");
    let mut node = Node::init(disk.path().join("node"), "秘书处", "secretariat", &[]);
    node.run(&["charter", "create", "--federation", "测试联盟"]).ok();
    node.start();
    node.wait_ready_to_sign();
    for round in 0..POWER_CUTS {
        let file = sheet::demands(folder.path(), round * ROWS, ROWS);
        let before = acknowledged(&node);
        let mut import = node.begin(&["import", &file.to_string_lossy(), "--batch", "100"]);
        let begun = Instant::now();
        while acknowledged(&node) < before + 100 && begun.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(random.u64(..60)));
        let seen = acknowledged(&node);
        assert!(seen >= before + 100, "seed {seed}, round {round}: no batch was acknowledged");
        disk.cut().expect("the filesystem can be shut down");
        node.kill();
        let _ = import.kill();
        let _ = import.wait();
        disk.restore().expect("the filesystem can be mounted again");
        node.start();
        let status = node.status();
        let entries = status["entries"].as_u64().expect("a number");
        assert!(entries >= seen, "seed {seed}, round {round}: {seen} were acknowledged, {entries} are there");
        assert!(status["heads"][0]["forked_at"].is_null(), "seed {seed}, round {round}: the log forked");
    }
    node.kill();
}
