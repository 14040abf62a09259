//! What a run makes in the system, and how it goes away again: namespaces, mounts, limits of memory, folders.
//!
//! Everything has a name that begins with the same word and the number of the program's process. So what is left can be
//! found by name alone: after a failure, after Ctrl-C, and by a later run after this one was killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

/// What every name begins with.
const WORD: &str = "xmf";
/// In a folder that is kept because something failed in it.
const KEPT: &str = "KEPT";
/// Groups of processes with a limit of memory, in the first version of the kernel's interface and in the second.
pub const GROUPS: [&str; 2] = ["/sys/fs/cgroup/memory", "/sys/fs/cgroup"];
/// Between two looks whether everything is gone.
const PAUSE: Duration = Duration::from_millis(100);
/// Looks, at most.
const LOOKS: usize = 50;

/// What the names of a run begin with.
fn prefix(process: u32) -> String {
    format!("{WORD}{process}-")
}

/// A name for something of this run.
pub fn named(label: &str) -> String {
    format!("{}{label}", prefix(std::process::id()))
}

/// The folder of this run.
pub fn folder() -> PathBuf {
    std::env::temp_dir().join(named("run"))
}

/// Runs a command; its words on standard error if it fails.
pub fn run(words: &[&str]) -> Result<String, String> {
    let line = words.join(" ");
    let output = Command::new(words[0]).args(&words[1..]).stdin(Stdio::null()).output();
    let Output { status, stdout, stderr } = output.map_err(|error| format!("`{line}` does not run: {error}"))?;
    match status.success() {
        true => Ok(String::from_utf8_lossy(&stdout).into_owned()),
        false => Err(format!("`{line}`: {}", String::from_utf8_lossy(&stderr).trim())),
    }
}

/// Keeps what lies in a folder, also when later runs clear up.
pub fn keep(folder: &Path) {
    let _ = fs::write(folder.join(KEPT), "");
}

/// Removes what earlier runs left whose processes are gone.
pub fn clear_leftovers() {
    let mut numbers: Vec<u32> = names().iter().filter_map(|name| number(name)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    for number in numbers {
        if !Path::new(&format!("/proc/{number}")).exists() {
            clear(&prefix(number));
        }
    }
}

/// Removes everything of this run but what is to be kept.
pub fn clear_own() {
    clear(&prefix(std::process::id()));
}

/// Names of everything that looks as if a run had made it.
fn names() -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let groups = GROUPS.map(str::to_owned);
    let temporary = std::env::temp_dir().to_string_lossy().into_owned();
    for directory in groups.into_iter().chain(["/run/netns".to_owned(), temporary]) {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        names.extend(entries.map(|entry| entry.file_name().to_string_lossy().into_owned()));
    }
    names.retain(|name| name.starts_with(WORD));
    names
}

fn number(name: &str) -> Option<u32> {
    name.strip_prefix(WORD)?.split('-').next()?.parse().ok()
}

fn of(directory: &str, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix)).map(|entry| entry.path()).collect()
}

fn clear(prefix: &str) {
    for namespace in of("/run/netns", prefix) {
        if let Some(name) = namespace.file_name() {
            remove_namespace(&name.to_string_lossy());
        }
    }
    let temporary = std::env::temp_dir().to_string_lossy().into_owned();
    for folder in of(&temporary, prefix) {
        unmount_under(&folder);
        // A folder in which something failed is evidence.
        if !has_kept(&folder) {
            let _ = fs::remove_dir_all(&folder);
        }
    }
    for group in GROUPS.iter().flat_map(|directory| of(directory, prefix)) {
        remove_group(&group);
    }
}

fn has_kept(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    folder.join(KEPT).exists() || entries.into_iter().any(|entry| entry.path().join(KEPT).exists())
}

/// Ends what runs in a namespace, and removes it.
pub fn remove_namespace(name: &str) {
    for _ in 0..LOOKS {
        let processes = run(&["ip", "netns", "pids", name]).unwrap_or_default();
        let processes: Vec<&str> = processes.split_whitespace().collect();
        if processes.is_empty() {
            break;
        }
        for process in processes {
            let _ = run(&["kill", "-9", process]);
        }
        std::thread::sleep(PAUSE);
    }
    let _ = run(&["ip", "netns", "del", name]);
}

/// Takes down what is mounted in a folder, the innermost first.
pub fn unmount_under(folder: &Path) {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let places =
        mounts.lines().filter_map(|line| line.split(' ').nth(1)).filter(|at| Path::new(at).starts_with(folder));
    let places: Vec<&str> = places.collect();
    for place in places.into_iter().rev() {
        if run(&["umount", place]).is_err() {
            let _ = run(&["umount", "--lazy", place]);
        }
    }
}

/// Removes a group of processes; those that are in it were ended before.
pub fn remove_group(group: &Path) {
    for _ in 0..LOOKS {
        if fs::remove_dir(group).is_ok() || !group.exists() {
            return;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Clears up when somebody ends this program.
pub fn clear_on_signals() {
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        let code = runtime.block_on(async {
            let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()))
            else {
                return None;
            };
            tokio::select! {
                _ = interrupt.recv() => Some(130),
                _ = terminate.recv() => Some(143),
                _ = hangup.recv() => Some(129),
            }
        });
        if let Some(code) = code {
            eprintln!("中断，正在清理 · interrupted, clearing up");
            clear_own();
            // What the scenario made meanwhile.
            std::thread::sleep(PAUSE);
            clear_own();
            std::process::exit(code);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_whose_it_is() {
        assert_eq!(number(&named("home")), Some(std::process::id()));
        assert_eq!(number("xmf12-a-b"), Some(12));
        assert_eq!((number("xmfolder"), number("tmp")), (None, None));
    }
}
