//! Matching: how long it takes to fill the catalogue and to ask it, on one processor and on all, against making the
//! profiles anew for each question; and how long a real node with as many records takes for an answer.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::node::wait;
use protocol::charter::Charter;
use protocol::entry::VerifiedEntry;
use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::{Kind, KindSet};
use protocol::matching::{Catalogue, Fresh, Profile, Question, Rules, Search, Sifted, texts_of};
use protocol::statement::Statement;
use protocol::testing::Organisation;
use protocol::value::{Date, Value};
use protocol::view::{Label, RecordState};
use rayon::prelude::*;

use crate::catch_up::{federation, fill, member};

/// Questions of which the mean counts.
const RUNS: usize = 5;
/// Demands that a node is asked about.
const DEMANDS: usize = 15;
/// Records whose profiles are made anew for the baseline.
const ANEW: usize = 20_000;
/// Kinds of the records, as often as they stand here.
const KINDS: [&str; 8] =
    ["land_parcel", "resource", "project", "fund", "facility", "land_parcel", "resource", "funding_need"];
const CODES: [&str; 10] = ["3841", "3842", "3825", "1713", "593", "6513", "3441", "2710", "1432", "786"];
const DIVISIONS: [&str; 6] = ["411426", "500236", "430482", "371422", "330106", "620123"];
const WORDS: [&str; 6] = ["磷酸铁锂电芯", "生态印染", "脐橙冷藏", "人工智能", "泵体加工", "健身器材"];

pub fn run(records: usize) {
    let begun = Instant::now();
    let mut catalogue = Catalogue::default();
    let mut made = 0.0;
    for index in 0..records {
        let state = record(index);
        let begin = Instant::now();
        let profile = Profile::of(Rules::builtin(), KindSet::builtin(), &state, "");
        profile.into_iter().for_each(|profile| catalogue.put(profile));
        made += begin.elapsed().as_secs_f64();
    }
    println!("matching: {} records in the catalogue", catalogue.len());
    println!("  a profile takes {} bytes", size_of::<Profile>());
    println!(
        "  made and put: {:.0} records/s ({:.1} s with making the records)",
        records as f64 / made,
        begun.elapsed().as_secs_f64()
    );

    let subject = demand();
    let profile = Profile::of(Rules::builtin(), KindSet::builtin(), &subject, "").expect("a demand can be matched");
    let question = Question { subject: &profile, kinds: &[], as_of_ms: now_ms(), limit: 20, list_excluded: true };
    let search = Search::new(Rules::builtin(), &question).expect("the demand stands");
    let one = mean(|| {
        let pieces = catalogue.pieces(&search);
        pieces.iter().map(|piece| search.look(piece)).fold(Sifted::default(), Sifted::merge).shortlist()
    });
    let all = mean(|| {
        let pieces = catalogue.pieces(&search);
        pieces.par_iter().map(|piece| search.look(piece)).reduce(Sifted::default, Sifted::merge).shortlist()
    });
    let shortlist = || {
        let pieces = catalogue.pieces(&search);
        pieces.par_iter().map(|piece| search.look(piece)).reduce(Sifted::default, Sifted::merge).shortlist()
    };
    let ready: Vec<_> = (0..RUNS).map(|_| shortlist()).collect();
    let mut ready = ready.into_iter();
    let finish = mean(|| search.finish(ready.next().unwrap_or_default(), &mut read));
    let answer = search.finish(shortlist(), &mut read);
    println!("  looked through on one processor: {:.1} ms", one * 1_000.0);
    println!("  on {} processors: {:.1} ms", rayon::current_num_threads(), all * 1_000.0);
    whole(&catalogue);
    println!("  texts of the best compared, answer made: {:.1} ms ({} looked at)", finish * 1_000.0, answer.considered);

    let states: Vec<RecordState> = (0..records.min(ANEW)).map(record).collect();
    let begin = Instant::now();
    let anew: Vec<Profile> =
        states.iter().filter_map(|state| Profile::of(Rules::builtin(), KindSet::builtin(), state, "")).collect();
    let mut small = Catalogue::default();
    anew.into_iter().for_each(|profile| small.put(profile));
    let pieces = small.pieces(&search);
    black_box(pieces.iter().map(|piece| search.look(piece)).fold(Sifted::default(), Sifted::merge));
    let scaled = begin.elapsed().as_secs_f64() * records as f64 / states.len() as f64;
    println!("  baseline, profiles made anew for each question: {:.0} ms, ratio {:.0}", scaled * 1_000.0, scaled / one);
    at_a_node(records);
}

