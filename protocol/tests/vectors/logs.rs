//! How logs grow: entries, blocks and proofs in some order, what becomes of each, and the frontier in the end.

use std::sync::Arc;

use protocol::charter::{Charter, Position, Purpose, SignedBlock};
use protocol::entry::{Entry, Header, VerifiedEntry};
use protocol::fork::ForkProof;
use protocol::identity::{ContentHash, EntryId, public_key};
use protocol::replica::Outcome;
use protocol::testing::{Organisation, Peer};
use serde_json::{Value, json};

use crate::acts::{add_key, key, kind_set, seal_key};
use crate::case::{File, Judged, Vector, bad, good, unhex};
use crate::charters::build;
use crate::erasures;
use crate::roster::{World, signed};

fn judge(vector: &Value) -> Judged {
    let charter = build(vector["charter"].as_array().expect("a list of blocks")).expect("a valid charter");
    let mut peer = Peer::new(&charter, charter.blocks().len());
    let mut outcomes = Vec::new();
    for step in vector["input"].as_array().expect("a list of steps") {
        outcomes.push(take(&mut peer, step[0].as_str().expect("what it is"), &unhex(&step[1])));
    }
    let last = outcomes.last().cloned().expect("there are steps");
    let decoded = json!({ "outcomes": outcomes, "staged": peer.replica.staged(), "frontier": frontier(&peer) });
    let fine = ["appended", "duplicate", "body-arrived", "staged", "block", "rival", "proof"].contains(&last.as_str());
    (if fine { "ok".into() } else { last }, Some(decoded))
}

fn take(peer: &mut Peer, what: &str, bytes: &[u8]) -> String {
    let federation = peer.replica.charter().federation();
    match what {
        "block" => {
            let before = peer.replica.charter().rival().cloned();
            peer.insert_block(&SignedBlock::decode(bytes).expect("a block"));
            if peer.replica.charter().rival() == before.as_ref() { "block".into() } else { "rival".into() }
        }
        "proof" => {
            peer.insert_proof(&ForkProof::decode(bytes, &federation).expect("a fork proof"));
            "proof".into()
        }
        _ => {
            let entry = Entry::decode(bytes).expect("an entry").verify(&federation).expect("a signed entry");
            outcome(peer.insert(&Arc::new(entry)))
        }
    }
}

/// The stable name of what became of an entry.
pub fn outcome(outcome: Outcome) -> String {
    match outcome {
        Outcome::Appended => "appended".into(),
        Outcome::Duplicate => "duplicate".into(),
        Outcome::BodyArrived => "body-arrived".into(),
        Outcome::Staged => "staged".into(),
        Outcome::Ignored(reason) => format!("ignored/{}", reason.name()),
        Outcome::Refused(reason) => format!("refused/{}", reason.name()),
        Outcome::Forked => "forked".into(),
        Outcome::Diverged => "diverged".into(),
    }
}

/// The frontier of a peer, with what is held beyond it.
pub fn frontier(peer: &Peer) -> Value {
    let frontier = peer.replica.frontier();
    let heads = frontier.heads.iter().map(|(log, head)| json!([log, head.length, head.id.to_string()]));
    let held = (0..peer.replica.charter().logs().len() as u32).map(|log| peer.replica.length(log));
    json!({
        "heads": heads.collect::<Vec<_>>(), "held": held.collect::<Vec<_>>(),
        "absent": absent(peer), "displaced": peer.shelf().attic().count(),
        "complete": peer.replica.is_complete(), "proofs": hex::encode(frontier.proofs),
        "digest": frontier.digest().to_string(),
    })
}

/// Log and sequence of every entry that stands in its log without its body.
fn absent(peer: &Peer) -> Vec<Value> {
    let bare = peer.shelf().entries().filter(|(_, entry)| entry.body().is_none());
    bare.map(|(log, entry)| json!([log, entry.header().sequence])).collect()
}

/// A chain of entries of `author` after `previous`; the branch tells chains apart.
pub fn chain(
    author: &Organisation,
    charter: &Charter,
    previous: Option<&Arc<VerifiedEntry>>,
    count: usize,
    branch: u8,
) -> Vec<Arc<VerifiedEntry>> {
    let mut chain: Vec<Arc<VerifiedEntry>> = Vec::new();
    for index in 0..count {
        let last = chain.last().or(previous);
        let mut body = vec![branch; 17];
        body[16] = index as u8;
        let time_ms = charter.tip_block().time_ms + index as u64;
        chain.push(author.entry(charter, last.map(|entry| &**entry), time_ms, 102, body));
    }
    chain
}

pub type Step = (&'static str, Vec<u8>);

pub fn entry(entry: &Arc<VerifiedEntry>) -> Step {
    ("entry", entry.encode())
}

pub fn entries<'a>(entries: impl IntoIterator<Item = &'a Arc<VerifiedEntry>>) -> Vec<Step> {
    entries.into_iter().map(entry).collect()
}

pub fn block(block: &SignedBlock) -> Step {
    ("block", block.encode())
}

fn proof(one: &VerifiedEntry, other: &VerifiedEntry) -> Step {
    ("proof", ForkProof::new(one, other).expect("they contradict each other").encode())
}

