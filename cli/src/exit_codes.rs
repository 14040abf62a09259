//! The exit codes of `xianmeng`, all of them. Scripts rely on them: a number never changes its meaning.

use node::api::types::Severity;

/// What the process says when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExitCode {
    /// Done.
    Ok = 0,
    /// Something that should not happen.
    Internal = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The node does not run or does not answer.
    NodeUnreachable = 3,
    /// The data directory is missing, exists already, is in use, or belongs to another federation.
    DataDirectory = 4,
    /// The input was refused: fields, rows, a file of another sort.
    InputRefused = 5,
    /// There is no such thing, or more than one fits.
    NotFound = 6,
    /// Not allowed, or not ready: no member yet, no registrar, signing not ready.
    NotAllowed = 7,
    /// The store is damaged, or the disk is full.
    Store = 8,
    /// The network: a port in use, no peer within reach.
    Network = 9,
    /// What was to be verified does not hold: a file was altered, or a bulletin differs from what was computed again.
    VerificationFailed = 10,
    /// Another process uses this node's keys; this one gave way.
    KeysInUse = 11,
    /// A part was done and the rest left out, as the command line asked for: rows with errors of an import, and sheets
    /// that are for members of other classes.
    PartlyDone = 12,
    /// `doctor` or `health` found something that somebody should look after.
    FindingsWarning = 13,
    /// `doctor` or `health` found something critical.
    FindingsCritical = 14,
    /// Stopped by the person at the keyboard; what was acknowledged stays.
    Interrupted = 130,
}

/// Every code with its meaning in Chinese and English, in ascending order.
const TABLE: [(ExitCode, &str, &str); 16] = [
    (ExitCode::Ok, "成功", "done"),
    (ExitCode::Internal, "程序内部错误", "internal error"),
    (ExitCode::Usage, "命令写法不对", "the command line is wrong"),
    (ExitCode::NodeUnreachable, "节点没有运行或没有应答", "the node does not run or does not answer"),
    (
        ExitCode::DataDirectory,
        "数据目录不存在、已存在、正被占用，或属于别的联盟",
        "data directory: missing, exists, in use, or of another federation",
    ),
    (ExitCode::InputRefused, "输入被拒绝（字段、行、文件类型）", "the input was refused (fields, rows, type of file)"),
    (ExitCode::NotFound, "找不到，或有多个符合", "not found, or more than one fits"),
    (
        ExitCode::NotAllowed,
        "无权或尚未就绪（未入盟、不是登记人、暂不能签署）",
        "not allowed or not ready (no member, no registrar, signing not ready)",
    ),
    (ExitCode::Store, "存储损坏或磁盘已满", "the store is damaged or the disk is full"),
    (ExitCode::Network, "网络问题（端口被占用、连不上引导节点）", "network (port in use, bootstrap unreachable)"),
    (
        ExitCode::VerificationFailed,
        "核验不通过（文件有改动，或公报与重算不同）",
        "verification failed (a file was altered, or a bulletin differs from what was computed again)",
    ),
    (
        ExitCode::KeysInUse,
        "另一个进程在用本节点的密钥，本进程已让位",
        "another process uses this node's keys; this one gave way",
    ),
    (
        ExitCode::PartlyDone,
        "只完成了一部分：导入时有错的行、别类成员的工作表没有发布（--partial）",
        "done in part: rows with errors and sheets for other classes were left out of an import (--partial)",
    ),
    (ExitCode::FindingsWarning, "诊断或健康检查发现了要注意的事", "doctor or health found something to look after"),
    (ExitCode::FindingsCritical, "诊断或健康检查发现了严重的事", "doctor or health found something critical"),
    (ExitCode::Interrupted, "被人中断；已确认的不受影响", "interrupted; what was acknowledged stays"),
];

impl ExitCode {
    /// The number.
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// How a command ends that found what is this bad.
pub fn of_severity(severity: Severity) -> ExitCode {
    match severity {
        Severity::Ok => ExitCode::Ok,
        Severity::Warning => ExitCode::FindingsWarning,
        Severity::Critical => ExitCode::FindingsCritical,
    }
}

/// The table for help texts.
pub fn help() -> String {
    let lines = TABLE.iter().map(|(code, zh, en)| format!("  {:>3}  {zh}\n       {en}\n", code.number()));
    format!("退出码 Exit codes:\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_the_documented_ones() {
        let numbers: Vec<u8> = TABLE.iter().map(|(code, ..)| code.number()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 130]);
        assert!(help().contains(" 10  核验不通过"));
    }
}
