//! Looking through the catalogue.
//!
//! It has three steps, so that whoever has several processors can share the second one among them: [`Search::new`]
//! checks the question, [`Search::look`] goes through one piece of [`Catalogue::pieces`](super::Catalogue::pieces) and
//! keeps the best, [`Search::finish`] reads the best of all again, compares their texts and puts the answer together.
//! [`Sifted::merge`] is the same in any order, so the answer does not depend on how the pieces were shared, nor on the
//! order in which records came.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use thiserror::Error;

use super::answer::{Excluded, Match, Matches, Part, RuledOut};
use super::dimension::Dimension;
use super::exclusion::{Exclusion, Exclusions};
use super::industry::Industry;
use super::judge::{Pairing, Values};
use super::make::day_of;
use super::profile::{Flags, Profile};
use super::rules::{Pair, Rules};
use super::text::TextPairs;
use super::wording::Sentence;
use crate::identity::EntryId;
use crate::limits::{MATCH_EXCLUDED_LISTED_MAX, MATCH_FOUND_MAX, MATCH_READ_RECORDS, MATCH_TEXT_CANDIDATES};

/// Values of every packed industry.
const PACKED: usize = 1 << 16;
/// What a dimension is worth at most.
const VALUE_MAX: u16 = 1_000;
/// Words in common that a reason names.
const WORDS_NAMED_MAX: usize = 4;

/// A record as it is now: what the catalogue holds may be behind.
#[derive(Debug, Clone)]
pub struct Fresh {
    profile: Profile,
    texts: Vec<String>,
    words: TextPairs,
}

impl Fresh {
    /// A record with its profile and its texts; see [`super::texts_of`]. Made by whoever reads records, who may use
    /// several processors for it.
    pub fn new(rules: &Rules, profile: Profile, texts: Vec<String>) -> Self {
        let words = TextPairs::of(rules, &texts);
        Self { profile, texts, words }
    }
}

/// Records of one kind that are looked at together.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'c>(pub(super) &'c [Profile]);

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The record for which matches are looked for.
    pub subject: &'a Profile,
    /// Only these kinds; empty for all that its kind is compared with.
    pub kinds: &'a [u16],
    /// The time of the question; only its day in China matters.
    pub as_of_ms: u64,
    /// Most matches; at most [`MATCH_FOUND_MAX`].
    pub limit: usize,
    /// Whether the best of the excluded are listed.
    pub list_excluded: bool,
}

/// Why nothing can be matched with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unmatchable {
    /// No kind is compared with its kind.
    #[error("records of its kind are not matched")]
    Kind,
    /// It is not compared with the kinds that are asked for.
    #[error("its kind is not compared with that kind")]
    Partner,
    /// It is met, used, withdrawn or otherwise over.
    #[error("it is over")]
    Closed,
    /// Its last day has passed.
    #[error("its last day has passed")]
    Expired,
    /// It does not keep the plans of land.
    #[error("it does not keep the plans of land")]
    Plan,
    /// It looks for nothing and gives nothing.
    #[error("it looks for nothing and gives nothing that is matched")]
    Need,
}

/// A question that can be answered.
pub struct Search<'a> {
    rules: &'a Rules,
    subject: &'a Profile,
    kinds: Vec<u16>,
    day: i32,
    limit: usize,
    list_excluded: bool,
    /// For every packed industry, what it is worth to the subject.
    industries: Vec<u16>,
}

/// A candidate: the better first, of equals the one with the smaller id.
type Ranked<'c> = (u32, Reverse<EntryId>, Kept<'c>);

/// A profile that stands beside its rank and does not take part in it.
#[derive(Clone, Copy)]
struct Kept<'c> {
    profile: &'c Profile,
    /// The rate that it has at most, whatever its texts say.
    ceiling: u32,
}

impl PartialEq for Kept<'_> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Kept<'_> {}

impl PartialOrd for Kept<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kept<'_> {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

/// The best so many, whatever the order in which they come.
#[derive(Clone, Default)]
struct Best<'c>(BinaryHeap<Reverse<Ranked<'c>>>);

impl<'c> Best<'c> {
    #[inline]
    fn add(&mut self, ranked: Ranked<'c>, bound: usize) {
        if self.0.len() < bound {
            self.0.push(Reverse(ranked));
        } else if self.0.peek().is_some_and(|Reverse(worst)| ranked > *worst) {
            self.0.pop();
            self.0.push(Reverse(ranked));
        }
    }

