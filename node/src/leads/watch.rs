//! Trying: every new token of others against the secrets of all own leads, and every new secret against all tokens that
//! there are. Both go on in rounds of bounded work, from where they stood; what was tried already is remembered on disk,
//! and trying again does no harm.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use protocol::charter::LogNumber;
use protocol::entry::{Draft, VerifiedEntry};
use protocol::identity::{EntryId, MemberNumber};
use protocol::lead_token::{KIND_LEAD_TOKEN, LeadNote, LeadSecret, LeadToken};
use protocol::limits::BODY_NONCE_BYTES;
use protocol::view::Place;
use serde::{Deserialize, Serialize};

use super::Leads;
use super::book::{BookError, Lead, LeadId, Notice, TokenPlace};
use crate::core::{State, now_ms};
use crate::directory::{DirectoryError, private_directory, replace_private};

/// Tokens that one round reads.
const TOKENS_PER_ROUND: usize = 5_000;
/// Secrets that one round tries, over all its tokens.
const TRIES_PER_ROUND: usize = 2_000_000;
/// Tokens that one round states.
const STATED_PER_ROUND: usize = 64;
/// The file of the places.
const PLACES_FILE: &str = "places.json";
/// Longest file of places, in bytes: a line for each log of a federation.
const PLACES_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// How far something has gone through the logs: for each its length and the id of the last entry. Where that entry
/// stands no more, the log is gone through anew.
pub(super) type Reached = BTreeMap<LogNumber, (u64, EntryId)>;

/// What is remembered of where this node stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Places {
    /// Below it every token was tried with the secret of every lead that is marked as tried.
    pub(super) tokens: Reached,
    /// Below it every entry of the own logs was looked at for leads.
    pub(super) own: Reached,
}

impl Places {
    /// Reads the places of a folder. What cannot be read is gone through again.
    pub(super) fn open(folder: &Path) -> Self {
        let path = folder.join(PLACES_FILE);
        let short = fs::metadata(&path).is_ok_and(|found| found.len() <= PLACES_BYTES_MAX);
        let text = if short { fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), DirectoryError> {
        private_directory(folder)?;
        replace_private(&folder.join(PLACES_FILE), &serde_json::to_vec(self).unwrap_or_default())
    }
}

/// Where a log is gone on with.
pub(super) fn resume(reached: &Reached, log: LogNumber, state: &State) -> u64 {
    let Some((length, last)) = reached.get(&log) else { return 0 };
    let stands = *length == 0 || state.replica.id(log, length - 1) == Some(*last);
    if stands && *length <= state.replica.effective_length(log) { *length } else { 0 }
}

/// Notes how far a log was gone through.
pub(super) fn reach(reached: &mut Reached, log: LogNumber, length: u64, state: &State) {
    let last = length.checked_sub(1).and_then(|last| state.replica.id(log, last));
    reached.insert(log, (length, last.unwrap_or(EntryId::ZERO)));
}

/// New secrets on their way through the tokens that were there before them.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    leads: BTreeSet<LeadId>,
    next: Option<Place>,
}

/// A secret to try.
struct Trial {
    id: LeadId,
    secret: LeadSecret,
}

/// Tokens of one log.
struct Stretch {
    author: MemberNumber,
    tokens: Vec<Place>,
    from: u64,
    /// Where the log is gone through when all of these are tried.
    until: u64,
}

/// How far a stretch was gone through.
struct Tried {
    /// Below it nothing needs to be looked at again: no token that cannot be read yet, or whose time has not come.
    settled: u64,
    /// Where this round ended.
    next: u64,
}

/// What fits.
struct Hit {
    id: LeadId,
    author: MemberNumber,
    token: TokenPlace,
    time_ms: u64,
    note: LeadNote,
}

/// What one round may still do.
struct Budget {
    tokens: usize,
    tries: usize,
}

impl Budget {
    fn is_spent(&self) -> bool {
        self.tokens == 0 || self.tries == 0
    }
}

impl Leads {
    /// One round: new tokens first, then new secrets. Says whether there is more to do. Blocks: it reads the store.
    pub(super) fn watch(&self, own: MemberNumber) -> bool {
        self.make_secrets();
        self.look_after_tokens();
        // Each has a budget of its own: tokens that stay new for long would keep old ones from being tried.
        let mut for_new = Budget { tokens: TOKENS_PER_ROUND, tries: TRIES_PER_ROUND };
        let mut for_old = Budget { tokens: TOKENS_PER_ROUND, tries: TRIES_PER_ROUND };
        let gone_on = self.try_new_tokens(own, &mut for_new);
        let swept = self.sweep_new_secrets(own, &mut for_old);
        // A round that got nowhere waits for something to change.
        (for_new.is_spent() || for_old.is_spent()) && (gone_on || swept)
    }

