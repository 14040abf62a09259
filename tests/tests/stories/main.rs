//! Stories across real nodes: processes, loopback, the command line. One binary, so that it is linked once.

mod audit;
mod bulletin;
mod bundle;
mod charter;
mod clones;
mod crash;
mod damage;
mod delivery;
mod doctor;
mod duties;
mod erasure;
mod gaps;
mod health;
mod import;
mod keys;
mod kinds;
mod leads;
mod matching;
mod portal;
mod readers;
mod records;
mod search;
mod surroundings;
mod theft;
mod threats;
mod trust;
