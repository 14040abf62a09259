//! What is encrypted: salt, content and padding.
//!
//! The padded length follows the Padmé rule (Nikitin, Barman, Lueks, Underwood, Hubaux, Ford: "Reducing Metadata
//! Leakage from Encrypted Files and Communication with PURBs", PoPETs 2019): of the length as a floating-point number
//! only as many bits of the mantissa stay as the exponent has. That costs at most 12 % and leaves an observer with
//! O(log log) bits. Below [`SEALED_PLAINTEXT_BYTES_MIN`] all lengths are one.

use crate::bytes::{LayoutError, Reader};
use crate::limits::{SEALED_BYTES_MAX, SEALED_PLAINTEXT_BYTES_MIN};

/// Bytes before the content: salt and length.
const HEAD_BYTES: usize = 32 + 4;

/// The length to which `length` bytes are padded.
pub(super) fn padded_length(length: usize) -> usize {
    let length = length.max(SEALED_PLAINTEXT_BYTES_MIN);
    let exponent = length.ilog2();
    let mantissa_bits = exponent.ilog2() + 1;
    length.next_multiple_of(1 << (exponent - mantissa_bits))
}

/// Salt, length, content and zeros. The content is no longer than a sealed value may be.
pub(super) fn pad(salt: &[u8; 32], content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(padded_length(HEAD_BYTES + content.len()));
    out.extend_from_slice(salt);
    out.extend_from_slice(&(content.len() as u32).to_le_bytes());
    out.extend_from_slice(content);
    out.resize(padded_length(out.len()), 0);
    out
}

/// Salt and content of what [`pad`] made; refuses every other padding.
pub(super) fn unpad(plaintext: &[u8]) -> Result<([u8; 32], &[u8]), LayoutError> {
    let mut reader = Reader::new(plaintext);
    let salt = reader.array("salt")?;
    let length = reader.u32("content length")? as usize;
    if length > SEALED_BYTES_MAX {
        let (found, bound) = (length as u64, SEALED_BYTES_MAX as u64);
        return Err(LayoutError::Bound { field: "content length", found, bound });
    }
    let content = reader.bytes(length, "content")?;
    let padding = reader.bytes(reader.remaining(), "padding")?;
    if plaintext.len() != padded_length(HEAD_BYTES + length) || padding.iter().any(|byte| *byte != 0) {
        return Err(LayoutError::Rule { field: "padding", rule: "must be zeros up to the next padded length" });
    }
    Ok((salt, content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_rule() {
        for (length, padded) in [(0, 256), (256, 256), (257, 272), (272, 272), (1_000, 1_024), (9_000, 9_216)] {
            assert_eq!(padded_length(length), padded, "{length}");
        }
        for length in 0..70_000 {
            let padded = padded_length(length);
            assert_eq!(padded_length(padded), padded, "a padded length stays as it is");
            assert!(
                padded >= length && (length < 256 || (padded - length) * 100 < length * 12),
                "{length} to {padded}"
            );
        }
    }

    #[test]
    fn only_the_one_padding_is_read() {
        let plaintext = pad(&[7; 32], b"content");
        assert_eq!(unpad(&plaintext), Ok(([7; 32], b"content".as_slice())));
        assert!(unpad(&[plaintext.as_slice(), &[0; 16]].concat()).is_err());
        assert!(unpad(&plaintext[..255]).is_err());
        let mut marked = plaintext;
        marked[255] = 1;
        assert!(unpad(&marked).is_err());
    }
}
