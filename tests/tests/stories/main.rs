//! Stories across real nodes: processes, loopback, the command line. One binary, so that it is linked once.

mod audit;
mod bundle;
mod charter;
mod clones;
mod crash;
mod damage;
mod delivery;
mod erasure;
mod import;
mod keys;
mod kinds;
mod matching;
mod readers;
mod records;
mod search;
mod surroundings;
mod theft;
mod threats;
mod trust;
