//! The side of a holder: it evaluates what members send it, counts, and proves that it used its key. It sees neither
//! credit codes nor results.

use std::sync::Arc;

use parking_lot::Mutex;
use protocol::charter::Purpose;
use protocol::identity::{MemberNumber, PublicKey};
use protocol::lead_token::{
    EvaluationAnswer, EvaluationRequest, HolderKey, HolderPublic, HolderSlot, LeadEpoch, OprfError, Refusal,
    RefusalReason,
};
use tokio::sync::Semaphore;

use super::ledger::{Ledger, Tally};
use crate::core::{Core, now_ms};
use crate::directory::keystore::{KeyName, KeyUse, Slot, holder_key};
use crate::directory::{DataDirectory, DirectoryError};
use crate::network::limits::FRAME_WAIT;
use crate::network::{PeerStream, read_frame, write_frame};

/// Requests that are worked on at a time.
const REQUESTS_MAX: usize = 4;
/// When a busy holder wants to be asked again.
const BUSY_AGAIN_MS: u64 = 5_000;

/// This node as a holder. It is one only while the charter names its member and the key is at hand.
pub struct Holder {
    core: Core,
    directory: DataDirectory,
    /// Keys that were opened, by their public halves.
    keys: Mutex<Vec<Arc<HolderKey>>>,
    ledger: Mutex<Result<Ledger, String>>,
    places: Semaphore,
}

/// What a holder knows of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    /// Which of the two.
    pub slot: HolderSlot,
    /// Evaluations for each member on one day.
    pub per_day: u32,
    /// When the day ends.
    pub day_ends_ms: u64,
    /// What each member has asked for.
    pub tallies: Vec<(MemberNumber, Tally)>,
    /// Why it does not evaluate, if it does not.
    pub trouble: Option<DutyTrouble>,
}

/// Why a holder does not evaluate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DutyTrouble {
    /// The key that the charter names is not in the data directory, or does not open.
    Key(String),
    /// The counts cannot be read.
    Ledger(String),
}

impl Holder {
    /// The holder of a data directory, with seeds that were opened at the start.
    pub fn new(core: Core, directory: DataDirectory, seeds: &[ed25519_dalek::SigningKey]) -> Self {
        let ledger = Ledger::open(directory.leads_path()).map_err(|error| error.to_string());
        if let Err(error) = &ledger {
            tracing::error!(error, "the counts of evaluations cannot be read: nothing is evaluated");
        }
        let keys = seeds.iter().map(|seed| Arc::new(holder_key(seed))).collect();
        Self {
            core,
            directory,
            keys: Mutex::new(keys),
            ledger: Mutex::new(ledger),
            places: Semaphore::new(REQUESTS_MAX),
        }
    }

    /// Answers a stream that a member opened: one request.
    pub async fn serve(self: Arc<Self>, peer: PublicKey, mut stream: PeerStream) {
        let Ok(frame) = read_frame(&mut stream, EvaluationRequest::BYTES_MAX, FRAME_WAIT).await else { return };
        let answer = match self.places.try_acquire() {
            Ok(_place) => {
                let holder = Arc::clone(&self);
                let worked = tokio::task::spawn_blocking(move || {
                    let asker = holder.core.read(|state| state.replica.charter().holder(&peer, Purpose::Transport));
                    asker.map(|asker| holder.answer(asker, &frame))
                });
                match worked.await {
                    Ok(Some(answer)) => answer,
                    // Cut off while it asked.
                    _ => return,
                }
            }
            Err(_) => refusal(RefusalReason::Busy, 0, now_ms() + BUSY_AGAIN_MS),
        };
        if let Err(refused) = &answer.outcome {
            self.core.counters().add(&format!("lead-refused-{}", refused.reason.name()), 1);
        }
        if write_frame(&mut stream, &answer.encode(), FRAME_WAIT).await.is_ok() {
            // An error means that the asker is gone; the evaluation is counted all the same.
            let _ = tokio::io::AsyncWriteExt::shutdown(&mut stream).await;
        }
    }

    /// The answer to a request of a member. Blocks: it writes to the disk.
    pub fn answer(&self, asker: MemberNumber, bytes: &[u8]) -> EvaluationAnswer {
        match EvaluationRequest::decode(bytes) {
            Ok(request) => self.evaluate(asker, &request, now_ms()),
            Err(_) => refusal(RefusalReason::Malformed, 0, 0),
        }
    }

    fn evaluate(&self, asker: MemberNumber, request: &EvaluationRequest, now_ms: u64) -> EvaluationAnswer {
        let Some((own, epoch)) = self.epoch() else { return refusal(RefusalReason::NotHolder, 0, 0) };
        if epoch.epoch != request.epoch {
            return refusal(RefusalReason::OtherEpoch, 0, 0);
        }
        let named = epoch.holder(request.slot);
        let key = if named.member == own { self.key(&named.key).ok() } else { None };
        let Some(key) = key else { return refusal(RefusalReason::NotHolder, 0, 0) };
        let (count, per_day) = (request.elements.len() as u32, named.evaluations_per_day);
        // Days counted under a clock that runs ahead would be days that nobody has.
        if let Some(ahead_ms) = self.core.clock_ahead_ms() {
            return refusal(RefusalReason::Busy, 0, now_ms.saturating_sub(ahead_ms) + BUSY_AGAIN_MS);
        }
        if let Some(refused) = self.beyond_quota(asker, count, per_day, now_ms) {
            return refused;
        }
        // Before anything is counted: an element that is none costs the asker nothing.
        let mut seed = [0; 32];
        let evaluation = match getrandom::fill(&mut seed) {
            Ok(()) => key.evaluate(&request.elements, &seed),
            Err(_) => return refusal(RefusalReason::Busy, 0, now_ms + BUSY_AGAIN_MS),
        };
        let evaluation = match evaluation {
            Ok(evaluation) => evaluation,
            Err(OprfError::Element | OprfError::Batch | OprfError::Proof) => {
                return refusal(RefusalReason::Malformed, 0, 0);
            }
        };
        let mut ledger = self.ledger.lock();
        let Ok(ledger) = &mut *ledger else { return refusal(RefusalReason::NotHolder, 0, 0) };
        match ledger.take(asker, count, per_day, now_ms) {
            Ok(Ok(remaining)) => {
                self.core.counters().add("lead-evaluations", u64::from(count));
                EvaluationAnswer { remaining, outcome: Ok(evaluation) }
            }
            Ok(Err(exceeded)) => refusal(RefusalReason::Quota, exceeded.remaining, exceeded.again_ms),
            Err(error) => {
                tracing::error!(%error, "an evaluation cannot be counted, so it is not made");
                refusal(RefusalReason::Busy, 0, now_ms + BUSY_AGAIN_MS)
            }
        }
    }

