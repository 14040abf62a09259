//! When a member was bound by duties: from its admission on, but not while it was suspended or gone.

use super::calendar::Span;
use crate::charter::{Charter, Member};
use crate::identity::MemberNumber;

/// When somebody was bound, as far as a charter tells at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bound {
    /// Stretches in order, the last one perhaps open, each with what ended it.
    stretches: Vec<Stretch>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Stretch {
    from_ms: u64,
    ended: Option<(u64, Ending)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Suspended,
    Left,
    Expelled,
}

/// Why a period is not owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exemption {
    /// It began before the admission, or before a suspension was over: duties begin with the first full period.
    BeforeFirstFullPeriod,
    /// The member was suspended.
    Suspended,
    /// The member had left.
    Left,
    /// The member had been struck off.
    Expelled,
}

impl Exemption {
    /// The rule in Chinese and English.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::BeforeFirstFullPeriod => {
                ("义务从加入（恢复）后的第一个完整周期起算", "duties begin with the first full period after admission")
            }
            Self::Suspended => ("该周期内成员资格暂停", "the member was suspended in the period"),
            Self::Left => ("成员已退出", "the member has left"),
            Self::Expelled => ("成员已除名", "the member was struck off"),
        }
    }
}

impl Bound {
    /// When a member was bound, as of a time; `None` before it was ever admitted.
    pub(super) fn of(charter: &Charter, member: &Member, as_of_ms: u64) -> Option<Self> {
        let mut stretches: Vec<Stretch> = Vec::new();
        for decision in &member.decisions {
            let Some(time_ms) = block_ms(charter, decision.version).filter(|time_ms| *time_ms <= as_of_ms) else {
                continue;
            };
            let ending = match decision.operation {
                "admit" | "reinstate" => {
                    stretches.push(Stretch { from_ms: time_ms, ended: None });
                    continue;
                }
                "suspend" => Ending::Suspended,
                "leave" => Ending::Left,
                "expel" => Ending::Expelled,
                _ => continue,
            };
            if let Some(last) = stretches.last_mut() {
                // Who is struck off while suspended was not bound before either.
                let since_ms = last.ended.map_or(time_ms, |(since_ms, _)| since_ms);
                last.ended = Some((since_ms, ending));
            }
        }
        (!stretches.is_empty()).then_some(Self { stretches })
    }

    /// The federation itself, from its founding on.
    pub(super) fn federation(charter: &Charter) -> Self {
        let from_ms = block_ms(charter, 1).unwrap_or_default();
        Self { stretches: vec![Stretch { from_ms, ended: None }] }
    }

    /// When it was bound first.
    pub(super) fn first_ms(&self) -> u64 {
        self.stretches.first().map_or(0, |stretch| stretch.from_ms)
    }

    /// Why a period is not owed; nothing when it is, all of it.
    pub(super) fn exemption(&self, span: Span) -> Option<Exemption> {
        let before = self.stretches.iter().rev().find(|stretch| stretch.from_ms <= span.start_ms);
        let Some(stretch) = before else { return Some(Exemption::BeforeFirstFullPeriod) };
        match stretch.ended {
            Some((ended_ms, ending)) if ended_ms < span.end_ms => Some(match ending {
                // Who came back within the period was not there for all of it.
                _ if self.stretches.iter().any(|later| span.contains(later.from_ms)) => {
                    Exemption::BeforeFirstFullPeriod
                }
                Ending::Suspended => Exemption::Suspended,
                Ending::Left => Exemption::Left,
                Ending::Expelled => Exemption::Expelled,
            }),
            _ => None,
        }
    }
}

/// When a charter block was made; versions count from 1.
pub(super) fn block_ms(charter: &Charter, version: u32) -> Option<u64> {
    let index = usize::try_from(version.checked_sub(1)?).ok()?;
    charter.blocks().get(index).map(|block| block.block().time_ms)
}

/// The members that had been admitted by a time.
pub(super) fn members(charter: &Charter, as_of_ms: u64) -> impl Iterator<Item = (MemberNumber, &Member, Bound)> {
    charter
        .members()
        .iter()
        .filter_map(move |(number, member)| Some((*number, member, Bound::of(charter, member, as_of_ms)?)))
}