/// The same records at a real node, asked through its API: what an answer reads comes from the database.
fn at_a_node(records: usize) {
    let (charter, organisations) = federation();
    let entries = entries(&charter, &organisations, records / organisations.len());
    let folder = tempfile::tempdir().expect("a temporary directory");
    let mut node = member(folder.path().join("node"), &charter, &organisations[0], &[]);
    fill(&node, &charter, &entries);
    node.start();
    let demands: Vec<EntryId> = entries.iter().rev().take(DEMANDS).map(|entry| entry.id()).collect();
    drop(entries);
    let path = |id: &EntryId| format!("/v1/matches/{id}?excluded=true");
    wait("every record is in the catalogue", Duration::from_secs(1_200), || {
        let lag = node.get("/v1/search/status");
        lag["lag"]["state"] == "following"
            && lag["lag"]["records"] == 0
            && node.get(&path(&demands[0]))["complete"] == true
    });
    let mut times = Vec::new();
    let (mut considered, mut found) = (0, 0);
    for id in demands.iter().chain(&demands) {
        let begin = Instant::now();
        let answer = node.get(&path(id));
        times.push(begin.elapsed().as_secs_f64() * 1_000.0);
        considered = answer["considered"].as_u64().unwrap_or_default();
        found += answer["found"].as_array().map_or(0, Vec::len);
    }
    node.stop();
    times.sort_by(f64::total_cmp);
    println!(
        "  at a node with as many records, {} answers of {DEMANDS} demands: p50 {:.1} ms, longest {:.1} ms ({considered} \
         looked at, {found} shown)",
        times.len(),
        times[times.len() / 2],
        times[times.len() - 1],
    );
}

/// The records in the logs of all members, the demands last.
pub fn entries(charter: &Charter, organisations: &[Organisation], each: usize) -> Vec<Arc<VerifiedEntry>> {
    let of_one = |(index, organisation): (usize, &Organisation)| {
        let asks = index + 1 == organisations.len();
        let demands = (0..if asks { DEMANDS } else { 0 })
            .map(|number| demand_of(CODES[number % CODES.len()], ["50", "400", "1200"][number % 3]));
        let states = (0..each).map(|number| record(index * each + number)).chain(demands);
        let mut chain: Vec<Arc<VerifiedEntry>> = Vec::with_capacity(each);
        for (number, state) in states.enumerate() {
            let mut random = fastrand::Rng::with_seed((index * (each + DEMANDS) + number) as u64);
            let nonce = std::array::from_fn(|_| random.u8(..));
            let kind = KindSet::builtin().kind(state.kind).expect("built in");
            let own = format!("B{index:03}{number:05}");
            let mut fields = state.fields;
            let field = kind.external_field();
            fields.extend(field.parse(&own).expect("a good number").map(|value| (field.number, value)));
            let statement = Statement::create(nonce, 1, Some(own), fields);
            let body = statement.encode().expect("the statement keeps every rule");
            let time_ms = charter.tip_block().time_ms + number as u64 * 60_000;
            chain.push(organisation.entry(charter, chain.last().map(|entry| &**entry), time_ms, state.kind, body));
        }
        chain
    };
    organisations.par_iter().enumerate().flat_map_iter(of_one).collect()
}

