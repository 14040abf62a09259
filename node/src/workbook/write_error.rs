//! Why a spreadsheet was not written, and the way out.

use std::io;
use std::path::PathBuf;

use rust_xlsxwriter::XlsxError;
use thiserror::Error;

use super::style::{CELL_CHARACTERS_MAX, SHEET_ROWS_MAX};

/// Why a spreadsheet was not written. `Display` says it in Chinese, then in English.
#[derive(Debug, Error)]
#[error("{}{}", self.zh(), self.en())]
pub enum WriteError {
    /// The file cannot be written.
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is a file of that name already.
    Exists(PathBuf),
    /// A cell is too long for a workbook.
    CellTooLong {
        /// Header of its column.
        header: String,
        /// How long it is.
        characters: usize,
    },
    /// There are more rows than a sheet of a workbook can have.
    TooManyRows {
        /// The sheet.
        sheet: String,
    },
    /// The workbook cannot be made.
    Workbook(#[from] XlsxError),
    /// The CSV file cannot be made.
    Csv(#[from] csv::Error),
}

impl WriteError {
    /// A stable id.
    pub fn id(&self) -> &'static str {
        match self {
            Self::File { .. } => "file-unwritable",
            Self::Exists(_) => "file-exists",
            Self::CellTooLong { .. } => "cell-too-long",
            Self::TooManyRows { .. } => "sheet-rows",
            Self::Workbook(_) => "workbook-unwritable",
            Self::Csv(_) => "csv-unwritable",
        }
    }

    /// What is wrong and the way out, in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::File { path, source } => {
                format!("文件 {} 写不了（{source}）；请核对路径、权限和剩余空间。", path.display())
            }
            Self::Exists(path) => format!("{} 已存在，没有覆盖；请换一个文件名。", path.display()),
            Self::CellTooLong { header, characters } => format!(
                "“{header}”一列有一格长 {characters} 字，超过工作簿单格上限 {CELL_CHARACTERS_MAX}；请改用 CSV。"
            ),
            Self::TooManyRows { sheet } => {
                format!("“{sheet}”超过工作簿的行数上限 {SHEET_ROWS_MAX}；请加条件分批导出，或改用 CSV。")
            }
            Self::Workbook(error) => format!("工作簿写不成（{error}）；请核对目录的权限和剩余空间，再试一次。"),
            Self::Csv(error) => format!("CSV 文件写不成（{error}）；请核对剩余空间，再试一次。"),
        }
    }

    /// What is wrong and the way out, in English.
    pub fn en(&self) -> String {
        match self {
            Self::File { path, source } => {
                format!("{} cannot be written ({source}); please check path, rights and free space", path.display())
            }
            Self::Exists(path) => format!("{} exists and was not overwritten; choose another name", path.display()),
            Self::CellTooLong { header, characters } => format!(
                "a cell of column {header} has {characters} characters, and a workbook holds {CELL_CHARACTERS_MAX}; \
                 use CSV"
            ),
            Self::TooManyRows { sheet } => format!(
                "sheet {sheet} would have more than {SHEET_ROWS_MAX} rows; export it in parts by a condition, or as CSV"
            ),
            Self::Workbook(error) => {
                format!("the workbook cannot be made ({error}); check the rights of the directory and free space")
            }
            Self::Csv(error) => format!("the CSV file cannot be made ({error}); check free space"),
        }
    }
}
