//! Keys that take over: a key waits beside the one in use until the charter grants it, and then takes its place.
//!
//! A running node that sees the grant stops for a moment and starts again; the change itself is made at the start, when
//! nothing works with the old key. So an interruption at any point leaves the old key in use, and the next start makes
//! the change.

use std::time::Duration;

use protocol::charter::{Charter, Purpose};
use protocol::identity::MemberNumber;

use crate::core::{Core, Stop};
use crate::directory::keystore::{KeyName, Slot};
use crate::directory::{DataDirectory, DirectoryError};
use crate::store::Store;

/// How long a node may hear from nobody before it tries the transport key that waits.
const UNHEARD_MAX: Duration = Duration::from_secs(60);
/// The same in rounds of sync, where these are long.
const UNHEARD_ROUNDS: u32 = 3;

/// Purposes whose next key the charter grants by now.
pub fn due(directory: &DataDirectory, charter: &Charter) -> Result<Vec<Purpose>, DirectoryError> {
    let mut due = Vec::new();
    for purpose in Purpose::ALL {
        let key = directory.keystore().next_key(purpose)?;
        due.extend(key.and_then(|key| charter.holder(&key, purpose)).map(|_| purpose));
    }
    Ok(due)
}

/// Puts every key in use that is due. Returns their purposes.
pub fn promote(directory: &DataDirectory, charter: &Charter) -> Result<Vec<Purpose>, DirectoryError> {
    let due = due(directory, charter)?;
    for purpose in &due {
        // A registrar's key may lie elsewhere; then there is nothing here that becomes a former one.
        let former = directory.keystore().promote(*purpose)?;
        tracing::warn!(purpose = purpose.name(), ?former, "the charter grants the next key: it is in use from now on");
    }
    Ok(due)
}

/// The member whose keys lie in a directory, as far as a charter tells.
pub fn member(directory: &DataDirectory, charter: &Charter) -> Result<Option<MemberNumber>, DirectoryError> {
    let keys = directory.keystore().list()?;
    Ok(keys.iter().rev().find_map(|key| charter.ever_of(&key.public)).map(|(member, _)| member))
}

/// Whether a former key signed entries here: a log that is empty now is then a new one, and not a lost one.
pub fn is_renewed(directory: &DataDirectory, store: &Store) -> Result<bool, DirectoryError> {
    let former = |name: &KeyName| name.purpose == Purpose::Signing && matches!(name.slot, Slot::Former(_));
    let keystore = directory.keystore();
    for name in keystore.names()?.iter().filter(|name| former(name)) {
        if store.journal_length(&keystore.public_key(*name)?) > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Stops a node that nobody speaks with while another transport key waits. The charter may have replaced the one in use
/// while the node was away; with that one it cannot learn so.
pub async fn watch_transport(core: Core, directory: DataDirectory, round: Duration) {
    let limit = UNHEARD_MAX.max(round * UNHEARD_ROUNDS);
    let sessions = || core.counters().all().get("sync-sessions").copied().unwrap_or_default();
    loop {
        let before = sessions();
        tokio::time::sleep(limit).await;
        let waits = directory.keystore().next_key(Purpose::Transport).is_ok_and(|key| key.is_some());
        if waits && sessions() == before && core.delivered(0, 0).members > 0 {
            tracing::warn!("nobody speaks with this node: it tries the transport key that waits");
            core.stop(Stop::TransportUnheard);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::directory::{Profile, keystore};
    use crate::key_request::KeyRequest;
    use protocol::charter::{Operation, Seal};
    use protocol::identity::public_key;
    use protocol::testing::Organisation;

    #[test]
    fn a_key_takes_over_when_the_charter_grants_it_and_once() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let profile = Profile { name: "奉节县".into(), class: "county".into(), region: String::new() };
        let directory = DataDirectory::create(&folder.path().join("node"), &profile, &Config::default());
        let directory = directory.expect("the directory is writable");
        let (mut charter, secretariat) = Organisation::found("秘书处", 1);
        assert_eq!(member(&directory, &charter).expect("the keys can be read"), None);
        let application = directory.application(&charter.federation()).expect("the keys are there");
        let number = charter.next_member();
        let admit = Operation::Admit { member: number, application };
        secretariat.try_append(&mut charter, vec![admit]).expect("it is proven");
        assert_eq!(member(&directory, &charter).expect("the keys can be read"), Some(number));

        let old = directory.public_key(Purpose::Encryption).expect("there is one");
        let key = keystore::generate().expect("there are random bytes");
        let next = KeyName::next(Purpose::Encryption);
        directory.keystore().add(next, &key, None).expect("it is new");
        assert_eq!(promote(&directory, &charter).expect("nothing is due"), []);
        let request =
            KeyRequest::new(charter.federation(), number, Purpose::Encryption, &key, Some(old), String::new());
        let grant = request.verify(&charter.federation()).expect("it is proven");
        let replace = Operation::ReplaceKey { seal: Seal { key: old, last: None }, grant };
        secretariat.try_append(&mut charter, vec![replace]).expect("the member is active");

        // As after an interruption between the copy and the rename.
        let former = KeyName { purpose: Purpose::Encryption.into(), slot: Slot::Former(1) };
        let path = |name| directory.keystore().path(name);
        std::fs::hard_link(path(KeyName::current(Purpose::Encryption)), path(former)).expect("one disk");
        assert_eq!(promote(&directory, &charter).expect("it is due"), [Purpose::Encryption]);
        assert_eq!(directory.public_key(Purpose::Encryption).expect("there is one"), public_key(&key));
        assert_eq!(directory.keystore().public_key(former).expect("it is kept"), old);
        assert_eq!(promote(&directory, &charter).expect("it is done"), []);
    }
}
