//! Computing a bulletin again from what this node holds.
//!
//! What the secretariat could not know when it published is no fault of the bulletin: records dated before its time that
//! have come since are *late*. They are *omitted* only where an earlier bulletin of the same author already rests on them.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use protocol::charter::LogNumber;
use protocol::identity::{EntryId, MemberNumber};
use protocol::indicator::Definitions;
use protocol::indicator::bulletin::Bulletin;
use protocol::indicator::compare::{Difference, What, omitted, recomputed};
use protocol::indicator::prefix::{Extent, Lack, knows_proofs, version_at};
use protocol::kind::KindSet;
use protocol::limits::CLOCK_TOLERANCE_MS;
use protocol::value::Date;
use protocol::view::Place;

use super::consumer::paper;
use super::desk::Desk;
use super::shelf::{Content, Paper, Shelf};
use super::show::{find_bulletin, labels};
use super::snapshot::{Snapshot, charter_of};
use super::{IndicatorError, NAMED_MAX};
use crate::api::types::{BulletinView, DifferenceView, VerificationView};
use crate::core::Core;
use crate::records::{Coverage, find_in};

/// Computes a bulletin again. Blocks: it reads every entry that the bulletin names.
pub fn verify(
    core: &Core,
    shelf: &Shelf,
    kinds: &KindSet,
    reference: &str,
) -> Result<VerificationView, IndicatorError> {
    let (view, read, known) = bulletin(core, shelf, kinds, reference)?;
    let mut report = Report::new(core, known);
    match read {
        Err(reason) => report.differs("layout", None, reason.clone(), String::new(), &[]),
        Ok(bulletin) => {
            let _one_at_a_time = shelf.pass.lock();
            report.check(kinds, &bulletin, view.published_ms)?;
        }
    }
    Ok(report.verdict(view))
}

/// How far an author had read by its own word when it wrote a bulletin: what its earlier bulletins rest on.
#[derive(Debug, Default)]
struct Known {
    heads: BTreeMap<LogNumber, u64>,
    charter_version: u32,
}

impl Known {
    fn before(core: &Core, shelf: &Shelf, kinds: &KindSet, id: &EntryId, author: MemberNumber) -> Self {
        let (papers, _) = shelf.index(core, kinds);
        let place = |id: &EntryId| core.read(|state| state.view().place(id));
        let written = place(id);
        let is_earlier = |other: &EntryId| match (place(other), written) {
            (Some(other), Some(written)) => other.log == written.log && other.sequence < written.sequence,
            _ => false,
        };
        let mut known = Self::default();
        let of_author = papers.iter().filter(|(_, paper)| paper.author == author);
        for bulletin in of_author.filter(|(id, _)| is_earlier(id)).filter_map(|(_, paper)| paper.bulletin()) {
            known.charter_version = known.charter_version.max(bulletin.charter_version);
            for (log, head) in &bulletin.heads {
                let length = known.heads.entry(*log).or_default();
                *length = (*length).max(head.length);
            }
        }
        known
    }

    fn holds(&self, place: Place) -> bool {
        self.heads.get(&place.log).is_some_and(|length| place.sequence < *length)
    }
}

/// The bulletin as it stands now.
fn bulletin(
    core: &Core,
    shelf: &Shelf,
    kinds: &KindSet,
    reference: &str,
) -> Result<(BulletinView, Result<Bulletin, String>, Known), IndicatorError> {
    let id = find_bulletin(core, kinds, reference)?;
    let paper = paper_of(core, kinds, &id).ok_or_else(|| IndicatorError::NotBulletin(reference.to_owned()))?;
    let read = match &paper.content {
        Content::Bulletin { read, .. } => read.clone().map(|bulletin| *bulletin),
        _ => return Err(IndicatorError::NotBulletin(reference.to_owned())),
    };
    let known = Known::before(core, shelf, kinds, &id, paper.author);
    Ok((Desk::new(core, shelf, kinds).bulletin(&id, &paper, false), read, known))
}

