//! Reading and writing the hand-laid layouts of signed bytes: little-endian, fixed order, read to the end.

use thiserror::Error;

/// Why bytes do not have the layout they should have. Every variant names the field that was being read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LayoutError {
    /// The bytes end inside the field.
    #[error("bytes end inside `{field}`")]
    Short {
        /// The field that was being read.
        field: &'static str,
    },
    /// Bytes are left over after the last field.
    #[error("{count} bytes are left over after the last field")]
    Trailing {
        /// How many.
        count: usize,
    },
    /// A length, count or number is above its bound.
    #[error("`{field}` is {found}, above its bound of {bound}")]
    Bound {
        /// The field that was being read.
        field: &'static str,
        /// What the bytes say.
        found: u64,
        /// The largest value allowed.
        bound: u64,
    },
    /// Text that is not UTF-8, is empty, or holds control characters.
    #[error("`{field}` is not acceptable text: {rule}")]
    Text {
        /// The field that was being read.
        field: &'static str,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// A value that is understood but is not the one canonical form, or is not defined.
    #[error("`{field}`: {rule}")]
    Rule {
        /// The field that was being read.
        field: &'static str,
        /// The rule that it breaks.
        rule: &'static str,
    },
}

/// A strict reader over a byte slice. Each method names the field it reads, for the error.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes not read yet.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], LayoutError> {
        if count > self.rest.len() {
            return Err(LayoutError::Short { field });
        }
        let (head, rest) = self.rest.split_at(count);
        self.rest = rest;
        Ok(head)
    }

    /// The next `N` bytes as an array.
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], LayoutError> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(LayoutError::Short { field })?;
        self.rest = rest;
        Ok(*head)
    }

    /// One byte.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, LayoutError> {
        Ok(self.array::<1>(field)?[0])
    }

    /// Two bytes.
    pub fn u16(&mut self, field: &'static str) -> Result<u16, LayoutError> {
        Ok(u16::from_le_bytes(self.array(field)?))
    }

    /// Four bytes.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, LayoutError> {
        Ok(u32::from_le_bytes(self.array(field)?))
    }

    /// Eight bytes.
    pub fn u64(&mut self, field: &'static str) -> Result<u64, LayoutError> {
        Ok(u64::from_le_bytes(self.array(field)?))
    }

    /// A byte that must be 0 or 1.
    pub fn boolean(&mut self, field: &'static str) -> Result<bool, LayoutError> {
        match self.u8(field)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(LayoutError::Rule { field, rule: "must be 0 or 1" }),
        }
    }

    /// A `u16` count that must not pass `bound`.
    pub fn count(&mut self, bound: usize, field: &'static str) -> Result<usize, LayoutError> {
        let found = usize::from(self.u16(field)?);
        if found > bound {
            return Err(LayoutError::Bound { field, found: found as u64, bound: bound as u64 });
        }
        Ok(found)
    }

    /// Non-empty text behind a `u16` length.
    pub fn text(&mut self, bound: usize, field: &'static str) -> Result<&'a str, LayoutError> {
        let text = self.text_or_empty(bound, field)?;
        if text.is_empty() {
            return Err(LayoutError::Text { field, rule: "must not be empty" });
        }
        Ok(text)
    }

    /// Non-empty text of one line behind a `u16` length.
    pub fn line(&mut self, bound: usize, field: &'static str) -> Result<&'a str, LayoutError> {
        let text = self.text(bound, field)?;
        check_line(text, field)?;
        Ok(text)
    }

    /// Text of one line behind a `u16` length; it may be empty.
    pub fn line_or_empty(&mut self, bound: usize, field: &'static str) -> Result<&'a str, LayoutError> {
        let text = self.text_or_empty(bound, field)?;
        check_line(text, field)?;
        Ok(text)
    }

    /// Text behind a `u16` length; it may be empty.
    pub fn text_or_empty(&mut self, bound: usize, field: &'static str) -> Result<&'a str, LayoutError> {
        let length = self.count(bound, field)?;
        check_text(self.bytes(length, field)?, field)
    }

    /// Ends the reading: nothing may be left.
    pub fn finish(self) -> Result<(), LayoutError> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(LayoutError::Trailing { count }),
        }
    }
}

/// Names and codes stand on one line.
fn check_line(text: &str, field: &'static str) -> Result<(), LayoutError> {
    if text.contains(['\n', '\t']) {
        return Err(LayoutError::Text { field, rule: "must not hold tab or line feed" });
    }
    Ok(())
}

/// Characters that change the direction of what follows: they can make text read as something else.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Text as the protocol accepts it: UTF-8, no control characters but tab and line feed, nothing that turns direction.
pub fn check_text<'a>(bytes: &'a [u8], field: &'static str) -> Result<&'a str, LayoutError> {
    let text = std::str::from_utf8(bytes).map_err(|_| LayoutError::Text { field, rule: "must be UTF-8" })?;
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(LayoutError::Text { field, rule: "must not hold control characters except tab and line feed" });
    }
    if text.chars().any(turns_direction) {
        return Err(LayoutError::Text { field, rule: "must not hold characters that turn the direction of text" });
    }
    Ok(text)
}

/// Appends a `u16` count or length. What does not fit is written as 65,535, which is above every bound, so that no
/// reader takes it for something shorter.
pub(crate) fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes());
}

/// Appends text behind its `u16` length.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

/// Appends an unsigned LEB128 number, for compact unsigned messages.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8 & 0x7f) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads an unsigned LEB128 number; refuses one that does not fit 64 bits.
pub(crate) fn read_varint(reader: &mut Reader<'_>, field: &'static str) -> Result<u64, LayoutError> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = reader.u8(field)?;
        let part = u64::from(byte & 0x7f);
        if shift == 63 && part > 1 {
            break;
        }
        value |= part << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(LayoutError::Rule { field, rule: "must fit 64 bits" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_survive_a_round_trip_and_refuse_overflow() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            let mut reader = Reader::new(&bytes);
            assert_eq!(read_varint(&mut reader, "value"), Ok(value));
            assert_eq!(reader.finish(), Ok(()));
        }
        assert!(read_varint(&mut Reader::new(&[0xff; 10]), "value").is_err());
        assert!(read_varint(&mut Reader::new(&[0xff; 3]), "value").is_err());
    }

    #[test]
    fn a_reader_names_the_field_and_refuses_left_over_bytes() {
        let mut reader = Reader::new(&[1, 0, 9]);
        assert_eq!(reader.u16("first"), Ok(1));
        assert_eq!(reader.clone().finish(), Err(LayoutError::Trailing { count: 1 }));
        assert_eq!(reader.u32("second"), Err(LayoutError::Short { field: "second" }));
    }

    #[test]
    fn text_refuses_what_is_not_text() {
        assert!(check_text("奉节\n脐橙".as_bytes(), "name").is_ok());
        assert!(check_text(&[0xff, 0xfe], "name").is_err());
        assert!(check_text(b"a\0b", "name").is_err());
        assert!(check_text("a\u{202E}b".as_bytes(), "name").is_err());
        let two_lines = [4, 0, b'a', b'\n', b'b', b'c'];
        assert!(Reader::new(&two_lines).text(10, "name").is_ok());
        assert!(Reader::new(&two_lines).line(10, "name").is_err());
    }
}
