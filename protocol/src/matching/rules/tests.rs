use super::*;
use crate::kind::Readers;

fn refused(content: &str) -> String {
    Rules::parse(content, KindSet::builtin()).expect_err("it must be refused").to_string()
}

fn changed(from: &str, to: &str) -> String {
    assert!(FILE.contains(from), "`{from}` is not in the file");
    FILE.replacen(from, to, 1)
}

#[test]
fn the_embedded_rules_are_good() {
    let rules = Rules::builtin();
    assert!(rules.version() >= 1);
    let demand = KindSet::builtin().kind_named("demand").expect("built in").number();
    assert!(rules.partners(demand).len() >= 10);
    for (left, right, pair) in rules.pairs() {
        assert!(rules.knows(left) && rules.knows(right));
        assert_eq!(pair.total(), Dimension::ALL.into_iter().map(|dimension| u32::from(pair.weight(dimension))).sum());
        assert_eq!(rules.pair(left, right).map(|(_, forward)| forward), Some(true));
        assert_eq!(rules.pair(right, left).map(|(_, forward)| forward), Some(false));
    }
}

#[test]
fn the_hash_covers_the_contents_and_not_the_line_ends() {
    let windows = FILE.replace('\n', "\r\n");
    let kinds = KindSet::builtin();
    assert_eq!(Rules::parse(&windows, kinds).expect("the same rules").hash(), Rules::builtin().hash());
    let heavier = changed("weights = { need = 130, industry = 280", "weights = { need = 130, industry = 281");
    assert_ne!(Rules::parse(&heavier, kinds).expect("good rules").hash(), Rules::builtin().hash());
}

#[test]
fn every_date_that_ends_a_record_is_looked_at() {
    let kinds = KindSet::builtin();
    for (number, of_kind) in &Rules::builtin().kinds {
        let kind = kinds.kind(*number).expect("a built-in kind");
        let Some(lifecycle) = kind.lifecycle() else { continue };
        for expiry in lifecycle.expiries().iter().filter(|expiry| of_kind.closed.contains(&expiry.to)) {
            assert!(of_kind.valid_until.contains(&expiry.field), "{}", kind.name());
            assert_eq!(expiry.days, 0, "{}: the days more would have to be kept", kind.name());
        }
        for (state, found) in lifecycle.states().iter().enumerate() {
            assert!(!found.is_final || of_kind.closed.contains(&state), "{}: {}", kind.name(), found.name);
        }
    }
}

#[test]
fn categories_that_kinds_suggest_are_known() {
    let kinds = KindSet::builtin();
    for (number, of_kind) in &Rules::builtin().kinds {
        let kind = kinds.kind(*number).expect("a built-in kind");
        let Some(field) = of_kind.category.and_then(|field| kind.field(field)) else { continue };
        for word in &field.suggest {
            let known = of_kind.words.contains_key(&super::super::words::normal(word));
            assert!(known || of_kind.fixed != Meaning::default(), "{}: {word}", kind.name());
        }
    }
}

#[test]
fn only_what_all_members_read_is_looked_at() {
    let sealed = changed("texts = [\"industries\", \"tags\", \"capacity_layout\"", "texts = [\"intention\"");
    assert!(refused(&sealed).contains("kind target_enterprise: field `intention`: not all members read it"));
    let kinds = KindSet::builtin();
    for (number, of_kind) in &Rules::builtin().kinds {
        let kind = kinds.kind(*number).expect("a built-in kind");
        for field in of_kind.texts.iter().chain(&of_kind.ruling).chain([&of_kind.title]) {
            assert_eq!(kind.field(*field).map(|field| field.readers), Some(Readers::All), "{}", kind.name());
        }
    }
}

#[test]
fn errors_name_the_place_and_the_rule() {
    for (from, to, told) in [
        ("version = 1", "version = 0", "version: the version begins at 1"),
        ("[kind.zombie]", "[kind.zombies]", "kind zombies: there is no such kind"),
        ("closed = [\"resumed\", \"relet\"]", "closed = [\"resume\"]", "kind zombie: `resume` is no state"),
        ("area = \"land\"\nfloor = \"plant\"", "area = \"plant\"", "kind zombie: field `plant`: its unit"),
        ("amount = \"funds_sought\"", "amount = \"volume\"", "kind pooled_need: field `volume`"),
        ("name = \"quota\"", "name = \"quotas\"", "is no need"),
        ("codes = [\"3825\", \"4416\"]", "codes = [\"9999\"]", "industry_word: `9999` is no industry"),
        ("names = [\"京津冀\"]", "names = [\"长三角\"]", "named_region: the region `长三角` stands twice"),
        (
            "industry = 280, region = 170",
            "industri = 280, region = 170",
            "pair demand and land_parcel: `industri` is no dimension",
        ),
        (
            "left = \"talent\"\nright = [\"expert\"]",
            "left = \"expert\"\nright = [\"expert\"]",
            "not compared with itself",
        ),
        ("right = [\"training\"]", "right = [\"event\"]", "`event` is compared with it already"),
        ("region = \"here\"", "region = \"there\"", "region `there` is not `here`"),
        ("same_county = 1000", "same_county = 1001", "values: 1001 is above 1000 permille"),
        ("\"11\" = [\"12\"", "\"11\" = [\"10\"", "neighbours: `10` is no province"),
        ("steps = [[1250, 1000]", "steps = [[12500, 1000]", "land.steps: steps rise"),
        ("amount_is = \"budget\"", "amount_is = \"sum\"", "amount_is `sum`"),
        ("about = 100", "about = 100\nmore = 1", "unknown field `more`"),
    ] {
        let found = refused(&changed(from, to));
        assert!(found.starts_with("matching/rules.toml: ") && found.contains(told), "{found}");
    }
}
