//! Bundles: whole files, verified from the first byte to the last, and the sample that is checked in.

use std::sync::Arc;

use protocol::bundle::{BundleError, EndCheck, FRAME_HEAD_BYTES, FrameType, Frames, PREAMBLE_BYTES, Writer};
use protocol::charter::{Charter, Departure, Operation, Position, Seal, SignedBlock};
use protocol::entry::{Entry, VerifiedEntry};
use protocol::fork::ForkProof;
use protocol::identity::{FederationId, MemberNumber, public_key};
use protocol::statement::Statement;
use protocol::testing::Peer;
use protocol::value::Value as FieldValue;
use serde_json::{Value, json};

use crate::case::{self, File, Judged, bad, bytes, directory, good, input, with};
use crate::charters;
use crate::logs::{chain, frontier, outcome};
use crate::roster::{self, World};

const SAMPLE: &str = "sample.bundle";

fn judge(vector: &Value) -> Judged {
    let file = match vector["file"].as_str() {
        Some(name) => std::fs::read(directory().join(name)).unwrap_or_else(|_| sample()),
        None => bytes(vector, "input"),
    };
    match verify(&file) {
        Ok(decoded) => ("ok".into(), Some(decoded)),
        Err(verdict) => (verdict, None),
    }
}

/// Everything that a file says is checked in the order in which it says it; the end comes last.
fn verify(file: &[u8]) -> Result<Value, String> {
    let (federation, mut frames) = Frames::open(file).map_err(|error| name(&error))?;
    let mut check = EndCheck::default();
    check.preamble(&file[..PREAMBLE_BYTES]);
    let mut content = Content { federation, charter: None, peer: None, proofs: false };
    loop {
        let start = frames.offset();
        let frame = frames.next_frame().map_err(|error| name(&error))?.ok_or("bundle/cut")?;
        if frame.frame_type == FrameType::End {
            check.finish(frame.content).map_err(|error| name(&error))?;
            break;
        }
        let head = file[start..start + FRAME_HEAD_BYTES].try_into().expect("five bytes");
        check.frame(&head, frame.content);
        content.take(frame.frame_type, frame.content)?;
    }
    if frames.offset() != file.len() {
        return Err(name(&BundleError::End));
    }
    let peer = content.peer()?;
    let members = peer.replica.charter().logs().iter().map(|log| {
        json!([log.number, log.member.0, peer.replica.length(log.number), peer.replica.effective_length(log.number)])
    });
    Ok(json!({ "federation": federation.to_string(), "logs": members.collect::<Vec<_>>(), "frontier": frontier(peer) }))
}

struct Content {
    federation: FederationId,
    charter: Option<Charter>,
    peer: Option<Peer>,
    proofs: bool,
}

impl Content {
    fn take(&mut self, frame_type: FrameType, content: &[u8]) -> Result<(), String> {
        match frame_type {
            FrameType::Block => self.block(content),
            FrameType::Entry => {
                let entry = Entry::decode(content).and_then(|entry| entry.verify(&self.federation));
                let entry = Arc::new(entry.map_err(|error| case::entry(&error))?);
                if self.proofs {
                    return Err("bundle/order".into());
                }
                match outcome(self.peer()?.insert(&entry)).as_str() {
                    "appended" | "ignored/above-seal" => Ok(()),
                    other => Err(other.into()),
                }
            }
            FrameType::Proof => {
                let proof = ForkProof::decode(content, &self.federation).map_err(|error| case::fork(&error))?;
                self.proofs = true;
                self.peer()?.insert_proof(&proof);
                Ok(())
            }
            FrameType::Claim | FrameType::Attestation | FrameType::End => Ok(()),
        }
    }

    fn block(&mut self, content: &[u8]) -> Result<(), String> {
        let block = SignedBlock::decode(content).map_err(|error| case::layout(&error))?;
        if self.peer.is_some() {
            return Err("bundle/order".into());
        }
        match &mut self.charter {
            Some(charter) => charters::next(charter, block),
            None => {
                let charter = Charter::genesis(block).map_err(|error| roster::error(&error))?;
                let named = charter.federation() == self.federation;
                self.charter = Some(charter);
                if named { Ok(()) } else { Err("bundle/federation".into()) }
            }
        }
    }

