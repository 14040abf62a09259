//! The moments at which time alone moves a record: a deadline is over, a statement from the future counts.

use std::collections::BTreeSet;

use protocol::identity::EntryId;

/// The nearest moments, each with its record.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    due: BTreeSet<(u64, EntryId)>,
    bound: usize,
    /// The first moment that was left out for want of room.
    left_out_ms: Option<u64>,
}

impl Moments {
    pub(super) fn new(bound: usize) -> Self {
        Self { due: BTreeSet::new(), bound, left_out_ms: None }
    }

    /// Notes when a record moves. What was noted of it before stays, and is looked at for nothing.
    pub(super) fn note(&mut self, moment_ms: u64, record: EntryId) {
        if self.left_out_ms.is_some_and(|left_out| moment_ms >= left_out) {
            return;
        }
        self.due.insert((moment_ms, record));
        while self.due.len() > self.bound {
            if let Some((moment_ms, _)) = self.due.pop_last() {
                self.left_out_ms = Some(moment_ms);
            }
        }
    }

    /// When the next record moves, or moments must be gathered again.
    pub(super) fn next_ms(&self) -> Option<u64> {
        self.due.first().map(|(moment_ms, _)| *moment_ms).into_iter().chain(self.left_out_ms).min()
    }

    /// Takes up to `count` records that moved until `now_ms`.
    pub(super) fn take(&mut self, now_ms: u64, count: usize) -> Vec<EntryId> {
        let mut taken = Vec::new();
        while taken.len() < count && self.due.first().is_some_and(|(moment_ms, _)| *moment_ms <= now_ms) {
            taken.extend(self.due.pop_first().map(|(_, record)| record));
        }
        taken
    }

    /// Whether moments that were left out have come: then they must be gathered again.
    pub(super) fn is_short(&self, now_ms: u64) -> bool {
        self.left_out_ms.is_some_and(|left_out| left_out <= now_ms)
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.bound);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: u8) -> EntryId {
        EntryId([number; 32])
    }

    #[test]
    fn records_come_when_their_moment_has_come_and_no_sooner() {
        let mut moments = Moments::new(10);
        for (moment, number) in [(30, 3), (10, 1), (20, 2), (10, 1)] {
            moments.note(moment, record(number));
        }
        assert_eq!(moments.next_ms(), Some(10));
        assert_eq!(moments.take(9, 10), []);
        assert_eq!(moments.take(20, 1), [record(1)]);
        assert_eq!(moments.take(20, 10), [record(2)]);
        assert_eq!((moments.next_ms(), moments.is_short(1_000)), (Some(30), false));
    }

    #[test]
    fn what_has_no_room_is_gathered_again_in_time() {
        let mut moments = Moments::new(2);
        for moment in [40, 10, 30, 20] {
            moments.note(moment, record(moment as u8));
        }
        assert_eq!(moments.take(29, 10), [record(10), record(20)]);
        assert_eq!(moments.next_ms(), Some(30), "two were left out, the first of them at 30");
        moments.note(35, record(35));
        assert!(!moments.is_short(29) && moments.is_short(30));
        moments.clear();
        assert_eq!((moments.next_ms(), moments.is_short(1_000)), (None, false));
    }
}