    /// Makes secrets of what both holders answered.
    fn make_secrets(&self) {
        let federation = self.core.federation();
        let mut book = self.book.lock();
        let current = book.epoch();
        let ready = book.leads().filter(|(_, lead)| lead.epoch == current);
        let ready = ready.filter_map(|(id, lead)| Some((id.clone(), lead.epoch, lead.outputs()?)));
        for (id, epoch, outputs) in ready.collect::<Vec<_>>() {
            let secret = LeadSecret::derive(&federation, epoch, &outputs);
            log_failure(book.change(&id, |lead| lead.set_secret(&secret)));
        }
    }

    /// Sees which tokens, of this node and of others, stand no more.
    fn look_after_tokens(&self) {
        let mut book = self.book.lock();
        let named = book.leads().filter(|(_, lead)| lead.token.is_some() || !lead.notices.is_empty());
        let epoch = book.epoch();
        let named: Vec<_> = named
            .map(|(id, lead)| {
                let own = lead.token.filter(|_| lead.epoch == epoch);
                (id.clone(), own, lead.notices.iter().filter(|it| !it.taken_back).map(|it| it.token).collect())
            })
            .collect();
        let gone = self.core.read(|state| {
            let found = |(id, token, noticed): (LeadId, Option<TokenPlace>, Vec<TokenPlace>)| {
                let own = token.filter(|place| !stands(state, place));
                let erased = own.is_some_and(|place| state.replica.erased(place.log, place.sequence).is_some());
                let noticed: Vec<TokenPlace> = noticed.into_iter().filter(|place| !stands(state, place)).collect();
                (own.is_some() || !noticed.is_empty()).then_some((id, own.is_some(), erased, noticed))
            };
            named.into_iter().filter_map(found).collect::<Vec<_>>()
        });
        for (id, own, erased, noticed) in gone {
            let changed = book.change(&id, |lead| {
                if own {
                    // What its owner erased is not stated again; what a seal left behind is.
                    (lead.token, lead.ended) = (None, lead.ended || erased);
                }
                for notice in lead.notices.iter_mut().filter(|notice| noticed.contains(&notice.token)) {
                    notice.taken_back = true;
                    notice.contact.clear();
                    notice.reference.clear();
                }
            });
            log_failure(changed);
        }
    }

    /// Tokens that came since the last round, with every secret.
    fn try_new_tokens(&self, own: MemberNumber, budget: &mut Budget) -> bool {
        let mut gone_on = false;
        let trials = self.trials(|_| true);
        let logs = self.core.read(|state| state.replica.charter().logs().len() as LogNumber);
        // Each round begins elsewhere, so that no log with tokens that cannot be read yet takes every round's budget.
        let start = (now_ms() / 1_000) as LogNumber % logs.max(1);
        for log in (start..logs).chain(0..start) {
            if budget.is_spent() {
                break;
            }
            let stretch = {
                let places = self.places.lock();
                self.core.read(|state| stretch(state, log, resume(&places.tokens, log, state), None, budget.tokens))
            };
            let Some(stretch) = stretch else { continue };
            let settled = match trials.is_empty() {
                true => stretch.until,
                false => self.try_stretch(own, &stretch, &trials, budget).settled,
            };
            gone_on |= settled > stretch.from;
            let mut places = self.places.lock();
            self.core.read(|state| reach(&mut places.tokens, log, settled, state));
        }
        gone_on
    }

    /// Tokens that were there before, with the secrets that are new.
    fn sweep_new_secrets(&self, own: MemberNumber, budget: &mut Budget) -> bool {
        let mut sweep = self.sweep.lock();
        if sweep.leads.is_empty() {
            let fresh = self.trials(|tried| !tried).into_iter().map(|trial| trial.id);
            *sweep = Sweep { leads: fresh.collect(), next: None };
        }
        if sweep.leads.is_empty() || budget.is_spent() {
            return false;
        }
        let trials: Vec<Trial> = self.trials(|_| true).into_iter().filter(|it| sweep.leads.contains(&it.id)).collect();
        let logs = self.core.read(|state| state.replica.charter().logs().len() as LogNumber);
        let begin = sweep.next.unwrap_or(Place { log: 0, sequence: 0 });
        for log in begin.log..logs {
            let from = if log == begin.log { begin.sequence } else { 0 };
            let stretch = {
                let places = self.places.lock();
                self.core.read(|state| {
                    let until = resume(&places.tokens, log, state);
                    stretch(state, log, from, Some(until), budget.tokens)
                })
            };
            let Some(stretch) = stretch else { continue };
            let Tried { settled, next } = self.try_stretch(own, &stretch, &trials, budget);
            if settled < next {
                // What could not be read yet is met again on the way of new tokens, which every secret goes.
                let mut places = self.places.lock();
                self.core.read(|state| {
                    let reached = resume(&places.tokens, log, state).min(settled);
                    reach(&mut places.tokens, log, reached, state);
                });
            }
            if budget.is_spent() {
                sweep.next = Some(Place { log, sequence: next });
                return true;
            }
        }
        let mut book = self.book.lock();
        for id in std::mem::take(&mut *sweep).leads {
            log_failure(book.change(&id, |lead| lead.tried = lead.secret().is_some()));
        }
        true
    }

