//! Alarms rise, worsen, last and clear, each told once.

use super::*;
use crate::doctor::catalogue::{CLOCK_OFF, DISK_FULL};

fn finding(severity: Severity, since_ms: u64) -> (&'static str, Finding) {
    ("doctor", Finding { severity, since_ms, ..CLOCK_OFF.finding("clock", "钟", "clock") })
}

fn told(changes: &[Change]) -> Vec<(&str, Severity)> {
    let told = |change: &Change| match change {
        Change::Raised(alarm) => ("raised", alarm.severity),
        Change::Cleared(alarm) => ("cleared", alarm.severity),
    };
    changes.iter().map(|change| (told(change).0, told(change).1)).collect()
}

#[test]
fn an_alarm_is_told_when_it_rises_when_it_worsens_and_when_it_is_gone() {
    let mut board = Board::default();
    assert_eq!(told(&board.look(vec![finding(Severity::Warning, 5)], 10)), [("raised", Severity::Warning)]);
    assert_eq!(told(&board.look(vec![finding(Severity::Warning, 5)], 20)), []);
    assert_eq!(told(&board.look(vec![finding(Severity::Critical, 25)], 30)), [("raised", Severity::Critical)]);
    assert_eq!(board.lasting()[0].since_ms, 5, "it lasts since it rose");
    assert_eq!(told(&board.look(vec![finding(Severity::Warning, 5)], 40)), [], "better is not worth a message");
    assert_eq!(told(&board.look(Vec::new(), 50)), [], "one look may miss it");
    assert_eq!(told(&board.look(vec![finding(Severity::Warning, 5)], 60)), [], "it was there all the time");
    assert_eq!(told(&board.look(Vec::new(), 70)), []);
    assert_eq!(told(&board.look(Vec::new(), 80)), [("cleared", Severity::Warning)]);
    assert_eq!(told(&board.look(Vec::new(), 90)), []);
    assert_eq!(board.cleared[0].cleared_ms, Some(80));
}

#[test]
fn subjects_and_sources_are_apart_and_the_bound_keeps_the_worst() {
    let mut board = Board::default();
    let of = |source, subject: &str| (source, DISK_FULL.finding(subject, "满", "full"));
    let changes = board.look(vec![of("doctor", "a"), of("doctor", "b"), of("health", "a"), of("health", "a")], 1);
    assert_eq!(changes.len(), 3);
    let mut many: Vec<_> = (0..ALARMS_MAX)
        .map(|number| (number, finding(Severity::Warning, 1)))
        .map(|(number, (source, finding))| (source, Finding { subject: number.to_string(), ..finding }))
        .collect();
    many.push(of("doctor", "worst"));
    let mut full = Board::default();
    full.look(many, 1);
    assert_eq!(full.lasting().len(), ALARMS_MAX);
    assert_eq!(full.lasting()[0].subject, "worst");
}

#[test]
fn what_the_bound_leaves_out_is_not_told_to_be_gone() {
    let of = |severity, subject: String| ("doctor", Finding { subject, ..finding(severity, 1).1 });
    let warnings = |count: usize| (0..count).map(move |number| of(Severity::Warning, format!("w{number}")));
    let mut board = Board::default();
    assert_eq!(board.look(warnings(ALARMS_MAX).collect(), 1).len(), ALARMS_MAX);
    // More and worse come while the first ones last.
    let criticals = |count: usize| (0..count).map(move |number| of(Severity::Critical, format!("c{number}")));
    let both = || criticals(50).chain(warnings(ALARMS_MAX)).collect::<Vec<_>>();
    let changes = board.look(both(), 2);
    assert_eq!(told(&changes), vec![("raised", Severity::Critical); 50]);
    assert_eq!((told(&board.look(both(), 3)), told(&board.look(both(), 4))), (Vec::new(), Vec::new()));
    assert_eq!(board.lasting().len(), ALARMS_MAX);
    assert!(board.lasting()[..50].iter().all(|alarm| alarm.severity == Severity::Critical));
    // The worst are told first.
    let mut fresh = Board::default();
    let mixed = warnings(3).chain(criticals(2)).collect();
    let order: Vec<Severity> = told(&fresh.look(mixed, 5)).into_iter().map(|(_, severity)| severity).collect();
    assert_eq!(order[..3], [Severity::Critical, Severity::Critical, Severity::Warning]);
}
