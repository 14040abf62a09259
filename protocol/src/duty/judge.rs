//! The verdict: how those who owe a duty stand with it at a time.

use rust_decimal::Decimal;

use super::calendar::{Span, months_after};
use super::ledger::Ledger;
use super::rules::{Bearer, Duty, DutyIndex, Judged, Organ, Rules};
use super::standing::{Bound, Exemption, block_ms, members};
use super::work::{Performance, Tally, Work};
use crate::charter::{Charter, Class, Member, Role, Seat};
use crate::identity::{EntryId, MemberNumber};
use crate::limits::DUTY_PERIODS_BACK_MAX;
use crate::view::Place;

/// How a duty stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Performed in time.
    Met,
    /// Performed in time by saying that nothing changed.
    MetNoChange,
    /// Performed after the time was over.
    Late,
    /// The time runs.
    Due,
    /// The time is over, and it was not performed.
    Overdue,
    /// Nor was it in the further periods that the rule names.
    Escalated,
    /// It is not owed.
    Exempt,
    /// Records cannot tell.
    NotComputable,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Met,
        Self::MetNoChange,
        Self::Late,
        Self::Due,
        Self::Overdue,
        Self::Escalated,
        Self::Exempt,
        Self::NotComputable,
    ];

    /// The name in interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::MetNoChange => "met_no_change",
            Self::Late => "late",
            Self::Due => "due",
            Self::Overdue => "overdue",
            Self::Escalated => "escalated",
            Self::Exempt => "exempt",
            Self::NotComputable => "not_computable",
        }
    }

    /// The Chinese name.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Met => "已履行",
            Self::MetNoChange => "已声明无变化",
            Self::Late => "迟交",
            Self::Due => "待履行",
            Self::Overdue => "逾期",
            Self::Escalated => "升级",
            Self::Exempt => "不适用",
            Self::NotComputable => "无法计算",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A record by which a duty was performed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// When that was said, by its author's clock.
    pub time_ms: u64,
    /// Where.
    pub place: Place,
    /// The record.
    pub record: EntryId,
    /// Who said it.
    pub author: MemberNumber,
    /// Whether it says that nothing changed.
    pub no_change: bool,
}

/// Why a verdict is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Why {
    fn new(zh: &str, en: &str) -> Self {
        Self { zh: zh.to_owned(), en: en.to_owned() }
    }
}

/// How a duty was performed in one period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The period.
    pub span: Span,
    /// What it is called.
    pub name: String,
    /// The first millisecond at which it is overdue.
    pub due_ms: u64,
    /// How it stands.
    pub state: State,
    /// Records by which it was performed in time.
    pub counted: u64,
    /// Records that said in time that nothing changed.
    pub no_change: u64,
    /// Records that came after the time was over, and name the period.
    pub late: u64,
    /// What the records add up to, where the rule asks.
    pub sum: Option<Decimal>,
    /// The first of the records.
    pub evidence: Vec<Evidence>,
    /// Why it is exempt or cannot be computed.
    pub why: Option<Why>,
}

/// Who owes a duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bearing {
    /// The federation, by one of its organs.
    Organ(Organ),
    /// A member.
    Member(MemberNumber),
}

/// How somebody stands with a duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding<'a> {
    /// The duty.
    pub duty: &'a Duty,
    /// Who owes it.
    pub bearing: Bearing,
    /// How it stands: what the period that was judged last came to, or else the running one.
    pub state: State,
    /// The period that was judged last.
    pub ended: Option<Verdict>,
    /// The period that runs, or whose days of grace do.
    pub running: Option<Verdict>,
    /// When it must be performed next.
    pub next_due_ms: Option<u64>,
    /// Periods in a row without performance, up to the one judged last.
    pub missed: u32,
    /// When it was last performed.
    pub last_ms: Option<u64>,
}

/// What is judged, and as of when.
#[derive(Debug, Clone, Default)]
pub struct Question<'a> {
    /// The time.
    pub as_of_ms: u64,
    /// Only this member.
    pub member: Option<MemberNumber>,
    /// Only this duty.
    pub rule: Option<&'a str>,
}

