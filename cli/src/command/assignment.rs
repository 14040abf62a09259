//! `field=value` on the command line.

use std::collections::BTreeMap;

use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// Reads assignments; a field may be named once.
pub fn parse_all(texts: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let mut fields = BTreeMap::new();
    for text in texts {
        let (name, value) = parse(text)?;
        if fields.insert(name.clone(), value).is_some() {
            let (zh, en) = (format!("字段“{name}”给了两次。"), format!("the field {name} is given twice"));
            return Err(Failure::new(ExitCode::InputRefused, "field-twice", zh, en).fix(
                "多个值请写在一个值里，用分号隔开。",
                "write several values as one, with semicolons between them",
            ));
        }
    }
    Ok(fields)
}

/// Splits at the first equals sign, of either width.
fn parse(text: &str) -> Result<(String, String), Failure> {
    let parts = text.split_once(['=', '＝']).map(|(name, value)| (name.trim(), value.trim()));
    match parts.filter(|(name, _)| !name.is_empty()) {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => {
            let (zh, en) = (format!("“{text}”不是“字段=值”。"), format!("{text:?} is not field=value"));
            Err(Failure::new(ExitCode::Usage, "assignment", zh, en).fix(
                "例如 标题=寻找智能制造项目；有空格时加引号。",
                "for instance title=Robotics; quote what has blanks",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn the_first_equals_sign_splits() {
        let fields = parse_all(&texts(&["名称＝甲=乙", "规模 = 5亿元", "备注="])).expect("three fields");
        assert_eq!(fields["名称"], "甲=乙");
        assert_eq!(fields["规模"], "5亿元");
        assert_eq!(fields["备注"], "");
    }

    #[test]
    fn what_is_no_assignment_is_named() {
        assert_eq!(parse_all(&texts(&["名称"])).expect_err("no sign").exit, ExitCode::Usage);
        assert_eq!(parse_all(&texts(&["=5"])).expect_err("no name").code, "assignment");
        assert_eq!(parse_all(&texts(&["a=1", "a=2"])).expect_err("twice").code, "field-twice");
    }
}
