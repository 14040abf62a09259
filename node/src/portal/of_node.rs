//! The pages of a running node: its own views behind the seam.

use std::net::SocketAddr;
use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::watch;

use super::checked::Checked;
use super::data::{Access, BulletinRow, Bulletins, Check, Data, DutiesAsked, Federation, Refusal, Topic};
use super::kept::Kept;
use super::{Door, PortalError};
use crate::access_log::Record;
use crate::alarms;
use crate::api::types::{
    AlarmsView, BulletinView, CustodyView, DoctorView, DutiesView, HealthView, IndicatorEvidenceView, IndicatorsView,
    MemberHealthDetail, PeerView, Problem, ProblemDetail, UnchangedView,
};
use crate::api::{ApiContext, peer_views};
use crate::core::now_ms;
use crate::duties::unchanged::{self, SayError};
use crate::duties::{self, Asked};
use crate::health;
use crate::indicators;
use crate::kinds::kinds;

/// A running node.
pub struct OfNode {
    context: ApiContext,
    duties: Arc<Kept<Option<DutiesView>>>,
    indicators: Arc<Kept<Option<IndicatorsView>>>,
    checked: Arc<Checked>,
}

impl OfNode {
    /// The node that the API serves.
    pub fn new(context: ApiContext) -> Self {
        Self { context, duties: Arc::default(), indicators: Arc::default(), checked: Arc::default() }
    }

    /// Bulletins with their own numbers and what this node found.
    fn rows(&self, views: Vec<BulletinView>) -> Vec<BulletinRow> {
        let (core, shelf) = (self.context.core.clone(), self.context.derived.indicators());
        let verify = move |id: &str| {
            let found = indicators::verify::verify(&core, &shelf, kinds(), id);
            let found = found.map(Arc::new).map_err(|error| error.to_string().into());
            Check { at_ms: now_ms(), found }
        };
        let ids: Vec<&str> = views.iter().map(|view| view.id.as_str()).collect();
        let checks = self.checked.of(&ids, verify);
        let numbers: Vec<String> = self.context.core.read(|state| {
            let number = |id: &&str| Some(state.view().external(&id.parse().ok()?)?.to_owned());
            ids.iter().map(|id| number(id).unwrap_or_default()).collect()
        });
        let rows = views.into_iter().zip(numbers).zip(checks);
        rows.map(|((view, number), check)| BulletinRow { view, number, check }).collect()
    }
}

impl Data for OfNode {
    fn federation(&self) -> Federation {
        let core = &self.context.core;
        let own = core.own();
        let sizes = core.store().statistics();
        core.read(|state| {
            let (replica, charter) = (&state.replica, state.replica.charter());
            let frontier = replica.frontier();
            let member = own.and_then(|(member, _)| charter.members().get(&member));
            Federation {
                name: charter.name().to_owned(),
                id: charter.federation().to_string(),
                member_name: member.map(|member| member.name.clone()).unwrap_or_default(),
                member_number: member.map(|member| member.number.0).unwrap_or_default(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                records: state.view().len() as u64,
                entries: frontier.heads.values().map(|head| head.length).sum(),
                charter_version: charter.version(),
                digest: frontier.digest().to_string(),
                complete: replica.is_complete(),
                signing_ready: core.signing_ready(),
                store_bytes: sizes.store_bytes,
                journal_bytes: sizes.journal_bytes,
                started_ms: self.context.started_ms,
            }
        })
    }

    fn changes(&self) -> Vec<(Topic, watch::Receiver<u64>)> {
        vec![(Topic::Records, self.context.core.changes()), (Topic::Health, self.context.health.changes())]
    }

    fn health(&self, _now_ms: u64) -> Option<HealthView> {
        Some(health::view(&self.context.health))
    }

    fn member(&self, number: u32, _now_ms: u64) -> Option<Option<MemberHealthDetail>> {
        Some(health::member_view(&self.context.health, number))
    }

    fn custody(&self, _now_ms: u64) -> Option<CustodyView> {
        Some(health::custody_view(&self.context.health))
    }

    fn duties(&self, asked: &DutiesAsked, _now_ms: u64) -> Option<DutiesView> {
        let (core, shelf) = (self.context.core.clone(), self.context.derived.duties());
        let all = self.duties.get(move || {
            let view = duties::view(&core, &shelf, &Asked::default());
            view.inspect_err(|error| tracing::error!(%error, "the duties cannot be shown")).ok()
        });
        let all = all.as_ref().as_ref()?;
        let items = all.items.iter().filter(|item| asked.fits(item)).cloned().collect();
        let (counts, rules) = (DutiesAsked::counts(&all.items), all.rules.clone());
        let (rules_hash, charter_rules) = (all.rules_hash.clone(), all.charter_rules.clone());
        let frontier = all.frontier.clone();
        Some(DutiesView { counts, rules, items, rules_hash, charter_rules, frontier, ..*all })
    }

    fn say_unchanged(&self) -> BoxFuture<'_, Result<UnchangedView, Refusal>> {
        let context = &self.context;
        let said = unchanged::say(context.core.clone(), context.derived.duties(), &context.publisher, now_ms());
        Box::pin(async move {
            let said = said.await;
            self.duties.forget();
            said.map_err(|error| match error {
                SayError::Duty(error) => Refusal { zh: error.zh(), en: error.to_string(), ..Refusal::default() },
                SayError::Records(refusals) => {
                    let Problem { zh, en, fix_zh, fix_en, .. } = refusals.problem();
                    Refusal { zh, en, fix_zh, fix_en }
                }
                SayError::Lost => {
                    Refusal { zh: "节点正在停止。".into(), en: "the node stops".into(), ..Refusal::default() }
                }
            })
        })
    }

