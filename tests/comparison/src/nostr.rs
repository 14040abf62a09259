//! nostr: the author publishes to a relay in its own process, the receiver reconciles with that relay by negentropy
//! (NIP-77) and follows it by a subscription; both keep events in LMDB.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use nostr_lmdb::NostrLMDB;
use nostr_relay_builder::{LocalRelay, RelayBuilder, builder::RateLimit};
use nostr_sdk::prelude::*;

use crate::record::Record;
use crate::served::{Node, version_of};
use crate::system::About;

/// Events that are asked for at a time, once reconciliation has told which are missing.
const FETCHED_AT_A_TIME: usize = 500;
/// Reconciliations until nothing may be missing any more.
const ROUNDS_MAX: usize = 10;
/// Events that are signed and stored at a time.
const AT_A_TIME: usize = 256;
/// Relays limit how fast one may publish; that is not what is compared.
const EVENTS_PER_MINUTE: u32 = 1_000_000;
/// How long a relay may take to answer to the first message of a reconciliation.
const ANSWER: Duration = Duration::from_secs(60);
/// The time of the first record. Each further one is a second later.
const BEGUN_S: u64 = 1_700_000_000;
/// An ordinary event: kept, and not replaced by a later one.
const KIND: Kind = Kind::TextNote;

/// A client with its database, and a relay if it is the author.
pub struct Nostr {
    keys: Keys,
    client: Client,
    database: std::sync::Arc<NostrLMDB>,
    relay: Option<LocalRelay>,
}

impl Nostr {
    /// Opens the database.
    pub async fn open(directory: &Path) -> Result<Self> {
        let database = std::sync::Arc::new(NostrLMDB::open(directory)?);
        let client = Client::builder().database(std::sync::Arc::clone(&database)).build();
        Ok(Self { keys: Keys::generate(), client, database, relay: None })
    }

    fn event(&self, index: usize) -> Result<Event> {
        let record = Record::new(index);
        let event = EventBuilder::new(KIND, record.content())
            .tag(Tag::identifier(record.number))
            .custom_created_at(Timestamp::from(BEGUN_S + index as u64));
        Ok(event.sign_with_keys(&self.keys)?)
    }
}

impl Node for Nostr {
    fn about(&self) -> About {
        About {
            version: ["nostr-relay-builder", "nostr-sdk", "nostr-lmdb"].map(version_of).join(", "),
            durability: "LMDB commits with fsync, events that wait together in one commit".into(),
            signed: "one Schnorr signature (secp256k1) per record".into(),
        }
    }

    async fn found(&mut self) -> Result<String> {
        let limit = RateLimit { notes_per_minute: EVENTS_PER_MINUTE, ..RateLimit::default() };
        let builder = RelayBuilder::default()
            .addr(IpAddr::V4(Ipv4Addr::LOCALHOST))
            .rate_limit(limit)
            .database(std::sync::Arc::clone(&self.database));
        let relay = LocalRelay::new(builder);
        relay.run().await?;
        let url = relay.url().await.to_string();
        self.relay = Some(relay);
        // Publishing one by one goes through the relay, which tells its subscribers. This client keeps nothing itself.
        self.client = Client::default();
        self.client.add_relay(&url).await?;
        self.client.connect().await;
        Ok(url)
    }

    async fn publish(&mut self, records: Range<usize>) -> Result<()> {
        let this = &*self;
        let saved = stream::iter(records).map(|index| async move {
            let saved = this.database.save_event(&this.event(index)?).await?;
            ensure!(saved.is_success(), "record {index} was not stored");
            Ok(())
        });
        saved.buffer_unordered(AT_A_TIME).try_collect::<()>().await
    }

    async fn publish_one(&mut self, index: usize) -> Result<String> {
        let output = self.client.send_event(&self.event(index)?).await?;
        ensure!(output.failed.is_empty(), "{:?}", output.failed);
        Ok(output.val.to_hex())
    }

    async fn join(&mut self, ticket: &str) -> Result<()> {
        self.client.add_relay(ticket).await?;
        Ok(())
    }

    async fn sync(&mut self, fresh: usize) -> Result<()> {
        self.client.connect().await;
        self.client.wait_for_connection(ANSWER).await;
        // Reconciliation tells what is missing; the events are fetched by their ids. The two in one call lose events in
        // this release, about every second one.
        let options = SyncOptions::default().initial_timeout(ANSWER).dry_run();
        let (mut fetched, mut is_complete) = (0, false);
        for _ in 0..ROUNDS_MAX {
            let output = self.client.sync(Filter::new().kind(KIND), &options).await?;
            ensure!(output.failed.is_empty(), "{:?}", output.failed);
            let missing: Vec<EventId> = output.val.remote.into_iter().collect();
            is_complete = missing.is_empty();
            if is_complete {
                break;
            }
            for ids in missing.chunks(FETCHED_AT_A_TIME) {
                let filter = Filter::new().ids(ids.iter().copied());
                fetched += self.client.fetch_events(filter, ANSWER).await?.len();
            }
        }
        ensure!(is_complete && fetched >= fresh, "{fetched} of {fresh} events came");
        self.client.subscribe(Filter::new().kind(KIND).limit(0), None).await?;
        Ok(())
    }

    async fn check(&mut self) -> Result<usize> {
        let events = self.database.query(Filter::new().kind(KIND)).await?;
        for event in events.iter() {
            let number = event.tags.identifier().context("a record's own number")?;
            let wanted = Record::new(Record::index_of(number).context("a record's own number")?);
            ensure!(event.content == wanted.content(), "{number} differs");
        }
        Ok(events.len())
    }

    async fn is_readable(&mut self, handle: &str) -> Result<bool> {
        Ok(self.database.event_by_id(&EventId::from_hex(handle)?).await?.is_some())
    }

    async fn finish(self) -> Result<()> {
        self.client.shutdown().await;
        if let Some(relay) = self.relay {
            relay.shutdown();
        }
        Ok(())
    }
}
