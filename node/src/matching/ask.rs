//! Questions: what fits a record, and what is recommended to funds.

use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::{Kind, KindSet};
use protocol::limits::MATCH_FOUND_MAX;
use protocol::matching::{Fresh, Matches, Profile, Question, Rules, Search, Shortlist, Sifted, Unmatchable};
use rayon::prelude::*;
use thiserror::Error;

use super::{Shelf, fresh, matchable, matched, profile, show};
use crate::api::types::{FundMatches, MatchesView, RecommendationsView};
use crate::core::Core;
use crate::kinds::kinds;
use crate::records::error::RecordError;
use crate::records::find;
use crate::records::look::{Look, look};

/// Matches that an answer holds when the caller does not say.
pub const MATCHES: usize = 20;
/// Funds for which one question recommends something.
pub const FUNDS_MAX: usize = 50;
/// Records that one processor reads together.
const READ_TOGETHER: usize = 16;
/// The kind of funds, and what is recommended to them.
const FUND: &str = "fund";
const RECOMMENDED: [&str; 2] = ["project", "funding_need"];

/// How a question is put.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Only candidates of these kinds; all that are compared when empty.
    pub kinds: Vec<u16>,
    /// Most matches.
    pub limit: usize,
    /// Whether the best of the excluded are listed.
    pub excluded: bool,
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MatchError {
    /// The record cannot be found.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Nobody but its readers may look at it, or it counts nothing.
    #[error("record {label} is not matched: it is confidential, withdrawn, or breaks a rule of its kind")]
    Uncounted {
        /// The record.
        label: String,
    },
    /// Nothing can be matched with it.
    #[error("record {label} ({kind_en}) is not matched: {reason}; {what}")]
    Unmatchable {
        /// The record.
        label: String,
        /// Its kind, in Chinese.
        kind_zh: String,
        /// Its kind, in English.
        kind_en: String,
        /// Why.
        reason: Unmatchable,
        /// What can be matched instead, in English.
        what: String,
        /// The same in Chinese.
        what_zh: String,
    },
    /// The record is no fund.
    #[error("record {label} is a {kind_en}; recommendations are for funds")]
    NoFund {
        /// The record.
        label: String,
        /// Its kind, in Chinese.
        kind_zh: String,
        /// Its kind, in English.
        kind_en: String,
    },
    /// This member has no fund that can be matched.
    #[error("this member has published no fund")]
    NoOwnFunds,
}

impl MatchError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Record(_) => "record",
            Self::Uncounted { .. } => "match-uncounted",
            Self::Unmatchable { .. } => "match-impossible",
            Self::NoFund { .. } => "match-no-fund",
            Self::NoOwnFunds => "match-no-own-funds",
        }
    }

    /// What is wrong, in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Record(error) => error.problem().zh,
            Self::Uncounted { label } => format!("{label} 不能匹配：它是密文、已撤回，或不合本类别的规则。"),
            Self::Unmatchable { label, kind_zh, reason, what_zh, .. } => {
                let why = match reason {
                    Unmatchable::Kind => "这一类记录不参加匹配",
                    Unmatchable::Partner => "这一类记录不与所问的类别匹配",
                    Unmatchable::Closed => "它已结束、已用或已撤回",
                    Unmatchable::Expired => "它的期限已过",
                    Unmatchable::Plan => "它不符合国土空间规划或“三区三线”",
                    Unmatchable::Need => "它的类别不用于供需对接",
                };
                format!("{label}（{kind_zh}）不能匹配：{why}。{what_zh}")
            }
            Self::NoFund { label, kind_zh, .. } => format!("{label} 是“{kind_zh}”；推荐只对基金。"),
            Self::NoOwnFunds => "本成员没有发布过基金。".to_owned(),
        }
    }
}

