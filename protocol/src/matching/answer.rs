//! What a question about matches is answered with.

use super::dimension::Dimension;
use super::exclusion::Exclusion;
use super::wording::Sentence;
use crate::identity::{ContentHash, EntryId};

/// The answer: the best first, what was excluded, and by which rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matches {
    /// The best, at most as many as were asked for.
    pub found: Vec<Match>,
    /// Of the excluded, those that would have been the best; empty unless they were asked for.
    pub excluded: Vec<Excluded>,
    /// How many were excluded, by the first reason.
    pub excluded_by: Vec<(Exclusion, u64)>,
    /// Records that were looked at.
    pub considered: u64,
    /// The version of the rules.
    pub rules_version: u32,
    /// BLAKE3 of the rules.
    pub rules_hash: ContentHash,
}

/// One match and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The record.
    pub id: EntryId,
    /// Its kind.
    pub kind: u16,
    /// The score, in permille.
    pub score: u16,
    /// The same in parts of a million: matches are ordered by it, then by id.
    pub rate: u32,
    /// The sum of the weights.
    pub weights: u32,
    /// Every dimension that is looked at.
    pub parts: Vec<Part>,
}

/// What one dimension adds to a score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The dimension.
    pub dimension: Dimension,
    /// Its weight among [`Match::weights`].
    pub weight: u16,
    /// What it is worth, in permille; `None` when it is not known.
    pub value: Option<u16>,
    /// What it counts: the value, or what counts while it is not known.
    pub counted: u16,
    /// Its part of the score; the parts add up to it.
    pub part: u16,
    /// Why.
    pub reason: Sentence,
}

/// A record that cannot be a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// The record.
    pub id: EntryId,
    /// Its kind.
    pub kind: u16,
    /// Every reason.
    pub reasons: Vec<RuledOut>,
}

/// A reason with what was compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuledOut {
    /// Which rule.
    pub reason: Exclusion,
    /// In words.
    pub sentence: Sentence,
}
