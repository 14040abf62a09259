//! What states and findings are called, and what to do about them, in Chinese and English.

use protocol::custody::{Custody, Rule};
use protocol::health::clock::is_off;
use protocol::health::{Ailment, Assessment, Finding, Picture, Source, State};

use crate::api::types::MemberName;

/// What is wrong and what to do, in both languages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) what_zh: String,
    pub(super) what_en: String,
    pub(super) fix_zh: String,
    pub(super) fix_en: String,
}

fn text(
    what_zh: impl Into<String>,
    what_en: impl Into<String>,
    fix_zh: impl Into<String>,
    fix_en: impl Into<String>,
) -> Text {
    Text { what_zh: what_zh.into(), what_en: what_en.into(), fix_zh: fix_zh.into(), fix_en: fix_en.into() }
}

/// A state in words; an upright one says by what it is known.
pub(super) fn state_words(state: State, source: Source) -> (&'static str, &'static str) {
    match (state, source) {
        (State::Up, Source::Own) => ("在线（本节点）", "up (this node)"),
        (State::Up, Source::Beacon) => ("在线（信标）", "up (by beacon)"),
        (State::Up, _) => ("在线（直连）", "up (connected)"),
        (State::Silent, _) => ("失联", "silent"),
        (State::NeverJoined, _) => ("从未上线", "never joined"),
        (State::Unknown, _) => ("未知", "unknown"),
    }
}

/// How this node is, in one sentence, and another if its clock is off.
pub(super) fn own_words(picture: &Picture) -> (String, String) {
    let (zh, en) = connected_words(picture);
    let offset_ms = picture.own.condition.clock_offset_ms.map(i64::from).filter(|offset_ms| is_off(*offset_ms));
    let Some(offset_ms) = offset_ms else { return (zh, en) };
    let seconds = offset_ms.unsigned_abs() / 1_000;
    let (zh, en) = (zh.trim_end_matches('。'), en.trim_end_matches('.'));
    (
        format!("{zh}。本机时钟比同伴{} {seconds} 秒，因此不按它判断别家，请先对时。", ahead_zh(offset_ms)),
        format!(
            "{en}. My clock is {seconds} s {}: the others are not judged by it; set it first.",
            ahead_en(offset_ms)
        ),
    )
}

fn connected_words(picture: &Picture) -> (String, String) {
    let links = picture.links;
    if picture.cut_off_since_ms.is_some() {
        return (
            "本节点与联盟断开了：连不上其他成员，也听不到信标。以下各家状态未知，问题很可能在本机网络。".into(),
            "I am cut off: no member can be reached and no beacon is heard. The others are unknown; the fault is \
             probably this machine's network."
                .into(),
        );
    }
    if picture.settling_until_ms.is_some() {
        return (
            format!("本节点刚启动或刚恢复连接，正在听取各家信标；已连接 {links} 家。"),
            format!("this node has just started or come back and listens for beacons; it is connected with {links}"),
        );
    }
    (format!("本节点已连接 {links} 家。"), format!("this node is connected with {links} members"))
}

/// A finding in words. `ports` are those of this node.
pub(super) fn finding_words(
    finding: &Finding,
    assessed: &Assessment,
    picture: &Picture,
    (ports_zh, ports_en): &(String, String),
) -> Text {
    let figure = |name: &str| finding.figures.get(name).copied().unwrap_or_default();
    let version = assessed.report.as_ref().map(|report| report.condition.version);
    match finding.ailment {
        Ailment::CutOff => text(
            "本节点与联盟断开：没有成员连接，也听不到信标",
            "this node is cut off: no member is connected and no beacon is heard",
            format!("请检查本机的网线、网关、防火墙和{ports_zh}；恢复后会自行重连。"),
            format!("check this machine's cable, gateway, firewall and {ports_en}; it reconnects by itself"),
        ),
        Ailment::Forked => text(
            format!("日志在第 {} 条分叉：有两台机器用同一把钥签署", figure("sequence")),
            format!("its log is forked at entry {}: two machines signed with one key", figure("sequence")),
            "请电话核实哪台是真的；由登记人封存旧钥并换发新钥（xianmeng charter seals）。",
            "find out by telephone which machine is genuine; a registrar seals the key and grants another \
             (`xianmeng charter seals`)",
        ),
        Ailment::Silent => {
            let (zh, en) = ago(finding.figures.get("seconds").copied());
            text(
                format!("失联：{zh}"),
                format!("silent: {en}"),
                "请电话询问该成员：节点是否在运行、电源和网络是否正常。",
                "call the member: does its node run, do power and network work",
            )
        }
        Ailment::NeverJoined => text(
            "已入盟，但从未听到它的节点",
            "admitted, and its node was never heard",
            "请电话提醒该成员执行 xianmeng run，并检查其防火墙。",
            "remind the member to run `xianmeng run`, and to look at its firewall",
        ),
        Ailment::Behind
            if assessed.member == picture.own.member.unwrap_or(assessed.member) && assessed.report.is_none() =>
        {
            text(
                format!("本节点还缺 {} 条，一个信标间隔里没有补上多少", figure("entries")),
                format!("this node lacks {} entries, and hardly any came within a beacon interval", figure("entries")),
                "请执行 xianmeng sync，并检查连接和磁盘。",
                "run `xianmeng sync`, and look at its connections and disk",
            )
        }
        Ailment::Behind => text(
            format!("落后：至少缺 {} 条、章程缺 {} 块", figure("entries"), figure("blocks")),
            format!("behind: it lacks {} entries and {} charter blocks at least", figure("entries"), figure("blocks")),
            "请该成员执行 xianmeng sync，检查其连接数和磁盘；版本过旧也会停在章程的某一块。",
            "let the member run `xianmeng sync` and look at its connections and disk; old software can stop at a \
             charter block, too",
        ),
        Ailment::Incomplete => text(
            format!("正文未齐：缺 {} 条的正文", figure("bodies")),
            format!("bodies missing: {}", figure("bodies")),
            "通常会从同伴补齐；不能补齐时请从其他节点导出后导入（xianmeng import-bundle）。",
            "peers usually bring them; if they do not, import an export of another node (`xianmeng import-bundle`)",
        ),
        Ailment::ClockOff => text(
            format!("时钟比同伴{} {} 秒", ahead_zh(figure("offset_ms")), figure("offset_ms").abs() / 1_000),
            format!("its clock is {} s {}", figure("offset_ms").abs() / 1_000, ahead_en(figure("offset_ms"))),
            "请在该机启用网络对时（chrony 或 systemd-timesyncd）。",
            "let that machine keep time by the network (chrony or systemd-timesyncd)",
        ),
        Ailment::DiskFilling => text(
            format!("磁盘将满：剩 {} MiB（千分之 {}）", figure("free_mib"), figure("free_permille")),
            format!("its disk is filling: {} MiB free ({} in 1000)", figure("free_mib"), figure("free_permille")),
            "请清理或扩充数据目录所在的磁盘；写满后节点会停止写入。",
            "make room on the volume of its data directory, or enlarge it; a full one stops the node's writes",
        ),
        Ailment::Restarting => text(
            format!("一小时内启动了 {} 次", figure("starts")),
            format!("it started {} times within an hour", figure("starts")),
            "请看该节点的日志（journalctl -u xianmeng）和内存、磁盘。",
            "look at its log (`journalctl -u xianmeng`), its memory and its disk",
        ),
        Ailment::Outdated => {
            let reference = picture.reference.map(|version| version.to_string()).unwrap_or_default();
            let version = version.unwrap_or(picture.own.condition.version);
            text(
                format!("软件版本 {version} 低于多家在用的 {reference}"),
                format!("it runs {version}, and others {reference}"),
                "请升级软件后重新启动节点。",
                "update the software and start the node again",
            )
        }
        Ailment::Throttled => text(
            "发送过快，已被限速",
            "it sends more than the charter allows, and is throttled",
            "大批量导入时会自行恢复；持续出现请电话询问该成员。",
            "a large import gets over it by itself; if it goes on, call the member",
        ),
    }
}

