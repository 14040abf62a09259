//! Matching on its own: how long it takes to fill the catalogue and to ask it, on one processor and on all, against
//! making the profiles anew for each question.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::{Kind, KindSet};
use protocol::matching::{Catalogue, Fresh, Profile, Question, Rules, Search, Sifted, texts_of};
use protocol::value::{Date, Value};
use protocol::view::{Label, RecordState};
use rayon::prelude::*;

/// Questions of which the mean counts.
const RUNS: usize = 5;
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
        Some(Fresh { profile: Profile::of(rules, kinds, &state, "")?, texts: texts_of(rules, kinds, &state) })
    };
    ids.iter().map(read).collect()
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
    let kind = KindSet::builtin().kind_named("demand").expect("built in");
    let cells = [
        ("category", "土地厂房"),
        ("name", "磷酸铁锂电芯生产基地"),
        ("industry_codes", "3841"),
        ("land", "400"),
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
