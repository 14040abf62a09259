//! What the pages show, behind one seam: a function for each view, the same that the HTTP API serves.
//!
//! A view that a build lacks is `None`; the page then says so. A board is added by adding a function here, its page in
//! `pages`, its template, and its line in the navigation (`portal/README.md` says how).

use std::net::IpAddr;
use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::watch;

use crate::api::types::{
    AlarmsView, BulletinView, CustodyView, DoctorView, DutiesView, DutyCounts, DutyItem, HealthView,
    IndicatorEvidenceView, IndicatorsView, MemberHealthDetail, PeerView, UnchangedView, VerificationView,
};

/// Characters of an id or digest that a page shows.
const SHORT_CHARACTERS: usize = 16;

/// The federation and this node, as every page shows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Federation {
    /// Name of the federation.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Name of this node's member; empty while it is none.
    pub member_name: String,
    /// Its number.
    pub member_number: u32,
    /// Version of the software.
    pub version: String,
    /// Records.
    pub records: u64,
    /// Entries that count.
    pub entries: u64,
    /// Version of the charter's tip.
    pub charter_version: u32,
    /// Digest of the frontier.
    pub digest: String,
    /// Whether every body is here.
    pub complete: bool,
    /// Whether this node may sign.
    pub signing_ready: bool,
    /// Bytes of the store on disk.
    pub store_bytes: u64,
    /// Bytes of the journal on disk.
    pub journal_bytes: u64,
    /// When the node started.
    pub started_ms: u64,
}

impl Federation {
    /// For pages before the login, which tell nothing of the federation.
    pub fn unnamed() -> Self {
        Self { name: "县盟 Xianmeng".to_owned(), ..Self::default() }
    }

    /// The beginning of the digest.
    pub fn digest_short(&self) -> String {
        short(&self.digest)
    }

    /// The beginning of the federation's id.
    pub fn id_short(&self) -> String {
        short(&self.id)
    }
}

/// The beginning of an id or digest.
pub fn short(id: &str) -> String {
    id.chars().take(SHORT_CHARACTERS).collect()
}

/// Which duties are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DutiesAsked {
    /// Of this member.
    pub member: Option<u32>,
    /// In this state.
    pub state: Option<String>,
    /// By this rule.
    pub rule: Option<String>,
}

impl DutiesAsked {
    /// Whether a duty is asked for. What is `due` is also what the running period still wants.
    pub fn fits(&self, item: &DutyItem) -> bool {
        let running = || item.running.as_ref().is_some_and(|running| running.state == "due");
        let stands = |state: &str| item.state == state || (state == "due" && running());
        self.member.is_none_or(|number| item.member.as_ref().is_some_and(|member| member.number == number))
            && self.state.as_deref().is_none_or(stands)
            && self.rule.as_deref().is_none_or(|rule| item.rule == rule)
    }

    /// How many duties the list of each state shows, by the same rule as the list itself.
    pub fn counts(items: &[DutyItem]) -> DutyCounts {
        let count = |state: &str| {
            let asked = Self { state: Some(state.to_owned()), ..Self::default() };
            items.iter().filter(|item| asked.fits(item)).count() as u64
        };
        DutyCounts {
            met: count("met"),
            met_no_change: count("met_no_change"),
            late: count("late"),
            due: count("due"),
            overdue: count("overdue"),
            escalated: count("escalated"),
            exempt: count("exempt"),
            not_computable: count("not_computable"),
            running_due: count("due"),
        }
    }
}

/// A bulletin.
#[derive(Debug, Clone)]
pub struct BulletinRow {
    /// The bulletin; in a list without its figures.
    pub view: BulletinView,
    /// Its own number, which names the period, for instance `2026Q3`; empty when it has none.
    pub number: String,
    /// What this node found; nothing while it has not finished.
    pub check: Option<Check>,
}

/// The bulletins, the last first.
#[derive(Debug, Clone, Default)]
pub struct Bulletins {
    /// A bounded number of them.
    pub rows: Vec<BulletinRow>,
    /// How many there are.
    pub total: usize,
}