pub fn given(charter: &Charter, steps: impl IntoIterator<Item = Step>) -> Value {
    let blocks: Vec<String> = charter.blocks().iter().map(|block| hex::encode(block.encode())).collect();
    let steps: Vec<Value> = steps.into_iter().map(|(what, bytes)| json!([what, hex::encode(bytes)])).collect();
    json!({ "charter": blocks, "input": steps })
}

pub fn last_of(entry: &VerifiedEntry) -> Option<Position> {
    Some(Position { sequence: entry.header().sequence, id: entry.id() })
}

fn growth() -> Vec<Vector> {
    let world = World::new();
    let (charter, county) = (&world.charter, &world.members[1]);
    let main = chain(county, charter, None, 4, 1);
    let bare = ("entry", main[0].without_body().encode());
    let orphan = chain(county, charter, Some(&chain(county, charter, None, 1, 2)[0]), 1, 2);
    vec![
        good("entries in order", given(charter, entries(&main))),
        good("entries out of order wait and attach", given(charter, entries([&main[2], &main[1], &main[0]]))),
        good("a later entry waits", given(charter, entries([&main[3]]))),
        good("an entry again", given(charter, entries([&main[0], &main[0]]))),
        good("a body after its header", given(charter, [bare.clone(), entry(&main[0])])),
        good("a header after its body", given(charter, [entry(&main[0]), bare])),
        bad(
            "a predecessor that is not held",
            given(charter, entries([&main[0], &orphan[0]])),
            "diverged",
            "an entry names the held entry before it as its predecessor",
        ),
    ]
}

fn claims() -> Vec<Vector> {
    let mut world = World::new();
    let before = world.charter.clone();
    let county = world.members[1].clone();
    let stranger = Organisation::new("夏邑县", protocol::charter::Class::County, 4);
    world.append(vec![]);
    let (charter, time) = (&world.charter, world.charter.tip_block().time_ms);
    let ahead = county.entry(charter, None, time, 102, vec![1; 16]);
    let back = county.entry(&before, Some(&ahead), time, 102, vec![1; 16]);
    let early = county.entry(charter, None, time - 1, 102, vec![1; 16]);
    let foreign = stranger.entry(charter, None, time, 102, vec![1; 16]);
    let governance = signed_by_governance(&county, charter, time);
    let tip = &charter.blocks()[1];
    let main = chain(&county, charter, None, 3, 1);
    let renewed = Organisation { signing: key(60), ..county.clone() };
    let mut later = World { charter: charter.clone(), members: world.members.clone() };
    later.append(vec![seal_key(&county.signing, last_of(&main[0])), add_key(charter, 2, Purpose::Signing, &key(60))]);
    let too_old = renewed.entry(charter, None, time + 9_000, 102, vec![1; 16]);
    let sealed = later.charter.blocks()[2].clone();
    later.append(vec![seal_key(&county.signing, last_of(&main[2]))]);
    let moved = later.charter.blocks()[3].clone();
    later.append(vec![seal_key(&county.signing, None)]);
    let nothing = later.charter.blocks()[4].clone();
    let steps = |first: &[Step], then: Vec<Step>| given(charter, first.iter().cloned().chain(then));
    let beginning = [entry(&main[0]), block(&sealed)];
    vec![
        bad("names a later charter", given(&before, [entry(&ahead)]), "ignored/charter-ahead", "the charter is held"),
        good("named charter has come", given(&before, [entry(&ahead), block(tip), entry(&ahead)])),
        bad("key of nobody", given(charter, [entry(&foreign)]), "refused/unknown-key", "the key is a signing key"),
        bad(
            "key for governance",
            given(charter, [entry(&governance)]),
            "refused/unknown-key",
            "the key is for signing",
        ),
        bad(
            "charter before the grant",
            given(&later.charter, [entry(&too_old)]),
            "refused/before-grant",
            "an entry names the version that granted its key, or a later one",
        ),
        bad(
            "dated before its charter block",
            given(charter, [entry(&early)]),
            "refused/before-charter-time",
            "an entry is not dated before the block of the version that it names",
        ),
        bad(
            "charter version decreases",
            given(charter, entries([&ahead, &back])),
            "refused/charter-decreases",
            "the named version never decreases along a log",
        ),
        bad(
            "above the seal",
            steps(&beginning, vec![entry(&main[1])]),
            "ignored/above-seal",
            "an entry is not above the seal of its key",
        ),
        good("the seal moves up", steps(&beginning, vec![block(&moved), entry(&main[1]), entry(&main[2])])),
        good("the seal accepts nothing", steps(&beginning, vec![block(&moved), block(&nothing)])),
        good(
            "what is held above a seal does not count",
            given(charter, [entries(&main), vec![block(&sealed)]].concat()),
        ),
    ]
}

fn signed_by_governance(county: &Organisation, charter: &Charter, time: u64) -> Arc<VerifiedEntry> {
    let posing = Organisation { signing: county.governance.clone(), ..county.clone() };
    posing.entry(charter, None, time, 102, vec![1; 16])
}

