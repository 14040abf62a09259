//! Who is in: sessions in memory, and the links that let the owner of the data directory enter.
//!
//! Only the hash of a session's secret is kept. A restart of the node ends every session. A session of an account ends
//! when the account is removed or its password changed, because it names the password it was opened with.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::accounts::Role;
use super::limits::{
    LINK_MS_MAX, LINKS_MAX, SESSION_IDLE_MS_MAX, SESSION_MS_MAX, SESSIONS_MAX, SESSIONS_PER_ACCOUNT_MAX,
};

/// The name by which the owner of the data directory appears, who needs no account.
pub const OWNER: &str = "owner";

type Hash = [u8; 32];

/// Somebody who is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Name of the account; [`OWNER`] for the bearer of a link.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Proves that a form came from a page of this session.
    pub csrf: String,
    /// Fingerprint of the password that opened it; unset for the bearer of a link.
    pub opened_by: Option<String>,
    /// Tells sessions apart; no secret.
    pub number: u64,
    created_ms: u64,
    used_ms: u64,
}

impl Session {
    fn lasts(&self, now_ms: u64) -> bool {
        now_ms < self.created_ms.saturating_add(SESSION_MS_MAX)
            && now_ms < self.used_ms.saturating_add(SESSION_IDLE_MS_MAX)
    }
}

#[derive(Debug, Default)]
struct Held {
    sessions: BTreeMap<Hash, Session>,
    /// Hashes of links that were not used yet, with the time at which each ends.
    links: BTreeMap<Hash, u64>,
    opened: u64,
}

/// The sessions and links of one portal.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<Held>);

impl Sessions {
    /// Opens a session and returns its secret.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn open(
        &self,
        name: &str,
        role: Role,
        opened_by: Option<String>,
        now_ms: u64,
    ) -> Result<String, getrandom::Error> {
        let (secret, csrf) = (secret()?, secret()?);
        let mut held = self.0.lock();
        held.sessions.retain(|_, session| session.lasts(now_ms));
        while held.sessions.values().filter(|session| session.name == name).count() >= SESSIONS_PER_ACCOUNT_MAX {
            held.drop_idlest(|session| session.name == name);
        }
        while held.sessions.len() >= SESSIONS_MAX {
            held.drop_idlest(|_| true);
        }
        held.opened += 1;
        let session = Session {
            name: name.to_owned(),
            role,
            csrf,
            opened_by,
            number: held.opened,
            created_ms: now_ms,
            used_ms: now_ms,
        };
        held.sessions.insert(hash(&secret), session);
        Ok(secret)
    }

    /// The session of a secret, which counts as used now if `use_it`.
    pub fn find(&self, secret: &str, now_ms: u64, use_it: bool) -> Option<Session> {
        let mut held = self.0.lock();
        let key = hash(secret);
        let session = held.sessions.get_mut(&key)?;
        if !session.lasts(now_ms) {
            held.sessions.remove(&key);
            return None;
        }
        if use_it {
            session.used_ms = now_ms;
        }
        Some(session.clone())
    }

    /// Ends the session of a secret. Says whether there was one.
    pub fn close(&self, secret: &str) -> bool {
        self.0.lock().sessions.remove(&hash(secret)).is_some()
    }

    /// Whether the session of that number lasts still.
    pub fn lasts(&self, number: u64, now_ms: u64) -> bool {
        self.0.lock().sessions.values().any(|session| session.number == number && session.lasts(now_ms))
    }

    /// Makes the secret of a link that lets its bearer in once.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn make_link(&self, now_ms: u64) -> Result<String, getrandom::Error> {
        let secret = secret()?;
        let mut held = self.0.lock();
        held.links.retain(|_, until_ms| now_ms < *until_ms);
        while held.links.len() >= LINKS_MAX {
            let Some(oldest) = held.links.iter().min_by_key(|(_, until_ms)| **until_ms).map(|(key, _)| *key) else {
                break;
            };
            held.links.remove(&oldest);
        }
        held.links.insert(hash(&secret), now_ms.saturating_add(LINK_MS_MAX));
        Ok(secret)
    }

    /// Takes a link: it is good once.
    pub fn take_link(&self, secret: &str, now_ms: u64) -> bool {
        self.0.lock().links.remove(&hash(secret)).is_some_and(|until_ms| now_ms < until_ms)
    }
}

impl Held {
    fn drop_idlest(&mut self, of: impl Fn(&Session) -> bool) {
        let idlest = self.sessions.iter().filter(|(_, session)| of(session)).min_by_key(|(_, session)| session.used_ms);
        if let Some(key) = idlest.map(|(key, _)| *key) {
            self.sessions.remove(&key);
        }
    }
}

/// 32 random bytes as text.
pub(super) fn secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

/// Secrets are looked up by their hash, so that the time that takes tells nothing about them.
fn hash(secret: &str) -> Hash {
    *blake3::hash(secret.as_bytes()).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(sessions: &Sessions, name: &str, now_ms: u64) -> String {
        sessions.open(name, Role::Viewer, None, now_ms).expect("there is randomness")
    }

    #[test]
    fn a_session_ends_unused_and_in_any_case_and_when_it_is_closed() {
        let sessions = Sessions::default();
        let secret = open(&sessions, "甲", 0);
        assert!(sessions.find("another", 1, true).is_none());
        let mut now_ms = 0;
        while now_ms < SESSION_MS_MAX - SESSION_IDLE_MS_MAX {
            now_ms += SESSION_IDLE_MS_MAX - 1;
            assert!(sessions.find(&secret, now_ms, true).is_some(), "{now_ms}");
        }
        assert!(sessions.find(&secret, SESSION_MS_MAX, true).is_none(), "however much it is used");
        let idle = open(&sessions, "甲", 0);
        assert!(sessions.find(&idle, SESSION_IDLE_MS_MAX - 1, false).is_some());
        assert!(sessions.find(&idle, SESSION_IDLE_MS_MAX, true).is_none(), "listening is no use");
        let closed = open(&sessions, "甲", 0);
        assert!(sessions.close(&closed) && !sessions.close(&closed));
        assert!(sessions.find(&closed, 1, true).is_none());
    }

    #[test]
    fn sessions_are_bounded_by_account_and_together() {
        let sessions = Sessions::default();
        let first = open(&sessions, "甲", 0);
        for at in 1..=SESSIONS_PER_ACCOUNT_MAX as u64 {
            open(&sessions, "甲", at);
        }
        assert!(sessions.find(&first, 20, true).is_none(), "the one unused longest is gone");
        for number in 0..2 * SESSIONS_MAX {
            open(&sessions, &format!("a{number}"), 20);
        }
        assert_eq!(sessions.0.lock().sessions.len(), SESSIONS_MAX);
    }

    #[test]
    fn a_link_is_good_once_and_for_a_while() {
        let sessions = Sessions::default();
        let link = sessions.make_link(0).expect("there is randomness");
        assert!(!sessions.take_link("another", 1));
        assert!(sessions.take_link(&link, 1) && !sessions.take_link(&link, 1));
        let late = sessions.make_link(0).expect("there is randomness");
        assert!(!sessions.take_link(&late, LINK_MS_MAX));
        let links: Vec<String> = (0..2 * LINKS_MAX as u64).map(|at| sessions.make_link(at).expect("random")).collect();
        let good = links.iter().filter(|link| sessions.take_link(link, 100)).count();
        assert_eq!(good, LINKS_MAX);
    }
}