fn ahead_zh(offset_ms: i64) -> &'static str {
    if offset_ms < 0 { "慢" } else { "快" }
}

fn ahead_en(offset_ms: i64) -> &'static str {
    if offset_ms < 0 { "behind its peers'" } else { "ahead of its peers'" }
}

fn ago(seconds: Option<i64>) -> (String, String) {
    match seconds {
        None => ("本节点启动以来没有听到".into(), "not heard since this node started".into()),
        Some(seconds @ 0..120) => (format!("{seconds} 秒前最后听到"), format!("last heard {seconds} s ago")),
        Some(seconds @ 120..7_200) => {
            (format!("{} 分钟前最后听到", seconds / 60), format!("last heard {} minutes ago", seconds / 60))
        }
        Some(seconds) => {
            (format!("{} 小时前最后听到", seconds / 3_600), format!("last heard {} hours ago", seconds / 3_600))
        }
    }
}

/// A log that is short, in words.
pub(super) fn custody_words(owner: &MemberName, custody: &Custody, lacking: &[MemberName], wanted: Rule) -> Text {
    let names: Vec<&str> = lacking.iter().map(|member| member.name.as_str()).collect();
    let more = custody.lacking_count.saturating_sub(lacking.len());
    let (more_zh, more_en) = match more {
        0 => (String::new(), String::new()),
        more => (format!("等，另有 {more} 家"), format!(" and {more} more")),
    };
    text(
        format!(
            "{}的日志只有 {} 家、{} 个省持有前 {} 条，规则要求 {} 家、{} 个省；缺：{}{more_zh}",
            owner.name,
            custody.held_by,
            custody.provinces,
            custody.log.settled,
            wanted.replicas,
            wanted.provinces,
            names.join("、"),
        ),
        format!(
            "the first {} entries of {}'s log are held by {} members in {} provinces; the rule wants {} in {}; lacking: \
             {}{more_en}",
            custody.log.settled,
            owner.name,
            custody.held_by,
            custody.provinces,
            wanted.replicas,
            wanted.provinces,
            names.join(", "),
        ),
        "请这些成员开机同步（xianmeng sync）；也可从本节点导出（xianmeng export）后在异地保存一份。",
        "let these members run and sync (`xianmeng sync`); or export from this node (`xianmeng export`) and keep a copy \
         elsewhere",
    )
}

#[cfg(test)]
mod tests {
    use protocol::health::{Model, Thresholds};

    use super::*;

    #[test]
    fn a_node_whose_clock_is_off_says_so_of_itself() {
        let mut picture = Model::new(Thresholds::default(), 0, &[]).picture();
        let right = own_words(&picture);
        for (offset_ms, clause) in [(None, ""), (Some(119_000), ""), (Some(121_000), "My clock is 121 s ahead")] {
            picture.own.condition.clock_offset_ms = offset_ms;
            let (zh, en) = own_words(&picture);
            assert!(en.contains(clause) && zh.contains("时钟") != clause.is_empty(), "{zh} {en}");
            assert_eq!(clause.is_empty(), (&zh, &en) == (&right.0, &right.1), "{zh} {en}");
        }
    }
}
