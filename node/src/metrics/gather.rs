//! The figures as they are now.

use std::collections::BTreeMap;
use std::fs;

use protocol::charter::Standing;

use super::table::*;
use super::{Sample, Sources};
use crate::alarms;
use crate::api::types::Severity;
use crate::core::Core;
use crate::derive::IndexState;
use crate::directory::bytes_in;
use crate::doctor::{catalogue, ready};
use crate::network::PeerInfo;

/// Counters of the heart that have a metric of their own.
const OWN_METRIC: [(&str, &str); 3] =
    [("sync-sessions", "done"), ("sync-failures", "failed"), ("sync-offences", "offence")];
/// Every state of the index.
const INDEX_STATES: [IndexState; 5] =
    [IndexState::Opening, IndexState::Building, IndexState::Renewing, IndexState::Following, IndexState::Failed];

/// A list of samples in the making.
#[derive(Debug, Default)]
struct Samples(Vec<Sample>);

impl Samples {
    fn add(&mut self, metric: &'static Metric, labels: &[&str], value: f64) {
        debug_assert_eq!(metric.labels.len(), labels.len(), "{}", metric.name);
        self.0.push(Sample { metric, labels: labels.iter().map(|label| (*label).to_owned()).collect(), value });
    }

    /// Counts are shown as the format wants them, which is exact up to 2^53.
    fn count(&mut self, metric: &'static Metric, labels: &[&str], value: u64) {
        self.add(metric, labels, value as f64);
    }

    fn seconds(&mut self, metric: &'static Metric, ms: u64) {
        self.add(metric, &[], ms as f64 / 1_000.0);
    }
}

/// Everything but the requests, which count themselves. Blocks.
pub(super) fn all(sources: &Sources, peers: &[PeerInfo]) -> Vec<Sample> {
    let mut samples = Samples::default();
    node(&mut samples, sources);
    federation(&mut samples, &sources.core);
    network(&mut samples, sources, peers);
    storage(&mut samples, sources);
    operations(&mut samples, sources);
    process(&mut samples);
    samples.0
}

fn node(samples: &mut Samples, sources: &Sources) {
    let core = &sources.core;
    samples.count(&BUILD_INFO, &[env!("CARGO_PKG_VERSION")], 1);
    samples.seconds(&START_TIME, sources.started_ms);
    samples.count(&READY, &[], ready::readiness(core, &sources.derived).is_ok().into());
    samples.count(&SIGNING_READY, &[], core.publishing_obstacle().is_none().into());
    for (state, count) in sources.members.iter().flat_map(|count| count()) {
        samples.count(&MEMBERS, &[state], count);
    }
    if let Some(offset_ms) = sources.doctor.clock_offset_ms() {
        samples.add(&CLOCK_OFFSET, &[], offset_ms as f64 / 1_000.0);
    }
    if let Some(room) = sources.doctor.room() {
        samples.count(&DISK_FREE, &[], room.free_bytes);
        samples.count(&DISK_SIZE, &[], room.total_bytes);
    }
}

fn federation(samples: &mut Samples, core: &Core) {
    core.read(|state| {
        let replica = &state.replica;
        let charter = replica.charter();
        let active = charter.members().values().filter(|member| member.standing == Standing::Active);
        samples.count(&MEMBERS_ACTIVE, &[], active.count() as u64);
        samples.count(&CHARTER_VERSION, &[], charter.version().into());
        samples.seconds(&CHARTER_EXPIRES, charter.tip_block().expires_ms);
        let entries = charter.logs().iter().map(|log| replica.effective_length(log.number)).sum();
        samples.count(&ENTRIES, &[], entries);
        samples.count(&RECORDS, &[], state.view().len() as u64);
        let (mut open, mut sealed, mut forked) = (0, 0, 0);
        for log in charter.logs() {
            match (log.seal.is_some(), replica.fork_of(&log.key).is_some()) {
                (true, _) => sealed += 1,
                (false, true) => forked += 1,
                (false, false) => open += 1,
            }
        }
        samples.count(&LOGS, &["open"], open);
        samples.count(&LOGS, &["sealed"], sealed);
        samples.count(&LOGS, &["forked"], forked);
        samples.count(&COMPLETE, &[], replica.is_complete().into());
    });
    let counters = core.counters().all();
    for (name, outcome) in OWN_METRIC {
        samples.count(&SYNC_SESSIONS, &[outcome], counters.get(name).copied().unwrap_or_default());
    }
    for (name, count) in counters.iter().filter(|(name, _)| OWN_METRIC.iter().all(|(own, _)| own != name)) {
        samples.count(&EVENTS, &[name], *count);
    }
}

