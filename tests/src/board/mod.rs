//! A portal over a federation that exists in the test alone, so that every page has something to show: members in every
//! state, findings, duties, indicators with objections, alarms.

mod samples;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use node::api::types::{
    Alarm, AlarmsView, BulletinView, CustodyView, DoctorView, DutiesView, DutyItem, Finding, HealthCounts,
    HealthFinding, HealthView, HeldStep, IndicatorEvidenceView, IndicatorsView, LogCustody, MemberHealth,
    MemberHealthDetail, MemberName, OwnHealth, PeerView, PhaseView, Severity, UnchangedView, WebhookView,
};
use node::config::PortalConfig;
use node::portal::accounts::{Accounts, Role};
use node::portal::data::{Access, BulletinRow, Bulletins, Data, DutiesAsked, Federation, Refusal, Topic};
use node::portal::{PortalContext, PortalServer};
use samples::{check, division, duty, duty_rule, evidence, indicator, report};
use tokio::net::TcpSocket;
use tokio::sync::watch;

/// The password of every account of the board.
pub const PASSWORD: &str = "一句好记而且够长的话";
/// When the federation was founded.
const FOUNDED_MS: u64 = 1_767_225_600_000;
const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

const PLACES: [(&str, &str); 8] = [
    ("500236", "奉节县"),
    ("361025", "乐安县"),
    ("530922", "云县"),
    ("411426", "夏邑县"),
    ("430422", "衡南县"),
    ("330182", "建德市"),
    ("222403", "敦化市"),
    ("620821", "泾川县"),
];

/// The federation of the test.
pub struct Board {
    members: u32,
    cut_off: bool,
    changes: watch::Sender<u64>,
    recorded: Mutex<Vec<Access>>,
    log_refuses: AtomicBool,
    asked_to_write: AtomicUsize,
}

impl Board {
    /// A federation of so many members.
    pub fn of(members: u32) -> Arc<Self> {
        Arc::new(Self::new(members, false))
    }

    /// The same, seen from a node that is cut off.
    pub fn cut_off(members: u32) -> Arc<Self> {
        Arc::new(Self::new(members, true))
    }

    fn new(members: u32, cut_off: bool) -> Self {
        Self {
            members,
            cut_off,
            changes: watch::Sender::new(0),
            recorded: Mutex::default(),
            log_refuses: AtomicBool::default(),
            asked_to_write: AtomicUsize::default(),
        }
    }

    /// Makes the log of logins and writes take no line that must be on disk, or take them again.
    pub fn refuse_lines(&self, refuse: bool) {
        self.log_refuses.store(refuse, Ordering::Relaxed);
    }

    /// How often it was asked to write.
    pub fn asked_to_write(&self) -> usize {
        self.asked_to_write.load(Ordering::Relaxed)
    }

    /// Says that something changed.
    pub fn change(&self) {
        self.changes.send_modify(|number| *number += 1);
    }

    /// Logins and writes so far.
    pub fn recorded(&self) -> Vec<Access> {
        self.recorded.lock().expect("nobody panics while holding it").clone()
    }

    fn bulletin_view() -> BulletinView {
        BulletinView {
            id: "3c".repeat(32),
            label: "0-12".into(),
            title: "2026 年第三季度指标公报".into(),
            author: Self::name(0),
            published_ms: FOUNDED_MS + 280 * DAY_MS,
            as_of_ms: FOUNDED_MS + 273 * DAY_MS,
            charter_version: 8,
            digest: "4d".repeat(32),
            rules_version: 1,
            entries: 91_000,
            objections_open: 1,
            unreadable: None,
            figures: Vec::new(),
        }
    }

    fn name(number: u32) -> MemberName {
        let (_, place) = PLACES[number as usize % PLACES.len()];
        let name = match number {
            0 => "中国县域产业招商联盟秘书处".to_owned(),
            number if number as usize <= PLACES.len() => format!("{place}人民政府"),
            number if number.is_multiple_of(5) => format!("县域产业发展基金管理有限公司第{number}号"),
            number => format!("{place}第{number}招商服务中心"),
        };
        MemberName { number, name }
    }

