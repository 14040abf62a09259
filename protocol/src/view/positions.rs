//! How far a view has taken in the logs, as a value that can be kept: whoever kept one learns later which records were
//! touched since, or that it must look at everything, because something below does not stand any more.

use std::collections::BTreeSet;
use std::sync::Arc;

use thiserror::Error;

use super::touched::{Concerned, Gathered};
use super::{Keeper, Place, RECORD_KINDS_FROM, Touched};
use crate::bytes::{LayoutError, Reader};
use crate::charter::{LogGrant, LogNumber};
use crate::entry::VerifiedEntry;
use crate::identity::{BlockHash, EntryId};
use crate::limits::{POSITIONS_MISSING_MAX, SEATS_MAX};
use crate::replica::{EntrySource, Replica};
use crate::statement::Statement;

/// Says what the bytes are, and their layout.
const MAGIC: &[u8; 8] = b"XMPOS\x00\x00\x01";
/// Stands for more missing bodies than are named.
const MANY_MISSING: u32 = u32::MAX;

/// How far a view has taken in each log, and what it took in depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positions {
    version: u32,
    tip: BlockHash,
    /// For each log: entries taken in, and the id of the last of them.
    logs: Vec<(u64, EntryId)>,
    /// BLAKE3 over who owns the records of these logs.
    owners: [u8; 32],
    /// BLAKE3 over what of these entries was erased.
    erased: [u8; 32],
    /// Entries among these whose bodies were not here; `None` when there were too many to name.
    missing: Option<BTreeSet<Place>>,
}

/// Older positions do not stand any more: everything must be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Moved {
    /// The charter went over to another branch.
    #[error("the charter has another branch")]
    Branch,
    /// A block changed what all records depend on.
    #[error("the charter changed what records depend on")]
    Charter,
    /// Entries that had counted do so no longer.
    #[error("entries that had counted do so no longer")]
    Entries,
    /// Records have another owner.
    #[error("records have another owner")]
    Owners,
    /// Something was erased, or is no longer.
    #[error("something was erased")]
    Erased,
    /// Bodies were missing, too many to name them.
    #[error("many bodies had been missing")]
    Missing,
}

impl Moved {
    /// Whether records that were there may be gone without being named.
    pub fn took_away(self) -> bool {
        matches!(self, Self::Branch | Self::Entries | Self::Erased)
    }
}

/// A statement about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct News {
    /// The record.
    pub record: EntryId,
    /// When it was made, by its author's clock.
    pub time_ms: u64,
    /// Whether it created the record.
    pub is_create: bool,
}

/// What was said of records between two positions, as far as one step reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The statements, in the order of the logs.
    pub news: Vec<News>,
    /// Where the step ended.
    pub positions: Positions,
    /// Whether that is where it was to lead.
    pub is_there: bool,
    /// Whether something is left out, because a log has another branch now or many bodies had been missing.
    pub is_cut: bool,
}

/// One step from older positions towards the present ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advanced {
    /// Records that were touched on the way.
    pub touched: Touched,
    /// Where the step ended.
    pub positions: Positions,
    /// Whether these are the present ones.
    pub is_present: bool,
}

impl Positions {
    fn entries(&self) -> u64 {
        self.logs.iter().map(|(length, _)| length).sum()
    }

    /// How many entries lie between these positions and later ones.
    pub fn entries_until(&self, later: &Self) -> u64 {
        later.entries().saturating_sub(self.entries())
    }

    /// BLAKE3 over what was erased of what was taken in.
    pub fn erased(&self) -> [u8; 32] {
        self.erased
    }

