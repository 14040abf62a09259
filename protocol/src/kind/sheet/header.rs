//! Finding the header of a sheet, which may stand anywhere near its top and be several lines high.
//!
//! Every run of one to three lines near the top is read as if it were the header, for every kind that comes into
//! question; the run whose headers name most fields wins, and of equal ones the one with fewer lines.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::words::{clean_header, unit_cell, units_named};
use super::{Grid, Merge};
use crate::kind::sheet::recognise::column;
use crate::kind::text::{normalise_header, split_unit};
use crate::kind::{FieldType, Kind, unit};

/// Filled rows from the top in which a header is looked for.
const SEARCH_ROWS_MAX: usize = 100;
/// Lines that a header has at most.
const HEIGHT_MAX: usize = 3;
/// Columns that a header has at most.
const COLUMNS_MAX: usize = 1024;

/// A header that was found.
#[derive(Debug, Clone)]
pub(super) struct Header<'k> {
    pub(super) kind: &'k Kind,
    /// The index of its first row in the grid.
    pub(super) first: usize,
    /// How many rows it takes.
    pub(super) height: usize,
    /// The header of each column.
    pub(super) texts: Vec<String>,
    /// The field of each column, for those that the kind knows.
    pub(super) fields: Vec<Option<u16>>,
}

/// How well a header fits its kind: the greater, the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fit {
    external: bool,
    title: bool,
    known: usize,
}

impl<'k> Header<'k> {
    /// Reads the stacks of the rows from `first` as a header of `kind`.
    fn read(kind: &'k Kind, stacks: &[Vec<String>], first: usize, height: usize) -> Self {
        let lower: Vec<String> = stacks.iter().map(|stack| stack.last().cloned().unwrap_or_default()).collect();
        let mut count: BTreeMap<Option<u16>, usize> = BTreeMap::new();
        for text in &lower {
            *count.entry(field(kind, text)).or_default() += 1;
        }
        let ambiguous = |text: &str| field(kind, text).is_none_or(|number| count[&Some(number)] > 1);
        let texts: Vec<_> = stacks.iter().map(|stack| resolve(kind, stack, &ambiguous)).collect();
        let mut header = Self { kind, first, height, fields: Vec::new(), texts };
        header.know();
        header
    }

    fn know(&mut self) {
        while self.texts.last().is_some_and(String::is_empty) {
            self.texts.pop();
        }
        self.fields = self.texts.iter().map(|text| field(self.kind, text)).collect();
    }

    pub(super) fn fit(&self) -> Fit {
        let known: BTreeSet<u16> = self.fields.iter().copied().flatten().collect();
        Fit {
            external: known.contains(&self.kind.external_field().number),
            title: known.contains(&self.kind.title_field().number),
            known: known.len(),
        }
    }

    /// How many columns of figures have a unit of their own.
    fn units(&self) -> usize {
        let columns = self.texts.iter().filter_map(|text| column(self.kind, text));
        columns.filter(|column| column.unit.is_some() && !column.unit_assumed).count()
    }

    /// Whether the kind knows the title and at least half of the headers; half is not asked of a kind that was named.
    fn is_good(&self, named: bool) -> bool {
        let filled = self.texts.iter().filter(|text| !text.is_empty()).count();
        let Fit { title, known, .. } = self.fit();
        title && (named || known * 2 >= filled)
    }

    /// The column of a field, from 0.
    pub(super) fn column_of(&self, number: u16) -> Option<usize> {
        self.fields.iter().position(|field| *field == Some(number))
    }

    /// The index of the row below it.
    pub(super) fn end(&self) -> usize {
        self.first + self.height
    }

    /// Takes the units of a row such as `（亿元）,（亩）` below the header; `false` when the row is none.
    pub(super) fn take_units(&mut self, cells: &[String]) -> bool {
        let filled: Vec<(usize, &String)> =
            cells.iter().enumerate().filter(|(_, text)| !normalise_header(text).is_empty()).collect();
        // Units that no table knows may stand among them: 家, 条.
        let is_unit = |text: &str| unit_cell(text).is_some() || clean_header(text).starts_with('(');
        if !filled.iter().all(|(_, text)| is_unit(text)) || !filled.iter().any(|(_, text)| unit_cell(text).is_some()) {
            return false;
        }
        for (index, text) in filled {
            let (Some(unit), Some(header)) = (unit_cell(text), self.texts.get_mut(index)) else { continue };
            if let Some(with) = with_unit(self.kind, header, unit) {
                *header = with;
            }
        }
        self.know();
        true
    }