/// What came of computing a bulletin again.
#[derive(Debug, Clone)]
pub struct Check {
    /// When it was finished.
    pub at_ms: u64,
    /// What was found; an error where it could not be looked at.
    pub found: Result<Arc<VerificationView>, Arc<str>>,
}

/// Why something was not published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong, in Chinese.
    pub zh: String,
    /// What is wrong, in English.
    pub en: String,
    /// The way out, in Chinese.
    pub fix_zh: String,
    /// The way out, in English.
    pub fix_en: String,
}

/// What may change what a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Who is up, links, custody, alarms.
    Health,
    /// Records, duties, indicators.
    Records,
}

impl Topic {
    /// Its name in the stream of events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Records => "records",
        }
    }
}

/// What the portal asks of the node. Everything but publishing may block for a moment and is called away from the
/// async threads.
pub trait Data: Send + Sync + 'static {
    /// The federation and this node.
    fn federation(&self) -> Federation;

    /// Numbers that grow when something changes.
    fn changes(&self) -> Vec<(Topic, watch::Receiver<u64>)>;

    /// Who is connected with this node.
    fn links(&self) -> BoxFuture<'_, Vec<PeerView>>;

    /// How every member is.
    fn health(&self, _now_ms: u64) -> Option<HealthView> {
        None
    }

    /// How one member is; the inner value is absent when there is no such member.
    fn member(&self, _number: u32, _now_ms: u64) -> Option<Option<MemberHealthDetail>> {
        None
    }

    /// Who holds which log.
    fn custody(&self, _now_ms: u64) -> Option<CustodyView> {
        None
    }

    /// Duties.
    fn duties(&self, _asked: &DutiesAsked, _now_ms: u64) -> Option<DutiesView> {
        None
    }

    /// States for this node's member that nothing changed.
    fn say_unchanged(&self) -> BoxFuture<'_, Result<UnchangedView, Refusal>> {
        let (zh, en) = ("本版本不能声明无变化。", "this build cannot state that nothing changed");
        Box::pin(std::future::ready(Err(Refusal { zh: zh.into(), en: en.into(), ..Refusal::default() })))
    }

    /// Indicators.
    fn indicators(&self, _now_ms: u64) -> Option<IndicatorsView> {
        None
    }

    /// One indicator and its records; the inner value is absent when there is no such indicator.
    fn indicator(&self, _code: &str, _now_ms: u64) -> Option<Option<IndicatorEvidenceView>> {
        None
    }

    /// Bulletins, and what this node found when it computed them again; those that it did not are looked at meanwhile.
    fn bulletins(&self) -> Option<Bulletins> {
        None
    }

    /// One bulletin with its figures; the inner value is absent when there is no such bulletin.
    fn bulletin(&self, _reference: &str) -> Option<Option<BulletinRow>> {
        None
    }

    /// What is wrong with this node.
    fn doctor(&self, _now_ms: u64) -> BoxFuture<'_, Option<DoctorView>> {
        Box::pin(std::future::ready(None))
    }

    /// Alarms.
    fn alarms(&self, _now_ms: u64) -> Option<AlarmsView> {
        None
    }

    /// Writes a line of the log of logins and writes, and says whether it is on disk.
    fn record_durably(&self, access: Access) -> BoxFuture<'_, bool> {
        self.record(&access);
        Box::pin(std::future::ready(true))
    }

    /// Writes a line of the log of logins and writes.
    fn record(&self, access: &Access) {
        tracing::info!(
            actor = access.actor,
            address = %access.address,
            action = access.action,
            route = access.route,
            subject = access.subject,
            outcome = access.outcome,
            "portal access"
        );
    }
}

/// A login or a write, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Who: `portal:NAME`, or `unknown`.
    pub actor: String,
    /// From where.
    pub address: IpAddr,
    /// `login` or `write`.
    pub action: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// Where.
    pub route: &'static str,
    /// What it was about; of a login that failed, never what was typed.
    pub subject: String,
    /// HTTP status of the answer; none yet when it is begun.
    pub status: Option<u16>,
    /// `begun`, `ok` or `refused`.
    pub outcome: &'static str,
}
