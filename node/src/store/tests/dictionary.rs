//! Makes and judges the dictionary of bodies.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::super::dictionary::{pack, unpack};
use super::bodies::{Sample, body, samples};

/// Bodies that a dictionary is trained on.
const TRAINING_BODIES: usize = 12_000;
const DICTIONARY_BYTES: usize = 16 * 1024;

fn train(samples: &[Sample], seed: u64, bytes: usize) -> Vec<u8> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut random = fastrand::Rng::with_seed(seed);
    let names: Vec<_> = (0..TRAINING_BODIES)
        .map(|index| {
            let path = directory.path().join(format!("{index:05}"));
            fs::write(&path, body(samples, &mut random).1).expect("the file is written");
            path
        })
        .collect();
    let list = directory.path().join("list");
    let text: Vec<String> = names.iter().map(|path| path.display().to_string()).collect();
    fs::write(&list, text.join("\n")).expect("the file is written");
    let out = directory.path().join("dictionary");
    let done = Command::new("zstd")
        .args(["--train", "-q", "--maxdict", &bytes.to_string(), "--dictID", "1", "--filelist"])
        .args([&list, Path::new("-o"), &out])
        .status()
        .expect("the command `zstd` is there");
    assert!(done.success());
    fs::read(out).expect("zstd wrote it")
}

#[test]
#[ignore = "writes body.dictionary; entries stored before would need the old one"]
fn make_the_dictionary() {
    let dictionary = train(&samples(), 1, DICTIONARY_BYTES);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/body.dictionary");
    fs::write(path, dictionary).expect("the dictionary is written");
}

/// Trained on every other sample, how well does it do on the rest?
#[test]
#[ignore = "a measurement"]
fn measure_on_samples_that_the_dictionary_has_not_seen() {
    let (seen, unseen): (Vec<_>, Vec<_>) = samples().into_iter().enumerate().partition(|(index, _)| index % 2 == 0);
    let plain = |part: Vec<(usize, Sample)>| part.into_iter().map(|(_, sample)| sample).collect::<Vec<_>>();
    let (seen, unseen) = (plain(seen), plain(unseen));
    let mut random = fastrand::Rng::with_seed(7);
    let bodies: Vec<Vec<u8>> = (0..5_000).map(|_| body(&unseen, &mut random).1).collect();
    let total: usize = bodies.iter().map(Vec::len).sum();
    println!("bodies of {} bytes", total / bodies.len());
    for bytes in [0, 4, 8, 16, 24, 32].map(|kib| kib * 1024) {
        let dictionary = if bytes == 0 { Vec::new() } else { train(&seen, 1, bytes) };
        for level in [1, 3, 6, 9, 12, 19] {
            let mut compressor =
                zstd::bulk::Compressor::with_dictionary(level, &dictionary).expect("the dictionary is one");
            compressor.include_contentsize(false).expect("zstd can");
            compressor.include_dictid(false).expect("zstd can");
            let start = std::time::Instant::now();
            let packed: usize =
                bodies.iter().map(|body| compressor.compress(body).map_or(body.len(), |packed| packed.len())).sum();
            let us = start.elapsed().as_micros() as f64 / bodies.len() as f64;
            println!("dictionary {bytes}: level {level}: {} bytes, {us:.1} us", packed / bodies.len());
        }
    }
}

#[test]
fn bodies_survive_a_round_trip() {
    let samples = samples();
    let mut random = fastrand::Rng::with_seed(3);
    for length in 16..200 {
        let noise: Vec<u8> = (0..length).map(|_| random.u8(..)).collect();
        for bytes in [noise, body(&samples, &mut random).1] {
            let (form, packed) = pack(&bytes);
            assert!(packed.len() <= bytes.len());
            assert_eq!(unpack(form, &packed, bytes.len()).as_deref(), Some(bytes.as_slice()));
            assert_eq!(unpack(form, &packed, bytes.len() - 1), None);
        }
    }
}
