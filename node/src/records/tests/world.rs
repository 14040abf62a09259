//! A node's heart on a temporary directory, in a small federation.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use protocol::charter::{Charter, Class, Operation, Position, Purpose, Seal};
use protocol::entry::VerifiedEntry;
use protocol::identity::{EntryId, MemberNumber, public_key};
use protocol::kind::{KIND_SET_VERSION, KindSet};
use protocol::statement::Statement;
use protocol::testing::Organisation;
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::super::error::RecordError;
use super::super::publish::{PublishedRecord, Publisher, Refusals, Request};
use super::super::{PAGE_RECORDS, list};
use crate::api::types::{CreateRecord, ListedRecord, ReviseRecord, WithdrawRecord};
use crate::core::{Core, Event};
use crate::key_request::KeyRequest;
use crate::store::{Settings, Store};

/// How long a store may take to be given back.
const CLOSE_WAIT: Duration = Duration::from_secs(10);

/// A county's node; members are 1 the secretariat, 2 this county, 3 another county.
pub(crate) struct World {
    pub(crate) charter: Charter,
    pub(crate) secretariat: Organisation,
    pub(crate) county: Organisation,
    pub(crate) other: Organisation,
    pub(crate) core: Core,
    pub(crate) publisher: Publisher,
    pub(crate) folder: TempDir,
    _events: mpsc::Receiver<Event>,
}

impl World {
    /// A federation that names this build's kind set.
    pub(crate) async fn new() -> Self {
        Self::with_kind_set(true).await
    }

    pub(crate) async fn with_kind_set(named: bool) -> Self {
        Self::build(named, usize::MAX, Class::County).await
    }

    /// The same federation at a node that holds the genesis block only.
    pub(crate) async fn bare() -> Self {
        Self::build(true, 1, Class::County).await
    }

    /// The same federation at a node of a member of another class.
    pub(crate) async fn of_class(class: Class) -> Self {
        Self::build(true, usize::MAX, class).await
    }

    async fn build(named: bool, blocks: usize, class: Class) -> Self {
        let (mut charter, secretariat) = Organisation::found("秘书处", 1);
        let county = Organisation::new("奉节县", class, 2);
        let other = Organisation::new("夏邑县", Class::County, 3);
        if named {
            let hash = KindSet::builtin().hash();
            let name_set = Operation::KindSet { version: KIND_SET_VERSION, hash };
            secretariat.try_append(&mut charter, vec![name_set]).expect("the number is free");
        }
        secretariat.admit(&mut charter, &county);
        secretariat.admit(&mut charter, &other);
        let folder = tempfile::tempdir().expect("a temporary directory");
        let (core, events) = start(&folder.path().join("node"), &charter, blocks, &county).await;
        let publisher = Publisher::default();
        Self { charter, secretariat, county, other, core, publisher, folder, _events: events }
    }

    pub(crate) async fn publish(&self, requests: Vec<Request>) -> Result<Vec<PublishedRecord>, Refusals> {
        self.publisher.publish(&self.core, requests).await
    }

    /// Publishes a record that is in order.
    pub(crate) async fn create(&self, record: CreateRecord) -> EntryId {
        let published = self.publish(vec![Request::Create(record)]).await;
        published.expect("the record is in order")[0].record
    }

    pub(crate) async fn revise(&self, id: EntryId, set: &[(&str, &str)], clear: &[&str]) -> Result<(), RecordError> {
        let clear = clear.iter().map(|name| (*name).to_owned()).collect();
        self.one(Request::Revise(id, ReviseRecord { set: texts(set), clear, readers: None, parties: None })).await
    }

    pub(crate) async fn withdraw(&self, id: EntryId, reason: Option<&str>) -> Result<(), RecordError> {
        self.one(Request::Withdraw(id, WithdrawRecord { reason: reason.map(str::to_owned) })).await
    }

    pub(crate) async fn one(&self, request: Request) -> Result<(), RecordError> {
        let published = self.publish(vec![request]).await;
        published.map(drop).map_err(|mut refusals| refusals.refused.remove(0).1)
    }

