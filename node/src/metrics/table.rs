//! Every metric: name, kind, labels, meaning. `docs/METRICS.md`, the alert rules and the dashboard are checked against
//! this table. A name never changes its meaning.

/// How a metric behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It goes up and down.
    Gauge,
    /// It only grows, until the node starts again.
    Counter,
    /// How values are spread.
    Histogram,
}

impl Kind {
    /// The word in the text format.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Name as Prometheus sees it; counters end in `_total`.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// Names of its labels.
    pub labels: &'static [&'static str],
    /// Its meaning, in Chinese.
    pub zh: &'static str,
    /// Its meaning, in English.
    pub en: &'static str,
}

macro_rules! metrics {
    ($($id:ident $kind:ident $name:literal [$($label:literal),*] $zh:literal, $en:literal;)*) => {
        $(
            #[doc = $en]
            pub const $id: Metric =
                Metric { name: $name, kind: Kind::$kind, labels: &[$($label),*], zh: $zh, en: $en };
        )*

        /// All metrics, in the order of the document.
        pub const ALL: &[&Metric] = &[$(&$id,)*];
    };
}

metrics! {
    BUILD_INFO Gauge "xianmeng_build_info" ["version"]
        "恒为 1，标签是软件版本",
        "Always 1, labelled with the version of the software";
    START_TIME Gauge "xianmeng_start_time_seconds" []
        "节点启动的时间（1970 年起的秒数）",
        "When the node started, in seconds since 1970";
    READY Gauge "xianmeng_ready" [] "是否就绪（与 /readyz 相同）", "Whether the node is ready, as /readyz says";
    SIGNING_READY Gauge "xianmeng_signing_ready" [] "是否可以签署", "Whether the node may sign";
    MEMBERS Gauge "xianmeng_members" ["state"]
        "各状态的成员数（与 /v1/health 同源）",
        "Members by state, counted as /v1/health counts them";
    MEMBERS_ACTIVE Gauge "xianmeng_members_active" [] "章程里的有效成员数", "Active members of the charter";
    PEERS Gauge "xianmeng_peers" ["kind", "direction"] "现在连着的节点", "Peers that are connected now";
    THROTTLED_PEERS Gauge "xianmeng_throttled_peers" [] "最近被限流的节点数", "Peers that were throttled lately";
    CHARTER_VERSION Gauge "xianmeng_charter_version" [] "章程末块的版本", "Version of the charter's tip";
    CHARTER_EXPIRES Gauge "xianmeng_charter_expires_timestamp_seconds" []
        "章程到期的时间（1970 年起的秒数）",
        "When the charter expires, in seconds since 1970";
    ENTRIES Gauge "xianmeng_entries" [] "算数的条目", "Entries that count";
    RECORDS Gauge "xianmeng_records" [] "记录", "Records";
    LOGS Gauge "xianmeng_logs" ["state"] "各状态的日志：open、sealed、forked", "Logs by state: open, sealed, forked";
    COMPLETE Gauge "xianmeng_bodies_complete" [] "正文是否齐全", "Whether every body is here";
    EVENTS Counter "xianmeng_events_total" ["event"]
        "启动以来各种事件，包括按原因分的被拒条目",
        "Events by name since the start, refused entries by reason among them";
    SYNC_SESSIONS Counter "xianmeng_sync_sessions_total" ["outcome"]
        "同步会话：done、failed、offence",
        "Sessions of sync: done, failed, offence";
    GOSSIP_MESSAGES Counter "xianmeng_gossip_messages_total" ["direction"]
        "收到和发出的广播消息",
        "Gossip messages received and published";
    GOSSIP_BYTES Counter "xianmeng_gossip_bytes_total" ["direction"]
        "收到和发出的广播字节",
        "Bytes of gossip received and published";
    GOSSIP_VERDICTS Counter "xianmeng_gossip_verdicts_total" ["verdict"]
        "广播消息的判定：accepted、ignored、rejected、late、shed",
        "Verdicts on gossip: accepted, ignored, rejected, late, shed";
    SLOW_PEER_DROPS Counter "xianmeng_slow_peer_drops_total" []
        "因对方太慢而丢弃的消息",
        "Messages to slow peers that were dropped";
    CONNECTIONS_REFUSED Counter "xianmeng_connections_refused_total" ["reason"]
        "拒绝的连接：strangers、overdue、bounds",
        "Connections refused: strangers, overdue, bounds";
    DIALS_FAILED Counter "xianmeng_dials_failed_total" [] "失败的拨号", "Calls to peers that failed";
    STREAMS Counter "xianmeng_streams_total" ["direction"] "打开的数据流", "Streams opened";
    STREAMS_REFUSED Counter "xianmeng_streams_refused_total" [] "拒绝的数据流", "Streams refused";
    STREAM_BYTES Counter "xianmeng_stream_bytes_total" ["direction"] "数据流的字节", "Bytes of streams";
    STORE_UP Gauge "xianmeng_store_up" [] "存储是否可写", "Whether the store takes writes";
    STORE_BYTES Gauge "xianmeng_store_size_bytes" ["part"]
        "磁盘占用：store、journal、index",
        "Bytes on disk: store, journal, index";
    STORE_COMMITS Counter "xianmeng_store_commits_total" [] "提交次数", "Commits";
    STORE_FSYNCS Counter "xianmeng_store_fsyncs_total" [] "落盘次数", "Times a file was forced to disk";
    INDEX_STATE Gauge "xianmeng_index_state" ["state"]
        "检索索引的状态，当前的为 1",
        "State of the search index; 1 for the present one";
    INDEX_LAG_RECORDS Gauge "xianmeng_index_lag_records" [] "索引落后的记录", "Records that the index is behind";
    INDEX_LAG_SECONDS Gauge "xianmeng_index_lag_seconds" [] "索引落后的时间", "How long the first of them waits";
    DISK_FREE Gauge "xianmeng_disk_free_bytes" [] "数据目录所在磁盘的可用空间", "Room left on the disk of the data directory";
    DISK_SIZE Gauge "xianmeng_disk_size_bytes" [] "数据目录所在磁盘的大小", "Size of the disk of the data directory";
    CLOCK_OFFSET Gauge "xianmeng_clock_offset_seconds" []
        "本机时钟比多数成员快多少（慢为负）；没有听到别人时没有",
        "How far this clock is ahead of that of most members; absent while nobody was heard";
    REQUESTS Counter "xianmeng_requests_total" ["method", "route", "status"] "接口的请求", "Requests of the API";
    REQUEST_SECONDS Histogram "xianmeng_request_duration_seconds" [] "接口应答开始前的时间", "Time until the API's answer begins";
    ALARMS Gauge "xianmeng_alarms" ["severity"] "现在的告警", "Alarms that last";
    FINDINGS Gauge "xianmeng_findings" ["id", "severity"] "现在的告警，按检查项", "Alarms that last, by check";
    WEBHOOK_MESSAGES Counter "xianmeng_webhook_messages_total" ["outcome"]
        "送出的告警：delivered、given_up",
        "Messages to webhooks: delivered, given_up";
    WEBHOOK_WAITING Gauge "xianmeng_webhook_waiting" [] "等待送出的告警", "Messages that wait for a webhook";
    ACCESS_LINES Counter "xianmeng_access_log_lines_total" []
        "访问日志的行数（自日志开始）",
        "Lines of the log of logins and writes, since it began";
    ACCESS_UP Gauge "xianmeng_access_log_up" [] "访问日志是否写得进去", "Whether the log of logins and writes can be written";
    MEMORY Gauge "process_resident_memory_bytes" [] "进程占用的内存", "Resident memory of the process";
    OPEN_FILES Gauge "process_open_fds" [] "进程打开的文件", "Open files of the process";
}
