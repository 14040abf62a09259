//! The register: records as they count, judged by the rules of their kinds.
//!
//! [`crate::view`] says what owners stated; the register says what of it counts. A statement that changes a record's
//! state against its lifecycle is kept and not counted, and every node finds the same, because only what all members
//! read is looked at: the clear fields of this record and of those that name it, the charter, and the time of the
//! question. Of other records their own statements are judged without looking further, so that no judgement depends on
//! itself.

use std::collections::BTreeMap;

use crate::charter::{Charter, Role};
use crate::identity::{EntryId, MemberNumber};
use crate::kind::condition::{Related, Scope, Subject, Surroundings, Unmet};
use crate::kind::derived::Figure;
use crate::kind::lifecycle::{Author, Illegal, Transition};
use crate::kind::{Kind, KindReaders, KindSet, Level, Mark, Position};
use crate::limits::LINKS_PER_STRANGER_MAX;
use crate::statement::{COMMON_FIELDS_FROM, FIELD_SEALED, Operation};
use crate::value::Value;
use crate::view::{BodySource, Label, RecordState, Step, View, texts};

/// What is needed to judge records at a time.
#[derive(Clone, Copy)]
pub struct Register<'a> {
    view: &'a View,
    bodies: &'a dyn BodySource,
    kinds: &'a KindSet,
    charter: &'a Charter,
    as_of_ms: u64,
    /// Whether conditions on other records are judged.
    follows_links: bool,
}

/// A record as it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The record, without the statements that do not count.
    pub state: RecordState,
    /// Statements that do not count, and why; the create among them when the record as a whole does not.
    pub uncounted: Vec<Uncounted>,
    /// When it came to its present state by a statement, by its owner's clock.
    pub since_ms: u64,
}

/// A statement that does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncounted {
    /// Its entry.
    pub entry: EntryId,
    /// Why.
    pub reason: Illegal,
}

/// What everybody can say of a record beside its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment<'a> {
    /// Where it stands in its lifecycle, if its kind has one, with the words in Chinese and English.
    pub position: Option<(Position, String, String)>,
    /// Checks that mark it.
    pub marks: Vec<Mark>,
    /// Figures.
    pub figures: Vec<Figure>,
    /// Changes that may follow, with what is missing for each.
    pub onward: Vec<(&'a Transition, Vec<Unmet>)>,
}

impl<'a> Register<'a> {
    /// The register at a time.
    pub fn new(
        view: &'a View,
        bodies: &'a dyn BodySource,
        kinds: &'a KindSet,
        charter: &'a Charter,
        as_of_ms: u64,
    ) -> Self {
        Self { view, bodies, kinds, charter, as_of_ms, follows_links: true }
    }