    /// Another member's create arrives.
    pub(crate) async fn arrives(
        &self,
        previous: Option<&VerifiedEntry>,
        time_ms: u64,
        kind: u16,
        statement: &Statement,
    ) -> Arc<VerifiedEntry> {
        let body = statement.encode().expect("the statement has its layout");
        let entry = self.other.entry(&self.charter, previous, time_ms, kind, body);
        self.core.ingest(vec![Arc::clone(&entry)]).await.expect("the entry is good");
        entry
    }

    pub(crate) fn list(&self, kind: Option<&str>, conditions: &[&str]) -> Vec<ListedRecord> {
        let conditions: Vec<String> = conditions.iter().map(|condition| (*condition).to_owned()).collect();
        let query = list::Query::parse(KindSet::builtin(), kind, &conditions).expect("the query is in order");
        list::page(&self.core, KindSet::builtin(), &list::Query { limit: PAGE_RECORDS, ..query }).records
    }
}

/// A heart that holds the charter's first blocks and no entries.
async fn start(
    directory: &Path,
    charter: &Charter,
    blocks: usize,
    own: &Organisation,
) -> (Core, mpsc::Receiver<Event>) {
    let genesis = charter.blocks()[0].clone();
    let key = public_key(&own.signing);
    let opened = Store::open(directory, genesis, Some(key), &Settings::default()).expect("a new store");
    let (core, events) = Core::start(opened.store, opened.replica, own.signing.clone(), true);
    core.hold_encryption_keys(vec![own.encryption.clone()]);
    let blocks = charter.blocks().iter().take(blocks).skip(1).cloned().collect();
    core.append_blocks(blocks).await.expect("the blocks follow one another");
    (core, events)
}

pub(crate) fn texts(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
    fields.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

/// A demand in order, with more fields.
pub(crate) fn demand(external: &str, more: &[(&str, &str)]) -> CreateRecord {
    let mut fields = texts(&[("名称", "配套企业"), ("类别", "招商")]);
    fields.extend(texts(more));
    let external = (!external.is_empty()).then(|| external.to_owned());
    CreateRecord { kind: "需求".to_owned(), external, fields, readers: None, parties: None }
}

impl World {
    /// The county's signing key is sealed after `last`, and another takes its place: the node starts again with it.
    pub(crate) async fn renew(self, last: Option<Position>, seed: u8) -> Self {
        let Self { mut charter, secretariat, mut county, other, core, folder, .. } = self;
        let old = public_key(&county.signing);
        county.signing = SigningKey::from_bytes(&[seed; 32]);
        let federation = charter.federation();
        let request =
            KeyRequest::new(federation, MemberNumber(2), Purpose::Signing, &county.signing, Some(old), String::new());
        let grant = request.verify(&federation).expect("it is proven");
        let replace = Operation::ReplaceKey { seal: Seal { key: old, last }, grant };
        secretariat.try_append(&mut charter, vec![replace]).expect("the county is a member");
        assert!(core.close(CLOSE_WAIT).await, "nobody else holds the store");
        let (core, events) = start(&folder.path().join("node"), &charter, usize::MAX, &county).await;
        Self { charter, secretariat, county, other, core, publisher: Publisher::default(), folder, _events: events }
    }

    /// A further county is admitted. Returns its number.
    pub(crate) async fn admit(&mut self, name: &str, seed: u32) -> MemberNumber {
        self.secretariat.admit(&mut self.charter, &Organisation::new(name, Class::County, seed));
        self.append_last_block().await;
        MemberNumber(self.charter.members().len() as u32)
    }

    async fn append_last_block(&self) {
        let block = self.charter.blocks().last().cloned().expect("it was just appended");
        self.core.append_blocks(vec![block]).await.expect("it follows the one before");
    }

    /// The other member's encryption key gives way to a new one, which the charter then names.
    pub(crate) async fn renew_encryption_of_other(&mut self, seed: u8) {
        let old = public_key(&self.other.encryption);
        self.other.encryption = SigningKey::from_bytes(&[seed; 32]);
        let (federation, number) = (self.charter.federation(), MemberNumber(3));
        let key = &self.other.encryption;
        let request = KeyRequest::new(federation, number, Purpose::Encryption, key, Some(old), String::new());
        let grant = request.verify(&federation).expect("it is proven");
        let replace = Operation::ReplaceKey { seal: Seal { key: old, last: None }, grant };
        self.secretariat.try_append(&mut self.charter, vec![replace]).expect("the other is a member");
        self.append_last_block().await;
    }
}
