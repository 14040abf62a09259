//! The book of this node's own leads: one JSON file for each under `leads/` in the data directory, readable by its
//! owner only. A lead here is a credit code with the documents that state it, how far its secret is, and what was found.
//!
//! The book holds nothing that could not be made again: lost, it is filled from the documents, the holders are asked
//! anew, and the tokens stand in the own log. Only notices about tokens that were erased since are gone for good.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use protocol::charter::LogNumber;
use protocol::identity::{EntryId, MemberNumber};
use protocol::lead_token::{CreditCode, HolderSlot, LeadSecret};
use serde::{Deserialize, Serialize};

use crate::core::now_ms;
use crate::directory::{DirectoryError, file_error, private_directory, remove_file, replace_private};

/// Most leads of a node.
pub const LEADS_MAX: usize = 20_000;
/// Most notices of one lead: one for each other member that has it.
pub const NOTICES_PER_LEAD_MAX: usize = 256;
/// Most documents that one lead names.
pub const SOURCES_PER_LEAD_MAX: usize = 64;
/// Longest file of a lead, in bytes.
const FILE_BYTES_MAX: u64 = 512 * 1024;
/// The only layout of the files.
const FORMAT: u32 = 1;
/// Random bytes of an id.
const ID_BYTES: usize = 8;

/// The name of a lead in this book; it says nothing about the lead.
pub type LeadId = String;

/// A document that states a lead.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A published record.
    Record(EntryId),
    /// A document that stays on this node.
    Local(String),
}

/// Where a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenPlace {
    /// The log.
    pub log: LogNumber,
    /// The sequence in it.
    pub sequence: u64,
    /// The entry.
    pub entry: EntryId,
}

/// Another member that has the lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// The member.
    pub member: MemberNumber,
    /// Its token.
    pub token: TokenPlace,
    /// Time of that entry, by the member's clock.
    pub time_ms: u64,
    /// When the member entered the lead, by its own word.
    pub entered_ms: u64,
    /// What the member calls the lead.
    pub reference: String,
    /// Whom it wants to be called.
    pub contact: String,
    /// When this node found it.
    pub found_ms: u64,
    /// Whether the token was erased since; then reference and contact are empty.
    #[serde(default)]
    pub taken_back: bool,
}

/// A lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lead {
    format: u32,
    /// The credit code.
    pub code: String,
    /// Documents that state it.
    pub sources: BTreeSet<Source>,
    /// Whether a person entered the code by itself.
    pub by_hand: bool,
    /// What the operator calls it, if no document says.
    #[serde(default)]
    pub reference: String,
    /// When it came into the book.
    pub added_ms: u64,
    /// When the first token of it was stated, in any epoch.
    #[serde(default)]
    pub stated_ms: Option<u64>,
    /// Whether no document states it any more, or its owner took it back: it is not stated anew.
    #[serde(default)]
    pub ended: bool,
    /// The epoch of what follows.
    pub epoch: u32,
    #[serde(default)]
    outputs: [Option<String>; 2],
    #[serde(default)]
    secret: Option<String>,
    /// The token in this epoch.
    #[serde(default)]
    pub token: Option<TokenPlace>,
    /// Whether the secret was tried on every token that there was when it was made.
    #[serde(default)]
    pub tried: bool,
    /// Members that have it too.
    #[serde(default)]
    pub notices: Vec<Notice>,
}

impl Lead {
    fn new(code: &CreditCode, epoch: u32) -> Self {
        Self {
            format: FORMAT,
            code: code.as_str().to_owned(),
            sources: BTreeSet::new(),
            by_hand: false,
            reference: String::new(),
            added_ms: now_ms(),
            stated_ms: None,
            ended: false,
            epoch,
            outputs: [None, None],
            secret: None,
            token: None,
            tried: false,
            notices: Vec::new(),
        }
    }

    /// The credit code. What stands in a file was a code when it was written.
    pub fn credit_code(&self) -> Option<CreditCode> {
        CreditCode::parse(&self.code).ok()
    }

    /// Whether a holder answered in an epoch.
    pub fn is_evaluated(&self, epoch: u32, slot: HolderSlot) -> bool {
        self.epoch == epoch && (self.secret.is_some() || self.outputs[slot.index()].is_some())
    }

