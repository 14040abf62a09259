//! Names of enterprises that may mean one enterprise (requirement F047): among this node's own leads, published or kept
//! here, and the projects and target enterprises that everybody reads. A hint for this node's people, never a merge.
//!
//! The names lie in memory and are brought in step when somebody asks: records that did not change since are not read
//! again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use protocol::company_name::{CompanyName, industries_meet};
use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::Kind;
use protocol::value::Value;

use super::Leads;
use super::feed::{LEAD_KIND, text_of};
use crate::core::State;
use crate::kinds::kinds;
use crate::local::LocalStore;
use crate::records::fields;

/// Names that are held at most. Beyond it the rest is passed over, and the answer says so.
const NAMES_MAX: usize = 200_000;
/// Names that one answer gives.
pub const ALIKE_MAX: usize = 20;
/// Names that share a pair of characters with the one that is asked for and are looked at.
const CANDIDATES_MAX: usize = 5_000;
/// Records that are read under one lock.
const RECORDS_PER_LOCK: usize = 64;
const INDUSTRY_FIELD: &str = "industry_codes";
/// Where names stand: kind, its field, and whether only own records count.
const NAMED: [(&str, &str, bool); 3] =
    [(LEAD_KIND, "enterprise", true), ("project", "investor", false), ("target_enterprise", "name", false)];

/// Where a name stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NamedBy {
    /// A record.
    Record(EntryId),
    /// A document of this node.
    Local(String),
}

/// A name and what is said of the enterprise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Number of the kind.
    pub kind: u16,
    /// Whose record it is; `None` for a document of this node.
    pub owner: Option<MemberNumber>,
    /// The name as it stands there.
    pub shown: String,
    /// Industry codes.
    pub industries: Vec<String>,
    name: CompanyName,
}

/// A name that may mean the same enterprise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alike {
    /// Where it stands.
    pub by: NamedBy,
    /// What stands there.
    pub named: Named,
    /// How alike the names are, in thousandths.
    pub likeness_permille: u16,
    /// Whether the industries meet; `None` when one side says nothing.
    pub same_industry: Option<bool>,
}

/// The names that are held.
#[derive(Debug, Default)]
pub struct NameIndex {
    held: BTreeMap<NamedBy, Named>,
    by_pair: HashMap<String, BTreeSet<NamedBy>>,
    /// The last statement about each record when it was read.
    read: BTreeMap<EntryId, EntryId>,
    /// Whether there were more than fit.
    pub truncated: bool,
}

impl NameIndex {
    fn put(&mut self, by: NamedBy, named: Option<Named>) {
        if let Some(before) = self.held.remove(&by) {
            for pair in before.name.pairs() {
                if let Some(holders) = self.by_pair.get_mut(&pair) {
                    holders.remove(&by);
                }
            }
        }
        let Some(named) = named else { return };
        if self.held.len() >= NAMES_MAX {
            self.truncated = true;
            return;
        }
        for pair in named.name.pairs() {
            self.by_pair.entry(pair).or_default().insert(by.clone());
        }
        self.held.insert(by, named);
    }

    /// Names that may mean the enterprise of a name, likest first. Where both sides name industries, these must meet;
    /// where one is silent, the names must be one.
    pub fn alike(&self, name: &str, industries: &[String], except: &BTreeSet<NamedBy>) -> Vec<Alike> {
        let Some(wanted) = CompanyName::of(name) else { return Vec::new() };
        let pairs = wanted.pairs();
        // The rarest pairs first, so that a bound on candidates costs the least.
        let mut holders: Vec<&BTreeSet<NamedBy>> = pairs.iter().filter_map(|pair| self.by_pair.get(pair)).collect();
        holders.sort_by_key(|holders| holders.len());
        let mut candidates = BTreeSet::new();
        for by in holders.into_iter().flatten().filter(|by| !except.contains(by)) {
            if candidates.len() >= CANDIDATES_MAX {
                break;
            }
            candidates.insert(by);
        }
        let judged = candidates.into_iter().filter_map(|by| {
            let named = self.held.get(by)?;
            if !wanted.is_alike(&named.name) {
                return None;
            }
            let likeness_permille = wanted.likeness_permille(&named.name);
            let same_industry = industries_meet(industries, &named.industries);
            let may_be = same_industry.unwrap_or(likeness_permille == 1_000);
            may_be.then(|| Alike { by: by.clone(), named: named.clone(), likeness_permille, same_industry })
        });
        let mut found: Vec<Alike> = judged.collect();
        found.sort_by(|a, b| b.likeness_permille.cmp(&a.likeness_permille).then_with(|| a.by.cmp(&b.by)));
        found.truncate(ALIKE_MAX);
        found
    }

