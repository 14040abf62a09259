//! Flipped bytes: in an exported file, and in sled's own file.

use harness::node::{Line, WAIT, wait_equal};
use harness::{seed, sheet};

#[test]
fn one_flipped_byte_in_an_export_is_found_and_named() {
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    let line = Line::found(&["秘书处"]);
    let node = &line.nodes[0];
    let file = sheet::demands(line.folder(), 0, 50);
    node.run(&["import", &file.to_string_lossy()]).ok();
    let out = line.folder().join("all.bundle");
    let out = out.to_string_lossy().into_owned();
    node.run(&["export", "--out", &out]).ok();
    node.run(&["verify", &out]).ok();
    let good = std::fs::read(&out).expect("the export is there");
    for round in 0..40 {
        let mut bad = good.clone();
        let at = random.usize(..bad.len());
        bad[at] ^= 1 << random.u8(..8);
        let path = line.folder().join("bad.bundle");
        std::fs::write(&path, &bad).expect("a temporary folder can be written to");
        let outcome = node.run(&["verify", &path.to_string_lossy()]);
        let place = format!("seed {seed}, round {round}, byte {at}: {}", outcome.errors);
        // The first bytes say what kind of file it is.
        let expected: &[i32] = if at < 12 { &[5, 10] } else { &[10] };
        assert!(expected.contains(&outcome.code), "{place}");
    }
    // Deep inside the last entries' frames the entry itself is named.
    let mut bad = good.clone();
    let at = bad.len() - 300;
    bad[at] ^= 1;
    let path = line.folder().join("named.bundle");
    std::fs::write(&path, &bad).expect("a temporary folder can be written to");
    let outcome = node.run(&["verify", &path.to_string_lossy()]);
    assert_eq!(outcome.code, 10);
    assert!(outcome.errors.contains("秘书处"), "the entry's member is named: {}", outcome.errors);
}

#[test]
fn one_flipped_byte_in_the_store_is_never_served() {
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut line = Line::found(&["秘书处", "奉节县"]);
    let file = sheet::demands(line.folder(), 0, 400);
    line.nodes[0].run(&["import", &file.to_string_lossy()]).ok();
    let file = sheet::demands(line.folder(), 400, 400);
    line.nodes[1].run(&["import", &file.to_string_lossy()]).ok();
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    for round in 0..20 {
        line.nodes[1].stop();
        let database = line.nodes[1].directory().join("store").join("db");
        let mut bytes = std::fs::read(&database).expect("sled keeps its file there");
        // The file is mostly room that was never written to; a flip there proves little.
        let written: Vec<usize> = (0..bytes.len()).filter(|index| bytes[*index] != 0).collect();
        let at = written[random.usize(..written.len())];
        bytes[at] ^= 1 << random.u8(..8);
        std::fs::write(&database, &bytes).expect("the file can be written to");
        line.nodes[1].start();
        wait_equal(&[&line.nodes[0], &line.nodes[1]], WAIT);
        let records = line.nodes[1].status()["records"].clone();
        assert_eq!(records, 800, "seed {seed}, round {round}, byte {at}");
        let out = line.folder().join(format!("round-{round}.bundle"));
        let out = out.to_string_lossy().into_owned();
        line.nodes[1].run(&["export", "--out", &out]).ok();
        line.nodes[1].run(&["verify", &out]).ok();
        let first = line.nodes[1].run(&["show", "T000000"]);
        assert!(first.code == 0 || first.code == 6, "seed {seed}, round {round}: {}", first.errors);
    }
}
