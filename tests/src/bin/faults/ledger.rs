//! What was acknowledged: the ids and titles of records whose command ended well. Nothing of it may ever be missing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use harness::node::Node;
use harness::sheet;
use serde_json::{Value, json};

/// The kind that is published.
const KIND: &str = "demand";

/// The book.
#[derive(Debug)]
pub struct Ledger {
    folder: PathBuf,
    number: AtomicU64,
    records: Mutex<BTreeSet<String>>,
    titles: Mutex<BTreeSet<String>>,
}

/// What a node holds of that kind.
#[derive(Debug, Default)]
pub struct Held {
    records: BTreeSet<String>,
    titles: BTreeSet<String>,
}

impl Ledger {
    /// An empty one, with a folder for the files that are published.
    pub fn new(folder: &Path) -> Arc<Self> {
        Arc::new(Self {
            folder: folder.to_owned(),
            number: AtomicU64::new(0),
            records: Mutex::default(),
            titles: Mutex::default(),
        })
    }

    /// Publishes so many records at once. What it says is taken down if the command ended with 0; otherwise the exit
    /// code and what went wrong.
    pub fn publish(&self, node: &Node, count: u64) -> Result<(), (i32, String)> {
        let first = self.number.fetch_add(count, Ordering::Relaxed);
        let record = |number: u64| {
            let title = format!("第{number}号并链招引需求");
            json!({"kind": KIND, "external": format!("F{number}"), "fields": {"需求名称": title, "需求类别": "招商"}})
        };
        let records: Vec<Value> = (first..first + count).map(record).collect();
        let path = self.folder.join(format!("publish-{first}.json"));
        std::fs::write(&path, Value::from(records).to_string()).expect("the folder can be written to");
        let outcome = node.run(&["publish", &path.to_string_lossy(), "--wait", "0"]);
        let _ = std::fs::remove_file(path);
        if outcome.code != 0 {
            return Err((outcome.code, format!("{}\n{}", outcome.errors, outcome.json)));
        }
        let ids = outcome.json["records"].as_array().cloned().unwrap_or_default();
        assert_eq!(ids.len() as u64, count, "whoever ends with 0 names every record: {}", outcome.json);
        let ids = ids.iter().map(|id| id.as_str().expect("an id is text").to_owned());
        self.records.lock().unwrap_or_else(PoisonError::into_inner).extend(ids);
        Ok(())
    }

    /// Publishes so many records, or panics.
    #[track_caller]
    pub fn must_publish(&self, node: &Node, count: u64) {
        if let Err((code, words)) = self.publish(node, count) {
            panic!("a publication failed with exit code {code}: {words}\n{}", tail(&node.log()));
        }
    }

    /// Imports a sheet of so many rows, numbered from `first`, or panics.
    #[track_caller]
    pub fn must_import(&self, node: &Node, first: usize, count: usize) {
        let path = sheet::demands(&self.folder, first, count);
        let report = node.run(&["import", &path.to_string_lossy()]).ok();
        assert_eq!(report["published"], count, "{report}");
        let titles = (first..first + count).map(|number| format!("第{number}号产业链上下游配套企业"));
        self.titles.lock().unwrap_or_else(PoisonError::into_inner).extend(titles);
    }

    /// Begins to import a sheet and takes nothing down.
    pub fn begin_import(&self, node: &Node, first: usize, count: usize) -> std::process::Child {
        let path = sheet::demands(&self.folder, first, count);
        node.begin(&["import", &path.to_string_lossy(), "--batch", "50"])
    }

    /// How many records were acknowledged.
    pub fn len(&self) -> usize {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner).len();
        records + self.titles.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What was acknowledged and is not there: a few examples, and how many there are.
    pub fn missing(&self, held: &Held) -> (usize, Vec<String>) {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let titles = self.titles.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = records.difference(&held.records).chain(titles.difference(&held.titles));
        let missing: Vec<&String> = missing.collect();
        (missing.len(), missing.into_iter().take(5).cloned().collect())
    }
}

/// What a node lists; nothing if it cannot be asked.
pub fn held(node: &Node) -> Held {
    let listed = node.run(&["list", "--kind", KIND, "--all"]);
    let mut held = Held::default();
    for record in listed.json["records"].as_array().into_iter().flatten() {
        held.records.extend(record["id"].as_str().map(str::to_owned));
        held.titles.extend(record["title"].as_str().map(str::to_owned));
    }
    held
}

/// The last lines of a log.
pub fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// Publishes again and again, beside what a scenario does.
pub struct Writer {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
    thread: Option<JoinHandle<Written>>,
}

/// What a writer did.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// Commands that ended with 0.
    pub acknowledged: u64,
    /// Commands that did not.
    pub refused: u64,
    /// How the last of these ended.
    pub last_refusal: Option<(i32, String)>,
}

impl Writer {
    /// Begins: so many records in one command, and a pause after it.
    pub fn begin(ledger: &Arc<Ledger>, node: &Node, count: u64, pause: Duration) -> Self {
        let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (ended, told, ledger, node) =
            (Arc::clone(&stop), Arc::clone(&acknowledged), Arc::clone(ledger), node.again());
        let work = move || {
            let mut written = Written::default();
            while !ended.load(Ordering::SeqCst) {
                match ledger.publish(&node, count) {
                    Ok(()) => {
                        written.acknowledged += 1;
                        told.store(written.acknowledged, Ordering::SeqCst);
                    }
                    Err(refusal) => {
                        written.refused += 1;
                        written.last_refusal = Some(refusal);
                    }
                }
                std::thread::sleep(pause);
            }
            written
        };
        Self { stop, acknowledged, thread: Some(std::thread::spawn(work)) }
    }

    /// Commands that ended with 0 up to now.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Ends.
    pub fn end(mut self) -> Written {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Not waited for: a scenario that failed goes on to clear up.
        self.stop.store(true, Ordering::SeqCst);
    }
}