    /// The bytes in which positions are kept. They stay on this machine.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&self.version.to_le_bytes());
        out.extend_from_slice(self.tip.as_bytes());
        out.extend_from_slice(&(self.logs.len() as u32).to_le_bytes());
        for (length, last) in &self.logs {
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(last.as_bytes());
        }
        out.extend_from_slice(&self.owners);
        out.extend_from_slice(&self.erased);
        let missing = self.missing.as_ref().map_or(MANY_MISSING, |missing| missing.len() as u32);
        out.extend_from_slice(&missing.to_le_bytes());
        for place in self.missing.iter().flatten() {
            out.extend_from_slice(&place.log.to_le_bytes());
            out.extend_from_slice(&place.sequence.to_le_bytes());
        }
        out
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = Reader::new(bytes);
        if reader.array::<8>("magic")? != *MAGIC {
            return Err(LayoutError::Rule { field: "magic", rule: "must be that of positions" });
        }
        let (version, tip) = (reader.u32("version")?, BlockHash(reader.array("tip")?));
        let logs = bounded(reader.u32("logs")?, SEATS_MAX, "logs")?;
        let log = |reader: &mut Reader<'_>| Ok((reader.u64("length")?, EntryId(reader.array("last")?)));
        let logs = (0..logs).map(|_| log(&mut reader)).collect::<Result<Vec<_>, LayoutError>>()?;
        let (owners, erased) = (reader.array("owners")?, reader.array("erased")?);
        let missing = match reader.u32("missing")? {
            MANY_MISSING => None,
            count => {
                let place =
                    |reader: &mut Reader<'_>| Ok(Place { log: reader.u32("log")?, sequence: reader.u64("sequence")? });
                let count = bounded(count, POSITIONS_MISSING_MAX, "missing")?;
                Some((0..count).map(|_| place(&mut reader)).collect::<Result<BTreeSet<_>, LayoutError>>()?)
            }
        };
        reader.finish()?;
        Ok(Self { version, tip, logs, owners, erased, missing })
    }
}

fn bounded(found: u32, bound: usize, field: &'static str) -> Result<usize, LayoutError> {
    match found as usize {
        count if count <= bound => Ok(count),
        _ => Err(LayoutError::Bound { field, found: u64::from(found), bound: bound as u64 }),
    }
}

impl Keeper {
    /// How far the view has taken in everything.
    pub fn positions(&self, replica: &Replica) -> Positions {
        self.positions_at(replica, self.taken.clone())
    }

    /// The positions of a view that had taken in the logs only so far.
    fn positions_at(&self, replica: &Replica, logs: Vec<(u64, EntryId)>) -> Positions {
        let charter = replica.charter();
        let taken = |place: &Place| logs.get(place.log as usize).is_some_and(|(length, _)| place.sequence < *length);
        let missing: BTreeSet<Place> =
            self.missing.iter().filter(|place| taken(place)).take(POSITIONS_MISSING_MAX + 1).copied().collect();
        Positions {
            version: charter.version(),
            tip: charter.tip(),
            owners: owners_hash(charter.logs(), logs.len()),
            erased: self.erased_hash(&taken),
            missing: Some(missing).filter(|missing| missing.len() <= POSITIONS_MISSING_MAX),
            logs,
        }
    }

    /// Which records were touched since `older`, as far as `entries_max` entries tell; go on from where it ended.
    ///
    /// # Errors
    /// [`Moved`] when the older positions do not stand any more.
    pub fn advance(
        &self,
        older: &Positions,
        replica: &Replica,
        source: &dyn EntrySource,
        entries_max: usize,
    ) -> Result<Advanced, Moved> {
        self.check(older, replica)?;
        let mut gathered = Gathered::default();
        for place in older.missing.iter().flatten().filter(|place| !self.missing.contains(place)) {
            self.gather(source.entry(place.log, place.sequence), &mut gathered, |_| true);
        }
        let mut logs = older.logs.clone();
        logs.resize(self.taken.len(), (0, EntryId::ZERO));
        let mut left = entries_max;
        for ((log, held), (length, _)) in (0..).zip(&mut logs).zip(&self.taken) {
            let until = held.0.saturating_add(left as u64).min(*length);
            for sequence in held.0..until {
                // What stands behind it in its own log is new as well.
                self.gather(source.entry(log, sequence), &mut gathered, |other| other.log != log);
            }
            left -= until.saturating_sub(held.0) as usize;
            if until > held.0 {
                *held = (until, replica.id(log, until - 1).unwrap_or(EntryId::ZERO));
            }
        }
        let is_present = logs == self.taken;
        Ok(Advanced { touched: gathered.spread(&self.view), positions: self.positions_at(replica, logs), is_present })
    }

