//! Duplicate leads on a node (requirements F046, F047): which of this member's leads another member has too, and which of
//! them may be one by their names. What is secret and how: `protocol::lead_token`.
//!
//! - [`book`]: the own leads, how far their secrets are, and what was found; durable.
//! - `feed` enters what this member publishes or keeps here; the operator enters codes by hand.
//! - `asker` asks the two holders for what is lacking; it waits, and says for whom, while one is away.
//! - `watch` tries secrets on tokens and states tokens of its own. A lead becomes a notice on both sides.
//! - [`holder`] and [`ledger`]: the same member as a holder, if the charter names it.
//! - [`names`]: likeness of names, for this node's people alone.
//! - `view` says all that in the words of the API.
//!
//! One task goes round: feed, ask, try, state. Nothing of it holds a lock of the node for longer than looking up places.

mod asker;
pub mod book;
mod feed;
pub mod holder;
pub mod ledger;
pub mod names;
mod view;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use parking_lot::Mutex;
use protocol::charter::Purpose;
use protocol::identity::{MemberNumber, PublicKey};
use protocol::lead_token::{CreditCode, HolderSlot, LeadEpoch};
use protocol::limits::LEAD_CONTACT_BYTES_MAX;
use protocol::value::Value;
use tokio::sync::Notify;

use crate::config::LeadsConfig;
use crate::core::{Core, now_ms};
use crate::directory::{DataDirectory, DirectoryError};
use crate::kinds::kinds;
use crate::network::{Network, PeerStream};
use asker::Line;
use book::{Book, BookError, LeadId, Source};
use holder::Holder;
use names::NameIndex;
use watch::{Places, Sweep};

pub use feed::LEAD_KIND;
pub use view::{CheckError, Checked};

/// The shortest time between two rounds that a change of state began.
const PAUSE: Duration = Duration::from_millis(300);
/// The longest time between two rounds.
const ROUND: Duration = Duration::from_secs(60);
/// How often the places are written while they move.
const PLACES_EVERY_MS: u64 = 60 * 1_000;
/// The kind whose record says whom to call when the settings do not.
const MEMBER_KIND: &str = "member";
/// Its field: the office that answers for others.
const DEPARTMENT_FIELD: &str = "department";

/// The search for duplicate leads. Clones are cheap and share it.
#[derive(Clone)]
pub struct Leads(Arc<Shared>);

/// What the parts share.
pub struct Shared {
    core: Core,
    network: Network,
    directory: DataDirectory,
    settings: LeadsConfig,
    /// Whether this node may dial members at the addresses that they stated.
    discovery: bool,
    holder: Arc<Holder>,
    book: Mutex<Book>,
    /// How it stands with each holder.
    lines: [Mutex<Line>; 2],
    places: Mutex<Places>,
    places_written: Mutex<(u64, Places)>,
    sweep: Mutex<Sweep>,
    names: Mutex<NameIndex>,
    poked: Notify,
}

impl std::ops::Deref for Leads {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Leads {
    /// The search of a node. `seeds` are those of holders' keys that were opened at the start.
    pub fn open(
        core: Core,
        network: Network,
        directory: DataDirectory,
        settings: LeadsConfig,
        discovery: bool,
        seeds: &[SigningKey],
    ) -> Result<Self, DirectoryError> {
        let folder = directory.leads_path();
        let (book, places) = (Book::open(folder.clone())?, Places::open(&folder));
        let holder = Arc::new(Holder::new(core.clone(), directory.clone(), seeds));
        Ok(Self(Arc::new(Shared {
            core,
            network,
            directory,
            settings,
            discovery,
            holder,
            book: Mutex::new(book),
            lines: Default::default(),
            places_written: Mutex::new((0, places.clone())),
            places: Mutex::new(places),
            sweep: Mutex::default(),
            names: Mutex::default(),
            poked: Notify::new(),
        })))
    }

