use std::os::unix::fs::PermissionsExt;

use super::*;

fn profile() -> Profile {
    Profile { name: "奉节县".into(), class: "county".into(), region: "500236".into() }
}

#[test]
fn a_second_init_refuses_and_keys_are_the_owners_alone() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("node");
    let directory = DataDirectory::create(&path, &profile(), &Config::default()).expect("an empty directory");
    let path_of_key = directory.keystore().path(KeyName::current(Purpose::Signing));
    let mode = fs::metadata(path_of_key).expect("the key is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let keys = directory.keys().expect("the keys read back");
    let second = DataDirectory::create(&path, &profile(), &Config::default());
    assert!(matches!(second, Err(DirectoryError::Exists { .. })));
    let again = DataDirectory::open(&path).expect("it is a node").keys().expect("the keys read back");
    assert_eq!(keys.signing.to_bytes(), again.signing.to_bytes());
    let application = directory.application(&FederationId([3; 32])).expect("the profile is sound");
    assert_eq!(application.unproven_key(&FederationId([3; 32])), None);
}

#[test]
fn a_directory_without_a_node_is_named() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    assert!(matches!(DataDirectory::open(folder.path()), Err(DirectoryError::Missing { .. })));
}
#[test]
fn a_kit_makes_the_same_member_again() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let first = DataDirectory::create(&folder.path().join("first"), &profile(), &Config::default());
    let first = first.expect("an empty directory");
    let former = KeyName { purpose: Purpose::Encryption.into(), slot: Slot::Former(1) };
    let old = keystore::generate().expect("there are random bytes");
    first.keystore().add(former, &old, None).expect("it is new");
    let passphrase = kit::choose_passphrase().expect("there are random bytes");
    let text = kit::write(&profile(), &first.all_keys().expect("they open"), &passphrase).expect("it is written");
    write_private(&first.kit_path(), text.as_bytes()).expect("it is new");

    let kit = kit::read(&first.kit_path(), &passphrase).expect("it opens");
    let path = folder.path().join("second");
    let second = DataDirectory::recover(&path, &kit, &Config::default(), None).expect("an empty directory");
    let again = DataDirectory::recover(first.path(), &kit, &Config::default(), None);
    assert!(matches!(again, Err(DirectoryError::Exists { .. })));
    assert!(!second.path().join("place").exists() && first.path().join("place").exists());
    assert_eq!(second.profile().expect("it reads"), profile());
    let secrets = |directory: &DataDirectory| {
        let keys = directory.all_keys().expect("they open");
        keys.into_iter().map(|(name, key)| (name, key.to_bytes())).collect::<Vec<_>>()
    };
    assert_eq!(secrets(&second), secrets(&first));
    let keys = second.keys().expect("they open");
    assert_eq!(keys.former_encryption[0].to_bytes(), old.to_bytes());
}

#[test]
fn the_node_and_a_waiting_applicant_need_no_governance_key() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let directory = DataDirectory::create(&folder.path().join("node"), &profile(), &Config::default());
    let directory = directory.expect("an empty directory");
    let federation = FederationId([3; 32]);
    let made = directory.kept_application(&federation).expect("every key is at hand");
    let governance = KeyName::current(Purpose::Governance);
    let secret = Passphrase::new("nur für Registrare");
    directory.keystore().protect(governance, &NoPassphrases, Some(&secret)).expect("it is open");
    assert!(directory.keys().is_ok());
    assert_eq!(directory.kept_application(&federation).expect("it was kept"), made);
    assert!(matches!(directory.governance_key(), Err(DirectoryError::Locked { .. })));
    assert!(directory.application(&federation).is_err());
    assert!(directory.clone().unlocked_by(Arc::new(secret)).governance_key().is_ok());
    directory.keystore().remove(governance).expect("it is there");
    assert!(matches!(directory.governance_key(), Err(DirectoryError::NoKey { .. })));
    assert_eq!(directory.kept_application(&federation).expect("it was kept"), made);
    let elsewhere = directory.application(&federation).expect("an application without governance key");
    assert_eq!(elsewhere.application.keys.len(), 3);
}
