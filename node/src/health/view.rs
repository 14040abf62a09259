//! What the model shows, for people and programs.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::charter::{Charter, Standing};
use protocol::health::{Ailment, Assessment, Finding, Picture, Report, Severity, Source, State};
use protocol::identity::MemberNumber;
use protocol::survey::place::division;

use super::ports;
use super::words::{Text, finding_words, own_words, state_words};
use super::{Health, MIB, VERSION, custody};
use crate::api::types::{
    BeaconReport, HealthCounts, HealthFinding, HealthView, MemberHealth, MemberHealthDetail, MemberName, OwnHealth,
};
use crate::metrics::MemberCounts;

/// The federation as this node sees it. Every page, command and metric that counts members counts here.
pub fn view(health: &Health) -> HealthView {
    let picture = health.picture();
    let ports = ports::phrase(&health.0.ports.lock());
    let mut members: Vec<(Severity, MemberHealth)> = health.0.core.read(|state| {
        let charter = state.replica.charter();
        let active = charter.members().values().filter(|member| member.standing == Standing::Active);
        let digests = |member: MemberNumber| health.digest_of(charter, member);
        let found = active.filter_map(|member| {
            let assessed = assessed(&picture, member.number)?;
            let digest = assessed.report.as_ref().and_then(|_| digests(member.number));
            Some((assessed.severity(), member_health(charter, &picture, assessed, digest, &ports)))
        });
        found.collect()
    });
    let counts = count(&picture, members.iter().map(|(severity, _)| *severity));
    members.sort_by_key(|(severity, member)| (std::cmp::Reverse(*severity), rank(&member.state), member.member.number));
    let severity = members.first().map_or(Severity::Ok, |(severity, _)| *severity);
    HealthView {
        as_of_ms: picture.as_of_ms,
        severity: severity.name().into(),
        counts,
        own: own(health, &picture),
        members: members.into_iter().map(|(_, member)| member).collect(),
    }
}

/// Members by state, as the metrics say it.
pub fn member_counts(health: Health) -> MemberCounts {
    Arc::new(move || {
        let counts = view(&health).counts;
        let states = [
            (State::Up, counts.up),
            (State::Silent, counts.silent),
            (State::NeverJoined, counts.never_joined),
            (State::Unknown, counts.unknown),
        ];
        states.into_iter().map(|(state, count)| (state.name(), count as u64)).collect()
    })
}

/// One member: how it is, and who holds its logs. Nothing for a number that is no active member's.
pub fn member_view(health: &Health, member: u32) -> Option<MemberHealthDetail> {
    let (picture, number) = (health.picture(), MemberNumber(member));
    let ports = ports::phrase(&health.0.ports.lock());
    let found = health.0.core.read(|state| {
        let charter = state.replica.charter();
        let active = charter.members().get(&number).is_some_and(|member| member.standing == Standing::Active);
        let assessed = assessed(&picture, number).filter(|_| active)?;
        let digest = health.digest_of(charter, number);
        Some(member_health(charter, &picture, assessed, digest, &ports))
    })?;
    Some(MemberHealthDetail {
        as_of_ms: picture.as_of_ms,
        health: found,
        custody: custody::logs_view(health, Some(number)),
        own: own(health, &picture),
    })
}

/// That this node itself is cut off, if it is: one finding for every interface that says so.
pub fn own_cut_off(health: &Health) -> Option<HealthFinding> {
    let picture = health.picture();
    let assessed = assessed(&picture, picture.own.member?)?;
    let finding = assessed.findings.iter().find(|finding| finding.ailment == Ailment::CutOff)?;
    Some(finding_view(finding, assessed, &picture, &ports::phrase(&health.0.ports.lock())))
}

impl Health {
    /// The digest in the last beacon of a member's newest node.
    fn digest_of(&self, charter: &Charter, member: MemberNumber) -> Option<String> {
        let key = charter.members().get(&member)?.key(protocol::charter::Purpose::Transport)?;
        self.0.core.last_digest(&key).map(|digest| digest.to_string())
    }
}

fn assessed(picture: &Picture, member: MemberNumber) -> Option<&Assessment> {
    let index = picture.members.binary_search_by_key(&member, |assessed| assessed.member).ok()?;
    picture.members.get(index)
}

/// Of equally bad ones the silent come first.
fn rank(state: &str) -> usize {
    let order = [State::Silent, State::Unknown, State::NeverJoined, State::Up];
    order.iter().position(|known| known.name() == state).unwrap_or(order.len())
}

