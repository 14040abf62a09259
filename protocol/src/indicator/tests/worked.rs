//! The worked values of the requirements, section 5.

use rust_decimal::Decimal;

use super::World;

/// A project that was signed, with cells of its own.
fn project<'a>(number: &'a str, name: &'a str, cells: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let signed = [("project_number", number), ("name", name), ("stage", "签约"), ("signed_on", "2025-05-01")];
    signed.into_iter().chain(cells.iter().copied()).collect()
}

#[test]
fn investment_and_output_per_mu_of_the_battery_park_and_the_dyeing_park() {
    let mut world = World::new();
    let cells = [("fixed_investment", "37.84亿元"), ("land", "476亩"), ("annual_output", "60亿元"), ("basis", "本期")];
    world.add("project", 4, &project("XM1", "电池园一期", &cells));
    assert_eq!(world.value("ZB046").as_deref(), Some("794.96"));
    assert_eq!(world.value("ZB047").as_deref(), Some("1260.5"));

    let mut world = World::new();
    let cells = [("fixed_investment", "180亿元"), ("land", "1950亩"), ("annual_output", "400亿元"), ("basis", "本期")];
    world.add("project", 4, &project("XM1", "印染园", &cells));
    assert_eq!(world.value("ZB046").as_deref(), Some("923.08"));
    assert_eq!(world.value("ZB047").as_deref(), Some("2051.28"));
}

#[test]
fn figures_that_are_cumulative_are_not_added() {
    let mut world = World::new();
    let phases =
        [("XM1", "一期", "60亿元", "本期"), ("XM2", "二期", "240亿元", "累计"), ("XM3", "三期", "1000亿元", "累计")];
    for (number, name, output, basis) in phases {
        let cells = [("annual_output", output), ("basis", basis), ("land", "100亩")];
        world.add("project", 4, &project(number, name, &cells));
    }
    let figure = world.figure("ZB047");
    let value = figure.value.expect("the first phase has both");
    assert_eq!((value.above, value.below), (Decimal::from(600_000), Some(Decimal::from(100))));
    assert_eq!((figure.left_out, figure.unknown), (2, 0), "240 and 1000 are cumulative");
    assert_eq!(figure.evidence.len(), 1, "their land does not stand below the line either");
}

#[test]
fn phases_are_not_counted_beside_the_whole() {
    let mut world = World::new();
    let whole = [("investment", "379亿元"), ("signed_on", "2024-02-01")];
    world.add("project", 3, &project("XM1", "电池园", &whole));
    for (number, name, investment) in
        [("XM2", "一期", "37.84亿元"), ("XM3", "二期", "114亿元"), ("XM4", "三期", "227亿元")]
    {
        let cells = [("parent_number", "XM1"), ("investment", investment), ("signed_on", "2024-02-01")];
        world.add("project", 3, &project(number, name, &cells));
    }
    let figure = world.figure("ZB050");
    assert_eq!(figure.value.and_then(|value| value.text()).as_deref(), Some("1"));
    // The phases add up to 378.84: a gap of 0.16 that the kind shows and nobody repairs.
    let phases: Decimal =
        ["37.84", "114", "227"].iter().map(|text| Decimal::from_str_exact(text).expect("exact")).sum();
    assert_eq!((phases, Decimal::from(379) - phases), (Decimal::new(37884, 2), Decimal::new(16, 2)));
}