/// The verdicts on all who owe a duty: by bearer, organs first, then in the order of the rules.
pub fn judge<'a>(charter: &Charter, ledger: &Ledger, rules: &'a Rules, question: &Question<'_>) -> Vec<Holding<'a>> {
    let mut holdings = Vec::new();
    let all: Vec<_> = members(charter, question.as_of_ms).collect();
    for (index, duty) in (0..).zip(rules.duties()) {
        if question.rule.is_some_and(|rule| rule != duty.id) {
            continue;
        }
        let bench = Bench { charter, ledger, index, duty, as_of_ms: question.as_of_ms };
        if let Bearer::Organ(organ) = duty.bearer {
            let is_asked = question.member.is_none_or(|member| acts_for(charter, member, organ));
            if is_asked && bench.founded_ms() <= question.as_of_ms {
                holdings.push(bench.holding(Bearing::Organ(organ), &Bound::federation(charter)));
            }
            continue;
        }
        let owing = all
            .iter()
            .filter(|(number, member, _)| owes(duty, member) && question.member.is_none_or(|wanted| wanted == *number));
        holdings.extend(owing.map(|(number, _, bound)| bench.holding(Bearing::Member(*number), bound)));
    }
    holdings.sort_by(|one, other| (one.bearing, &one.duty.id).cmp(&(other.bearing, &other.duty.id)));
    holdings
}

/// Whether a member is the one that acts for an organ: what the secretariat owes is asked of the member that is it.
pub fn acts_for(charter: &Charter, member: MemberNumber, organ: Organ) -> bool {
    let class = charter.members().get(&member).map(|member| member.class);
    organ == Organ::Secretariat && class == Some(Class::Secretariat)
}

/// How many of those who owed a duty performed it in one period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// The period: the last one whose time was over.
    pub span: Span,
    /// What it is called.
    pub name: String,
    /// Members that owed it.
    pub owed: u32,
    /// Of these, those that performed it in time.
    pub met: u32,
    /// Beside these, those that said in time that nothing changed.
    pub met_no_change: u32,
    /// Beside these, those that performed it late.
    pub late: u32,
    /// Members that did not perform it in time, the late ones among them, ascending.
    pub missed: Vec<MemberNumber>,
    /// For each member that performed it in time what shows it first, ascending by member.
    pub evidence: Vec<(MemberNumber, Evidence)>,
}

/// The rate of members that performed a duty in the last period whose time was over at `as_of_ms`. Nothing where there is
/// no such rule, it is not judged by the periods of the calendar, or no period was ever over.
pub fn rate(charter: &Charter, ledger: &Ledger, rules: &Rules, rule: &str, as_of_ms: u64) -> Option<Rate> {
    let index = rules.index_of(rule)?;
    let duty = rules.duty(rule).filter(|duty| duty.judged == Judged::ByPeriod)?;
    let bench = Bench { charter, ledger, index, duty, as_of_ms };
    let span = bench.last_closed().filter(|span| bench.founded_ms() < span.end_ms)?;
    let name = duty.cycle.name_of(span);
    let mut rate =
        Rate { span, name, owed: 0, met: 0, met_no_change: 0, late: 0, missed: Vec::new(), evidence: Vec::new() };
    for (number, _, bound) in members(charter, as_of_ms).filter(|(_, member, _)| owes(duty, member)) {
        let work = bench.work(Bearing::Member(number));
        let verdict = bench.verdict(span, &work, &bound);
        match verdict.state {
            State::Exempt | State::NotComputable => continue,
            State::Met => rate.met += 1,
            State::MetNoChange => rate.met_no_change += 1,
            State::Late => rate.late += 1,
            State::Due | State::Overdue | State::Escalated => {}
        }
        rate.owed += 1;
        match verdict.evidence.first().filter(|_| matches!(verdict.state, State::Met | State::MetNoChange)) {
            Some(evidence) => rate.evidence.push((number, *evidence)),
            None => rate.missed.push(number),
        }
    }
    Some(rate)
}

