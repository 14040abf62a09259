//! Duties by example and by chance.

mod chance;
mod examples;
mod list;
mod world;
