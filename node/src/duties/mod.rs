//! Duties at a node: what was done is kept in memory, in step with the records, and judged whenever somebody asks.
//!
//! * [`Shelf`] holds the ledger of [`protocol::duty`]; `consumer` is what the follower of [`crate::derive`] hands records
//!   to. At the start it is empty and filled in the background; an entry that arrives costs a look at its record.
//! * [`view`] answers questions as of any time, from the ledger alone.
//! * [`unchanged`] says for this node's member that nothing changed, where that performs what it owes.
//!
//! What is judged is what all members read, so that nodes with the same frontier find the same.

mod consumer;
mod show;
#[cfg(test)]
mod tests;
pub mod unchanged;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;
use protocol::duty::{Ledger, Question, Rate, Rules, State, judge, rate as rate_of};
use protocol::identity::MemberNumber;
use protocol::view::Positions;
use thiserror::Error;

pub(crate) use consumer::{LedgerConsumer, deeds};

use crate::api::types::DutiesView;
use crate::core::Core;

/// The ledger of a node.
#[derive(Default)]
pub struct Shelf {
    /// Whoever reads takes a share of it and lets go of the lock; only while somebody reads is it copied for a change.
    ledger: RwLock<Arc<Ledger>>,
    /// Whether every record was looked at since the node started.
    complete: AtomicBool,
    /// How far the ledger has come.
    positions: RwLock<Option<Positions>>,
}

impl Shelf {
    /// Whether the ledger holds everything that the records say now.
    pub fn is_complete(&self, core: &Core) -> bool {
        let held = self.positions.read().clone();
        self.complete.load(Ordering::Acquire) && held.is_some_and(|held| held == core.positions())
    }

    fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(&self.ledger.read())
    }

    /// Records that can perform some duty.
    pub fn len(&self) -> usize {
        self.ledger.read().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ledger.read().is_empty()
    }
}

/// What is asked of duties.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// As of this time; now when it is not given.
    pub as_of_ms: Option<u64>,
    /// Only this member: its number, or its name.
    pub member: Option<String>,
    /// Only this duty.
    pub rule: Option<String>,
    /// Only those that stand so; of `due`, those whose running period is not performed yet.
    pub states: Vec<String>,
}

/// A question about duties that has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DutyError {
    /// No member has that number or name.
    #[error("no member has the number or name `{given}`")]
    Member {
        /// What was given.
        given: String,
    },
    /// No duty has that id.
    #[error("there is no duty `{given}`; they are called YW001 to YW047")]
    Rule {
        /// What was given.
        given: String,
    },
    /// No state has that name.
    #[error("there is no state `{given}`; there are {known}")]
    State {
        /// What was given.
        given: String,
        /// Those that there are.
        known: String,
    },
    /// This node has no member yet, or its rights rest.
    #[error("this node's key has no right to publish, so its member owes nothing")]
    NoMember,
    /// What was done is still being read from the records.
    #[error("what was done is still being read from the records")]
    NotComplete,
    /// An entry of the own log is dated into the future: until then the time of whatever follows it is not believed.
    #[error(
        "an entry of this member's log is dated {day}, in the future; until then nothing that follows it performs a duty"
    )]
    DatedAhead {
        /// The day of that entry, in China.
        day: String,
    },
}

impl DutyError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Member { .. } => "duty-member",
            Self::Rule { .. } => "duty-rule",
            Self::State { .. } => "duty-state",
            Self::NoMember => "duty-no-member",
            Self::NotComplete => "duty-not-complete",
            Self::DatedAhead { .. } => "duty-dated-ahead",
        }
    }

    /// What is wrong, in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Member { given } => format!("没有编号或名称为“{given}”的成员。"),
            Self::Rule { given } => format!("没有义务“{given}”；编号为 YW001 至 YW047。"),
            Self::State { given, known } => format!("没有状态“{given}”；可用：{known}。"),
            Self::NoMember => "本节点的密钥没有发布的权利，本成员眼下不负义务。".to_owned(),
            Self::NotComplete => "节点还在整理已有的记录，暂时不知道本期做了什么。".to_owned(),
            Self::DatedAhead { day } => {
                format!("本成员的日志里有一条日期在将来（{day}）；在那之前，其后发布的内容都不计入义务。")
            }
        }
    }
}

/// How members and organs stand with their duties.
///
/// # Errors
/// A member, duty or state that does not exist.
pub fn view(core: &Core, shelf: &Shelf, asked: &Asked) -> Result<DutiesView, DutyError> {
    let rules = Rules::builtin();
    let as_of_ms = asked.as_of_ms.unwrap_or_else(crate::core::now_ms);
    let rule = asked.rule.as_deref().map(|given| match rules.duty(given) {
        Some(duty) => Ok(duty.id.as_str()),
        None => Err(DutyError::Rule { given: given.to_owned() }),
    });
    let rule = rule.transpose()?;
    let states = asked.states.iter().map(|given| read_state(given)).collect::<Result<Vec<State>, _>>()?;
    let member = asked.member.as_deref().map(|given| find_member(core, given)).transpose()?;
    // Before anything is looked at: what comes meanwhile makes it incomplete, and never the other way round.
    let complete = shelf.is_complete(core);
    let question = Question { as_of_ms, member, rule };
    Ok(show::view(core, &shelf.ledger(), rules, &question, &states, complete))
}

/// How many of those who owe a duty performed it in the last period that was over at a time; see [`protocol::duty::rate`].
pub fn rate(core: &Core, shelf: &Shelf, rule: &str, as_of_ms: u64) -> Option<Rate> {
    let charter = core.read(|state| state.replica.charter().clone());
    rate_of(&charter, &shelf.ledger(), Rules::builtin(), rule, as_of_ms)
}

fn read_state(given: &str) -> Result<State, DutyError> {
    State::from_name(given).ok_or_else(|| {
        let known = State::ALL.map(State::name).join(", ");
        DutyError::State { given: given.to_owned(), known }
    })
}

fn find_member(core: &Core, given: &str) -> Result<MemberNumber, DutyError> {
    core.read(|state| {
        let members = state.replica.charter().members();
        let numbered = given.parse().ok().map(MemberNumber).filter(|number| members.contains_key(number));
        let named = || members.values().find(|member| member.name == given).map(|member| member.number);
        numbered.or_else(named).ok_or_else(|| DutyError::Member { given: given.to_owned() })
    })
}

/// All who stand with a duty, judged from a ledger. The lock is held briefly: nothing is read from the disk.
fn holdings<'a>(
    core: &Core,
    ledger: &Ledger,
    rules: &'a Rules,
    question: &Question<'_>,
) -> Vec<protocol::duty::Holding<'a>> {
    let charter = core.read(|state| state.replica.charter().clone());
    judge(&charter, ledger, rules, question)
}