    /// Notes what a holder made of the code in an epoch. What belongs to another epoch is forgotten; what was found
    /// stays.
    pub fn set_output(&mut self, epoch: u32, slot: HolderSlot, output: &[u8; 64]) {
        if self.epoch != epoch {
            (self.epoch, self.outputs, self.secret) = (epoch, [None, None], None);
            (self.token, self.tried) = (None, false);
        }
        self.outputs[slot.index()] = Some(hex::encode(output));
    }

    /// Both outputs, once there are both.
    pub fn outputs(&self) -> Option<[[u8; 64]; 2]> {
        let output = |slot: usize| {
            let mut bytes = [0; 64];
            hex::decode_to_slice(self.outputs[slot].as_deref()?, &mut bytes).ok()?;
            Some(bytes)
        };
        Some([output(0)?, output(1)?])
    }

    /// The secret of this epoch.
    pub fn secret(&self) -> Option<LeadSecret> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(self.secret.as_deref()?, &mut bytes).ok()?;
        Some(LeadSecret::from_bytes(bytes))
    }

    /// Notes the secret; what it was made of is needed no more.
    pub fn set_secret(&mut self, secret: &LeadSecret) {
        self.secret = Some(hex::encode(secret.to_bytes()));
        self.outputs = [None, None];
        self.tried = false;
    }

    /// Notes that a member has the lead. Of several tokens of one member the last that was found stands, with the
    /// earliest times of all. Says whether the member is new.
    pub fn note(&mut self, found: Notice) -> bool {
        if let Some(held) = self.notices.iter_mut().find(|held| held.member == found.member) {
            let (time_ms, entered_ms) = (held.time_ms.min(found.time_ms), held.entered_ms.min(found.entered_ms));
            *held = Notice { time_ms, entered_ms, found_ms: held.found_ms, ..found };
            return false;
        }
        if self.notices.len() >= NOTICES_PER_LEAD_MAX {
            return false;
        }
        self.notices.push(found);
        true
    }
}

/// Why the book cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// There are as many as a node keeps.
    #[error("there are {LEADS_MAX} leads already")]
    Full,
    /// There is no such lead.
    #[error("there is no lead {0:?}")]
    Unknown(String),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Randomness,
    /// The disk.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

/// The book.
#[derive(Debug)]
pub struct Book {
    folder: PathBuf,
    leads: BTreeMap<LeadId, Lead>,
    by_code: BTreeMap<String, LeadId>,
    /// Which leads name a document: one, or for a moment two, when what it states has changed.
    by_source: BTreeMap<Source, BTreeSet<LeadId>>,
    epoch: u32,
}

impl Book {
    /// Reads the book in a folder, which need not exist yet. A file that cannot be read is passed over and told in the
    /// log: what it held is made again.
    pub fn open(folder: PathBuf) -> Result<Self, DirectoryError> {
        let (leads, by_code, by_source) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut book = Self { folder, leads, by_code, by_source, epoch: 0 };
        let entries = match fs::read_dir(&book.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(book),
            Err(error) => return Err(file_error(&book.folder)(error)),
        };
        for entry in entries.take(2 * LEADS_MAX) {
            let name = entry.map_err(file_error(&book.folder))?.file_name();
            let Some(id) = name.to_str().and_then(|name| name.strip_suffix(".json")).filter(|id| is_id(id)) else {
                continue;
            };
            match read(&book.path(id)) {
                Ok(lead) => {
                    book.by_code.insert(lead.code.clone(), id.to_owned());
                    book.put(id, lead);
                }
                Err(error) => tracing::warn!(id, error, "a lead of the book cannot be read"),
            }
        }
        Ok(book)
    }

    /// Every lead, by id.
    pub fn leads(&self) -> impl Iterator<Item = (&LeadId, &Lead)> {
        self.leads.iter()
    }

    /// A lead.
    pub fn lead(&self, id: &str) -> Option<&Lead> {
        self.leads.get(id)
    }

    /// The lead of a code.
    pub fn find(&self, code: &CreditCode) -> Option<&LeadId> {
        self.by_code.get(code.as_str())
    }

    /// The epoch that the book goes by; 0 for none.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Goes over to an epoch: every lead that has not ended is evaluated anew, as its turn comes.
    pub fn enter_epoch(&mut self, epoch: u32) {
        self.epoch = epoch;
    }

    /// Changes a lead. Durable on return; unchanged when the disk refuses.
    pub fn change(&mut self, id: &str, change: impl FnOnce(&mut Lead)) -> Result<(), BookError> {
        let held = self.leads.get(id).ok_or_else(|| BookError::Unknown(id.to_owned()))?;
        let mut changed = held.clone();
        change(&mut changed);
        if changed != *held {
            self.write(id, &changed)?;
            self.put(id, changed);
        }
        Ok(())
    }