/// A bulletin that counts, as it stands now.
pub(super) fn paper_of(core: &Core, kinds: &KindSet, id: &EntryId) -> Option<Paper> {
    let as_of_ms = core.as_of_ms();
    let (owner, found) = core.read(|state| {
        let (view, charter) = (state.view(), state.replica.charter());
        let (owner, _) = view.owner(id)?;
        Some((owner, find_in(view, charter, core, kinds, id, as_of_ms)?))
    })?;
    let state = &found.judged.state;
    let counts = found.coverage == Coverage::Counts;
    let paper = kinds.kind(state.kind).and_then(|kind| paper(kind, state, owner)).filter(|_| counts)?;
    matches!(paper.content, Content::Bulletin { .. }).then_some(paper)
}

struct Report<'a> {
    core: &'a Core,
    differences: Vec<DifferenceView>,
    missing: Vec<DifferenceView>,
    late: Vec<DifferenceView>,
    late_records: BTreeSet<EntryId>,
    recomputed: usize,
    known: Known,
}

impl<'a> Report<'a> {
    fn new(core: &'a Core, known: Known) -> Self {
        let (differences, missing, late) = (Vec::new(), Vec::new(), Vec::new());
        Self { core, differences, missing, late, late_records: BTreeSet::new(), recomputed: 0, known }
    }

    fn check(&mut self, kinds: &KindSet, bulletin: &Bulletin, published_ms: u64) -> Result<(), IndicatorError> {
        let definitions = Definitions::builtin();
        if bulletin.as_of_ms > published_ms.saturating_add(CLOCK_TOLERANCE_MS) {
            // Figures of a time that has not come count what has not happened.
            let shown = |ms: u64| Date::of_ms(ms).map_or_else(|| ms.to_string(), |date| date.to_string());
            self.differs("time", None, shown(bulletin.as_of_ms), shown(published_ms), &[]);
            return Ok(());
        }
        if !self.has_rules(bulletin, definitions) || !self.has_charter(bulletin) {
            return Ok(());
        }
        if !self.core.read(|state| knows_proofs(&state.replica, &bulletin.proofs)) {
            self.lacks_proofs(bulletin);
            return Ok(());
        }
        let extent = match self.core.read(|state| Extent::named(&state.replica, bulletin)) {
            Ok(extent) => extent,
            Err(lacks) => {
                lacks.iter().take(NAMED_MAX).for_each(|lack| self.lacks(lack));
                return Ok(());
            }
        };
        let charter = charter_of(self.core, bulletin.charter_version)?;
        let snapshot = Snapshot::of(self.core, kinds, charter, extent)?;
        let digest = snapshot.digest();
        if digest != bulletin.frontier.to_string() {
            self.differs("frontier", None, bulletin.frontier.to_string(), digest, &[]);
        }
        if !snapshot.extent.erased_since.is_empty() {
            self.lacks_erased(snapshot.extent.erased_since.len());
            return Ok(());
        }
        if snapshot.missing > 0 {
            self.lacks_bodies(snapshot.missing);
            return Ok(());
        }
        let at_heads = snapshot.figures(bulletin.as_of_ms);
        self.recomputed = at_heads.len();
        // Only where sets of records differ is it asked which record begins so.
        let index: OnceCell<BTreeMap<[u8; 16], EntryId>> = OnceCell::new();
        let known = |prefix: &[u8; 16]| index.get_or_init(|| by_prefix(self.core)).get(prefix).copied();
        let found = recomputed(bulletin, &at_heads, &known);
        found.iter().for_each(|difference| self.note(difference));
        let whole = Snapshot::whole(self.core, kinds, bulletin.as_of_ms)?;
        let same = whole.extent.heads == snapshot.extent.heads && whole.charter.version() == snapshot.charter.version();
        if !same {
            let with_all = whole.figures(bulletin.as_of_ms);
            let beyond = beyond(&snapshot, &whole, bulletin.as_of_ms);
            for difference in omitted(&at_heads, &with_all) {
                self.came_since(definitions, &whole, &beyond, difference);
            }
        }
        Ok(())
    }