    fn peer(&mut self) -> Result<&mut Peer, String> {
        let charter = self.charter.as_ref().ok_or("bundle/order")?;
        Ok(self.peer.get_or_insert_with(|| Peer::new(charter, charter.blocks().len())))
    }
}

fn name(error: &BundleError) -> String {
    match error {
        BundleError::Magic => "bundle/magic".into(),
        BundleError::FrameType { .. } => "bundle/frame-type".into(),
        BundleError::FrameLength { .. } => "bundle/frame-length".into(),
        BundleError::Cut { .. } => "bundle/cut".into(),
        BundleError::End => "bundle/end".into(),
        BundleError::Layout(error) => case::layout(error),
    }
}

fn write(federation: &FederationId, frames: &[(FrameType, Vec<u8>)]) -> Vec<u8> {
    let (mut writer, mut file) = Writer::new(federation);
    frames.iter().for_each(|(frame_type, content)| writer.frame(*frame_type, content, &mut file));
    writer.finish(&mut file);
    file
}

fn frames<'a>(
    charter: &Charter,
    entries: impl IntoIterator<Item = &'a Arc<VerifiedEntry>>,
) -> Vec<(FrameType, Vec<u8>)> {
    let blocks = charter.blocks().iter().map(|block| (FrameType::Block, block.encode()));
    blocks.chain(entries.into_iter().map(|entry| (FrameType::Entry, entry.encode()))).collect()
}

/// Three members. The secretariat writes addresses and records, the county forks its log, the fund is expelled.
fn sample() -> Vec<u8> {
    let mut world = World::new();
    let [secretariat, county, fund] = world.members.clone();
    let charter = world.charter.clone();
    let time = charter.tip_block().time_ms;
    let mut first: Vec<Arc<VerifiedEntry>> = Vec::new();
    let addresses = protocol::address::Addresses {
        transport: public_key(&secretariat.transport),
        addresses: vec!["/ip4/127.0.0.1/tcp/4001".into()],
    };
    first.push(secretariat.entry(&charter, None, time, protocol::address::KIND_ADDRESS, addresses.encode([1; 16])));
    for index in 0..6u8 {
        let fields = [(1, FieldValue::Text(format!("资源 {index}"))), (2, FieldValue::Boolean(index % 2 == 0))].into();
        let statement = match index {
            4 => Statement::revise([index; 16], 1, first[1].id(), fields, [9].into()),
            5 => Statement::withdraw([index; 16], 1, first[2].id(), Some("已落地".into())),
            _ => Statement::create([index; 16], 1, Some(format!("ZY{index:03}")), fields),
        };
        let body = statement.encode().expect("the statement keeps every rule");
        first.push(secretariat.entry(&charter, first.last().map(|entry| &**entry), time + 1_000, 101, body));
    }
    let bare = Arc::new(first[3].without_body());
    first[3] = bare;
    let forked = chain(&county, &charter, None, 6, 1);
    let branch = chain(&county, &charter, Some(&forked[3]), 1, 2);
    let left = chain(&fund, &charter, None, 4, 3);
    let last = Position { sequence: 3, id: left[3].id() };
    let seal = Seal { key: public_key(&fund.signing), last: Some(last) };
    world.append(vec![Operation::Expel(Departure {
        member: MemberNumber(3),
        reason: "不履行义务".into(),
        seals: vec![seal],
    })]);
    let charter = &world.charter;
    let after = chain(&secretariat, charter, first.last(), 3, 4);
    let entries = first.iter().chain(&after).chain(&forked).chain(&left);
    let mut frames = frames(charter, entries);
    let proof = ForkProof::new(&forked[4], &branch[0]).expect("they contradict each other");
    frames.push((FrameType::Proof, proof.encode()));
    write(&charter.federation(), &frames)
}

/// Writes the sample or compares it with what is there.
pub fn settle_sample(write: bool) {
    let path = directory().join(SAMPLE);
    if write {
        std::fs::write(&path, sample()).expect("the directory of the vectors can be written");
    }
    let held = std::fs::read(&path).expect("the sample is there");
    assert!(held == sample(), "{SAMPLE} is not what the code generates");
}

