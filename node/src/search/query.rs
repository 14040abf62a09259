//! What is asked for: words, filters, an order, a page.

use std::fmt;
use std::str::FromStr;

use protocol::charter::Class;
use protocol::identity::{EntryId, MemberNumber};

use super::error::CursorError;
use super::limits::PAGE_HITS;

/// A question to the index. The default one asks for everything that is open, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Words, as people type them: Chinese with or without spaces, Latin words and numbers, pinyin or its initials.
    /// All of them must be found; a place or an industry is also found by its code. Between quotes (`"` or `“”`)
    /// stands what must be found as it is. Empty finds everything that the filters let through.
    pub words: String,
    /// Filters: a record must pass all of them.
    pub filters: Filters,
    /// In which order.
    pub sort: Sort,
    /// How many hits; [`super::limits::PAGE_HITS_MAX`] at most.
    pub limit: Limit,
    /// Where the page before this one ended.
    pub cursor: Option<Cursor>,
    /// What to count over all that is found.
    pub facets: Vec<Facet>,
}

impl Query {
    /// What tells this query from those of which a cursor would mean another place: everything but page and counts.
    pub(super) fn fingerprint(&self) -> u32 {
        let text = format!("{:?}", (&self.words, &self.filters, &self.sort));
        let hash = blake3::hash(text.as_bytes());
        let bytes = hash.as_bytes();
        u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }
}

/// What a record must be. An empty list lets everything through; of several values in one list, one is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    /// Numbers of kinds.
    pub kinds: Vec<u16>,
    /// Codes or names of divisions, of today or of old; what lies in them passes.
    pub divisions: Vec<String>,
    /// Codes or names of industries, or letters of sections; what belongs to them passes.
    pub industries: Vec<String>,
    /// Names of states.
    pub states: Vec<String>,
    /// Classes of owners.
    pub owner_classes: Vec<Class>,
    /// Owners.
    pub owners: Vec<MemberNumber>,
    /// Values of the kinds' own facets: names of fields and values. Values of one field are alternatives; different
    /// fields must all fit.
    pub facets: Vec<(String, String)>,
    /// Money in 万元 times [`super::FIXED_POINT`].
    pub amount: Option<Span>,
    /// Land in 亩 times [`super::FIXED_POINT`].
    pub area: Option<Span>,
    /// Floor area in 平方米 times [`super::FIXED_POINT`].
    pub floor_area: Option<Span>,
    /// The deadline in days since 1970-01-01.
    pub deadline: Option<Span>,
    /// Changed within so many days.
    pub fresh_within_days: Option<u32>,
    /// Whether what is over, and what does not count, is looked for too.
    pub include_closed: bool,
    /// Only what has sealed fields, or only what has none.
    pub sealed: Option<bool>,
    /// Only these records. Nothing is relaxed or suggested then: whoever asks knows what it looks for.
    pub only: Option<Vec<EntryId>>,
}

/// From one figure to another, both included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// At least.
    pub min: Option<i64>,
    /// At most.
    pub max: Option<i64>,
    /// Whether a record that does not give the figure passes.
    pub with_unknown: bool,
}

/// How many hits a page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub usize);

impl Default for Limit {
    fn default() -> Self {
        Self(PAGE_HITS)
    }
}

/// What hits are ordered by. Ties are in the order of the ids; what has no such figure comes last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SortBy {
    /// How well the words fit; without words, what changed last.
    #[default]
    Relevance,
    /// When the record changed.
    Changed,
    /// When the record was created.
    Created,
    /// Its largest figure of money, or the smallest when ascending.
    Amount,
    /// Its largest area of land, or the smallest when ascending.
    Area,
    /// Its largest floor area, or the smallest when ascending.
    FloorArea,
    /// Its deadline.
    Deadline,
}

/// An order of hits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub by: SortBy,
    /// Whether the smallest, oldest or nearest comes first; relevance always begins with the best.
    pub ascending: bool,
}

/// What can be counted over all hits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Facet {
    /// Numbers of kinds.
    Kind,
    /// Provinces, by their codes of six digits.
    Province,
    /// Prefectures, by their codes of six digits.
    Prefecture,
    /// Counties, by their codes of six digits.
    County,
    /// Sections of industries, by their letters.
    IndustrySection,
    /// Divisions of industries, by their two digits.
    IndustryDivision,
    /// Names of states.
    State,
    /// Names of classes of owners.
    OwnerClass,
    /// Numbers of owners.
    Owner,
    /// How many changed within 7, 30, 90 and 365 days; each includes the shorter ones.
    Freshness,
    /// The values of one field that kinds name as a facet.
    Field(String),
    /// The values of every field that kinds name as a facet.
    Fields,
}

/// Where a page ended. Its text is opaque to callers and belongs to one query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// Of which query it is.
    pub(super) query: u32,
    pub(super) key: SortKey,
}

/// Where a hit stands in the order: smaller comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SortKey {
    /// Whether it lacks the figure; such come last.
    pub(super) missing: bool,
    /// The figure, turned round where the greatest comes first.
    pub(super) value: i64,
    pub(super) id: EntryId,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SortKey { missing, value, id } = self.key;
        write!(f, "{:08x}{:x}{value:016x}{}", self.query, u8::from(missing), hex::encode(id.0))
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let part = |range: std::ops::Range<usize>| text.get(range).ok_or(CursorError::Malformed);
        let number = |range| u64::from_str_radix(part(range)?, 16).map_err(|_| CursorError::Malformed);
        if text.len() != 89 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(CursorError::Malformed);
        }
        let query = u32::try_from(number(0..8)?).map_err(|_| CursorError::Malformed)?;
        let missing = number(8..9)? != 0;
        let value = number(9..25)?.cast_signed();
        let id = part(25..89)?.parse().map_err(|_| CursorError::Malformed)?;
        Ok(Self { query, key: SortKey { missing, value, id } })
    }
}