/// What fits a record. Blocks: it reads bodies from the disk.
pub fn matches(core: &Core, shelf: &Shelf, reference: &str, asked: &Asked) -> Result<MatchesView, MatchError> {
    let id = find::find(core, kinds(), reference)?;
    let answer = Answer::new(core, shelf);
    let subject = answer.look(&id)?;
    answer.of(&subject, asked)
}

/// What is recommended to a fund, or to the funds of this member. Blocks: it reads bodies from the disk.
pub fn recommendations(
    core: &Core,
    shelf: &Shelf,
    fund: Option<&str>,
    limit: usize,
) -> Result<RecommendationsView, MatchError> {
    let answer = Answer::new(core, shelf);
    let number = |name: &str| kinds().kind_named(name).map(Kind::number);
    let asked = Asked { kinds: RECOMMENDED.iter().filter_map(|name| number(name)).collect(), limit, excluded: false };
    let fund_kind = number(FUND).unwrap_or_default();
    let subjects = match fund {
        Some(reference) => {
            let subject = answer.look(&find::find(core, kinds(), reference)?)?;
            if subject.seen.state.kind != fund_kind {
                let (label, kind_zh, kind_en) = names(&subject);
                return Err(MatchError::NoFund { label, kind_zh, kind_en });
            }
            vec![subject]
        }
        None => answer.own_funds(fund_kind)?,
    };
    let mut funds = Vec::new();
    for subject in subjects {
        // One fund that is wound up does not keep the others from being answered, unless it alone was asked for.
        match answer.of(&subject, &asked) {
            Ok(matches) => funds.push(FundMatches { matches: Some(matches), ..answer.fund(&subject) }),
            Err(error) if fund.is_some() => return Err(error),
            Err(error) => {
                let (zh, en) = (error.zh(), error.to_string());
                funds.push(FundMatches { why_zh: Some(zh), why_en: Some(en), ..answer.fund(&subject) });
            }
        }
    }
    Ok(RecommendationsView { funds, complete: shelf.is_complete() })
}

/// Label and kind of a record.
fn names(subject: &Look) -> (String, String, String) {
    let state = &subject.seen.state;
    let kind = kinds().kind(state.kind);
    let name = |name: fn(&Kind) -> &str| kind.map_or_else(|| state.kind.to_string(), |kind| name(kind).to_owned());
    (state.label.to_string(), name(Kind::zh), name(Kind::en))
}

/// What one answer is made from.
struct Answer<'a> {
    core: &'a Core,
    shelf: &'a Shelf,
    kinds: &'static KindSet,
    as_of_ms: u64,
    frontier: String,
}

impl<'a> Answer<'a> {
    fn new(core: &'a Core, shelf: &'a Shelf) -> Self {
        let frontier = core.heads().0.to_string();
        Self { core, shelf, kinds: kinds(), as_of_ms: core.as_of_ms(), frontier }
    }

    fn look(&self, id: &EntryId) -> Result<Look, RecordError> {
        let looked = look(self.core, self.kinds, std::slice::from_ref(id), self.as_of_ms).pop();
        looked.and_then(|looked| looked.look).ok_or(RecordError::Incomplete { id: *id })
    }

    /// The funds of this member that are matched, by label.
    fn own_funds(&self, kind: u16) -> Result<Vec<Look>, MatchError> {
        let own: Option<MemberNumber> = self.core.own().map(|(member, _)| member);
        let ids: Vec<EntryId> = match own {
            Some(own) => self.core.read(|state| state.view().list(Some(kind), Some(own)).take(FUNDS_MAX).collect()),
            None => Vec::new(),
        };
        let looked = look(self.core, self.kinds, &ids, self.as_of_ms);
        let funds: Vec<Look> = looked.into_iter().filter_map(|looked| looked.look).collect();
        let funds: Vec<Look> = funds.into_iter().filter(|fund| matched(self.kinds, fund).is_some()).collect();
        if funds.is_empty() { Err(MatchError::NoOwnFunds) } else { Ok(funds) }
    }

