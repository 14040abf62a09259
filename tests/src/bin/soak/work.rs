//! What people do: publish, revise, withdraw, search, list, match, read pages, watch. Each at its pace, whether the node
//! keeps up or not; what it does not keep up with is counted.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use harness::client::in_query;
use serde_json::json;

use crate::posts::{Desk, NODES, Post};
use crate::rate::{Pace, REVISIONS_PER_RECORD, WITHDRAWN_PART};

/// Records of a member that are still worked on.
const OPEN_RECORDS_MAX: usize = 500;
/// Records whose arrival everywhere is looked at in the end: the last of all members.
pub const REMEMBERED_MAX: usize = 1_000;
/// How long somebody watches a question.
const WATCH_TIME: Duration = Duration::from_secs(3);
/// Questions that somebody watches at a time at one node.
pub const WATCHERS: usize = 2;
/// A turn that is later than this is skipped.
const LATE_MAX: Duration = Duration::from_secs(2);
/// How long a worker sleeps at most before it looks whether the run is over.
const NAP: Duration = Duration::from_millis(100);
const WORDS: [&str; 6] = ["配套企业", "冷链物流", "标准厂房", "锂电池", "招商", "peitao"];
const PAGES: [&str; 8] = ["/", "/members", "/custody", "/duties", "/indicators", "/topology", "/alarms", "/node"];
const INDUSTRIES: [&str; 4] = ["3841", "1713", "593", "65"];

/// What was done, and what was not.
#[derive(Debug, Default)]
pub struct Done {
    /// Statements that were acknowledged.
    pub statements: AtomicU64,
    /// Requests of readers that were answered.
    pub answers: AtomicU64,
    /// Pages that came.
    pub pages: AtomicU64,
    /// Watches that were opened and closed.
    pub watches: AtomicU64,
    /// Results that watches told.
    pub events: AtomicU64,
    /// Requests that failed while the node ran.
    pub failed: AtomicU64,
    /// Turns that nobody could take: the node started again, or was behind.
    pub skipped: AtomicU64,
    over: AtomicBool,
}

