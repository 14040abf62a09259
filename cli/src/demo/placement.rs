//! The samples, and which node of the demonstration publishes which rows (`placement.csv`).

use std::collections::BTreeSet;

/// A sample sheet as officials would send it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sheet {
    /// Its name in `placement.csv`.
    pub(super) name: &'static str,
    /// The file's content.
    pub(super) content: &'static str,
}

/// The sheets, in the order in which they are imported.
pub(super) const SHEETS: [Sheet; 5] = [
    Sheet { name: "counties", content: include_str!("../../../tests/samples/counties.csv") },
    Sheet { name: "resources", content: include_str!("../../../tests/samples/resources.csv") },
    Sheet { name: "demands", content: include_str!("../../../tests/samples/demands.csv") },
    Sheet { name: "projects", content: include_str!("../../../tests/samples/projects.csv") },
    Sheet { name: "funds", content: include_str!("../../../tests/samples/funds.csv") },
];

const PLACEMENT: &str = include_str!("placement.csv");
/// The column that says whose row it is.
const MEMBER_COLUMN: &str = "成员编号";
/// Stands for every member that no other line names.
const ANY: &str = "*";

/// Rows of one sheet for one node, as a sheet of its own with the same header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Name of the sheet.
    pub(super) sheet: &'static str,
    /// The node that publishes it.
    pub(super) node: String,
    /// The sheet with these rows only.
    pub(super) content: Vec<u8>,
    /// How many rows it has.
    pub(super) rows: usize,
}

/// Every sheet cut into parts, one for each node that has rows in it.
pub(super) fn parts() -> Result<Vec<Part>, csv::Error> {
    let lines = placement()?;
    let mut parts = Vec::new();
    for sheet in SHEETS {
        let nodes: BTreeSet<&String> =
            lines.iter().filter(|line| line.sheet == sheet.name).map(|line| &line.node).collect();
        for node in nodes {
            let part = cut(sheet, node, &lines)?;
            parts.extend((part.rows > 0).then_some(part));
        }
    }
    Ok(parts)
}

struct Line {
    sheet: String,
    member: String,
    node: String,
}

fn placement() -> Result<Vec<Line>, csv::Error> {
    let mut reader = csv::Reader::from_reader(PLACEMENT.as_bytes());
    let line = |record: csv::StringRecord| Line {
        sheet: record[0].to_owned(),
        member: record[1].to_owned(),
        node: record[2].to_owned(),
    };
    reader.records().map(|record| record.map(line)).collect()
}

fn cut(sheet: Sheet, node: &str, lines: &[Line]) -> Result<Part, csv::Error> {
    let mut reader = csv::Reader::from_reader(sheet.content.as_bytes());
    let header = reader.headers()?.clone();
    let column = header.iter().position(|name| name == MEMBER_COLUMN);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&header)?;
    let mut rows = 0;
    for record in reader.records() {
        let record = record?;
        let member = column.and_then(|column| record.get(column)).unwrap_or_default();
        if place(sheet.name, member, lines) == Some(node) {
            writer.write_record(&record)?;
            rows += 1;
        }
    }
    let content = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(Part { sheet: sheet.name, node: node.to_owned(), content, rows })
}

fn place<'a>(sheet: &str, member: &str, lines: &'a [Line]) -> Option<&'a str> {
    let of_sheet = || lines.iter().filter(|line| line.sheet == sheet);
    let named = of_sheet().find(|line| line.member == member);
    named.or_else(|| of_sheet().find(|line| line.member == ANY)).map(|line| line.node.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_every_sheet_goes_to_exactly_one_node() {
        let parts = parts().expect("the samples and the table are well formed");
        for sheet in SHEETS {
            let placed: usize = parts.iter().filter(|part| part.sheet == sheet.name).map(|part| part.rows).sum();
            let all = csv::Reader::from_reader(sheet.content.as_bytes()).into_records().count();
            assert_eq!(placed, all, "{}", sheet.name);
        }
        let fengjie: usize = parts.iter().filter(|part| part.node == "fengjie").map(|part| part.rows).sum();
        assert!(fengjie > 30, "奉节县 has its profile, 29 resources and its demands: {fengjie}");
    }
}