    /// Secrets of this epoch whose leads are, or are not, marked as tried.
    fn trials(&self, wanted: impl Fn(bool) -> bool) -> Vec<Trial> {
        let book = self.book.lock();
        let leads = book.leads().filter(|(_, lead)| lead.epoch == book.epoch() && wanted(lead.tried));
        leads.filter_map(|(id, lead)| Some(Trial { id: id.clone(), secret: lead.secret()? })).collect()
    }

    /// Tries secrets on the tokens of a log.
    fn try_stretch(&self, own: MemberNumber, stretch: &Stretch, trials: &[Trial], budget: &mut Budget) -> Tried {
        let epoch = self.book.lock().epoch();
        let as_of_ms = self.core.as_of_ms();
        let mut hits = Vec::new();
        let mut tried = Tried { settled: stretch.until, next: stretch.until };
        for place in &stretch.tokens {
            if budget.is_spent() {
                (tried.settled, tried.next) = (tried.settled.min(place.sequence), place.sequence);
                break;
            }
            let entry = self.core.store().entry(place.log, place.sequence).ok().flatten();
            budget.tokens -= 1;
            let Some((entry, token)) = entry.and_then(read_token) else {
                tried.settled = tried.settled.min(place.sequence);
                continue;
            };
            let Ok(token) = token else { continue };
            if entry.header().time_ms > as_of_ms {
                tried.settled = tried.settled.min(place.sequence);
                continue;
            }
            if token.epoch() != epoch {
                continue;
            }
            budget.tries = budget.tries.saturating_sub(trials.len());
            hits.extend(trials.iter().filter_map(|trial| hit(trial, *place, &entry, &token, stretch.author)));
        }
        if !self.note(own, hits) {
            // What the book did not take is found again from the same tokens.
            tried.settled = stretch.from;
        }
        tried
    }

    /// Keeps what was found: of others as notices, and one's own as what was stated already. Says whether the book took
    /// all of it.
    fn note(&self, own: MemberNumber, hits: Vec<Hit>) -> bool {
        let mut book = self.book.lock();
        let mut all_kept = true;
        for Hit { id, author, token, time_ms, note } in hits {
            let mut new = false;
            let changed = book.change(&id, |lead| {
                if author == own {
                    lead.token.get_or_insert(token);
                    lead.stated_ms = Some(lead.stated_ms.map_or(time_ms, |known| known.min(time_ms)));
                    lead.added_ms = lead.added_ms.min(note.entered_ms);
                    return;
                }
                let LeadNote { entered_ms, reference, contact } = note;
                let (found_ms, taken_back) = (now_ms(), false);
                new = lead.note(Notice {
                    member: author,
                    token,
                    time_ms,
                    entered_ms,
                    reference,
                    contact,
                    found_ms,
                    taken_back,
                });
            });
            let kept = !matches!(changed, Err(BookError::Directory(_)));
            log_failure(changed);
            all_kept &= kept;
            if new && kept {
                self.core.counters().add("lead-notices", 1);
                tracing::info!(lead = id, member = author.0, "another member has one of this node's leads");
            }
        }
        all_kept
    }

