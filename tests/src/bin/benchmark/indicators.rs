//! Indicators of 800 members: what a question costs where the contributions of the records are held, against taking them
//! out of the records anew; and at a real node, live, after a change, and computed from the entries.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use harness::node::wait;
use protocol::charter::Charter;
use protocol::identity::{EntryId, MemberNumber};
use protocol::indicator::{Definitions, Facts, Roster, evaluate, facts};
use protocol::kind::KindSet;
use protocol::kind::condition::Alone;
use protocol::value::{Date, Value};
use protocol::view::{Label, RecordState};

use crate::catch_up::{entries, federation, fill, member};

/// Questions of which the mean counts.
const RUNS: usize = 10;
const MEMBERS: usize = 800;
/// Kinds of the records, as often as they stand here: most are information, some are what figures look at closely.
const KINDS: [&str; 10] =
    ["resource", "demand", "resource", "project", "demand", "land_parcel", "progress", "event", "resource", "training"];

pub fn run(records: usize) {
    let (charter, organisations) = federation();
    in_memory(records, &charter);
    let entries = entries(&charter, &organisations, records / MEMBERS);
    let folder = tempfile::tempdir().expect("a temporary directory");
    let mut node = member(folder.path().join("node"), &charter, &organisations[0], &[]);
    fill(&node, &charter, &entries);
    let begun = Instant::now();
    node.start();
    wait("every record is in the figures", Duration::from_secs(600), || node.get("/v1/indicators")["complete"] == true);
    println!(
        "  at a node with {} entries: all of them in {:.1} s after the start",
        entries.len(),
        begun.elapsed().as_secs_f64()
    );
    println!("  an answer of the node, from memory: {:.0} ms", mean(|| node.get("/v1/indicators")) * 1_000.0);
    let as_of = node.get("/v1/indicators")["as_of_ms"].as_u64().unwrap_or_default() - 3_600_000;
    let begin = Instant::now();
    let past = node.get(&format!("/v1/indicators?as_of={as_of}"));
    println!("  as of an hour ago, from the entries: {:.2} s", begin.elapsed().as_secs_f64());
    let again = mean(|| node.get(&format!("/v1/indicators?as_of={as_of}")));
    println!(
        "  the same again: {:.0} ms ({} indicators)",
        again * 1_000.0,
        past["indicators"].as_array().map_or(0, Vec::len)
    );
    node.stop();
}

fn in_memory(records: usize, charter: &Charter) {
    let definitions = Definitions::builtin();
    let as_of_ms = Date::new(2026, 6, 15).expect("a day").start_ms();
    let roster = Roster::of(charter, as_of_ms);
    let states: Vec<RecordState> = (0..records).map(record).collect();
    let taken = |state: &RecordState| {
        let kind = KindSet::builtin().kind(state.kind)?;
        let nothing = |_: MemberNumber, _: u16, _: &str| None;
        facts(definitions, kind, state, state.label.member, &Alone { kind, as_of_ms }, &nothing)
    };
    let begin = Instant::now();
    let mut held: BTreeMap<EntryId, Facts> =
        states.iter().filter_map(|state| Some((state.id, taken(state)?))).collect();
    let made = begin.elapsed().as_secs_f64();
    let evaluated = |held: &BTreeMap<EntryId, Facts>| evaluate(definitions, held, &roster, as_of_ms, &|_| None);
    let asked = mean(|| evaluated(&held));
    let begin = Instant::now();
    let changed = record(records);
    held.extend(taken(&changed).map(|facts| (changed.id, facts)));
    black_box(evaluated(&held));
    let incremental = begin.elapsed().as_secs_f64();
    let figures = evaluated(&held);
    let committed = mean(|| figures.iter().map(|figure| figure.commitment()).collect::<Vec<_>>());
    println!("indicators: {} records of {} members", held.len(), charter.members().len());
    println!("  all figures from what is held: {:.0} ms (target: under 1,000)", asked * 1_000.0);
    println!("  after one record more: {:.0} ms", incremental * 1_000.0);
    println!(
        "  baseline, contributions taken out of every record anew: {:.0} ms, ratio {:.1}",
        (made + asked) * 1_000.0,
        (made + asked) / asked
    );
    println!("  sets of records for a bulletin: {:.0} ms", committed * 1_000.0);
}

fn mean<T>(mut work: impl FnMut() -> T) -> f64 {
    let begin = Instant::now();
    for _ in 0..RUNS {
        black_box(work());
    }
    begin.elapsed().as_secs_f64() / RUNS as f64
}

fn record(index: usize) -> RecordState {
    let kind = KindSet::builtin().kind_named(KINDS[index % KINDS.len()]).expect("built in");
    let day = format!("2026-{:02}-{:02}", index % 6 + 1, index % 27 + 1);
    let cells = [
        ("name", format!("第{index}号")),
        ("investment", format!("{}", index % 30 + 1)),
        ("land", format!("{}", index % 900 + 1)),
        ("fixed_investment", format!("{}", index % 20 + 1)),
        ("paid_in", format!("{}", index % 9 + 1)),
        ("paid_in_basis", "本期".to_owned()),
        ("counties", "411426;500236".to_owned()),
        ("signed_on", day.clone()),
        ("held_on", day.clone()),
        ("person_times", format!("{}", index % 200)),
        ("stage", "签约".to_owned()),
        ("state", if kind.name() == "event" { "已举办" } else { "" }.to_owned()),
    ];
    let mut fields: BTreeMap<u16, Value> = BTreeMap::new();
    for (name, text) in cells {
        if let Some(field) = kind.fields().find(|field| field.name == name) {
            let value = field.parse(&text).unwrap_or_else(|broken| panic!("{name}: {broken}"));
            fields.extend(value.map(|value| (field.number, value)));
        }
    }
    let label = Label { member: MemberNumber((index % MEMBERS) as u32 + 1), serial: (index / MEMBERS) as u64 + 1 };
    RecordState {
        id: EntryId(*blake3::hash(&index.to_le_bytes()).as_bytes()),
        label,
        kind: kind.number(),
        kind_set: 1,
        external: None,
        fields,
        created_ms: index as u64,
        changed_ms: index as u64,
        versions: 1,
        withdrawn: None,
        sealing: None,
    }
}