    fn indicators(&self, _now_ms: u64) -> Option<IndicatorsView> {
        let (core, shelf) = (self.context.core.clone(), self.context.derived.indicators());
        let view = self.indicators.get(move || {
            let view = indicators::show::view(&core, &shelf, kinds(), &indicators::show::Asked::default());
            view.inspect_err(|error| tracing::error!(%error, "the indicators cannot be shown")).ok()
        });
        view.as_ref().clone()
    }

    fn indicator(&self, code: &str, _now_ms: u64) -> Option<Option<IndicatorEvidenceView>> {
        let (core, shelf) = (&self.context.core, self.context.derived.indicators());
        Some(indicators::show::evidence(core, &shelf, kinds(), code, None).ok())
    }

    fn bulletins(&self) -> Option<Bulletins> {
        let view = indicators::show::bulletins(&self.context.core, &self.context.derived.indicators(), kinds());
        Some(Bulletins { total: view.total, rows: self.rows(view.bulletins) })
    }

    fn bulletin(&self, reference: &str) -> Option<Option<BulletinRow>> {
        let (core, shelf) = (&self.context.core, self.context.derived.indicators());
        let view = indicators::show::bulletin(core, &shelf, kinds(), reference).ok();
        Some(view.and_then(|view| self.rows(vec![view]).pop()))
    }

    fn doctor(&self, _now_ms: u64) -> BoxFuture<'_, Option<DoctorView>> {
        Box::pin(async { Some(self.context.operations.doctor.view().await) })
    }

    fn alarms(&self, _now_ms: u64) -> Option<AlarmsView> {
        Some(alarms::view(&self.context.operations.alarms))
    }

    fn record(&self, access: &Access) {
        self.context.operations.access_log.record(line(access));
    }

    fn record_durably(&self, access: Access) -> BoxFuture<'_, bool> {
        Box::pin(self.context.operations.access_log.record_durably(line(&access)))
    }

    fn links(&self) -> BoxFuture<'_, Vec<PeerView>> {
        Box::pin(async {
            let peers = self.context.network.peers().await.unwrap_or_default();
            peer_views(&self.context.core, &peers)
        })
    }
}

/// A line of the log of logins and writes.
fn line(access: &Access) -> Record {
    let status = access.status.map(|status| format!(" {status}")).unwrap_or_default();
    Record {
        actor: access.actor.clone(),
        address: access.address.to_string(),
        action: access.action,
        method: access.method.to_owned(),
        route: access.route.to_owned(),
        subject: access.subject.clone(),
        outcome: format!("{}{status}", access.outcome),
    }
}

/// What came of starting the portal, for whoever asks for a link and for the warnings of the status.
pub type Started = Result<Door, ProblemDetail>;

/// Why there is no portal, for a person.
pub fn explain(error: &PortalError) -> ProblemDetail {
    let new = |code: &str, zh: String| ProblemDetail {
        at: "portal".to_owned(),
        code: code.to_owned(),
        zh,
        en: format!("the portal does not run: {error}"),
    };
    match error {
        PortalError::Address(address) => {
            new("portal-address", format!("门户没有运行：portal.listen 的“{address}”不是地址。"))
        }
        PortalError::NoPassword(address) => {
            let zh = format!(
                "门户没有运行：{address} 可以从别的机器访问，但还没有账号。请先执行 xianmeng portal user add。"
            );
            new("portal-password", zh)
        }
        PortalError::Accounts(error) => new("portal-accounts", format!("门户没有运行：账号文件读不出来：{error}")),
        PortalError::Random(error) => new("portal", format!("门户没有运行：系统没有随机数：{error}")),
        PortalError::Listen { address, source } => new("portal-listen", listen_zh(*address, source)),
    }
}

fn listen_zh(address: SocketAddr, source: &std::io::Error) -> String {
    match source.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("门户没有运行：{address} 已被占用。请关掉占用的程序，或改 config.toml 的 portal.listen。")
        }
        _ => format!("门户没有运行：不能监听 {address}：{source}"),
    }
}

/// That the settings ask for no portal.
pub fn switched_off() -> ProblemDetail {
    ProblemDetail {
        at: "portal".to_owned(),
        code: "portal-off".to_owned(),
        zh: "门户没有运行：config.toml 的 portal.listen 设为不监听（none 或空）。".to_owned(),
        en: "the portal does not run: portal.listen is `none` or empty in config.toml".to_owned(),
    }
}