    /// Takes the unit of money that a line such as `单位：万元、亩` above the table names, for columns of money that
    /// name none themselves. Units of quantities are not taken: of two columns of area one may be meant.
    pub(super) fn take_sheet_units(&mut self, cells: &[String]) {
        let units: Vec<_> = cells.iter().flat_map(|text| units_named(text)).collect();
        for index in 0..self.texts.len() {
            let Some(known) = column(self.kind, &self.texts[index]) else { continue };
            let own = known.field.unit().and_then(unit::find);
            let FieldType::Money { .. } = known.field.field_type else { continue };
            let fitting: Vec<_> =
                units.iter().filter(|unit| own.is_some_and(|own| own.currency() == unit.currency())).collect();
            if let ([unit], true) = (fitting.as_slice(), known.unit_assumed)
                && let Some(with) = with_unit(self.kind, &self.texts[index], unit)
            {
                self.texts[index] = with;
            }
        }
        self.know();
    }
}

/// The best header of the sheet; else the one that comes nearest, where there are rows at all.
pub(super) fn find<'k>(kinds: &[&'k Kind], grid: &Grid, named: bool) -> Result<Header<'k>, Option<Header<'k>>> {
    let titles = Names::of_titles(kinds);
    let good = best_of(grid, |stacks| titles.named_in(stacks), |header| header.is_good(named));
    let found = good.map(|header| with_groups(header, grid));
    found.ok_or_else(|| nearest(kinds, grid))
}

/// The header that names most fields of a kind, though too few; the first row where nothing is named at all.
fn nearest<'k>(kinds: &[&'k Kind], grid: &Grid) -> Option<Header<'k>> {
    let fields = Names::of_fields(kinds);
    let named = best_of(grid, |stacks| fields.named_in(stacks), |_| true);
    let first = || (!grid.rows.is_empty()).then(|| stacks(grid, 0, 1));
    named.or_else(|| Some(Header::read(kinds.first()?, &first()?, 0, 1)))
}

/// The best of the headers that are `good`, of the kinds that come into question for the texts of its columns.
fn best_of<'k>(
    grid: &Grid,
    kinds: impl Fn(&[Vec<String>]) -> Vec<&'k Kind>,
    good: impl Fn(&Header<'k>) -> bool,
) -> Option<Header<'k>> {
    let mut best: Option<Header<'k>> = None;
    for first in 0..grid.rows.len().min(SEARCH_ROWS_MAX) {
        for height in heights(grid, first) {
            let stacks = stacks(grid, first, height);
            for kind in kinds(&stacks) {
                let header = Header::read(kind, &stacks, first, height);
                // Of equal ones the one with fewer lines, further up, of the kind with the lower number.
                let rank = |header: &Header<'_>| (header.fit(), Reverse(header.height));
                if good(&header) && best.as_ref().is_none_or(|other| rank(&header) > rank(other)) {
                    best = Some(header);
                }
            }
        }
    }
    best
}

/// The names by which fields of kinds go: only kinds of which a row names something are read, and of a row of records
/// that is mostly none.
#[derive(Debug)]
pub(super) struct Names<'k> {
    kinds: Vec<&'k Kind>,
    /// The places of the kinds of which a field goes by a name.
    names: BTreeMap<&'k str, Vec<usize>>,
}

impl<'k> Names<'k> {
    /// The names of titles. A header must know the title of its kind.
    pub(super) fn of_titles(kinds: &[&'k Kind]) -> Self {
        Self::new(kinds, |kind, number| number == kind.title_field().number)
    }

    /// The names of all fields.
    fn of_fields(kinds: &[&'k Kind]) -> Self {
        Self::new(kinds, |_, _| true)
    }

    fn new(kinds: &[&'k Kind], counts: impl Fn(&Kind, u16) -> bool) -> Self {
        let mut names: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (place, kind) in kinds.iter().enumerate() {
            for (name, _) in kind.names.iter().filter(|(_, number)| counts(kind, **number)) {
                names.entry(name).or_default().push(place);
            }
        }
        Self { kinds: kinds.to_vec(), names }
    }

    /// The kinds of which one of the stacks may name a field, in their order.
    fn named_in(&self, stacks: &[Vec<String>]) -> Vec<&'k Kind> {
        let mut places: BTreeSet<usize> = BTreeSet::new();
        let mut name = |text: &str| {
            let normalised = normalise_header(text);
            // A header may have a unit that the name has not.
            let bare = split_unit(&normalised).map(|(name, _)| name);
            let known = [Some(normalised.as_str()), bare].into_iter().flatten();
            places.extend(known.filter_map(|known| self.names.get(known)).flatten());
        };
        for (lower, groups) in stacks.iter().filter_map(|stack| stack.split_last()) {
            name(lower);
            // All that `resolve` makes of a stack.
            for group in groups {
                joined(group, lower).iter().for_each(|text| name(text));
                name(&under_group(group, lower));
            }
        }
        places.into_iter().map(|place| self.kinds[place]).collect()
    }
}

/// The header together with the lines above it, where these name units that it does not.
fn with_groups<'k>(header: Header<'k>, grid: &Grid) -> Header<'k> {
    let taller = (header.height + 1..=HEIGHT_MAX).filter_map(|height| {
        let first = header.end().checked_sub(height)?;
        let follows = heights(grid, first).any(|other| other == height);
        follows.then(|| Header::read(header.kind, &stacks(grid, first, height), first, height))
    });
    let better = |other: &Header<'_>| other.fields == header.fields && other.units() > header.units();
    let best = taller.filter(better).reduce(|a, b| if b.units() > a.units() { b } else { a });
    best.unwrap_or_else(|| header.clone())
}