/// Prints how long whole answers take to demands of every industry and several sizes: looked through, the best read
/// again from their records, their texts compared.
fn whole(catalogue: &Catalogue) {
    let mut times = Vec::new();
    for code in CODES {
        for land in ["50", "400", "1200"] {
            let subject = demand_of(code, land);
            let profile = Profile::of(Rules::builtin(), KindSet::builtin(), &subject, "").expect("it can be matched");
            let question =
                Question { subject: &profile, kinds: &[], as_of_ms: now_ms(), limit: 20, list_excluded: true };
            let begin = Instant::now();
            let search = Search::new(Rules::builtin(), &question).expect("the demand stands");
            let pieces = catalogue.pieces(&search);
            let sifted = pieces.par_iter().map(|piece| search.look(piece)).reduce(Sifted::default, Sifted::merge);
            black_box(search.finish(sifted.shortlist(), &mut read));
            times.push(begin.elapsed().as_secs_f64() * 1_000.0);
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    println!(
        "  {} demands, whole answers: p50 {:.1} ms, longest {:.1} ms (target: 50 at 100,000, 300 at 1,000,000)",
        times.len(),
        at(50),
        at(100)
    );
}

fn mean<T>(mut work: impl FnMut() -> T) -> f64 {
    let begin = Instant::now();
    for _ in 0..RUNS {
        black_box(work());
    }
    begin.elapsed().as_secs_f64() / RUNS as f64
}

fn now_ms() -> u64 {
    Date::new(2026, 3, 5).expect("a day").start_ms()
}

fn read(ids: &[EntryId]) -> Vec<Option<Fresh>> {
    let read = |id: &EntryId| {
        let index = id.as_bytes().last_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        let state = if index == u64::MAX { demand() } else { record(index as usize) };
        let (rules, kinds) = (Rules::builtin(), KindSet::builtin());
        Some(Fresh::new(rules, Profile::of(rules, kinds, &state, "")?, texts_of(rules, kinds, &state)))
    };
    ids.par_iter().map(read).collect()
}

/// An id that tells its record's index.
fn id(index: u64) -> EntryId {
    let mut bytes = *blake3::hash(&index.to_le_bytes()).as_bytes();
    bytes[24..].copy_from_slice(&index.to_be_bytes());
    EntryId(bytes)
}

fn state(index: u64, kind: &Kind, cells: &[(&str, String)]) -> RecordState {
    let mut fields: BTreeMap<u16, Value> = BTreeMap::new();
    for (name, text) in cells {
        if let Some(field) = kind.field_named(name) {
            let value = field.parse(text).unwrap_or_else(|broken| panic!("{name}: {broken}"));
            fields.extend(value.map(|value| (field.number, value)));
        }
    }
    RecordState {
        id: id(index),
        label: Label { member: MemberNumber(1), serial: index },
        kind: kind.number(),
        kind_set: 1,
        external: None,
        fields,
        created_ms: now_ms(),
        changed_ms: now_ms() - (index % 700) * 86_400_000,
        versions: 1,
        withdrawn: None,
        sealing: None,
    }
}

fn demand() -> RecordState {
    demand_of("3841", "400")
}

fn demand_of(code: &str, land: &str) -> RecordState {
    let kind = KindSet::builtin().kind_named("demand").expect("built in");
    let cells = [
        ("category", "土地厂房"),
        ("name", "磷酸铁锂电芯生产基地"),
        ("industry_codes", code),
        ("land", land),
        ("division_code", "500236"),
        ("target_regions", "中部地区"),
        ("note", "须双回路供电和蒸汽，需熟练工五百人"),
    ];
    state(u64::MAX, kind, &cells.map(|(name, text)| (name, text.to_owned())))
}

fn record(index: usize) -> RecordState {
    let kind = KindSet::builtin().kind_named(KINDS[index % KINDS.len()]).expect("built in");
    let pick = |list: &[&str], salt: usize| list[(index / 7 + index * salt) % list.len()].to_owned();
    let word = pick(&WORDS, 3);
    let cells = [
        ("name", format!("{word}{index}")),
        ("category", if kind.name() == "facility" { "标准厂房" } else { "产业用地" }.to_owned()),
        ("institution_class", "市场派基金".to_owned()),
        ("industry_codes", pick(&CODES, 5)),
        ("division_code", pick(&DIVISIONS, 11)),
        ("seat_code", pick(&DIVISIONS, 11)),
        ("area", (index % 1_500 + 10).to_string()),
        ("floor_area", (index % 40_000 + 100).to_string()),
        ("minimum_investment", (index % 400).to_string()),
        ("ticket_min", (index % 900).to_string()),
        ("ticket_max", (index % 9_000 + 900).to_string()),
        ("investment", (index % 30 + 1).to_string()),
        ("amount", (index % 5_000).to_string()),
        ("use", "工业用地".to_owned()),
        ("stage", "策划".to_owned()),
        ("note", format!("{word}配套，七通一平，紧邻高速出口，第{index}号")),
    ];
    let of_kind = cells.iter().filter(|(name, _)| *name != "stage" || kind.name() == "project");
    state(index as u64, kind, &of_kind.cloned().collect::<Vec<_>>())
}
