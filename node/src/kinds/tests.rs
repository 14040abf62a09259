use std::fs;

use protocol::kind::{KIND_SET_VERSION, KindSet};

use super::{
    EXTRA_FILE_BYTES_MAX, Installed, KindsError, NamedSets, extended, is_builtin, readable, selections, stated_version,
};

const FUND: u16 = 104;

/// A kind file whose kind no build has.
fn kind_file(number: u16, name: &str, zh: &str) -> (String, String) {
    let content = format!(
        "number = {number}\nname = \"{name}\"\nzh = \"{zh}\"\nen = \"The {name}\"\nwriters = [\"county\"]\n\
         title = \"title\"\nexternal = \"own\"\n\n[[field]]\nnumber = 1\nname = \"own\"\nzh = \"自编号\"\n\
         en = \"Own number\"\ntype = \"text\"\n\n[[field]]\nnumber = 2\nname = \"title\"\nzh = \"标题\"\n\
         en = \"Title\"\ntype = \"text\"\nobligatory = true\n"
    );
    (format!("{name}.toml"), content)
}

fn set(files: &[(String, String)]) -> KindSet {
    extended(files).expect("the files are in order")
}

#[test]
fn a_file_in_a_directory_is_a_kind_more() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (name, content) = kind_file(9_000, "orchard", "果园");
    fs::write(folder.path().join(&name), &content).expect("the directory is writable");
    fs::write(folder.path().join("README.md"), "no kind").expect("the directory is writable");
    let installed = Installed::read(folder.path()).expect("the file is in order");
    assert_eq!(installed.set().kind_named("果园").map(|kind| kind.number()), Some(9_000));
    assert_eq!(installed.set().kinds().count(), KindSet::builtin().kinds().count() + 1);
    assert_ne!(installed.set().hash(), KindSet::builtin().hash());
    assert_eq!(installed.extra_files().collect::<Vec<_>>(), ["orchard.toml"]);
    assert!(!is_builtin(9_000) && is_builtin(FUND));

    fs::write(folder.path().join("long.toml"), vec![b'#'; EXTRA_FILE_BYTES_MAX as usize + 1]).expect("it is writable");
    let error = Installed::read(folder.path()).expect_err("it is too long");
    assert!(matches!(error, KindsError::TooLong { ref file } if file == "long.toml"), "{error}");
}

#[test]
fn a_built_in_kind_is_never_redefined_and_the_file_is_named() {
    let refused = |file: (String, String)| extended(&[file]).expect_err("it is taken");
    let error = refused(kind_file(FUND, "orchard", "果园"));
    assert!(matches!(error, KindsError::Redefines { key: "number", ref kind, .. } if kind == "fund"), "{error}");
    assert!(error.zh().contains("orchard.toml") && error.to_string().contains("orchard.toml"));
    let error = refused(kind_file(9_000, "orchard", "基金"));
    assert!(matches!(error, KindsError::Redefines { key: "zh", .. }), "{error}");
    let (_, content) = kind_file(9_000, "orchard", "果园");
    let error = refused(("fund.toml".into(), content));
    assert!(matches!(error, KindsError::Redefines { key: "file", .. }), "{error}");
}

#[test]
fn a_broken_file_is_named_with_its_field_and_rule() {
    let (name, content) = kind_file(9_000, "orchard", "果园");
    let broken = content.replacen("type = \"text\"", "type = \"fruit\"", 1);
    let error = extended(&[(name.clone(), broken)]).expect_err("there is no such type");
    for text in [error.zh(), error.to_string()] {
        assert!(text.contains("orchard.toml") && text.contains("own") && text.contains("fruit"), "{text}");
    }
    let twice = [(name, content.clone()), ("again.toml".to_owned(), content)];
    assert!(matches!(extended(&twice), Err(KindsError::Rule(_))));
}

#[test]
fn a_record_is_stated_under_the_version_that_most_can_read() {
    let orchard = set(&[kind_file(9_000, "orchard", "果园")]);
    let builtin = KindSet::builtin();
    let mut named = NamedSets::from([(KIND_SET_VERSION, builtin.hash())]);
    assert_eq!(stated_version(&named, &orchard, FUND), Some(1));
    assert_eq!(stated_version(&named, &orchard, 9_000), None, "the charter does not name it yet");
    named.insert(2, orchard.hash());
    assert_eq!(stated_version(&named, &orchard, FUND), Some(1), "members without the file read it");
    assert_eq!(stated_version(&named, &orchard, 9_000), Some(2));
    named.insert(5, orchard.hash());
    assert_eq!(stated_version(&named, &orchard, 9_000), Some(5), "the highest of one set");
    let only = NamedSets::from([(3, orchard.hash())]);
    assert_eq!(stated_version(&only, &orchard, FUND), Some(3));
    assert_eq!(stated_version(&only, builtin, FUND), None);
}

#[test]
fn what_was_stated_under_a_set_that_is_not_here_waits_for_an_update() {
    let orchard = set(&[kind_file(9_000, "orchard", "果园")]);
    let builtin = KindSet::builtin();
    let named = NamedSets::from([(1, builtin.hash()), (2, orchard.hash())]);
    assert!(readable(&named, builtin, 1, FUND));
    assert!(!readable(&named, builtin, 2, FUND) && !readable(&named, builtin, 2, 9_000));
    assert!(readable(&named, &orchard, 1, FUND) && readable(&named, &orchard, 2, FUND));
    assert!(readable(&named, &orchard, 2, 9_000));
    assert!(!readable(&named, &orchard, 1, 9_000), "that set has no such kind");
    assert!(!readable(&named, &orchard, 3, FUND), "the charter names no third");
    assert!(readable(&NamedSets::new(), builtin, KIND_SET_VERSION, FUND), "a charter that names none");
}

#[test]
fn sets_of_fewer_extra_files_stay_known_when_one_is_added() {
    let files = [kind_file(9_000, "orchard", "果园"), kind_file(9_001, "vineyard", "葡萄园")];
    let folder = tempfile::tempdir().expect("a temporary directory");
    for (name, content) in &files {
        fs::write(folder.path().join(name), content).expect("the directory is writable");
    }
    let installed = Installed::read(folder.path()).expect("the files are in order");
    let known = installed.known();
    let extra = |files| known.get(&set(files).hash()).map(|kinds| kinds.iter().copied().collect::<Vec<_>>());
    assert_eq!(extra(&files[..1]), Some(vec![9_000]));
    assert_eq!(extra(&files[1..]), Some(vec![9_001]));
    assert_eq!(extra(&files), Some(vec![9_000, 9_001]));
    assert_eq!(known.len(), 3);
    let many: Vec<_> =
        (0..10).map(|index| kind_file(9_000 + index, &format!("kind{index}"), &index.to_string())).collect();
    assert_eq!(selections(&many).len(), 9, "beyond the bound only what leaves out the newest");
}
