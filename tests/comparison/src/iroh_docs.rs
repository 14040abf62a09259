//! iroh-docs: a document replicated between two endpoints, entries in redb and contents in the file store of iroh-blobs.
//!
//! Endpoints are bound to 127.0.0.1, without relays, address lookup by others and port mapping.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use iroh::endpoint::{RelayMode, presets};
use iroh::protocol::Router;
use iroh::{Endpoint, EndpointAddr};
use iroh_blobs::BlobsProtocol;
use iroh_blobs::store::fs::FsStore;
use iroh_docs::api::Doc;
use iroh_docs::api::protocol::{AddrInfoOptions, ShareMode};
use iroh_docs::engine::LiveEvent;
use iroh_docs::protocol::Docs;
use iroh_docs::store::Query;
use iroh_docs::{AuthorId, DocTicket};
use iroh_gossip::net::Gossip;
use tokio::sync::Notify;

use crate::record::Record;
use crate::served::{Node, version_of};
use crate::system::About;

/// Entries that are set at a time.
const AT_A_TIME: usize = 256;
/// Sessions that may fail before it is given up.
const FAILURES_MAX: usize = 20;
/// How a session ends, on a fast line, whose peer hung up first when everything was said. The release reports it as a
/// failure; whether everything is there is checked afterwards anyway.
const HUNG_UP: &str = "Failed to close connection";

/// What the events of the document have told since this process started.
#[derive(Default)]
struct Seen {
    sessions: AtomicUsize,
    failures: AtomicUsize,
    contents: AtomicUsize,
    changed: Notify,
}

/// One endpoint with its stores.
pub struct IrohDocs {
    router: Router,
    blobs: FsStore,
    docs: Docs,
    author: AuthorId,
    doc: Option<Doc>,
    peers: Vec<EndpointAddr>,
    seen: Arc<Seen>,
}

impl IrohDocs {
    /// Opens the stores and binds the endpoint.
    pub async fn open(directory: &Path) -> Result<Self> {
        let builder = Endpoint::builder(presets::Minimal).relay_mode(RelayMode::Disabled).clear_ip_transports();
        let endpoint = builder.bind_addr("127.0.0.1:0")?.bind().await?;
        let blobs = FsStore::load(directory.join("blobs")).await?;
        let gossip = Gossip::builder().spawn(endpoint.clone());
        let folder = directory.join("docs");
        std::fs::create_dir_all(&folder)?;
        let docs = Docs::persistent(folder).spawn(endpoint.clone(), (*blobs).clone(), gossip.clone()).await?;
        let router = Router::builder(endpoint)
            .accept(iroh_blobs::ALPN, BlobsProtocol::new(&blobs, None))
            .accept(iroh_gossip::ALPN, gossip)
            .accept(iroh_docs::ALPN, docs.clone())
            .spawn();
        let author = docs.api().author_default().await?;
        Ok(Self { router, blobs, docs, author, doc: None, peers: Vec::new(), seen: Arc::default() })
    }

    fn doc(&self) -> Result<&Doc> {
        self.doc.as_ref().context("there is a document")
    }

    async fn set(&self, index: usize) -> Result<()> {
        let record = Record::new(index);
        let content = record.content();
        self.doc()?.set_bytes(self.author, record.number, content).await?;
        Ok(())
    }

    /// Counts what happens to the document from now on.
    async fn watch(&self) -> Result<()> {
        let mut events = self.doc()?.subscribe().await?;
        let seen = Arc::clone(&self.seen);
        tokio::spawn(async move {
            while let Some(Ok(event)) = events.next().await {
                match event {
                    LiveEvent::SyncFinished(session) => match &session.result {
                        Err(error) if !error.starts_with(HUNG_UP) => {
                            eprintln!("a session failed: {error}");
                            &seen.failures
                        }
                        _ => &seen.sessions,
                    },
                    LiveEvent::ContentReady { .. } => &seen.contents,
                    _ => continue,
                }
                .fetch_add(1, Ordering::SeqCst);
                seen.changed.notify_one();
            }
        });
        Ok(())
    }
}

impl Node for IrohDocs {
    fn about(&self) -> About {
        About {
            version: format!("{}, {}, {}", version_of("iroh-docs"), version_of("iroh"), version_of("iroh-blobs")),
            durability: "redb commits with fsync, up to 500 ms behind what can be read".into(),
            signed: "two Ed25519 signatures per record (author, document)".into(),
        }
    }

    async fn found(&mut self) -> Result<String> {
        let doc = self.docs.api().create().await?;
        let ticket = doc.share(ShareMode::Read, AddrInfoOptions::Addresses).await?;
        doc.start_sync(Vec::new()).await?;
        self.doc = Some(doc);
        Ok(ticket.to_string())
    }

    async fn publish(&mut self, records: Range<usize>) -> Result<()> {
        let set = stream::iter(records).map(|index| self.set(index)).buffer_unordered(AT_A_TIME);
        set.try_collect::<()>().await?;
        self.blobs.sync_db().await?;
        Ok(())
    }

    async fn publish_one(&mut self, index: usize) -> Result<String> {
        self.set(index).await?;
        Ok(Record::new(index).number)
    }

    async fn join(&mut self, ticket: &str) -> Result<()> {
        let ticket: DocTicket = ticket.parse()?;
        self.doc = Some(self.docs.api().import_namespace(ticket.capability).await?);
        self.peers = ticket.nodes;
        self.watch().await
    }

    async fn sync(&mut self, fresh: usize) -> Result<()> {
        let seen = &self.seen;
        let mut failures = 0;
        self.doc()?.start_sync(self.peers.clone()).await?;
        // The driver limits how long this may take.
        while seen.sessions.load(Ordering::SeqCst) == 0 || seen.contents.load(Ordering::SeqCst) < fresh {
            seen.changed.notified().await;
            if seen.failures.load(Ordering::SeqCst) > failures {
                failures += 1;
                ensure!(failures <= FAILURES_MAX, "{failures} sessions failed");
                self.doc()?.start_sync(self.peers.clone()).await?;
            }
        }
        if fresh > 0 {
            self.blobs.sync_db().await?;
        }
        Ok(())
    }

    async fn check(&mut self) -> Result<usize> {
        let mut entries = Box::pin(self.doc()?.get_many(Query::all()).await?);
        let mut count = 0;
        while let Some(entry) = entries.next().await {
            let entry = entry?;
            let number = String::from_utf8_lossy(entry.key()).into_owned();
            let content = self.blobs.get_bytes(entry.content_hash()).await?;
            let wanted = Record::new(Record::index_of(&number).context("a record's own number")?);
            ensure!(content == wanted.content().as_bytes(), "{number} differs");
            count += 1;
        }
        Ok(count)
    }

    async fn is_readable(&mut self, handle: &str) -> Result<bool> {
        let query = Query::single_latest_per_key().key_exact(handle);
        let Some(entry) = self.doc()?.get_one(query).await? else { return Ok(false) };
        if !self.blobs.has(entry.content_hash()).await? {
            return Ok(false);
        }
        Ok(self.blobs.get_bytes(entry.content_hash()).await?.len() as u64 == entry.content_len())
    }

    async fn finish(self) -> Result<()> {
        self.router.shutdown().await?;
        Ok(())
    }
}
