//! The side of whoever asks: it blinds codes, sends them to a holder, and takes the results only with a proof.

use std::time::Duration;

use protocol::charter::Purpose;
use protocol::identity::{MemberNumber, PublicKey};
use protocol::lead_token::{
    Blinded, CreditCode, EvaluationAnswer, EvaluationRequest, HolderSlot, LeadEpoch, OprfError, Refusal, RefusalReason,
};
use protocol::limits::LEAD_BATCH_MAX;
use thiserror::Error;

use super::Leads;
use super::book::{Lead, LeadId};
use crate::core::now_ms;
use crate::network::limits::FRAME_WAIT;
use crate::network::{FrameError, OpenStreamError, StreamKind, read_frame, write_frame};

/// How long a holder has for its answer, beyond writing and reading.
const ANSWER_WAIT: Duration = Duration::from_secs(20);
/// The first wait after a failed attempt; it doubles with each further one.
const BACKOFF_FIRST_MS: u64 = 2_000;
/// The longest wait after failed attempts.
const BACKOFF_LONGEST_MS: u64 = 10 * 60 * 1_000;
/// The longest that a holder can put this node off: no quota takes longer than a day.
const PUT_OFF_MS_MAX: u64 = 25 * 60 * 60 * 1_000;

/// Why a holder was asked in vain.
#[derive(Debug, Error)]
pub enum Trouble {
    /// No connection to a node of it.
    #[error("no node of the holder is connected{0}")]
    Unreached(String),
    /// A stream was not taken.
    #[error(transparent)]
    Stream(#[from] OpenStreamError),
    /// The stream broke, or the answer did not come in time.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// It refuses.
    #[error("the holder refuses: {}", .0.reason.name())]
    Refused(Refusal),
    /// What it answered is no answer.
    #[error("the holder's answer cannot be read")]
    Answer,
    /// What it answered was not made with the key that the charter names.
    #[error("the holder did not use the key that the charter names: {0}")]
    Proof(#[from] OprfError),
    /// The system has no randomness.
    #[error("the system gives no random bytes")]
    Randomness,
    /// The book cannot be written.
    #[error("{0}")]
    Book(String),
}

impl Trouble {
    /// The stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unreached(_) => "unreached",
            Self::Stream(_) | Self::Frame(_) => "no-answer",
            Self::Refused(refusal) => refusal.reason.name(),
            Self::Answer => "answer",
            Self::Proof(_) => "wrong-key",
            Self::Randomness => "randomness",
            Self::Book(_) => "book",
        }
    }

    /// The same for people, in Chinese and English.
    pub fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Unreached(_) => ("连不上它的节点", "its node cannot be reached"),
            Self::Stream(_) | Self::Frame(_) => ("它的节点没有应答", "its node does not answer"),
            Self::Refused(refusal) => match refusal.reason {
                RefusalReason::Quota => ("今天的次数用完了", "today's evaluations are used up"),
                RefusalReason::OtherEpoch => ("双方的章程还不一致", "it goes by another version of the charter"),
                RefusalReason::NotHolder => ("它的评估密钥不在手边", "it does not have its key at hand"),
                RefusalReason::Busy => ("它正忙", "it is busy"),
                RefusalReason::Malformed => ("它认为请求不合规则", "it says that the request is malformed"),
            },
            Self::Answer => ("它的应答看不懂", "its answer cannot be read"),
            Self::Proof(_) => (
                "它没有使用章程载明的密钥，结果已弃用",
                "it did not use the key that the charter names; nothing was taken",
            ),
            Self::Randomness => ("本机没有随机数", "this machine has no randomness"),
            Self::Book(_) => ("本机不能写入", "this machine cannot write"),
        }
    }
}

/// How it stands between this node and one holder.
#[derive(Debug, Default)]
pub struct Line {
    failures: u32,
    /// When it is asked again, in milliseconds since 1970 (UTC).
    pub again_ms: u64,
    /// Why the last attempt was in vain.
    pub trouble: Option<Trouble>,
    /// What remained of the quota when it was last told, if that is less than a batch.
    room: Option<usize>,
}

impl Line {
    /// How many elements the next request may have.
    fn batch(&self) -> usize {
        self.room.unwrap_or(LEAD_BATCH_MAX).clamp(1, LEAD_BATCH_MAX)
    }

    fn succeeded(&mut self, remaining: u32) {
        let room = Some(remaining as usize).filter(|room| (1..LEAD_BATCH_MAX).contains(room));
        *self = Self { room, ..Self::default() };
    }

