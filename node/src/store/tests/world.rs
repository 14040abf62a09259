//! A small federation whose entries a test puts into a store as a node does.

use std::path::Path;
use std::sync::Arc;

use protocol::charter::{Charter, Class, SignedBlock};
use protocol::entry::{Header, VerifiedEntry};
use protocol::identity::{ContentHash, EntryId, PublicKey, public_key};
use protocol::replica::{Outcome, Replica};
use protocol::testing::Organisation;

use super::super::{OpenReport, Opened, Settings, Store, StoreError};
use super::bodies::{Sample, body, samples};

pub(super) struct World {
    pub(super) genesis: SignedBlock,
    pub(super) charter: Charter,
    pub(super) secretariat: Organisation,
    /// The node's own organisation, log 1.
    pub(super) county: Organisation,
    /// Somebody else's, log 2.
    pub(super) other: Organisation,
    samples: Vec<Sample>,
    pub(super) random: fastrand::Rng,
}

/// A store with its replica, as a node holds them.
pub(super) struct Node {
    pub(super) store: Store,
    pub(super) replica: Replica,
    pub(super) report: OpenReport,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let (mut charter, secretariat) = Organisation::found("秘书处", 1);
        let genesis = charter.blocks()[0].clone();
        let county = Organisation::new("奉节县", Class::County, 2);
        let other = Organisation::new("夏邑县", Class::County, 3);
        secretariat.admit(&mut charter, &county);
        secretariat.admit(&mut charter, &other);
        let random = fastrand::Rng::with_seed(seed);
        Self { genesis, charter, secretariat, county, other, samples: samples(), random }
    }

    pub(super) fn own(&self) -> PublicKey {
        public_key(&self.county.signing)
    }

    pub(super) fn try_open(&self, directory: &Path) -> Result<Node, StoreError> {
        let settings = Settings { journal_segment_bytes: 20_000, ..Settings::default() };
        let Opened { store, replica, report } =
            Store::open(directory, self.genesis.clone(), Some(self.own()), &settings)?;
        Ok(Node { store, replica, report })
    }

    pub(super) fn open(&self, directory: &Path) -> Node {
        self.try_open(directory).expect("the store opens")
    }

    /// Opens a store that holds the whole charter.
    pub(super) fn found(&self, directory: &Path) -> Node {
        let mut node = self.open(directory);
        let mut changes = Vec::new();
        for block in &self.charter.blocks()[1..] {
            node.replica.append_block(block.clone(), &node.store, &mut changes).expect("the block follows the tip");
        }
        node.store.commit(&[], &changes).expect("the blocks are stored");
        node
    }

    /// Entries that continue a log with realistic bodies.
    pub(super) fn chain(
        &mut self,
        author: &Organisation,
        previous: Option<&Arc<VerifiedEntry>>,
        count: usize,
    ) -> Vec<Arc<VerifiedEntry>> {
        let mut chain: Vec<Arc<VerifiedEntry>> = Vec::new();
        for _ in 0..count {
            let (kind, body) = body(&self.samples, &mut self.random);
            let last = chain.last().or(previous).cloned();
            chain.push(self.entry(author, last.as_ref(), kind, body));
        }
        chain
    }

    pub(super) fn entry(
        &self,
        author: &Organisation,
        previous: Option<&Arc<VerifiedEntry>>,
        kind: u16,
        body: Vec<u8>,
    ) -> Arc<VerifiedEntry> {
        let header = Header {
            key: public_key(&author.signing),
            sequence: previous.map_or(0, |entry| entry.header().sequence + 1),
            previous: previous.map_or(EntryId::ZERO, |entry| entry.id()),
            charter: self.charter.version(),
            time_ms: self.charter.tip_block().time_ms,
            kind,
            body_len: body.len() as u32,
            body_hash: ContentHash::of(&body),
        };
        let entry = VerifiedEntry::sign(&author.signing, &self.charter.federation(), header, body.into());
        Arc::new(entry.expect("the header keeps every rule"))
    }
}

impl Node {
    /// Takes entries in and commits them in one batch; those of `own` go through the journal.
    pub(super) fn take(&mut self, own: Option<PublicKey>, entries: &[Arc<VerifiedEntry>]) -> Vec<Outcome> {
        let mut changes = Vec::new();
        let outcomes = entries.iter().map(|entry| self.replica.insert(entry, &self.store, &mut changes)).collect();
        let mine: Vec<_> = entries.iter().filter(|entry| Some(entry.header().key) == own).cloned().collect();
        self.store.commit(&mine, &changes).expect("the commit succeeds");
        outcomes
    }

    /// Everything that can be read equals `expected`; how many entries that were.
    pub(super) fn served(&self, log: u32, expected: &[Arc<VerifiedEntry>]) -> usize {
        let mut count = 0;
        for (sequence, original) in expected.iter().enumerate() {
            match self.store.entry(log, sequence as u64) {
                Ok(Some(found)) => {
                    assert_eq!(&found, original, "entry {sequence} of log {log}");
                    count += 1;
                }
                Ok(None)
                | Err(StoreError::Damaged { .. } | StoreError::Database { .. } | StoreError::DatabaseBroke { .. }) => {}
                Err(other) => panic!("entry {sequence} of log {log}: {other}"),
            }
        }
        count
    }
}
