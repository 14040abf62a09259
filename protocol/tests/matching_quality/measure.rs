//! The measures: nDCG@10 over the pairs that are labelled, and errors of exclusion.

use std::collections::BTreeMap;

use protocol::identity::EntryId;

use crate::methods::Ranking;
use crate::set::{Labelled, LabelledSet, Split};

/// Places that count.
const PLACES: usize = 10;

/// What a method achieved on a split or a family.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quality {
    pub subjects: usize,
    ndcg: f64,
    /// Pairs that are ruled out and were not excluded.
    pub missed: usize,
    /// Pairs that are suitable and were excluded.
    pub wrong: usize,
}

impl Quality {
    /// The mean over the subjects.
    pub fn ndcg(&self) -> f64 {
        self.ndcg / self.subjects.max(1) as f64
    }

    fn add(&mut self, pairs: &[&Labelled], ranking: &Ranking) {
        self.subjects += 1;
        self.ndcg += ndcg(pairs, &ranking.found);
        for pair in pairs {
            let excluded = ranking.excluded.contains(&pair.candidate);
            self.missed += usize::from(pair.excluded && !excluded);
            self.wrong += usize::from(!pair.excluded && pair.grade > 0 && excluded);
        }
    }
}

/// A method on a split, and on each family of it.
pub fn measure(
    set: &LabelledSet,
    split: Split,
    method: impl Fn(&LabelledSet, &EntryId) -> Ranking,
) -> (Quality, BTreeMap<String, Quality>) {
    let (mut whole, mut families) = (Quality::default(), BTreeMap::<String, Quality>::new());
    for (subject, pairs) in set.by_subject(split) {
        let ranking = method(set, &subject);
        whole.add(&pairs, &ranking);
        families.entry(pairs[0].family.clone()).or_default().add(&pairs, &ranking);
    }
    (whole, families)
}

/// Pairs that are not labelled are left out; suitable ones that were not found are missing.
fn ndcg(pairs: &[&Labelled], found: &[EntryId]) -> f64 {
    let grades: BTreeMap<EntryId, u32> = pairs.iter().map(|pair| (pair.candidate, pair.grade)).collect();
    let ranked: Vec<u32> = found.iter().filter_map(|id| grades.get(id).copied()).collect();
    let mut ideal: Vec<u32> = grades.values().copied().collect();
    ideal.sort_unstable_by(|one, other| other.cmp(one));
    let best = dcg(&ideal);
    if best == 0.0 { 1.0 } else { dcg(&ranked) / best }
}

fn dcg(grades: &[u32]) -> f64 {
    let gain = |(place, grade): (usize, &u32)| (f64::from(*grade).exp2() - 1.0) / (place as f64 + 2.0).log2();
    grades.iter().take(PLACES).enumerate().map(gain).sum()
}
