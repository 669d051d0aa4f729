//! Tables, what they hold, and SQL that makes them.

use std::fmt::Write;

use crate::dice::Dice;
use crate::names::{Name, Names};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    Int,
    Text,
}

/// A cell of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Cell {
    Int(i64),
    Text(Name),
}

impl Cell {
    pub(super) fn int(self) -> i64 {
        match self {
            Cell::Int(n) => n,
            Cell::Text(_) => 0,
        }
    }

    /// As SQL spells it.
    pub(super) fn sql(self) -> String {
        match self {
            Cell::Int(n) => n.to_string(),
            Cell::Text(name) => format!("'{name}'"),
        }
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Cell::Int(n) => write!(f, "{n}"),
            Cell::Text(name) => write!(f, "{name}"),
        }
    }
}

/// One row; its number is its place in the table, from 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Row {
    pub(super) name: Name,
    /// The row of the table's parent, by its place from 0, if the table has a parent.
    pub(super) parent: Option<usize>,
    pub(super) cells: Vec<Cell>,
}

/// A table: `id`, `name`, a reference to the parent's `id`, and columns of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Table {
    pub(super) name: Name,
    /// The table that each row refers to, by its place; before this one.
    pub(super) parent: Option<usize>,
    pub(super) columns: Vec<(Name, Kind)>,
    pub(super) rows: Vec<Row>,
}

/// The tables of a database; a forest by their parents.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Schema {
    pub(super) tables: Vec<Table>,
}

/// A name that SQL has no other use for.
fn draw_name(names: &mut Names, dice: &mut Dice) -> Name {
    loop {
        let name = names.draw(dice);
        if name.as_str() != "like" {
            return name;
        }
    }
}

impl Schema {
    /// Draws tables for this level; no two rows of a table have the same number in a column.
    pub(super) fn draw(level: u32, names: &mut Names, dice: &mut Dice) -> Schema {
        let count = 1 + (level as usize).div_ceil(3).min(4);
        let count = if level == 1 { 1 } else { count };
        let mut tables: Vec<Table> = Vec::with_capacity(count);
        for t in 0..count {
            // Chains more often than stars.
            let parent = (t > 0).then(|| if dice.below(3) > 0 { t - 1 } else { dice.below(t) });
            let mut columns: Vec<(Name, Kind)> = Vec::new();
            for kind in [Kind::Int, Kind::Text] {
                for _ in 0..1 + dice.below(1 + usize::from(level > 2)) {
                    columns.push((draw_name(names, dice), kind));
                }
            }
            dice.shuffle(&mut columns);
            let rows = if t + 1 == count { 4 + 2 * level as usize } else { 3 + level as usize / 2 };
            let words: Vec<Name> = (0..2 + level as usize / 4).map(|_| draw_name(names, dice)).collect();
            let mut numbers: Vec<Vec<i64>> = columns
                .iter()
                .map(|_| {
                    let mut all: Vec<i64> = (1..100).collect();
                    dice.shuffle(&mut all);
                    all
                })
                .collect();
            let rows = (0..rows)
                .map(|_| {
                    let parent = parent.map(|p| dice.below(tables[p].rows.len()));
                    let mut cell = |(i, column): (usize, &(Name, Kind))| match column.1 {
                        Kind::Int => Cell::Int(numbers[i].pop().unwrap_or_default()),
                        Kind::Text => Cell::Text(words[dice.below(words.len())]),
                    };
                    let cells = columns.iter().enumerate().map(&mut cell).collect();
                    Row { name: draw_name(names, dice), parent, cells }
                })
                .collect();
            tables.push(Table { name: Name::NONE, parent, columns, rows });
        }
        // Last, so that the name of the table in the goal can be told from all others.
        for table in (0..count).rev() {
            let mut name = draw_name(names, dice);
            while table + 1 == count && !names.is_clear(name) {
                name = draw_name(names, dice);
            }
            tables[table].name = name;
        }
        Schema { tables }
    }

    /// The statement that creates a table.
    pub(super) fn declaration(&self, table: usize) -> String {
        let Table { name, parent, columns, .. } = &self.tables[table];
        let mut sql = format!("CREATE TABLE {name} (id INTEGER PRIMARY KEY, name TEXT");
        for (column, kind) in columns {
            let kind = if *kind == Kind::Int { "INTEGER" } else { "TEXT" };
            // Writing into a String cannot fail.
            let _ = write!(sql, ", {column} {kind}");
        }
        if let Some(parent) = parent {
            let parent = self.tables[*parent].name;
            let _ = write!(sql, ", {parent}_id INTEGER REFERENCES {parent}");
        }
        sql + ")"
    }

    /// The cells of a row in the order of the declaration.
    pub(super) fn row(&self, table: usize, row: usize) -> Vec<Cell> {
        let Row { name, parent, cells } = &self.tables[table].rows[row];
        let id = |i: usize| Cell::Int(i as i64 + 1);
        let mut all = vec![id(row), Cell::Text(*name)];
        all.extend(cells.iter().copied());
        all.extend(parent.map(id));
        all
    }

    /// The statements that make the whole database.
    pub(super) fn script(&self) -> String {
        let mut sql = String::with_capacity(4096);
        for (t, table) in self.tables.iter().enumerate() {
            sql += &self.declaration(t);
            let _ = write!(sql, ";\nINSERT INTO {} VALUES ", table.name);
            for r in 0..table.rows.len() {
                let cells: Vec<String> = self.row(t, r).into_iter().map(Cell::sql).collect();
                let _ = write!(sql, "{}({})", if r == 0 { "" } else { ", " }, cells.join(", "));
            }
            sql += ";\n";
        }
        sql
    }

    /// The table with this name.
    pub(super) fn find(&self, name: Name) -> Option<usize> {
        self.tables.iter().position(|t| t.name == name)
    }

    /// The tables from `table` to its farthest ancestor.
    pub(super) fn line(&self, table: usize) -> Vec<usize> {
        std::iter::successors(Some(table), |t| self.tables[*t].parent).collect()
    }

    /// The cell of column `column` of the ancestor `hops` above `table` that the row refers to.
    pub(super) fn cell(&self, table: usize, row: usize, hops: usize, column: usize) -> Cell {
        let (mut table, mut row) = (table, row);
        for _ in 0..hops {
            if let (Some(t), Some(r)) = (self.tables[table].parent, self.tables[table].rows[row].parent) {
                (table, row) = (t, r);
            }
        }
        self.tables[table].rows[row].cells[column]
    }
}