    fn member_health(&self, number: u32, now_ms: u64) -> MemberHealth {
        let (region, _) = PLACES[number as usize % PLACES.len()];
        let (class, class_zh) = match number {
            0 => ("secretariat", "秘书处"),
            number if number as usize <= PLACES.len() => ("county", "县域政府"),
            number if number.is_multiple_of(5) => ("fund", "基金机构"),
            _ => ("county", "县域政府"),
        };
        let (state, state_zh, state_en) = match number {
            0 => ("up", "在线", "up"),
            _ if self.cut_off => ("unknown", "无法判断", "unknown"),
            number if number % 7 == 3 => ("silent", "失联", "silent"),
            number if number % 7 == 4 => ("never_joined", "从未上线", "never joined"),
            _ => ("up", "在线", "up"),
        };
        let (heard, linked) = (state != "never_joined", state == "up" && number <= 6);
        let heard_ms = match state {
            "up" => Some(now_ms - u64::from(number % 9) * 60_000),
            "never_joined" => None,
            _ => Some(now_ms - 3 * HOUR_MS - u64::from(number) * 1_000),
        };
        let findings = self.member_findings(number, state, now_ms);
        let worst = findings.iter().map(|finding| finding.severity.clone()).min();
        MemberHealth {
            member: Self::name(number),
            class: class.into(),
            class_zh: class_zh.into(),
            region: if number == 0 { String::new() } else { region.into() },
            region_name: if number == 0 { String::new() } else { division(region) },
            own: number == 0,
            state: state.into(),
            state_zh: state_zh.into(),
            state_en: state_en.into(),
            since_ms: heard_ms.unwrap_or(FOUNDED_MS),
            source: if number == 0 {
                "own"
            } else if linked {
                "direct"
            } else if state == "up" {
                "beacon"
            } else {
                "none"
            }
            .into(),
            as_of_ms: heard_ms.unwrap_or(now_ms),
            heard_ms,
            stale_since_ms: heard_ms.filter(|_| ["silent", "unknown"].contains(&state)),
            joined_ms: heard.then_some(FOUNDED_MS + DAY_MS),
            linked,
            severity: worst.unwrap_or_else(|| "ok".into()),
            findings,
            report: heard.then(|| report(number, now_ms)),
        }
    }

    fn member_findings(&self, number: u32, state: &str, now_ms: u64) -> Vec<HealthFinding> {
        let finding = |id: &str, severity: &str, zh: &str, en: &str| HealthFinding {
            id: id.into(),
            severity: severity.into(),
            since_ms: now_ms - 2 * HOUR_MS,
            figures: BTreeMap::new(),
            what_zh: zh.into(),
            what_en: en.into(),
            fix_zh: "请联系该成员的管理员。".into(),
            fix_en: "ask that member's operator".into(),
        };
        match (state, number % 11) {
            ("silent", _) => vec![finding("silent", "critical", "三小时没有消息。", "silent for three hours")],
            ("never_joined", _) => {
                vec![finding("never_joined", "warning", "入盟后从未上线。", "never heard since its admission")]
            }
            ("up", 2) => vec![
                finding("behind", "warning", "落后 1,204 条。", "1,204 entries behind"),
                finding("outdated", "warning", "版本过旧。", "an old version"),
            ],
            ("up", 5) => vec![finding("forked", "critical", "日志在第 17 条分叉。", "its log is forked at entry 17")],
            ("up", 8) => vec![finding("clock_off", "warning", "时钟快 92 秒。", "its clock is 92 s ahead")],
            _ => Vec::new(),
        }
    }

    fn own(&self, now_ms: u64) -> OwnHealth {
        let (text_zh, text_en) = match self.cut_off {
            true => (
                "本节点与所有成员断开，不知道他们现在怎样。",
                "this node has lost everybody and cannot tell how they are",
            ),
            false => ("与 6 家成员保持连接。", "connected with 6 members"),
        };
        OwnHealth {
            member: Some(Self::name(0)),
            cut_off_since_ms: self.cut_off.then_some(now_ms - 3 * HOUR_MS),
            started_ms: now_ms - 9 * DAY_MS,
            links: if self.cut_off { 0 } else { 6 },
            heard_ms: Some(now_ms - 4_000),
            version: "0.1.0".into(),
            beacon_seconds: 600,
            entries: 100_000,
            disk_free_bytes: Some(91_234_567_890),
            disk_free_permille: Some(612),
            clock_offset_ms: Some(-37),
            text_zh: text_zh.into(),
            text_en: text_en.into(),
            ..OwnHealth::default()
        }
    }

