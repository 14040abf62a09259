//! Bodies on disk: zstd with a dictionary, because a body of 400 bytes is too short to compress alone.
//!
//! sled needs about twice the bytes of what it holds, so this is where disk space is won. The first byte of a stored
//! entry names the dictionary; a better one becomes a new [`Form`], and the old one stays for what it wrote.

use std::cell::RefCell;
use std::sync::LazyLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use super::limits::COMPRESSION_LEVEL;

/// Dictionary 1. `README.md` beside it says how it was made. It never changes: what it compressed needs it.
static DICTIONARY_1: &[u8] = include_bytes!("body.dictionary");

static ENCODER: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY_1, COMPRESSION_LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> = LazyLock::new(|| DecoderDictionary::copy(DICTIONARY_1));

thread_local! {
    // A context costs more than a body; each thread keeps its own.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// How a body lies in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Form {
    /// It is not there; its hash is.
    Absent = 0,
    /// As it is.
    Plain = 1,
    /// Compressed with dictionary 1.
    Dictionary1 = 2,
}

impl Form {
    pub(super) fn from_u8(byte: u8) -> Option<Self> {
        [Self::Absent, Self::Plain, Self::Dictionary1].into_iter().find(|form| *form as u8 == byte)
    }
}

/// The shorter of the plain and the compressed form.
pub(super) fn pack(body: &[u8]) -> (Form, Vec<u8>) {
    match compress(body) {
        Some(packed) if packed.len() < body.len() => (Form::Dictionary1, packed),
        _ => (Form::Plain, body.to_vec()),
    }
}

/// The body of `length` bytes; `None` when the bytes are not its packed form. The caller has bounded `length`.
pub(super) fn unpack(form: Form, packed: &[u8], length: usize) -> Option<Vec<u8>> {
    let body = match form {
        Form::Absent => return None,
        Form::Plain => packed.to_vec(),
        Form::Dictionary1 => decompress(packed, length)?,
    };
    (body.len() == length).then_some(body)
}

fn compress(body: &[u8]) -> Option<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|slot| {
        let compressor = match slot {
            Some(compressor) => compressor,
            None => slot.insert(new_compressor().ok()?),
        };
        compressor.compress(body).ok()
    })
}

fn new_compressor() -> std::io::Result<Compressor<'static>> {
    let mut compressor = Compressor::with_prepared_dictionary(&ENCODER)?;
    // The entry says how long the body is and which dictionary it needs; the check covers the rest.
    compressor.include_contentsize(false)?;
    compressor.include_dictid(false)?;
    compressor.include_checksum(false)?;
    Ok(compressor)
}

fn decompress(packed: &[u8], length: usize) -> Option<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|slot| {
        let decompressor = match slot {
            Some(decompressor) => decompressor,
            None => slot.insert(Decompressor::with_prepared_dictionary(&DECODER).ok()?),
        };
        decompressor.decompress(packed, length).ok()
    })
}
