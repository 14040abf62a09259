//! A limit of memory for one process: a group of the kernel, in the first or the second version of its interface.

use std::fs;
use std::path::{Path, PathBuf};

use crate::scenario::Skip;
use crate::site::{GROUPS, named, remove_group, run};

/// A group of processes with a limit.
pub struct Limit {
    group: PathBuf,
    limit: &'static str,
    events: &'static str,
    none: &'static str,
}

impl Limit {
    /// A group without a limit yet.
    pub fn new() -> Result<Self, Skip> {
        let [first, second] = GROUPS.map(Path::new);
        let is_first = first.join("memory.limit_in_bytes").exists();
        let parent = if is_first { first } else { second };
        if !is_first {
            // Without effect where it is on already; where it cannot be, the limit's file is missing below.
            let _ = fs::write(second.join("cgroup.subtree_control"), "+memory");
        }
        let group = parent.join(named("memory"));
        fs::create_dir(&group).map_err(|error| Skip(format!("没有内存控制组 · no memory groups: {error}")))?;
        let (limit, events, none) = match is_first {
            true => ("memory.limit_in_bytes", "memory.oom_control", "-1"),
            false => ("memory.max", "memory.events", "max"),
        };
        let made = Self { group, limit, events, none };
        if !made.group.join(limit).exists() {
            return Err(Skip("内核没有开放内存限额 · this kernel offers no limits of memory".to_owned()));
        }
        // Swap would only make it slow.
        let _ = fs::write(made.group.join("memory.swap.max"), "0");
        Ok(made)
    }

    /// Sets the limit, in bytes; none takes it away.
    pub fn set(&self, bytes: Option<u64>) {
        let text = bytes.map_or_else(|| self.none.to_owned(), |bytes| bytes.to_string());
        fs::write(self.group.join(self.limit), text).expect("the limit can be set");
    }

    /// What a process is started under.
    pub fn prefix(&self) -> Vec<String> {
        let script = format!("echo $$ > {}/cgroup.procs && exec \"$@\"", self.group.display());
        ["sh", "-c", &script, "sh"].map(str::to_owned).to_vec()
    }

    /// How many processes the kernel has ended because of the limit.
    pub fn ended(&self) -> u64 {
        let text = fs::read_to_string(self.group.join(self.events)).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        line.and_then(|count| count.trim().parse().ok()).unwrap_or_default()
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        for process in fs::read_to_string(self.group.join("cgroup.procs")).unwrap_or_default().lines() {
            let _ = run(&["kill", "-9", process]);
        }
        remove_group(&self.group);
    }
}

/// Memory of a process that is of no file, in bytes.
pub fn anonymous_bytes(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kib: Option<u64> = line.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok());
    kib.unwrap_or_default() * 1_024
}