    /// A figure that everything held now makes another: left out by an author that had read it, or come since.
    fn came_since(
        &mut self,
        definitions: &Definitions,
        whole: &Snapshot<'_>,
        beyond: &BTreeMap<EntryId, Vec<Place>>,
        difference: Difference,
    ) {
        let mut named: Vec<EntryId> = difference.records.iter().filter(|id| beyond.contains_key(id)).copied().collect();
        if named.is_empty() {
            // What adds nothing, because it lacks the figure, is no evidence and changes what is unknown.
            let looked_at = |id: &EntryId| {
                whole.view.owner(id).is_some_and(|(_, kind)| definitions.looks_at(&difference.code, kind))
            };
            named = beyond.keys().filter(|id| looked_at(id)).copied().collect();
        }
        let was_read = |id: &EntryId| beyond.get(id).into_iter().flatten().any(|place| self.known.holds(*place));
        let (omitted, late): (Vec<EntryId>, Vec<EntryId>) = named.iter().partition(|id| was_read(id));
        if omitted.is_empty() {
            self.late_records.extend(&late);
            let view = self.view("late", Some(&difference.code), (&difference.stated, &difference.found), &late);
            self.late.push(view);
        } else {
            self.note(&Difference { records: omitted, ..difference });
        }
    }

    /// Whether the figures were computed by the rules of this build; without them nothing can be said.
    fn has_rules(&mut self, bulletin: &Bulletin, definitions: &Definitions) -> bool {
        let (stated, own) = (bulletin.rules_version, definitions.version());
        if stated != own {
            self.missing.push(DifferenceView {
                what: "rules".to_owned(),
                code: None,
                stated: Some(stated.to_string()),
                found: Some(own.to_string()),
                records: Vec::new(),
                zh: format!("公报用的口径是第 {stated} 版，本程序是第 {own} 版；请用同一版本的程序核对。"),
                en: format!(
                    "it was computed by version {stated} of the definitions, this build has {own}; use that build"
                ),
            });
            return false;
        }
        if bulletin.rules != definitions.hash() {
            self.differs("rules", None, bulletin.rules.to_string(), definitions.hash().to_string(), &[]);
            return false;
        }
        let kinds = KindSet::builtin().hash();
        if bulletin.kind_set != kinds {
            let (stated, found) = (bulletin.kind_set.to_string(), kinds.to_string());
            self.missing.push(DifferenceView {
                what: "kinds".to_owned(),
                code: None,
                zh: format!("公报用的类别集是 {stated}，本程序的是 {found}；请用同一版本的程序核对。"),
                en: format!("it was computed with the kinds {stated}, this build has {found}; use that build"),
                stated: Some(stated),
                found: Some(found),
                records: Vec::new(),
            });
            return false;
        }
        true
    }

    /// Whether the charter that it names is the one that is held, and the one of its time.
    fn has_charter(&mut self, bulletin: &Bulletin) -> bool {
        let named = bulletin.charter_version;
        let (held, tip, of_time) = self.core.read(|state| {
            let charter = state.replica.charter();
            let block = (named as usize).checked_sub(1).and_then(|index| charter.blocks().get(index));
            (charter.version(), block.map(|block| block.hash()), version_at(charter, bulletin.as_of_ms))
        });
        let Some(tip) = tip else {
            self.lacks(&Lack::Charter { held, named });
            return false;
        };
        if tip != bulletin.charter_tip {
            self.differs("charter", None, bulletin.charter_tip.to_string(), tip.to_string(), &[]);
            return false;
        }
        if of_time > named && self.known.charter_version <= named {
            // A block that is dated before its time has come since.
            let view = self.view("charter", None, (&named.to_string(), &of_time.to_string()), &[]);
            self.late.push(view);
        } else if of_time != named {
            self.differs("charter", None, named.to_string(), of_time.to_string(), &[]);
        }
        true
    }

    fn note(&mut self, difference: &Difference) {
        let Difference { code, what, stated, found, records } = difference;
        self.differs(what.name(), Some(code), stated.clone(), found.clone(), records);
    }

    fn differs(&mut self, what: &str, code: Option<&String>, stated: String, found: String, records: &[EntryId]) {
        let view = self.view(what, code, (&stated, &found), records);
        self.differences.push(view);
    }

