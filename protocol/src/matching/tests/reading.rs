//! How many candidates are read again, and that those which are not would not have been shown.

use super::*;
use crate::limits::{MATCH_FOUND_MAX, MATCH_READ_RECORDS};

const ROUNDS: u64 = 20;
const PARCELS: u8 = 250;
const SUBJECT: u8 = 255;
const WORDS: [&str; 6] = ["磷酸铁锂电芯", "生态印染", "脐橙冷藏", "人工智能", "七通一平", "紧邻高速"];

/// Parcels of which many are alike but for their words, and a demand.
fn shelf(random: &mut fastrand::Rng, codes: &[&str]) -> Shelf {
    let parcels = (0..PARCELS).map(|id| {
        let note: String = (0..random.usize(0..4)).map(|_| WORDS[random.usize(0..WORDS.len())]).collect();
        let code = codes[random.usize(0..codes.len())];
        let area = (random.u16(2..5) * 300).to_string();
        record(id, "land_parcel", &[("name", "地块"), ("area", &area), ("industry_codes", code), ("note", &note)])
    });
    let mut shelf = Shelf::of(parcels.collect());
    let cells = [("category", "土地厂房"), ("name", "磷酸铁锂电芯"), ("land", "400"), ("industry_codes", "3841")];
    shelf.put(record(SUBJECT, "demand", &cells));
    shelf
}

/// What is found, and how many candidates were read for it.
fn asked(shelf: &Shelf, limit: usize) -> (Vec<Match>, usize) {
    let subject = shelf.catalogue.get(&EntryId([SUBJECT; 32])).expect("the demand can be matched");
    let question = Question { subject, kinds: &[], as_of_ms: today_ms(), limit, list_excluded: false };
    let mut read = 0;
    let matches = shelf.catalogue.matches(Rules::builtin(), &question, &mut |ids| {
        read += ids.len();
        shelf.read(ids)
    });
    (matches.expect("the demand stands").found, read - 1)
}

#[test]
fn what_is_not_read_would_not_have_been_shown() {
    for seed in 0..ROUNDS {
        let shelf = shelf(&mut fastrand::Rng::with_seed(seed), &["3841", "384", "1713", "593"]);
        let (all, _) = asked(&shelf, MATCH_FOUND_MAX);
        for limit in [0, 1, 3, 20, 90] {
            let (found, _) = asked(&shelf, limit);
            assert_eq!(found, all[..limit.min(all.len())], "seed {seed}, the first {limit}");
        }
    }
}

#[test]
fn reading_ends_where_words_can_change_nothing_more() {
    let mut random = fastrand::Rng::with_seed(7);
    let far_apart = shelf(&mut random, &["3841", "0153", "0153", "0153"]);
    assert_eq!(asked(&far_apart, 5).1, MATCH_READ_RECORDS, "the first part holds all that suit");
    let alike = shelf(&mut random, &["3841"]);
    assert_eq!(asked(&alike, MATCH_FOUND_MAX).1, usize::from(PARCELS), "words alone tell them apart");
}

#[test]
fn what_is_excluded_by_now_is_counted_though_the_catalogue_is_behind() {
    let cells = |state| [("name", "地块"), ("area", "500"), ("industry_codes", "3841"), ("state", state)];
    let mut shelf = Shelf::of(vec![record(1, "land_parcel", &cells("熟地")), record(2, "land_parcel", &cells("熟地"))]);
    shelf.put(record(SUBJECT, "demand", &[("category", "土地厂房"), ("name", "电芯"), ("land", "400")]));
    let behind = shelf.catalogue.clone();
    shelf.put(record(1, "land_parcel", &cells("已供应")));
    let asked = |shelf: &Shelf| {
        let subject = shelf.catalogue.get(&EntryId([SUBJECT; 32])).expect("the demand can be matched");
        let question = Question { subject, kinds: &[], as_of_ms: today_ms(), limit: 5, list_excluded: true };
        shelf.catalogue.matches(Rules::builtin(), &question, &mut |ids| shelf.read(ids)).expect("the demand stands")
    };
    let in_step = asked(&shelf);
    assert_eq!((in_step.found.len(), in_step.excluded.len()), (1, 1));
    assert_eq!(in_step.excluded[0].reasons[0].reason, Exclusion::Closed);
    shelf.catalogue = behind;
    assert_eq!(asked(&shelf), in_step);
}
