//! What a bulletin says of the set of records behind a figure: enough to tell that it is the same set, and where one or
//! two records differ to say which.

use std::collections::BTreeSet;

use crate::identity::EntryId;

/// Bytes of an id that are combined.
const PREFIX_BYTES: usize = 16;
/// Records that are tried where two differ.
const PAIRS_MAX: usize = 200_000;

/// A set of records, shortly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commitment {
    /// How many there are.
    pub records: u64,
    /// BLAKE3 over the ids in ascending order.
    pub digest: [u8; 32],
    /// The first 16 bytes of all ids, combined by exclusive or.
    pub combined: [u8; PREFIX_BYTES],
}

impl Commitment {
    /// That of a set.
    pub fn of(ids: &BTreeSet<EntryId>) -> Self {
        Self::over(ids.iter().copied(), ids.len())
    }

    fn over(ids: impl Iterator<Item = EntryId>, count: usize) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"xianmeng/figure-records/1");
        hasher.update(&(count as u64).to_le_bytes());
        let mut combined = [0; PREFIX_BYTES];
        for id in ids {
            hasher.update(id.as_bytes());
            combined.iter_mut().zip(id.as_bytes()).for_each(|(combined, byte)| *combined ^= byte);
        }
        Self { records: count as u64, digest: *hasher.finalize().as_bytes(), combined }
    }

    /// The records in which `held` differs from the committed set, where that can be told: one or two records that one
    /// side has and the other lacks, or one in the place of another. `known` finds a record that is not in `held` by the
    /// beginning of its id. Nothing is named that would not make the sets equal.
    pub fn differing(
        &self,
        held: &BTreeSet<EntryId>,
        known: &dyn Fn(&[u8; PREFIX_BYTES]) -> Option<EntryId>,
    ) -> Vec<EntryId> {
        let own = Self::of(held);
        if own == *self {
            return Vec::new();
        }
        let mut difference = own.combined;
        difference.iter_mut().zip(self.combined).for_each(|(byte, other)| *byte ^= other);
        match self.records as i128 - held.len() as i128 {
            -1 => self.try_one(held, held.iter().find(|id| prefix(id) == difference).copied()),
            1 => self.try_one(held, known(&difference)),
            -2 | 0 => self.try_two(held, &difference, known),
            _ => Vec::new(),
        }
    }

    fn try_one(&self, held: &BTreeSet<EntryId>, id: Option<EntryId>) -> Vec<EntryId> {
        id.filter(|id| self.is_without(held, &[*id])).into_iter().collect()
    }

    /// Two that are too many here, or one here in the place of one there.
    fn try_two(
        &self,
        held: &BTreeSet<EntryId>,
        difference: &[u8; PREFIX_BYTES],
        known: &dyn Fn(&[u8; PREFIX_BYTES]) -> Option<EntryId>,
    ) -> Vec<EntryId> {
        if held.len() > PAIRS_MAX {
            return Vec::new();
        }
        let here: std::collections::BTreeMap<[u8; PREFIX_BYTES], EntryId> =
            held.iter().map(|id| (prefix(id), *id)).collect();
        for id in held {
            let mut other = prefix(id);
            other.iter_mut().zip(difference).for_each(|(byte, change)| *byte ^= change);
            let found = match self.records as usize == held.len() {
                true => known(&other).filter(|found| !held.contains(found)),
                false => here.get(&other).copied().filter(|found| found != id),
            };
            if let Some(found) = found
                && self.is_without(held, &[*id, found])
            {
                return vec![*id, found];
            }
        }
        Vec::new()
    }

    /// Whether the set is this one once each of these is taken out of it, or put into it.
    fn is_without(&self, held: &BTreeSet<EntryId>, changed: &[EntryId]) -> bool {
        let changed: BTreeSet<EntryId> = changed.iter().copied().collect();
        let other: BTreeSet<EntryId> = held.symmetric_difference(&changed).copied().collect();
        Self::of(&other) == *self
    }
}

fn prefix(id: &EntryId) -> [u8; PREFIX_BYTES] {
    id.as_bytes().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> EntryId {
        EntryId(*blake3::hash(&number.to_le_bytes()).as_bytes())
    }

    fn ids(numbers: impl IntoIterator<Item = u64>) -> BTreeSet<EntryId> {
        numbers.into_iter().map(id).collect()
    }

    #[test]
    fn one_record_or_two_that_differ_are_named() {
        let all: BTreeSet<EntryId> = ids(0..40);
        let known = |wanted: &[u8; 16]| all.iter().find(|id| prefix(id) == *wanted).copied();
        let held = ids(0..20);
        let named = |stated: BTreeSet<EntryId>| {
            let named = Commitment::of(&stated).differing(&held, &known);
            named.into_iter().collect::<BTreeSet<_>>()
        };
        assert_eq!(named(held.clone()), ids([]));
        assert_eq!(named(ids(1..20)), ids([0]), "it lacks one");
        assert_eq!(named(ids(0..21)), ids([20]), "it has one more");
        assert_eq!(named(ids(2..20)), ids([0, 1]), "it lacks two");
        assert_eq!(named(ids((1..20).chain([30]))), ids([0, 30]), "one stands in the place of another");
        assert_eq!(named(ids((0..20).chain([99]))), ids([]), "nobody here knows what it counts");
        assert_eq!(named(ids(5..20)), ids([]), "too many to tell");
    }

    #[test]
    fn the_commitment_says_how_many_and_which() {
        let (one, other) = (Commitment::of(&ids([1, 2])), Commitment::of(&ids([2, 1])));
        assert_eq!(one, other);
        assert_ne!(one.digest, Commitment::of(&ids([1, 3])).digest);
        assert_eq!(Commitment::of(&ids([])).combined, [0; 16]);
    }
}
