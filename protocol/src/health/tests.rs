//! Scripts of events, in seconds, and what is to be shown after each; and random jitter, which must change nothing.

use super::clock::Shift;
use super::*;
use crate::beacon::DiskSpace;

const OWN: u32 = 1;
const START: u64 = 1_800_000_000_000;
/// Seconds between beacons, and of the grace.
const INTERVAL: u64 = 600;
const GRACE: u64 = 60;

/// What happens.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Connections with these members.
    Links(&'static [u32]),
    /// A beacon of this member.
    Beacon(u32),
    /// Nothing, only time passes.
    Wait,
}

struct World {
    model: Model,
    own: Own,
    now_s: u64,
    counter: u64,
    conditions: BTreeMap<u32, Condition>,
    boots: BTreeMap<u32, u64>,
    entries: BTreeMap<u32, u64>,
    enrolled: Vec<Enrolled>,
}

fn enrolled(member: u32) -> Enrolled {
    Enrolled { member: MemberNumber(member), admitted_ms: START - 1_000, wrote: false, forked_at: None }
}

impl World {
    fn new(members: u32, remembered: &[Remembered]) -> Self {
        let thresholds = Thresholds::new(GRACE * 1_000, INTERVAL * 1_000);
        let mut model = Model::new(thresholds, START, remembered);
        let enrolled: Vec<Enrolled> = (1..=members).map(enrolled).collect();
        model.roster(&enrolled);
        let own = Own { member: Some(MemberNumber(OWN)), charter_version: 3, entries: 100, ..Own::default() };
        model.own(own.clone());
        let (conditions, boots, entries) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { model, own, now_s: 0, counter: 0, conditions, boots, entries, enrolled }
    }

    fn now_ms(&self) -> u64 {
        START + self.now_s * 1_000
    }

    /// Lets time pass second by second, as the node does.
    fn pass_until(&mut self, at_s: u64) {
        while self.now_s < at_s {
            self.now_s += 1;
            self.model.tick(self.now_ms());
        }
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Links(members) => self.links(members),
            Step::Beacon(member) => self.beacon(member),
            Step::Wait => {}
        }
        self.model.tick(self.now_ms());
    }

    fn links(&mut self, members: &[u32]) {
        let members = members.iter().map(|member| MemberNumber(*member)).collect();
        self.model.linked(&members, self.now_ms());
    }

    fn beacon(&mut self, member: u32) {
        self.counter += 1;
        let report = Report {
            at_ms: self.now_ms(),
            boot_ms: self.boots.get(&member).copied().unwrap_or(START),
            interval_seconds: INTERVAL as u32,
            charter_version: 3,
            entries: self.entries.get(&member).copied().unwrap_or(100),
            agrees: self.entries.get(&member).is_none_or(|entries| *entries == self.own.entries),
            condition: self.conditions.get(&member).copied().unwrap_or_default(),
        };
        self.model.heard(MemberNumber(member), report);
    }

    /// States of all but the own member, for instance `2 up direct, 3 silent`.
    fn said(&self) -> String {
        let picture = self.model.picture();
        let others = picture.members.iter().filter(|member| member.member != MemberNumber(OWN));
        let word = |member: &Assessment| {
            let source = match member.source {
                Source::None => String::new(),
                source => format!(" {}", source.name()),
            };
            format!("{} {}{source}", member.member.0, member.state.name())
        };
        let mut said = others.map(word).collect::<Vec<_>>().join(", ");
        if picture.cut_off_since_ms.is_some() {
            said.push_str(", CUT OFF");
        }
        said
    }

    fn of(&self, member: u32) -> Assessment {
        let members = self.model.picture().members;
        members.into_iter().find(|found| found.member == MemberNumber(member)).expect("it is on the roster")
    }

    fn findings(&self, member: u32) -> Vec<&'static str> {
        self.of(member).findings.iter().map(|finding| finding.ailment.name()).collect()
    }
}

/// Runs a script: at each second a step, then what is said.
fn script(members: u32, steps: &[(u64, Step, &str)]) {
    let mut world = World::new(members, &[]);
    for (at_s, step, said) in steps {
        world.pass_until(*at_s);
        world.apply(*step);
        assert_eq!(world.said(), *said, "after {at_s} s, {step:?}");
    }
}

