//! Claims: two requests that concern one own number or one record are published one after the other, so that what was
//! checked for the second still holds when it is signed. Requests that concern different things do not wait.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;
use protocol::identity::EntryId;
use tokio::sync::Notify;

/// What a request concerns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Claim {
    /// An own number of a kind.
    External(u16, String),
    /// A record.
    Record(EntryId),
}

/// What is claimed now.
#[derive(Debug, Default)]
pub(super) struct Claims {
    held: Mutex<BTreeSet<Claim>>,
    released: Notify,
}

/// Claims that are held until this is dropped.
#[derive(Debug)]
pub(super) struct Held {
    claims: Arc<Claims>,
    wanted: BTreeSet<Claim>,
}

impl Claims {
    /// Waits until nobody holds any of `wanted`, then takes all of them together.
    pub(super) async fn take(self: &Arc<Self>, wanted: BTreeSet<Claim>) -> Held {
        loop {
            let released = self.released.notified();
            if self.try_take(&wanted) {
                return Held { claims: Arc::clone(self), wanted };
            }
            // A release after `notified` was called wakes this up, even when it came before the wait.
            released.await;
        }
    }

    fn try_take(&self, wanted: &BTreeSet<Claim>) -> bool {
        let mut held = self.held.lock();
        let free = wanted.iter().all(|claim| !held.contains(claim));
        if free {
            held.extend(wanted.iter().cloned());
        }
        free
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = self.claims.held.lock();
        for claim in &self.wanted {
            held.remove(claim);
        }
        drop(held);
        self.claims.released.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn claim(number: u8) -> BTreeSet<Claim> {
        BTreeSet::from([Claim::Record(EntryId([number; 32]))])
    }

    #[tokio::test]
    async fn the_second_waits_for_the_first_and_others_do_not() {
        let claims = Arc::new(Claims::default());
        let first = claims.take(claim(1)).await;
        let _other = claims.take(claim(2)).await;
        let second = tokio::spawn({
            let claims = Arc::clone(&claims);
            async move { drop(claims.take(claim(1)).await) }
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!second.is_finished());
        drop(first);
        tokio::time::timeout(Duration::from_secs(10), second).await.expect("it goes on").expect("it does not panic");
    }
}
