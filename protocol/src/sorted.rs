//! Small items in order, in chunks: a few bytes for each, where a map would spend ten times as many on its keys.
//!
//! The order is the caller's: items can be numbers of rows that are compared by what stands in the rows.

use std::cmp::Ordering;

/// Items in one chunk. Within it an insertion moves the items behind it; beyond it a chunk is parted.
const CHUNK_ITEMS: usize = 512;

/// Items in order.
#[derive(Debug, Clone)]
pub(crate) struct Sorted<T> {
    /// None is empty.
    chunks: Vec<Vec<T>>,
}

/// A place among the items: the chunk, and the position in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot(usize, usize);

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<T: Copy> Sorted<T> {
    /// Where the item stands that `order` finds equal to what is sought, or where it would belong. `order` says how an
    /// item compares with what is sought.
    pub(crate) fn find(&self, order: impl Fn(T) -> Ordering) -> Result<Spot, Spot> {
        let begins_before = |chunk: &Vec<T>| chunk.first().is_some_and(|first| order(*first) != Ordering::Greater);
        let chunk = self.chunks.partition_point(begins_before).saturating_sub(1);
        let Some(items) = self.chunks.get(chunk) else { return Err(Spot(0, 0)) };
        let found = items.binary_search_by(|item| order(*item));
        found.map(|position| Spot(chunk, position)).map_err(|position| Spot(chunk, position))
    }

    /// The item at a spot where one was found.
    pub(crate) fn get(&self, Spot(chunk, position): Spot) -> Option<T> {
        self.chunks.get(chunk)?.get(position).copied()
    }

    /// Puts an item in the place of another that the order finds equal.
    pub(crate) fn replace(&mut self, Spot(chunk, position): Spot, item: T) {
        if let Some(held) = self.chunks.get_mut(chunk).and_then(|items| items.get_mut(position)) {
            *held = item;
        }
    }

    /// Takes out the item at a spot where one was found.
    pub(crate) fn remove(&mut self, Spot(chunk, position): Spot) {
        let Some(items) = self.chunks.get_mut(chunk).filter(|items| position < items.len()) else { return };
        items.remove(position);
        if items.is_empty() {
            self.chunks.remove(chunk);
        }
    }

    /// Puts an item where it was found to belong.
    pub(crate) fn insert(&mut self, Spot(chunk, position): Spot, item: T) {
        let chunks = self.chunks.len();
        let Some(items) = self.chunks.get_mut(chunk) else {
            self.chunks.push(vec![item]);
            return;
        };
        if items.len() < CHUNK_ITEMS {
            items.insert(position, item);
        } else if position == items.len() && chunk + 1 == chunks {
            // What comes in order leaves full chunks behind.
            self.chunks.push(vec![item]);
        } else {
            let mut upper = items.split_off(CHUNK_ITEMS / 2);
            items.shrink_to_fit();
            match position.checked_sub(items.len()) {
                Some(position) => upper.insert(position, item),
                None => items.insert(position, item),
            }
            self.chunks.insert(chunk + 1, upper);
        }
    }

    /// The items from a spot on, in order.
    pub(crate) fn from(&self, Spot(chunk, position): Spot) -> impl Iterator<Item = T> + '_ {
        let first = self.chunks.get(chunk).and_then(|items| items.get(position..)).unwrap_or_default();
        first.iter().chain(self.chunks.iter().skip(chunk + 1).flatten()).copied()
    }

    /// All items, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = T> + '_ {
        self.chunks.iter().flatten().copied()
    }
}

impl<T: Copy + Ord> Sorted<T> {
    /// Adds an item in its own order, unless it is there.
    pub(crate) fn put(&mut self, item: T) {
        if let Err(spot) = self.find(|held| held.cmp(&item)) {
            self.insert(spot, item);
        }
    }

    /// The items from one on, in their own order.
    pub(crate) fn range(&self, from: T) -> impl Iterator<Item = T> + '_ {
        let (Ok(spot) | Err(spot)) = self.find(|held| held.cmp(&from));
        self.from(spot)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn put(sorted: &mut Sorted<u32>, item: u32) -> bool {
        match sorted.find(|held| held.cmp(&item)) {
            Ok(_) => false,
            Err(spot) => {
                sorted.insert(spot, item);
                true
            }
        }
    }

    #[test]
    fn it_holds_what_a_set_holds_whatever_the_order_of_arrival() {
        let count = 5_000_u32;
        let mut random = fastrand::Rng::with_seed(7);
        let mut shuffled: Vec<u32> = (0..count).collect();
        random.shuffle(&mut shuffled);
        let drawn = (0..count).map(|_| random.u32(..count / 2)).collect();
        for order in [(0..count).collect(), (0..count).rev().collect(), shuffled, drawn] {
            let order: Vec<u32> = order;
            let (mut sorted, mut set) = (Sorted::default(), BTreeSet::new());
            for item in order {
                assert_eq!(put(&mut sorted, item), set.insert(item));
            }
            assert!(sorted.iter().eq(set.iter().copied()));
            assert!(sorted.chunks.iter().all(|chunk| (1..=CHUNK_ITEMS).contains(&chunk.len())));
            for sought in [0, 1, count / 3, count - 1, count] {
                let (Ok(spot) | Err(spot)) = sorted.find(|held| held.cmp(&sought));
                assert!(sorted.from(spot).eq(set.range(sought..).copied()), "from {sought}");
            }
        }
    }

    #[test]
    fn what_is_taken_out_is_gone_and_leaves_no_empty_chunk() {
        let count = 3_000_u32;
        let mut random = fastrand::Rng::with_seed(9);
        let mut order: Vec<u32> = (0..count).collect();
        let (mut sorted, mut set) = (Sorted::default(), BTreeSet::new());
        order.iter().for_each(|item| assert!(put(&mut sorted, *item) && set.insert(*item)));
        random.shuffle(&mut order);
        for item in order {
            let spot = sorted.find(|held| held.cmp(&item)).expect("it is there");
            sorted.remove(spot);
            set.remove(&item);
            assert!(sorted.find(|held| held.cmp(&item)).is_err());
            if item % 64 == 0 {
                assert!(sorted.iter().eq(set.iter().copied()));
            }
        }
        assert!(sorted.chunks.is_empty());
    }

    #[test]
    fn what_comes_in_order_fills_its_chunks() {
        let mut sorted = Sorted::default();
        assert!((0..10 * CHUNK_ITEMS as u32).all(|item| put(&mut sorted, item)));
        assert_eq!(sorted.chunks.len(), 10);
    }

    #[test]
    fn an_item_takes_the_place_of_another() {
        let mut sorted = Sorted::default();
        for item in [(1, 'a'), (2, 'b')] {
            let place = sorted.find(|held: (u32, char)| held.0.cmp(&item.0));
            sorted.insert(place.expect_err("it is new"), item);
        }
        let spot = sorted.find(|held| held.0.cmp(&2)).expect("it is there");
        sorted.replace(spot, (2, 'c'));
        assert_eq!((sorted.get(spot), sorted.iter().count()), (Some((2, 'c')), 2));
    }
}