    /// What was said of records after `from` and up to `until`, as far as `entries_max` entries tell. What time, erasures
    /// and the charter did is left aside: whoever wants to be told of news looks at each record anyway.
    pub fn said(
        &self,
        from: &Positions,
        until: &Positions,
        replica: &Replica,
        source: &dyn EntrySource,
        entries_max: usize,
    ) -> Said {
        let (mut news, mut is_cut) = (Vec::new(), from.missing.is_none());
        let mut note = |place: Place| {
            let entry =
                source.entry(place.log, place.sequence).filter(|entry| entry.header().kind >= RECORD_KINDS_FROM);
            let Some(entry) = entry else { return };
            if let Some(Ok(statement)) = entry.body().map(|body| Statement::decode(body)) {
                let (record, time_ms) = (statement.record.unwrap_or_else(|| entry.id()), entry.header().time_ms);
                news.push(News { record, time_ms, is_create: statement.record.is_none() });
            }
        };
        let still = |place: &&Place| until.missing.as_ref().is_none_or(|missing| missing.contains(place));
        let (still, arrived): (Vec<&Place>, Vec<&Place>) = from.missing.iter().flatten().partition(still);
        arrived.into_iter().for_each(|place| note(*place));
        let mut logs = from.logs.clone();
        logs.resize(until.logs.len(), (0, EntryId::ZERO));
        let (mut left, mut is_there) = (entries_max as u64, true);
        for ((log, held), (length, last)) in (0..).zip(&mut logs).zip(&until.logs) {
            let stands = held.0 == 0 || (held.0 <= *length && replica.id(log, held.0 - 1) == Some(held.1));
            if !stands {
                (*held, is_cut) = ((*length, *last), true);
                continue;
            }
            let reached = held.0.saturating_add(left).min(*length);
            (held.0..reached).for_each(|sequence| note(Place { log, sequence }));
            left -= reached - held.0;
            is_there &= reached == *length;
            let id = if reached == *length {
                Some(*last)
            } else {
                reached.checked_sub(1).and_then(|at| replica.id(log, at))
            };
            *held = (reached, id.unwrap_or(EntryId::ZERO));
        }
        let mut positions = if is_there { until.clone() } else { self.positions_at(replica, logs) };
        if let Some(missing) = &mut positions.missing {
            missing.extend(still);
        }
        Said { news, positions, is_there, is_cut }
    }

    /// Whether older positions stand still.
    fn check(&self, older: &Positions, replica: &Replica) -> Result<(), Moved> {
        let blocks = replica.charter().blocks();
        let known = (older.version as usize).checked_sub(1).and_then(|index| blocks.get(index));
        if known.is_none_or(|block| block.hash() != older.tip) {
            return Err(Moved::Branch);
        }
        let stands = |(log, (length, last)): (LogNumber, &(u64, EntryId))| {
            let taken = self.taken.get(log as usize).map_or(0, |(taken, _)| *taken);
            *length == 0 || (taken >= *length && replica.id(log, length - 1) == Some(*last))
        };
        if !(0..).zip(&older.logs).all(stands) {
            return Err(Moved::Entries);
        }
        if owners_hash(replica.charter().logs(), older.logs.len()) != older.owners {
            return Err(Moved::Owners);
        }
        let taken =
            |place: &Place| older.logs.get(place.log as usize).is_some_and(|(length, _)| place.sequence < *length);
        if self.erased_hash(&taken) != older.erased {
            return Err(Moved::Erased);
        }
        if older.missing.is_none() {
            return Err(Moved::Missing);
        }
        // Last: then nothing that was taken in went away.
        if blocks[older.version as usize..].iter().any(|block| self.view.depends_on(block.block())) {
            return Err(Moved::Charter);
        }
        Ok(())
    }

    /// Notes what an entry concerns that had not been taken in at the older positions.
    fn gather(&self, entry: Option<Arc<VerifiedEntry>>, gathered: &mut Gathered, is_older: impl Fn(Place) -> bool) {
        let Some(entry) = entry.filter(|entry| entry.header().kind >= RECORD_KINDS_FROM) else { return };
        let statement = match entry.body() {
            Some(body) => Statement::decode(body).ok(),
            None => None,
        };
        if let Some(record) = statement.and_then(|statement| statement.record) {
            gathered.note(Concerned { record: Some(record), ..Concerned::default() });
        } else if self.view.place(&entry.id()).is_some() {
            gathered.note(self.view.concerned_by(&entry.id(), is_older));
        }
    }

    fn erased_hash(&self, taken: &dyn Fn(&Place) -> bool) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        for (place, creates) in self.erased.iter().filter(|(place, _)| taken(place)) {
            hasher.update(&place.log.to_le_bytes());
            hasher.update(&place.sequence.to_le_bytes());
            hasher.update(&[u8::from(*creates)]);
        }
        *hasher.finalize().as_bytes()
    }
}

fn owners_hash(logs: &[LogGrant], count: usize) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for grant in logs.iter().take(count) {
        hasher.update(&grant.member.0.to_le_bytes());
        hasher.update(&(grant.heirs.len() as u32).to_le_bytes());
        for (version, heir) in &grant.heirs {
            hasher.update(&version.to_le_bytes());
            hasher.update(&heir.0.to_le_bytes());
        }
    }
    *hasher.finalize().as_bytes()
}
