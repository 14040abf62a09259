//! Floods of the API: from a member's own token, without a token, with wrong ones, and with requests that are as large as
//! they may be.

use std::sync::LazyLock;
use std::time::Duration;

use fastrand::Rng;
use harness::client::{Client, Connections, Reply, in_query};

use crate::field::{Field, VICTIM};
use crate::tally::{Stop, Tally};

/// Connections that ask at a time: more than the node serves at a time.
const CONNECTIONS: usize = 320;
/// Connections that ask for what takes long, or send much.
const HEAVY_CONNECTIONS: usize = 96;
/// How long an attacker waits for an answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// After a refused connection the attacker takes a breath, or it would only wait for its own system.
const BREATH: Duration = Duration::from_millis(5);
/// Pages that are turned in one search.
const PAGES_TURNED_MAX: usize = 40;
/// Just below what a batch may have.
const BODY_BYTES: usize = 15 * 1024 * 1024;
/// Records of a batch of about that length.
const RECORDS_OF_BATCH: usize = 400_000;

/// Whose token the requests carry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Own,
    None,
    Wrong,
}

/// Thousands of requests with the node's own token: reading, searching, matching, publishing.
pub fn own_token(field: &Field, stop: &Stop, tally: &Tally) {
    flood(field, stop, tally, CONNECTIONS, Token::Own, everyday);
}

/// Thousands of requests without a token.
pub fn no_token(field: &Field, stop: &Stop, tally: &Tally) {
    flood(field, stop, tally, CONNECTIONS, Token::None, everyday);
}

/// Thousands of requests, each with another wrong token.
pub fn wrong_token(field: &Field, stop: &Stop, tally: &Tally) {
    flood(field, stop, tally, CONNECTIONS, Token::Wrong, everyday);
}

/// Questions that take as long as a question may, with the node's own token.
pub fn heavy_questions(field: &Field, stop: &Stop, tally: &Tally) {
    flood(field, stop, tally, HEAVY_CONNECTIONS, Token::Own, heavy);
}

/// Bodies as large as a body may be, with the node's own token.
pub fn huge_bodies(field: &Field, stop: &Stop, tally: &Tally) {
    flood(field, stop, tally, HEAVY_CONNECTIONS, Token::Own, huge);
}

/// What a worker asks next.
type Ask = fn(&Field, &Client, &mut Rng, &Stop, &Tally);

fn flood(field: &Field, stop: &Stop, tally: &Tally, connections: usize, token: Token, ask: Ask) {
    std::thread::scope(|scope| {
        for worker in 0..connections {
            scope.spawn(move || {
                let mut random = Rng::with_seed(field.seed ^ worker as u64);
                // Half of them keep their connection.
                let kept = if worker % 2 == 0 { Connections::Kept } else { Connections::Fresh };
                let mut client = Client::new(&field.scene.nodes[VICTIM], kept, PATIENCE);
                while !stop.is_set() {
                    client = match token {
                        Token::Own => client,
                        Token::None => client.with_token(None),
                        Token::Wrong => client.with_token(Some(&format!("{:032x}", random.u128(..)))),
                    };
                    ask(field, &client, &mut random, stop, tally);
                }
            });
        }
    });
}

fn count(tally: &Tally, reply: &Reply) {
    tally.count(reply);
    if reply.status.is_none() {
        std::thread::sleep(BREATH);
    }
}

fn everyday(field: &Field, client: &Client, random: &mut Rng, _: &Stop, tally: &Tally) {
    let reply = match random.u8(..8) {
        0 => client.get("/v1/status"),
        1 => client.get("/v1/records?kind=demand&limit=100"),
        2 => client.get(&format!("/v1/search?words={}", in_query("配套企业"))),
        3 => client.get(&format!("/v1/matches/{}", field.big)),
        4 => client.post("/v1/records", &field.record("洪水中的需求", "重复提交")),
        5 => client.get(&format!("/v1/records/{}", field.big)),
        6 => client.get("/v1/no-such-path"),
        _ => client.get("/v1/counts?kind=demand"),
    };
    count(tally, &reply);
}

fn heavy(field: &Field, client: &Client, random: &mut Rng, stop: &Stop, tally: &Tally) {
    let path = match random.u8(..8) {
        0 => format!("/v1/search?words={}&limit=100{}", in_query(&many_words(random)), all_facets()),
        1 => format!("/v1/search?words={}", in_query(&"稀土磁材装备与轴承".repeat(100))),
        2 => format!("/v1/search?closed=true&unknown=true&limit=100&sort=amount{}", all_facets()),
        3 => format!("/v1/matches/{}?limit=200&excluded=true", field.big),
        4 => "/v1/records?limit=1000&withdrawn=include".to_owned(),
        5 => format!("/v1/records?kind=demand&limit=1000&where={}", in_query("数量>=0.000000001")),
        6 => "/v1/gaps/pools?limit=1000".to_owned(),
        _ => return turn_pages(client, random, stop, tally),
    };
    count(tally, &client.get(&path));
}

fn many_words(random: &mut Rng) -> String {
    let characters: Vec<char> = "稀土磁材装备与轴承精密铸造".chars().collect();
    let word = |random: &mut Rng| -> String { (0..9).map(|_| characters[random.usize(..characters.len())]).collect() };
    (0..24).map(|_| word(random)).collect::<Vec<_>>().join(" ")
}

fn all_facets() -> String {
    let facets =
        ["kind", "province", "prefecture", "county", "section", "industry", "state", "class", "member", "fresh"];
    facets.iter().map(|facet| format!("&facet={facet}")).collect()
}

/// From page to page, as deep as it goes.
fn turn_pages(client: &Client, random: &mut Rng, stop: &Stop, tally: &Tally) {
    let question = format!("/v1/search?words={}&limit={}", in_query("装备"), random.u8(1..=100));
    let mut next: Option<String> = None;
    for _ in 0..PAGES_TURNED_MAX {
        let cursor = next.take().map(|cursor| format!("&cursor={}", in_query(&cursor))).unwrap_or_default();
        let page = client.get(&format!("{question}{cursor}"));
        count(tally, &page);
        next = page.json()["next"].as_str().map(str::to_owned);
        if next.is_none() || stop.is_set() {
            return;
        }
    }
}

/// Many small records: what is read of them takes more room than their text.
static MANY_RECORDS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    format!("[{}]", vec![r#"{"kind":"demand","fields":{"a":"b"}}"#; RECORDS_OF_BATCH].join(",")).into()
});
static RUBBISH: LazyLock<Vec<u8>> = LazyLock::new(|| vec![0xff; BODY_BYTES]);
static BRACKETS: LazyLock<Vec<u8>> = LazyLock::new(|| vec![b'['; BODY_BYTES]);
/// Longer than the body of one record may be.
static BLANKS: LazyLock<Vec<u8>> = LazyLock::new(|| vec![b' '; 2 * BODY_BYTES]);

fn huge(field: &Field, client: &Client, random: &mut Rng, _: &Stop, tally: &Tally) {
    let reply = match random.u8(..5) {
        0 => client.post_bytes("/v1/records/batch", &MANY_RECORDS),
        1 => client.post_bytes("/v1/statements", &RUBBISH),
        2 => client.post_bytes("/v1/records/batch", &BRACKETS),
        3 => client.post("/v1/records", &field.record("过长", &"长".repeat(150_000))),
        _ => client.post_bytes("/v1/records", &BLANKS),
    };
    count(tally, &reply);
}
