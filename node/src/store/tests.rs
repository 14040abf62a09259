//! Tests of the store, and the tool that makes its dictionary.

mod bodies;
mod damage;
mod dictionary;
mod everyday;
mod journal;
mod measure;
mod purge;
mod world;
