//! Rows with named columns: what every kind of file is read into.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// What a cell holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Cell {
    /// Nothing.
    #[default]
    Missing,
    /// A number of the file's own number type.
    Number(f64),
    /// Text, which may be that of a number.
    Text(String),
}

impl Cell {
    /// The cell of a text: the words by which programs say that there is no value give [`Cell::Missing`].
    pub fn of_text(text: &str) -> Cell {
        match text.trim() {
            "" | "NA" | "N/A" | "n/a" | "None" | "null" | "NULL" | "<NA>" => Cell::Missing,
            text => Cell::Text(text.to_owned()),
        }
    }

    /// The cell as a number, which may be infinite or not a number; `None` if it is none or empty.
    pub fn number(&self) -> Option<f64> {
        match self {
            Cell::Missing => None,
            Cell::Number(n) => Some(*n),
            Cell::Text(text) => text.parse().ok(),
        }
    }

    /// The cell as text; `None` if it is empty. Whole numbers have no decimal point.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Cell::Missing => None,
            Cell::Number(n) => Some(Cow::Owned(n.to_string())),
            Cell::Text(text) => Some(Cow::Borrowed(text)),
        }
    }

    /// True if the cell says `text`, or the same number.
    pub fn is(&self, text: &str) -> bool {
        self.text().is_some_and(|own| own == text)
            || matches!((self.number(), text.parse::<f64>()), (Some(a), Ok(b)) if a == b)
    }

    /// True if there is nothing in it.
    pub fn is_missing(&self) -> bool {
        *self == Cell::Missing
    }
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its number in the file, counted in [`Table::unit`]s.
    pub number: u64,
    /// Its cells, in the order of the columns; those beyond the last are missing.
    pub cells: Vec<Cell>,
}

/// Rows with named columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The file (or the folder of event files), as it was given.
    pub source: String,
    /// The run that all rows belong to, where the format has such a thing: a folder of event files. Otherwise the file.
    pub run: String,
    /// What [`Row::number`] counts: `line`, `row` or `step`.
    pub unit: &'static str,
    /// The rows.
    pub rows: Vec<Row>,
    names: Vec<String>,
    index: BTreeMap<String, usize>,
}

impl Table {
    /// An empty table.
    pub fn new(source: &str, unit: &'static str) -> Table {
        Table { source: source.to_owned(), run: source.to_owned(), unit, ..Table::default() }
    }

    /// The columns in the order in which they were met.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The column called `name`.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// The column called `name`, made if there is none.
    pub fn column_or_new(&mut self, name: &str) -> usize {
        if let Some(at) = self.column(name) {
            return at;
        }
        self.names.push(name.to_owned());
        self.index.insert(name.to_owned(), self.names.len() - 1);
        self.names.len() - 1
    }

    /// Where a row is, for a message: `runs.csv:17`, or `runs.parquet, row 17`.
    pub fn place(&self, row: &Row) -> String {
        match self.unit {
            "line" => format!("{}:{}", self.source, row.number),
            unit => format!("{}, {unit} {}", self.source, row.number),
        }
    }
}

impl Row {
    /// The cell in a column.
    pub fn cell(&self, column: usize) -> &Cell {
        self.cells.get(column).unwrap_or(&Cell::Missing)
    }

    /// Puts a cell into a column.
    pub fn set(&mut self, column: usize, cell: Cell) {
        if self.cells.len() <= column {
            self.cells.resize(column + 1, Cell::Missing);
        }
        self.cells[column] = cell;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_numbers_or_text_as_asked() {
        let hash = Cell::of_text("9e1234567890");
        assert_eq!(hash.text().unwrap(), "9e1234567890");
        assert_eq!(Cell::of_text(" 3.5 ").number(), Some(3.5));
        assert!(Cell::of_text("NaN").number().unwrap().is_nan());
        assert_eq!(Cell::of_text("None"), Cell::Missing);
        assert_eq!(Cell::Number(7.0).text().unwrap(), "7");
        assert!(Cell::Number(1.0).is("1") && Cell::of_text("1.0").is("1") && !Cell::of_text("a").is("b"));
    }
}
