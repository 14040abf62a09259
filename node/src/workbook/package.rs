//! Looking through a packed workbook before a library is let at it.
//!
//! Every member is unpacked once and thrown away: the sum of the sizes that are declared and of those that are really
//! read is bounded, so a package that unpacks to more than it says is found here. On the way the elements are counted of
//! which the reader keeps something in memory, and the figures by which it reserves memory unseen.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::error::{Bound, WorkbookError};
use super::limits::{MEMBERS_MAX, UNPACKED_BYTES_MAX};

/// Elements that the reader keeps, by their local names, with the most there may be of each in one member.
const COUNTED_ELEMENTS: [(&[u8], usize); 11] = [
    (b"si", 2_000_000),
    (b"xf", 70_000),
    (b"font", 70_000),
    (b"fill", 70_000),
    (b"border", 70_000),
    (b"numFmt", 70_000),
    (b"definedName", 100_000),
    (b"Relationship", 20_000),
    (b"sheet", 1_000),
    (b"mergeCell", 200_000),
    (b"mergeCells", 16),
];
/// Bytes of an element's name that are looked at.
const ELEMENT_NAME_BYTES_MAX: usize = 64;
/// Bytes of the element that declares how many shared strings follow.
const DECLARATION_BYTES_MAX: usize = 4096;
/// Bytes read at once.
const CHUNK_BYTES: usize = 64 << 10;

/// What a package holds.
#[derive(Debug, Default)]
pub(super) struct Package {
    pub(super) names: Vec<String>,
    /// Whether any member holds formulas, so that they have to be looked at.
    pub(super) has_formulas: bool,
    /// Whether any member merges cells.
    pub(super) has_merges: bool,
}

impl Package {
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|other| other.eq_ignore_ascii_case(name))
    }

    pub(super) fn has_under(&self, folder: &str) -> bool {
        self.names.iter().any(|name| name.to_ascii_lowercase().starts_with(folder))
    }
}

/// Looks through the package.
pub(super) fn scan(bytes: &[u8]) -> Result<Package, WorkbookError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    if archive.len() > MEMBERS_MAX {
        return Err(WorkbookError::TooLarge { what: Bound::Members, limit: MEMBERS_MAX as u64, sheet: String::new() });
    }
    let mut package = Package::default();
    let mut left = UNPACKED_BYTES_MAX;
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).map_err(|error| match error {
            ZipError::UnsupportedArchive(text) if text == ZipError::PASSWORD_REQUIRED => WorkbookError::Encrypted,
            error => damaged(&error),
        })?;
        let name = member.name().map(|name| name.into_owned()).unwrap_or_else(|_| format!("#{index}"));
        let declared = member.size();
        if declared > left {
            return Err(WorkbookError::Bomb { member: name });
        }
        let mut scanner = Scanner::default();
        let read = read_through(&mut member, declared, &mut scanner).map_err(|error| damaged(&error))?;
        if read > declared || scanner.excess {
            return Err(WorkbookError::Bomb { member: name });
        }
        if scanner.wide {
            return Err(WorkbookError::Damaged { detail: format!("{name}: UTF-16") });
        }
        left -= read;
        package.has_formulas |= scanner.has_formulas;
        package.has_merges |= scanner.counts[9] > 0;
        package.names.push(name);
    }
    Ok(package)
}

fn damaged(error: &dyn std::fmt::Display) -> WorkbookError {
    WorkbookError::Damaged { detail: error.to_string() }
}

/// Reads a member to its end, or one byte beyond what it declares. Returns how much was read.
fn read_through(member: &mut impl Read, declared: u64, scanner: &mut Scanner) -> std::io::Result<u64> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut total = 0;
    loop {
        let count = member.read(&mut chunk)?;
        if count == 0 {
            return Ok(total);
        }
        scanner.take(&chunk[..count], total, declared);
        total += count as u64;
        if total > declared || scanner.excess {
            return Ok(total);
        }
    }
}

/// Counts elements in a stream of XML, and in anything else without harm.
#[derive(Debug, Default)]
struct Scanner {
    state: State,
    name: Vec<u8>,
    counts: [usize; COUNTED_ELEMENTS.len()],
    has_formulas: bool,
    /// There is more of something than a workbook needs.
    excess: bool,
    /// It is in an encoding of two bytes per character, in which nothing is found.
    wide: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Outside,
    Name,
    Declaration,
}

impl Scanner {
    fn take(&mut self, chunk: &[u8], before: u64, declared: u64) {
        if before == 0 {
            self.wide = matches!(chunk, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'<', 0, ..] | [0, b'<', ..]);
        }
        let mut rest = chunk;
        while !rest.is_empty() {
            let used = match self.state {
                State::Outside => match memchr::memchr(b'<', rest) {
                    Some(at) => {
                        self.state = State::Name;
                        self.name.clear();
                        at + 1
                    }
                    None => rest.len(),
                },
                State::Name => self.take_name(rest[0]),
                State::Declaration => self.take_declaration(rest[0], declared),
            };
            rest = &rest[used..];
        }
    }

    fn take_name(&mut self, byte: u8) -> usize {
        match byte {
            b':' => self.name.clear(),
            b' ' | b'\t' | b'\r' | b'\n' | b'/' if self.name.is_empty() => self.state = State::Outside,
            b' ' | b'\t' | b'\r' | b'\n' | b'/' | b'>' => {
                self.count();
                self.state = if self.name == b"sst" && byte != b'>' { State::Declaration } else { State::Outside };
                self.name.clear();
            }
            _ if self.name.len() >= ELEMENT_NAME_BYTES_MAX => self.state = State::Outside,
            _ => self.name.push(byte),
        }
        1
    }

    fn count(&mut self) {
        self.has_formulas |= self.name == b"f";
        for (index, (name, limit)) in COUNTED_ELEMENTS.iter().enumerate() {
            if self.name == *name {
                self.counts[index] += 1;
                self.excess |= self.counts[index] > *limit;
            }
        }
    }

    /// The reader reserves room for as many strings as are declared, before it has seen one.
    fn take_declaration(&mut self, byte: u8, declared: u64) -> usize {
        if byte != b'>' {
            self.excess |= self.name.len() >= DECLARATION_BYTES_MAX;
            self.name.push(byte);
            return 1;
        }
        let text = String::from_utf8_lossy(&self.name).into_owned();
        let count = text.split("uniqueCount").nth(1).map(|rest| {
            let digits = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '=' | '"' | '\''));
            digits.chars().take_while(char::is_ascii_digit).collect::<String>()
        });
        // No string takes fewer bytes than its element.
        let shortest = "<si/>".len() as u64;
        self.excess |= count.is_some_and(|count| count.parse::<u64>().is_ok_and(|count| count > declared / shortest));
        self.state = State::Outside;
        1
    }
}