    fn log(&self, number: u32, now_ms: u64) -> LogCustody {
        let short = number % 11 == 5;
        let held_by = if short { 1 } else { self.members as usize - number as usize % 3 };
        let text = |text: &str| if short { text.to_owned() } else { String::new() };
        LogCustody {
            log: number,
            member: Self::name(number),
            class: "county".into(),
            region: PLACES[number as usize % PLACES.len()].0.into(),
            length: 120 + u64::from(number),
            settled_length: 118 + u64::from(number),
            held_by,
            held_whole_by: held_by.saturating_sub(1),
            provinces: if short { 1 } else { 7 },
            members: self.members as usize,
            steps: vec![
                HeldStep { length: 120 + u64::from(number), members: held_by.saturating_sub(1) },
                HeldStep { length: 118, members: held_by },
            ],
            missing_from: (0..(number % 3)).map(Self::name).collect(),
            missing: number as usize % 3,
            short,
            short_since_ms: short.then_some(now_ms - DAY_MS),
            severity: if short { "critical" } else { "ok" }.into(),
            what_zh: text("只有一家保管，少于规则要求的三家。"),
            what_en: text("one member holds it; the rule wants three"),
            fix_zh: text("请让更多成员上线同步。"),
            fix_en: text("bring more members up"),
        }
    }
}

impl Data for Board {
    fn federation(&self) -> Federation {
        Federation {
            name: "中国县域产业招商联盟".into(),
            id: "7b".repeat(32),
            member_name: Self::name(0).name,
            member_number: 0,
            version: "0.1.0".into(),
            records: 98_765,
            entries: 100_000,
            charter_version: 9,
            digest: "5c".repeat(32),
            complete: true,
            signing_ready: true,
            store_bytes: 140_000_000,
            journal_bytes: 2_400_000,
            started_ms: node::core::now_ms() - 9 * DAY_MS,
        }
    }

    fn changes(&self) -> Vec<(Topic, watch::Receiver<u64>)> {
        vec![(Topic::Records, self.changes.subscribe())]
    }