/// A header that the row `first` alone is, for any of the kinds.
pub(super) fn at<'k>(titles: &Names<'k>, grid: &Grid, first: usize) -> Option<Header<'k>> {
    let stacks = stacks(grid, first, 1);
    let headers = titles.named_in(&stacks).into_iter().map(|kind| Header::read(kind, &stacks, first, 1));
    headers.filter(|header| header.is_good(false)).reduce(|a, b| if b.fit() > a.fit() { b } else { a })
}

/// The numbers of lines that a header from row `first` may have: its lines follow each other without a gap.
fn heights(grid: &Grid, first: usize) -> impl Iterator<Item = usize> {
    let rows = &grid.rows[first..];
    let follow = rows.windows(2).take_while(|pair| pair[1].line == pair[0].line + 1).count();
    1..=HEIGHT_MAX.min(follow + 1)
}

/// For each column, the texts of the rows from the group down to the header itself, without repetitions.
fn stacks(grid: &Grid, first: usize, height: usize) -> Vec<Vec<String>> {
    let rows = &grid.rows[first..first + height];
    let width = rows.iter().map(|row| row.cells.len()).max().unwrap_or_default();
    let merges = merges_at(grid, rows[0].line, rows[height - 1].line);
    let width = merges.iter().map(|merge| merge.last_column).fold(width, usize::max).min(COLUMNS_MAX);
    let mut stacks: Vec<Vec<String>> = vec![Vec::new(); width];
    for (index, row) in rows.iter().enumerate() {
        // A group whose cells are not merged reaches as far as the next filled cell.
        let mut group = String::new();
        for (column, stack) in stacks.iter_mut().enumerate() {
            let own = clean_header(row.cells.get(column).map_or("", String::as_str));
            let merged = merges.iter().find(|merge| holds(merge, row.line, column + 1));
            let text = match merged {
                Some(merge) => clean_header(cell(grid, merge.first_line, merge.first_column)),
                None if own.is_empty() && index + 1 < height => group.clone(),
                None => own.clone(),
            };
            if merged.is_some() || !own.is_empty() {
                group = if merged.is_some() { String::new() } else { own };
            }
            if !text.is_empty() && stack.last() != Some(&text) {
                stack.push(text);
            }
        }
    }
    // A group that reached over columns without a header of their own is no header of theirs.
    for (column, stack) in stacks.iter_mut().enumerate() {
        let own = |row: &super::GridRow| row.cells.get(column).is_some_and(|text| !clean_header(text).is_empty());
        let merged = rows.iter().any(|row| merges.iter().any(|merge| holds(merge, row.line, column + 1)));
        if !merged && !rows.iter().any(own) {
            stack.clear();
        }
    }
    stacks
}

fn merges_at(grid: &Grid, first_line: usize, last_line: usize) -> Vec<Merge> {
    let touches = |merge: &&Merge| merge.first_line <= last_line && merge.last_line >= first_line;
    grid.merged.iter().filter(touches).copied().collect()
}

fn holds(merge: &Merge, line: usize, column: usize) -> bool {
    (merge.first_line..=merge.last_line).contains(&line) && (merge.first_column..=merge.last_column).contains(&column)
}

/// The text of a cell; line and column from 1.
fn cell(grid: &Grid, line: usize, column: usize) -> &str {
    let row = grid.rows.binary_search_by_key(&line, |row| row.line).ok().map(|index| &grid.rows[index]);
    row.and_then(|row| row.cells.get(column.checked_sub(1)?)).map_or("", String::as_str)
}

