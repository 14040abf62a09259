//! Properties over random records, some of them sensible and some junk.

use super::*;
use crate::value::{Number, NumberFlags};
use rust_decimal::Decimal;

const ROUNDS: u64 = 12;
const RECORDS: u8 = 60;

/// Words that rules know, and words that they do not.
const WORDS: [&str; 16] = [
    "招商",
    "土地厂房",
    "融资",
    "产业用地",
    "锂电池",
    "长三角",
    "奉节县",
    "仅限重庆市",
    "不投化工",
    "股权",
    "投早",
    "共享",
    "研发平台",
    "",
    "\u{feff}甲",
    "某",
];
const CODES: [&str; 8] = ["3841", "384", "38", "C", "0153", "9999", "411426", "500236"];

fn number(random: &mut fastrand::Rng) -> Number {
    let flags = [NumberFlags::default(), NumberFlags::ABOUT, NumberFlags::AT_LEAST, NumberFlags::AT_MOST];
    let amounts = [
        Decimal::from(random.i64(-5..5_000)),
        Decimal::new(random.i64(..), random.u32(0..20)),
        Decimal::MAX,
        Decimal::MIN,
        Decimal::ZERO,
    ];
    let pick = random.usize(0..amounts.len() + 10);
    let amount = amounts.get(pick).copied().unwrap_or_else(|| Decimal::from(random.i64(1..2_000)));
    Number::new(flags[random.usize(0..flags.len())], amount, "")
}

/// A value of any type, whatever the field wants.
fn junk(random: &mut fastrand::Rng) -> Value {
    let text = |random: &mut fastrand::Rng| WORDS[random.usize(0..WORDS.len())].to_owned();
    let code = CODES[random.usize(0..CODES.len())].to_owned();
    match random.u8(0..9) {
        0 => Value::Text(text(random)),
        1 => Value::Choice(text(random)),
        2 => Value::Decimal(number(random)),
        3 => Value::Quantity { number: number(random), unit: ["亩", "平方米", "斤"][random.usize(0..3)].into() },
        4 => Value::Money { number: number(random), currency: *b"CNY" },
        5 => {
            let date = Date::new(random.u16(1..=9_999), random.u8(0..=12), 0).expect("a month or a year");
            Value::Date(date)
        }
        6 => Value::Code { table: "gbt4754".into(), code },
        7 => Value::Boolean(random.bool()),
        _ => Value::List { element: 1, values: (0..3).map(|_| Value::Text(text(random))).collect() },
    }
}

/// A value that fits the field.
fn fitting(field: &crate::kind::Field, random: &mut fastrand::Rng) -> Option<Value> {
    let word = WORDS[random.usize(0..WORDS.len())];
    let text = match field.field_type.name() {
        "code" if field.list => CODES[random.usize(0..5)].to_owned(),
        "code" => ["411426", "500236", "430422"][random.usize(0..3)].to_owned(),
        "money" | "quantity" | "decimal" => {
            let words = ["", "约", "不少于", "不超过"];
            format!("{}{}", words[random.usize(0..words.len())], random.u32(0..3_000))
        }
        "date" => format!("20{}-0{}-1{}", random.u8(24..28), random.u8(1..10), random.u8(0..10)),
        "boolean" => ["是", "否"][random.usize(0..2)].to_owned(),
        "choice" => match &field.field_type {
            crate::kind::FieldType::Choice { choices } => choices[random.usize(0..choices.len())].clone(),
            _ => word.to_owned(),
        },
        _ if !field.suggest.is_empty() => field.suggest[random.usize(0..field.suggest.len())].clone(),
        _ => word.to_owned(),
    };
    field.parse(&text).ok()?
}

fn records(seed: u64) -> Vec<RecordState> {
    let mut random = fastrand::Rng::with_seed(seed);
    let kinds: Vec<&Kind> = KindSet::builtin().kinds().filter(|kind| Rules::builtin().knows(kind.number())).collect();
    (1..=RECORDS)
        .map(|id| {
            let kind = kinds[random.usize(0..kinds.len())];
            let mut made = record(id, kind.name(), &[]);
            made.changed_ms = random.u64(0..2 * today_ms());
            for field in kind.fields() {
                let value = match random.u8(0..10) {
                    0..5 => fitting(field, &mut random),
                    5 => Some(junk(&mut random)),
                    _ => None,
                };
                made.fields.extend(value.map(|value| (field.number, value)));
            }
            made
        })
        .collect()
}

fn every_answer(shelf: &Shelf) -> Vec<Result<Matches, Unmatchable>> {
    (1..=RECORDS).map(|subject| shelf.matches(subject)).collect()
}