    fn links(&self) -> BoxFuture<'_, Vec<PeerView>> {
        let linked = (1..self.members.min(7)).filter(|number| ![3, 4].contains(number));
        let view = |number: u32| PeerView {
            transport: format!("{number:064x}"),
            member: Some(Self::name(number)),
            outbound: number.is_multiple_of(2),
            address: format!("/ip4/192.0.2.{number}/udp/4701/quic-v1"),
            rtt_ms: Some(u64::from(number) * 7),
            rejected_messages: 0,
        };
        let links = linked.filter(|_| !self.cut_off).map(view).collect();
        Box::pin(std::future::ready(links))
    }

    fn health(&self, now_ms: u64) -> Option<HealthView> {
        let mut members: Vec<MemberHealth> =
            (0..self.members).map(|number| self.member_health(number, now_ms)).collect();
        let rank = |severity: &str| ["critical", "warning", "ok"].iter().position(|known| *known == severity);
        members.sort_by_key(|member| rank(&member.severity));
        let in_state = |state: &str| members.iter().filter(|member| member.state == state).count();
        let mut findings: BTreeMap<String, usize> = BTreeMap::new();
        for finding in members.iter().flat_map(|member| &member.findings) {
            *findings.entry(finding.id.clone()).or_default() += 1;
        }
        let direct = members.iter().filter(|member| ["own", "direct"].contains(&member.source.as_str())).count();
        let counts = HealthCounts {
            members: members.len(),
            up: in_state("up"),
            up_direct: direct,
            up_beacon: in_state("up").saturating_sub(direct),
            silent: in_state("silent"),
            never_joined: in_state("never_joined"),
            unknown: in_state("unknown"),
            warnings: members.iter().filter(|member| member.severity == "warning").count(),
            critical: members.iter().filter(|member| member.severity == "critical").count(),
            findings,
        };
        Some(HealthView { as_of_ms: now_ms, severity: "critical".into(), counts, own: self.own(now_ms), members })
    }

    fn member(&self, number: u32, now_ms: u64) -> Option<Option<MemberHealthDetail>> {
        Some((number < self.members).then(|| MemberHealthDetail {
            as_of_ms: now_ms,
            health: self.member_health(number, now_ms),
            custody: vec![self.log(number, now_ms)],
            own: self.own(now_ms),
        }))
    }

    fn custody(&self, now_ms: u64) -> Option<CustodyView> {
        let mut logs: Vec<LogCustody> = (0..self.members).map(|number| self.log(number, now_ms)).collect();
        logs.sort_by_key(|log| log.held_by);
        Some(CustodyView {
            as_of_ms: now_ms,
            severity: "critical".into(),
            replicas_wanted: 3,
            provinces_wanted: 2,
            short: logs.iter().filter(|log| log.short).count(),
            logs,
            settling_until_ms: None,
            cut_off_since_ms: self.cut_off.then_some(now_ms - 3 * HOUR_MS),
        })
    }

    fn duties(&self, asked: &DutiesAsked, now_ms: u64) -> Option<DutiesView> {
        let mut items: Vec<DutyItem> = (0..self.members).map(|number| duty(number, now_ms)).collect();
        let counts = DutiesAsked::counts(&items);
        items.retain(|item| asked.fits(item));
        Some(DutiesView {
            as_of_ms: now_ms,
            rules_version: 1,
            charter_rules: "these".into(),
            rules_hash: "1a".repeat(32),
            charter_version: 9,
            frontier: "5c".repeat(32),
            complete: true,
            rules: vec![duty_rule(counts.clone())],
            counts,
            items,
        })
    }

    fn indicators(&self, now_ms: u64) -> Option<IndicatorsView> {
        Some(IndicatorsView {
            as_of_ms: now_ms,
            charter_version: 9,
            digest: "5c".repeat(32),
            kind_set: "2b".repeat(32),
            rules_version: 1,
            complete: true,
            missing_bodies: 0,
            phase: PhaseView {
                name: "growth".into(),
                zh: "成长期".into(),
                en: "growth phase".into(),
                until_ms: Some(now_ms + 90 * DAY_MS),
                indicator: Some("ZB021".into()),
            },
            subjects: vec!["联盟".into(), "县域".into()],
            indicators: (1..=24).map(|number| indicator(number, now_ms)).collect(),
        })
    }

    fn indicator(&self, code: &str, now_ms: u64) -> Option<Option<IndicatorEvidenceView>> {
        let found = (1..=24).map(|number| indicator(number, now_ms)).find(|indicator| indicator.code == code);
        Some(found.map(|indicator| IndicatorEvidenceView {
            as_of_ms: now_ms,
            charter_version: 9,
            digest: "5c".repeat(32),
            rules_version: 1,
            complete: true,
            missing_bodies: 0,
            indicator,
            evidence: (1..8).map(evidence).collect(),
            total: 7,
        }))
    }

    fn bulletins(&self) -> Option<Bulletins> {
        let row =
            |differs| BulletinRow { view: Self::bulletin_view(), number: "2026Q3".into(), check: Some(check(differs)) };
        let unchecked = BulletinRow { check: None, ..row(false) };
        let rows = if self.members == 0 { Vec::new() } else { vec![unchecked, row(false), row(true)] };
        Some(Bulletins { total: rows.len(), rows })
    }

    fn bulletin(&self, reference: &str) -> Option<Option<BulletinRow>> {
        let found = (reference == "0-12").then(|| {
            let figures = (1..=24).map(samples::bulletin_figure).collect();
            let view = BulletinView { figures, ..Self::bulletin_view() };
            BulletinRow { view, number: "2026Q3".into(), check: Some(check(true)) }
        });
        Some(found)
    }

    fn say_unchanged(&self) -> BoxFuture<'_, Result<UnchangedView, Refusal>> {
        self.asked_to_write.fetch_add(1, Ordering::Relaxed);
        let refusal =
            Refusal {
                zh: "测试里不能发布。".into(), en: "the test cannot publish".into(), ..Refusal::default()
            };
        Box::pin(std::future::ready(Err(refusal)))
    }

    fn record_durably(&self, access: Access) -> BoxFuture<'_, bool> {
        let takes = !self.log_refuses.load(Ordering::Relaxed);
        if takes {
            self.record(&access);
        }
        Box::pin(std::future::ready(takes))
    }

    fn doctor(&self, now_ms: u64) -> BoxFuture<'_, Option<DoctorView>> {
        let view = DoctorView {
            as_of_ms: now_ms,
            severity: Severity::Warning,
            running: true,
            checked: ["clock-off", "disk-full", "port-blocked"].map(str::to_owned).to_vec(),
            findings: vec![Finding {
                id: "disk-filling".into(),
                severity: Severity::Warning,
                subject: "/var/lib/xianmeng".into(),
                since_ms: now_ms - DAY_MS,
                what_zh: "磁盘只剩 9%。".into(),
                what_en: "9% of the disk is free".into(),
                cause_zh: "日志或备份占满了磁盘。".into(),
                cause_en: "logs or backups fill it".into(),
                fix_zh: "请清理旧备份，或扩大磁盘。".into(),
                fix_en: "remove old backups, or enlarge the disk".into(),
            }],
        };
        Box::pin(std::future::ready(Some(view)))
    }

    fn alarms(&self, now_ms: u64) -> Option<AlarmsView> {
        let alarm = |id: &str, severity, zh: &str, en: &str, cleared_ms| Alarm {
            id: id.into(),
            severity,
            subject: Self::name(5).name,
            source: "health".into(),
            since_ms: now_ms - 5 * HOUR_MS,
            cleared_ms,
            what_zh: zh.into(),
            what_en: en.into(),
            fix_zh: "请联系该成员的管理员。".into(),
            fix_en: "ask that member's operator".into(),
        };
        Some(AlarmsView {
            as_of_ms: now_ms,
            severity: Severity::Critical,
            alarms: vec![
                alarm("forked", Severity::Critical, "一条日志分叉。", "a log is forked", None),
                alarm("custody-short", Severity::Warning, "一条日志只有一家保管。", "one member holds a log", None),
            ],
            cleared: vec![alarm("silent", Severity::Warning, "曾失联。", "was silent", Some(now_ms - HOUR_MS))],
            webhooks: vec![WebhookView {
                target: "https://alarms.example".into(),
                delivered: 12,
                given_up: 0,
                waiting: 1,
                delivered_ms: Some(now_ms - HOUR_MS),
                error: Some("connection refused".into()),
            }],
        })
    }

    fn record(&self, access: &Access) {
        self.recorded.lock().expect("nobody panics while holding it").push(access.clone());
    }
}

