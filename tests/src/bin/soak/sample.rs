//! What a node uses, sampled.

use std::path::Path;

use harness::machine;

use crate::posts::{Desk, Post};

/// What is looked at, in the order of a sample's figures.
pub const FIGURES: [&str; 9] = [
    "own memory",
    "resident memory",
    "open files",
    "threads",
    "disk",
    "index lag",
    "webhooks waiting",
    "peers",
    "alarms",
];
/// Metrics of the node that are added up over their labels, in the order of the last figures.
const METRICS: [&str; 4] =
    ["xianmeng_index_lag_records", "xianmeng_webhook_waiting", "xianmeng_peers", "xianmeng_alarms"];
/// Counters that are told in the end.
pub const COUNTERS: [&str; 6] = [
    "xianmeng_slow_peer_drops_total",
    "xianmeng_streams_refused_total",
    "xianmeng_connections_refused_total",
    "xianmeng_dials_failed_total",
    "xianmeng_gossip_verdicts_total{verdict=\"shed\"}",
    "xianmeng_sync_sessions_total{outcome=\"failed\"}",
];

/// A node at one moment.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its process: figures of two starts are not held against one another.
    pub process: u32,
    /// Entries that it holds.
    pub entries: f64,
    /// As [`FIGURES`] names them.
    pub figures: [f64; FIGURES.len()],
    /// As [`COUNTERS`] names them, since it started.
    pub counters: [f64; COUNTERS.len()],
}

/// Takes a sample; nothing while the node does not answer.
pub fn take(post: &Post, desk: &Desk, directory: &Path) -> Option<Sample> {
    let metrics = desk.client.get("/metrics");
    // Whoever was stopped meanwhile is not sampled.
    if !metrics.is_ok() || post.desk()?.process != desk.process {
        return None;
    }
    let memory = machine::memory(desk.process);
    let told = METRICS.map(|name| sum(&metrics.text, name));
    let figures = [
        memory.anonymous_bytes as f64,
        memory.resident_bytes as f64,
        machine::open_files(desk.process) as f64,
        machine::threads(desk.process) as f64,
        machine::bytes_on_disk(directory) as f64,
        told[0],
        told[1],
        told[2],
        told[3],
    ];
    let counters = COUNTERS.map(|name| sum(&metrics.text, name));
    Some(Sample { process: desk.process, entries: sum(&metrics.text, "xianmeng_entries"), figures, counters })
}

/// The sum of all samples of a metric, or of the one with these labels.
fn sum(text: &str, name: &str) -> f64 {
    let value = |line: &str| {
        let rest = line.strip_prefix(name)?;
        (rest.starts_with([' ', '{'])).then(|| rest.rsplit_once(' ')?.1.parse::<f64>().ok()).flatten()
    };
    text.lines().filter_map(value).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_added_up_over_their_labels() {
        let text = "# HELP a b\na{k=\"x\"} 1\na{k=\"y\"} 2\nab 4\nb 8.5\n";
        assert_eq!((sum(text, "a"), sum(text, "a{k=\"y\"}"), sum(text, "b"), sum(text, "c")), (3.0, 2.0, 8.5, 0.0));
    }
}
