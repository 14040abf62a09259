//! How far the members' nodes hold each log, as sessions and beacons told this one.

use protocol::beacon::Beacon;
use protocol::charter::LogNumber;
use protocol::custody::{Holdings, Told};
use protocol::identity::MemberNumber;

use super::{Core, Delivered};

impl Core {
    /// Notes that a member's node holds logs up to these lengths at least.
    pub fn note_held(&self, member: MemberNumber, heads: impl IntoIterator<Item = (LogNumber, u64)>) {
        // What the charter does not know is not remembered, so nobody can make this grow.
        let known = self.read(|state| state.replica.charter().logs().len());
        self.shared.held.lock().note(member, heads, known);
    }

    /// Notes what a member's beacon says of the logs that its node holds. Returns whether it names the frontier of this
    /// node as it is now.
    pub fn note_told(&self, member: MemberNumber, beacon: &Beacon) -> bool {
        let known = self.read(|state| state.replica.charter().logs().len());
        let (digest, heads) = self.heads();
        let told = Told { boot_ms: beacon.boot_ms, entries: beacon.entries, heads: &beacon.heads };
        let mut frontiers = self.shared.frontiers.lock();
        let now = frontiers.note(digest, &heads);
        let before = frontiers.find(&beacon.digest).cloned();
        drop(frontiers);
        let mut held = self.shared.held.lock();
        match before {
            _ if beacon.digest == digest => held.agree(member, told, &now),
            Some(before) => held.agreed(member, told, &before, known),
            None => held.tell(member, told, known),
        }
        beacon.digest == digest
    }

    /// Remembers the frontier of now: beacons that name it may still be on their way when it is another.
    pub fn note_frontier(&self) {
        let (digest, heads) = self.heads();
        self.shared.frontiers.lock().note(digest, &heads);
    }

    /// Reads how far each member's node is known to hold each log. Not to be called within [`Self::read`].
    pub fn holdings<R>(&self, read: impl FnOnce(&Holdings) -> R) -> R {
        read(&self.shared.held.lock())
    }

    /// Forgets what former members held.
    pub fn retain_holdings(&self, is_member: impl Fn(MemberNumber) -> bool) {
        self.shared.held.lock().retain(is_member);
    }

    /// To how many members' nodes an entry has been delivered.
    pub fn delivered(&self, log: LogNumber, sequence: u64) -> Delivered {
        let own = self.own().map(|(member, _)| member);
        let others: Vec<MemberNumber> = self.read(|state| {
            let nodes = state.replica.charter().transport_keys();
            let mut members: Vec<_> = nodes.into_values().filter(|member| Some(*member) != own).collect();
            members.sort();
            members.dedup();
            members
        });
        let held = self.shared.held.lock();
        let holds = |member: &MemberNumber| held.length(*member, log) > sequence;
        let members = others.len();
        Delivered { held_by: others.into_iter().filter(holds).collect(), members }
    }
}

#[cfg(test)]
mod tests {
    use protocol::beacon::Condition;
    use protocol::identity::{FrontierDigest, public_key};

    use super::*;
    use crate::records::tests::world::World;

    #[tokio::test]
    async fn only_the_digest_of_a_frontier_that_was_here_says_what_its_sender_holds() {
        let world = World::new().await;
        let core = &world.core;
        let (member, log) = core.own().expect("it is a member");
        let other = core.delivered(log, 0).members;
        assert!(other > 0, "the story needs another member");
        let holder = core.read(|state| {
            let members = state.replica.charter().members();
            members.keys().copied().find(|number| *number != member).expect("there is another")
        });
        let beacon = |digest: FrontierDigest| Beacon {
            transport: public_key(&world.other.transport),
            boot_ms: 1,
            counter: 1,
            expires_ms: 2,
            interval_seconds: 600,
            condition: Condition::default(),
            charter_version: 1,
            digest,
            entries: u64::MAX,
            heads: Default::default(),
        };
        let draft = || protocol::entry::Draft { kind: 60_000, body: vec![1; 64] };
        core.publish(vec![draft()]).await.expect("it may publish");
        let length = || core.read(|state| state.replica.effective_length(log));
        let before = core.heads().0;
        assert!(!core.note_told(holder, &beacon(FrontierDigest([9; 32]))));
        assert_eq!(core.holdings(|held| held.length(holder, log)), 0, "nobody knows that frontier");
        assert!(core.note_told(holder, &beacon(before)));
        assert_eq!(core.holdings(|held| held.length(holder, log)), length());
        core.retain_holdings(|_| false);
        core.publish(vec![draft()]).await.expect("it may publish");
        assert!(!core.note_told(holder, &beacon(before)), "it was composed before the last entry");
        assert_eq!(core.holdings(|held| held.length(holder, log)), length() - 1);
    }
}