    fn fund(&self, subject: &Look) -> FundMatches {
        let fund = show::Shower::new(self.core, self.kinds, self.as_of_ms).record(subject);
        FundMatches { fund, matches: None, why_zh: None, why_en: None }
    }

    fn of(&self, subject: &Look, asked: &Asked) -> Result<MatchesView, MatchError> {
        let (label, kind_zh, kind_en) = names(subject);
        if matched(self.kinds, subject).is_none() {
            return Err(MatchError::Uncounted { label });
        }
        let impossible = |reason| {
            let (what, what_zh) = self.what_can_be(subject.seen.state.kind, reason);
            MatchError::Unmatchable { label, kind_zh, kind_en, reason, what, what_zh }
        };
        let Some(profile) = profile(self.kinds, subject) else { return Err(impossible(Unmatchable::Kind)) };
        match self.search(&profile, asked) {
            Ok((matches, kinds)) => Ok(self.show(subject, &matches, &kinds)),
            Err(reason) => Err(impossible(reason)),
        }
    }

    fn search(&self, subject: &Profile, asked: &Asked) -> Result<(Matches, Vec<u16>), Unmatchable> {
        let question = Question {
            subject,
            kinds: &asked.kinds,
            as_of_ms: self.as_of_ms,
            limit: asked.limit.min(MATCH_FOUND_MAX),
            list_excluded: asked.excluded,
        };
        let search = Search::new(Rules::builtin(), &question)?;
        let shortlist = self.sift(&search);
        Ok((search.finish(shortlist, &mut |ids| self.read(ids)), search.kinds().to_vec()))
    }

    /// Records as they are now, read on every processor.
    fn read(&self, ids: &[EntryId]) -> Vec<Option<Fresh>> {
        let read = |ids: &[EntryId]| {
            let looked = look(self.core, self.kinds, ids, self.as_of_ms);
            let fresh = looked.iter().map(|looked| fresh(self.kinds, looked.look.as_ref()?));
            fresh.collect::<Vec<Option<Fresh>>>()
        };
        ids.par_chunks(READ_TOGETHER).flat_map_iter(read).collect()
    }

    /// Goes through the catalogue on every processor.
    fn sift(&self, search: &Search<'_>) -> Shortlist {
        let catalogue = self.shelf.read();
        let pieces = catalogue.pieces(search);
        let sifted = pieces.par_iter().map(|piece| search.look(piece)).reduce(Sifted::default, Sifted::merge);
        sifted.shortlist()
    }

    fn show(&self, subject: &Look, matches: &Matches, kinds: &[u16]) -> MatchesView {
        let shower = show::Shower::new(self.core, self.kinds, self.as_of_ms);
        let mut view = shower.matches(subject, matches, kinds);
        (view.frontier, view.complete) = (self.frontier.clone(), self.shelf.is_complete());
        view
    }

    /// What can be done instead, in English and in Chinese.
    fn what_can_be(&self, kind: u16, reason: Unmatchable) -> (String, String) {
        let listed = |kinds: Vec<&Kind>| {
            let (en, zh): (Vec<&str>, Vec<&str>) = kinds.iter().map(|kind| (kind.name(), kind.zh())).unzip();
            (en.join(", "), zh.join("、"))
        };
        match reason {
            Unmatchable::Kind => {
                let (en, zh) = listed(matchable(self.kinds).collect());
                (format!("kinds that are matched: {en}"), format!("可以匹配的类别：{zh}。"))
            }
            Unmatchable::Partner => {
                let partners = Rules::builtin().partners(kind);
                let (en, zh) = listed(partners.iter().filter_map(|partner| self.kinds.kind(*partner)).collect());
                (format!("it is compared with: {en}"), format!("它可以与这些类别匹配：{zh}。"))
            }
            Unmatchable::Closed | Unmatchable::Expired | Unmatchable::Plan | Unmatchable::Need => (
                "its author may bring it up to date with `xianmeng revise`".to_owned(),
                "发布者可以用 xianmeng revise 更新它。".to_owned(),
            ),
        }
    }
}