    /// Refuses what is beyond the quota before any work is done for it.
    fn beyond_quota(&self, asker: MemberNumber, count: u32, per_day: u32, now_ms: u64) -> Option<EvaluationAnswer> {
        let ledger = self.ledger.lock();
        let ledger = ledger.as_ref().ok()?;
        let remaining = ledger.remaining(asker, per_day, now_ms);
        (count > remaining).then(|| refusal(RefusalReason::Quota, remaining, ledger.day_ends_ms(now_ms)))
    }

    fn epoch(&self) -> Option<(MemberNumber, LeadEpoch)> {
        let (own, _) = self.core.own()?;
        Some((own, self.core.read(|state| state.replica.charter().lead_epoch())?))
    }

    /// The key of a public half. One that waits in the folder takes over when it is asked for: the charter names it.
    fn key(&self, public: &HolderPublic) -> Result<Arc<HolderKey>, String> {
        let mut keys = self.keys.lock();
        if let Some(key) = keys.iter().find(|key| key.public() == *public) {
            return Ok(Arc::clone(key));
        }
        let found = self.find_key(public).map_err(|error| error.to_string())?;
        let key = Arc::new(found.ok_or("it is not in the data directory")?);
        // Earlier ones are of no use: the charter names another.
        *keys = vec![Arc::clone(&key)];
        Ok(key)
    }

    fn find_key(&self, public: &HolderPublic) -> Result<Option<HolderKey>, DirectoryError> {
        let keystore = self.directory.keystore();
        for name in keystore.names()?.into_iter().filter(|name| name.purpose == KeyUse::Holder) {
            if keystore.public_key(name)?.0 == public.0 {
                let key = holder_key(&self.directory.key(name)?);
                // The line in the file is for people; the key itself decides.
                return Ok((key.public() == *public).then_some(key));
            }
        }
        Ok(None)
    }

    /// Puts a key in use that waits and that the charter names by now. The one before it has no use any more, and is
    /// removed: nobody can evaluate for an epoch that ended. Blocks.
    pub fn promote(&self) {
        let named = self.core.own().map(|(own, _)| {
            self.core.read(|state| {
                let holders = state.replica.charter().lead_holders().values();
                holders.filter(|holder| holder.member == own).map(|holder| holder.key.0).collect::<Vec<_>>()
            })
        });
        let keystore = self.directory.keystore();
        let next = keystore.next_key(KeyUse::Holder);
        let due = matches!((named, next), (Some(named), Ok(Some(next))) if named.contains(&next.0));
        if !due {
            return;
        }
        let promoted = keystore.promote(KeyUse::Holder).and_then(|former| match former {
            Some(former) => keystore.remove(former),
            None => Ok(()),
        });
        match promoted {
            Ok(()) => tracing::warn!("the charter names the next key of this holder: it is in use from now on"),
            Err(error) => tracing::error!(%error, "the next key of this holder cannot be put in use"),
        }
    }

    /// What this node has to do as a holder, if it is one. Blocks: it may open a key.
    pub fn duty(&self, now_ms: u64) -> Option<Duty> {
        let (own, epoch) = self.epoch()?;
        let slot = epoch.slot_of(own)?;
        let named = epoch.holder(slot);
        let trouble = self.key(&named.key).err().map(DutyTrouble::Key);
        let ledger = self.ledger.lock();
        let (tallies, day_ends_ms, unreadable) = match &*ledger {
            Ok(ledger) => (ledger.tallies(now_ms).collect(), ledger.day_ends_ms(now_ms), None),
            Err(error) => (Vec::new(), 0, Some(DutyTrouble::Ledger(error.clone()))),
        };
        let trouble = trouble.or(unreadable);
        Some(Duty { slot, per_day: named.evaluations_per_day, day_ends_ms, tallies, trouble })
    }
}

fn refusal(reason: RefusalReason, remaining: u32, again_ms: u64) -> EvaluationAnswer {
    EvaluationAnswer { remaining, outcome: Err(Refusal { reason, again_ms }) }
}

/// The key that a request to the registrar should name: the one that waits, or else the one in use.
pub fn requested_key(directory: &DataDirectory) -> Result<Option<KeyName>, DirectoryError> {
    let keystore = directory.keystore();
    let names = [KeyName::next(KeyUse::Holder), KeyName::current(KeyUse::Holder)];
    Ok(names.into_iter().find(|name| keystore.holds(*name) && !matches!(name.slot, Slot::Former(_))))
}