#[test]
fn members_are_known_by_connections_within_seconds_and_by_beacons_within_two_intervals() {
    use Step::{Beacon, Links, Wait};
    script(
        4,
        &[
            (0, Wait, "2 unknown, 3 unknown, 4 unknown"),
            (1, Links(&[2]), "2 unknown, 3 unknown, 4 unknown"),
            (6, Wait, "2 up direct, 3 unknown, 4 unknown"),
            (30, Beacon(3), "2 up direct, 3 up beacon, 4 unknown"),
            // A start tells nothing of those who were not heard until two intervals and the grace have passed.
            (1_259, Beacon(3), "2 up direct, 3 up beacon, 4 unknown"),
            (1_260, Wait, "2 up direct, 3 up beacon, 4 never_joined"),
            // A beacon holds for two intervals and the grace.
            (2_518, Wait, "2 up direct, 3 up beacon, 4 never_joined"),
            (2_519, Wait, "2 up direct, 3 silent, 4 never_joined"),
            (2_600, Beacon(3), "2 up direct, 3 up beacon, 4 never_joined"),
            (2_700, Beacon(4), "2 up direct, 3 up beacon, 4 up beacon"),
        ],
    );
}

#[test]
fn a_lost_connection_counts_for_the_grace_and_a_beacon_beyond_it() {
    use Step::{Beacon, Links, Wait};
    script(
        3,
        &[
            (0, Links(&[2, 3]), "2 unknown, 3 unknown"),
            (10, Beacon(3), "2 up direct, 3 up direct"),
            (1_300, Beacon(3), "2 up direct, 3 up direct"),
            (1_400, Links(&[]), "2 up direct, 3 up direct"),
            (1_401, Links(&[3]), "2 up direct, 3 up direct"),
            (1_459, Wait, "2 up direct, 3 up direct"),
            (1_460, Wait, "2 silent, 3 up direct"),
            (1_500, Links(&[3, 2]), "2 silent, 3 up direct"),
            (1_505, Wait, "2 up direct, 3 up direct"),
            (1_600, Links(&[2]), "2 up direct, 3 up direct"),
            (1_660, Wait, "2 up direct, 3 up beacon"),
        ],
    );
}

#[test]
fn a_node_that_lost_its_connections_says_so_and_calls_nobody_dead() {
    use Step::{Beacon, Links, Wait};
    script(
        3,
        &[
            (0, Links(&[2]), "2 unknown, 3 unknown"),
            (1_000, Beacon(3), "2 up direct, 3 up beacon"),
            (2_000, Links(&[]), "2 up direct, 3 up beacon"),
            (2_059, Wait, "2 up direct, 3 up beacon"),
            (2_060, Wait, "2 unknown, 3 unknown, CUT OFF"),
            (9_000, Wait, "2 unknown, 3 unknown, CUT OFF"),
            // A blink of a connection brings nobody back.
            (9_001, Links(&[2]), "2 unknown, 3 unknown, CUT OFF"),
            (9_004, Links(&[]), "2 unknown, 3 unknown, CUT OFF"),
            (9_010, Links(&[2]), "2 unknown, 3 unknown, CUT OFF"),
            (9_015, Wait, "2 up direct, 3 unknown"),
            // Who does not speak in the time in which it should is silent by itself.
            (9_015 + 1_260, Wait, "2 up direct, 3 silent"),
        ],
    );
}

#[test]
fn a_cut_off_node_names_the_time_and_itself_and_says_what_is_stale() {
    let mut world = World::new(3, &[]);
    world.apply(Step::Links(&[2]));
    world.pass_until(100);
    world.apply(Step::Links(&[]));
    world.pass_until(500);
    let picture = world.model.picture();
    assert_eq!(picture.cut_off_since_ms, Some(START + 100_000));
    assert_eq!(world.findings(OWN), ["cut_off"]);
    assert_eq!(world.of(OWN).severity(), Severity::Critical);
    assert_eq!(world.of(2).stale_since_ms, Some(START + 100_000), "until then there was a connection");
    assert_eq!(world.of(3).findings, [], "unknown is no fault of theirs");
}