impl Done {
    /// Ends the run.
    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Whether the run is over.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn count(&self, is_done: bool, counter: &AtomicU64) {
        if is_done { counter } else { &self.failed }.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes turns at a pace until the run is over.
    fn at_pace(&self, per_second: f64, post: &Post, mut turn: impl FnMut(&Desk)) {
        let (begun, pause) = (Instant::now(), Duration::from_secs_f64(1.0 / per_second));
        let mut next = begun;
        while !self.is_over() {
            let now = Instant::now();
            if now < next {
                std::thread::sleep(NAP.min(next - now));
                continue;
            }
            let late = now - next;
            next += pause;
            match post.desk() {
                Some(desk) if late < LATE_MAX => turn(&desk),
                _ => drop(self.skipped.fetch_add(1, Ordering::Relaxed)),
            }
        }
    }
}

/// The latest records of every member.
pub type Remembered = Mutex<VecDeque<String>>;

/// A member publishes, revises and withdraws.
pub fn write(post: &Post, done: &Done, pace: &Pace, seed: u64, remembered: &Remembered) {
    let mut random = Rng::with_seed(seed);
    let mut open: VecDeque<String> = VecDeque::new();
    let mut serial = 0_u64;
    let of_all = 1.0 + REVISIONS_PER_RECORD + WITHDRAWN_PART;
    done.at_pace(pace.statements / NODES as f64, post, |desk| {
        let lot = random.f64() * of_all;
        let chosen = random.usize(..open.len().max(1));
        let reply = match open.get(chosen) {
            Some(record) if lot < REVISIONS_PER_RECORD => {
                let change = json!({"set": {"数量": random.u32(1..100).to_string(), "单位": "家"}});
                desk.client.post(&format!("/v1/records/{record}/revise"), &change)
            }
            Some(record) if lot < REVISIONS_PER_RECORD + WITHDRAWN_PART => {
                let reply = desk.client.post(&format!("/v1/records/{record}/withdraw"), &json!({"reason": "已落地"}));
                open.remove(chosen);
                reply
            }
            _ => {
                serial += 1;
                let reply = desk.client.post("/v1/records", &demand(serial, &mut random));
                if let Some(record) = reply.json()["records"][0].as_str().filter(|_| reply.is_ok()) {
                    push(&mut open, record, OPEN_RECORDS_MAX);
                    push(&mut remembered.lock().expect("nobody panicked"), record, REMEMBERED_MAX);
                }
                reply
            }
        };
        done.count(reply.is_ok(), &done.statements);
    });
}

fn push(records: &mut VecDeque<String>, record: &str, most: usize) {
    if records.len() >= most {
        records.pop_front();
    }
    records.push_back(record.to_owned());
}

fn demand(serial: u64, random: &mut Rng) -> serde_json::Value {
    let industry = INDUSTRIES[random.usize(..INDUSTRIES.len())];
    let fields = json!({
        "需求名称": format!("第{serial}号产业链上下游配套企业"),
        "需求类别": "招商",
        "行业代码": industry,
        "数量": random.u32(1..100).to_string(),
        "单位": "家",
        "期限": "2027-12-31",
        "说明": format!("面向长三角、珠三角招引第{serial}批锂电池配套企业，提供标准厂房、冷链物流与用工保障"),
    });
    json!({"kind": "demand", "fields": fields})
}

/// People of a member search, list, look at single records and ask what fits.
pub fn ask(post: &Post, done: &Done, pace: &Pace, seed: u64, remembered: &Remembered) {
    let mut random = Rng::with_seed(seed);
    let all = pace.searches + pace.lists + pace.matches;
    done.at_pace(all, post, |desk| {
        let lot = random.f64() * all;
        let known = remembered.lock().expect("nobody panicked").back().cloned().unwrap_or_default();
        let path = if lot < pace.searches || known.is_empty() {
            let words = in_query(WORDS[random.usize(..WORDS.len())]);
            format!("/v1/search?words={words}&limit=20&facet=industry")
        } else if lot < pace.searches + pace.lists {
            match random.bool() {
                true => "/v1/records?kind=demand&limit=50".to_owned(),
                false => format!("/v1/records/{known}/history"),
            }
        } else {
            format!("/v1/matches/{known}")
        };
        let reply = desk.client.get(&path);
        // A record that another member has just published may not be here yet: that is an answer, too.
        done.count(reply.is_ok() || reply.status == Some(404), &done.answers);
    });
}

/// People of a member read the portal.
pub fn read_pages(post: &Post, done: &Done, pace: &Pace, seed: u64) {
    let mut random = Rng::with_seed(seed);
    done.at_pace(pace.pages, post, |desk| {
        let page = desk.pages.read(PAGES[random.usize(..PAGES.len())]);
        done.count(page.status == Some(200), &done.pages);
    });
}

/// People of a member watch a question for a while: every other time one that is kept under a name, and removed.
pub fn watch(post: &Post, done: &Done, pace: &Pace, seed: u64) {
    let mut random = Rng::with_seed(seed);
    done.at_pace(pace.watches / WATCHERS as f64, post, |desk| {
        let words = WORDS[random.usize(..WORDS.len())];
        let name = random.bool().then(|| format!("关注{:x}", random.u64(..)));
        let path = match &name {
            Some(name) => {
                let kept = desk.client.post("/v1/watches", &json!({"name": name, "query": {"words": words}}));
                if !kept.is_ok() {
                    return done.count(false, &done.watches);
                }
                format!("/v1/watches/{}/events", in_query(name))
            }
            None => format!("/v1/search/events?words={}", in_query(words)),
        };
        let events = desk.client.listen(&path, WATCH_TIME).map(|mut stream| {
            let mut told = Vec::new();
            // It ends by its time, which is an error of the stream and none of the node.
            let _ = stream.read_to_end(&mut told);
            String::from_utf8_lossy(&told).matches("event: record").count()
        });
        done.events.fetch_add(events.unwrap_or_default() as u64, Ordering::Relaxed);
        done.count(events.is_some(), &done.watches);
        if let Some(name) = name {
            desk.client.delete(&format!("/v1/watches/{}", in_query(&name)));
        }
    });
}
