//! Honest work: one member publishes by its API and another reads the record by its own; searches; pages of the portal.
//! Every request to the attacked node goes over a new connection, as those of the command line do.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use harness::client::{Client, Connections, Pages, in_query};

use crate::field::{Field, READER, VICTIM};

/// How long honest people wait for an answer. A request that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a reader looks for a record.
const READABLE_WAIT: Duration = Duration::from_secs(20);
/// Time between two looks of the reader.
const LOOK_PAUSE: Duration = Duration::from_millis(1);
/// Time after a failure before the next attempt.
const FAILURE_PAUSE: Duration = Duration::from_millis(50);
/// Time between two pages: people read them.
const PAGE_PAUSE: Duration = Duration::from_millis(200);
/// What people look for.
const WORDS: [&str; 4] = ["配套企业", "冷链", "第3号", "标准厂房"];

/// What honest people got done.
#[derive(Debug, Clone, Default)]
pub struct Work {
    /// For how long they worked.
    pub seconds: f64,
    /// Until a record was durable, in milliseconds.
    pub published_ms: Vec<f64>,
    /// From the request to publish until the other member could read it, in milliseconds.
    pub readable_ms: Vec<f64>,
    /// Records that were acknowledged.
    pub acknowledged: Vec<String>,
    /// Records that could not be published.
    pub unpublished: u64,
    /// The longest time without an acknowledged record.
    pub stall_seconds: f64,
    /// Until a search was answered, in milliseconds.
    pub searches_ms: Vec<f64>,
    /// Searches that were not answered.
    pub unanswered: u64,
    /// Until a page was there, in milliseconds.
    pub pages_ms: Vec<f64>,
    /// Pages that did not come.
    pub unread: u64,
}

impl Work {
    /// Records published and acknowledged in a second.
    pub fn records_per_second(&self) -> f64 {
        self.acknowledged.len() as f64 / self.seconds
    }

    /// Searches answered in a second.
    pub fn searches_per_second(&self) -> f64 {
        self.searches_ms.len() as f64 / self.seconds
    }
}

/// The value below which that share of the samples lies; nothing without samples.
pub fn at(samples: &[f64], share: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(((sorted.len().max(1) - 1) as f64 * share) as usize).copied().unwrap_or(f64::NAN)
}

/// Lets honest people work for that long.
pub fn work(field: &Field, time: Duration) -> Work {
    let begun = Instant::now();
    let work = Mutex::new(Work::default());
    std::thread::scope(|scope| {
        scope.spawn(|| publish_and_read(field, begun, time, &work));
        scope.spawn(|| search(field, begun, time, &work));
        scope.spawn(|| read_pages(&field.pages[VICTIM], begun, time, &work));
    });
    let mut work = work.into_inner().expect("nobody panicked");
    work.seconds = begun.elapsed().as_secs_f64();
    work
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}

fn publish_and_read(field: &Field, begun: Instant, time: Duration, work: &Mutex<Work>) {
    let author = Client::new(&field.scene.nodes[VICTIM], Connections::Fresh, PATIENCE);
    let reader = Client::new(&field.scene.nodes[READER], Connections::Kept, PATIENCE);
    let change = |change: &dyn Fn(&mut Work)| change(&mut work.lock().expect("nobody panicked"));
    let mut last = begun;
    while begun.elapsed() < time {
        let content = field.record("寻找锂电池配套企业", "面向长三角招引，提供标准厂房与用工保障");
        let asked = Instant::now();
        let reply = author.post("/v1/records", &content);
        let published_ms = milliseconds(asked);
        let published = reply.json();
        let Some(record) = published["records"][0].as_str().filter(|_| reply.is_ok()) else {
            change(&|work| work.unpublished += 1);
            std::thread::sleep(FAILURE_PAUSE);
            continue;
        };
        let stall_seconds = last.elapsed().as_secs_f64();
        last = Instant::now();
        change(&|work| {
            work.published_ms.push(published_ms);
            work.acknowledged.push(record.to_owned());
            work.stall_seconds = work.stall_seconds.max(stall_seconds);
        });
        let path = format!("/v1/records/{record}");
        while asked.elapsed() < READABLE_WAIT {
            if reader.get(&path).is_ok() {
                let readable_ms = milliseconds(asked);
                change(&|work| work.readable_ms.push(readable_ms));
                break;
            }
            std::thread::sleep(LOOK_PAUSE);
        }
    }
    change(&|work| work.stall_seconds = work.stall_seconds.max(last.elapsed().as_secs_f64()));
}

fn search(field: &Field, begun: Instant, time: Duration, work: &Mutex<Work>) {
    let searcher = Client::new(&field.scene.nodes[VICTIM], Connections::Fresh, PATIENCE);
    let mut words = WORDS.iter().cycle().map(|words| in_query(words));
    while begun.elapsed() < time {
        let words = words.next().unwrap_or_default();
        let asked = Instant::now();
        let found = searcher.get(&format!("/v1/search?words={words}&limit=20"));
        let took_ms = milliseconds(asked);
        let mut work = work.lock().expect("nobody panicked");
        if found.is_ok() {
            work.searches_ms.push(took_ms);
        } else {
            work.unanswered += 1;
            drop(work);
            std::thread::sleep(FAILURE_PAUSE);
        }
    }
}

fn read_pages(pages: &Pages, begun: Instant, time: Duration, work: &Mutex<Work>) {
    let mut paths = ["/", "/members", "/custody", "/node"].iter().cycle();
    while begun.elapsed() < time {
        let path = paths.next().copied().unwrap_or("/");
        let asked = Instant::now();
        let page = pages.read(path);
        let took_ms = milliseconds(asked);
        {
            let mut work = work.lock().expect("nobody panicked");
            match page.status {
                Some(200) => work.pages_ms.push(took_ms),
                _ => work.unread += 1,
            }
        }
        std::thread::sleep(PAGE_PAUSE);
    }
}
