//! Wrong passwords: the more there were, the longer the next attempt waits.
//!
//! Counted are pairs of place and account, so that nobody can lock somebody else's account from afar; places, so that
//! nobody tries many accounts in turn; and accounts, so that nobody tries one from many places. The last do not slow down
//! those places from which the account was entered.

use std::collections::BTreeMap;
use std::net::IpAddr;

use parking_lot::Mutex;

use super::limits::{
    ATTEMPT_MEMORY_MS, ATTEMPT_WAIT_MS_MAX, ATTEMPT_WAIT_OF_ACCOUNT_MS_MAX, ATTEMPTS_REMEMBERED_MAX, FREE_ATTEMPTS,
    FREE_ATTEMPTS_OF_ACCOUNT, FREE_ATTEMPTS_OF_ADDRESS, KNOWN_PLACES_MAX,
};
use super::place::Place;

/// Hash of an account's name. The name itself may be a mistyped password.
type Name = [u8; 32];

/// Who tried, or what was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Pair(Place, Name),
    Place(Place),
    Account(Name),
}

impl Key {
    /// None for the first attempts, then one second, twice as long each time.
    fn wait_after(self, count: u32) -> u64 {
        let (free, wait_ms_max) = match self {
            Self::Pair(..) => (FREE_ATTEMPTS, ATTEMPT_WAIT_MS_MAX),
            Self::Place(_) => (FREE_ATTEMPTS_OF_ADDRESS, ATTEMPT_WAIT_MS_MAX),
            Self::Account(_) => (FREE_ATTEMPTS_OF_ACCOUNT, ATTEMPT_WAIT_OF_ACCOUNT_MS_MAX),
        };
        match count.checked_sub(free + 1) {
            None => 0,
            Some(doublings) => 1_000u64.checked_shl(doublings.min(32)).unwrap_or(u64::MAX).min(wait_ms_max),
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Failures {
    count: u32,
    /// When the next attempt is welcome.
    next_ms: u64,
}

#[derive(Debug, Default)]
struct Tried {
    failures: BTreeMap<Key, Failures>,
    /// From where accounts were entered, and when last.
    known: BTreeMap<(Place, Name), u64>,
}

/// What was tried in vain.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<Tried>);

impl Throttle {
    /// Counts an attempt as failed before it is made, so that attempts side by side count as well. An error says for how
    /// many milliseconds the next one must wait.
    ///
    /// # Errors
    /// The wait, in milliseconds.
    pub fn begin(&self, address: IpAddr, account: &str, now_ms: u64) -> Result<(), u64> {
        let (place, name) = (Place::of(address), hash(account));
        let mut tried = self.0.lock();
        let is_known = tried.known.contains_key(&(place, name));
        let failures = &mut tried.failures;
        failures.retain(|_, failed| now_ms < failed.next_ms.saturating_add(ATTEMPT_MEMORY_MS));
        let of_account = (!is_known).then_some(Key::Account(name));
        let keys = [Some(Key::Pair(place, name)), Some(Key::Place(place)), of_account].into_iter().flatten();
        let wait_ms = keys.clone().filter_map(|key| failures.get(&key)).map(|failed| failed.next_ms);
        let wait_ms = wait_ms.max().unwrap_or(0).saturating_sub(now_ms);
        if wait_ms > 0 {
            return Err(wait_ms);
        }
        for key in keys {
            if failures.len() >= ATTEMPTS_REMEMBERED_MAX && !failures.contains_key(&key) {
                let soonest = failures.iter().min_by_key(|(_, failed)| failed.next_ms).map(|(key, _)| *key);
                soonest.map(|soonest| failures.remove(&soonest));
            }
            let failed = failures.entry(key).or_default();
            failed.count = failed.count.saturating_add(1);
            failed.next_ms = now_ms.saturating_add(key.wait_after(failed.count));
        }
        Ok(())
    }

    /// Forgets what failed there: the password was right. What others try from elsewhere still counts.
    pub fn succeeded(&self, address: IpAddr, account: &str, now_ms: u64) {
        let (place, name) = (Place::of(address), hash(account));
        let mut tried = self.0.lock();
        tried.failures.remove(&Key::Pair(place, name));
        tried.failures.remove(&Key::Place(place));
        // The attempt itself was counted as one that fails.
        let is_known = tried.known.contains_key(&(place, name));
        if let Some(failed) = tried.failures.get_mut(&Key::Account(name)).filter(|_| !is_known) {
            failed.count = failed.count.saturating_sub(1);
        }
        if tried.known.len() >= KNOWN_PLACES_MAX && !is_known {
            let oldest = tried.known.iter().min_by_key(|(_, at_ms)| **at_ms).map(|(key, _)| *key);
            oldest.map(|oldest| tried.known.remove(&oldest));
        }
        tried.known.insert((place, name), now_ms);
    }
}

fn hash(account: &str) -> Name {
    *blake3::hash(account.as_bytes()).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn the_wait_doubles_up_to_its_bound_and_ends_with_the_right_password() {
        let throttle = Throttle::default();
        let (mut now_ms, mut waits) = (0, Vec::new());
        while waits.last() != Some(&ATTEMPT_WAIT_MS_MAX) {
            match throttle.begin(ADDRESS, "甲", now_ms) {
                Ok(()) => {}
                Err(wait_ms) => {
                    waits.push(wait_ms);
                    now_ms += wait_ms;
                }
            }
        }
        assert_eq!(waits[..4], [1_000, 2_000, 4_000, 8_000]);
        throttle.succeeded(ADDRESS, "甲", now_ms);
        assert_eq!(throttle.begin(ADDRESS, "甲", now_ms), Ok(()));
    }

    #[test]
    fn another_address_is_not_locked_out_and_many_accounts_in_turn_are() {
        let throttle = Throttle::default();
        for _ in 0..=FREE_ATTEMPTS {
            throttle.begin(ADDRESS, "甲", 0).expect("free");
        }
        assert_eq!(throttle.begin(ADDRESS, "甲", 0), Err(1_000));
        assert_eq!(throttle.begin([10, 0, 0, 1].into(), "甲", 0), Ok(()));
        let other = [10, 0, 0, 2].into();
        let tried = (0..50).filter(|number| throttle.begin(other, &format!("a{number}"), 0).is_ok()).count();
        assert_eq!(tried as u32, FREE_ATTEMPTS_OF_ADDRESS + 1);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_ends() {
        let throttle = Throttle::default();
        for number in 0..2 * ATTEMPTS_REMEMBERED_MAX as u32 {
            let _ = throttle.begin(IpAddr::V4(number.into()), "甲", 0);
        }
        assert!(throttle.0.lock().failures.len() <= ATTEMPTS_REMEMBERED_MAX);
        throttle.begin(ADDRESS, "甲", ATTEMPT_WAIT_MS_MAX + ATTEMPT_MEMORY_MS).expect("all is forgotten");
        assert_eq!(throttle.0.lock().failures.len(), 3);
        for number in 0..2 * KNOWN_PLACES_MAX as u32 {
            throttle.succeeded(IpAddr::V4(number.into()), "甲", u64::from(number));
        }
        assert_eq!(throttle.0.lock().known.len(), KNOWN_PLACES_MAX);
    }

    #[test]
    fn one_network_is_one_place() {
        let throttle = Throttle::default();
        let address = |number: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, number]);
        let tried = (0..50).filter(|number| throttle.begin(address(*number), "甲", 0).is_ok()).count();
        assert_eq!(tried as u32, FREE_ATTEMPTS + 1, "another address of it is no way around");
    }

    #[test]
    fn an_account_is_not_tried_from_everywhere_and_its_own_places_are_not_locked_out() {
        let throttle = Throttle::default();
        throttle.begin(ADDRESS, "甲", 0).expect("free");
        throttle.succeeded(ADDRESS, "甲", 0);
        let elsewhere = |number: u8| IpAddr::from([192, 0, 2, number]);
        let tried = (0..200).filter(|number| throttle.begin(elsewhere(*number), "甲", 0).is_ok()).count();
        assert_eq!(tried as u32, FREE_ATTEMPTS_OF_ACCOUNT + 1);
        assert!(throttle.begin(elsewhere(250), "甲", 0).is_err(), "a place that nobody entered from waits as well");
        assert_eq!(throttle.begin(elsewhere(250), "乙", 0), Ok(()), "another account is free");
        assert_eq!(throttle.begin(ADDRESS, "甲", 0), Ok(()), "from where the account was entered it is not locked");
    }
}