    /// Works until the node stops.
    pub async fn run(self) {
        let mut changes = self.core.changes();
        let local = self.clone();
        // What it does is in the book; a panic of it is told by the runtime.
        let _ = tokio::task::spawn_blocking(move || local.feed_local()).await;
        while !self.core.has_failed() {
            changes.borrow_and_update();
            let more = self.round().await;
            if more {
                tokio::task::yield_now().await;
                continue;
            }
            let woken = tokio::select! {
                changed = changes.changed() => changed.is_ok(),
                () = self.poked.notified() => true,
                () = tokio::time::sleep(self.rest()) => true,
            };
            if !woken {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Feeds, asks, tries and states once. Says whether there is more to do at once.
    async fn round(&self) -> bool {
        let Some((own, _)) = self.core.own() else { return false };
        let epoch = self.enter_epoch();
        let fed = self.blocking(move |leads| {
            leads.holder.promote();
            leads.feed(own)
        });
        let fed = fed.await.unwrap_or(false);
        let Some(epoch) = epoch else { return fed };
        let (one, two) = futures::join!(self.ask(&epoch, HolderSlot::One), self.ask(&epoch, HolderSlot::Two));
        let watched = self.blocking(move |leads| {
            let more = leads.watch(own);
            leads.write_places();
            more
        });
        let watched = watched.await.unwrap_or(false);
        let stated = self.state_tokens(own).await;
        fed || one || two || watched || stated
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> T + Send + 'static) -> Option<T> {
        let leads = self.clone();
        tokio::task::spawn_blocking(move || work(&leads)).await.ok()
    }

    /// Goes by the epoch of the charter; a new one is asked for at once.
    fn enter_epoch(&self) -> Option<LeadEpoch> {
        let epoch = self.core.read(|state| state.replica.charter().lead_epoch());
        let number = epoch.map_or(0, |epoch| epoch.epoch);
        let before = {
            let mut book = self.book.lock();
            let before = book.epoch();
            book.enter_epoch(number);
            before
        };
        if before != number {
            self.lines.iter().for_each(|line| *line.lock() = Line::default());
            *self.sweep.lock() = Sweep::default();
        }
        epoch
    }

    /// How long the task rests when nothing happens.
    fn rest(&self) -> Duration {
        let now_ms = now_ms();
        let due = self.lines.iter().map(|line| line.lock().again_ms).filter(|again_ms| *again_ms > now_ms).min();
        due.map_or(ROUND, |due| Duration::from_millis(due - now_ms).min(ROUND))
    }

    /// Writes the places when they moved and were not written for a while. They are a shortcut: a crash costs work.
    fn write_places(&self) {
        let places = self.places.lock().clone();
        let mut written = self.places_written.lock();
        if written.1 == places || now_ms().saturating_sub(written.0) < PLACES_EVERY_MS {
            return;
        }
        match places.write(&self.directory.leads_path()) {
            Ok(()) => *written = (now_ms(), places),
            Err(error) => tracing::warn!(%error, "the places of the search for duplicate leads cannot be written"),
        }
    }

    /// Something changed that the state does not tell: a round begins soon.
    pub fn poke(&self) {
        self.poked.notify_one();
    }

    /// A member has connected: if it is a holder that was away, it is asked at once.
    pub fn connected(&self, peer: PublicKey) {
        let slot = self.core.read(|state| {
            let charter = state.replica.charter();
            charter.lead_epoch()?.slot_of(charter.holder(&peer, Purpose::Transport)?)
        });
        if let Some(slot) = slot {
            self.lines[slot.index()].lock().wake();
            self.poke();
        }
    }

    /// Answers a stream that a member opened.
    pub async fn serve(self, peer: PublicKey, stream: PeerStream) {
        Arc::clone(&self.holder).serve(peer, stream).await;
    }

    /// Enters a code that a person gives, with what the person calls it. Blocks.
    pub fn enter(&self, code: &CreditCode, reference: &str) -> Result<LeadId, BookError> {
        let id = self.book.lock().enter_by_hand(code, reference)?;
        self.poke();
        Ok(id)
    }

    /// Enters the code that a document states, whatever the settings say. Blocks.
    pub(crate) fn enter_for(&self, source: &Source, code: &CreditCode) -> Result<LeadId, BookError> {
        let mut book = self.book.lock();
        let id = book.state(source, Some(code))?.ok_or_else(|| BookError::Unknown(String::new()))?;
        book.change(&id, |lead| lead.ended = false)?;
        drop(book);
        self.poke();
        Ok(id)
    }

    /// Whom others are told to call: the settings; else the office in this member's own public record; else its name.
    fn contact(&self, own: MemberNumber) -> String {
        let configured = self.settings.contact.trim();
        if !configured.is_empty() {
            return shorten(configured, LEAD_CONTACT_BYTES_MAX);
        }
        let name = self.core.read(|state| {
            let member = state.replica.charter().members().get(&own);
            member.map(|member| member.name.clone()).unwrap_or_default()
        });
        let office = self.department(own).unwrap_or_default();
        shorten(format!("{name} {office}").trim(), LEAD_CONTACT_BYTES_MAX)
    }

    /// The office in the member's own record, if everybody reads it there.
    fn department(&self, own: MemberNumber) -> Option<String> {
        let kind = kinds().kind_named(MEMBER_KIND)?;
        let field = kind.field_named(DEPARTMENT_FIELD)?.number;
        let as_of_ms = self.core.as_of_ms();
        self.core.read(|state| {
            let id = state.view().list(Some(kind.number()), Some(own)).next()?;
            let record = state.view().record(&id, as_of_ms, &self.core).filter(|record| record.withdrawn.is_none())?;
            match record.fields.get(&field) {
                Some(Value::Text(text)) => Some(text.replace(['\n', '\t'], " ")),
                _ => None,
            }
        })
    }
}

/// A text of so many bytes at most, cut between characters.
fn shorten(text: &str, bytes_max: usize) -> String {
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= bytes_max).last();
    text[..end.unwrap_or(0)].to_owned()
}
