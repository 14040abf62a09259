//! The catalogue: the profiles of all records that can be matched, by kind, in blocks that never move.
//!
//! There can be a million records, and a few bytes more for each of them count: a profile is kept once, and what finds it by its id is the
//! number of its row, in the order of the ids that stand in the rows.

use std::collections::BTreeMap;

use super::answer::Matches;
use super::profile::Profile;
use super::rules::Rules;
use super::search::{Fresh, Piece, Question, Search, Sifted, Unmatchable};
use crate::identity::EntryId;
use crate::limits::MATCH_CHUNK_RECORDS;
use crate::sorted::{Sorted, Spot};

/// The profiles of all records that can be matched, by kind.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    kinds: BTreeMap<u16, Rows>,
}

impl Catalogue {
    /// Takes in a profile, in the place of what was known of the record.
    pub fn put(&mut self, profile: Profile) {
        let others = self.kinds.iter_mut().filter(|(kind, _)| **kind != profile.kind);
        others.for_each(|(_, rows)| _ = rows.remove(&profile.id));
        self.kinds.entry(profile.kind).or_default().put(profile);
    }

    /// Forgets a record. Says whether it was known.
    pub fn remove(&mut self, id: &EntryId) -> bool {
        self.kinds.values_mut().any(|rows| rows.remove(id))
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many records it holds.
    pub fn len(&self) -> usize {
        self.kinds.values().map(Rows::len).sum()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is kept of a record.
    pub fn get(&self, id: &EntryId) -> Option<&Profile> {
        self.kinds.values().find_map(|rows| rows.get(rows.row_of(id)?))
    }

    /// The ids of all records of a kind, in no order.
    pub fn ids_of(&self, kind: u16) -> impl Iterator<Item = EntryId> + '_ {
        self.kinds.get(&kind).into_iter().flat_map(|rows| rows.blocks.iter().flatten()).map(|profile| profile.id)
    }

    /// The records that a search looks at, in pieces.
    pub fn pieces<'c>(&'c self, search: &Search<'_>) -> Vec<Piece<'c>> {
        let rows = search.kinds().iter().filter_map(|kind| self.kinds.get(kind));
        rows.flat_map(|rows| &rows.blocks).map(|block| Piece(block)).collect()
    }

    /// Looks through everything at once. `read` gives records as they are now; see [`Search::finish`].
    pub fn matches(
        &self,
        rules: &Rules,
        question: &Question<'_>,
        read: &mut dyn FnMut(&[EntryId]) -> Vec<Option<Fresh>>,
    ) -> Result<Matches, Unmatchable> {
        let search = Search::new(rules, question)?;
        let pieces = self.pieces(&search);
        let sifted = pieces.iter().map(|piece| search.look(piece)).fold(Sifted::default(), Sifted::merge);
        Ok(search.finish(sifted.shortlist(), read))
    }
}

/// The profiles of one kind.
#[derive(Debug, Clone, Default)]
struct Rows {
    /// All but the last are full, so a row is found by its number, and growing moves nothing but the last.
    blocks: Vec<Vec<Profile>>,
    /// The numbers of all rows, in the order of the ids that stand there.
    by_id: Sorted<u32>,
}

impl Rows {
    fn len(&self) -> usize {
        self.blocks.last().map_or(0, |last| (self.blocks.len() - 1) * MATCH_CHUNK_RECORDS + last.len())
    }

    fn get(&self, row: u32) -> Option<&Profile> {
        let row = row as usize;
        self.blocks.get(row / MATCH_CHUNK_RECORDS)?.get(row % MATCH_CHUNK_RECORDS)
    }

    fn get_mut(&mut self, row: u32) -> Option<&mut Profile> {
        let row = row as usize;
        self.blocks.get_mut(row / MATCH_CHUNK_RECORDS)?.get_mut(row % MATCH_CHUNK_RECORDS)
    }

    fn find(&self, id: &EntryId) -> Result<Spot, Spot> {
        // Every number in the order is that of a row.
        self.by_id.find(|row| self.get(row).map(|profile| profile.id).cmp(&Some(*id)))
    }

    fn row_of(&self, id: &EntryId) -> Option<u32> {
        self.by_id.get(self.find(id).ok()?)
    }

    fn put(&mut self, profile: Profile) {
        match self.find(&profile.id) {
            Ok(spot) => {
                let place = self.by_id.get(spot).and_then(|row| self.get_mut(row));
                place.into_iter().for_each(|place| *place = profile.clone());
            }
            Err(spot) => {
                // A federation has fewer records than a row number can count.
                let Ok(row) = u32::try_from(self.len()) else { return };
                match self.blocks.last_mut().filter(|last| last.len() < MATCH_CHUNK_RECORDS) {
                    Some(last) => last.push(profile),
                    None => self.blocks.push(vec![profile]),
                }
                self.by_id.insert(spot, row);
            }
        }
    }

    /// Puts the last row into the place of one that goes. Says whether there was one.
    fn remove(&mut self, id: &EntryId) -> bool {
        let Ok(spot) = self.find(id) else { return false };
        let Some(row) = self.by_id.get(spot) else { return false };
        self.by_id.remove(spot);
        let last_id = self.blocks.last().and_then(|last| last.last()).map(|last| last.id);
        if let Some(spot) = last_id.filter(|last| last != id).and_then(|last| self.find(&last).ok()) {
            self.by_id.replace(spot, row);
        }
        let Some(last) = self.blocks.last_mut().and_then(Vec::pop) else { return false };
        if self.blocks.last().is_some_and(Vec::is_empty) {
            self.blocks.pop();
        }
        self.get_mut(row).into_iter().for_each(|place| *place = last.clone());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> EntryId {
        EntryId(*blake3::hash(&number.to_le_bytes()).as_bytes())
    }

    #[test]
    fn it_holds_what_a_map_holds_over_several_blocks() {
        let mut random = fastrand::Rng::with_seed(11);
        let (mut catalogue, mut map) = (Catalogue::default(), BTreeMap::new());
        let count = MATCH_CHUNK_RECORDS as u32 * 3;
        for step in 0..count * 4 {
            let number = random.u32(..count);
            // First it grows over its blocks, then it is emptied.
            if random.u32(..10) < if step < count * 2 { 2 } else { 7 } {
                assert_eq!(catalogue.remove(&id(number)), map.remove(&number).is_some(), "{number}");
            } else {
                let kind = 100 + random.u16(..2);
                catalogue.put(Profile::empty(id(number), kind));
                map.insert(number, kind);
            }
        }
        assert_eq!(catalogue.len(), map.len());
        for number in 0..count {
            assert_eq!(catalogue.get(&id(number)).map(Profile::kind), map.get(&number).copied(), "{number}");
        }
        let mut held: Vec<EntryId> = [100, 101].into_iter().flat_map(|kind| catalogue.ids_of(kind)).collect();
        let mut expected: Vec<EntryId> = map.keys().map(|number| id(*number)).collect();
        held.sort();
        expected.sort();
        assert_eq!(held, expected);
        expected.iter().for_each(|id| assert!(catalogue.remove(id)));
        assert!(catalogue.is_empty() && catalogue.kinds.values().all(|rows| rows.blocks.is_empty()));
    }
}
