//! The file that is imported: its sheets, and what each of them holds.

use std::fs;
use std::path::{Path, PathBuf};

use node::kinds::kinds;
use node::workbook::{self, Workbook, WorkbookError, WorkbookNotice};
use protocol::identity::ContentHash;
use protocol::kind::Kind;
use protocol::kind::sheet::{Grid, LocateError, Located, locate};

use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// An opened file.
pub struct Source {
    path: PathBuf,
    /// Of its bytes as they were read.
    hash: ContentHash,
    workbook: Workbook,
    /// The sheet that was read last: most files have one, which both passes need.
    last: Option<(usize, Located<'static>)>,
}

impl Source {
    /// Opens a file: `.xlsx`, `.xls`, `.csv` and their like, told by their content.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let bytes = read(path)?;
        let hash = ContentHash::of(&bytes);
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let workbook = workbook::open_bytes(&name, bytes).map_err(|error| failure(path, &error))?;
        Ok(Self { path: path.to_owned(), hash, workbook, last: None })
    }

    /// What a person should know of the file.
    pub fn notices(&self) -> &[WorkbookNotice] {
        self.workbook.notices()
    }

    /// The name of a sheet.
    pub fn name(&self, index: usize) -> &str {
        self.workbook.sheets().get(index).map_or("", |sheet| &sheet.name)
    }

    /// The sheet of that name, hidden or not, or all that are not hidden.
    pub fn choose(&self, named: Option<&str>) -> Result<Vec<usize>, Failure> {
        let Some(name) = named else {
            let visible = self.workbook.sheets().iter().enumerate().filter(|(_, sheet)| !sheet.hidden);
            return Ok(visible.map(|(index, _)| index).collect());
        };
        self.workbook.sheet_named(name).map(|index| vec![index]).ok_or_else(|| {
            let names: Vec<&str> = self.workbook.sheets().iter().map(|sheet| sheet.name.as_str()).collect();
            let (zh, en) = (format!("没有工作表“{name}”。"), format!("there is no sheet {name:?}"));
            Failure::new(ExitCode::InputRefused, "sheet-missing", zh, en)
                .fix(format!("有这些：{}。", names.join("、")), format!("there are: {}", names.join(", ")))
        })
    }