pub fn file() -> File {
    let world = World::new();
    let charter = &world.charter;
    let federation = charter.federation();
    let entries = chain(&world.members[1], charter, None, 3, 1);
    let rival = chain(&world.members[1], charter, None, 1, 2);
    let all = frames(charter, &entries);
    let whole = write(&federation, &all);
    let block_length = all[0].1.len();
    let entry_start = PREAMBLE_BYTES + FRAME_HEAD_BYTES + block_length;
    let entry_at = |index: usize| entry_start + index * (FRAME_HEAD_BYTES + all[1].1.len());
    let end = whole.len() - 45;
    let given = |frames: &[(FrameType, Vec<u8>)]| input(write(&federation, frames));
    let damaged = |index: usize, offset: usize| {
        let place = entry_at(index) + FRAME_HEAD_BYTES + offset;
        input(with(&whole, place, &[whole[place] ^ 1]))
    };
    let proof = (FrameType::Proof, ForkProof::new(&entries[0], &rival[0]).expect("a fork").encode());
    let cut = "the file ends with its end frame";
    let vectors = vec![
        good("sample", json!({ "file": SAMPLE })),
        good("one block, three entries", input(&whole)),
        good("one block, three entries, one proof", given(&[all.clone(), vec![proof.clone()]].concat())),
        good("charter only", given(&all[..1])),
        bad("other magic", input(with(&whole, 11, &[2])), "bundle/magic", "a file begins with the magic of layout 1"),
        bad("shorter than its preamble", input(&whole[..43]), "bundle/magic", "a file names its federation"),
        bad("frame type 6", input(with(&whole, entry_start, &[6])), "bundle/frame-type", "types are 1 to 5 and 255"),
        bad(
            "entry frame of 187 bytes",
            input(with(&whole, entry_start + 1, &[187, 0, 0, 0])),
            "bundle/frame-length",
            "an entry frame has 188 to 65,724 bytes",
        ),
        bad("cut inside a frame", input(&whole[..entry_start + 30]), "bundle/cut", cut),
        bad("cut between two frames", input(&whole[..entry_start]), "bundle/cut", cut),
        bad("cut before the end frame", input(&whole[..end]), "bundle/cut", cut),
        bad("end counts wrong", input(with(&whole, end + 5, &[9])), "bundle/end", "the end frame counts the frames"),
        bad(
            "end hash wrong",
            input(with(&whole, end + 13, &[!whole[end + 13]])),
            "bundle/end",
            "it hashes all before it",
        ),
        bad("bytes after the end", input([&whole[..], &[0]].concat()), "bundle/end", "nothing follows the end frame"),
        bad(
            "another federation",
            input(with(&whole, 12, &[!whole[12]])),
            "bundle/federation",
            "the federation is the hash of the genesis block",
        ),
        bad("damaged header", damaged(1, 80), "entry/signature", "every entry is signed"),
        bad("damaged signature", damaged(1, 130), "entry/signature", "every entry is signed"),
        bad("damaged body", damaged(2, 190), "entry/body-hash", "a body is the one that its header names"),
        bad("an entry is missing", given(&[&all[..2], &all[3..]].concat()), "staged", "a log has no gap"),
        bad("entries exchanged", given(&[&all[..1], &all[2..3], &all[1..2]].concat()), "staged", "a log ascends"),
        bad("an entry twice", given(&[&all[..2], &all[1..2]].concat()), "duplicate", "each entry comes once"),
        bad(
            "a block after an entry",
            given(&[&all[..2], &all[..1]].concat()),
            "bundle/order",
            "blocks come before entries, entries before proofs",
        ),
        bad("an entry before the charter", given(&all[1..]), "bundle/order", "blocks come before entries"),
        bad(
            "an entry after a proof",
            given(&[&all[..2], &[proof], &all[2..]].concat()),
            "bundle/order",
            "blocks come before entries, entries before proofs",
        ),
        bad(
            "a forked log shown twice",
            given(&[&all[..2], &[(FrameType::Entry, rival[0].encode())]].concat()),
            "forked",
            "one branch of a log is exported, and the proof of its fork",
        ),
    ];
    File {
        name: "bundles",
        about: "Whole bundles, checked from the first byte to the last, the end frame last. `logs` holds number, member, \
                entries held and entries that count. SPEC.md, section 11.",
        judge,
        vectors,
    }
}
