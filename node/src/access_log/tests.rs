//! A line that was changed, removed or cut off is noticed, and a disk that refuses is said.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::file::Writer;
use super::limits::{FILE_BYTES, FILES_MAX, TEXT_CHARACTERS_MAX};
use super::*;

fn record(subject: &str) -> Record {
    Record {
        actor: "api".into(),
        address: String::new(),
        action: "write",
        method: "POST".into(),
        route: "/v1/records/{reference}/revise".into(),
        subject: subject.into(),
        outcome: "ok 201".into(),
    }
}

/// Writes lines and waits until they are there.
fn written(path: &Path, subjects: &[&str]) {
    let log = AccessLog::open(path);
    let before = verify(path).length;
    subjects.iter().for_each(|subject| log.record(record(subject)));
    let wanted = before + subjects.len() as u64;
    for _ in 0..500 {
        if log.view(1).length == wanted {
            assert!(log.close(), "its writer ends");
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{wanted} lines were not written: {:?}", log.view(1));
}

fn current(path: &Path) -> std::path::PathBuf {
    path.join("current.jsonl")
}

#[test]
fn the_chain_goes_on_after_a_restart_and_is_sound() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("access");
    assert_eq!(verify(&path).breaks, [], "a log that was never begun is sound");
    written(&path, &["2-1", "2-2"]);
    written(&path, &["2-3", &"长".repeat(1_000)]);
    let verified = verify(&path);
    assert_eq!((verified.lines, verified.first, verified.length), (4, 1, 4));
    assert_eq!(verified.breaks, []);
    let shown = AccessLog::open(&path).view(2).entries;
    assert_eq!(shown.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [4, 3], "the latest first");
    assert_eq!(shown[0].subject.chars().count(), TEXT_CHARACTERS_MAX);
}

#[test]
fn a_line_that_was_changed_removed_or_cut_off_is_noticed() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("access");
    written(&path, &["2-1", "2-2", "2-3", "2-4"]);
    let sound = fs::read_to_string(current(&path)).expect("it was written");
    let lines: Vec<&str> = sound.lines().collect();
    let broken = |text: String| {
        fs::write(current(&path), text).expect("it can be written");
        verify(&path).breaks.into_iter().map(|found| (found.file, found.line)).collect::<Vec<_>>()
    };
    let place = |line| ("current.jsonl".to_owned(), line);
    let end = || ("head".to_owned(), 0);
    assert_eq!(broken(sound.replacen("2-2", "2-9", 1)), [place(2)]);
    assert_eq!(broken(format!("{}\n{}\n{}\n", lines[0], lines[2], lines[3])), [place(2)]);
    assert_eq!(broken(format!("{}\n{}\n{}\n", lines[0], lines[1], lines[2])), [end()]);
    assert_eq!(broken(format!("{}\nnonsense\n{}\n{}\n{}\n", lines[0], lines[1], lines[2], lines[3])), [place(2)]);
    assert_eq!(broken(String::new()), [end()]);
    assert_eq!(broken(format!("{sound}{{\"seq")), [], "a torn line was never acknowledged");
    assert_eq!(broken(sound.clone()), []);
    assert_eq!(examine(&path), []);
}

#[test]
fn lines_that_were_cut_off_stay_missed_when_the_log_goes_on() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("access");
    written(&path, &["2-1", "2-2", "2-3"]);
    let text = fs::read_to_string(current(&path)).expect("it was written");
    let first = text.lines().next().expect("there are three");
    for rest in [format!("{first}\n"), String::new()] {
        fs::write(current(&path), rest).expect("it can be written");
        let log = AccessLog::open(&path);
        log.record(record("2-4"));
        let whole = || verify(&path).breaks.iter().any(|found| found.file == "current.jsonl");
        assert!((0..500).any(|_| whole() || {
            std::thread::sleep(Duration::from_millis(10));
            false
        }));
    }
}

#[test]
fn whoever_guesses_pushes_nothing_out_of_the_log() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("access");
    let log = AccessLog::open(&path);
    let refused = || Record { actor: "unknown".into(), action: "login", outcome: "refused 401".into(), ..record("") };
    (0..10_000).for_each(|_| log.record_refused(refused()));
    assert!((0..500).any(|_| log.length() > 0 || {
        std::thread::sleep(Duration::from_millis(10));
        false
    }));
    // So many at once take far less than the time of a few lines.
    assert!(log.length() < 100, "{}", log.length());
    assert_eq!(log.fault(), None);
}

