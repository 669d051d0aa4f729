//! Aligned tables without rules.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

/// What stands where there is no value.
pub const NONE: &str = "–";

/// A table without rules; columns from `numbers` on are aligned to the right.
pub fn plain<const N: usize>(header: [&str; N], numbers: usize) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header);
    for i in numbers..N {
        if let Some(column) = table.column_mut(i) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
