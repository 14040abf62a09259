//! A random history: organisations come and go, sign, contradict themselves and erase, and registrars decide about them.
//! Everything follows from the seed.

use std::collections::BTreeSet;
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use fastrand::Rng;
use protocol::charter::{Charter, SignedBlock};
use protocol::entry::{Header, VerifiedEntry};
use protocol::erasure::{Erasure, KIND_ERASURE, Target};
use protocol::identity::{ContentHash, EntryId, public_key};
use protocol::statement::{Operation, Statement};
use protocol::testing::Organisation;
use protocol::value::Value;

use crate::roster::Roster;

const COUNTIES: u32 = 3;
const STEPS_MAX: usize = 36;
/// Steps that a failure prints.
const STEPS_SHOWN: usize = 60;

/// A log as its holder, or a thief of its key, writes it: whole branches, each from entry 0.
#[derive(Default)]
pub struct Branches(pub Vec<Vec<Arc<VerifiedEntry>>>);

/// Everything that was ever said in one case.
pub struct World {
    pub charter: Charter,
    pub roster: Roster,
    /// Second valid blocks of versions that exist.
    pub rivals: Vec<SignedBlock>,
    /// Every entry, none before the one that it follows.
    pub said: Vec<Arc<VerifiedEntry>>,
    /// For each log of the roster.
    pub branches: Vec<Branches>,
    /// What happened, for the reader of a failure.
    pub steps: Vec<String>,
    pub(super) signing: Vec<SigningKey>,
    pub(super) governance: Vec<SigningKey>,
    pub(super) seeds: u32,
    nonces: u64,
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let skipped = self.steps.len().saturating_sub(STEPS_SHOWN);
            eprintln!("the history, its last {STEPS_SHOWN} steps at most:\n{}", self.steps[skipped..].join("\n"));
        }
    }
}

impl World {
    pub fn new(random: &mut Rng) -> Self {
        let (charter, secretariat) = Organisation::found("秘书处", 1);
        let roster = Roster::default().after(charter.blocks()[0].block());
        let mut world = Self {
            charter,
            roster,
            rivals: Vec::new(),
            said: Vec::new(),
            branches: vec![Branches::default()],
            steps: Vec::new(),
            signing: vec![secretariat.signing],
            governance: vec![secretariat.governance],
            seeds: 1,
            nonces: 0,
        };
        (0..COUNTIES).for_each(|_| world.admit(random));
        for _ in 0..random.usize(6..=STEPS_MAX) {
            if random.u8(..3) == 0 { world.decide(random) } else { world.speak(random) }
        }
        world
    }

    /// Some log goes on, or parts from itself somewhere.
    fn speak(&mut self, random: &mut Rng) {
        let log = random.usize(..self.branches.len());
        let branches = &self.branches[log].0;
        let mut chain = random.choice(branches).cloned().unwrap_or_default();
        if !chain.is_empty() && random.u8(..5) == 0 {
            let parts_at = if random.u8(..4) == 0 { 0 } else { random.usize(..chain.len()) };
            chain.truncate(parts_at);
        }
        let from = chain.len();
        for _ in 0..random.usize(1..5) {
            let entry = self.entry(random, log, chain.last());
            chain.push(Arc::clone(&entry));
            self.said.push(entry);
        }
        let kinds: Vec<String> = chain[from..].iter().map(|entry| describe(entry)).collect();
        self.steps.push(format!("log {log} says {} from {from}: {}", chain.len() - from, kinds.join(", ")));
        let branches = &mut self.branches[log].0;
        branches.retain(|held| !(held.len() == from && chain.starts_with(held)));
        branches.push(chain);
    }

    fn entry(&mut self, random: &mut Rng, log: usize, before: Option<&Arc<VerifiedEntry>>) -> Arc<VerifiedEntry> {
        let (kind, body) = self.body(random, log);
        let at_least = before.map_or(self.roster.logs[log].granted, |before| before.header().charter);
        // A thief can name any charter version that the log allows; and rarely one that it does not.
        let named = match random.u8(..40) {
            0 => at_least.saturating_sub(1).max(1),
            1..=9 => random.u32(at_least..=self.roster.version()),
            _ => self.roster.version(),
        };
        // Some entries come from the future: they count in the frontier and are hidden in the view.
        let time_ms = self.roster.times[named as usize - 1] + random.u64(..90_000);
        let body: Arc<[u8]> = Arc::from(body);
        let header = Header {
            key: self.roster.logs[log].key,
            sequence: before.map_or(0, |before| before.header().sequence + 1),
            previous: before.map_or(EntryId::ZERO, |before| before.id()),
            charter: named,
            time_ms,
            kind,
            body_len: body.len() as u32,
            body_hash: ContentHash::of(&body),
        };
        let entry = VerifiedEntry::sign(&self.signing[log], &self.charter.federation(), header, body);
        Arc::new(entry.expect("the header keeps every rule"))
    }

