//! What machine this is and how busy it is.

use std::path::Path;
use std::process::Command;

/// Two lines about the machine, its disk under a folder, and its load.
pub fn describe(folder: &Path) -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let processors = read("/proc/cpuinfo");
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown processor");
    let memory = read("/proc/meminfo");
    let memory = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap_or_default().trim().to_owned();
    let kernel = read("/proc/sys/kernel/osrelease");
    let disk = Command::new("df").args(["--output=source,fstype,avail", "-h"]).arg(folder).output();
    let disk = disk.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let disk = disk.lines().nth(1).unwrap_or("unknown").split_whitespace().collect::<Vec<_>>().join(" ");
    format!(
        "machine: {cores} cores, {}; {memory}; Linux {}\n         disk {disk} free; load {}",
        model.trim_start_matches([' ', '\t', ':']),
        kernel.trim(),
        load()
    )
}

/// How many processes wanted a processor in the last 1, 5 and 15 minutes.
pub fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