fn owes(duty: &Duty, member: &Member) -> bool {
    match &duty.bearer {
        Bearer::Class(class) => member.class == *class,
        Bearer::Divisions(divisions) => member.class == Class::County && divisions.contains(&member.region),
        Bearer::Organ(_) => false,
    }
}

/// One duty at a time.
struct Bench<'a, 'r> {
    charter: &'a Charter,
    ledger: &'a Ledger,
    index: DutyIndex,
    duty: &'r Duty,
    as_of_ms: u64,
}

impl<'r> Bench<'_, 'r> {
    fn founded_ms(&self) -> u64 {
        block_ms(self.charter, 1).unwrap_or_default()
    }

    fn holding(&self, bearing: Bearing, bound: &Bound) -> Holding<'r> {
        let mut holding = Holding {
            duty: self.duty,
            bearing,
            state: State::NotComputable,
            ended: None,
            running: None,
            next_due_ms: None,
            missed: 0,
            last_ms: None,
        };
        match &self.duty.judged {
            Judged::NotComputable { zh, en } => self.unjudged(&mut holding, bound, &Why::new(zh, en)),
            Judged::ByPeriod => self.by_period(&mut holding, bound),
            Judged::Rolling => self.rolling(&mut holding, bound),
            Judged::BySeats(role) => self.by_seats(&mut holding, *role),
        }
        let settled = holding.ended.as_ref().filter(|ended| ended.state != State::Exempt);
        let shown = settled.or(holding.running.as_ref()).or(holding.ended.as_ref());
        holding.state = shown.map_or(State::NotComputable, |verdict| verdict.state);
        let escalates = self.duty.escalated_after.is_some_and(|further| holding.missed > further);
        if holding.state == State::Overdue && escalates {
            holding.state = State::Escalated;
        }
        holding
    }

    /// What cannot be computed still has a next date.
    fn unjudged(&self, holding: &mut Holding<'_>, bound: &Bound, why: &Why) {
        let Some(span) = self.duty.cycle.span_at(self.as_of_ms) else {
            // No end is known of what is owed once or always: it runs from the begin until the time of the question.
            let start_ms = bound.first_ms();
            let span = Span { start_ms, end_ms: self.as_of_ms.max(start_ms) };
            holding.running = Some(self.without_verdict(span, State::NotComputable, Some(why.clone())));
            return;
        };
        let exemption = bound.exemption(span);
        let (state, why) = match exemption {
            Some(exemption) => (State::Exempt, exempt(exemption)),
            None => (State::NotComputable, why.clone()),
        };
        holding.running = Some(self.without_verdict(span, state, Some(why)));
        holding.next_due_ms = exemption.is_none().then(|| self.next_due_ms(span)).flatten();
    }

    /// When the period is due, or the next one if its time is over.
    fn next_due_ms(&self, span: Span) -> Option<u64> {
        let due_ms = self.duty.due.due_ms(span);
        if due_ms > self.as_of_ms {
            return Some(due_ms);
        }
        self.duty.cycle.span_at(span.end_ms).map(|next| self.duty.due.due_ms(next))
    }

    fn without_verdict(&self, span: Span, state: State, why: Option<Why>) -> Verdict {
        Verdict {
            span,
            name: self.duty.cycle.name_of(span),
            due_ms: self.duty.due.due_ms(span),
            state,
            counted: 0,
            no_change: 0,
            late: 0,
            sum: None,
            evidence: Vec::new(),
            why,
        }
    }

    /// The last period whose time is over.
    fn last_closed(&self) -> Option<Span> {
        let mut span = self.duty.cycle.span_at(self.as_of_ms)?;
        while self.duty.due.due_ms(span) > self.as_of_ms {
            span = self.duty.cycle.span_at(span.start_ms.checked_sub(1)?)?;
        }
        Some(span)
    }

    fn by_period(&self, holding: &mut Holding<'_>, bound: &Bound) {
        let work = self.work(holding.bearing);
        holding.last_ms = work.performances.iter().map(|performance| performance.evidence.time_ms).max();
        let before = |span: Span| self.duty.cycle.span_at(span.start_ms.checked_sub(1)?);
        // Those whose time runs, the present one first; days of grace keep older ones open.
        let mut open = Vec::new();
        let mut span = self.duty.cycle.span_at(self.as_of_ms);
        while let Some(one) = span.filter(|span| self.duty.due.due_ms(*span) > self.as_of_ms) {
            open.push(self.verdict(one, &work, bound));
            span = before(one);
        }
        if let Some(closed) = span.filter(|span| bound.first_ms() < span.end_ms) {
            let last = self.verdict(closed, &work, bound);
            let mut behind = Some(closed).filter(|_| last.state == State::Overdue);
            while let Some(missed) = behind.filter(|_| (holding.missed as usize) < DUTY_PERIODS_BACK_MAX) {
                holding.missed += 1;
                let earlier = before(missed).filter(|span| bound.first_ms() < span.end_ms);
                behind = earlier.filter(|span| self.verdict(*span, &work, bound).state == State::Overdue);
            }
            holding.ended = Some(last);
        }
        // The oldest that waits comes first; when none does, the present one is shown.
        let waiting = open.iter().rposition(|verdict| verdict.state == State::Due);
        let shown = waiting.or((!open.is_empty()).then_some(0));
        holding.next_due_ms = match (waiting, open.first()) {
            (Some(index), _) => Some(open[index].due_ms),
            // A period that is exempt is followed by one that is owed, unless the member is gone.
            (None, present) => self.following_due_ms(present.map(|verdict| verdict.span), bound),
        };
        holding.running = shown.map(|index| open.swap_remove(index));
    }

    /// When the period behind the present one is due, if it will be owed as things stand.
    fn following_due_ms(&self, present: Option<Span>, bound: &Bound) -> Option<u64> {
        let present = present.or_else(|| self.duty.cycle.span_at(self.as_of_ms))?;
        let next = self.duty.cycle.span_at(present.end_ms)?;
        bound.exemption(next).is_none().then(|| self.duty.due.due_ms(next))
    }

    /// Everything that was done for the duty until the time of the question.
    fn work(&self, bearing: Bearing) -> Work {
        let author = match bearing {
            Bearing::Member(member) if !self.duty.is_joint => Some(member),
            _ => None,
        };
        Work::of(self.ledger.done(self.index, author), self.as_of_ms)
    }

    /// How a period was performed.
    fn verdict(&self, span: Span, work: &Work, bound: &Bound) -> Verdict {
        if let Some(exemption) = bound.exemption(span) {
            return self.without_verdict(span, State::Exempt, Some(exempt(exemption)));
        }
        let mut verdict = self.without_verdict(span, State::Due, None);
        let tally = Tally::of(span, verdict.due_ms, work);
        (verdict.counted, verdict.no_change, verdict.late) =
            (tally.changed.len() as u64, tally.unchanged.len() as u64, tally.late.len() as u64);
        let sums = |late: bool| {
            let in_time = tally.changed.values().flatten();
            let late = tally.late.values().flatten().filter(|_| late);
            in_time.chain(late).fold(Decimal::ZERO, |sum, amount| sum.saturating_add(*amount))
        };
        let enough = |count: u64, late: bool| {
            let wanted = self.duty.sum.as_ref().map(|sum| Decimal::from(sum.at_least));
            count >= self.duty.needed() && wanted.is_none_or(|wanted| sums(late) >= wanted)
        };
        verdict.sum = self.duty.sum.is_some().then(|| sums(false));
        // Where several are owed, to say that nothing changed is none of them.
        let single = self.duty.needed() == 1 && self.duty.sum.is_none();
        let done_later = work.plain_from(verdict.due_ms).filter(|_| single);
        verdict.state = if enough(verdict.counted, false) {
            State::Met
        } else if single && verdict.no_change > 0 {
            State::MetNoChange
        } else if self.as_of_ms < verdict.due_ms {
            State::Due
        } else if enough(verdict.counted + verdict.late, true) || done_later.is_some() {
            State::Late
        } else if work.is_unreadable_from(span.start_ms) {
            verdict.why = Some(unreadable());
            State::NotComputable
        } else if self.duty.silence_is_unknown {
            verdict.why = Some(Why::new(
                "无法判断：记录里没有，不等于没有做：这是县内单位的义务，本网不要求上报",
                "cannot tell: it is not on record, which does not mean that it was not done: a body inside a county owes it, and need \
                 not report it here",
            ));
            State::NotComputable
        } else {
            State::Overdue
        };
        verdict.evidence = tally.evidence;
        if verdict.evidence.is_empty() && verdict.state == State::Late {
            verdict.evidence.extend(done_later);
        }
        verdict
    }

    /// From the last performance on.
    fn rolling(&self, holding: &mut Holding<'_>, bound: &Bound) {
        let work = self.work(holding.bearing);
        let begun = |performance: &&Performance| performance.start_ms() <= self.as_of_ms;
        let last = work.performances.iter().filter(begun).max_by_key(|performance| performance.start_ms());
        let start_ms = last.map_or(bound.first_ms(), Performance::start_ms);
        let end_ms = self.duty.cycle.months().and_then(|months| months_after(start_ms, months)).unwrap_or(u64::MAX);
        let mut verdict = self.without_verdict(Span { start_ms, end_ms }, State::Due, None);
        verdict.counted = u64::from(last.is_some());
        verdict.evidence.extend(last.map(|performance| performance.evidence));
        holding.last_ms = last.map(|performance| performance.evidence.time_ms);
        self.settle(holding, verdict, last.is_some());
        if let Some(ended) = holding.ended.as_mut().filter(|_| work.is_unreadable_from(start_ms)) {
            (ended.state, ended.why) = (State::NotComputable, Some(unreadable()));
            holding.missed = 0;
        }
    }

    /// By the terms of seats in the charter as it stood.
    fn by_seats(&self, holding: &mut Holding<'_>, role: Role) {
        let happened = |version: u32| block_ms(self.charter, version).filter(|time_ms| *time_ms <= self.as_of_ms);
        let granted = |seat: &&Seat| seat.grant.role == role && happened(seat.granted).is_some();
        let ended_ms = |seat: &Seat| {
            let taken = seat.ended.as_ref().and_then(|(version, _)| happened(*version));
            let term = (seat.grant.until_ms != 0).then_some(seat.grant.until_ms);
            taken.into_iter().chain(term).min().unwrap_or(u64::MAX)
        };
        // The mandate that lasts longest, and of equal ones the one granted last.
        let mandate = self.charter.seats().iter().filter(granted).max_by_key(|seat| (ended_ms(seat), seat.number));
        let Some(seat) = mandate else {
            let span = Span { start_ms: self.founded_ms(), end_ms: self.as_of_ms.max(self.founded_ms()) };
            let why = Why::new("章程里还没有理事席位", "the charter has granted no seat of the council yet");
            holding.running = Some(self.without_verdict(span, State::NotComputable, Some(why)));
            return;
        };
        holding.last_ms = happened(seat.granted);
        let start_ms = seat.grant.from_ms.max(self.founded_ms());
        let verdict = self.without_verdict(Span { start_ms, end_ms: ended_ms(seat) }, State::Due, None);
        self.settle(holding, verdict, true);
    }

    /// A period that runs from a performance on: met while it runs, overdue when it is over.
    fn settle(&self, holding: &mut Holding<'_>, mut verdict: Verdict, is_performed: bool) {
        holding.next_due_ms = (verdict.span.end_ms != u64::MAX).then_some(verdict.due_ms);
        if self.as_of_ms >= verdict.due_ms {
            verdict.state = State::Overdue;
            holding.missed = 1;
            holding.ended = Some(verdict);
        } else {
            verdict.state = if is_performed { State::Met } else { State::Due };
            holding.running = Some(verdict);
        }
    }
}

/// What is not known may have performed it.
fn unreadable() -> Why {
    Why::new(
        "无法判断：有记录是按本程序不认识的类别集发布的，请升级",
        "cannot tell: records were stated under kinds that this build does not know; update",
    )
}

fn exempt(exemption: Exemption) -> Why {
    let (zh, en) = exemption.words();
    Why::new(zh, en)
}