    /// The best first.
    fn in_order(self) -> impl Iterator<Item = Kept<'c>> {
        self.0.into_sorted_vec().into_iter().map(|Reverse((_, _, kept))| kept)
    }
}

/// What was found in some pieces.
#[derive(Clone, Default)]
pub struct Sifted<'c> {
    best: Best<'c>,
    excluded: Best<'c>,
    excluded_by: [u64; Exclusion::COUNT],
    considered: u64,
}

/// The best of everything, apart from the catalogue: it can change meanwhile.
#[derive(Debug, Clone, Default)]
pub struct Shortlist {
    /// The best by everything but their texts first, each with what its rate is at most.
    best: Vec<(EntryId, u32)>,
    excluded: Vec<Profile>,
    excluded_by: [u64; Exclusion::COUNT],
    considered: u64,
}

impl Sifted<'_> {
    /// The best, to be read again.
    pub fn shortlist(self) -> Shortlist {
        Shortlist {
            best: self.best.in_order().map(|Kept { profile, ceiling }| (profile.id, ceiling)).collect(),
            excluded: self.excluded.in_order().map(|kept| kept.profile.clone()).collect(),
            excluded_by: self.excluded_by,
            considered: self.considered,
        }
    }

    /// Both together; the same in any order.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        other.best.0.into_iter().for_each(|Reverse(ranked)| self.best.add(ranked, MATCH_TEXT_CANDIDATES));
        other.excluded.0.into_iter().for_each(|Reverse(ranked)| self.excluded.add(ranked, MATCH_EXCLUDED_LISTED_MAX));
        self.excluded_by.iter_mut().zip(other.excluded_by).for_each(|(sum, more)| *sum += more);
        self.considered += other.considered;
        self
    }
}

impl<'a> Search<'a> {
    /// Checks a question.
    pub fn new(rules: &'a Rules, question: &Question<'a>) -> Result<Self, Unmatchable> {
        let subject = question.subject;
        let partners = rules.partners(subject.kind);
        let asked = |kind: &u16| question.kinds.is_empty() || question.kinds.contains(kind);
        let kinds: Vec<u16> = partners.iter().copied().filter(asked).collect();
        let day = day_of(question.as_of_ms);
        let known = !subject.flags.has(Flags::NEEDS_UNKNOWN);
        match () {
            () if partners.is_empty() => return Err(Unmatchable::Kind),
            () if kinds.is_empty() => return Err(Unmatchable::Partner),
            () if subject.flags.has(Flags::CLOSED) => return Err(Unmatchable::Closed),
            () if subject.valid_until().is_some_and(|last| last < day) => return Err(Unmatchable::Expired),
            () if subject.flags.has(Flags::BREAKS_PLAN) => return Err(Unmatchable::Plan),
            () if known && subject.seeks | subject.offers == 0 => return Err(Unmatchable::Need),
            () => {}
        }
        Ok(Self {
            rules,
            subject,
            kinds,
            day,
            limit: question.limit.min(MATCH_FOUND_MAX),
            list_excluded: question.list_excluded,
            industries: industry_values(rules, subject),
        })
    }

    /// The kinds that are looked at.
    pub fn kinds(&self) -> &[u16] {
        &self.kinds
    }

    fn pairing<'c>(&self, pair: &'c Pair, forward: bool, candidate: &'c Profile) -> Pairing<'c>
    where
        'a: 'c,
    {
        let (left, right) = if forward { (self.subject, candidate) } else { (candidate, self.subject) };
        Pairing { rules: self.rules, pair, left, right, day: self.day }
    }

    /// What the industries of a candidate are worth.
    pub(super) fn industry(&self, pairing: &Pairing<'_>, candidate: &Profile) -> Option<u16> {
        let packed = candidate.packed_industries();
        if packed.is_empty() || self.subject.packed_industries().is_empty() {
            return None;
        }
        let mut best = 0;
        for packed in packed {
            best = best.max(self.industries[usize::from(*packed)]);
        }
        Some(pairing.industry_by_words(best))
    }

    fn judge(&self, pairing: &Pairing<'_>, candidate: &Profile) -> (Values, u64) {
        let mut values = pairing.values(self.industry(pairing, candidate));
        values.set(Dimension::Completeness, Some(pairing.completeness(&values)));
        (values, pairing.points_without_text(&values))
    }

