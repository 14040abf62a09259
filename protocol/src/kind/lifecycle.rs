//! Lifecycles as data: the states of a record, and the changes that its owner may make (REQUIREMENTS, section 3).
//!
//! The state stands in an ordinary text field, in the words of the kind file. A change of the state is legal when the
//! file has a transition for it whose conditions hold for the record as it will be; time moves a record by itself where
//! the file says so. A word that is no state is kept where the file allows it, and counts as none.

use std::collections::BTreeMap;

use super::Kind;
use super::condition::{Condition, Subject, Surroundings, Unmet, unmet};
use super::text::narrow;
use crate::charter::{Class, Role};
use crate::value::Value;

/// The states of a kind and how they follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifecycle {
    pub(super) field: u16,
    pub(super) initial: Option<usize>,
    pub(super) unmapped: bool,
    pub(super) states: Vec<State>,
    /// The states by every word for them, in half-width form.
    pub(super) words: BTreeMap<String, usize>,
    pub(super) transitions: Vec<Transition>,
    pub(super) expiries: Vec<Expiry>,
}

/// One state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The identifier, for instance `signed`.
    pub name: String,
    /// The word in the field, for instance 签约.
    pub zh: String,
    /// The English name.
    pub en: String,
    /// Other words for it.
    pub words: Vec<String>,
    /// Whether nothing follows.
    pub is_final: bool,
}

/// One change of state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The states that it leads from; `None` stands for the creation.
    pub from: Vec<Option<usize>>,
    /// The state that it leads to.
    pub to: usize,
    /// Who makes it, for people, in Chinese.
    pub office_zh: String,
    /// Who makes it, for people, in English.
    pub office_en: String,
    /// Who may: one of these, in any case the record's owner.
    pub by: Vec<Actor>,
    /// What must hold of the record as it will be.
    pub needs: Vec<Condition>,
}

/// Who may make a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A member of the class.
    Class(Class),
    /// A member that holds a seat in the role.
    Role(Role),
}

/// A change that time makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// The states that it leads from.
    pub from: Vec<usize>,
    /// The date after which it happens.
    pub field: u16,
    /// Days more.
    pub days: u32,
    /// The state that it leads to.
    pub to: usize,
}

/// Where a record stands in its lifecycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// It says nothing, and the kind has no initial state.
    Blank,
    /// In a state, by its place in [`Lifecycle::states`].
    State(usize),
    /// Under a word that is no state: a person must map it.
    Unmapped(String),
}

/// Who changes a record, as far as transitions ask.
#[derive(Debug, Clone, Default)]
pub struct Author {
    /// Its class.
    pub class: Option<Class>,
    /// The roles in which it holds a seat.
    pub roles: Vec<Role>,
}

/// Why a change of state is illegal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Illegal {
    /// Where the record stood, for people; empty at its creation.
    pub from_zh: String,
    /// The same in English.
    pub from_en: String,
    /// Where it was to go.
    pub to_zh: String,
    /// The same in English.
    pub to_en: String,
    /// What is missing: conditions that do not hold, or the steps that lead on from where it stands.
    pub missing: Vec<Unmet>,
}

impl Lifecycle {
    /// A lifecycle whose record's state stands in `field`, with its states and nothing that moves between them.
    pub(super) fn new(field: u16, initial: Option<usize>, unmapped: bool, states: Vec<State>) -> Self {
        let mut words = BTreeMap::new();
        for (place, state) in states.iter().enumerate() {
            for word in [&state.zh, &state.name].into_iter().chain(&state.words) {
                words.entry(narrow(word)).or_insert(place);
            }
        }
        Self { field, initial, unmapped, states, words, transitions: Vec::new(), expiries: Vec::new() }
    }

    /// The field that holds the state.
    pub fn field(&self) -> u16 {
        self.field
    }

    /// The states, in the order of the file.
    pub fn states(&self) -> &[State] {
        &self.states
    }

    /// The changes.
    pub fn transitions(&self) -> &[Transition] {
        &self.transitions
    }

