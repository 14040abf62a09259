//! Every text of the portal, in Chinese and English, in one table.
//!
//! A template names a text as a field, so a text that is missing does not compile; each line of the table has both
//! languages, and the tests look whether each is in its language.

macro_rules! texts {
    ($($name:ident: $zh:literal, $en:literal;)*) => {
        /// The texts of the portal in one language.
        #[derive(Debug)]
        #[allow(missing_docs)] // The table below says what each is.
        pub struct Texts {
            $(pub $name: &'static str,)*
        }

        /// In Simplified Chinese.
        pub static ZH: Texts = Texts { $($name: $zh,)* };
        /// In English.
        pub static EN: Texts = Texts { $($name: $en,)* };
        /// Name, Chinese and English of each.
        #[cfg(test)]
        const ALL: &[(&str, &str, &str)] = &[$((stringify!($name), $zh, $en),)*];
    };
}

texts! {
    // The frame.
    skip: "跳到正文", "Skip to content";
    navigation: "栏目", "Sections";
    other_language: "English", "中文";
    log_in: "登录", "Log in";
    log_out: "退出", "Log out";
    shown_at: "本页生成于", "This page was made at";
    china_time: "北京时间", "China time";
    live_on: "实时更新中", "live";
    live_off: "实时更新已断开，正在重连", "not live at the moment, reconnecting";
    live_polling: "没有实时更新，定时重新载入", "not live; loaded again now and then";
    as_of: "截至", "As of";
    since: "始于", "since";
    later: "还有", "in";
    yes: "是", "yes";
    no: "否", "no";
    all: "全部", "All";
    apply: "筛选", "Apply";
    reset: "清除条件", "Reset";
    filter: "筛选条件", "Filter";
    sort_by: "排序", "Sort by";
    shown: "显示", "Shown:";
    show_all: "查看全部", "Show all";
    and_more: "另有", "and more:";
    pages: "分页", "Pages";
    missing: "本版本没有这项数据", "Not available in this build";
    missing_why: "这一部分还没有接入本节点，不是出了故障。", "This part is not connected in this build; nothing is broken.";
    not_complete: "正在计算，稍后会自动更新。", "Still being computed; this updates by itself.";

    // The navigation.
    overview: "总览", "Overview";
    members: "成员", "Members";
    topology: "连接", "Links";
    custody: "保管", "Custody";
    duties: "履责", "Duties";
    indicators: "指标", "Indicators";
    alarms: "告警", "Alarms";
    node: "本节点", "This node";

    // How things are.
    state: "状态", "State";
    state_up: "在线", "Up";
    state_silent: "失联", "Silent";
    state_never_joined: "从未上线", "Never joined";
    state_unknown: "无法判断", "Unknown";
    silent_note: "曾上线，现在没有消息", "heard before, not now";
    never_joined_note: "已入盟，节点没有运行过", "admitted, never heard";
    unknown_note: "本节点暂时看不到", "this node cannot tell";
    severity_ok: "正常", "OK";
    severity_warning: "注意", "Warning";
    severity_critical: "严重", "Critical";
    stale: "旧数据", "stale";
    stale_since: "数据停在", "Stale since";
    source_own: "本节点", "this node";
    source_direct: "直连，数秒内可知", "direct link, known within seconds";
    source_beacon: "信标，两个周期内可知", "beacon, known within two intervals";
    cut_off_title: "本节点与外界断开", "This node is cut off";
    cut_off_text: "下面是断开以前的情况，不代表其他成员现在的状态。请先检查本机网络。",
        "What stands below is from before; it says nothing about the others now. Check this machine's network first.";
    settling_title: "正在听取其他成员的消息", "Waiting to hear from the others";
    settling_text: "本节点刚刚启动或恢复连接，稍后才能判断其他成员的状态。",
        "This node has just started or come back; it can tell how the others are in a while.";

    // Findings about members, by their ids.
    finding: "问题", "Finding";
    finding_silent: "失联", "silent";
    finding_never_joined: "从未上线", "never joined";
    finding_behind: "数据落后", "behind";
    finding_forked: "日志分叉", "forked";
    finding_outdated: "版本过旧", "outdated";
    finding_clock_off: "时钟不准", "clock off";
    finding_disk_filling: "磁盘将满", "disk filling";
    finding_restarting: "频繁重启", "restarting";
    finding_incomplete: "内容缺失", "incomplete";
    finding_throttled: "被限速", "throttled";
    finding_cut_off: "断网", "cut off";

    // Overview.
    who_is_up: "成员节点", "Members' nodes";
    members_all: "在册成员", "Active members";
    up_direct: "直连", "direct";
    up_beacon: "信标", "by beacon";
    what_is_wrong: "问题", "What is wrong";
    what_is_held: "本节点持有的数据", "What this node holds";
    no_alarms: "没有告警", "No alarms";
    no_logs: "还没有日志", "No logs yet";
    custody_rule: "规则：每条日志至少由", "Rule: each log is held by at least";
    custody_rule_members: "家成员保管，分布在至少", "members in at least";
    custody_rule_provinces: "个省份。", "provinces.";
    custody_short: "不足的：", " Short:";
    members_hold: "家保管", "members hold it";
    provinces: "省份", "provinces";
    records: "记录", "Records";
    entries: "条目", "Entries";
    charter_version: "章程版本", "Charter version";
    frontier: "前沿", "Frontier";

    // Members.
    member: "成员", "Member";
    number: "编号", "No.";
    name: "名称", "Name";
    name_or_number: "名称或编号", "Name or number";
    class: "类别", "Class";
    class_county: "县域政府", "county";
    class_fund: "基金机构", "fund";
    class_agency: "专业服务机构", "agency";
    class_secretariat: "秘书处", "secretariat";
    class_observer: "观察员", "observer";
    region: "地区", "Region";
    province: "省份", "Province";
    province_none: "未填写", "not stated";
    version: "版本", "Version";
    last_heard: "最近消息", "Last heard";
    first_heard: "首次消息", "First heard";
    sort_worst: "问题最重的在前", "worst first";
    this_node: "本节点", "this node";
    no_members: "没有符合条件的成员", "No member fits";
    nothing_wrong: "没有发现问题", "Nothing is wrong";
    about: "基本情况", "About";
    what_to_do: "怎么办：", "What to do: ";
    cause: "常见原因：", "Usual cause: ";
    linked_with_us: "与本节点直连", "Linked with this node";
    last_report: "最近一次自报", "Its last report";
    no_report: "本节点启动以来没有收到它的自报", "No report since this node started";
    started: "启动时间", "Started";
    agrees: "数据与本节点一致", "Agrees with this node";
    missing_entries: "缺少条目", "Entries it lacks";
    missing_bodies: "缺少内容", "Bodies it lacks";
    links: "连接数", "Links";
    disk_free: "磁盘剩余", "Disk free";
    clock_offset: "时钟偏差", "Clock offset";
    rejected: "拒绝的消息", "Messages rejected";
    custody_of_logs: "它的日志由谁保管", "Who holds its logs";
    log: "日志", "Log";
    next_due: "下次截止", "Next due";
    no_duties: "没有要履行的义务", "No duties";

    // Links.
    topology_explained: "本节点只确切知道自己的连接；其他成员之间的连接，只知道各自报告的数目。",
        "This node knows its own links for certain; of those among others it knows only the number that each reports.";
    topology_picture: "连接示意图：本节点居中，直连的成员在内圈，其余在外圈；内容与下面的表格相同。",
        "Picture of the links: this node in the middle, linked members around it, all others outside; the tables below \
         say the same.";
    own_links: "本节点的连接", "Links of this node";
    no_links: "现在没有连着任何节点", "No peer is connected";
    direction: "方向", "Direction";
    outbound: "去", "out";
    inbound: "来", "in";
    round_trip: "往返", "Round trip";
    address: "地址", "Address";
    stranger: "非成员", "no member";
    reported_links: "各成员报告的连接数", "Links that members report";
    no_reports: "还没有收到任何成员的自报", "No member has reported yet";

    // Custody.
    held_by: "保管成员", "Held by";
    held_up_to: "到第几条 → 几家", "Up to → members";
    missing_from: "谁还缺", "Who lacks it";
    custody_explained: "保管最少的排在最前。只数一周之内有消息的成员；刚发布的条目给其他成员留出到达的时间。",
        "The log that fewest hold comes first. Only members heard within a week count; new entries have time to arrive.";

    // Duties.
    duty: "义务", "Duty";
    duty_met: "已履行", "Met";
    duty_met_no_change: "无变化", "No change";
    duty_late: "迟交", "Late";
    duty_due: "待履行", "Due";
    duty_overdue: "逾期", "Overdue";
    duty_escalated: "升级", "Escalated";
    duty_exempt: "不适用", "Exempt";
    duty_not_computable: "无法计算", "Not computable";
    member_number: "成员编号", "Member number";
    who_owes_what: "谁该做什么", "Who owes what";
    bearer: "承担者", "Bearer";
    period: "期间", "Period";
    last_period: "上期", "Last period";
    this_period: "本期", "This period";
    last_done: "最近履行", "Last done";
    missed_in_a_row: "连续未做", "Missed in a row";
    duty_rules: "义务规则", "The rules";
    how_often: "频率", "How often";
    deadline: "截止", "Deadline";
    say_unchanged: "声明本期无变化", "State that nothing changed";
    unchanged_explained: "本单位本期的资源、需求、项目如果没有变化，可以一键声明；声明以本单位名义签名并发布给全体成员，单独计数。",
        "If nothing of yours changed in this period you can say so by one click. It is signed in your name, published to \
         all members, and counted apart.";
    unchanged_done: "已声明无变化", "It is stated that nothing changed";
    unchanged_none: "没有需要声明的义务", "There was nothing to state";
    unchanged_count: "发布的声明：", "Statements published: ";
    needs_operator: "需要操作权限。", "This needs the role of an operator.";

    // Indicators.
    indicator: "指标", "Indicator";
    name_or_code: "名称或编号", "Name or code";
    code: "指标编号", "Code";
    subject: "考核主体", "Who is assessed";
    value: "数值", "Value";
    confirmed: "经他方确认", "Confirmed";
    target: "目标", "Target";
    verdict: "结果", "Verdict";
    verdict_met: "达标", "Met";
    verdict_missed: "未达标", "Missed";
    verdict_open: "进行中", "Open";
    verdict_unknown: "无法判断", "Unknown";
    verdict_no_target: "无目标", "No target";
    coverage: "覆盖", "Coverage";
    objections: "异议", "Objections";
    objections_open: "未答复的异议", "Objections open";
    phase: "阶段", "Phase";
    until: "至", "until";
    goal: "目标", "goal";
    answered: "已答复", "answered";
    unanswered: "未答复", "unanswered";
    answer: "答复", "Answer";
    no_objections: "没有异议", "No objections";
    why_no_value: "没有数值：", "No value: ";
    why_not_computable: "无法计算", "not computable";
    why_not_entered: "还没有录入外部数据", "nothing was entered from outside yet";
    why_no_records: "没有可计入的记录", "no record counts for it";
    why_records_lack: "记录里缺少所需的数据", "the records lack what it needs";
    rules_version: "规则版本", "Rules version";
    unknown_records: "缺数据的记录", "Records that lack it";
    no_indicators: "没有符合条件的指标", "No indicator fits";
    formula: "公式", "Formula";
    basis: "如何计算", "How it is computed";
    doubts: "存疑", "Left open by the source";
    published: "公布", "Published";
    bulletins: "指标公报", "Bulletins";
    no_bulletins: "还没有公布过指标公报", "No bulletin was published yet";
    bulletin_title: "标题", "Title";
    bulletin_number: "公报编号", "Bulletin number";
    signer: "签署", "Signed by";
    check: "本节点核对", "This node's check";
    check_running: "正在核对", "being checked";
    check_failed: "核对没有完成", "The check was not finished";
    checked_at: "核对于", "checked";
    recomputed: "重算的数值", "Figures computed again";
    differences: "不一致之处", "What differs";
    no_differences: "没有发现不一致", "Nothing differs";
    lacks: "本节点缺少的依据", "What this node lacks";
    figures: "公布的数值", "Published figures";
    no_figures: "没有可读的数值", "No figure can be read";
    verify_with: "任何成员都可以核对：", "Any member can check it: ";
    evidence: "由哪些记录算出", "The records it comes from";
    no_evidence: "没有记录", "No records";
    record: "记录", "Record";
    kind: "种类", "Kind";
    adds: "计入", "Adds";

    // Alarms.
    alarms_now: "正在持续", "Now";
    alarms_past: "已经解除", "Cleared";
    no_alarms_past: "没有解除的告警", "None were cleared";
    cleared: "已解除", "cleared";
    webhooks: "告警通知", "Where alarms are sent";
    no_webhooks: "没有设置通知地址", "Alarms are sent nowhere";
    delivered: "已送达", "delivered";
    waiting: "等待", "waiting";
    given_up: "放弃", "given up";
    last_delivered: "最近送达", "last delivered";

    // This node.
    doctor: "检查结果", "Findings of the doctor";
    checks_made: "已检查的项目：", "Checks made: ";
    may_sign: "可以发布", "May sign";
    complete: "内容完整", "Complete";
    store_size: "数据库大小", "Store";
    journal_size: "日志文件大小", "Journal";
    federation_id: "联盟编号", "Federation";
    own_health: "与其他成员的联系", "Contact with the others";
    beacon_interval: "信标周期", "Beacon interval";

    // Logging in and faults.
    account: "账号", "Account";
    password: "密码", "Password";
    wrong_password: "账号或密码不对。", "The account or the password is wrong.";
    too_many_attempts: "尝试次数太多，请稍后再试。", "Too many attempts; wait a little and try again.";
    wait_seconds: "需要等待（秒）：", "Seconds to wait: ";
    form_expired: "登录页已过期，请再试一次。", "This form has expired; try once more.";
    log_in_help: "账号由本节点的管理员用 xianmeng portal user 命令管理。",
        "Accounts are managed by this node's operator with `xianmeng portal user`.";
    no_accounts: "还没有账号。在运行节点的机器上执行下面的命令，打开它给出的一次性链接：",
        "There is no account yet. Run this on the machine of the node, and open the link that it prints:";
    no_accounts_more: "要让别人登录，请建立账号：", "To let others log in, make an account:";
    example_name: "姓名", "NAME";
    fault_number: "编号", "Number";
    back_to_overview: "回到总览", "Back to the overview";
    fault_not_found: "没有这个页面", "There is no such page";
    fault_not_found_fix: "请从栏目进入，或核对地址。", "Use the sections, or check the address.";
    fault_no_member: "没有这个成员", "There is no such member";
    fault_no_indicator: "没有这个指标", "There is no such indicator";
    fault_forbidden: "没有权限", "Not allowed";
    fault_forbidden_what: "这项操作需要操作权限。", "This needs the role of an operator.";
    fault_forbidden_fix: "请联系本节点的管理员。", "Ask the operator of this node.";
    fault_host: "不接受发往这个地址的请求", "Requests to this name are not answered";
    fault_host_fix: "请用 127.0.0.1 访问，或在 config.toml 的 portal.hosts 里加上这个名称。",
        "Use 127.0.0.1, or add the name to portal.hosts in config.toml.";
    fault_form: "表单已失效", "The form is no longer valid";
    fault_form_what: "这次提交不是来自您打开的页面，或者页面已经过期，所以没有执行。",
        "What was sent does not come from a page of your session, so nothing was done.";
    fault_form_fix: "请刷新页面后再试。", "Load the page again and try once more.";
    fault_no_bulletin: "没有这期公报", "There is no such bulletin";
    fault_slow: "提交超时", "It took too long";
    fault_slow_what: "提交的内容没有及时收完，所以没有执行。", "What was sent did not come in time, so nothing was done.";
    fault_unlogged_what: "访问日志写不进去；没有记录就不发布。",
        "The log of logins and writes takes no line, and nothing is published without one.";
    fault_unlogged_fix: "请在“本节点”查看原因，通常是磁盘已满。", "See the reason under \"This node\"; usually the disk is full.";
    fault_busy: "节点正忙", "The node is busy";
    fault_busy_fix: "请稍后重试。", "Try again in a moment.";
    fault_internal: "内部错误", "Internal error";
    fault_internal_fix: "请把节点日志交给技术人员。", "Give the node's log to its maintainers.";
    fault_link: "链接无效", "The link is not valid";
    fault_link_what: "一次性链接只能用一次，五分钟内有效。", "A link is good once and for five minutes.";
    fault_link_fix: "请重新执行 xianmeng portal open。", "Run `xianmeng portal open` again.";
    fault_refused: "没有发布", "Nothing was published";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_chinese(character: char) -> bool {
        ('\u{4e00}'..='\u{9fff}').contains(&character)
    }

    #[test]
    fn every_text_is_in_both_languages() {
        for (name, zh, en) in ALL {
            assert!(!zh.trim().is_empty() && !en.trim().is_empty(), "{name} is empty");
            // The name of the other language is written in that language.
            let (zh, en) = if *name == "other_language" { (en, zh) } else { (zh, en) };
            assert!(zh.chars().any(is_chinese), "{name} is not Chinese: {zh}");
            assert!(!en.chars().any(is_chinese), "{name} is not English: {en}");
            assert!(en.chars().any(|character| character.is_ascii_alphabetic()), "{name} is not English: {en}");
        }
    }

    #[test]
    fn every_text_is_used() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut sources = String::new();
        let mut folders = vec![root.join("portal/templates"), root.join("src/portal")];
        while let Some(folder) = folders.pop() {
            for file in std::fs::read_dir(folder).expect("the folder is part of the source") {
                let path = file.expect("readable").path();
                match path.is_dir() {
                    true => folders.push(path),
                    false if path.ends_with("messages.rs") => {}
                    false => sources.push_str(&std::fs::read_to_string(path).expect("text")),
                }
            }
        }
        for (name, ..) in ALL {
            let ends = |at: usize| {
                let next = sources[at..].chars().next();
                next.is_none_or(|next| !next.is_ascii_alphanumeric() && next != '_')
            };
            let field = format!(".{name}");
            let used = sources.match_indices(&field).any(|(at, field)| ends(at + field.len()));
            assert!(used, "{name} is used nowhere");
        }
    }
}
