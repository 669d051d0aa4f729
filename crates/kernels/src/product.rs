//! Small matrix products, the inner loop of attention.
//!
//! A general matrix multiplication packs both operands; at 12 × 256 × 32 that costs as much as the product. Here the
//! right operand must have contiguous rows (or be packed in panels once, and used many times) and the left one may
//! have any strides, because its numbers are broadcast one at a time.
//!
//! Every element of the result is one sum in order of `k`, whatever the other rows and columns are.

use crate::simd::{Vector, prefetch};

/// `c = a · b + plus`.
#[derive(Clone, Copy)]
pub(crate) struct Product {
    /// Rows of `a` and `c`.
    pub rows: usize,
    /// Columns of `b` and `c`; a multiple of the vector's lanes.
    pub columns: usize,
    /// Columns of `a` and rows of `b`.
    pub depth: usize,
    /// The left operand: its first element, and the distances between rows and between columns.
    pub a: *const f32,
    /// See `a`.
    pub a_row: usize,
    /// See `a`.
    pub a_column: usize,
    /// The right operand, cut into panels of two vectors' width: its first element, the distance between rows of a
    /// panel and that between panels. A row-major matrix has panels that lie two vectors apart.
    pub b: *const f32,
    /// See `b`.
    pub b_row: usize,
    /// See `b`.
    pub b_panel: usize,
    /// The result, with contiguous rows.
    pub c: *mut f32,
    /// The distance between rows of `c`.
    pub c_row: usize,
    /// What the product is added to.
    pub plus: Plus,
}

/// Steps of the depth by which the right operand is sent for ahead.
const AHEAD: usize = 16;

/// What a product is added to.
#[derive(Clone, Copy)]
pub(crate) enum Plus {
    /// Nothing: `c` need not hold anything.
    Nothing,
    /// What `c` holds.
    Result,
    /// Another matrix, with rows as far apart as those of `c`.
    Other(*const f32),
}

impl Plus {
    /// The same, `by` numbers further on.
    ///
    /// # Safety
    /// The place must lie within the matrix.
    #[inline(always)]
    pub unsafe fn offset(self, by: usize) -> Self {
        match self {
            // SAFETY: passed on to the caller.
            Plus::Other(plus) => Plus::Other(unsafe { plus.add(by) }),
            other => other,
        }
    }
}

/// Computes `task`. Call it through [`Vector::product`], which has it compiled for the vector.
///
/// # Safety
/// All elements that the fields of `task` describe must be readable, those of `c` writable and used by nobody else.
#[inline(always)]
pub(crate) unsafe fn product<V: Vector>(task: &Product) {
    debug_assert!(task.columns.is_multiple_of(V::LANES));
    let mut column = 0;
    let mut panel = 0;
    while column < task.columns {
        // SAFETY: passed on to the caller; `column` is within the columns and each tile is cut to what is left.
        unsafe {
            let b = task.b.add(panel * task.b_panel);
            if task.columns - column >= 2 * V::LANES {
                column_of_tiles::<V, 2>(task, b, column);
            } else {
                column_of_tiles::<V, 1>(task, b, column);
            }
        }
        column += 2 * V::LANES;
        panel += 1;
    }
}

/// # Safety
/// As for [`product`]; `column + N · LANES` must not exceed the columns, `b` is the panel of `column`.
#[inline(always)]
unsafe fn column_of_tiles<V: Vector, const N: usize>(task: &Product, b: *const f32, column: usize) {
    for row in (0..task.rows).step_by(V::TILE_ROWS) {
        // SAFETY: passed on to the caller; a tile has at most the rows that are left.
        unsafe { tile_of_rows::<V, N>(task, row, b, column) };
    }
}

/// A tile of the rows from `row` on: as many as a tile has, or as are left.
///
/// # Safety
/// As for [`tile`].
#[inline(always)]
pub(crate) unsafe fn tile_of_rows<V: Vector, const N: usize>(
    task: &Product,
    row: usize,
    b: *const f32,
    column: usize,
) {
    macro_rules! tiles {
        ($($rows:literal)*) => {
            match V::TILE_ROWS.min(task.rows - row) {
                // SAFETY: passed on to the caller; where tiles have fewer rows, the higher ones are not compiled.
                $($rows if $rows <= V::TILE_ROWS => unsafe { tile::<V, $rows, N>(task, row, b, column) },)*
                _ => {}
            }
        };
    }
    tiles!(12 11 10 9 8 7 6 5 4 3 2 1);
}

/// # Safety
/// As for [`product`]; `R` rows from `row` and `N` vectors from `column` must lie within `c`.
#[inline(always)]
pub(crate) unsafe fn tile<V: Vector, const R: usize, const N: usize>(
    task: &Product,
    row: usize,
    b: *const f32,
    column: usize,
) {
    let mut sums = [[V::splat(0.0); N]; R];
    // SAFETY: passed on to the caller; `a` and `b` advance `depth` times, the addresses wrap only past the last use.
    unsafe {
        let mut a = task.a.add(row * task.a_row);
        let mut b = b;
        for _ in 0..task.depth {
            for n in 0..N {
                prefetch(b.wrapping_add(AHEAD * task.b_row + n * V::LANES));
            }
            let mut right = [V::splat(0.0); N];
            for (n, right) in right.iter_mut().enumerate() {
                *right = V::load(b.add(n * V::LANES));
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let left = V::splat(*a.add(r * task.a_row));
                for n in 0..N {
                    sums[n] = left.mul_add(right[n], sums[n]);
                }
            }
            a = a.wrapping_add(task.a_column);
            b = b.wrapping_add(task.b_row);
        }
        // A loop for each case, short enough to be unrolled, so that the sums stay in registers.
        let c = task.c.add(row * task.c_row + column);
        match task.plus {
            Plus::Nothing => write::<V, R, N>(c, task.c_row, |r, n, _| sums[r][n]),
            Plus::Result => write::<V, R, N>(c, task.c_row, |r, n, at| sums[r][n].add(V::load(c.add(at)))),
            Plus::Other(plus) => {
                let plus = plus.add(row * task.c_row + column);
                write::<V, R, N>(c, task.c_row, |r, n, at| sums[r][n].add(V::load(plus.add(at))));
            }
        }
    }
}

/// # Safety
/// `c` must be writable for `R` rows of `N` vectors.
#[inline(always)]
unsafe fn write<V: Vector, const R: usize, const N: usize>(
    c: *mut f32,
    c_row: usize,
    value: impl Fn(usize, usize, usize) -> V,
) {
    for r in 0..R {
        for n in 0..N {
            let at = r * c_row + n * V::LANES;
            // SAFETY: passed on to the caller.
            unsafe { value(r, n, at).store(c.add(at)) };
        }
    }
}