    /// The changes that time makes.
    pub fn expiries(&self) -> &[Expiry] {
        &self.expiries
    }

    /// Whether words that are no state are kept.
    pub fn keeps_unmapped(&self) -> bool {
        self.unmapped
    }

    /// The state of a record that says nothing.
    pub fn initial(&self) -> Option<&State> {
        self.initial.map(|state| &self.states[state])
    }

    /// The state that goes by a word.
    pub fn state_called(&self, word: &str) -> Option<usize> {
        self.words.get(&narrow(word)).copied()
    }

    /// Where a record with these fields stands, time left aside.
    pub fn position(&self, fields: &BTreeMap<u16, Value>) -> Position {
        match fields.get(&self.field) {
            Some(Value::Text(text)) => {
                self.state_called(text).map_or_else(|| Position::Unmapped(text.clone()), Position::State)
            }
            Some(_) => Position::Unmapped(String::new()),
            None => self.initial.map_or(Position::Blank, Position::State),
        }
    }

    /// Where a record with these fields stands at a time.
    pub fn position_at(&self, fields: &BTreeMap<u16, Value>, as_of_ms: u64) -> Position {
        let stated = self.position(fields);
        let Position::State(state) = stated else { return stated };
        let over = |expiry: &&Expiry| {
            let Some(Value::Date(day)) = fields.get(&expiry.field) else { return false };
            expiry.from.contains(&state)
                && day.plus_days(i64::from(expiry.days)).is_some_and(|last| last.end_ms() <= as_of_ms)
        };
        self.expiries.iter().find(over).map_or(stated, |expiry| Position::State(expiry.to))
    }

    /// The name of a position for people, in Chinese and in English.
    pub fn position_words(&self, position: &Position) -> (String, String) {
        match position {
            Position::Blank => ("未填".to_owned(), "not given".to_owned()),
            Position::State(state) => (self.states[*state].zh.clone(), self.states[*state].en.clone()),
            Position::Unmapped(word) => (format!("{word}（未归类）"), format!("{word} (to be mapped by a person)")),
        }
    }

    /// The transitions that lead on from a position; `None` is the creation.
    pub fn onward(&self, from: Option<&Position>) -> impl Iterator<Item = &Transition> {
        let from = match from {
            Some(Position::State(state)) => Some(*state),
            None | Some(Position::Blank | Position::Unmapped(_)) => None,
        };
        self.transitions.iter().filter(move |transition| transition.from.contains(&from))
    }

    fn words_of(&self, position: Option<&Position>) -> (String, String) {
        position.map(|position| self.position_words(position)).unwrap_or_default()
    }
}

impl Actor {
    /// Whether a member is such a one.
    pub fn is(self, author: &Author) -> bool {
        match self {
            Self::Class(class) => author.class == Some(class),
            Self::Role(role) => author.roles.contains(&role),
        }
    }

    fn wording(self) -> Unmet {
        match self {
            Self::Class(class) => Unmet {
                zh: format!("须由{}类成员办理", class.zh()),
                en: format!("a member of class {} does it", class.name()),
            },
            Self::Role(role) => Unmet {
                zh: format!("须由{}办理", role.zh()),
                en: format!("a holder of the role {} does it", role.name()),
            },
        }
    }
}

