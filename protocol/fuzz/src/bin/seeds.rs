//! Writes inputs to begin with, from what is real: the export among the test vectors, and what `protocol` itself lays out.
//!
//! `cargo run --release --bin seeds -- DIRECTORY` makes a directory for each target in it.

use std::fs;
use std::path::{Path, PathBuf};

use protocol::beacon::relay::Message as RelayMessage;
use protocol::bundle::{FrameType, Frames};
use protocol::charter::SignedBlock;
use protocol::entry::Entry;
use protocol::kind::KindSet;

const SAMPLE: &[u8] = include_bytes!("../../../vectors/sample.bundle");

fn main() -> std::io::Result<()> {
    let directory = PathBuf::from(std::env::args().nth(1).expect("where to write is the first argument"));
    write(&directory, "bundle", SAMPLE)?;
    let (_, mut frames) = Frames::open(SAMPLE).expect("the sample is a bundle");
    while let Some(frame) = frames.next_frame().expect("the sample is whole") {
        match frame.frame_type {
            FrameType::Block => {
                write(&directory, "block", frame.content)?;
                let block = SignedBlock::decode(frame.content).expect("a block");
                let bare = block.block().encode();
                write(&directory, "block", &bare)?;
                write(
                    &directory,
                    "proposal",
                    &[&[9; 16], &[1][..], &(bare.len() as u32).to_le_bytes(), &bare].concat(),
                )?;
            }
            FrameType::Entry => {
                write(&directory, "entry", frame.content)?;
                let entry = Entry::decode(frame.content).expect("an entry");
                // Bodies of every kind: each of the readers refuses those of others.
                for target in ["statement", "erasure", "addresses", "lead-token", "proposal", "sealed"] {
                    entry.body().map_or(Ok(()), |body| write(&directory, target, body))?;
                }
                write(&directory, "sync-chunk", &[&[0; 4], frame.content].concat())?;
            }
            FrameType::Proof => write(&directory, "proofs", frame.content)?,
            _ => {}
        }
    }
    for message in [
        RelayMessage::Greet { alone: true },
        RelayMessage::Ask { nonce: 7 },
        RelayMessage::Tell { nonce: 7, clock_ms: 1_800_000_000_000 },
    ] {
        write(&directory, "beacon-relay", &message.encode())?;
    }
    for (index, kind) in KindSet::builtin().kinds().enumerate() {
        for (place, field) in kind.fields().enumerate().filter(|(_, field)| field.example.is_some()) {
            let example = field.example.as_deref().unwrap_or_default();
            write(&directory, "cell", &[&[index as u8, place as u8], example.as_bytes()].concat())?;
        }
    }
    for target in ["sync-message", "sync-heads", "beacon", "application", "lead-exchange"] {
        write(&directory, target, &[1, 0, 0, 0, 2, 0, 0, 0])?;
    }
    Ok(())
}

/// A file by the hash of its content, as the fuzzer names them, so that nothing is there twice.
fn write(directory: &Path, target: &str, content: &[u8]) -> std::io::Result<()> {
    let name = content
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    fs::create_dir_all(directory.join(target))?;
    fs::write(directory.join(target).join(format!("{name:016x}")), content)
}
