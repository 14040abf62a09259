//! Duties of random federations: no order of arrival matters, following is the same as looking at everything, and time
//! takes nothing back.

use std::collections::BTreeMap;

use super::world::{World, day, follow, full};
use crate::charter::Class;
use crate::duty::{Bearing, Question, Rules, State, judge};
use crate::identity::EntryId;
use crate::testing::Peer;

const SEEDS: u64 = 24;
const STATEMENTS: usize = 60;
const DAY_MS: u64 = 86_400_000;

/// Numbers that look random, the same for a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

fn world(chance: &mut Chance) -> World {
    let mut world = World::new();
    let mut time_ms = day("2025-12-01") + DAY_MS;
    for index in 0..4 {
        time_ms += chance.below(12) * DAY_MS + 1;
        let (class, region) = if index % 2 == 0 { (Class::County, "411426") } else { (Class::Fund, "") };
        world.admit("成员", class, region, time_ms);
    }
    let mut own: BTreeMap<usize, Vec<EntryId>> = BTreeMap::new();
    for _ in 0..STATEMENTS {
        // Mostly on, now and then back.
        time_ms = match chance.below(8) {
            0 => time_ms.saturating_sub(chance.below(40) * DAY_MS).max(day("2026-01-20")),
            _ => time_ms + chance.below(9) * DAY_MS + chance.below(DAY_MS),
        };
        let member = 1 + chance.below(4) as usize;
        let is_county = member % 2 == 1;
        let kind = if is_county { "demand" } else { "bulletin" };
        let records = own.entry(member).or_default();
        let known = (!records.is_empty()).then(|| records[chance.below(records.len() as u64) as usize]);
        let week = format!("2026-W{:02}", 1 + chance.below(50));
        match (chance.below(6), known, is_county) {
            (0, Some(id), _) => world.confirm(member, time_ms, kind, id),
            (1, Some(id), _) => world.withdraw(member, time_ms, kind, id),
            (2, Some(id), true) => world.revise(member, time_ms, kind, id, &[("name", "再改")]),
            (2, Some(id), false) => world.revise(member, time_ms, kind, id, &[("week", &week)]),
            (3, _, true) => {
                let month = format!("2026-{:02}", 1 + chance.below(12));
                let subject = world.number(member).to_string();
                world.receipt(member, time_ms, &subject, &month);
            }
            (_, _, true) => records.push(world.demand(member, time_ms)),
            (3, _, false) => records.push(world.bulletin(member, time_ms, &week, &[("no_change", "是")])),
            (_, _, false) => records.push(world.bulletin(member, time_ms, &week, &[("events", "路演")])),
        }
    }
    world
}

#[test]
fn neither_order_of_arrival_nor_following_instead_of_looking_matters() {
    for seed in 0..SEEDS {
        let mut chance = Chance(seed);
        let world = world(&mut chance);
        let wanted = world.ledger();
        assert!(!wanted.is_empty());
        let mut entries: Vec<_> = world.logs.values().flatten().cloned().collect();
        for index in (1..entries.len()).rev() {
            entries.swap(index, chance.below(index as u64 + 1) as usize);
        }
        let mut peer = Peer::new(&world.charter, world.charter.blocks().len());
        let mut followed = full(&peer);
        for (index, entry) in entries.iter().enumerate() {
            peer.insert(entry);
            if index % 7 == 0 {
                follow(&mut peer, &mut followed);
                assert_eq!(followed, full(&peer), "seed {seed}: on the way");
            }
        }
        follow(&mut peer, &mut followed);
        assert_eq!(followed, wanted, "seed {seed}");
        for as_of in ["2026-02-01", "2026-05-04", "2027-01-01"] {
            let question = Question { as_of_ms: day(as_of), member: None, rule: None };
            let verdicts = |ledger| judge(&world.charter, ledger, Rules::builtin(), &question);
            assert_eq!(verdicts(&followed), verdicts(&wanted), "seed {seed}");
        }
    }
}

#[test]
fn time_takes_no_performance_back() {
    let goes_on = |before: State, after: State| match before {
        State::Met | State::MetNoChange | State::Late | State::Exempt | State::NotComputable => after == before,
        State::Due => after != State::Exempt,
        State::Overdue | State::Escalated => matches!(after, State::Overdue | State::Escalated | State::Late),
    };
    for seed in 0..SEEDS {
        let world = world(&mut Chance(seed));
        let ledger = world.ledger();
        // What a record names may be put right later, so only what says one thing for good is followed: counties.
        let mut seen: BTreeMap<(Bearing, String), State> = BTreeMap::new();
        let mut as_of_ms = day("2026-01-01");
        while as_of_ms < day("2027-02-01") {
            let question = Question { as_of_ms, member: None, rule: Some("YW001") };
            for holding in judge(&world.charter, &ledger, Rules::builtin(), &question) {
                for verdict in [&holding.running, &holding.ended].into_iter().flatten() {
                    let key = (holding.bearing, verdict.name.clone());
                    if let Some(before) = seen.insert(key, verdict.state) {
                        let moved = (before, verdict.state);
                        // To say that nothing changed is outdone by a change in the same month.
                        let outdone = moved == (State::MetNoChange, State::Met);
                        assert!(outdone || goes_on(before, verdict.state), "seed {seed}: {moved:?} {}", verdict.name);
                    }
                }
            }
            as_of_ms += DAY_MS;
        }
        assert!(seen.values().any(|state| *state == State::Overdue || *state == State::Late), "seed {seed}");
    }
}