    /// Goes through a piece.
    pub fn look<'c>(&self, piece: &Piece<'c>) -> Sifted<'c> {
        let mut sifted = Sifted::default();
        let kind = piece.0.first().map(|first| first.kind);
        let Some((pair, forward)) = kind.and_then(|kind| self.rules.pair(self.subject.kind, kind)) else {
            return sifted;
        };
        for candidate in piece.0 {
            if candidate.id == self.subject.id {
                continue;
            }
            sifted.considered += 1;
            let pairing = self.pairing(pair, forward, candidate);
            let exclusions = pairing.exclusions();
            if let Some(first) = exclusions.first() {
                sifted.excluded_by[first as usize] += 1;
                if !self.list_excluded {
                    continue;
                }
            }
            let (_, points) = self.judge(&pairing, candidate);
            let text = u64::from(pair.weight(Dimension::Text)) * u64::from(VALUE_MAX);
            let kept = Kept { profile: candidate, ceiling: pairing.rate(points + text) };
            let ranked = (pairing.rate(points), Reverse(candidate.id), kept);
            match exclusions.is_empty() {
                true => sifted.best.add(ranked, MATCH_TEXT_CANDIDATES),
                false => sifted.excluded.add(ranked, MATCH_EXCLUDED_LISTED_MAX),
            }
        }
        sifted
    }

    /// Compares the texts of the best and puts the answer together. `read` gives records as they are now, each at the
    /// place of its id, and nothing for one that is not there any more. It is asked for some at a time, the best first,
    /// and for no more once none of the rest can come among those that are shown, whatever its texts say.
    pub fn finish(&self, mut shortlist: Shortlist, read: &mut dyn FnMut(&[EntryId]) -> Vec<Option<Fresh>>) -> Matches {
        let own = read(std::slice::from_ref(&self.subject.id)).pop().flatten();
        let own = own.map(|Fresh { texts, words, .. }| Own { texts, words }).unwrap_or_default();
        let mut ranked: Vec<(u32, Fresh)> = Vec::new();
        let parts = parts(&shortlist.best);
        for (ids, ceiling) in parts {
            let is_full = ranked.len() >= self.limit;
            if is_full && ranked.last().is_none_or(|(worst, _)| *worst > ceiling) {
                break;
            }
            for fresh in read(&ids).into_iter().flatten() {
                match self.rate(&fresh, &own) {
                    Some(rate) => ranked.push((rate, fresh)),
                    None => self.exclude(fresh.profile, &mut shortlist),
                }
            }
            ranked.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.profile.id.cmp(&other.1.profile.id)));
            ranked.truncate(self.limit);
        }
        let found = ranked.iter().filter_map(|(rate, candidate)| self.explain(*rate, candidate, &own));
        let excluded = shortlist.excluded.iter().filter_map(|candidate| self.explain_exclusion(candidate));
        let counts = Exclusion::ALL.into_iter().zip(shortlist.excluded_by).filter(|(_, count)| *count > 0);
        Matches {
            found: found.collect(),
            excluded: excluded.collect(),
            excluded_by: counts.collect(),
            considered: shortlist.considered,
            rules_version: self.rules.version(),
            rules_hash: self.rules.hash(),
        }
    }

    /// Counts a candidate that is excluded by now among the excluded: the catalogue was behind.
    fn exclude(&self, candidate: Profile, shortlist: &mut Shortlist) {
        let Some((pair, forward)) = self.rules.pair(self.subject.kind, candidate.kind) else { return };
        let Some(first) = self.pairing(pair, forward, &candidate).exclusions().first() else { return };
        shortlist.excluded_by[first as usize] += 1;
        if self.list_excluded {
            // It would have been among the best.
            shortlist.excluded.insert(0, candidate);
            shortlist.excluded.truncate(MATCH_EXCLUDED_LISTED_MAX);
        }
    }

    /// What a candidate is worth with its texts; nothing for one that is excluded.
    fn rate(&self, candidate: &Fresh, own: &Own) -> Option<u32> {
        let (pair, forward) = self.rules.pair(self.subject.kind, candidate.profile.kind)?;
        let pairing = self.pairing(pair, forward, &candidate.profile);
        if !pairing.exclusions().is_empty() {
            return None;
        }
        let (mut values, points) = self.judge(&pairing, &candidate.profile);
        self.set_text(&pairing, &mut values, own, candidate);
        let text = u64::from(pair.weight(Dimension::Text)) * u64::from(pairing.counted(Dimension::Text, &values));
        Some(pairing.rate(points + text))
    }

    fn set_text(&self, pairing: &Pairing<'_>, values: &mut Values, own: &Own, candidate: &Fresh) {
        if pairing.pair.weight(Dimension::Text) > 0 {
            values.set(Dimension::Text, own.words.likeness(&candidate.words, self.rules));
        }
    }

    fn explain(&self, rate: u32, fresh: &Fresh, own: &Own) -> Option<Match> {
        let candidate = &fresh.profile;
        let (pair, forward) = self.rules.pair(self.subject.kind, candidate.kind)?;
        let pairing = self.pairing(pair, forward, candidate);
        let (mut values, _) = self.judge(&pairing, candidate);
        self.set_text(&pairing, &mut values, own, fresh);
        let (mut parts, mut points, mut shown) = (Vec::new(), 0_u64, 0);
        for dimension in Dimension::ALL.into_iter().filter(|dimension| pair.weight(*dimension) > 0) {
            let (weight, counted) = (pair.weight(dimension), pairing.counted(dimension, &values));
            points += u64::from(weight) * u64::from(counted);
            // Parts are cut so that they add up to the score.
            let so_far = (points / u64::from(pair.total().max(1))) as u16;
            let reason = match dimension {
                Dimension::Text => text_reason(&values, own, fresh, self.rules),
                _ => pairing.reason(dimension, &values),
            };
            parts.push(Part { dimension, weight, value: values.get(dimension), counted, part: so_far - shown, reason });
            shown = so_far;
        }
        Some(Match { id: candidate.id, kind: candidate.kind, score: shown, rate, weights: pair.total(), parts })
    }

    fn explain_exclusion(&self, candidate: &Profile) -> Option<Excluded> {
        let (pair, forward) = self.rules.pair(self.subject.kind, candidate.kind)?;
        let pairing = self.pairing(pair, forward, candidate);
        let exclusions: Exclusions = pairing.exclusions();
        let ruled = |reason| RuledOut { reason, sentence: pairing.exclusion_reason(reason) };
        Some(Excluded { id: candidate.id, kind: candidate.kind, reasons: exclusions.iter().map(ruled).collect() })
    }
}