    /// A record as it counts; `None` when it does not exist or a body of its is missing.
    pub fn judged(&self, id: &EntryId) -> Option<Judged> {
        let versions = self.view.versions(id, self.as_of_ms);
        let (owner, number) = self.view.owner(id)?;
        let lifecycle = self.kinds.kind(number).and_then(|kind| Some((kind, kind.lifecycle()?)));
        let Some((kind, lifecycle)) = lifecycle else {
            let state = self.view.fold(id, &versions, self.bodies)?;
            let since_ms = state.created_ms;
            return Some(Judged { state, uncounted: Vec::new(), since_ms });
        };
        let (mut uncounted, mut since_ms) = (Vec::new(), versions.first()?.time_ms);
        let mut counts = |step: &Step<'_>| {
            let field = lifecycle.field();
            let creates = step.version.operation == Operation::Create;
            let touches = step.statement.fields.contains_key(&field) || step.statement.cleared.contains(&field);
            if !creates && (!touches || takes_out_of_sight(kind, step)) {
                return true;
            }
            let before = (!creates).then_some(&step.before.fields);
            let fields = step.after();
            let subject = Subject { kind, id: Some(*id), owner, fields: &fields, scope: Scope::Everybody };
            // What was done is judged as it stood when it was done, as far as time moves records by itself.
            let then = Self { as_of_ms: step.version.time_ms, ..*self };
            let author = self.author(step.version.author, step.version.time_ms);
            match kind.judge_change(before, &subject, &author, &Then { now: self, then: &then }) {
                Ok(()) => {
                    since_ms = step.version.time_ms;
                    true
                }
                Err(reason) => {
                    uncounted.push(Uncounted { entry: step.version.entry, reason });
                    // A create that does not count leaves nothing to show otherwise.
                    creates
                }
            }
        };
        let state = self.view.fold_counting(id, &versions, self.bodies, &mut counts)?;
        Some(Judged { state, uncounted, since_ms })
    }

    /// Whether `author` may bring a record from `before` (`None`: create it) to `fields`, all of which it sees.
    pub fn judge(
        &self,
        kind: &Kind,
        id: Option<EntryId>,
        author: MemberNumber,
        before: Option<&BTreeMap<u16, Value>>,
        fields: &BTreeMap<u16, Value>,
    ) -> Result<(), Illegal> {
        let subject = Subject { kind, id, owner: author, fields, scope: Scope::Author };
        kind.judge_change(before, &subject, &self.author(author, self.as_of_ms), self)
    }

    /// What everybody can say of a record beside its fields. Nothing of a kind that is not known.
    pub fn assess(&self, judged: &Judged) -> Option<Assessment<'a>> {
        let kind = self.kinds.kind(judged.state.kind)?;
        let (owner, _) = self.view.owner(&judged.state.id)?;
        let subject = self.subject(kind, &judged.state, owner);
        let author = self.author(owner, self.as_of_ms);
        let position = kind.lifecycle().map(|lifecycle| {
            let position = lifecycle.position_at(&judged.state.fields, self.as_of_ms);
            let (zh, en) = lifecycle.position_words(&position);
            (position, zh, en)
        });
        Some(Assessment {
            position,
            marks: kind.marks(Level::Flag, &subject, self),
            figures: kind.figures(&subject, self),
            onward: kind.ways_onward(&subject, &author, self),
        })
    }

    fn subject<'s>(&self, kind: &'s Kind, state: &'s RecordState, owner: MemberNumber) -> Subject<'s> {
        Subject { kind, id: Some(state.id), owner, fields: &state.fields, scope: Scope::Everybody }
    }

    fn author(&self, member: MemberNumber, time_ms: u64) -> Author {
        let class = self.charter.members().get(&member).map(|member| member.class);
        let held = self.charter.seats().iter().filter(|seat| {
            let grant = &seat.grant;
            let ended = seat.ended.as_ref().and_then(|(version, _)| self.block_ms(*version));
            grant.member == member
                && grant.from_ms <= time_ms
                && (grant.until_ms == 0 || time_ms < grant.until_ms)
                && ended.is_none_or(|ended| time_ms < ended)
        });
        let mut roles: Vec<Role> = held.map(|seat| seat.grant.role).collect();
        roles.dedup();
        Author { class, roles }
    }

    /// When a charter block was made; versions count from 1.
    fn block_ms(&self, version: u32) -> Option<u64> {
        let index = usize::try_from(version.checked_sub(1)?).ok()?;
        self.charter.blocks().get(index).map(|block| block.block().time_ms)
    }

    /// Records of `kind` that may name the subject. Of each member other than its owner only the first it created are
    /// looked at, so that nobody can name a stranger's record so often that it cannot be judged any more.
    fn candidates(&self, subject: &Subject<'_>, kind: u16, own: Option<(MemberNumber, u16, String)>) -> Vec<EntryId> {
        let mut by_member: BTreeMap<MemberNumber, Vec<(Label, EntryId)>> = BTreeMap::new();
        for id in self.view.naming(subject.id, own).into_iter().filter(|id| Some(*id) != subject.id) {
            if let Some((owner, found)) = self.view.owner(&id)
                && found == kind
                && let Some(label) = self.view.label(&id)
            {
                by_member.entry(owner).or_default().push((label, id));
            }
        }
        let mut candidates = Vec::new();
        for (owner, mut naming) in by_member {
            naming.sort_unstable();
            if owner != subject.owner {
                naming.truncate(LINKS_PER_STRANGER_MAX);
            }
            candidates.extend(naming.into_iter().map(|(_, id)| id));
        }
        candidates
    }

    /// A record as conditions on others look at it: what stands, by itself.
    fn related(&self, id: &EntryId) -> Option<Related> {
        let (owner, number) = self.view.owner(id)?;
        let kind = self.kinds.kind(number)?;
        let may_write = self.charter.members().get(&owner).is_some_and(|member| kind.may_write(member.class.name()));
        if !may_write {
            return None;
        }
        let alone = Self { follows_links: false, ..*self };
        let judged = alone.judged(id)?;
        let state = judged.state;
        let stands = state.withdrawn.is_none()
            && !judged.uncounted.iter().any(|uncounted| uncounted.entry == *id)
            && kind.validate_as(&state.fields, Scope::Everybody).is_empty();
        stands.then_some(Related { id: *id, owner, kind: number, fields: state.fields, created_ms: state.created_ms })
    }
}

