//! What the API asks of the rest of the node, and the warnings that concern the node as a whole.

use std::sync::{Arc, OnceLock};

use crate::api::ApiHooks;
use crate::api::types::{PendingApplication, ProblemDetail};
use crate::core::{CLOCK_OFFSET, Core, clock_shift_ms, now_ms};
use crate::gate::Gate;
use crate::joining::Desk;
use crate::leads::Leads;
use crate::portal::of_node;
use crate::store::{Damage, OpenReport};
use crate::sync::SyncHandle;
use crate::twin::Twins;

/// What opening the store found, for a person.
fn store_warning(damage: &Damage) -> ProblemDetail {
    let (code, zh, en) = match damage {
        Damage::OtherBranch { version } => (
            "charter-branch-changed",
            format!("本节点按锁定的第 {version} 块改走章程的另一支；原来的数据已移到一旁，其余由同伴补齐。"),
            format!("this node went over to the pinned block {version} of the charter; its data before lies aside"),
        ),
        damage => (
            "store-was-damaged",
            format!("启动时发现存储损坏，已移到一旁并重建：{damage}"),
            format!("the store was found damaged at the start, put aside and rebuilt: {damage}"),
        ),
    };
    ProblemDetail { at: "store".into(), code: code.into(), zh, en }
}

/// A clock that a variable for tests sets wrong.
pub(super) fn clock_warning() -> Option<ProblemDetail> {
    let shift_ms = clock_shift_ms();
    (shift_ms != 0).then(|| ProblemDetail {
        at: "clock".into(),
        code: "clock-shifted".into(),
        zh: format!("环境变量 {CLOCK_OFFSET} 把本节点的时钟拨偏 {shift_ms} 毫秒；它只供测试，请去掉后重新启动。"),
        en: format!("the variable {CLOCK_OFFSET}, meant for tests, sets this node's clock wrong by {shift_ms} ms"),
    })
}

/// What the API asks of the rest of the node.
pub(super) struct Hooks {
    pub(super) core: Core,
    pub(super) desk: Arc<Desk>,
    pub(super) sync: SyncHandle,
    pub(super) twins: Arc<Twins>,
    pub(super) leads: Leads,
    pub(super) gate: Gate,
    pub(super) report: OpenReport,
    pub(super) portal: Arc<OnceLock<of_node::Started>>,
}

impl ApiHooks for Hooks {
    fn sync_now(&self) {
        self.sync.everybody();
    }

    fn applications(&self) -> Vec<PendingApplication> {
        self.desk.applications(&self.core)
    }

    fn remove_application(&self, id: &str) -> bool {
        self.desk.remove(id, &self.core)
    }

    fn add_invitation(&self, token: String, expires_ms: u64, single: bool) -> Result<(), String> {
        self.desk.add_invitation(token, expires_ms, single)
    }

    fn warnings(&self) -> Vec<ProblemDetail> {
        let damaged = self.report.damaged.iter().map(store_warning);
        let waiting = self.gate.warning(&self.core);
        // Who switched the portal off need not be told.
        let portal = self.portal.get().and_then(|started| started.as_ref().err().cloned());
        let portal = portal.filter(|problem| *problem != of_node::switched_off());
        let leads = self.leads.warnings();
        let urgent = self.twins.warning().into_iter().chain(clock_warning());
        urgent.chain(waiting).chain(damaged).chain(leads).chain(portal).collect()
    }

    fn portal_link(&self) -> Result<String, ProblemDetail> {
        let starting = || ProblemDetail {
            at: "portal".into(),
            code: "portal-starting".into(),
            zh: "门户正在启动，请稍后再试。".into(),
            en: "the portal is starting; try again in a moment".into(),
        };
        let door = self.portal.get().ok_or_else(starting)?.clone()?;
        door.link(now_ms()).map_err(|error| of_node::explain(&error.into()))
    }
}