#[test]
fn the_order_of_insertion_does_not_matter_and_the_same_gives_the_same() {
    for seed in 0..ROUNDS {
        let mut made = records(seed);
        let first = every_answer(&Shelf::of(made.clone()));
        assert_eq!(first, every_answer(&Shelf::of(made.clone())), "seed {seed}");
        let mut shuffled = Shelf::default();
        fastrand::Rng::with_seed(!seed).shuffle(&mut made);
        // Some come twice, and some come, go and come again.
        made.iter().for_each(|record| shuffled.put(record.clone()));
        for record in made.iter().step_by(3) {
            assert!(shuffled.catalogue.remove(&record.id));
            assert!(shuffled.catalogue.get(&record.id).is_none());
            shuffled.put(record.clone());
            shuffled.put(record.clone());
        }
        assert_eq!(shuffled.catalogue.len(), usize::from(RECORDS));
        assert_eq!(first, every_answer(&shuffled), "seed {seed}");
    }
}

#[test]
fn both_sides_find_one_another_with_the_same_score_or_neither_does() {
    for seed in 0..ROUNDS {
        let shelf = Shelf::of(records(seed));
        let answers = every_answer(&shelf);
        for (subject, answer) in (1..).zip(&answers) {
            let Ok(answer) = answer else { continue };
            for found in &answer.found {
                let other = &answers[usize::from(found.id.as_bytes()[0]) - 1];
                let back = other
                    .as_ref()
                    .ok()
                    .and_then(|other| other.found.iter().find(|found| found.id == EntryId([subject; 32])));
                let scores = back.map(|back| (back.score, back.rate));
                assert_eq!(scores, Some((found.score, found.rate)), "seed {seed}");
            }
            for excluded in &answer.excluded {
                let other = &answers[usize::from(excluded.id.as_bytes()[0]) - 1];
                let found = other
                    .as_ref()
                    .is_ok_and(|other| other.found.iter().any(|found| found.id == EntryId([subject; 32])));
                assert!(!found, "seed {seed}");
            }
        }
    }
}

#[test]
fn scores_and_parts_stay_in_range_and_add_up() {
    let mut seen = 0;
    for seed in 0..ROUNDS {
        for answer in every_answer(&Shelf::of(records(seed))).into_iter().flatten() {
            let excluded: u64 = answer.excluded_by.iter().map(|(_, count)| count).sum();
            assert_eq!(answer.considered, excluded + answer.found.len() as u64, "seed {seed}");
            let order: Vec<_> = answer.found.iter().map(|found| (std::cmp::Reverse(found.rate), found.id)).collect();
            assert!(order.is_sorted(), "seed {seed}");
            for found in &answer.found {
                seen += 1;
                assert!(found.score <= 1_000 && u32::from(found.score) == found.rate / 1_000);
                assert_eq!(found.parts.iter().map(|part| part.part).sum::<u16>(), found.score);
                for part in &found.parts {
                    assert!(part.counted <= 1_000 && part.value.is_none_or(|value| value == part.counted));
                    assert!(!part.reason.zh.is_empty() && !part.reason.en.is_empty(), "{:?}", part.dimension);
                }
            }
            for ruled in answer.excluded.iter().flat_map(|excluded| &excluded.reasons) {
                assert!(!ruled.sentence.zh.is_empty() && !ruled.sentence.en.is_empty());
            }
        }
    }
    assert!(seen > 300, "{seen} matches were looked at");
}

#[test]
fn pieces_can_be_shared_in_any_way() {
    let rules = Rules::builtin();
    for seed in 0..ROUNDS {
        let shelf = Shelf::of(records(seed));
        for subject in shelf.records.keys().filter_map(|id| shelf.catalogue.get(id)) {
            let question = Question { subject, kinds: &[], as_of_ms: today_ms(), limit: 9, list_excluded: true };
            let Ok(search) = Search::new(rules, &question) else { continue };
            let mut pieces = shelf.catalogue.pieces(&search);
            let forward = pieces.iter().map(|piece| search.look(piece)).fold(Sifted::default(), Sifted::merge);
            pieces.reverse();
            let backward = pieces
                .iter()
                .map(|piece| search.look(piece))
                .rev()
                .fold(Sifted::default(), |sum, more| more.merge(sum));
            let finish = |sifted: Sifted<'_>| search.finish(sifted.shortlist(), &mut |ids| shelf.read(ids));
            assert_eq!(finish(forward), finish(backward), "seed {seed}");
        }
    }
}

#[test]
fn industries_are_worth_the_same_looked_up_and_worked_out() {
    let rules = Rules::builtin();
    let shelf = Shelf::of(records(7));
    for (left, right, pair) in rules.pairs() {
        for subject in shelf.catalogue.ids_of(left).filter_map(|id| shelf.catalogue.get(&id)) {
            for candidate in shelf.catalogue.ids_of(right).filter_map(|id| shelf.catalogue.get(&id)) {
                let pairing = judge::Pairing { rules, pair, left: subject, right: candidate, day: 0 };
                let question = Question { subject, kinds: &[], as_of_ms: 0, limit: 9, list_excluded: false };
                if let Ok(search) = Search::new(rules, &question) {
                    assert_eq!(search.industry(&pairing, candidate), pairing.industry());
                }
            }
        }
    }
}