    /// Puts a lead in place of the one that was there, if any.
    fn put(&mut self, id: &str, lead: Lead) {
        let before = self.leads.get(id).map(|lead| lead.sources.clone()).unwrap_or_default();
        for source in before.difference(&lead.sources) {
            if let Some(ids) = self.by_source.get_mut(source) {
                ids.remove(id);
                if ids.is_empty() {
                    self.by_source.remove(source);
                }
            }
        }
        for source in lead.sources.difference(&before) {
            self.by_source.entry(source.clone()).or_default().insert(id.to_owned());
        }
        self.leads.insert(id.to_owned(), lead);
    }

    /// Says which code a document states now, if it states one. Durable on return. Returns the lead of that code.
    pub fn state(&mut self, source: &Source, code: Option<&CreditCode>) -> Result<Option<LeadId>, BookError> {
        let stated = code.and_then(|code| self.find(code)).cloned();
        let named = self.by_source.get(source).cloned().unwrap_or_default();
        for id in named.into_iter().filter(|id| Some(id) != stated.as_ref()) {
            self.change(&id, |lead| {
                lead.sources.remove(source);
                lead.ended |= lead.sources.is_empty() && !lead.by_hand;
            })?;
        }
        let Some(code) = code else { return Ok(None) };
        let id = self.enter(code)?;
        self.change(&id, |lead| {
            // A document that was there before does not bring back what its owner took back.
            if lead.sources.len() < SOURCES_PER_LEAD_MAX && lead.sources.insert(source.clone()) {
                lead.ended = false;
            }
        })?;
        Ok(Some(id))
    }

    /// Enters a code that a person gives. Durable on return.
    pub fn enter_by_hand(&mut self, code: &CreditCode, reference: &str) -> Result<LeadId, BookError> {
        let id = self.enter(code)?;
        self.change(&id, |lead| {
            (lead.by_hand, lead.ended) = (true, false);
            if !reference.is_empty() {
                reference.clone_into(&mut lead.reference);
            }
        })?;
        Ok(id)
    }

    fn enter(&mut self, code: &CreditCode) -> Result<LeadId, BookError> {
        if let Some(id) = self.find(code) {
            return Ok(id.clone());
        }
        if self.leads.len() >= LEADS_MAX {
            return Err(BookError::Full);
        }
        let mut random = [0; ID_BYTES];
        getrandom::fill(&mut random).map_err(|_| BookError::Randomness)?;
        let (id, lead) = (hex::encode(random), Lead::new(code, self.epoch));
        private_directory(&self.folder)?;
        self.write(&id, &lead)?;
        self.by_code.insert(lead.code.clone(), id.clone());
        self.put(&id, lead);
        Ok(id)
    }

    /// Forgets a lead of which no token stands anywhere.
    pub fn forget(&mut self, id: &str) -> Result<(), BookError> {
        let lead = self.leads.get(id).ok_or_else(|| BookError::Unknown(id.to_owned()))?;
        remove_file(&self.path(id))?;
        let ends = Lead { sources: BTreeSet::new(), ..lead.clone() };
        self.by_code.remove(&ends.code);
        self.put(id, ends);
        self.leads.remove(id);
        Ok(())
    }

    fn write(&self, id: &str, lead: &Lead) -> Result<(), BookError> {
        let mut bytes = serde_json::to_vec_pretty(lead).unwrap_or_default();
        bytes.push(b'\n');
        Ok(replace_private(&self.path(id), &bytes)?)
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }
}

fn read(path: &Path) -> Result<Lead, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > FILE_BYTES_MAX {
        return Err(format!("longer than {FILE_BYTES_MAX} bytes"));
    }
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let lead: Lead = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if lead.format != FORMAT || lead.credit_code().is_none() {
        return Err("another layout, or no credit code".into());
    }
    Ok(lead)
}