impl Kind {
    /// Whether the record may go from `before` (`None`: it is created) to where `subject` stands now.
    ///
    /// Where nothing changes, nothing is judged: a state that time has brought about, or one that was reached long ago,
    /// needs no new reasons.
    pub fn judge_change(
        &self,
        before: Option<&BTreeMap<u16, Value>>,
        subject: &Subject<'_>,
        author: &Author,
        surroundings: &dyn Surroundings,
    ) -> Result<(), Illegal> {
        let Some(lifecycle) = self.lifecycle() else { return Ok(()) };
        let stated = before.map(|fields| lifecycle.position(fields));
        let after = lifecycle.position(subject.fields);
        if stated.as_ref() == Some(&after) || (stated.is_none() && after == Position::Blank) {
            return Ok(());
        }
        let from = before.map(|fields| lifecycle.position_at(fields, surroundings.as_of_ms()));
        let in_state = |position: &Option<Position>| matches!(position, Some(Position::State(_)));
        let missing = match &after {
            Position::State(_) if stated.is_none() && lifecycle.initial_is(&after) => return Ok(()),
            Position::Unmapped(_) if lifecycle.unmapped && !in_state(&stated) => return Ok(()),
            Position::Blank if !in_state(&stated) => return Ok(()),
            Position::State(to) => {
                let candidates: Vec<&Transition> = lifecycle
                    .onward(from.as_ref())
                    .chain(lifecycle.onward(stated.as_ref()))
                    .filter(|transition| transition.to == *to)
                    .collect();
                match lifecycle.reasons(&candidates, subject, author, surroundings) {
                    None => return Ok(()),
                    Some(missing) => missing,
                }
            }
            Position::Blank | Position::Unmapped(_) => Vec::new(),
        };
        let missing = if missing.is_empty() { lifecycle.ways_on(from.as_ref()) } else { missing };
        let ((from_zh, from_en), (to_zh, to_en)) =
            (lifecycle.words_of(from.as_ref()), lifecycle.position_words(&after));
        Err(Illegal { from_zh, from_en, to_zh, to_en, missing })
    }

    /// Every change that leads on from where the record stands, with what is missing for it.
    pub fn ways_onward(
        &self,
        subject: &Subject<'_>,
        author: &Author,
        surroundings: &dyn Surroundings,
    ) -> Vec<(&Transition, Vec<Unmet>)> {
        let Some(lifecycle) = self.lifecycle() else { return Vec::new() };
        let position = lifecycle.position_at(subject.fields, surroundings.as_of_ms());
        let ways = lifecycle.onward(Some(&position));
        ways.map(|transition| (transition, transition.unmet(subject, author, surroundings))).collect()
    }
}

impl Lifecycle {
    fn initial_is(&self, position: &Position) -> bool {
        self.initial.is_some_and(|state| *position == Position::State(state))
    }

    /// What is missing for the change, if one of the candidates does not hold already: that of the nearest one.
    fn reasons(
        &self,
        candidates: &[&Transition],
        subject: &Subject<'_>,
        author: &Author,
        surroundings: &dyn Surroundings,
    ) -> Option<Vec<Unmet>> {
        let unmet = candidates.iter().map(|transition| transition.unmet(subject, author, surroundings));
        let nearest = unmet.min_by_key(Vec::len).unwrap_or_default();
        (candidates.is_empty() || !nearest.is_empty()).then_some(nearest)
    }

    /// Where a record may go from a position, as what is missing when it went elsewhere.
    fn ways_on(&self, from: Option<&Position>) -> Vec<Unmet> {
        let mut states: Vec<usize> = self.onward(from).map(|transition| transition.to).collect();
        states.dedup();
        if states.is_empty() {
            return vec![Unmet { zh: "这里不能再变更状态".into(), en: "nothing follows from here".into() }];
        }
        let (zh, en): (Vec<_>, Vec<_>) =
            states.iter().map(|state| (self.states[*state].zh.clone(), self.states[*state].en.clone())).unzip();
        vec![Unmet {
            zh: format!("先转到其中之一：{}", zh.join("、")),
            en: format!("go to one of these first: {}", en.join(", ")),
        }]
    }
}

impl Transition {
    /// What is missing for the change.
    pub fn unmet(&self, subject: &Subject<'_>, author: &Author, surroundings: &dyn Surroundings) -> Vec<Unmet> {
        let allowed = self.by.is_empty() || self.by.iter().any(|actor| actor.is(author));
        let mut missing = unmet(&self.needs, subject, surroundings);
        // Who holds which seat is the charter's matter, and every reader can tell.
        if !allowed {
            missing.extend(self.by.iter().map(|actor| actor.wording()));
        }
        missing
    }
}