#[test]
fn a_federation_of_one_is_never_cut_off() {
    let mut world = World::new(1, &[]);
    world.pass_until(5_000);
    assert_eq!(world.said(), "");
    assert_eq!(world.of(OWN).state, State::Up);
}

#[test]
fn a_node_with_a_connection_is_not_cut_off_though_it_lost_the_others_and_hears_nobody() {
    let mut world = World::new(50, &[]);
    let many: Vec<u32> = (2..42).collect();
    world.links(&many);
    world.pass_until(100);
    world.links(&[2]);
    world.pass_until(1_000);
    assert_eq!(world.model.picture().cut_off_since_ms, None);
    world.links(&[]);
    world.pass_until(1_030);
    // The last beacon of a member that was connected until now.
    world.beacon(2);
    world.pass_until(1_089);
    assert_eq!(world.model.picture().cut_off_since_ms, None, "a beacon was heard within the grace");
    world.pass_until(1_090);
    assert_eq!(world.model.picture().cut_off_since_ms, Some(START + 1_001_000));
    world.links(&[7]);
    world.pass_until(1_096);
    assert_eq!(world.model.picture().cut_off_since_ms, None);
}

#[test]
fn one_connection_that_brings_beacons_is_enough() {
    let mut world = World::new(50, &[]);
    let many: Vec<u32> = (2..42).collect();
    world.links(&many);
    world.pass_until(100);
    world.links(&[2]);
    for second in 100..400 {
        world.pass_until(second);
        if second % 30 == 0 {
            world.beacon(20);
        }
    }
    assert_eq!(world.model.picture().cut_off_since_ms, None);
}

#[test]
fn who_was_heard_before_a_restart_or_wrote_anything_has_joined() {
    let heard = Remembered { member: MemberNumber(2), joined_ms: START - 9_000_000, heard_ms: START - 5_000_000 };
    let mut world = World::new(4, &[heard]);
    world.enrolled[2].wrote = true;
    world.model.roster(&world.enrolled.clone());
    world.links(&[4]);
    world.pass_until(1_259);
    assert_eq!(world.said(), "2 unknown, 3 unknown, 4 up direct");
    world.pass_until(1_260);
    assert_eq!(world.said(), "2 silent, 3 silent, 4 up direct");
    assert_eq!(world.of(2).since_ms, START - 5_000_000);
    let remembered = world.model.remembered();
    assert_eq!(remembered.len(), 2, "{remembered:?}");
    assert_eq!(remembered[0], heard);
    assert_eq!(remembered[1].member, MemberNumber(4));
}

#[test]
fn who_left_is_forgotten() {
    let mut world = World::new(3, &[]);
    world.beacon(3);
    world.enrolled.pop();
    world.model.roster(&world.enrolled.clone());
    world.beacon(3);
    world.pass_until(10);
    assert_eq!(world.said(), "2 unknown");
    assert_eq!(world.model.remembered(), []);
}

#[test]
fn a_member_is_behind_when_it_lacks_what_was_here_at_its_last_beacon() {
    let mut world = World::new(3, &[]);
    world.links(&[2, 3]);
    world.beacon(2);
    world.pass_until(600);
    world.own.entries = 130;
    world.model.own(world.own.clone());
    world.entries.insert(2, 100);
    world.beacon(2);
    world.pass_until(900);
    assert_eq!(world.findings(2), [] as [&str; 0], "thirty entries are on their way");
    world.pass_until(1_200);
    world.beacon(2);
    world.pass_until(1_259);
    assert_eq!(world.findings(2), [] as [&str; 0], "the finding must hold");
    world.pass_until(1_270);
    let finding = world.of(2).findings.remove(0);
    assert_eq!((finding.ailment, finding.since_ms), (Ailment::Behind, START + 600_000));
    assert_eq!(finding.figures["entries"], 30);
    world.entries.insert(2, 130);
    world.beacon(2);
    world.pass_until(1_310);
    assert_eq!(world.findings(2), ["behind"], "it must be gone for the grace");
    world.pass_until(1_400);
    assert_eq!(world.findings(2), [] as [&str; 0]);
}