fn count(picture: &Picture, severities: impl Iterator<Item = Severity>) -> HealthCounts {
    let all = |found: &dyn Fn(&Assessment) -> bool| picture.members.iter().filter(|member| found(member)).count();
    let mut counts = HealthCounts {
        members: picture.members.len(),
        up: all(&|member| member.state == State::Up),
        up_direct: all(&|member| member.state == State::Up && member.source != Source::Beacon),
        up_beacon: all(&|member| member.state == State::Up && member.source == Source::Beacon),
        silent: all(&|member| member.state == State::Silent),
        never_joined: all(&|member| member.state == State::NeverJoined),
        unknown: all(&|member| member.state == State::Unknown),
        findings: Ailment::ALL.iter().map(|ailment| (ailment.name().to_owned(), 0)).collect(),
        ..HealthCounts::default()
    };
    for severity in severities {
        counts.warnings += usize::from(severity == Severity::Warning);
        counts.critical += usize::from(severity == Severity::Critical);
    }
    for finding in picture.members.iter().flat_map(|member| &member.findings) {
        *counts.findings.entry(finding.ailment.name().to_owned()).or_default() += 1;
    }
    counts
}

fn own(health: &Health, picture: &Picture) -> OwnHealth {
    let condition = &picture.own.condition;
    let member = health.0.core.read(|state| {
        let members = state.replica.charter().members();
        let member = members.get(&picture.own.member?)?;
        Some(MemberName { number: member.number.0, name: member.name.clone() })
    });
    let (text_zh, text_en) = own_words(picture);
    OwnHealth {
        member,
        cut_off_since_ms: picture.cut_off_since_ms,
        settling_until_ms: picture.settling_until_ms,
        started_ms: health.shift().wall_ms(health.0.started_ms),
        links: picture.links,
        heard_ms: picture.heard_ms,
        version: VERSION.into(),
        reference_version: picture.reference.map(|version| version.to_string()),
        beacon_seconds: health.0.interval.as_secs(),
        entries: picture.own.entries,
        missing_entries: u64::from(condition.missing_entries),
        missing_bodies: u64::from(condition.missing_bodies),
        disk_free_bytes: condition.disk.map(|disk| u64::from(disk.free_mib) * MIB),
        disk_free_permille: condition.disk.map(|disk| disk.free_permille),
        clock_offset_ms: condition.clock_offset_ms.map(i64::from),
        text_zh,
        text_en,
    }
}

fn member_health(
    charter: &Charter,
    picture: &Picture,
    assessed: &Assessment,
    digest: Option<String>,
    ports: &(String, String),
) -> MemberHealth {
    let member = charter.members().get(&assessed.member);
    let region = member.map(|member| member.region.clone()).unwrap_or_default();
    let (state_zh, state_en) = state_words(assessed.state, assessed.source);
    MemberHealth {
        member: MemberName {
            number: assessed.member.0,
            name: member.map(|member| member.name.clone()).unwrap_or_default(),
        },
        class: member.map(|member| member.class.name().to_owned()).unwrap_or_default(),
        class_zh: member.map(|member| member.class.zh().to_owned()).unwrap_or_default(),
        region_name: if region.is_empty() { String::new() } else { division(&region).name },
        region,
        own: picture.own.member == Some(assessed.member),
        state: assessed.state.name().into(),
        state_zh: state_zh.into(),
        state_en: state_en.into(),
        since_ms: assessed.since_ms,
        source: assessed.source.name().into(),
        as_of_ms: assessed.as_of_ms,
        heard_ms: assessed.heard_ms,
        stale_since_ms: assessed.stale_since_ms,
        joined_ms: assessed.joined_ms,
        linked: assessed.linked,
        severity: assessed.severity().name().into(),
        findings: assessed.findings.iter().map(|finding| finding_view(finding, assessed, picture, ports)).collect(),
        report: assessed.report.as_ref().map(|report| report_view(report, digest.unwrap_or_default())),
    }
}

fn finding_view(
    finding: &Finding,
    assessed: &Assessment,
    picture: &Picture,
    ports: &(String, String),
) -> HealthFinding {
    let Text { what_zh, what_en, fix_zh, fix_en } = finding_words(finding, assessed, picture, ports);
    let figures: BTreeMap<String, i64> =
        finding.figures.iter().map(|(name, figure)| ((*name).to_owned(), *figure)).collect();
    HealthFinding {
        id: finding.ailment.name().into(),
        severity: finding.severity.name().into(),
        since_ms: finding.since_ms,
        figures,
        what_zh,
        what_en,
        fix_zh,
        fix_en,
    }
}

fn report_view(report: &Report, digest: String) -> BeaconReport {
    let condition = &report.condition;
    BeaconReport {
        as_of_ms: report.at_ms,
        version: condition.version.to_string(),
        boot_ms: report.boot_ms,
        interval_seconds: report.interval_seconds,
        charter_version: report.charter_version,
        digest,
        agrees: report.agrees,
        entries: report.entries,
        peers: condition.peers,
        missing_entries: condition.missing_entries,
        missing_bodies: condition.missing_bodies,
        disk_free_bytes: condition.disk.map(|disk| u64::from(disk.free_mib) * MIB),
        disk_free_permille: condition.disk.map(|disk| disk.free_permille),
        clock_offset_ms: condition.clock_offset_ms.map(i64::from),
        rejected: condition.rejected,
    }
}
