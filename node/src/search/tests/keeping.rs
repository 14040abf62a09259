//! What stays on disk, what goes, and what is made anew.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::*;

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("the directory").map(|entry| entry.expect("an entry").path());
    entries.collect()
}

/// Whether any file holds these bytes.
fn holds(directory: &Path, bytes: &[u8]) -> bool {
    let found = |path: &PathBuf| fs::read(path).expect("a file").windows(bytes.len()).any(|window| window == bytes);
    files(directory).iter().any(found)
}

/// Opens the index of a directory that nobody has open.
fn reopened(directory: &Path) -> (SearchIndex, Opened) {
    SearchIndex::open(directory).expect("an index")
}

fn closed(kept: Kept) -> TempDir {
    let Kept { directory, .. } = kept;
    directory
}

#[test]
fn what_was_committed_is_there_again_with_its_payload() {
    let mut kept = Kept::of(&records());
    kept.writer.put(&document(99, DEMAND, "不曾提交")).expect("it is put");
    let directory = closed(kept);
    let (index, opened) = reopened(directory.path());
    assert_eq!(opened, Opened { condition: Condition::Intact, payload: b"positions".to_vec() });
    assert_eq!(index.documents(), records().len() as u64);
    assert_eq!(index.search(&asking("院落"), NOW_MS).expect("an answer").total, 1);
    assert_eq!(index.search(&asking("不曾提交"), NOW_MS).expect("an answer").total, 0);
    let mode = fs::metadata(directory.path()).expect("the directory").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_payload_is_any_bytes() {
    let payload: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let mut kept = Kept::of(&[]);
    kept.writer.commit(&payload).expect("it is committed");
    let directory = closed(kept);
    assert_eq!(reopened(directory.path()).1.payload, payload);
}

#[test]
fn a_document_takes_the_place_of_the_one_before() {
    let mut kept = Kept::of(&records());
    let changed = Document { title: "临江书院".to_owned(), ..records()[3].clone() };
    for _ in 0..2 {
        // Once against what is committed, once against what is not.
        kept.writer.put(&changed).expect("it is put");
        kept.writer.put(&changed).expect("it is put");
        kept.writer.commit(b"").expect("it is committed");
        assert_eq!(kept.index.documents(), records().len() as u64);
    }
    assert_eq!(kept.ask(&asking("院落")).total, 1, "its text still has the word");
    assert_eq!(kept.ask(&asking("书院")).total, 1);
    assert_eq!(kept.ask(&asking("白帝城")).total, 0);
    kept.writer.remove(&changed.id).expect("it is removed");
    kept.writer.commit(b"").expect("it is committed");
    assert_eq!((kept.ask(&asking("书院")).total, kept.index.documents()), (0, records().len() as u64 - 1));
}

#[test]
fn clearing_takes_everything_also_what_was_not_committed() {
    let mut kept = Kept::of(&records());
    kept.writer.put(&document(98, DEMAND, "不曾提交")).expect("it is put");
    kept.writer.clear().expect("it is cleared");
    kept.writer.put(&document(99, DEMAND, "新的开始")).expect("it is put");
    kept.writer.commit(b"anew").expect("it is committed");
    assert_eq!(kept.index.documents(), 1);
    assert_eq!(kept.ask(&asking("不曾提交")).total, 0);
    kept.writer.clear().expect("it is cleared");
    kept.writer.commit(b"empty").expect("it is committed");
    assert_eq!(kept.index.documents(), 0);
    let directory = closed(kept);
    assert_eq!(reopened(directory.path()).1.payload, b"empty");
}

#[test]
fn an_index_of_another_version_is_made_anew() {
    let directory = closed(Kept::of(&records()));
    fs::write(directory.path().join("version"), "999 0123456789abcdef\n").expect("it is written");
    let (index, opened) = reopened(directory.path());
    assert_eq!(opened, Opened { condition: Condition::OtherVersion, payload: Vec::new() });
    assert_eq!(index.documents(), 0);
    drop(index);
    assert_eq!(reopened(directory.path()).1.condition, Condition::Intact);
}

#[test]
fn what_a_killed_process_began_to_write_goes() {
    let directory = closed(Kept::of(&records()));
    let (unfinished, other) = (directory.path().join(".tmpAbC123"), directory.path().join("notes.txt"));
    fs::write(&unfinished, "half").expect("it is written");
    fs::write(&other, "mine").expect("it is written");
    assert_eq!(reopened(directory.path()).1.condition, Condition::Intact);
    assert!(!unfinished.exists() && other.exists());
}

#[test]
fn whatever_is_damaged_is_noticed_and_made_anew() {
    let directory = closed(Kept::of(&records()));
    let whole = tempfile::tempdir().expect("a directory");
    copy(directory.path(), whole.path());
    let mut damaged = 0;
    for file in files(whole.path()) {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let bytes = fs::read(&file).expect("a file");
        if name.starts_with(".tantivy-") || bytes.is_empty() {
            continue;
        }
        let flipped = |at: usize| {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x55;
            bytes
        };
        let missing = None;
        for content in
            [missing, Some(Vec::new()), Some(bytes[..bytes.len() / 2].to_vec()), Some(flipped(bytes.len() / 2))]
        {
            let copied = tempfile::tempdir().expect("a directory");
            copy(whole.path(), copied.path());
            match content {
                None => fs::remove_file(copied.path().join(&name)).expect("it goes"),
                Some(content) => fs::write(copied.path().join(&name), content).expect("it is written"),
            }
            let (index, opened) = reopened(copied.path());
            // The list of files only says what may go, and is not needed to read.
            if opened.condition == Condition::Intact {
                assert_eq!(name, ".managed.json");
                assert_eq!(index.documents(), records().len() as u64);
                continue;
            }
            assert!(opened.payload.is_empty() && index.documents() == 0, "{name}");
            let mut writer = index.writer().expect("a writer");
            writer.put(&records()[0]).expect("it is put");
            writer.commit(b"anew").expect("it is committed");
            assert_eq!(index.search(&asking("电芯"), NOW_MS).expect("an answer").total, 1);
            damaged += 1;
        }
    }
    assert!(damaged > 20, "{damaged}");
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        fs::copy(&file, to.join(file.file_name().expect("a name"))).expect("it is copied");
    }
}