#[test]
fn thresholds_for_coming_and_going_differ() {
    // What is said, and whether it is shown while it was not and while it was.
    let clock = |offset| Condition { clock_offset_ms: Some(offset), ..Condition::default() };
    let disk = |free_mib, free_permille| Condition {
        disk: Some(DiskSpace { free_mib, free_permille }),
        ..Condition::default()
    };
    let bad_clock = clock(-40_000);
    let bad_disk = disk(9_000, 50);
    for (bad, between, good, id) in [
        (bad_clock, clock(25_000), clock(19_000), "clock_off"),
        (bad_disk, disk(9_000, 110), disk(9_000, 130), "disk_filling"),
        (disk(500, 900), disk(600, 900), disk(700, 900), "disk_filling"),
    ] {
        let mut world = World::new(2, &[]);
        world.links(&[2]);
        world.pass_until(10);
        for (condition, shown) in [(between, false), (bad, true), (between, true), (good, false)] {
            world.conditions.insert(2, condition);
            world.beacon(2);
            let at = world.now_s;
            world.pass_until(at + GRACE + 5);
            assert_eq!(world.findings(2).contains(&id), shown, "{condition:?}");
        }
    }
}

#[test]
fn a_clock_that_was_measured_here_outranks_what_its_owner_says() {
    let mut world = World::new(3, &[]);
    world.links(&[2, 3]);
    world.beacon(2);
    world.model.clocks(&BTreeMap::from([(MemberNumber(2), -300_000)]));
    world.pass_until(70);
    let finding = world.of(2).findings.remove(0);
    assert_eq!(
        (finding.ailment, finding.severity, finding.figures["offset_ms"]),
        (Ailment::ClockOff, Severity::Critical, -300_000)
    );
    assert_eq!(world.findings(3), [] as [&str; 0]);
}

#[test]
fn old_software_is_measured_by_what_three_run() {
    let mut world = World::new(6, &[]);
    world.own.condition.version = Version([1, 0, 0]);
    world.model.own(world.own.clone());
    world.links(&[2, 3, 4, 5, 6]);
    let version = |world: &mut World, member: u32, version: [u16; 3]| {
        world.conditions.insert(member, Condition { version: Version(version), ..Condition::default() });
        world.beacon(member);
    };
    for (member, found) in [(2, [0, 9, 0]), (3, [1, 0, 0]), (4, [1, 0, 0]), (5, [9, 9, 9])] {
        version(&mut world, member, found);
    }
    world.pass_until(100);
    assert_eq!(world.model.picture().reference, Some(Version([1, 0, 0])), "one that claims 9.9.9 sets no measure");
    assert_eq!(world.findings(2), ["outdated"]);
    assert_eq!(world.findings(3), [] as [&str; 0]);
}

#[test]
fn four_starts_in_an_hour_are_too_many() {
    let mut world = World::new(2, &[]);
    world.links(&[2]);
    for start in 0..3 {
        world.boots.insert(2, START + start);
        world.beacon(2);
        let at = world.now_s;
        world.pass_until(at + 100);
    }
    assert_eq!(world.findings(2), [] as [&str; 0]);
    world.boots.insert(2, START + 9);
    world.beacon(2);
    world.pass_until(310);
    assert_eq!(world.findings(2), ["restarting"]);
    world.pass_until(3_500);
    assert_eq!(world.findings(2), ["restarting"]);
    world.pass_until(4_000);
    assert_eq!(world.findings(2), [] as [&str; 0]);
}

#[test]
fn a_fork_and_a_flood_are_shown_at_once_and_a_body_that_lacks_after_the_grace() {
    let mut world = World::new(3, &[]);
    world.links(&[2, 3]);
    world.enrolled[1].forked_at = Some(7);
    world.model.roster(&world.enrolled.clone());
    world.model.throttled(MemberNumber(3), world.now_ms());
    world.conditions.insert(3, Condition { missing_bodies: 2, ..Condition::default() });
    world.beacon(3);
    world.pass_until(10);
    assert_eq!(world.findings(2), ["forked"]);
    assert_eq!(world.of(2).findings[0].figures["sequence"], 7);
    assert_eq!(world.findings(3), ["throttled"]);
    world.pass_until(70);
    assert_eq!(world.findings(3), ["incomplete", "throttled"]);
    world.pass_until(700);
    assert_eq!(world.findings(3), ["incomplete"]);
}

