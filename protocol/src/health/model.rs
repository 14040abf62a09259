//! The model: takes events, keeps what matters of each member, and says how everybody is.

use std::collections::{BTreeMap, BTreeSet};

use super::clock::Shift;
use super::thresholds::{
    CATCH_UP_PART, LIARS_ONE_IN, NEVER_JOINED_MS, REFERENCE_MEMBERS, SILENT_CRITICAL_MS, STARTS_KEPT, Thresholds,
};
use super::watched::{Mark, Surroundings, Watched, lack};
use super::{Ailment, Assessment, Enrolled, Finding, Own, Picture, Remembered, Report, Severity, Source, State};
use crate::beacon::Version;
use crate::identity::MemberNumber;

/// What this node lacked at a time, and whether it got too little of that in the interval before.
#[derive(Debug, Clone, Copy)]
struct Pursuit {
    at_ms: u64,
    entries: u64,
    lacked: u64,
    lags: bool,
}

/// How the federation's nodes are. See the module's documentation.
#[derive(Debug, Clone)]
pub struct Model {
    thresholds: Thresholds,
    now_ms: u64,
    /// From the clock of the model to the machine's.
    shift: Shift,
    own: Own,
    pursuit: Option<Pursuit>,
    members: BTreeMap<MemberNumber, Watched>,
    /// When any member was last heard.
    heard_ms: Option<u64>,
    /// Since when this node has no connections.
    alone_since_ms: Option<u64>,
    cut_off_since_ms: Option<u64>,
    /// Since when a node that was cut off has connections again.
    company_since_ms: Option<u64>,
    /// Since when the silence of others can be their own.
    hearing_since_ms: u64,
    shown: Vec<Shown>,
}

/// What was shown of a member: whether it changed is what others are told.
type Shown = (MemberNumber, State, Source, Vec<(Ailment, Severity)>);

impl Model {
    /// A model of a node that has just started and remembers these members from before.
    pub fn new(thresholds: Thresholds, started_ms: u64, remembered: &[Remembered]) -> Self {
        let watched = |seen: &Remembered| Watched { before: Some(*seen), ..Watched::default() };
        Self {
            thresholds,
            now_ms: started_ms,
            shift: Shift::default(),
            own: Own::default(),
            pursuit: None,
            members: remembered.iter().map(|seen| (seen.member, watched(seen))).collect(),
            heard_ms: None,
            alone_since_ms: None,
            cut_off_since_ms: None,
            company_since_ms: None,
            hearing_since_ms: started_ms,
            shown: Vec::new(),
        }
    }

    /// How the machine's clock differs from that of the model. People and programs are shown times of the machine's
    /// clock, so that what is shown follows a clock that was set.
    pub fn wall(&mut self, shift: Shift) {
        self.shift = shift;
    }

    /// The active members. Whoever is not among them is forgotten.
    pub fn roster(&mut self, enrolled: &[Enrolled]) {
        let numbers: BTreeSet<MemberNumber> = enrolled.iter().map(|enrolled| enrolled.member).collect();
        self.members.retain(|member, _| numbers.contains(member));
        for member in enrolled {
            self.members.entry(member.member).or_default().enrolled = Some(*member);
        }
    }

    /// How this node is.
    pub fn own(&mut self, own: Own) {
        self.own = own;
    }

    /// With whom this node is connected now.
    pub fn linked(&mut self, members: &BTreeSet<MemberNumber>, now_ms: u64) {
        let now_ms = self.advance(now_ms);
        for (member, watched) in &mut self.members {
            match (members.contains(member), watched.linked_since_ms) {
                (true, None) => watched.linked_since_ms = Some(now_ms),
                (false, Some(_)) => {
                    if watched.up_since_ms.is_some() {
                        watched.proved_ms = Some(now_ms);
                    }
                    watched.linked_since_ms = None;
                }
                _ => {}
            }
        }
    }

    /// A member's beacon came. A member that is not on the roster is passed over.
    pub fn heard(&mut self, member: MemberNumber, report: Report) {
        let now_ms = self.advance(report.at_ms);
        let (entries, charter_version) = (self.own.entries, self.own.charter_version);
        let Some(watched) = self.members.get_mut(&member) else { return };
        self.heard_ms = Some(now_ms);
        watched.hear(now_ms);
        if watched.starts.back().is_none_or(|(boot_ms, _)| *boot_ms != report.boot_ms) {
            watched.starts.push_back((report.boot_ms, now_ms));
            if watched.starts.len() > STARTS_KEPT {
                watched.starts.pop_front();
            }
        }
        watched.lack = watched.mark.and_then(|mark| lack(&report, mark, watched.lack.as_ref()));
        watched.mark = Some(Mark { at_ms: now_ms, entries, charter_version });
        watched.report = Some(report);
    }

