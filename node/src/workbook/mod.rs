//! Spreadsheets: templates, marked copies and exports.
//!
//! What is written here can be read here again: headers are those of the kind files, a cell holds what
//! [`Field::render`](protocol::kind::Field::render) gives, codes and own numbers are texts, and nothing is ever a
//! formula. No file of a person is changed: a new one is written beside and then given its name.

mod export;
mod file;
mod style;
mod template;
mod write_error;

#[cfg(test)]
mod tests;

pub use export::{Cell, Export, Format, cell, columns};
pub use template::{EXAMPLE_PREFIX, example, write_template};
pub use write_error::WriteError;

#[cfg(test)]
mod tests;