    fn failed(&mut self, trouble: Trouble, remaining: u32, asked: usize, now_ms: u64) {
        self.failures = (self.failures + 1).min(16);
        let backoff = (BACKOFF_FIRST_MS << (self.failures - 1)).min(BACKOFF_LONGEST_MS);
        self.again_ms = now_ms + backoff;
        if let Trouble::Refused(refusal) = &trouble {
            let quota = refusal.reason == RefusalReason::Quota;
            if quota && (1..asked).contains(&(remaining as usize)) {
                // Fewer at once would be within it.
                (self.room, self.again_ms) = (Some(remaining as usize), now_ms);
            } else if refusal.again_ms > now_ms {
                (self.room, self.again_ms) = (None, refusal.again_ms.min(now_ms + PUT_OFF_MS_MAX));
            }
        }
        self.trouble = Some(trouble);
    }

    /// Asks at once: something changed.
    pub fn wake(&mut self) {
        if self.trouble.as_ref().is_some_and(|trouble| !matches!(trouble.name(), "quota" | "wrong-key")) {
            (self.failures, self.again_ms) = (0, 0);
        }
    }
}

/// A code under its blind.
struct Asked {
    id: LeadId,
    blinded: Blinded,
}

impl Leads {
    /// Asks a holder for what this node lacks of it, if that is due: one batch. Says whether more is due at once.
    pub(super) async fn ask(&self, epoch: &LeadEpoch, slot: HolderSlot) -> bool {
        let batch = {
            let line = self.lines[slot.index()].lock();
            if line.again_ms > now_ms() {
                return false;
            }
            line.batch()
        };
        let wanted = self.wanted(epoch.epoch, slot, batch);
        if wanted.is_empty() {
            return false;
        }
        let count = wanted.len();
        let mut remaining = 0;
        let outcome = self.evaluate(epoch, slot, wanted, &mut remaining).await;
        let mut line = self.lines[slot.index()].lock();
        match outcome {
            Ok(()) => line.succeeded(remaining),
            Err(trouble) => {
                if matches!(trouble, Trouble::Proof(_)) {
                    self.core.counters().add("lead-proof-wrong", 1);
                    tracing::error!(slot = slot.number(), "a holder did not use the key that the charter names");
                } else {
                    tracing::debug!(slot = slot.number(), %trouble, "a holder was asked in vain");
                }
                line.failed(trouble, remaining, count, now_ms());
            }
        }
        line.again_ms <= now_ms()
    }

    /// Leads that lack an output of a holder in an epoch, as many as a request may have.
    fn wanted(&self, epoch: u32, slot: HolderSlot, batch: usize) -> Vec<(LeadId, CreditCode)> {
        let book = self.book.lock();
        let lacking = book.leads().filter(|(_, lead)| !lead.ended && !lead.is_evaluated(epoch, slot));
        let mut lacking: Vec<(&LeadId, &Lead)> = lacking.collect();
        // What the other holder has answered comes first, so that no quota is spent on halves; then the oldest.
        let turn = |lead: &Lead| (!lead.is_evaluated(epoch, slot.other()), lead.added_ms);
        lacking.sort_by(|(a_id, a), (b_id, b)| turn(a).cmp(&turn(b)).then_with(|| a_id.cmp(b_id)));
        lacking.into_iter().filter_map(|(id, lead)| Some((id.clone(), lead.credit_code()?))).take(batch).collect()
    }

    async fn evaluate(
        &self,
        epoch: &LeadEpoch,
        slot: HolderSlot,
        wanted: Vec<(LeadId, CreditCode)>,
        remaining: &mut u32,
    ) -> Result<(), Trouble> {
        let asked = self.blind(epoch.epoch, slot, wanted)?;
        let elements = asked.iter().map(|asked| asked.blinded.message()).collect();
        let request = EvaluationRequest { epoch: epoch.epoch, slot, elements }.encode();
        let holder = epoch.holder(slot);
        let answer = self.send(holder.member, request).await?;
        *remaining = answer.remaining;
        let evaluation = answer.outcome.map_err(Trouble::Refused)?;
        let (leads, key) = (self.clone(), holder.key);
        let epoch = epoch.epoch;
        let taken = tokio::task::spawn_blocking(move || {
            let (ids, blinded): (Vec<LeadId>, Vec<Blinded>) =
                asked.into_iter().map(|asked| (asked.id, asked.blinded)).unzip();
            let outputs = evaluation.finish(&blinded, &key)?;
            let mut book = leads.book.lock();
            for (id, output) in ids.iter().zip(&outputs) {
                // The charter may have gone on meanwhile; then the output is worth nothing.
                let lacks = book.lead(id).is_some_and(|lead| !lead.is_evaluated(epoch, slot));
                let keep = lacks && book.epoch() == epoch;
                if keep {
                    let kept = book.change(id, |lead| lead.set_output(epoch, slot, output));
                    kept.map_err(|error| Trouble::Book(error.to_string()))?;
                }
            }
            Ok(())
        });
        taken.await.unwrap_or(Err(Trouble::Answer))
    }

