//! Sheets of any length, for imports.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Writes a sheet of demands numbered from `first`, with Chinese headers as an official's would have.
pub fn demands(folder: &Path, first: usize, count: usize) -> PathBuf {
    let path = folder.join(format!("demands-{first}-{count}.csv"));
    let mut text = String::from("需求编号,需求类别,需求名称,行业代码,数量,单位,期限,状态,说明\n");
    for number in first..first + count {
        let industry = ["3841", "1713", "593", "65"][number % 4];
        let _ = writeln!(
            text,
            "T{number:06},招商,第{number}号产业链上下游配套企业,{industry},{},家,2027-12-31,发布,\
             面向长三角、珠三角招引第{number}批配套企业，提供标准厂房与用工保障",
            number % 20 + 1
        );
    }
    std::fs::write(&path, text).expect("a temporary folder can be written to");
    path
}
