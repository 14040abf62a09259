//! The sheet that comes back: beside the file, with the wrong rows marked. Nothing is ever overwritten.

use std::path::{Path, PathBuf};

use node::workbook::{MarkedSheet, write_marked};

use super::source::Source;
use super::tally::Tally;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// What the name of such a file ends in.
const SUFFIX: &str = "-错误";
/// Files of that name that stand beside each other.
const NUMBERED_MAX: usize = 999;

/// Refuses a name that is taken, before any work is done.
pub fn check_free(path: &Path) -> Result<(), Failure> {
    if !path.exists() {
        return Ok(());
    }
    let (zh, en) = (format!("{} 已存在，没有覆盖。", path.display()), format!("{} exists", path.display()));
    Err(Failure::new(ExitCode::InputRefused, "file-exists", zh, en).fix("请换一个文件名。", "choose another name"))
}

/// Writes the sheets that have errors. Says where.
pub fn write(
    source: &mut Source,
    file: &Path,
    given: Option<&Path>,
    tallies: &[(usize, Tally)],
) -> Result<PathBuf, Failure> {
    let path = match given {
        Some(path) => path.to_owned(),
        None => free_name(file)?,
    };
    let mut grids = Vec::new();
    for (index, tally) in tallies.iter().filter(|(_, tally)| !tally.marks.is_empty()) {
        grids.push((source.grid(*index)?, tally));
    }
    let sheets: Vec<_> = grids
        .iter()
        .map(|(grid, tally)| MarkedSheet { grid, header_line: tally.header_line, marks: &tally.marks })
        .collect();
    write_marked(&path, &sheets).map_err(|error| {
        let path = path.display();
        let (zh, en) = (format!("带错误说明的表格写不出来（{path}）：{error}"), format!("{path}: {error}"));
        Failure::new(ExitCode::InputRefused, "errors-file", zh, en).fix(
            "请用 --errors-to 指定别的文件，或加 --no-errors-file。",
            "name another file with --errors-to, or add --no-errors-file",
        )
    })?;
    Ok(path)
}

/// `项目-错误.xlsx` beside `项目.csv`, or `项目-错误-2.xlsx` and so on.
fn free_name(file: &Path) -> Result<PathBuf, Failure> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let named = |number: usize| {
        let number = if number == 1 { String::new() } else { format!("-{number}") };
        file.with_file_name(format!("{stem}{SUFFIX}{number}.xlsx"))
    };
    (1..=NUMBERED_MAX).map(named).find(|path| !path.exists()).ok_or_else(|| {
        let (zh, en) = ("旁边带错误说明的表格已经太多。", "there are too many error sheets beside the file");
        Failure::new(ExitCode::InputRefused, "errors-file", zh, en)
            .fix("请删去旧的，或用 --errors-to 指定文件。", "remove old ones, or name a file with --errors-to")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_sheet_of_errors_stays() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let file = folder.path().join("项目.csv");
        let first = free_name(&file).expect("nothing is there");
        assert_eq!(first, folder.path().join("项目-错误.xlsx"));
        std::fs::write(&first, "x").expect("the directory is writable");
        assert_eq!(check_free(&first).expect_err("it is there").code, "file-exists");
        assert_eq!(check_free(&file), Ok(()));
        assert_eq!(free_name(&file).expect("the second is free"), folder.path().join("项目-错误-2.xlsx"));
    }
}