    /// States tokens for leads that have none, once their secrets were tried on everything: a token that stands in the
    /// own log already is found so. Says whether there are more.
    pub(super) async fn state_tokens(&self, own: MemberNumber) -> bool {
        if self.core.publishing_obstacle().is_some() {
            return false;
        }
        let (leads, contact) = (self.clone(), self.clone());
        let contact = tokio::task::spawn_blocking(move || contact.contact(own)).await.unwrap_or_default();
        let made = tokio::task::spawn_blocking(move || leads.make_tokens(own, &contact)).await.unwrap_or_default();
        if made.is_empty() {
            return false;
        }
        let more = made.len() == STATED_PER_ROUND;
        let (ids, drafts): (Vec<LeadId>, Vec<Draft>) = made.into_iter().unzip();
        let entries = match self.core.publish(drafts).await {
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!(%error, "tokens of leads were not stated yet");
                return false;
            }
        };
        let Some((_, log)) = self.core.own() else { return false };
        self.core.counters().add("lead-tokens-stated", ids.len() as u64);
        self.blocking(move |leads| leads.remember_tokens(log, &ids, &entries)).await;
        more
    }

    /// Notes in the book which tokens were stated. Blocks: it writes files.
    fn remember_tokens(&self, log: LogNumber, ids: &[LeadId], entries: &[Arc<VerifiedEntry>]) {
        let mut book = self.book.lock();
        for (id, entry) in ids.iter().zip(entries) {
            let header = entry.header();
            let token = TokenPlace { log, sequence: header.sequence, entry: entry.id() };
            log_failure(book.change(id, |lead| {
                lead.token = Some(token);
                lead.stated_ms = Some(lead.stated_ms.map_or(header.time_ms, |known| known.min(header.time_ms)));
            }));
        }
    }

    fn make_tokens(&self, own: MemberNumber, contact: &str) -> Vec<(LeadId, Draft)> {
        let wanted: Vec<_> = {
            let book = self.book.lock();
            let epoch = book.epoch();
            let due = book
                .leads()
                .filter(|(_, lead)| lead.epoch == epoch && lead.tried && lead.token.is_none() && !lead.ended);
            due.take(STATED_PER_ROUND).map(|(id, lead)| (id.clone(), lead.clone())).collect()
        };
        let make = |(id, lead): (LeadId, Lead)| {
            let mut nonce = [0; BODY_NONCE_BYTES];
            getrandom::fill(&mut nonce).ok()?;
            let reference = self.reference(&lead);
            let note = LeadNote { entered_ms: lead.added_ms, reference, contact: contact.to_owned() };
            let token = LeadToken::seal(&lead.secret()?, lead.epoch, own, &note, nonce);
            let token = token.map_err(|error| tracing::error!(%error, "a token cannot be made")).ok()?;
            Some((id, Draft { kind: KIND_LEAD_TOKEN, body: token.encode() }))
        };
        wanted.into_iter().filter_map(make).collect()
    }
}

/// Whether a token stands where it stood, and is not erased.
fn stands(state: &State, place: &TokenPlace) -> bool {
    let there = Place { log: place.log, sequence: place.sequence };
    let listed = state.view().lead_tokens(place.log, place.sequence).next() == Some(there);
    listed && state.replica.id(place.log, place.sequence) == Some(place.entry)
}

/// The tokens of a log from a place on, before another one or its end; `None` where there is nothing to go through.
fn stretch(state: &State, log: LogNumber, from: u64, until: Option<u64>, bound: usize) -> Option<Stretch> {
    let author = state.replica.charter().logs().get(log as usize)?.member;
    let end = until.unwrap_or_else(|| state.replica.effective_length(log));
    if from >= end {
        return None;
    }
    let mut tokens: Vec<Place> =
        state.view().lead_tokens(log, from).take_while(|place| place.sequence < end).take(bound + 1).collect();
    // What does not fit a round begins the next one.
    let until = if tokens.len() > bound { tokens.pop().map_or(end, |place| place.sequence) } else { end };
    Some(Stretch { author, tokens, from, until })
}

/// The token of an entry; `None` while its body is not here.
fn read_token(entry: Arc<VerifiedEntry>) -> Option<(Arc<VerifiedEntry>, Result<LeadToken, ()>)> {
    let token = LeadToken::decode(entry.body()?).map_err(|_| ());
    Some((entry, token))
}

fn hit(trial: &Trial, place: Place, entry: &VerifiedEntry, token: &LeadToken, author: MemberNumber) -> Option<Hit> {
    let opened = token.open(&trial.secret, author)?;
    let time_ms = entry.header().time_ms;
    // Whoever made a token of this secret has the lead, also when the note in it is broken.
    let note = opened.unwrap_or_else(|error| {
        tracing::warn!(member = author.0, %error, "the note of a token cannot be read");
        LeadNote { entered_ms: time_ms, reference: String::new(), contact: String::new() }
    });
    let token = TokenPlace { log: place.log, sequence: place.sequence, entry: entry.id() };
    Some(Hit { id: trial.id.clone(), author, token, time_ms, note })
}

/// A book that cannot be written keeps what it holds; the same is found again.
pub(super) fn log_failure<T>(result: Result<T, BookError>) {
    if let Err(error) = result {
        tracing::error!(%error, "the book of leads");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_survive_their_file_and_a_damaged_one_is_gone_through_again() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let places = Places { tokens: BTreeMap::from([(3, (7, EntryId([1; 32])))]), own: BTreeMap::new() };
        places.write(folder.path()).expect("a free disk");
        assert_eq!(Places::open(folder.path()), places);
        fs::write(folder.path().join(PLACES_FILE), "{").expect("the file is writable");
        assert_eq!(Places::open(folder.path()), Places::default());
    }
}
