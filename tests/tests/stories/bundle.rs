//! Sneaker-net: an export read into another node, and verified by a program in another language.

use std::process::Command;

use harness::node::Line;
use harness::program::workspace;
use harness::sheet;

#[test]
fn an_export_read_in_elsewhere_gives_the_same_state() {
    let mut line = Line::found(&["秘书处", "奉节县"]);
    // From here on the two never meet.
    line.nodes[0].stop();
    let file = sheet::demands(line.folder(), 0, 300);
    line.nodes[1].run(&["import", &file.to_string_lossy()]).ok();
    let out = line.folder().join("all.bundle");
    let out = out.to_string_lossy().into_owned();
    line.nodes[1].run(&["export", "--out", &out]).ok();
    let log = line.nodes[1].status()["heads"][1].clone();
    line.nodes[1].stop();
    line.nodes[0].start();
    let report = line.nodes[0].run(&["import-bundle", &out]).ok();
    assert_eq!(report["entries_new"], 300, "{report}");
    // The restarted node states its new address in its own log; the other's log is the same to the last entry.
    let status = line.nodes[0].status();
    assert_eq!((&status["heads"][1], &status["records"]), (&log, &300.into()));
    let again = line.nodes[0].run(&["import-bundle", &out]).ok();
    assert_eq!(again["entries_new"], 0);
}

#[test]
fn a_program_in_another_language_agrees_on_an_export() {
    let python = std::env::var("XIANMENG_PYTHON").unwrap_or_else(|_| "python3".into());
    let script = workspace().join("tests").join("python").join("verify_bundle.py");
    let has_packages = Command::new(&python).args(["-c", "import blake3, cryptography"]).output();
    if !has_packages.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: {python} lacks the packages of tests/python/requirements.txt");
        return;
    }
    let line = Line::found(&["秘书处", "奉节县"]);
    let file = sheet::demands(line.folder(), 0, 40);
    line.nodes[1].run(&["import", &file.to_string_lossy()]).ok();
    let out = line.folder().join("all.bundle");
    line.nodes[1].run(&["export", "--out", &out.to_string_lossy()]).ok();
    let good = Command::new(&python).arg(&script).arg(&out).output().expect("python runs");
    let text = String::from_utf8_lossy(&good.stdout).into_owned();
    assert!(good.status.success(), "{text}{}", String::from_utf8_lossy(&good.stderr));
    assert!(text.contains(&line.nodes[1].digest()), "the digests differ: {text}");
    let mut bytes = std::fs::read(&out).expect("the export is there");
    let at = bytes.len() - 200;
    bytes[at] ^= 1;
    std::fs::write(&out, bytes).expect("the export can be changed");
    let bad = Command::new(&python).arg(&script).arg(&out).output().expect("python runs");
    assert_eq!(bad.status.code(), Some(10), "{}", String::from_utf8_lossy(&bad.stdout));
}

#[test]
fn an_audit_bundle_of_another_member_is_whole_and_attested() {
    let line = Line::found(&["秘书处", "奉节县"]);
    let file = sheet::demands(line.folder(), 0, 40);
    line.nodes[1].run(&["import", &file.to_string_lossy()]).ok();
    let out = line.folder().join("audit.bundle");
    let out = out.to_string_lossy().into_owned();
    // The secretariat's node audits the county, as soon as it holds what the county published and has heard its beacon.
    let mut written = None;
    for _ in 0..60 {
        if line.nodes[0].digest() == line.nodes[1].digest() {
            let _ = std::fs::remove_file(&out);
            let report = line.nodes[0].run(&["audit", "bundle", "2", "--out", &out]).ok();
            let attested = report["audit"]["attestations"].as_array().is_some_and(|all| !all.is_empty());
            written = Some(report);
            if attested {
                break;
            }
        }
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
    let report = written.expect("the two nodes agree");
    let audit = &report["audit"];
    assert_eq!((&audit["result"], &audit["member_name"]), (&"COMPLETE".into(), &"奉节县".into()));
    assert_eq!(audit["attestations"][0]["member"], 2, "{audit}");
    let frontier = audit["frontier"].as_str().expect("it is text").to_owned();
    let verified = line.nodes[0].run(&["verify", &out, "--expect-frontier", &frontier]).ok();
    assert_eq!(verified["audit"]["result"], "COMPLETE");
    line.nodes[0].run(&["verify", &out, "--expect-frontier", &"0".repeat(64)]).failed(10);
    // What lies there is never overwritten.
    line.nodes[0].run(&["audit", "bundle", "2", "--out", &out]).failed(5);
}