/// Whether a change takes the whole record out of everybody's sight or, in a kind whose records begin confidential, into
/// it. Those who may read it saw how it came to its state; nobody else can judge that step.
fn takes_out_of_sight(kind: &Kind, step: &Step<'_>) -> bool {
    let in_clear = |fields: &BTreeMap<u16, Value>| fields.keys().any(|number| *number < COMMON_FIELDS_FROM);
    let hides = step.statement.fields.contains_key(&FIELD_SEALED) && !in_clear(&step.after());
    let was_hidden = step.before.fields.contains_key(&FIELD_SEALED) && !in_clear(&step.before.fields);
    hides || (was_hidden && kind.readers() != KindReaders::All)
}

impl Surroundings for Register<'_> {
    fn as_of_ms(&self) -> u64 {
        self.as_of_ms
    }

    fn admitted_ms(&self, member: MemberNumber) -> Option<u64> {
        let member = self.charter.members().get(&member)?;
        let first = member.decisions.iter().find(|decision| decision.operation == "admit");
        let version = first.or(member.decisions.first()).map_or(member.admitted, |decision| decision.version);
        self.block_ms(version)
    }

    fn kind(&self, number: u16) -> Option<&Kind> {
        self.kinds.kind(number)
    }

    fn follows_links(&self) -> bool {
        self.follows_links
    }

    fn linked(&self, subject: &Subject<'_>, kind: u16, by: u16) -> Vec<Related> {
        let external = subject.kind.external_field();
        let number = subject.fields.get(&external.number).map(|value| external.render(value));
        let own = number.map(|number| (subject.owner, subject.kind.number(), number));
        let mut found: Vec<Related> = self
            .candidates(subject, kind, own.clone())
            .iter()
            .filter_map(|id| self.related(id))
            .filter(|related| {
                texts(related.fields.get(&by)).any(|text| match subject.id {
                    Some(id) => self.view.named(related.owner, subject.kind.number(), text) == Some(id),
                    // A record that is not published yet goes by its owner's own number alone.
                    None => own.as_ref().is_some_and(|(owner, _, number)| related.owner == *owner && text == number),
                })
            })
            .collect();
        found.sort_by_key(|related| (related.created_ms, related.id));
        found
    }

    fn target(&self, owner: MemberNumber, kind: u16, text: &str) -> Option<Related> {
        self.related(&self.view.named(owner, kind, text)?)
    }
}

/// Other records as they stand now, the record itself as time had left it when the statement was made.
struct Then<'a> {
    now: &'a Register<'a>,
    then: &'a Register<'a>,
}

impl Surroundings for Then<'_> {
    fn as_of_ms(&self) -> u64 {
        self.then.as_of_ms
    }

    fn admitted_ms(&self, member: MemberNumber) -> Option<u64> {
        self.now.admitted_ms(member)
    }

    fn kind(&self, number: u16) -> Option<&Kind> {
        self.now.kind(number)
    }

    fn follows_links(&self) -> bool {
        self.now.follows_links
    }

    fn linked(&self, subject: &Subject<'_>, kind: u16, by: u16) -> Vec<Related> {
        self.now.linked(subject, kind, by)
    }

    fn target(&self, owner: MemberNumber, kind: u16, text: &str) -> Option<Related> {
        self.now.target(owner, kind, text)
    }
}

#[cfg(test)]
mod tests;
