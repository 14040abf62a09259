//! The classic text format, made by the library's registry.
//!
//! The library writes OpenMetrics, where the heading of a counter lacks the `_total` that its samples have. The classic
//! format, which every Prometheus and its `promtool` read, wants one name for both.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::requests::Labels;
use super::table::{ALL, Kind, Metric, REQUEST_SECONDS, REQUESTS};
use super::{Requests, Sample};

/// The media type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// What counters end in.
const TOTAL: &str = "_total";

/// Samples and requests as text.
pub(super) fn render(samples: &[Sample], requests: &Requests) -> String {
    let mut by_name: BTreeMap<&str, Vec<&Sample>> = BTreeMap::new();
    samples.iter().for_each(|sample| by_name.entry(sample.metric.name).or_default().push(sample));
    let mut registry = Registry::default();
    for metric in ALL {
        if **metric == REQUESTS {
            registry.register(stem(metric), metric.en, requests.counts.clone());
        } else if **metric == REQUEST_SECONDS {
            registry.register(stem(metric), metric.en, requests.durations.clone());
        } else if let Some(samples) = by_name.get(metric.name) {
            register(&mut registry, metric, samples);
        }
    }
    let mut text = String::new();
    encode(&mut text, &registry).expect("a string takes everything");
    classic(&text)
}

fn register(registry: &mut Registry, metric: &Metric, samples: &[&Sample]) {
    match metric.kind {
        Kind::Counter => {
            let family: Family<Labels, Counter<f64, AtomicU64>> = Family::default();
            for sample in samples {
                family.get_or_create(&labels(metric, sample)).inc_by(sample.value);
            }
            registry.register(stem(metric), metric.en, family);
        }
        Kind::Gauge | Kind::Histogram => {
            let family: Family<Labels, Gauge<f64, AtomicU64>> = Family::default();
            for sample in samples {
                family.get_or_create(&labels(metric, sample)).set(sample.value);
            }
            registry.register(stem(metric), metric.en, family);
        }
    }
}

fn labels(metric: &Metric, sample: &Sample) -> Labels {
    metric.labels.iter().copied().zip(sample.labels.iter().cloned()).collect()
}

/// The library adds the ending of counters itself.
fn stem(metric: &Metric) -> &'static str {
    metric.name.strip_suffix(TOTAL).unwrap_or(metric.name)
}

fn classic(text: &str) -> String {
    let counters: Vec<&str> =
        ALL.iter().filter(|metric| metric.kind == Kind::Counter).map(|metric| stem(metric)).collect();
    let mut out = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.starts_with("# EOF") && !line.starts_with("# UNIT")) {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(word), Some(name), Some(rest)) if counters.contains(&name) => {
                out.push_str(&format!("# {word} {name}{TOTAL} {rest}\n"));
            }
            _ => {
                // A sample without labels comes with empty braces.
                out.push_str(&line.replacen("{} ", " ", 1));
                out.push('\n');
            }
        }
    }
    out
}