/// The header of a column: its lowest text where that is enough, else together with its group.
fn resolve(kind: &Kind, stack: &[String], ambiguous: &dyn Fn(&str) -> bool) -> String {
    let Some((lower, groups)) = stack.split_last() else { return String::new() };
    if ambiguous(lower) {
        for group in groups.iter().rev() {
            if let Some(joined) = joined(group, lower).into_iter().find(|text| field(kind, text).is_some()) {
                return joined;
            }
        }
    }
    if field(kind, lower).is_none() {
        // A cell that spans the lines without being merged: what stands above is the header.
        return match groups.last() {
            Some(group) => under_group(group, lower),
            None => lower.clone(),
        };
    }
    // The unit may stand with the group: 投资（亿元） over 计划投资.
    let unit = groups.iter().rev().find_map(|group| unit::find(split_unit(group)?.1));
    unit.filter(|_| split_unit(lower).is_none())
        .and_then(|unit| with_unit(kind, lower, unit))
        .unwrap_or_else(|| lower.clone())
}

/// What a header that no kind knows is called below its group.
fn under_group(group: &str, lower: &str) -> String {
    format!("{group}/{lower}")
}

/// The ways in which a group and a header make one name.
fn joined(group: &str, lower: &str) -> [String; 4] {
    let (group_name, group_unit) = split_unit(group).unwrap_or((group, ""));
    let (lower_name, lower_unit) = split_unit(lower).unwrap_or((lower, ""));
    let unit = if lower_unit.is_empty() { group_unit } else { lower_unit };
    let unit = if unit.is_empty() { String::new() } else { format!("({unit})") };
    [
        format!("{lower_name}{group_name}{unit}"),
        format!("{group_name}{lower_name}{unit}"),
        format!("{lower}{group}"),
        format!("{group}{lower}"),
    ]
}

/// `header` with that unit in brackets, when the kind then knows it as the same field and it names none yet.
fn with_unit(kind: &Kind, header: &str, unit: &unit::Unit) -> Option<String> {
    let with = format!("{header}({})", unit.symbol);
    let same = column(kind, header)?.field.number == column(kind, &with)?.field.number;
    (same && split_unit(&normalise_header(header)).is_none()).then_some(with)
}

fn field(kind: &Kind, text: &str) -> Option<u16> {
    (!text.is_empty()).then(|| column(kind, text)).flatten().map(|column| column.field.number)
}

#[cfg(test)]
mod tests {
    use super::super::GridRow;
    use super::*;
    use crate::kind::KindSet;

    fn grid(lines: &[&str]) -> Grid {
        let row = |(index, line): (usize, &&str)| {
            let cells = line.split('|').map(str::to_owned).collect();
            GridRow { line: index + 1, cells, faults: BTreeMap::new() }
        };
        Grid { sheet: "表".into(), rows: lines.iter().enumerate().map(row).collect(), merged: Vec::new() }
    }

    #[test]
    fn the_nearest_header_is_that_of_a_search_through_all_kinds() {
        let kinds: Vec<&Kind> = KindSet::builtin().kinds().collect();
        let sheets: [&[&str]; 5] = [
            &["甲|乙|丙", "一|二|三"],
            &["标题", "项目编号|无人知道|也不知道|还不知道", "XM1|a|b|c"],
            &["计划|计划|没有|哪个", "投资(亿元)|用地(亩)|这一列|那一列", "1|2|3|4"],
            &["x", "计划投资(元)|y|z|u", "项目名駰|v"],
            &["需求名称|p|q|r|s", "资源名称|资源类别|p|q|r|s|t"],
        ];
        for sheet in sheets {
            let grid = grid(sheet);
            let seen = |header: Header<'static>| (header.kind.name(), header.first, header.height, header.fields);
            let exhaustive = best_of(&grid, |_| kinds.clone(), |_| true);
            assert_eq!(nearest(&kinds, &grid).map(seen), exhaustive.map(seen), "{sheet:?}");
        }
        assert!(nearest(&kinds, &grid(&[])).is_none());
    }

    #[test]
    fn of_a_row_that_names_nothing_no_kind_is_read() {
        let kinds: Vec<&Kind> = KindSet::builtin().kinds().collect();
        let grid = grid(&["甲|乙|丙", "无人知道|也不知道"]);
        for height in 1..=2 {
            assert!(Names::of_fields(&kinds).named_in(&stacks(&grid, 0, height)).is_empty());
        }
    }
}