fn is_id(text: &str) -> bool {
    text.len() == 2 * ID_BYTES && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn code(text: &str) -> CreditCode {
        CreditCode::parse(text).expect("a code")
    }

    fn book(folder: &tempfile::TempDir) -> Book {
        Book::open(folder.path().join("leads")).expect("it can be read")
    }

    const PLACE: TokenPlace = TokenPlace { log: 1, sequence: 4, entry: EntryId([1; 32]) };

    fn found(member: u32, time_ms: u64) -> Notice {
        Notice {
            member: MemberNumber(member),
            token: PLACE,
            time_ms,
            entered_ms: time_ms,
            reference: "3-1".into(),
            contact: "甲".into(),
            found_ms: 9,
            taken_back: false,
        }
    }

    #[test]
    fn a_lead_survives_its_file_and_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let source = Source::Record(EntryId([5; 32]));
        let id = {
            let mut book = book(&folder);
            book.enter_epoch(7);
            let id = book.state(&source, Some(&code("91999999000010014M"))).expect("a free disk").expect("a lead");
            let change = |lead: &mut Lead| {
                lead.set_output(7, HolderSlot::One, &[1; 64]);
                lead.set_output(7, HolderSlot::Two, &[2; 64]);
                assert!(lead.note(found(3, 5)) && !lead.note(found(3, 4)));
            };
            book.change(&id, change).expect("a free disk");
            id
        };
        let book = book(&folder);
        let lead = book.lead(&id).expect("it is there");
        assert_eq!(lead.outputs(), Some([[1; 64], [2; 64]]));
        assert_eq!((lead.notices.len(), lead.notices[0].entered_ms, lead.epoch), (1, 4, 7));
        let mode = fs::metadata(book.path(&id)).expect("its file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_document_that_changes_its_code_ends_the_lead_that_only_it_stated() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mut book = book(&folder);
        let (first, second) = (Source::Local("a".into()), Source::Local("b".into()));
        let (one, other) = (code("91999999000010014M"), code("11999999000000019M"));
        let id = book.state(&first, Some(&one)).expect("a free disk").expect("a lead");
        assert_eq!(book.state(&second, Some(&one)).expect("a free disk"), Some(id.clone()));
        book.state(&first, Some(&other)).expect("a free disk");
        assert!(!book.lead(&id).expect("it is there").ended, "the second document states it still");
        book.state(&second, None).expect("a free disk");
        assert!(book.lead(&id).expect("it is there").ended);
        book.enter_by_hand(&one, "展会上听说").expect("a free disk");
        assert!(!book.lead(&id).expect("it is there").ended);
        assert_eq!(book.leads().count(), 2);
    }

    #[test]
    fn which_leads_a_document_states_is_known_at_once_and_after_a_start() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mut book = book(&folder);
        let (first, second) = (Source::Local("a".into()), Source::Record(EntryId([5; 32])));
        let (one, other) = (code("91999999000010014M"), code("11999999000000019M"));
        for (source, code) in [(&first, &one), (&second, &one), (&first, &other), (&second, &other), (&first, &one)] {
            book.state(source, Some(code)).expect("a free disk");
            let stated = |lead: &(&LeadId, &Lead)| lead.1.sources.contains(source);
            let named: BTreeSet<LeadId> = book.leads().filter(stated).map(|(id, _)| id.clone()).collect();
            assert_eq!(book.by_source.get(source), Some(&named));
            assert_eq!(book.find(code), named.first());
        }
        let again = Book::open(book.folder.clone()).expect("it can be read");
        assert_eq!(again.by_source, book.by_source);
        let id = book.find(&other).expect("it is there").clone();
        book.forget(&id).expect("a free disk");
        assert_eq!(book.by_source.keys().collect::<Vec<_>>(), [&first]);
    }

    #[test]
    fn a_new_epoch_forgets_secrets_and_keeps_what_was_found() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mut book = book(&folder);
        book.enter_epoch(5);
        let id = book.enter_by_hand(&code("91999999000010014M"), "").expect("a free disk");
        let change = |lead: &mut Lead| {
            lead.set_secret(&LeadSecret::from_bytes([4; 32]));
            (lead.token, lead.stated_ms) = (Some(PLACE), Some(3));
            lead.note(found(3, 5));
        };
        book.change(&id, change).expect("a free disk");
        assert!(book.lead(&id).expect("it is there").is_evaluated(5, HolderSlot::Two));
        book.enter_epoch(6);
        assert!(!book.lead(&id).expect("it is there").is_evaluated(6, HolderSlot::Two));
        book.change(&id, |lead| lead.set_output(6, HolderSlot::Two, &[1; 64])).expect("a free disk");
        let lead = book.lead(&id).expect("it is there");
        assert!(!lead.is_evaluated(6, HolderSlot::One) && lead.secret().is_none() && lead.token.is_none());
        assert_eq!((lead.stated_ms, lead.notices.len()), (Some(3), 1));
    }
}
