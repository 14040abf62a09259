//! When a node may sign (DESIGN 3.7): its disk alone cannot prove where its log ends.
//!
//! After every start it first hears from members: a sync session with one brings the tail of the own log, if there
//! is more of it than the disk holds, and then the same member looks whether another process uses the own keys
//! (`twin`). How many members it takes depends on what the disk says of itself:
//!
//! - The journal is sound, in the directory where it was written (`place`): one member, or a few seconds without any.
//! - The directory may be a copy or a backup, or the journal is lost or behind: [`CONFIRMATIONS`] members, or all
//!   that can be reached of a small federation; never by itself. If there is nobody else, the operator has to say so.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use protocol::gate::{self, CONFIRMATIONS, Enough};
use protocol::identity::{MemberNumber, PublicKey};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::api::types::ProblemDetail;
use crate::core::Core;
use crate::network::Network;
use crate::place::{self, Difference, Witness};
use crate::store::{JournalState, OpenReport};
use crate::twin::Twins;

/// How long a node whose disk proves nothing listens for another process after it has called by gossip.
const CALL_WAIT: Duration = Duration::from_secs(2);
/// How often a waiting node looks whether it may sign.
const TICK: Duration = Duration::from_millis(200);
/// The pause before a member that did not answer the question is asked again.
const ASK_PAUSE: Duration = Duration::from_millis(500);
/// How often a member is asked after one session.
const ASKED_MAX: usize = 3;

/// A member whose session ended well: its node and its number.
pub type Confirmation = (PublicKey, MemberNumber);

/// Why the disk does not prove where the own log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// The data directory is not known to be the original.
    Place(Difference),
    /// The journal is missing or behind.
    Journal,
    /// This directory signed before, and neither journal nor store hold anything of it.
    Lost,
}

/// How careful the node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caution {
    /// The journal is sound.
    Sound,
    /// A first start: nothing was ever signed here.
    First,
    /// Members must confirm the head of the log.
    Doubtful(Doubt),
}

impl Caution {
    fn kind(self) -> gate::Caution {
        match self {
            Self::Sound => gate::Caution::Sound,
            Self::First => gate::Caution::First,
            Self::Doubtful(Doubt::Journal) => gate::Caution::JournalLost,
            Self::Doubtful(Doubt::Place(_) | Doubt::Lost) => gate::Caution::Doubtful,
        }
    }
}

/// Decides when a node may sign.
#[derive(Debug, Clone)]
pub struct Gate {
    directory: PathBuf,
    started: SystemTime,
    witness: Witness,
    caution: Caution,
}

impl Gate {
    /// For a data directory in which opening the store found this. `renewed` says that a former key signed here.
    pub fn new(directory: PathBuf, report: &OpenReport, renewed: bool) -> Self {
        let witness = place::examine(&directory);
        let caution = caution(witness, report.journal, renewed);
        if let Caution::Doubtful(doubt) = caution {
            tracing::warn!(?doubt, "members must confirm where this node's log ends before it signs");
        }
        Self { directory, started: SystemTime::now(), witness, caution }
    }

    /// Whether the data directory may be a copy.
    pub fn is_copy(&self) -> bool {
        matches!(self.witness, Witness::Differs(_))
    }

    /// Why the node waits for longer than usual, for the operator.
    pub fn warning(&self, core: &Core) -> Option<ProblemDetail> {
        let Caution::Doubtful(doubt) = self.caution else { return None };
        (!core.signing_ready() && core.own().is_some()).then(|| doubt.explain())
    }

    /// Waits until enough members were heard, fills the journal from the store, and lets the node sign.
    pub async fn run(
        self,
        core: Core,
        network: Network,
        twins: Arc<Twins>,
        mut confirmations: mpsc::Receiver<Confirmation>,
    ) {
        let mut confirmed = BTreeSet::new();
        let mut asking = JoinSet::new();
        let mut tick = tokio::time::interval(TICK);
        let started = tokio::time::Instant::now();
        while !self.is_enough(&core, &network, &confirmed, started.elapsed()).await {
            tokio::select! {
                heard = confirmations.recv() => match heard {
                    // The bound of the queue bounds the questions: each waits for its session first.
                    Some((peer, member)) if !confirmed.contains(&member) && asking.len() < ASKED_MAX * CONFIRMATIONS => {
                        asking.spawn(ask(Arc::clone(&twins), peer, member));
                    }
                    Some(_) => {}
                    None => return,
                },
                Some(Ok(Some(member))) = asking.join_next() => { confirmed.insert(member); }
                _ = tick.tick() => {}
            }
        }
        twins.call_out().await;
        if matches!(self.caution, Caution::Doubtful(_)) {
            tokio::time::sleep(CALL_WAIT).await;
        }
        core.allow_signing().await;
        // The scheduler goes on telling; nobody needs it any more, and its queue must not fill up for that.
        let drained = async { while confirmations.recv().await.is_some() {} };
        tokio::join!(self.settle(&core), drained);
    }

    async fn is_enough(
        &self,
        core: &Core,
        network: &Network,
        confirmed: &BTreeSet<MemberNumber>,
        waited: Duration,
    ) -> bool {
        if place::take_alone(&self.directory, self.started) {
            tracing::warn!("the operator says that nobody else can confirm the head of the log");
            return true;
        }
        let others = core.delivered(0, 0).members;
        let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        match gate::enough(self.caution.kind(), others, confirmed.len(), waited_ms) {
            Enough::Yes => true,
            Enough::No => false,
            Enough::IfAllConnected => all_connected(core, network, confirmed).await,
        }
    }

