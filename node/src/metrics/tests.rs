//! Names keep Prometheus's conventions, the text is in its format, and the document is what the table says.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::table::{ALARMS, ALL, EVENTS, Kind, REQUESTS, START_TIME};
use super::text::render;
use super::{Requests, Sample};

/// With this the document is written anew.
const WRITE: &str = "XIANMENG_WRITE";
const CHECKED: &str = "docs/METRICS.md";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is a folder of the workspace").to_owned()
}

#[test]
fn names_are_unique_and_keep_the_conventions() {
    let names: BTreeSet<&str> = ALL.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), ALL.len());
    for metric in ALL {
        assert!(metric.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", metric.name);
        assert_eq!(metric.kind == Kind::Counter, metric.name.ends_with("_total"), "{}", metric.name);
        assert!(!metric.name.ends_with("_ms") && !metric.name.contains("_kib"), "{}: base units", metric.name);
        assert!(!metric.zh.is_ascii() && metric.en.is_ascii(), "{}", metric.name);
    }
}

#[test]
fn the_text_is_in_the_classic_format() {
    let requests = Requests::default();
    requests.count("GET", "/v1/records/{reference}", 200, Duration::from_millis(3));
    let sample = |metric, labels: &[&str], value| {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        Sample { metric, labels, value }
    };
    let samples = [
        sample(&EVENTS, &["odd \"name\"\n"], 3.0),
        sample(&ALARMS, &["critical"], 1.0),
        sample(&START_TIME, &[], 1_790_000_000.5),
    ];
    let text = render(&samples, &requests);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.contains(&"# TYPE xianmeng_events_total counter"), "{text}");
    assert!(lines.contains(&"xianmeng_events_total{event=\"odd \\\"name\\\"\\n\"} 3.0"), "{text}");
    assert!(lines.contains(&"# TYPE xianmeng_alarms gauge"), "{text}");
    assert!(lines.contains(&"xianmeng_start_time_seconds 1790000000.5"), "{text}");
    let counted = "xianmeng_requests_total{method=\"GET\",route=\"/v1/records/{reference}\",status=\"200\"} 1";
    assert!(lines.contains(&counted), "{text}");
    assert!(lines.contains(&"xianmeng_request_duration_seconds_bucket{le=\"0.005\"} 1"), "{text}");
    assert!(!text.contains("# EOF"));
    let headings = lines.iter().filter(|line| line.starts_with(&format!("# HELP {} ", REQUESTS.name))).count();
    assert_eq!(headings, 1);
}

#[test]
fn the_document_is_what_the_table_says() {
    let mut page = String::from(
        "# 指标 Metrics\n\n<!-- Written by `XIANMENG_WRITE=1 cargo test --release --workspace --lib metrics`. -->\n\n\
         `GET /metrics` 用 Prometheus 的文本格式给出下列指标：在本机接口上要带口令；在 `config.toml` 的 `metrics.listen`\
         （缺省关闭，只能是本机地址）上不要口令。只有计数，没有内容。名字的含义不变。\n\
         `GET /metrics` says these in Prometheus's text format: on the API with its token, and without one on \
         `metrics.listen` of `config.toml` (off by default, loopback only). They are counts without content. A name \
         never changes its meaning.\n\n\
         | 名字 name | 种类 kind | 标签 labels | 含义 meaning |\n| --- | --- | --- | --- |\n",
    );
    for metric in ALL {
        let labels = metric.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        let (name, kind, zh, en) = (metric.name, metric.kind.name(), metric.zh, metric.en);
        writeln!(page, "| `{name}` | {kind} | {labels} | {zh}。{en}. |").expect("a string takes everything");
    }
    let path = root().join(CHECKED);
    if std::env::var_os(WRITE).is_some_and(|value| value == "1") {
        std::fs::write(&path, &page).expect("the document can be written");
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), page, "write it anew with {WRITE}=1");
}

/// Names that look like ours in a file.
fn named_in(file: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = words.filter(|word| word.starts_with("xianmeng_") || word.starts_with("process_"));
    // A histogram has three series.
    let stem = |word: &str| {
        let word = ["_bucket", "_sum", "_count"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word);
        word.to_owned()
    };
    ours.map(stem).collect()
}

#[test]
fn rules_and_dashboard_use_metrics_that_exist() {
    let known: BTreeSet<String> = ALL.iter().map(|metric| metric.name.to_owned()).collect();
    for file in [
        "deploy/prometheus/xianmeng.rules.yml",
        "deploy/prometheus/xianmeng.rules.test.yml",
        "deploy/grafana/xianmeng.json",
    ] {
        let named = named_in(file);
        assert!(named.len() > 5, "{file} names {} metrics", named.len());
        let unknown: Vec<&String> = named.difference(&known).collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?}");
    }
}