#[test]
fn a_torn_line_is_cut_off_before_the_chain_goes_on() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("access");
    written(&path, &["2-1"]);
    let text = fs::read_to_string(current(&path)).expect("it was written");
    fs::write(current(&path), format!("{text}{{\"sequence\":2,")).expect("it can be written");
    written(&path, &["2-2"]);
    assert_eq!((verify(&path).length, verify(&path).breaks), (2, Vec::new()));
}

#[test]
fn old_files_make_room_and_the_chain_holds_across_files() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("access");
    let mut writer = Writer::new(&path, 0, super::file::NOTHING.to_owned());
    let filler = "x".repeat(TEXT_CHARACTERS_MAX);
    let long = Record { actor: filler.clone(), method: filler.clone(), outcome: filler.clone(), ..record(&filler) };
    // Each batch fills a file.
    let lines_per_batch = FILE_BYTES / (4 * TEXT_CHARACTERS_MAX as u64) + 1;
    for _ in 0..FILES_MAX + 3 {
        writer
            .append((0..lines_per_batch).map(|number| line(number, long.clone())))
            .expect("the directory is writable");
        writer.settle().expect("the directory is writable");
    }
    let verified = verify(&path);
    assert_eq!((verified.breaks, verified.length), (Vec::new(), writer.length()));
    assert!(verified.first > 1 && verified.lines < verified.length, "the oldest are gone");
    let files = super::file::files(&path).expect("the directory can be listed");
    assert!(files.len() <= FILES_MAX + 1);
    // As many as are kept are here; with one less somebody took the oldest, or one between.
    let aside = folder.path().join("aside");
    for taken in [&files[0], &files[3]] {
        fs::rename(taken, &aside).expect("it can be moved");
        assert!(!verify(&path).breaks.is_empty(), "{} is gone", taken.display());
        fs::rename(&aside, taken).expect("it can be moved back");
    }
    assert_eq!(verify(&path).breaks, []);
}

#[test]
fn what_the_hash_does_not_cover_is_noticed_too() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("access");
    written(&path, &["2-1", "2-2"]);
    let sound = fs::read_to_string(current(&path)).expect("it was written");
    let broken = |text: String| {
        fs::write(current(&path), text).expect("it can be written");
        verify(&path).breaks.into_iter().map(|found| found.line).collect::<Vec<_>>()
    };
    assert_eq!(broken(sound.replacen("{\"seq", "{\"note\":\"approved\",\"seq", 1)), [1]);
    assert_eq!(broken(sound.replacen("{\"seq", "{ \"seq", 1)), [1]);
    assert!(broken(sound).is_empty());
}

#[test]
fn a_line_that_comes_while_the_log_is_verified_is_no_break() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("access");
    written(&path, &["2-1"]);
    let before = fs::read(path.join("head")).expect("it was written");
    written(&path, &["2-2"]);
    // What was remembered was read before the second line came.
    fs::write(path.join("head"), before).expect("it can be written");
    assert_eq!(verify(&path).breaks, []);
    fs::write(path.join("head"), format!("1 {}\n", "0".repeat(64))).expect("it can be written");
    assert_eq!(verify(&path).breaks.len(), 1, "the first line is not the one that was remembered");
}

#[test]
fn a_log_that_is_gone_or_was_counted_beyond_reason_is_told() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("access");
    written(&path, &["2-1"]);
    fs::write(path.join("head"), format!("{} {}\n", u64::MAX, super::file::NOTHING)).expect("it can be written");
    assert_eq!(verify(&path).breaks.len(), 1);
    // It goes on where the lines end.
    written(&path, &["2-2"]);
    assert_eq!((verify(&path).length, verify(&path).breaks), (2, Vec::new()));
    fs::remove_dir_all(&path).expect("it is there");
    fs::write(&path, "").expect("it can be written");
    assert_eq!(verify(&path).breaks.len(), 1, "what cannot be listed is not sound");
}

#[test]
fn lines_that_were_lost_are_counted_in_the_chain_and_closing_writes_what_waits() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("access");
    fs::write(&path, "").expect("the directory is writable");
    let log = AccessLog::open(&path);
    (0..3).for_each(|_| log.record(record("2-1")));
    assert!((0..500).any(|_| log.shared.state.lock().lost == 3 || {
        std::thread::sleep(Duration::from_millis(10));
        false
    }));
    fs::remove_file(&path).expect("it is there");
    log.record(record("2-2"));
    assert!(log.close());
    assert_eq!(log.fault(), None, "the gap is in the chain now");
    let entries = log.view(9).entries;
    let outcomes: Vec<&str> = entries.iter().map(|entry| &*entry.outcome).collect();
    assert_eq!(outcomes, ["ok 201", "3 lines lost"]);
    log.record(record("2-3"));
    assert!(log.fault().is_some(), "nobody writes any more");
}