    /// Makes the directory the original from now on, and remembers that entries were signed in it once they were.
    async fn settle(&self, core: &Core) {
        let mut changes = core.changes();
        let mut known = match self.witness {
            Witness::Fits { signed } => Some(signed),
            Witness::Differs(_) => None,
        };
        loop {
            let signed = core.store().journal_length(&core.signing_key()) > 0;
            if core.signing_ready() && known != Some(signed) && known != Some(true) {
                let directory = self.directory.clone();
                match tokio::task::spawn_blocking(move || place::settle(&directory, signed)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::warn!(%error, "the place of the data directory was not noted"),
                    Err(_) => return,
                }
                // A disk that refuses is not asked with every change; the next start does it.
                known = Some(signed);
            }
            if known == Some(true) || changes.changed().await.is_err() {
                return;
            }
        }
    }
}

fn caution(witness: Witness, journal: JournalState, renewed: bool) -> Caution {
    match (witness, journal) {
        (_, JournalState::NoKey) => Caution::Sound,
        (Witness::Differs(difference), _) => Caution::Doubtful(Doubt::Place(difference)),
        (_, JournalState::Missing { .. } | JournalState::Behind { .. }) => Caution::Doubtful(Doubt::Journal),
        // What was signed here stands in the log of a former key.
        (Witness::Fits { signed: true }, JournalState::Empty) if renewed => Caution::First,
        (Witness::Fits { signed: true }, JournalState::Empty) => Caution::Doubtful(Doubt::Lost),
        (Witness::Fits { signed: false }, JournalState::Empty) => Caution::First,
        (Witness::Fits { .. }, JournalState::Consistent { .. }) => Caution::Sound,
    }
}

/// Asks a member whether another process uses this node's keys; its number if it looked.
async fn ask(twins: Arc<Twins>, peer: PublicKey, member: MemberNumber) -> Option<MemberNumber> {
    for _ in 0..ASKED_MAX {
        match twins.ask(peer).await {
            Ok(()) => return Some(member),
            Err(error) => tracing::debug!(%member, %error, "the member did not look for other processes"),
        }
        tokio::time::sleep(ASK_PAUSE).await;
    }
    None
}

async fn all_connected(core: &Core, network: &Network, confirmed: &BTreeSet<MemberNumber>) -> bool {
    let keys = core.read(|state| state.replica.charter().transport_keys());
    let peers = network.peers().await.unwrap_or_default();
    peers.iter().filter_map(|peer| keys.get(&peer.peer)).all(|member| confirmed.contains(member))
}

impl Doubt {
    fn explain(self) -> ProblemDetail {
        let (code, zh, en) = match self {
            Self::Place(Difference::Absent) => (
                "place-unknown",
                "数据目录没有位置凭证（由恢复包或旧版本建立），可能不是原件",
                "the data directory has no witness of its place (it comes from a kit or an older version), so it may \
                 not be the original",
            ),
            Self::Place(Difference::Unreadable) => (
                "place-unknown",
                "数据目录的位置凭证读不出来",
                "the witness of the data directory's place is unreadable",
            ),
            Self::Place(Difference::Machine) => (
                "directory-is-a-copy",
                "数据目录是从另一台机器复制或恢复来的",
                "the data directory was copied or restored from another machine",
            ),
            Self::Place(Difference::File) => (
                "directory-is-a-copy",
                "数据目录是复制品或由备份恢复",
                "the data directory is a copy or was restored from a backup",
            ),
            Self::Journal => ("journal-behind", "本节点的日志文件丢失或落后", "this node's journal is lost or behind"),
            Self::Lost => (
                "log-lost",
                "这里曾经签署过条目，但日志和存储都不在了",
                "entries were signed here, but journal and store are gone",
            ),
        };
        let zh = format!(
            "{zh}；要等其他成员确认本节点日志的末尾后才能签署。确实没有其他成员可问时：xianmeng key confirm-alone"
        );
        let en = format!(
            "{en}; it signs once other members have confirmed where its log ends. If nobody is left to ask: \
             `xianmeng key confirm-alone`"
        );
        ProblemDetail { at: "place".into(), code: code.into(), zh, en }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_a_lost_log_and_a_lost_journal_are_doubtful_and_a_first_start_is_not() {
        let (fits, fresh) = (Witness::Fits { signed: true }, Witness::Fits { signed: false });
        let copy = Witness::Differs(Difference::File);
        let sound = JournalState::Consistent { journal_length: 3 };
        assert_eq!(caution(fits, sound, false), Caution::Sound);
        assert_eq!(caution(fresh, sound, false), Caution::Sound);
        assert_eq!(caution(fresh, JournalState::Empty, false), Caution::First);
        assert_eq!(caution(fits, JournalState::Empty, false), Caution::Doubtful(Doubt::Lost));
        assert_eq!(caution(fits, JournalState::Empty, true), Caution::First, "the log of a new key");
        assert_eq!(caution(copy, JournalState::Empty, true), Caution::Doubtful(Doubt::Place(Difference::File)));
        assert_eq!(caution(fits, JournalState::Missing { store_length: 3 }, false), Caution::Doubtful(Doubt::Journal));
        for journal in [sound, JournalState::Empty, JournalState::Missing { store_length: 3 }] {
            assert_eq!(caution(copy, journal, false), Caution::Doubtful(Doubt::Place(Difference::File)));
        }
        assert_eq!(caution(copy, JournalState::NoKey, false), Caution::Sound, "it cannot sign at all");
    }
}