    /// How far the clocks of members are ahead of the middle, as this node measured. That outranks what they say.
    pub fn clocks(&mut self, offsets_ms: &BTreeMap<MemberNumber, i64>) {
        for (member, watched) in &mut self.members {
            watched.clock_ms = offsets_ms.get(member).copied();
        }
    }

    /// A member sent more than the charter allows.
    pub fn throttled(&mut self, member: MemberNumber, now_ms: u64) {
        let now_ms = self.advance(now_ms);
        if let Some(watched) = self.members.get_mut(&member) {
            watched.throttled_ms = Some(now_ms);
        }
    }

    /// Lets time pass. Says whether a state, what it is known by, or a finding changed.
    pub fn tick(&mut self, now_ms: u64) -> bool {
        let now_ms = self.advance(now_ms);
        self.own.condition.missing_entries = self.missing_entries();
        self.judge_own(now_ms);
        let lags = self.lags(now_ms);
        let reference = self.reference();
        let (thresholds, judges) = (self.thresholds, self.judges(now_ms));
        let cut_off_since_ms = self.cut_off_since_ms;
        for (member, watched) in &mut self.members {
            let own = (self.own.member == Some(*member)).then_some(&self.own);
            watched.judge(&thresholds, own.is_some(), judges, now_ms);
            let surroundings = Surroundings {
                reference,
                cut_off_since_ms: cut_off_since_ms.filter(|_| own.is_some()),
                lags: lags && own.is_some(),
            };
            watched.find(&thresholds, own, &surroundings, now_ms);
        }
        let shown: Vec<_> = self.members.keys().map(|member| self.key(*member)).collect();
        let changed = shown != self.shown;
        self.shown = shown;
        changed
    }

    /// Everything, as of the last tick, in times of the machine's clock.
    pub fn picture(&self) -> Picture {
        let settled_ms = self.hearing_since_ms.saturating_add(self.thresholds.settles_ms());
        let waits = self.cut_off_since_ms.is_none() && self.now_ms < settled_ms;
        let wall = |time_ms: u64| self.shift.wall_ms(time_ms);
        let assessed = self.members.keys().filter_map(|member| self.assessment(*member));
        let members: Vec<Assessment> = assessed.map(|assessed| assessed.in_times(wall)).collect();
        let unknown = members.iter().any(|member| member.state == State::Unknown);
        let mut own = self.own.clone();
        own.condition.missing_entries = self.missing_entries();
        own.condition.peers = u16::try_from(self.links()).unwrap_or(u16::MAX);
        Picture {
            as_of_ms: wall(self.now_ms),
            cut_off_since_ms: self.cut_off_since_ms.map(wall),
            settling_until_ms: (waits && unknown).then(|| wall(settled_ms)),
            heard_ms: self.heard_ms.map(wall),
            links: self.links(),
            reference: self.reference(),
            own,
            members,
        }
    }

    /// What must survive a restart, in times of the machine's clock.
    pub fn remembered(&self) -> Vec<Remembered> {
        let seen = self.members.iter().filter(|(member, _)| self.own.member != Some(**member));
        let wall = |time_ms: u64| self.shift.wall_ms(time_ms);
        let seen = seen.filter_map(|(member, watched)| {
            let (before, joined_ms) = (watched.before, watched.joined_ms.map(wall));
            let joined_ms = before.map(|before| before.joined_ms).or(joined_ms)?;
            let heard_ms = watched.heard_ms.map(wall).or(before.map(|before| before.heard_ms))?;
            Some(Remembered { member: *member, joined_ms, heard_ms })
        });
        seen.collect()
    }

    /// Since when this node has been hearing others, after its start or after it was cut off, by the clock of the model.
    pub fn hearing_since_ms(&self) -> u64 {
        self.hearing_since_ms
    }

    /// Entries that this node lacks, as far as it knows: what waits here for others before it, and what others hold
    /// beyond this node. The former may be entries that their author never shows anybody, so that alone is no lag.
    pub fn missing_entries(&self) -> u32 {
        u32::try_from(self.beyond()).unwrap_or(u32::MAX).max(self.own.staged)
    }