fn network(samples: &mut Samples, sources: &Sources, peers: &[PeerInfo]) {
    for (kind, member) in [("member", true), ("stranger", false)] {
        for (direction, outbound) in [("inbound", false), ("outbound", true)] {
            let count = peers.iter().filter(|peer| peer.member == member && peer.outbound == outbound).count();
            samples.count(&PEERS, &[kind, direction], count as u64);
        }
    }
    let statistics = sources.network.statistics();
    samples.count(&GOSSIP_MESSAGES, &["received"], statistics.gossip_received);
    samples.count(&GOSSIP_MESSAGES, &["published"], statistics.gossip_published);
    samples.count(&GOSSIP_BYTES, &["received"], statistics.gossip_bytes_received);
    samples.count(&GOSSIP_BYTES, &["published"], statistics.gossip_bytes_published);
    samples.count(&GOSSIP_VERDICTS, &["accepted"], statistics.accepted);
    samples.count(&GOSSIP_VERDICTS, &["ignored"], statistics.ignored);
    samples.count(&GOSSIP_VERDICTS, &["rejected"], statistics.rejected);
    samples.count(&GOSSIP_VERDICTS, &["late"], statistics.late_verdicts);
    samples.count(&GOSSIP_VERDICTS, &["shed"], statistics.gossip_shed);
    samples.count(&SLOW_PEER_DROPS, &[], statistics.slow_peer_drops);
    samples.count(&CONNECTIONS_REFUSED, &["strangers"], statistics.strangers_refused);
    samples.count(&CONNECTIONS_REFUSED, &["overdue"], statistics.strangers_overdue);
    samples.count(&CONNECTIONS_REFUSED, &["bounds"], statistics.connections_refused);
    samples.count(&DIALS_FAILED, &[], statistics.dials_failed);
    samples.count(&STREAMS, &["inbound"], statistics.streams_in);
    samples.count(&STREAMS, &["outbound"], statistics.streams_out);
    samples.count(&STREAMS_REFUSED, &[], statistics.streams_refused);
    samples.count(&STREAM_BYTES, &["inbound"], statistics.stream_bytes_in);
    samples.count(&STREAM_BYTES, &["outbound"], statistics.stream_bytes_out);
}

fn storage(samples: &mut Samples, sources: &Sources) {
    let store = sources.core.store();
    let statistics = store.statistics();
    samples.count(&STORE_UP, &[], store.stopped().is_none().into());
    samples.count(&STORE_BYTES, &["store"], statistics.store_bytes);
    samples.count(&STORE_BYTES, &["journal"], statistics.journal_bytes);
    samples.count(&STORE_BYTES, &["index"], bytes_in(&sources.doctor.search_path()));
    samples.count(&STORE_COMMITS, &[], statistics.commits);
    samples.count(&STORE_FSYNCS, &[], statistics.fsyncs);
    let lag = sources.derived.lag(&sources.core);
    for state in INDEX_STATES {
        samples.count(&INDEX_STATE, &[state.name()], (lag.state == state).into());
    }
    samples.count(&INDEX_LAG_RECORDS, &[], lag.records);
    samples.seconds(&INDEX_LAG_SECONDS, lag.ms);
}

fn operations(samples: &mut Samples, sources: &Sources) {
    let view = alarms::view(&sources.alarms);
    for severity in [Severity::Warning, Severity::Critical] {
        let count = view.alarms.iter().filter(|alarm| alarm.severity == severity).count();
        samples.count(&ALARMS, &[severity.name()], count as u64);
    }
    // A check without a finding is shown, too: a rule over a series that comes and goes misses its beginning.
    let mut found: BTreeMap<(&str, Severity), u64> =
        catalogue::ALL.iter().map(|check| ((check.id, check.severity), 0)).collect();
    for alarm in &view.alarms {
        *found.entry((&alarm.id, alarm.severity)).or_default() += 1;
    }
    for ((id, severity), count) in found {
        samples.count(&FINDINGS, &[id, severity.name()], count);
    }
    let (mut delivered, mut given_up, mut waiting) = (0, 0, 0);
    for webhook in &view.webhooks {
        delivered += webhook.delivered;
        given_up += webhook.given_up;
        waiting += webhook.waiting as u64;
    }
    samples.count(&WEBHOOK_MESSAGES, &["delivered"], delivered);
    samples.count(&WEBHOOK_MESSAGES, &["given_up"], given_up);
    samples.count(&WEBHOOK_WAITING, &[], waiting);
    samples.count(&ACCESS_LINES, &[], sources.access_log.length());
    samples.count(&ACCESS_UP, &[], sources.access_log.fault().is_none().into());
    let throttled = view.alarms.iter().filter(|alarm| alarm.id == catalogue::PEER_THROTTLED.id);
    samples.count(&THROTTLED_PEERS, &[], throttled.count() as u64);
}

/// Where the system does not tell, nothing is said.
fn process(samples: &mut Samples) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
    if let Some(kib) = resident {
        samples.count(&MEMORY, &[], u64::saturating_mul(kib, 1_024));
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        samples.count(&OPEN_FILES, &[], files.count() as u64);
    }
}
