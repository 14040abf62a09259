//! Network namespaces: a node that has a network of its own is asked from within it.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// Where `ip netns` keeps the namespaces that it names.
const NAMED: &str = "/run/netns";

/// The file of a named namespace.
pub fn file(name: &str) -> String {
    format!("{NAMED}/{name}")
}

/// What runs a command in a named namespace.
pub fn prefix(name: &str) -> [String; 3] {
    ["nsenter".to_owned(), format!("--net={}", file(name)), "--".to_owned()]
}

/// Does something in a named namespace: sockets that it opens are there, those that it is given stay where they were.
///
/// # Panics
/// When there is no such namespace, or no right to enter it.
pub fn inside<T: Send>(name: &str, work: impl FnOnce() -> T + Send) -> T {
    let worker = || {
        enter(name).expect("the namespace is there and may be entered");
        work()
    };
    // The thread ends with the work, and nothing else ever runs in it.
    std::thread::scope(|scope| match scope.spawn(worker).join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// Moves this thread into a named namespace.
#[allow(unsafe_code)]
fn enter(name: &str) -> io::Result<()> {
    let namespace = File::open(file(name))?;
    // SAFETY: the call takes an open descriptor and a number, and changes nothing but the calling thread.
    let result = unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
