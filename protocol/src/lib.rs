//! The protocol of Xianmeng, pure: no clock, network, disk or runtime. Time and randomness come in as arguments,
//! effects go out as values, and iteration that reaches an output is ordered.
//!
//! `SPEC.md` beside this crate lays down every byte and rule.

pub mod address;
pub mod beacon;
pub mod bundle;
pub mod bytes;
pub mod charter;
pub mod company_name;
pub mod completeness;
pub mod custody;
pub mod durable;
pub mod duty;
pub mod entry;
pub mod erasure;
pub mod fork;
pub mod frontier;
pub mod gate;
pub mod gossip;
pub mod health;
pub mod identity;
pub mod indicator;
pub mod kind;
pub mod lead_token;
pub mod limits;
pub mod matching;
pub mod proposal;
pub mod register;
pub mod replica;
pub mod rules;
pub mod sealed;
#[cfg(feature = "sim")]
pub mod sim;
mod sorted;
pub mod statement;
pub mod survey;
pub mod sync;
pub mod testing;
pub mod value;
pub mod view;
