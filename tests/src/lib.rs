//! What the stories share: real nodes as processes, a federation whose every key the story knows, a peer that obeys
//! nobody, a disk whose power can be cut, the built program, what a process uses, the portal of a real node, and a portal
//! with a browser before it.

pub mod board;
pub mod browser;
pub mod client;
pub mod hostile;
pub mod machine;
pub mod namespace;
pub mod node;
pub mod portal;
pub mod power;
pub mod program;
pub mod proxy;
pub mod scene;
pub mod sheet;

/// The seed of a random story: `XIANMENG_SEED`, or a new one. It is printed, so that a failure can be repeated.
pub fn seed() -> u64 {
    let given = std::env::var("XIANMENG_SEED").ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("XIANMENG_SEED={seed}");
    seed
}