#[test]
fn this_node_misses_what_a_second_member_holds_too() {
    let mut world = World::new(4, &[]);
    world.links(&[2, 3, 4]);
    world.entries.insert(2, 1_000_000);
    world.beacon(2);
    world.entries.insert(3, 140);
    world.beacon(3);
    world.beacon(4);
    world.pass_until(10);
    assert_eq!(world.model.picture().own.condition.missing_entries, 40, "one that claims a million is one voice");
    assert_eq!(world.findings(OWN), [] as [&str; 0], "it had no time to get them");
    world.pass_until(670);
    assert_eq!(world.findings(OWN), ["behind"]);
}

#[test]
fn what_less_than_a_third_claims_or_never_shows_is_no_lag() {
    let mut world = World::new(8, &[]);
    world.links(&[2, 3, 4, 5, 6, 7, 8]);
    // One signs entries without those before them, two others boast of as many.
    world.own.staged = 9;
    world.model.own(world.own.clone());
    let beacons = |world: &mut World, boasting: &[u32], until: u64| {
        for member in 2..=8 {
            world.entries.insert(member, if boasting.contains(&member) { 1_000_000 } else { 0 });
            world.beacon(member);
        }
        world.pass_until(until);
    };
    beacons(&mut world, &[2, 3], 10);
    beacons(&mut world, &[2, 3], 670);
    assert_eq!(world.model.picture().own.condition.missing_entries, 9, "what waits is told");
    assert_eq!(world.findings(OWN), [] as [&str; 0]);
    beacons(&mut world, &[2, 3, 4], 680);
    beacons(&mut world, &[2, 3, 4], 1_340);
    assert_eq!(world.findings(OWN), ["behind"], "three of seven");
}

#[test]
fn a_node_that_catches_up_during_a_long_import_is_not_behind() {
    let mut world = World::new(4, &[]);
    world.links(&[2, 3, 4]);
    let minutes = |world: &mut World, count: u64, published: u64, taken: u64| {
        for _ in 0..count {
            for member in [2, 3] {
                *world.entries.entry(member).or_insert(20_000) += published;
                world.beacon(member);
            }
            world.own.entries += taken;
            world.model.own(world.own.clone());
            let at = world.now_s;
            world.pass_until(at + 60);
            assert!(world.model.picture().own.condition.missing_entries > 0);
        }
        world.findings(OWN)
    };
    assert_eq!(minutes(&mut world, 60, 1_000, 900), [] as [&str; 0], "others go on publishing faster than it takes in");
    assert_eq!(minutes(&mut world, 23, 0, 1), ["behind"], "hardly anything comes any more");
    assert_eq!(minutes(&mut world, 22, 0, 500), [] as [&str; 0], "it comes again");
}

#[test]
fn what_is_shown_and_kept_follows_a_clock_that_was_set() {
    const HOUR_MS: u64 = 3_600_000;
    let heard = Remembered { member: MemberNumber(2), joined_ms: START + HOUR_MS / 4, heard_ms: START + HOUR_MS / 2 };
    // The machine started an hour late by its clock, which is set right after ten seconds.
    let mut world = World::new(3, &[heard]);
    world.links(&[3]);
    world.pass_until(10);
    world.model.wall(Shift::between(world.now_ms(), world.now_ms() + HOUR_MS));
    world.pass_until(1_300);
    let now_ms = world.now_ms() + HOUR_MS;
    assert_eq!(world.model.picture().as_of_ms, now_ms);
    assert_eq!((world.of(3).heard_ms, world.of(3).joined_ms), (Some(now_ms), Some(START + HOUR_MS + 5_000)));
    assert_eq!((world.of(2).state, world.of(2).since_ms), (State::Silent, START + HOUR_MS / 2));
    assert_eq!(world.of(2).findings[0].figures["seconds"], 1_300 + 1_800);
    let remembered = world.model.remembered();
    assert_eq!(remembered[0], heard, "what was known before the start was of the right clock");
    assert_eq!(remembered[1].heard_ms, now_ms);
}