    /// No two bodies are alike, so that one that must be gone can be looked for.
    fn nonce(&mut self) -> [u8; 16] {
        self.nonces += 1;
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&self.nonces.to_le_bytes());
        nonce
    }

    fn body(&mut self, random: &mut Rng, log: usize) -> (u16, Vec<u8>) {
        let nonce = self.nonce();
        let kind = if random.u8(..8) == 0 { 103 } else { 102 };
        let fields = [(random.u16(1..4), Value::Text(format!("第{}条", random.u16(..))))].into();
        let own: Vec<_> = self.branches[log].0.iter().flatten().map(|entry| entry.id()).collect();
        let any: Vec<_> = self.said.iter().map(|entry| entry.id()).collect();
        let record = if random.u8(..3) == 0 { random.choice(&any) } else { random.choice(&own) };
        let statement = match (random.u8(..20), record) {
            (0, _) => return (kind, nonce.to_vec()),
            (1..=4, Some(_)) => return (KIND_ERASURE, self.erasure(random, nonce)),
            (5..=9, Some(record)) => {
                let cleared = if random.bool() { BTreeSet::from([9]) } else { BTreeSet::new() };
                Statement::revise(nonce, 1, *record, fields, cleared)
            }
            (10, Some(record)) => Statement::withdraw(nonce, 1, *record, random.bool().then(|| "撤".into())),
            (choice, _) => {
                let external = random.bool().then(|| format!("N{}", random.u8(..4)));
                let origin = random.choice(&any).copied().filter(|_| choice < 14);
                Statement { origin, ..Statement::create(nonce, 1, external, fields) }
            }
        };
        (kind, statement.encode().expect("the statement keeps every rule"))
    }

    /// Names one to three entries of anybody; mostly of the log's own member, and often enough other erasures.
    fn erasure(&mut self, random: &mut Rng, nonce: [u8; 16]) -> Vec<u8> {
        let targets = self.targets(random);
        Erasure { reason: "个人信息".into(), targets }.encode(nonce).expect("the erasure keeps every bound")
    }

    pub(super) fn targets(&self, random: &mut Rng) -> Vec<Target> {
        let mut targets: Vec<Target> = Vec::new();
        for _ in 0..random.usize(1..4) {
            let chosen = random.choice(&self.said);
            targets.extend(chosen.map(|entry| target(random, entry)));
        }
        targets.sort();
        targets.dedup_by_key(|target| (target.key, target.sequence));
        targets
    }
}

/// An entry as an erasure names it. What it says of a create is true, except where somebody lies.
fn target(random: &mut Rng, entry: &VerifiedEntry) -> Target {
    let header = entry.header();
    let creates = entry.body().and_then(|body| Statement::decode(body).ok());
    let creates = header.kind >= 100 && creates.is_some_and(|statement| statement.operation == Operation::Create);
    let lies = random.u8(..10) == 0;
    Target { key: header.key, sequence: header.sequence, id: entry.id(), creates: creates != lies }
}

fn describe(entry: &VerifiedEntry) -> String {
    let header = entry.header();
    let what = match entry.body().map(|body| (Statement::decode(body), Erasure::decode(body))) {
        Some((Ok(statement), _)) if header.kind >= 100 => format!("{:?}", statement.operation).to_lowercase(),
        Some((_, Ok(erasure))) if header.kind == KIND_ERASURE => {
            let target = |target: &Target| format!("{}/{}", target.id, target.sequence);
            format!("erase {}", erasure.targets.iter().map(target).collect::<Vec<_>>().join("+"))
        }
        _ => "nothing readable".to_owned(),
    };
    format!("{}={:?} (charter {}) {what}", header.sequence, entry.id(), header.charter)
}

/// The public half of a key.
pub fn public(key: &SigningKey) -> protocol::identity::PublicKey {
    public_key(key)
}
