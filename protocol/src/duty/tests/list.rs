//! The rules are those of the list that they were made from.

use crate::duty::{Bearer, Judged, Rules};
use crate::kind::KindSet;

/// The list, as it was handed over.
const LIST: &str = include_str!("../../../../tests/samples/cadences.csv");

#[test]
fn every_row_of_the_list_is_a_rule_in_its_own_words() {
    let mut reader = csv::Reader::from_reader(LIST.trim_start_matches('\u{feff}').as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("the list is CSV");
    let duties = Rules::builtin().duties();
    assert_eq!((rows.len(), duties.len()), (47, 47));
    for (row, duty) in rows.iter().zip(duties) {
        let at_least = duty.at_least.map(|count| count.to_string()).unwrap_or_default();
        let stated = [
            &duty.id,
            &duty.bearer_zh,
            &duty.content_zh,
            &duty.frequency_zh,
            &at_least,
            &duty.unit_zh,
            &duty.deadline_zh,
            &duty.consequence_zh,
            &duty.source,
        ];
        assert!(stated.iter().map(|text| text.as_str()).eq(row.iter()), "{row:?}");
        assert!(!duty.bearer_en.is_empty() && !duty.content_en.is_empty() && !duty.deadline_en.is_empty());
    }
}

#[test]
fn what_cannot_be_computed_says_why_and_what_hangs_on_one_county_needs_no_report() {
    for duty in Rules::builtin().duties() {
        if let Judged::NotComputable { zh, en } = &duty.judged {
            assert!(!zh.is_empty() && !en.is_empty() && duty.kinds.is_empty(), "{}", duty.id);
        } else if matches!(duty.bearer, Bearer::Divisions(_)) {
            assert!(duty.silence_is_unknown, "{}: a body inside a county reports nothing to the alliance", duty.id);
        }
    }
}

#[test]
fn rules_that_do_not_fit_the_kinds_or_themselves_are_refused_by_name() {
    let good = include_str!("../../../duties/rules.toml");
    let refused = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        let error = Rules::parse(&good.replacen(from, to, 1), KindSet::builtin()).expect_err("it is wrong");
        error.to_string()
    };
    assert!(refused("named_by = \"week\"", "named_by = \"headline\"").contains("YW002"));
    assert!(refused("named_by = \"week\"", "named_by = \"wek\"").contains("`wek` is no field"));
    assert!(refused("\"@county_information\"", "\"@county\"").contains("no list `county`"));
    assert!(refused("period = \"month\"", "period = \"fortnight\"").contains("`fortnight` is no period"));
    assert!(refused("period = \"month\"", "period = \"once\"").contains("YW001"));
    assert!(refused("id = \"YW002\"", "id = \"YW001\"").contains("there twice"));
    assert!(refused("comparator = \"≥\"", "comparator = \"≤\"").contains("comparator"));
    assert!(refused("{ state = [\"held\"] }", "{ state = [\"hold\"] }").contains("`hold` is no state"));
    assert!(refused("divisions = [\"500236\"]", "divisions = [\"999999\"]").contains("no division"));
    assert!(refused("version = 2", "version = 2\nkind = 2").contains("rules.toml"));
}