fn forks() -> Vec<Vector> {
    let mut world = World::new();
    let county = world.members[1].clone();
    let charter = world.charter.clone();
    let main = chain(&county, &charter, None, 4, 1);
    let branch = chain(&county, &charter, Some(&main[1]), 2, 2);
    let low = chain(&county, &charter, Some(&main[0]), 1, 3);
    world.append(vec![seal_key(&county.signing, last_of(&branch[1]))]);
    let names_branch = world.charter.blocks()[1].clone();
    let mut other = World { charter: charter.clone(), members: world.members.clone() };
    other.append(vec![seal_key(&county.signing, last_of(&main[3]))]);
    let names_main = other.charter.blocks()[1].clone();
    let held = entries(&main);
    let steps = |then: Vec<Step>| given(&charter, held.iter().cloned().chain(then));
    let floating = [41, 42].map(|byte| floating_entry(&county, &charter, byte));
    vec![
        bad("a fork", steps(vec![entry(&branch[0])]), "forked", "a key signs one entry at each place"),
        good("a fork proof", steps(vec![proof(&main[2], &branch[0])])),
        good("a lower proof counts", steps(vec![proof(&main[2], &branch[0]), proof(&main[1], &low[0])])),
        good("a higher proof changes nothing", steps(vec![proof(&main[1], &low[0]), proof(&main[2], &branch[0])])),
        good("a proof that attaches to nothing", steps(vec![proof(&floating[0], &floating[1])])),
        bad(
            "a forked log does not grow",
            steps(vec![proof(&main[2], &branch[0]), entry(&chain(&county, &charter, Some(&main[3]), 1, 1)[0])]),
            "ignored/forked-log",
            "a log does not grow above its fork before a seal names a branch",
        ),
        good("a seal outranks the proof", steps(vec![proof(&main[2], &branch[0]), block(&names_main)])),
        good("a seal names the branch that is not held", steps(vec![block(&names_branch)])),
        good(
            "the sealed branch replaces the held one",
            steps(vec![block(&names_branch), entry(&branch[0]), entry(&branch[1])]),
        ),
        bad(
            "the branch that lost comes again",
            steps(vec![block(&names_branch), entry(&branch[0]), entry(&branch[1]), entry(&main[2])]),
            "forked",
            "a key signs one entry at each place",
        ),
        good(
            "a sealed entry that nobody holds",
            given(&charter, [entry(&main[0]), block(&names_main), entry(&main[1]), proof(&main[2], &branch[0])]),
        ),
    ]
}

/// An entry at sequence 1 whose predecessor nobody holds.
fn floating_entry(county: &Organisation, charter: &Charter, byte: u8) -> Arc<VerifiedEntry> {
    let body: Arc<[u8]> = Arc::from([byte; 16]);
    let header = Header {
        key: public_key(&county.signing),
        sequence: 1,
        previous: EntryId([6; 32]),
        charter: charter.version(),
        time_ms: charter.tip_block().time_ms,
        kind: 102,
        body_len: 16,
        body_hash: ContentHash::of(&body),
    };
    let entry = VerifiedEntry::sign(&county.signing, &charter.federation(), header, body);
    Arc::new(entry.expect("the header keeps every rule"))
}

/// Two valid blocks of one version enter the proof set, the lowest version of them.
fn rivals() -> Vec<Vector> {
    let mut world = World::new();
    let begun = world.charter.clone();
    let rivals = [kind_set(1, 1), kind_set(1, 2)].map(|operation| world.next(vec![operation]));
    let alone = signed(world.unsigned(vec![]), &[&world.members[0]], &begun.federation());
    world.append(vec![]);
    let second = world.charter.blocks()[1].clone();
    let higher = world.next(vec![kind_set(1, 3)]);
    world.append(vec![]);
    let (charter, third) = (world.charter.clone(), world.charter.blocks()[2].clone());
    let main = entries(&chain(&world.members[1], &begun, None, 2, 1));
    let steps = |then: Vec<Step>| given(&begun, main.iter().cloned().chain(then));
    vec![
        good("a rival block", steps(vec![block(&second), block(&rivals[0])])),
        good(
            "a third block of that version changes nothing",
            steps(vec![block(&second), block(&rivals[0]), block(&rivals[1])]),
        ),
        good("a rival of a higher version", given(&charter, main.iter().cloned().chain([block(&higher)]))),
        good("a rival of a lower version counts", given(&charter, [block(&higher), block(&rivals[0])])),
        good("a rival without enough signatures is none", steps(vec![block(&second), block(&alone)])),
        good(
            "the first of two rivals that came is the tip",
            steps(vec![block(&rivals[0]), block(&second), block(&third)]),
        ),
    ]
}

pub fn file() -> File {
    let vectors = [growth(), claims(), forks(), rivals(), erasures::vectors()].into_iter().flatten().collect();
    File {
        name: "logs",
        about: "How logs grow: a charter that is held, then steps; the verdict is the outcome of the last step, and \
                `decoded` holds every outcome and the frontier after it. SPEC.md, sections 9 and 10.",
        judge,
        vectors,
    }
}