    /// Entries that others hold beyond this node: as many as more than a third of those who were heard claim to hold,
    /// and at least two of them (one, if only one was heard). Whoever is behind is so in the eyes of most; a few that
    /// boast, or count entries which they show to nobody, are not believed.
    fn beyond(&self) -> u64 {
        let fresh = |report: &&Report| {
            self.now_ms.saturating_sub(report.at_ms) <= self.thresholds.beacon_holds_ms(report.interval_seconds)
        };
        let reports = self.members.values().filter_map(|watched| watched.report.as_ref()).filter(fresh);
        // Those who agree count as well: among them a few that claim more stand alone.
        let mut claims: Vec<u64> = reports.map(|report| report.entries).collect();
        claims.sort_unstable_by(|one, other| other.cmp(one));
        let disbelieved = (claims.len().saturating_sub(1) / LIARS_ONE_IN).max(1);
        let claimed = claims.get(disbelieved).or_else(|| claims.last()).copied().unwrap_or_default();
        claimed.saturating_sub(self.own.entries)
    }

    /// Members that this node is connected with.
    pub fn links(&self) -> usize {
        self.members.values().filter(|watched| watched.linked_since_ms.is_some()).count()
    }

    fn advance(&mut self, now_ms: u64) -> u64 {
        self.now_ms = self.now_ms.max(now_ms);
        self.now_ms
    }

    /// Whether this node is cut off: no connection for longer than the grace, and no beacon within it.
    fn judge_own(&mut self, now_ms: u64) {
        let others = self.members.keys().any(|member| Some(*member) != self.own.member);
        let lately = |at_ms: u64| now_ms.saturating_sub(at_ms) < self.thresholds.grace_ms;
        if others && self.links() == 0 {
            self.company_since_ms = None;
            let since_ms = *self.alone_since_ms.get_or_insert(now_ms);
            if !lately(since_ms) && !self.heard_ms.is_some_and(lately) {
                self.cut_off_since_ms.get_or_insert(since_ms);
            }
            return;
        }
        if self.cut_off_since_ms.is_none() {
            self.alone_since_ms = None;
            return;
        }
        let since_ms = *self.company_since_ms.get_or_insert(now_ms);
        if !others || now_ms.saturating_sub(since_ms) >= self.thresholds.return_ms {
            (self.cut_off_since_ms, self.alone_since_ms, self.company_since_ms) = (None, None, None);
            self.hearing_since_ms = now_ms;
        }
    }

    /// Whether this node is behind: it lacks something, and got less than its part of that within an interval. Who
    /// catches up, or has just heard of a large import, is not behind, however much is on its way.
    fn lags(&mut self, now_ms: u64) -> bool {
        let (missing, entries) = (self.beyond(), self.own.entries);
        if missing == 0 {
            self.pursuit = None;
            return false;
        }
        let begun = Pursuit { at_ms: now_ms, entries, lacked: missing, lags: false };
        let pursuit = self.pursuit.get_or_insert(begun);
        if now_ms.saturating_sub(pursuit.at_ms) >= self.thresholds.interval_ms {
            let gained = entries.saturating_sub(pursuit.entries);
            let lags = gained.saturating_mul(CATCH_UP_PART) < pursuit.lacked;
            *pursuit = Pursuit { lags, ..begun };
        }
        pursuit.lags
    }

    /// Whether the silence of others is theirs.
    fn judges(&self, now_ms: u64) -> bool {
        let listened_ms = now_ms.saturating_sub(self.hearing_since_ms);
        self.cut_off_since_ms.is_none() && listened_ms >= self.thresholds.settles_ms()
    }

    /// The highest version such that enough members run it or a higher one.
    fn reference(&self) -> Option<Version> {
        let others = self
            .members
            .iter()
            .filter(|(member, watched)| Some(**member) != self.own.member && watched.up_since_ms.is_some());
        let reported = others.filter_map(|(_, watched)| watched.report.as_ref());
        let mut versions: Vec<Version> = reported.map(|report| report.condition.version).collect();
        versions.extend(self.own.member.map(|_| self.own.condition.version));
        versions.sort_unstable();
        versions.iter().rev().nth(REFERENCE_MEMBERS - 1).copied()
    }

    fn key(&self, member: MemberNumber) -> (MemberNumber, State, Source, Vec<(Ailment, Severity)>) {
        let Some(assessed) = self.assessment(member) else {
            return (member, State::Unknown, Source::None, Vec::new());
        };
        let findings = assessed.findings.iter().map(|finding| (finding.ailment, finding.severity)).collect();
        (member, assessed.state, assessed.source, findings)
    }

