//! What the HTTP API says and understands, shared by the server and the command line.
//!
//! Names are the protocol's. Times are milliseconds since 1970 (UTC). Ids are hexadecimal. Field values are text as
//! the kind file reads and writes it, so what comes out can be put in again.

mod audit;
mod charter;
mod counting;
mod doctor;
mod duties;
mod erasure;
mod gaps;
mod health;
mod history;
mod indicators;
mod joining;
mod kinds;
mod leads;
mod local;
mod matching;
mod portal;
mod problem;
mod publishing;
mod records;
mod search;
mod standing;
mod status;

pub use audit::*;
pub use charter::*;
pub use counting::*;
pub use doctor::*;
pub use duties::*;
pub use erasure::{Erase, ErasePublished, ErasedMark, ErasureItem};
pub use gaps::*;
pub use health::*;
pub use history::*;
pub use indicators::*;
pub use joining::*;
pub use kinds::*;
pub use leads::*;
pub use local::*;
pub use matching::*;
pub use portal::*;
pub use problem::*;
pub use publishing::*;
pub use records::*;
pub use search::*;
pub use standing::*;
pub use status::*;