/// A portal that serves a board on loopback, with an account of each role: `viewer` and `operator`.
pub struct ServedBoard {
    /// The federation.
    pub board: Arc<Board>,
    /// Where it listens.
    pub address: SocketAddr,
    server: Option<PortalServer>,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl ServedBoard {
    /// Serves a board.
    pub fn serve(board: Arc<Board>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("the operating system grants threads");
        let folder = tempfile::tempdir().expect("a temporary directory");
        let accounts = Accounts::at(folder.path().join("portal-accounts.toml"));
        for role in Role::ALL {
            accounts.add(role.name(), role, PASSWORD, 0).expect("a new account");
        }
        let data: Arc<dyn Data> = Arc::clone(&board) as Arc<dyn Data>;
        let config = PortalConfig { listen: "127.0.0.1:0".into(), ..PortalConfig::default() };
        let served = runtime.block_on(node::portal::serve(PortalContext { data, accounts, config }));
        let server = served.expect("a free port on loopback");
        Self { board, address: server.address(), server: Some(server), runtime, _folder: folder }
    }

    /// The address of a page.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A connection to it from another address of this machine, so that it counts as another place.
    pub fn connect_from(&self, address: Ipv4Addr) -> std::net::TcpStream {
        let connected = self.runtime.block_on(async {
            let socket = TcpSocket::new_v4()?;
            socket.bind(SocketAddr::new(address.into(), 0))?;
            socket.connect(self.address).await?.into_std()
        });
        let stream = connected.expect("the loopback interface has many addresses");
        stream.set_nonblocking(false).expect("a setting of every socket");
        stream
    }

    /// A link to enter by.
    pub fn link(&self) -> String {
        let server = self.server.as_ref().expect("it runs until it is dropped");
        server.door().link(node::core::now_ms()).expect("there is randomness")
    }
}

impl Drop for ServedBoard {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.shutdown());
        }
    }
}