    fn assessment(&self, member: MemberNumber) -> Option<Assessment> {
        let watched = self.members.get(&member)?;
        let own = self.own.member == Some(member);
        let (state, since_ms, source) = self.state(watched, own);
        let heard_ms = if own { Some(self.now_ms) } else { self.heard_of(watched) };
        let reported_ms = watched.report.as_ref().map(|report| report.at_ms);
        let as_of_ms = match source {
            Source::Own | Source::Direct => self.now_ms,
            Source::Beacon | Source::None => reported_ms.or(heard_ms).unwrap_or(since_ms),
        };
        let stale_since_ms = matches!(state, State::Silent | State::Unknown).then(|| heard_ms.unwrap_or(since_ms));
        let mut findings = state_finding(state, since_ms, heard_ms, self.now_ms).into_iter().collect::<Vec<Finding>>();
        findings.extend(watched.findings.shown());
        findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.ailment));
        Some(Assessment {
            member,
            state,
            since_ms,
            source,
            as_of_ms,
            heard_ms,
            joined_ms: self.joined(watched),
            stale_since_ms,
            linked: watched.linked_since_ms.is_some(),
            findings,
            report: watched.report.clone(),
        })
    }

    /// When a member was last heard, before this node's start, too.
    fn heard_of(&self, watched: &Watched) -> Option<u64> {
        let before = watched.before.map(|before| self.shift.steady_ms(before.heard_ms).min(self.now_ms));
        watched.heard_ms.or(before)
    }

    fn joined(&self, watched: &Watched) -> Option<u64> {
        let before = watched.before.map(|before| self.shift.steady_ms(before.joined_ms).min(self.now_ms));
        before.or(watched.joined_ms)
    }

    fn state(&self, watched: &Watched, own: bool) -> (State, u64, Source) {
        if own {
            return (State::Up, watched.up_since_ms.unwrap_or(self.now_ms), Source::Own);
        }
        if let Some(since_ms) = self.cut_off_since_ms {
            return (State::Unknown, since_ms, Source::None);
        }
        if watched.is_alive(&self.thresholds, self.now_ms)
            && let Some(since_ms) = watched.up_since_ms
        {
            let direct = watched.is_direct(&self.thresholds, self.now_ms);
            return (State::Up, since_ms, if direct { Source::Direct } else { Source::Beacon });
        }
        if !self.judges(self.now_ms) {
            return (State::Unknown, self.hearing_since_ms, Source::None);
        }
        let wrote = watched.enrolled.is_some_and(|enrolled| enrolled.wrote);
        match (self.joined(watched), wrote) {
            (None, false) => {
                let admitted_ms = watched.enrolled.map_or(self.hearing_since_ms, |enrolled| {
                    // The charter speaks of the time of people.
                    self.shift.steady_ms(enrolled.admitted_ms)
                });
                (State::NeverJoined, admitted_ms, Source::None)
            }
            _ => (State::Silent, self.heard_of(watched).unwrap_or(self.hearing_since_ms), Source::None),
        }
    }
}

/// What a state is by itself. States have their own hysteresis.
fn state_finding(state: State, since_ms: u64, heard_ms: Option<u64>, now_ms: u64) -> Option<Finding> {
    let for_ms = now_ms.saturating_sub(since_ms);
    let (ailment, severity) = match state {
        State::Silent if for_ms >= SILENT_CRITICAL_MS => (Ailment::Silent, Severity::Critical),
        State::Silent => (Ailment::Silent, Severity::Warning),
        State::NeverJoined if for_ms >= NEVER_JOINED_MS => (Ailment::NeverJoined, Severity::Warning),
        _ => return None,
    };
    let heard = heard_ms.map(|heard_ms| now_ms.saturating_sub(heard_ms) / 1_000);
    let figures = heard.map(|seconds| ("seconds", i64::try_from(seconds).unwrap_or(i64::MAX)));
    Some(Finding { ailment, severity, since_ms, figures: figures.into_iter().collect() })
}

impl Assessment {
    /// The same in times of another clock. What the sender of a beacon said stays as it is.
    fn in_times(mut self, other: impl Fn(u64) -> u64) -> Self {
        let maybe = |time_ms: Option<u64>| time_ms.map(&other);
        (self.since_ms, self.as_of_ms) = (other(self.since_ms), other(self.as_of_ms));
        (self.heard_ms, self.joined_ms) = (maybe(self.heard_ms), maybe(self.joined_ms));
        self.stale_since_ms = maybe(self.stale_since_ms);
        self.findings.iter_mut().for_each(|finding| finding.since_ms = other(finding.since_ms));
        self.report.iter_mut().for_each(|report| report.at_ms = other(report.at_ms));
        self
    }
}
