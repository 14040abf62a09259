//! The search for the place where two copies of a log part (DESIGN 5.4).
//!
//! Chains make the question monotone: once ids differ they differ for ever after. Each step probes a few places
//! between what is known to agree and what is known to differ.

use crate::identity::EntryId;
use crate::limits::PROBES_PER_STEP;

/// A running search in one log.
#[derive(Debug, Clone)]
pub(super) struct Bisection {
    /// Entries known to agree.
    agree: u64,
    /// A sequence known, or assumed, to differ.
    differ: u64,
    /// Whether `differ` has been seen to differ.
    confirmed: bool,
}

/// What a step led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask for the ids at these places.
    Probe(Vec<u64>),
    /// The copies part at this sequence.
    Found(u64),
    /// They do not differ where they were assumed to.
    Nowhere,
}

impl Bisection {
    /// Begins a search among the first `length` entries, which both sides hold. `length` is at least 1.
    pub(super) fn new(length: u64) -> Self {
        Self { agree: 0, differ: length - 1, confirmed: false }
    }

    /// The next step.
    pub(super) fn step(&self) -> Step {
        if self.agree > self.differ {
            return Step::Nowhere;
        }
        if self.confirmed && self.agree == self.differ {
            return Step::Found(self.differ);
        }
        let width = self.differ - self.agree;
        let stride = (width / PROBES_PER_STEP).max(1);
        let mut places: Vec<u64> = (self.agree..self.differ).step_by(stride as usize).collect();
        if !self.confirmed {
            places.push(self.differ);
        }
        Step::Probe(places)
    }

    /// Takes the peer's ids; `own` gives this side's.
    pub(super) fn learn(&mut self, ids: &[(u64, EntryId)], own: impl Fn(u64) -> Option<EntryId>) {
        for (sequence, id) in ids {
            if *sequence > self.differ {
                continue;
            }
            if own(*sequence) == Some(*id) {
                self.agree = self.agree.max(*sequence + 1);
            } else {
                self.differ = *sequence;
                self.confirmed = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(branch: u8, sequence: u64) -> EntryId {
        let mut bytes = [branch; 32];
        bytes[..8].copy_from_slice(&sequence.to_le_bytes());
        EntryId(bytes)
    }

    fn search(length: u64, parts_at: u64) -> (Step, usize) {
        let own = |sequence| Some(id(1, sequence));
        let theirs = |sequence| id(if sequence < parts_at { 1 } else { 2 }, sequence);
        let mut bisection = Bisection::new(length);
        for steps in 0..100 {
            match bisection.step() {
                Step::Probe(places) => {
                    let ids: Vec<_> = places.into_iter().map(|place| (place, theirs(place))).collect();
                    bisection.learn(&ids, own);
                }
                end => return (end, steps),
            }
        }
        panic!("the search for {parts_at} of {length} does not end");
    }

    #[test]
    fn every_place_is_found_in_few_steps() {
        for length in [1, 2, 3, 17, 1_000] {
            for parts_at in 0..length {
                let (end, steps) = search(length, parts_at);
                assert_eq!(end, Step::Found(parts_at), "{parts_at} of {length}");
                assert!(steps <= 8, "{steps} steps for {parts_at} of {length}");
            }
            assert_eq!(search(length, length).0, Step::Nowhere);
        }
    }
}