    fn view(
        &self,
        what: &str,
        code: Option<&String>,
        (stated, found): (&str, &str),
        records: &[EntryId],
    ) -> DifferenceView {
        let records = labels(self.core, &records[..records.len().min(NAMED_MAX)]);
        let (zh, en) = words(what, code.map_or("", String::as_str), stated, found, &records);
        let (stated, found) = (Some(stated.to_owned()), Some(found.to_owned()));
        DifferenceView { what: what.to_owned(), code: code.cloned(), stated, found, records, zh, en }
    }

    fn lacks_proofs(&mut self, bulletin: &Bulletin) {
        let held = self.core.read(|state| hex::encode(state.replica.proofs_hash()));
        self.missing.push(DifferenceView {
            what: "proofs".to_owned(),
            code: None,
            stated: Some(hex::encode(bulletin.proofs)),
            found: Some(held),
            records: Vec::new(),
            zh: "公报写明的分叉证明不是本节点持有的那些；请先与同伴核对（xianmeng sync）。".to_owned(),
            en: "the fork proofs that it names are not among those held here; reconcile with peers first".to_owned(),
        });
    }

    fn lacks(&mut self, lack: &Lack) {
        let (what, zh) = match lack {
            Lack::Charter { held, named } => ("charter", format!("公报依据章程第 {named} 块，本节点只有 {held} 块。")),
            Lack::Entries { log, held, named } => {
                let owner = self.author(*log);
                ("log", format!("{owner}的日志 {log}：公报依据 {named} 条，本节点只有 {held} 条。"))
            }
            Lack::Branch { log } => {
                let owner = self.author(*log);
                ("log", format!("{owner}的日志 {log}：公报依据的那一条与本节点持有的不同（分叉）。"))
            }
            Lack::NoLog { log } => ("log", format!("公报列出的日志 {log} 不在它所依据的章程里。")),
        };
        let (stated, found) = match lack {
            Lack::Charter { held, named } => (named.to_string(), held.to_string()),
            Lack::Entries { held, named, .. } => (named.to_string(), held.to_string()),
            Lack::Branch { .. } | Lack::NoLog { .. } => (String::new(), String::new()),
        };
        let given = |text: String| Some(text).filter(|text| !text.is_empty());
        self.missing.push(DifferenceView {
            what: what.to_owned(),
            code: None,
            stated: given(stated),
            found: given(found),
            records: Vec::new(),
            zh,
            en: lack.to_string(),
        });
    }

    fn lacks_erased(&mut self, count: usize) {
        self.missing.push(DifferenceView {
            what: "erased".to_owned(),
            code: None,
            stated: None,
            found: Some(count.to_string()),
            records: Vec::new(),
            zh: format!("公报发布之后，它依据的条目里有 {count} 条的正文被清除，任何节点都不能再核对这期公报。"),
            en: format!("{count} of the entries that it rests on were erased since; no node can compute it again"),
        });
    }

    fn lacks_bodies(&mut self, count: usize) {
        self.missing.push(DifferenceView {
            what: "bodies".to_owned(),
            code: None,
            stated: None,
            found: Some(count.to_string()),
            records: Vec::new(),
            zh: format!("公报依据的条目里有 {count} 条的正文不在本节点；请先与同伴核对（xianmeng sync）。"),
            en: format!("the bodies of {count} entries that it rests on are not here; reconcile with peers first"),
        });
    }

    fn author(&self, log: u32) -> String {
        self.core.read(|state| {
            let charter = state.replica.charter();
            let member = charter.logs().get(log as usize).and_then(|grant| charter.members().get(&grant.member));
            member.map(|member| member.name.clone()).unwrap_or_default()
        })
    }

    fn verdict(self, bulletin: BulletinView) -> VerificationView {
        let count = self.late_records.len();
        let own = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
        let (verdict, (verdict_zh, verdict_en)) = match (self.differences.is_empty(), self.missing.is_empty()) {
            (false, _) => ("differs", own("不一致", "it differs")),
            (true, false) => {
                ("cannot", own("本节点缺少依据，无法判断", "this node lacks what it needs, so it cannot tell"))
            }
            (true, true) if self.late.is_empty() => ("equal", own("重算一致", "computed again, equal")),
            (true, true) => {
                let zh = format!("按公报的前沿重算一致；日期在截止之前的记录此后又到了 {count} 条");
                let en = format!("equal at its frontier; {count} records dated before it have arrived since");
                ("late", (zh, en))
            }
        };
        VerificationView {
            bulletin,
            verdict: verdict.to_owned(),
            verdict_zh,
            verdict_en,
            recomputed: self.recomputed,
            differences: self.differences,
            missing: self.missing,
            late: self.late,
            late_records: count,
        }
    }
}

