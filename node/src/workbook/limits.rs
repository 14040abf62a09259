//! What a workbook may cost. A file beyond any of these is refused by name; nothing is silently cut off.

/// Bytes of the file itself.
pub const FILE_BYTES_MAX: u64 = 64 << 20;
/// Bytes that all members of a packed workbook may have when they are unpacked.
pub const UNPACKED_BYTES_MAX: u64 = 256 << 20;
/// Members of a packed workbook.
pub const MEMBERS_MAX: usize = 4096;
/// Sheets of a workbook, the hidden ones included.
pub const SHEETS_MAX: usize = 256;
/// Rows of a sheet that hold something.
pub const ROWS_MAX: usize = 200_000;
/// The last column that may hold something.
pub const COLUMNS_MAX: usize = 512;
/// Cells of a sheet that hold something.
pub const CELLS_MAX: usize = 5_000_000;
/// Cells between the first and the last of a sheet, over all sheets, in the old binary form: its reader holds them all.
pub const SPAN_CELLS_MAX: u64 = 8_000_000;
/// Bytes of one cell's text. The program that writes most workbooks stops at 32,767 characters.
pub const CELL_BYTES_MAX: usize = 128 << 10;
/// Bytes of all cells of a sheet.
pub const SHEET_BYTES_MAX: usize = 256 << 20;
/// Merged ranges of a sheet.
pub const MERGES_MAX: usize = 100_000;
/// Formulas of a sheet whose result was not stored.
pub const UNCACHED_FORMULAS_MAX: usize = 1_000_000;
/// Cells of a sheet that could not be read; one more says that the file is not worth reading.
pub const FAULTS_MAX: usize = 10_000;
/// The last line that a sheet of the packed form can have.
pub const LINE_MAX: usize = 1_048_576;
/// Bytes at the beginning of a file by which its type is told.
pub const SNIFFED_BYTES_MAX: usize = 4096;