/// The texts of the subject.
#[derive(Default)]
struct Own {
    texts: Vec<String>,
    words: TextPairs,
}

/// The best in parts that are read together, each with the most that the rate of one in it or behind it can be.
fn parts(best: &[(EntryId, u32)]) -> Vec<(Vec<EntryId>, u32)> {
    let mut parts: Vec<(Vec<EntryId>, u32)> = Vec::new();
    let mut ceiling = 0;
    for part in best.chunks(MATCH_READ_RECORDS).rev() {
        ceiling = part.iter().map(|(_, ceiling)| *ceiling).fold(ceiling, u32::max);
        parts.push((part.iter().map(|(id, _)| *id).collect(), ceiling));
    }
    parts.reverse();
    parts
}

fn text_reason(values: &Values, own: &Own, candidate: &Fresh, rules: &Rules) -> Sentence {
    match values.get(Dimension::Text) {
        None => Sentence::new("没有可以比较的文字", "there are no words to compare"),
        Some(0) => Sentence::new("没有共同的词语", "no words in common"),
        Some(_) => {
            let words = own.words.shared_words(&own.texts, &candidate.words, rules, WORDS_NAMED_MAX).join("、");
            Sentence::new(format!("共同的词语：{words}"), format!("words in common: {words}"))
        }
    }
}

/// What every packed industry that the table has is worth to a subject; others are asked for directly.
fn industry_values(rules: &Rules, subject: &Profile) -> Vec<u16> {
    let own: Vec<Industry> = subject.industries().collect();
    let mut values = vec![0; PACKED];
    if own.is_empty() {
        return values;
    }
    for packed in 1..=u16::MAX {
        if let Some(industry) = Industry::of_packed(packed).filter(|industry| industry.is_plausible()) {
            let worth = own.iter().map(|own| rules.industry_value(*own, industry)).max();
            values[usize::from(packed)] = worth.unwrap_or(0);
        }
    }
    values
}