#[test]
fn nothing_but_the_files_of_an_index_is_removed() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("notes.txt"), "keep").expect("it is written");
    fs::write(directory.path().join("meta.json"), "not an index").expect("it is written");
    assert_eq!(reopened(directory.path()).1.condition, Condition::Damaged);
    assert_eq!(fs::read(directory.path().join("notes.txt")).expect("it is there"), b"keep");
}

#[test]
fn one_writer_at_a_time() {
    let kept = Kept::of(&[]);
    assert!(kept.index.writer().is_err());
    drop(kept.writer);
    assert!(kept.index.writer().is_ok());
}

#[test]
fn after_a_scrub_no_file_holds_an_erased_word() {
    let mut kept = Kept::of(&records());
    let secret = Document {
        names: texts(["饕餮集团"]),
        labels: texts(["zqx-7781"]),
        texts: texts(["囍龘靐 qwertyzxcv"]),
        facets: vec![("category".to_owned(), "貔貅".to_owned())],
        state: Some("vanished".to_owned()),
        ..document(50, DEMAND, "魑魅魍魉")
    };
    // A segment with nothing else in it would go as a whole, without a scrub.
    kept.writer.put(&document(51, DEMAND, "邻座")).expect("it is put");
    kept.writer.put(&secret).expect("it is put");
    kept.writer.commit(b"").expect("it is committed");
    // The dictionaries of the fields share beginnings and ends of words, so words are looked up in them; what columns
    // hold stands in the files as it is.
    let words = ["饕餮", "qwertyzxcv", "zqx-7781", "魑魅", "魍魉", "taotie\u{1}饕餮"];
    let as_they_are: [&[u8]; 2] = ["貔貅".as_bytes(), b"vanished"];
    for word in words {
        assert!(knows(&kept.index, word), "{word} is there before");
    }
    assert!(as_they_are.iter().all(|bytes| holds(kept.directory.path(), bytes)));
    // Somebody counts facets, so that their tables are read.
    kept.ask(&Query { facets: vec![crate::search::Facet::Fields], ..Query::default() });
    kept.writer.remove(&secret.id).expect("it is removed");
    kept.writer.commit(b"after").expect("it is committed");
    let scrubbed = kept.writer.scrub().expect("it is scrubbed");
    assert_eq!(scrubbed.left, 0);
    for word in words {
        assert!(!knows(&kept.index, word), "{word} is gone");
    }
    for bytes in as_they_are.into_iter().chain(words.map(str::as_bytes)) {
        assert!(!holds(kept.directory.path(), bytes));
    }
    let segments = kept.index.inner.index.searchable_segment_ids().expect("segments");
    let is_of_segment = |file: &PathBuf| segments.iter().any(|id| file.to_string_lossy().contains(&id.uuid_string()));
    let others = ["version", "meta.json", ".managed.json", ".tantivy-meta.lock", ".tantivy-writer.lock"];
    for file in files(kept.directory.path()).iter().filter(|file| !is_of_segment(file)) {
        assert!(others.iter().any(|name| file.ends_with(name)), "{}", file.display());
    }
    assert_eq!(kept.index.documents(), records().len() as u64 + 1);
    assert_eq!(kept.ask(&asking("院落")).total, 1);
    let directory = closed(kept);
    assert_eq!(reopened(directory.path()).1, Opened { condition: Condition::Intact, payload: b"after".to_vec() });
}

/// Whether a dictionary of any field that can be searched has a word, also one that only removed documents have.
fn knows(index: &SearchIndex, word: &str) -> bool {
    let inner = &index.inner;
    let schema = inner.index.schema();
    let fields = schema.fields().filter(|(_, entry)| entry.is_indexed());
    let mut terms = fields.map(|(field, _)| tantivy::Term::from_field_text(field, word));
    terms.any(|term| inner.reader.searcher().doc_freq(&term).expect("a dictionary") > 0)
}

#[test]
fn a_scrub_of_what_has_nothing_removed_does_nothing() {
    let mut kept = Kept::of(&records());
    let scrubbed = kept.writer.scrub().expect("it is scrubbed");
    assert_eq!((scrubbed.segments, scrubbed.left), (0, 0));
}

#[test]
fn a_scrub_keeps_what_was_put_since_the_commit() {
    let mut kept = Kept::of(&records());
    kept.writer.remove(&id(1)).expect("it is removed");
    kept.writer.commit(b"").expect("it is committed");
    kept.writer.put(&document(60, DEMAND, "后来的需求")).expect("it is put");
    kept.writer.scrub().expect("it is scrubbed");
    kept.writer.commit(b"").expect("it is committed");
    assert_eq!(kept.ask(&asking("后来的需求")).total, 1);
    assert_eq!(kept.index.documents(), records().len() as u64);
}