    fn blind(&self, epoch: u32, slot: HolderSlot, wanted: Vec<(LeadId, CreditCode)>) -> Result<Vec<Asked>, Trouble> {
        let federation = self.core.federation();
        let blind = |(id, code): (LeadId, CreditCode)| {
            let mut seed = zeroize::Zeroizing::new([0; 32]);
            getrandom::fill(seed.as_mut()).map_err(|_| Trouble::Randomness)?;
            Ok(Asked { id, blinded: code.blind(&federation, epoch, slot, &seed) })
        };
        wanted.into_iter().map(blind).collect()
    }

    /// Sends a request to a node of a holder; this node itself if it is the holder.
    async fn send(&self, holder: MemberNumber, request: Vec<u8>) -> Result<EvaluationAnswer, Trouble> {
        if let Some((own, _)) = self.core.own().filter(|(own, _)| *own == holder) {
            let own_holder = std::sync::Arc::clone(&self.holder);
            let answered = tokio::task::spawn_blocking(move || own_holder.answer(own, &request));
            return answered.await.map_err(|_| Trouble::Answer);
        }
        let mut last = None;
        for peer in self.nodes_of(holder) {
            match self.exchange(peer, &request).await {
                Ok(answer) => return Ok(answer),
                Err(trouble) => last = Some(trouble),
            }
        }
        Err(last.unwrap_or(Trouble::Unreached(String::new())))
    }

    /// The transport keys of a member.
    fn nodes_of(&self, member: MemberNumber) -> Vec<PublicKey> {
        let keys = self.core.read(|state| state.replica.charter().transport_keys());
        keys.into_iter().filter(|(_, holder)| *holder == member).map(|(key, _)| key).collect()
    }

    async fn exchange(&self, peer: PublicKey, request: &[u8]) -> Result<EvaluationAnswer, Trouble> {
        let opened = match self.network.open_stream(peer, StreamKind::Lead).await {
            Err(OpenStreamError::NotConnected) => {
                self.dial(peer).await?;
                self.network.open_stream(peer, StreamKind::Lead).await
            }
            opened => opened,
        };
        let mut stream = opened?;
        write_frame(&mut stream, request, FRAME_WAIT).await?;
        let answer = read_frame(&mut stream, EvaluationAnswer::BYTES_MAX, ANSWER_WAIT).await?;
        EvaluationAnswer::decode(&answer).map_err(|_| Trouble::Answer)
    }

    /// Connects with a holder's node at the addresses that it stated. With discovery off the operator alone decides
    /// whom this node dials.
    async fn dial(&self, peer: PublicKey) -> Result<(), Trouble> {
        if !self.discovery {
            let way_out = "; discovery is off, so its address must stand in network.peers".to_owned();
            return Err(Trouble::Unreached(way_out));
        }
        let addresses: Vec<String> = self.core.read(|state| {
            let holder = state.replica.charter().holder(&peer, Purpose::Transport);
            let mut stated = state.view().addresses();
            let found = stated.find(|(member, key, _)| *key == peer && Some(*member) == holder);
            found.map(|(_, _, addresses)| addresses.to_vec()).unwrap_or_default()
        });
        let dialled = self.network.dial(Some(peer), addresses).await;
        dialled.map(drop).map_err(|error| Trouble::Unreached(format!(": {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_that_is_away_is_asked_less_and_less_and_at_once_when_it_is_back() {
        let mut line = Line::default();
        let waits: Vec<u64> = (0..12)
            .map(|_| {
                line.failed(Trouble::Answer, 0, 5, 1_000);
                line.again_ms - 1_000
            })
            .collect();
        assert_eq!(waits[..3], [2_000, 4_000, 8_000]);
        assert_eq!(waits[11], BACKOFF_LONGEST_MS);
        line.wake();
        assert_eq!(line.again_ms, 0);
        line.succeeded(500);
        assert!(line.trouble.is_none() && line.batch() == LEAD_BATCH_MAX);
    }

    #[test]
    fn a_quota_is_used_up_to_its_end_and_then_waited_for() {
        let refused = |again_ms| Trouble::Refused(Refusal { reason: RefusalReason::Quota, again_ms });
        let mut line = Line::default();
        line.failed(refused(90_000), 7, 64, 1_000);
        assert_eq!((line.batch(), line.again_ms), (7, 1_000), "seven are left: they are asked for at once");
        line.succeeded(0);
        line.failed(refused(90_000), 0, 7, 1_000);
        assert_eq!(line.again_ms, 90_000);
        line.wake();
        assert_eq!(line.again_ms, 90_000, "a new connection does not renew the quota");
        line.failed(refused(u64::MAX), 0, 7, 1_000);
        assert_eq!(line.again_ms, 1_000 + PUT_OFF_MS_MAX, "nobody puts this node off for ever");
    }
}