#[tokio::test]
async fn who_asks_for_a_line_on_disk_learns_whether_it_is_there() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("access");
    fs::write(&path, "").expect("the directory is writable");
    let log = AccessLog::open(&path);
    let address = "2001:db8:1234:5678:9abc:def0:1234:5678";
    let from = |subject: &str| Record { address: address.into(), ..record(subject) };
    assert!(!log.record_durably(from("2-1")).await, "a file where the directory should be refuses everybody");
    fs::remove_file(&path).expect("it is there");
    assert!(log.record_durably(from("2-2")).await);
    // Without waiting for anything else: the line is in the file.
    let text = fs::read_to_string(current(&path)).expect("it was written");
    assert!(text.contains("2-2") && text.contains(address), "{text}");
    assert!(log.close());
    assert!(!log.record_durably(from("2-3")).await, "nobody writes any more");
    assert_eq!(verify(&path).breaks, []);
}

#[test]
fn lines_of_a_log_from_before_addresses_still_fit_their_hashes() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("access");
    written(&path, &["2-1"]);
    let text = fs::read_to_string(current(&path)).expect("it was written");
    assert!(!text.contains("address"), "a line without an address is written as it always was: {text}");
    assert_eq!(verify(&path).breaks, []);
}

#[test]
fn a_log_that_is_taken_away_while_it_is_written_is_missed() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("access");
    let mut writer = Writer::new(&path, 0, super::file::NOTHING.to_owned());
    let mut add = || {
        writer.append(std::iter::once(line(1, record("2-1")))).expect("the directory is writable");
        writer.settle().expect("the directory is writable");
    };
    add();
    fs::remove_dir_all(&path).expect("it is there");
    add();
    // Not into a file without a name, and not as if nothing had been.
    let verified = verify(&path);
    assert_eq!((verified.lines, verified.first, verified.breaks.len()), (1, 2, 1));
}

#[test]
fn who_shows_nothing_cannot_fill_the_queue() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let log = AccessLog::open(&folder.path().join("access"));
    let refused = Record { actor: UNKNOWN.into(), outcome: "refused 403".into(), ..record("") };
    (0..10_000).for_each(|_| log.record(refused.clone()));
    log.record(record("2-1"));
    assert!(log.close());
    assert_eq!(log.fault(), None);
    assert_eq!(log.view(1).entries[0].subject, "2-1", "a real write found room");
}

#[test]
fn a_disk_that_refuses_is_said_and_nobody_waits() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("access");
    // A file where the directory should be refuses everybody, root as well.
    fs::write(&path, "").expect("the directory is writable");
    let log = AccessLog::open(&path);
    log.record(record("2-1"));
    let failed = || log.findings().iter().any(|finding| finding.id == "access-log-failed");
    assert!(
        (0..500).any(|_| failed() || {
            std::thread::sleep(Duration::from_millis(10));
            false
        }),
        "{:?}",
        log.view(1)
    );
    fs::remove_file(&path).expect("it is there");
    log.record(record("2-2"));
    assert!((0..500).any(|_| !failed() || {
        std::thread::sleep(Duration::from_millis(10));
        false
    }));
    // The line that was refused is counted in a line of its own.
    assert_eq!(verify(&path).length, 2);
}

#[test]
fn a_guard_of_the_end_that_cannot_be_written_is_told_until_it_can() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("access");
    written(&path, &["a"]);
    // A directory with something in it cannot be replaced by a file.
    let head = path.join("head");
    std::fs::remove_file(&head).expect("it was written");
    std::fs::create_dir_all(head.join("in the way")).expect("writable");
    let log = AccessLog::open(&path);
    let until = |what: &str, done: &dyn Fn() -> bool| {
        let so = (0..1_000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            done()
        });
        assert!(so, "{what}: {:?}", log.view(1));
    };
    log.record(record("b"));
    until("it is told", &|| log.fault().is_some());
    for number in 0..5 {
        let before = log.view(1).length;
        log.record(record(&number.to_string()));
        until("the line is there", &|| log.view(1).length > before);
        assert!(log.fault().is_some(), "a line that could be written does not mend the guard");
    }
    std::fs::remove_dir_all(&head).expect("writable");
    until("it is mended", &|| {
        log.record(record("c"));
        log.fault().is_none()
    });
}
