//! Who holds which log: counted every few seconds from what beacons and sessions told.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::beacon::telling::rounds;
use protocol::charter::{Charter, Standing};
use protocol::custody::{Custody, HOLDER_STALE_MS, Holder, Holdings, Rule, survey};
use protocol::health::{Picture, Severity};
use protocol::identity::MemberNumber;

use super::words::{Text, custody_words};
use super::{Counted, Health};
use crate::api::types::{CustodyView, HeldStep, LogCustody, MemberName};
use crate::beacons::heads_max;

impl Health {
    /// Counts anew. Says whether a log became short or is well again.
    pub(super) fn count(&self) -> bool {
        let picture = self.picture();
        let now_ms = self.steady_ms();
        let (holders, members) = self.0.core.read(|state| {
            let charter = state.replica.charter();
            (holders(charter, &picture), charter.members().len())
        });
        let lengths: Vec<_> = self.0.core.read(|state| {
            let logs = state.replica.charter().logs().iter();
            let lengths = logs.map(|grant| (grant.number, state.replica.effective_length(grant.number)));
            lengths.filter(|(_, length)| *length > 0).collect()
        });
        self.0.core.retain_holdings(|member| holders.iter().any(|holder| holder.member == member));
        let mut watch = self.0.watch.lock();
        let logs = watch.observe(&lengths, now_ms);
        let own = picture.own.member;
        let rounds = rounds(lengths.len(), heads_max(members));
        let count = |holdings: &Holdings| survey(&logs, &holders, holdings, own, self.0.rule, rounds);
        let found = self.0.core.holdings(count);
        let suspended = picture.cut_off_since_ms.is_some() || now_ms < self.settled_ms();
        let changed = watch.judge(&found, suspended, now_ms);
        *self.0.counted.lock() = Counted { as_of_ms: now_ms, logs: Arc::new(found) };
        changed
    }

    /// From when on this node has heard enough to judge who holds what: two intervals after the first beacon, or after
    /// it was cut off. By the clock that never goes back.
    fn settled_ms(&self) -> u64 {
        let hearing_ms = self.0.model.lock().hearing_since_ms();
        let first_ms = self.0.first_beacon_ms.lock().unwrap_or_default();
        hearing_ms.max(first_ms).saturating_add(self.0.thresholds.settles_ms())
    }
}

/// Active members. Who was not heard for long is not counted.
fn holders(charter: &Charter, picture: &Picture) -> Vec<Holder> {
    let heard: BTreeMap<MemberNumber, u64> =
        picture.members.iter().filter_map(|member| Some((member.member, member.heard_ms?))).collect();
    let active = charter.members().values().filter(|member| member.standing == Standing::Active);
    let holders = active.map(|member| {
        let heard_ms = heard.get(&member.number);
        let counts = heard_ms.is_some_and(|heard_ms| picture.as_of_ms.saturating_sub(*heard_ms) < HOLDER_STALE_MS);
        Holder::new(member.number, &member.region, counts)
    });
    holders.collect()
}

/// Who holds which log, the one that fewest hold first.
pub fn custody_view(health: &Health) -> CustodyView {
    let picture = health.picture();
    let logs = logs_view(health, None);
    let (settled_ms, shift) = (health.settled_ms(), health.shift());
    let worst = logs.iter().map(|log| log.severity.as_str());
    let severity = match worst.clone().any(|severity| severity == Severity::Critical.name()) {
        true => Severity::Critical,
        false if worst.clone().any(|severity| severity == Severity::Warning.name()) => Severity::Warning,
        false => Severity::Ok,
    };
    let wanted = wanted(health);
    CustodyView {
        as_of_ms: shift.wall_ms(health.0.counted.lock().as_of_ms),
        severity: severity.name().into(),
        replicas_wanted: wanted.replicas,
        provinces_wanted: wanted.provinces,
        short: logs.iter().filter(|log| log.short).count(),
        logs,
        settling_until_ms: (health.steady_ms() < settled_ms).then(|| shift.wall_ms(settled_ms)),
        cut_off_since_ms: picture.cut_off_since_ms,
    }
}

fn wanted(health: &Health) -> Rule {
    let picture = health.picture();
    health.0.rule.within(&health.0.core.read(|state| holders(state.replica.charter(), &picture)))
}

/// The logs of one member, or of all.
pub(super) fn logs_view(health: &Health, of: Option<MemberNumber>) -> Vec<LogCustody> {
    let counted = health.0.counted.lock().clone();
    let (wanted, shift) = (wanted(health), health.shift());
    let since: BTreeMap<u32, u64> = {
        let watch = health.0.watch.lock();
        let short = counted.logs.iter().map(|custody| custody.log.number);
        short.filter_map(|log| Some((log, shift.wall_ms(watch.short_since_ms(log)?)))).collect()
    };
    health.0.core.read(|state| {
        let charter = state.replica.charter();
        let active = charter.members().values().filter(|member| member.standing == Standing::Active).count();
        let views = counted.logs.iter().filter_map(|custody| {
            let grant = charter.logs().get(custody.log.number as usize)?;
            let wanted_member = of.is_none_or(|member| grant.member == member);
            wanted_member.then(|| log_view(charter, custody, since.get(&custody.log.number).copied(), active, wanted))
        });
        views.collect()
    })
}

fn log_view(charter: &Charter, custody: &Custody, since_ms: Option<u64>, active: usize, wanted: Rule) -> LogCustody {
    let name = |number: MemberNumber| MemberName {
        number: number.0,
        name: charter.members().get(&number).map(|member| member.name.clone()).unwrap_or_default(),
    };
    let owner = charter.logs().get(custody.log.number as usize).map(|grant| grant.member).unwrap_or(MemberNumber(0));
    let member = charter.members().get(&owner);
    let severity = match (since_ms, custody.held_by) {
        (None, _) => Severity::Ok,
        (Some(_), 0 | 1) => Severity::Critical,
        (Some(_), _) => Severity::Warning,
    };
    let lacking: Vec<MemberName> = custody.lacking.iter().map(|number| name(*number)).collect();
    let Text { what_zh, what_en, fix_zh, fix_en } = match since_ms {
        Some(_) => custody_words(&name(owner), custody, &lacking, wanted),
        None => Text::default(),
    };
    LogCustody {
        log: custody.log.number,
        member: name(owner),
        class: member.map(|member| member.class.name().to_owned()).unwrap_or_default(),
        region: member.map(|member| member.region.clone()).unwrap_or_default(),
        length: custody.log.length,
        settled_length: custody.log.settled,
        held_by: custody.held_by,
        held_whole_by: custody.held_whole_by,
        provinces: custody.provinces,
        members: active,
        steps: custody.steps.iter().map(|(length, members)| HeldStep { length: *length, members: *members }).collect(),
        missing_from: lacking,
        missing: custody.lacking_count,
        short: since_ms.is_some(),
        short_since_ms: since_ms,
        severity: severity.name().into(),
        what_zh,
        what_en,
        fix_zh,
        fix_en,
    }
}