#[test]
fn silence_and_absence_are_findings_and_grow_worse() {
    let mut world = World::new(3, &[]);
    world.links(&[2]);
    world.pass_until(10);
    world.links(&[]);
    world.links(&[3]);
    world.pass_until(1_400);
    assert_eq!((world.said().as_str(), world.of(2).severity()), ("2 silent, 3 up direct", Severity::Warning));
    world.model.tick(START + 24 * 3_600_000 + 20_000);
    assert_eq!(world.of(2).severity(), Severity::Critical);
    let mut absent = World::new(3, &[]);
    absent.links(&[2]);
    absent.pass_until(1_300);
    assert_eq!(absent.of(3).severity(), Severity::Ok);
    absent.model.tick(START + 7 * 24 * 3_600_000);
    assert_eq!(absent.findings(3), ["never_joined"]);
}

/// Any pattern of connections in which none is away for the grace changes nothing, whoever else comes and goes.
#[test]
fn jitter_below_the_grace_changes_nothing() {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..60 {
        let mut world = World::new(5, &[]);
        world.links(&[2, 3, 4]);
        world.pass_until(1_300);
        let before = world.said();
        assert_eq!(before, "2 up direct, 3 up direct, 4 up direct, 5 never_joined");
        // When each was last connected.
        let mut last: BTreeMap<u32, u64> = BTreeMap::from([(2, 1_300), (3, 1_300), (4, 1_300)]);
        for _ in 0..400 {
            world.pass_until(world.now_s + 1);
            let now_s = world.now_s;
            let overdue = |member: &u32| now_s - last[member] >= GRACE - 1;
            let there: Vec<u32> =
                [2, 3, 4].into_iter().filter(|member| overdue(member) || random.u8(0..40) == 0).collect();
            there.iter().for_each(|member| {
                last.insert(*member, now_s);
            });
            world.links(&there);
            let changed = world.model.tick(world.now_ms());
            assert_eq!(world.said(), before, "seed {seed}, {now_s} s");
            assert!(!changed, "seed {seed}, {now_s} s");
        }
    }
}

/// Connections that blink for less than it takes to come back call no silent member up.
#[test]
fn blinking_connections_bring_nobody_back() {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..60 {
        let mut world = World::new(3, &[]);
        world.links(&[2, 3]);
        world.pass_until(20);
        world.links(&[3]);
        world.pass_until(1_300);
        assert_eq!(world.said(), "2 silent, 3 up direct");
        let mut lit = 0;
        for _ in 0..400 {
            world.pass_until(world.now_s + 1);
            lit = if lit < 4 && random.bool() { lit + 1 } else { 0 };
            let links: &[u32] = if lit > 0 { &[2, 3] } else { &[3] };
            world.links(links);
            world.model.tick(world.now_ms());
            assert_eq!(world.said(), "2 silent, 3 up direct", "seed {seed}, {} s", world.now_s);
        }
    }
}

/// Findings that blink are not shown, and shown ones that blink stay.
#[test]
fn blinking_findings_neither_come_nor_go() {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let bad = Condition { clock_offset_ms: Some(60_000), ..Condition::default() };
    for begins_bad in [false, true] {
        let mut world = World::new(2, &[]);
        world.links(&[2]);
        world.conditions.insert(2, if begins_bad { bad } else { Condition::default() });
        world.beacon(2);
        world.pass_until(100);
        let (mut now_bad, mut since_s) = (begins_bad, 100);
        for _ in 0..2_000 {
            world.pass_until(world.now_s + 1);
            // Back to how it began before the grace is over.
            let away = now_bad != begins_bad;
            if (away && world.now_s - since_s >= GRACE - 2) || random.u8(0..20) == 0 {
                (now_bad, since_s) = (!now_bad, world.now_s);
                world.conditions.insert(2, if now_bad { bad } else { Condition::default() });
                world.beacon(2);
            }
            world.model.tick(world.now_ms());
            assert_eq!(world.findings(2).contains(&"clock_off"), begins_bad, "seed {seed}, {} s", world.now_s);
        }
    }
}
