//! What machine this is, and what a process uses.

use std::path::Path;

/// One line about the machine.
pub fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown processor");
    format!("machine: {cores} cores, {}", model.trim_start_matches([' ', '\t', ':']))
}

/// The memory of a process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    /// Of its own: what it allocated, without the pages of files.
    pub anonymous_bytes: u64,
    /// All that is resident.
    pub resident_bytes: u64,
    /// The most that was ever resident.
    pub peak_bytes: u64,
}

/// The memory of a process; nothing of one that has ended.
pub fn memory(process: u32) -> Memory {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().next().and_then(|kibibytes| kibibytes.parse::<u64>().ok()).unwrap_or_default() * 1_024
    };
    Memory { anonymous_bytes: bytes("RssAnon:"), resident_bytes: bytes("VmRSS:"), peak_bytes: bytes("VmHWM:") }
}

/// The most memory that a process has used, in bytes.
pub fn peak_memory_bytes(process: u32) -> u64 {
    memory(process).peak_bytes
}

/// What a process has used so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// In its own work and in the kernel's for it.
    pub processor_seconds: f64,
    /// At its peak.
    pub memory_bytes: u64,
}

/// What a process has used so far; nothing of one that has ended.
pub fn usage(process: u32) -> Usage {
    Usage { processor_seconds: processor_seconds(process), memory_bytes: peak_memory_bytes(process) }
}

/// The processor time of a process, its threads together.
pub fn processor_seconds(process: u32) -> f64 {
    /// Linux counts in hundredths of a second whatever the hardware does.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in brackets may hold blanks; the times are the 12th and 13th figure behind it.
    let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
    let ticks = behind.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS_PER_SECOND
}

/// How busy the machine is.
pub fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!("load before: {}", load.split_whitespace().take(3).collect::<Vec<_>>().join(" "))
}

/// Bytes that a directory takes on disk.
pub fn bytes_on_disk(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_on_disk(&entry.path()),
        Ok(metadata) => metadata.blocks() * 512,
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

/// Files that a process holds open; none of one that has ended.
pub fn open_files(process: u32) -> usize {
    std::fs::read_dir(format!("/proc/{process}/fd")).map_or(0, Iterator::count)
}

/// Threads of a process; none of one that has ended.
pub fn threads(process: u32) -> usize {
    std::fs::read_dir(format!("/proc/{process}/task")).map_or(0, Iterator::count)
}