/// Every record by the beginning of its id.
fn by_prefix(core: &Core) -> BTreeMap<[u8; 16], EntryId> {
    core.read(|state| {
        let ids = state.view().ids(u64::MAX);
        ids.filter_map(|id| Some((*id.as_bytes().first_chunk()?, id))).collect()
    })
}

/// Records of which something was stated in time beyond the heads of the bulletin, each with where.
fn beyond(at_heads: &Snapshot<'_>, whole: &Snapshot<'_>, as_of_ms: u64) -> BTreeMap<EntryId, Vec<Place>> {
    let head = |log| at_heads.extent.heads.get(&log).map_or(0, |head| head.length);
    let places = |id: EntryId| {
        let versions = whole.view.versions(&id, as_of_ms);
        let places = versions.iter().map(|version| version.place);
        let beyond: Vec<Place> = places.filter(|place| place.sequence >= head(place.log)).collect();
        (!beyond.is_empty()).then_some((id, beyond))
    };
    whole.view.ids(as_of_ms).filter_map(places).collect()
}

fn words(what: &str, code: &str, stated: &str, found: &str, records: &[String]) -> (String, String) {
    let named = records.join(" ");
    let by = |zh: &str, en: &str| match records.is_empty() {
        true => (String::new(), String::new()),
        false => (format!("{zh}{named}"), format!("{en}{named}")),
    };
    let (by_zh, by_en) = by("；差在记录 ", "; by the records ");
    let of = |zh: &str, en: &str| {
        (
            format!("{code} 的{zh}：公报写 {stated}，重算得 {found}{by_zh}。"),
            format!("{en} of {code}: stated {stated}, computed {found}{by_en}"),
        )
    };
    match what {
        "value" => of("数值", "value"),
        "confirmed" => of("经他方确认数", "confirmed part"),
        "coverage" => of("覆盖成员数", "coverage"),
        "unknown" => of("不明和不相加的记录数", "unknown and left-out records"),
        "records" => of("记录数", "number of records"),
        "set" => of("记录集合", "set of records"),
        _ if what == What::Omitted.name() => (
            format!(
                "{code} 漏了此前的公报已经计入的记录 {named}：按公报的前沿是 {stated}，加上它们是 {found}（成员、记录数）。"
            ),
            format!(
                "{code} leaves out the records {named}, on which an earlier bulletin rests: {stated} at its frontier, {found} \
                 with them (members, records)"
            ),
        ),
        "late" => (
            format!(
                "{code}：日期在截止之前的记录 {named} 在公布之后才到；按公报的前沿是 {stated}，加上它们是 {found}（成员、记录数）。"
            ),
            format!(
                "{code}: the records {named} are dated before its time and came after it: {stated} at its frontier, {found} \
                 with them (members, records)"
            ),
        ),
        "indicator" => (
            format!("指标 {code}：公报写 {stated}，口径里是 {found}。"),
            format!("indicator {code}: stated {stated}, by the definitions {found}"),
        ),
        "frontier" => (
            format!("公报的前沿摘要 {stated} 与它列出的日志不符，应为 {found}。"),
            format!("its frontier {stated} is not that of the heads that it lists, which is {found}"),
        ),
        "time" => (
            format!("公报的数据截止 {stated}，晚于它的发布时间 {found}。"),
            format!("its figures are as of {stated}, later than it was published, {found}"),
        ),
        "charter" => (
            format!("公报依据的章程是 {stated}，截止时刻的章程是 {found}。"),
            format!("it names the charter {stated}; that of its time is {found}"),
        ),
        "rules" => (
            format!("公报的口径文件 {stated} 与同一版本的 {found} 不同。"),
            format!("its definitions {stated} are not those of that version, {found}"),
        ),
        _ => (format!("公报读不懂：{stated}。"), format!("it cannot be read: {stated}")),
    }
}
