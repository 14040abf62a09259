//! A sheet as its file holds it, before anybody knows where its table begins.
//!
//! A reader of files makes a [`Grid`]; [`locate`](super::locate) finds the header in it. Column `i` of every row is
//! column `i` of the file, so that an error names the true cell.

use std::collections::BTreeMap;

/// The filled rows of one sheet, in ascending order of their lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grid {
    /// The name of the sheet; of a text file, the name of the file.
    pub sheet: String,
    /// The rows that hold something. Blank rows are left out, which is why each row names its line.
    pub rows: Vec<GridRow>,
    /// The merged ranges, as far as the file names any.
    pub merged: Vec<Merge>,
}

/// One row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GridRow {
    /// Its line in the file, as people count.
    pub line: usize,
    /// Its cells from column A; cells after the last filled one may be missing.
    pub cells: Vec<String>,
    /// Cells that could not be read, by their column from 1; their text in `cells` is empty.
    pub faults: BTreeMap<usize, CellFault>,
}

/// Why a cell could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellFault {
    /// What stands in the cell, for instance `#REF!`; empty where nothing does.
    pub value: String,
    /// What is wrong and the way out, in Chinese.
    pub zh: String,
    /// What is wrong and the way out, in English.
    pub en: String,
}

/// A range of cells shown as one. Lines and columns count from 1, both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Merge {
    /// The first line.
    pub first_line: usize,
    /// The first column.
    pub first_column: usize,
    /// The last line.
    pub last_line: usize,
    /// The last column.
    pub last_column: usize,
}
