//! The Xianmeng daemon as a library.
//!
//! [`core`] holds replica, view and store; [`network`] is the only module that names libp2p, [`store`] the only one
//! that names sled. Everything between them passes through bounded queues.

pub mod access_log;
pub mod alarms;
pub mod api;
pub mod as_of;
pub mod audit;
pub mod beacons;
pub mod charter_words;
pub mod confidential;
pub mod config;
pub mod core;
pub mod derive;
pub mod dialer;
pub mod directory;
pub mod doctor;
pub mod duties;
pub mod erasure;
pub mod finding;
mod gate;
pub mod gossip;
pub mod health;
pub mod indicators;
pub mod joining;
pub mod key_change;
pub mod key_request;
pub mod kinds;
pub mod leads;
pub mod local;
pub mod matching;
pub mod metrics;
pub mod network;
pub mod node;
pub mod operations;
pub mod pins;
pub mod place;
pub mod portal;
pub mod records;
pub mod search;
mod seats;
pub mod store;
pub mod sync;
mod turns;
pub mod twin;
pub mod workbook;

#[cfg(test)]
mod tests;