    /// The table of a sheet. Its kind is the one that is given, else that after which the sheet is named, else the one
    /// that its header fits best.
    pub fn located(&mut self, index: usize, kind: Option<&'static Kind>) -> Result<&Located<'static>, Failure> {
        if self.last.as_ref().is_none_or(|(last, _)| *last != index) {
            // Two long sheets are never held at a time.
            self.last = None;
            let located = self.locate(index, kind)?;
            self.last = Some((index, located));
        }
        // It was put there above, unless it was there before.
        self.last.as_ref().map(|(_, located)| located).ok_or_else(|| Failure::internal("no sheet was read"))
    }

    fn locate(&mut self, index: usize, kind: Option<&'static Kind>) -> Result<Located<'static>, Failure> {
        let set = kinds();
        let named = kind.or_else(|| set.kind_of_sheet(self.name(index)));
        let first = locate(set, named, self.grid(index)?);
        let (Err(error), None, Some(_)) = (&first, kind, named) else {
            return first.map_err(|error| not_located(&error, named));
        };
        // A sheet may be named after one kind and hold another; but then it has that one's column of own numbers, else
        // the name is right and the header lacks something.
        let holds_number = |located: &Located<'_>| {
            let number = located.kind.external_field().number;
            let means = |header: &String| located.kind.field_named(header).is_some_and(|field| field.number == number);
            located.table.headers.iter().any(means)
        };
        match locate(set, None, self.grid(index)?) {
            Ok(located) if holds_number(&located) => Ok(located),
            _ => Err(not_located(error, named)),
        }
    }

    /// A sheet as it is.
    pub fn grid(&mut self, index: usize) -> Result<Grid, Failure> {
        self.workbook.grid(index).map_err(|error| failure(&self.path, &error))
    }

    /// Refuses to go on when the file is not the one that was read.
    pub fn check_unchanged(&self) -> Result<(), Failure> {
        if ContentHash::of(&read(&self.path)?) == self.hash {
            return Ok(());
        }
        let path = self.path.display();
        let (zh, en) =
            (format!("{path} 在核对之后又被改动，没有发布。"), format!("{path} changed after it was checked"));
        Err(Failure::new(ExitCode::InputRefused, "sheet-changed", zh, en)
            .fix("请先保存并关闭表格，再执行一次。", "save and close the sheet, then give the command again"))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let of_file = |error: std::io::Error| Failure::file(path, &error);
    let metadata = fs::metadata(path).map_err(of_file)?;
    if !metadata.is_file() {
        return Err(failure(path, &WorkbookError::NotAFile));
    }
    if metadata.len() > workbook::limits::FILE_BYTES_MAX {
        let (what, limit) = (workbook::Bound::FileBytes, workbook::limits::FILE_BYTES_MAX);
        return Err(failure(path, &WorkbookError::TooLarge { what, limit, sheet: String::new() }));
    }
    fs::read(path).map_err(of_file)
}

fn failure(path: &Path, error: &WorkbookError) -> Failure {
    let path = path.display();
    let (zh, en) = (format!("{path}：{}", error.zh()), format!("{path}: {}", error.en()));
    Failure::new(ExitCode::InputRefused, error.id(), zh, en)
}

/// `kind` is the one that was looked for, if it was one alone.
fn not_located(error: &LocateError, kind: Option<&Kind>) -> Failure {
    let fix = |failure: Failure| {
        failure.fix(
            "请核对表头；xianmeng kinds 列出各类，xianmeng template 写出带表头的模板，也可用 --kind、--sheet 指明。",
            "check the header; `xianmeng kinds` lists the kinds, `xianmeng template` writes sheets with headers, --kind and \
             --sheet name what is meant",
        )
    };
    let refused = |code: &'static str, zh: String, en: String| fix(Failure::new(ExitCode::InputRefused, code, zh, en));
    match error {
        LocateError::NoHeader { sheet, source } => {
            let unknown = |none: &str, between: &str| match source.unknown.is_empty() {
                true => none.to_owned(),
                false => source.unknown.join(between),
            };
            let (unknown_zh, unknown_en) = (unknown("无", "、"), unknown("none", ", "));
            let (zh, en) = match kind {
                Some(kind) => {
                    let (title, number) = (kind.title_field(), kind.external_field());
                    (
                        format!("没有“{}”的表头：须有“{}”和“{}”两列", kind.zh(), title.zh, number.zh),
                        format!("no header of {}: it needs the columns {} and {}", kind.en(), title.en, number.en),
                    )
                }
                None => ("没有哪一类记录的表头".to_owned(), "no header of any kind".to_owned()),
            };
            refused(
                "sheet-unknown",
                format!("工作表“{sheet}”里{zh}；不认识的表头：{unknown_zh}。"),
                format!("the sheet {sheet:?} has {en}; unknown: {unknown_en}"),
            )
        }
        error => {
            let text = error.to_string();
            refused(error.id(), text.clone(), text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, content: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join(name);
        fs::write(&path, content).expect("the directory is writable");
        (folder, path)
    }

    #[test]
    fn a_sheet_of_no_kind_is_named_with_the_way_out() {
        let (_folder, path) = file("甲.csv", "颜色,味道\n红,甜\n".as_bytes());
        let mut source = Source::open(&path).expect("it is CSV");
        let failure = source.located(0, None).expect_err("it fits none");
        assert_eq!(failure.code, "sheet-unknown");
        assert!(failure.zh.contains("颜色") && failure.fix_en.contains("--kind"));
        assert_eq!(source.choose(Some("乙")).expect_err("there is none").code, "sheet-missing");
        assert_eq!(source.choose(None).expect("it has one"), [0]);
    }

    #[test]
    fn a_file_that_changes_is_noticed() {
        let (_folder, path) = file("甲.csv", "基金编号,名称,机构类别\nJJ1,甲,产业基金\n".as_bytes());
        let mut source = Source::open(&path).expect("it is CSV");
        let located = source.located(0, None).expect("a sheet of funds");
        assert_eq!((located.kind.name(), located.header_line, located.table.rows.len()), ("fund", 1, 1));
        assert_eq!(source.check_unchanged(), Ok(()));
        fs::write(&path, "基金编号,名称\nJJ1,乙\n").expect("the directory is writable");
        assert_eq!(source.check_unchanged().expect_err("it is another").code, "sheet-changed");
    }

    #[test]
    fn what_is_no_file_is_refused_before_it_is_read() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        assert_eq!(Source::open(folder.path()).map(drop).expect_err("a directory").code, "file-not-regular");
        let missing = folder.path().join("没有.xlsx");
        assert_eq!(Source::open(&missing).map(drop).expect_err("nothing there").code, "file-missing");
    }
}
