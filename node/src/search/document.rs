//! What the index takes in of one record. Whoever feeds the index makes it from the record; the index stores none of
//! its texts, only what finds it.

use protocol::charter::Class;
use protocol::identity::{EntryId, MemberNumber};

/// How many units of a [`Document`]'s figures make one of the unit that people read: figures keep four decimals.
pub const FIXED_POINT: i64 = 10_000;

/// One record as the index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The record.
    pub id: EntryId,
    /// The number of its kind.
    pub kind: u16,
    /// The names of its kind, in Chinese and English: a search for 需求 finds demands.
    pub kind_names: Vec<String>,
    /// The member whose record it is.
    pub owner: MemberNumber,
    /// What that member is.
    pub owner_class: Class,
    /// The label of the record (`42-7`) and, where it has one, the number that its owner gave it (`XM002`).
    pub labels: Vec<String>,
    /// Its title. Weighs most, and is found by pinyin too.
    pub title: String,
    /// Names of places, of its owner, of enterprises. They weigh as much as the title, and are found by pinyin too.
    pub names: Vec<String>,
    /// Its other readable texts.
    pub texts: Vec<String>,
    /// The divisions that it concerns, as codes of GB/T 2260, also retired ones. The names of divisions need not be
    /// among its texts: a query for a name finds the code.
    pub divisions: Vec<String>,
    /// The industries that it concerns, as codes of GB/T 4754.
    pub industries: Vec<String>,
    /// The name of its state, if its kind has a lifecycle.
    pub state: Option<String>,
    /// Its figures of money, in 万元 times [`FIXED_POINT`].
    pub amounts: Vec<i64>,
    /// Its areas of land, in 亩 times [`FIXED_POINT`].
    pub areas: Vec<i64>,
    /// Its floor areas, in 平方米 times [`FIXED_POINT`].
    pub floor_areas: Vec<i64>,
    /// Its deadline, in days since 1970-01-01.
    pub deadline_day: Option<i32>,
    /// When it was created, in milliseconds since 1970-01-01.
    pub created_ms: u64,
    /// When it was last changed, in milliseconds since 1970-01-01.
    pub changed_ms: u64,
    /// What its kind's own facets say of it: names of fields and their values.
    pub facets: Vec<(String, String)>,
    /// Whether some of its fields are sealed, so that this node reads more of it than others do.
    pub sealed: bool,
    /// Whether it is over: in a final state, expired or withdrawn.
    pub closed: bool,
    /// Whether it counts.
    pub counts: bool,
}

impl Document {
    /// A record of which no more is known than what every record has: it counts and is open.
    pub fn new(id: EntryId, kind: u16, owner: MemberNumber, owner_class: Class, title: impl Into<String>) -> Self {
        Self {
            id,
            kind,
            kind_names: Vec::new(),
            owner,
            owner_class,
            labels: Vec::new(),
            title: title.into(),
            names: Vec::new(),
            texts: Vec::new(),
            divisions: Vec::new(),
            industries: Vec::new(),
            state: None,
            amounts: Vec::new(),
            areas: Vec::new(),
            floor_areas: Vec::new(),
            deadline_day: None,
            created_ms: 0,
            changed_ms: 0,
            facets: Vec::new(),
            sealed: false,
            closed: false,
            counts: true,
        }
    }
}