    /// What is held of a document.
    pub fn get(&self, by: &NamedBy) -> Option<&Named> {
        self.held.get(by)
    }
}

/// What the fields of a document say of its enterprise.
fn named(kind: &Kind, field: &str, values: &BTreeMap<u16, Value>, owner: Option<MemberNumber>) -> Option<Named> {
    let shown = text_of(kind, values, field)?;
    let name = CompanyName::of(&shown)?;
    let listed = kind.field_named(INDUSTRY_FIELD).and_then(|field| values.get(&field.number));
    let industries = match listed {
        Some(Value::List { values, .. }) => values.iter().filter_map(code).collect(),
        Some(value) => code(value).into_iter().collect(),
        None => Vec::new(),
    };
    Some(Named { kind: kind.number(), owner, shown, industries, name })
}

fn code(value: &Value) -> Option<String> {
    match value {
        Value::Code { code, .. } | Value::Text(code) => Some(code.clone()),
        _ => None,
    }
}

/// A record whose last statement is another than when it was read.
struct Stale {
    id: EntryId,
    last: EntryId,
    owner: MemberNumber,
}

impl Leads {
    /// Names that may mean the enterprise of a name. Blocks: it reads records that changed since the last time.
    pub fn alike(&self, name: &str, industries: &[String], except: &BTreeSet<NamedBy>) -> (Vec<Alike>, bool) {
        let mut index = self.names.lock();
        self.refresh(&mut index);
        (index.alike(name, industries, except), index.truncated)
    }

    /// Names that may mean the enterprise that a document names, which is told by where it stands. Blocks.
    pub fn alike_to(&self, by: &NamedBy) -> Option<(Named, Vec<Alike>)> {
        let mut index = self.names.lock();
        self.refresh(&mut index);
        let named = index.get(by)?.clone();
        let found = index.alike(&named.shown, &named.industries, &BTreeSet::from([by.clone()]));
        Some((named, found))
    }

    fn refresh(&self, index: &mut NameIndex) {
        let own = self.core.own().map(|(own, _)| own);
        let mut seen = BTreeSet::new();
        for (kind, field, own_only) in NAMED {
            let Some(kind) = kinds().kind_named(kind) else { continue };
            let owner = if own_only { own } else { None };
            if own_only && owner.is_none() {
                continue;
            }
            let ids: Vec<EntryId> = self.core.read(|state| state.view().list(Some(kind.number()), owner).collect());
            for part in ids.chunks(RECORDS_PER_LOCK) {
                seen.extend(part.iter().copied());
                let stale = self.core.read(|state| stale(state, part, &index.read, self.core.as_of_ms()));
                for Stale { id, last, owner } in stale {
                    // A record whose bodies are not all here yet is read again when they may be.
                    let Some(named) = self.read_named(kind, field, own_only, &id, owner) else { continue };
                    index.read.insert(id, last);
                    index.put(NamedBy::Record(id), named);
                }
            }
        }
        let gone: Vec<EntryId> = index.read.keys().filter(|id| !seen.contains(id)).copied().collect();
        for id in gone {
            index.read.remove(&id);
            index.put(NamedBy::Record(id), None);
        }
        self.refresh_local(index);
    }

