//! Why a workbook was not read, and the way out.

use std::io;

use thiserror::Error;

use super::WriteError;

/// Why a workbook was not read. `Display` says it in Chinese, then in English.
#[derive(Debug, Error)]
#[error("{}{}", self.zh(), self.en())]
pub enum WorkbookError {
    /// The file cannot be opened.
    Unreadable(#[source] io::Error),
    /// It is a directory, a device or a pipe.
    NotAFile,
    /// It has no bytes, or no text but spaces.
    Empty,
    /// It goes beyond a limit.
    TooLarge {
        /// What there is too much of.
        what: Bound,
        /// The limit.
        limit: u64,
        /// The sheet, where one is to blame; else empty.
        sheet: String,
    },
    /// It unpacks to more than it may, or to more than it says.
    Bomb {
        /// The member of the package.
        member: String,
    },
    /// It is something else, for instance a picture.
    Foreign {
        /// What it is, in Chinese.
        zh: &'static str,
        /// What it is, in English.
        en: &'static str,
    },
    /// It is a workbook in a form that is not read.
    Form {
        /// The form, for instance `.ods`.
        form: &'static str,
    },
    /// A password is needed.
    Encrypted,
    /// It breaks off, or its parts contradict each other.
    Damaged {
        /// What the reader stumbled over.
        detail: String,
    },
    /// A text file whose bytes are not in one encoding.
    Encoding {
        /// The first line that is wrong.
        line: usize,
        /// The encoding that the lines before are in.
        encoding: &'static str,
    },
    /// There is no sheet of that number.
    NoSuchSheet {
        /// The number, from 0.
        index: usize,
    },
    /// A copy of it was not written.
    NotWritten(#[from] WriteError),
}

/// What a workbook may have too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Bytes of the file.
    FileBytes,
    /// Members of the package.
    Members,
    /// Sheets.
    Sheets,
    /// Rows.
    Rows,
    /// Columns.
    Columns,
    /// Cells.
    Cells,
    /// Bytes of the cells.
    SheetBytes,
    /// Merged ranges.
    Merges,
    /// Cells that could not be read.
    Faults,
}

impl Bound {
    fn zh(self) -> &'static str {
        match self {
            Self::FileBytes => "文件字节数",
            Self::Members => "压缩包内文件数",
            Self::Sheets => "工作表数",
            Self::Rows => "行数",
            Self::Columns => "列数",
            Self::Cells => "单元格数",
            Self::SheetBytes => "文字字节数",
            Self::Merges => "合并单元格数",
            Self::Faults => "读不出的单元格数",
        }
    }

    fn en(self) -> &'static str {
        match self {
            Self::FileBytes => "bytes of the file",
            Self::Members => "members of the package",
            Self::Sheets => "sheets",
            Self::Rows => "rows",
            Self::Columns => "columns",
            Self::Cells => "cells",
            Self::SheetBytes => "bytes of text",
            Self::Merges => "merged ranges",
            Self::Faults => "unreadable cells",
        }
    }
}

impl WorkbookError {
    /// A stable id.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "file-unreadable",
            Self::NotAFile => "file-not-regular",
            Self::Empty => "file-empty",
            Self::TooLarge { .. } => "workbook-too-large",
            Self::Bomb { .. } => "workbook-bomb",
            Self::Foreign { .. } => "workbook-foreign",
            Self::Form { .. } => "workbook-form",
            Self::Encrypted => "workbook-encrypted",
            Self::Damaged { .. } => "workbook-damaged",
            Self::Encoding { .. } => "text-encoding",
            Self::NoSuchSheet { .. } => "sheet-missing",
            Self::NotWritten(error) => error.id(),
        }
    }

    /// What is wrong and the way out, in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Unreadable(error) => format!("文件打不开（{error}）；请核对路径和权限。"),
            Self::NotAFile => "这不是普通文件；请指明一个表格文件。".to_owned(),
            Self::Empty => "文件是空的；请核对是否选错了文件，或重新导出。".to_owned(),
            Self::TooLarge { what, limit, sheet } => {
                let place = if sheet.is_empty() { String::new() } else { format!("工作表“{sheet}”的") };
                format!("{place}{}超过上限 {limit}；请拆成几个文件，并删去多余的行列后再导入。", what.zh())
            }
            Self::Bomb { member } => format!(
                "文件解压后大得不合常理（{member}），已停止读取；请用 Excel 或 WPS 打开，另存为新的 xlsx 后再导入。"
            ),
            Self::Foreign { zh, .. } => {
                format!("这不是表格文件，内容是{zh}；请用 Excel 或 WPS 打开后另存为 xlsx，再导入。")
            }
            Self::Form { form } => format!("不读 {form} 格式；请用 Excel 或 WPS 打开后另存为 xlsx，再导入。"),
            Self::Encrypted => "文件有打开密码；请用 Excel 或 WPS 打开，去掉密码后另存为 xlsx，再导入。".to_owned(),
            Self::Damaged { detail } => {
                format!("文件不完整或已损坏（{detail}）；请重新传输，或用 Excel 或 WPS 打开后另存为 xlsx，再导入。")
            }
            Self::Encoding { line, encoding } => format!(
                "第 {line} 行的文字编码与前面（{encoding}）不一致，或含有文字以外的内容；\
                 请用 Excel 或 WPS 打开后另存为 xlsx，或存为“CSV UTF-8”，再导入。"
            ),
            Self::NoSuchSheet { index } => format!("没有第 {} 个工作表；请核对工作表名。", index + 1),
            Self::NotWritten(error) => error.zh(),
        }
    }

    /// What is wrong and the way out, in English.
    pub fn en(&self) -> String {
        match self {
            Self::Unreadable(error) => format!("the file cannot be opened ({error}); please check path and rights"),
            Self::NotAFile => "this is no regular file; please name a spreadsheet".to_owned(),
            Self::Empty => "the file is empty; please check that it is the right one, or export it again".to_owned(),
            Self::TooLarge { what, limit, sheet } => {
                let place = if sheet.is_empty() { String::new() } else { format!("sheet `{sheet}`: ") };
                let what = what.en();
                format!("{place}more {what} than {limit}; please split the file and remove spare rows and columns")
            }
            Self::Bomb { member } => format!(
                "the file unpacks to an unreasonable size ({member}) and was not read; \
                 please open it in Excel or WPS and save it as a new xlsx"
            ),
            Self::Foreign { en, .. } => {
                format!("this is no spreadsheet but {en}; please open it in Excel or WPS and save it as xlsx")
            }
            Self::Form { form } => {
                format!("the form {form} is not read; please open the file in Excel or WPS and save it as xlsx")
            }
            Self::Encrypted => {
                "the file has a password; please remove it in Excel or WPS and save the file as xlsx".to_owned()
            }
            Self::Damaged { detail } => format!(
                "the file is incomplete or damaged ({detail}); \
                 please send it again, or open it in Excel or WPS and save it as xlsx"
            ),
            Self::Encoding { line, encoding } => format!(
                "line {line} is not in the encoding of the lines before ({encoding}), or holds something that is no \
                 text; please open the file in Excel or WPS and save it as xlsx or as `CSV UTF-8`"
            ),
            Self::NoSuchSheet { index } => format!("there is no sheet {}; please check its name", index + 1),
            Self::NotWritten(error) => error.en(),
        }
    }
}
