//! Tables of aligned columns.

use std::fmt::{self, Write as _};

use super::wrap::width;
use super::{QUIET, STRONG};

/// The side of a column that is even.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A table; [`Display`](fmt::Display) draws it, each line with an indentation and a line break.
#[derive(Debug)]
pub(crate) struct Table {
    header: Vec<(String, Align)>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    cells: Vec<String>,
    strong: bool,
}

impl Table {
    /// A table with the names of its columns. Where all of them are empty, no header is drawn.
    pub(crate) fn new<const N: usize>(header: [(&str, Align); N]) -> Self {
        Self {
            header: header.map(|(name, align)| (name.to_owned(), align)).to_vec(),
            rows: Vec::new(),
        }
    }

    /// A table with as many columns as there are names.
    pub(crate) fn of(header: Vec<(String, Align)>) -> Self {
        Self { header, rows: Vec::new() }
    }

    /// Two columns: a name and what belongs to it.
    pub(crate) fn pairs() -> Self {
        Self::new([("", Align::Left), ("", Align::Left)])
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [&dyn fmt::Display; N]) {
        self.push(cells.map(ToString::to_string).to_vec(), false);
    }

    /// A row that stands out.
    pub(crate) fn strong_row<const N: usize>(&mut self, cells: [&dyn fmt::Display; N]) {
        self.push(cells.map(ToString::to_string).to_vec(), true);
    }

    /// Adds a row of as many cells as there are columns; a strong one stands out.
    pub(crate) fn push(&mut self, cells: Vec<String>, strong: bool) {
        self.rows.push(Row { cells, strong });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = |column: usize| {
            let header = self.header[column].0.as_str();
            let body = self.rows.iter().filter_map(move |row| row.cells.get(column));
            std::iter::once(header).chain(body.map(String::as_str))
        };
        let widths: Vec<usize> = (0..self.header.len())
            .map(|column| cells(column).map(width).max().unwrap_or(0))
            .collect();
        let line = |cells: &[String]| {
            let mut line = String::from("  ");
            for ((cell, (_, align)), widest) in cells.iter().zip(&self.header).zip(&widths) {
                let space = " ".repeat(widest - width(cell).min(*widest));
                // Writing to a string cannot fail.
                let _ = match align {
                    Align::Left => write!(line, "{cell}{space}  "),
                    Align::Right => write!(line, "{space}{cell}  "),
                };
            }
            line.truncate(line.trim_end().len());
            line
        };
        let names: Vec<String> = self.header.iter().map(|(name, _)| name.clone()).collect();
        if names.iter().any(|name| !name.is_empty()) {
            writeln!(f, "{QUIET}{}{QUIET:#}", line(&names))?;
        }
        for row in &self.rows {
            let text = line(&row.cells);
            if row.strong {
                writeln!(f, "{STRONG}{text}{STRONG:#}")?;
            } else {
                writeln!(f, "{text}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_even() {
        let mut table = Table::new([("name", Align::Left), ("n", Align::Right)]);
        table.row([&"é", &1]);
        table.row([&"longer", &1000]);
        let text = anstream::adapter::strip_str(&table.to_string()).to_string();
        assert_eq!(text, "  name       n\n  é          1\n  longer  1000\n");
        let mut styled = Table::new([("", Align::Left), ("", Align::Right), ("", Align::Right)]);
        styled.row([&format_args!("{STRONG}ab{STRONG:#}"), &1, &2]);
        styled.row([&"abc", &format_args!("{STRONG}10{STRONG:#}"), &20]);
        let text = anstream::adapter::strip_str(&styled.to_string()).to_string();
        assert_eq!(text, "  ab    1   2\n  abc  10  20\n");
        let mut pairs = Table::pairs();
        pairs.row([&"a", &""]);
        assert_eq!(pairs.to_string(), "  a\n");
    }
}