    /// What a record says of its enterprise, if anything; `None` while it cannot be read.
    fn read_named(
        &self,
        kind: &Kind,
        field: &str,
        own: bool,
        id: &EntryId,
        owner: MemberNumber,
    ) -> Option<Option<Named>> {
        let as_of_ms = self.core.as_of_ms();
        let state = self.core.read(|state| state.view().record(id, as_of_ms, &self.core))?;
        if state.withdrawn.is_some() {
            return Some(None);
        }
        if own {
            let opened = self.own_record(owner, id);
            return Some(opened.and_then(|opened| named(kind, field, &opened.fields, Some(owner))));
        }
        // Of others only what everybody reads.
        Some(named(kind, field, &state.fields, Some(owner)))
    }

    /// Documents of this node are few and lie beside it: they are read anew each time.
    fn refresh_local(&self, index: &mut NameIndex) {
        let Some(kind) = kinds().kind_named(LEAD_KIND) else { return };
        let Ok(documents) = LocalStore::at(self.directory.local_path()).list(Some(kind.number())) else { return };
        let held = index.held.keys().filter(|by| matches!(by, NamedBy::Local(_))).cloned().collect::<Vec<_>>();
        held.into_iter().for_each(|by| index.put(by, None));
        for document in documents {
            let values = fields::parse(kind, &document.fields).unwrap_or_default();
            index.put(NamedBy::Local(document.id), named(kind, "enterprise", &values, None));
        }
    }
}

fn stale(state: &State, ids: &[EntryId], read: &BTreeMap<EntryId, EntryId>, as_of_ms: u64) -> Vec<Stale> {
    let view = state.view();
    let changed = |id: &EntryId| {
        let last = view.versions(id, as_of_ms).last()?.entry;
        let (owner, _) = view.owner(id)?;
        (read.get(id) != Some(&last)).then_some(Stale { id: *id, last, owner })
    };
    ids.iter().filter_map(changed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(index: &mut NameIndex, id: u8, shown: &str, industries: &[&str]) -> NamedBy {
        let by = NamedBy::Record(EntryId([id; 32]));
        let named = Named {
            kind: 135,
            owner: Some(MemberNumber(2)),
            shown: shown.into(),
            industries: industries.iter().map(|code| (*code).to_owned()).collect(),
            name: CompanyName::of(shown).expect("a name"),
        };
        index.put(by.clone(), Some(named));
        by
    }

    fn shown(found: &[Alike]) -> Vec<&str> {
        found.iter().map(|alike| alike.named.shown.as_str()).collect()
    }

    #[test]
    fn names_with_one_industry_raise_a_possible_duplicate_and_others_do_not() {
        let mut index = NameIndex::default();
        let own = put(&mut index, 1, "有研科技", &["3985"]);
        put(&mut index, 2, "有研科技集团", &["398"]);
        put(&mut index, 3, "有研科技集团", &["1711"]);
        put(&mut index, 4, "有研科技半导体", &[]);
        put(&mut index, 5, "中科新材", &["3985"]);
        put(&mut index, 6, "北京有研科技有限公司", &[]);
        let industries = ["3985".to_owned()];
        let found = index.alike("有研科技", &industries, &BTreeSet::from([own]));
        assert_eq!(shown(&found), ["有研科技集团", "北京有研科技有限公司"]);
        assert_eq!((found[0].likeness_permille, found[0].same_industry), (1_000, Some(true)));
        assert_eq!(found[1].same_industry, None);
    }

    #[test]
    fn a_name_that_changes_or_goes_is_found_no_more() {
        let mut index = NameIndex::default();
        let by = put(&mut index, 1, "有研科技", &["3985"]);
        put(&mut index, 1, "中科新材", &["3985"]);
        assert!(index.alike("有研科技集团", &["3985".into()], &BTreeSet::new()).is_empty());
        index.put(by, None);
        assert!(index.alike("中科新材料", &["3985".into()], &BTreeSet::new()).is_empty());
        assert!(index.held.is_empty());
    }
}
