//! Matrix products of any size, cut into blocks that fit the caches (Goto & van de Geijn 2008).
//!
//! The right operand is packed in panels, two vectors wide; where many rows meet it, once for all of them. A job owns a
//! rectangle of the result and goes through the depth in blocks of [`DEPTH`] and through its columns in blocks of
//! [`COLUMNS`]. A tile's rows of the left operand are copied side by side into the first cache and meet panel after panel,
//! which come from the second in order, whatever the strides were: nothing needs to be transposed beforehand.
//!
//! Every element of the result is a sum of sums over blocks of [`DEPTH`], each in order. So it depends on its own row
//! and column and on nothing else: not on the number of threads, not on how many rows there are. Decoding one token
//! gives the bits that the whole sequence would.

use crate::bf16;
use crate::packed::Packed;
use crate::parallel::{for_each_job, written_by, written_into};
use crate::precision::Precision;
use crate::product::{Plus, Product, tile_of_rows};
use crate::simd::{Kernel, MAX_LANES, MAX_TILE_ROWS, Vector, dispatch};
use std::cell::RefCell;

/// A matrix that lies in a slice with any distances between rows and between columns.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    /// Element (i, j) is number `i · row + j · column`.
    pub data: &'a [f32],
    /// See `data`.
    pub rows: usize,
    /// See `data`.
    pub columns: usize,
    /// See `data`.
    pub row: usize,
    /// See `data`.
    pub column: usize,
}

impl<'a> Matrix<'a> {
    /// A matrix whose rows follow one another.
    pub fn by_rows(data: &'a [f32], columns: usize) -> Self {
        Matrix { data, rows: data.len() / columns, columns, row: columns, column: 1 }
    }

    /// The same numbers with rows and columns exchanged; nothing moves.
    pub fn transposed(self) -> Self {
        let Matrix { data, rows, columns, row, column } = self;
        Matrix { data, rows: columns, columns: rows, row: column, column: row }
    }

    /// The columns from `first` on.
    pub fn columns_from(self, first: usize, columns: usize) -> Self {
        assert!(first + columns <= self.columns);
        Matrix { data: &self.data[first * self.column..], columns, ..self }
    }

    /// The numbers rounded to bf16, where they lie.
    pub fn rounded(&self) -> Vec<f32> {
        let last = (self.rows.max(1) - 1) * self.row + (self.columns.max(1) - 1) * self.column;
        self.data.iter().take(last + 1).map(|&x| bf16::rounded(x)).collect()
    }

    fn fits(&self) -> bool {
        self.rows == 0
            || self.columns == 0
            || (self.rows - 1) * self.row + (self.columns - 1) * self.column < self.data.len()
    }
}

/// Depth of a block: as many steps of a tile's rows fit the first cache beside the panels that pass by.
const DEPTH: usize = 512;
/// Columns of a block of the right operand, which fits the second cache.
const COLUMNS: usize = 512;
/// Distance between copied rows: a cache line more than they hold, since at a multiple of a power of two all would fall
/// into the same few sets of the cache.
const A_ROW: usize = DEPTH + MAX_LANES;
/// Columns of a job are a multiple of these, which are one or two panels.
const JOB_COLUMNS: usize = 2 * MAX_LANES;
/// Rows of a job at most.
const JOB_ROWS: usize = 512;
/// So many rows are worth packing the right operand for all jobs beforehand.
pub(crate) const MANY_ROWS: usize = 256;

/// Columns of the right operand that a job packs; a multiple of any panel.
const PACK_COLUMNS: usize = 128;
/// Steps of a transposed right operand that are packed at once.
const STEPS: usize = 16;

/// `a · b + plus`, rows following one another; `plus` is shaped like the result.
///
/// # Panics
/// If the shapes do not fit together.
pub(crate) fn matmul(a: Matrix<'_>, b: Matrix<'_>, plus: Option<&[f32]>, precision: Precision) -> Vec<f32> {
    if a.column == 1 && a.rows >= MANY_ROWS {
        return Packed::once(b, precision, |b| matmul_packed(a, b, plus));
    }
    product_in_jobs(a, b.columns, plus, precision, false, |a, left, width, plus, c, c_row| {
        // SAFETY: passed on to the caller.
        unsafe { matmul_into(a, b.columns_from(left, width), plus, c, c_row, precision) }
    })
}

/// [`matmul`] by a matrix that was packed beforehand, as exactly as it was packed for.
///
/// # Panics
/// If the shapes do not fit together.
pub(crate) fn matmul_packed(a: Matrix<'_>, b: &Packed, plus: Option<&[f32]>) -> Vec<f32> {
    assert_eq!(a.columns, b.rows(), "matmul: the inner dimensions differ");
    assert!(a.fits());
    product_in_jobs(a, b.columns(), plus, b.precision(), true, |a, left, width, plus, c, c_row| {
        // SAFETY: passed on to the caller; the jobs are cut at panels.
        unsafe { b.multiply_into(a, left, width, plus, c, c_row) }
    })
}

/// `a` times `columns` columns, which may be packed already, plus `plus`, in jobs: `job` is given some rows of `a`, its first
/// column (a multiple of [`JOB_COLUMNS`]) and how many, what to add, and where its result goes, with the distance between rows.
fn product_in_jobs(
    a: Matrix<'_>,
    columns: usize,
    plus: Option<&[f32]>,
    precision: Precision,
    packed: bool,
    job: impl Fn(Matrix<'_>, usize, usize, Plus, *mut f32, usize) + Send + Sync,
) -> Vec<f32> {
    let rows = a.rows;
    if let Some(plus) = plus {
        assert_eq!(plus.len(), rows * columns);
    }
    let (job_rows, job_columns) = cut(rows, columns, precision, packed);
    let (down, across) = (rows.div_ceil(job_rows), columns.div_ceil(job_columns));
    // SAFETY: the jobs' rectangles cover the result.
    unsafe {
        written_by(rows * columns, |out| {
            for_each_job(down * across, |index| {
                let (top, left) = (index / across * job_rows, index % across * job_columns);
                let height = job_rows.min(rows - top);
                let width = job_columns.min(columns - left);
                let plus =
                    plus.map_or(Plus::Nothing, |plus| Plus::Other(plus[top * columns + left..].as_ptr()));
                let a = Matrix { data: &a.data[top * a.row..], rows: height, ..a };
                let c = out.pointer().add(top * columns + left);
                job(a, left, width, plus, c, columns);
            });
        })
    }
}

/// The rows and columns of a job. They have no influence on the numbers, so they may depend on the threads.
///
/// Each job packs its own rows and columns, unless the right operand is packed: the more jobs, the more packing. The fewer, the
/// longer a thread may wait for another that is disturbed.
fn cut(rows: usize, columns: usize, precision: Precision, packed: bool) -> (usize, usize) {
    let threads = rayon::current_num_threads();
    // Cycles for a step of the depth: of a product of a row and a column, of a row and of a column to be packed.
    let (tile_rows, product, row, column) = match precision {
        Precision::F32 => (MAX_TILE_ROWS, 1.0 / 32.0, 0.2, 0.2),
        Precision::Bf16 => (bf16::SIDE, 1.0 / 256.0, 0.4, 0.2),
    };
    let column = if packed { 0.1 * column } else { column };
    let least = rows.div_ceil(JOB_ROWS).max(1);
    let cuts = (least..=least.max(2 * threads)).flat_map(|down| {
        [threads, 2 * threads].map(|wanted| {
            let across = wanted.div_ceil(down);
            let job_rows = rows.div_ceil(down).next_multiple_of(tile_rows).max(tile_rows);
            let job_columns = columns.div_ceil(across).next_multiple_of(JOB_COLUMNS).max(JOB_COLUMNS);
            (job_rows, job_columns)
        })
    });
    let cost = |&(job_rows, job_columns): &(usize, usize)| {
        let (r, c) = (job_rows as f64, job_columns as f64);
        let rounds = (rows.div_ceil(job_rows) * columns.div_ceil(job_columns)).div_ceil(threads);
        let wait = if threads == 1 { 0.0 } else { 0.1 };
        (rounds as f64 + wait) * (r * c * product + r * row + c * column)
    };
    cuts.min_by(|a, b| cost(a).total_cmp(&cost(b))).expect("there is a cut")
}

/// `c = a · b + plus` on this thread. Rows of `c` lie `c_row` apart.
///
/// # Safety
/// `c` must be writable (and readable, if it is added to) for `a.rows` rows of `b.columns` numbers, another `plus`
/// readable.
pub(crate) unsafe fn matmul_into(
    a: Matrix<'_>,
    b: Matrix<'_>,
    plus: Plus,
    c: *mut f32,
    c_row: usize,
    precision: Precision,
) {
    assert_eq!(a.columns, b.rows, "matmul: the inner dimensions differ");
    assert!(a.fits() && b.fits());
    if precision == Precision::Bf16 && a.columns > 0 {
        #[cfg(target_arch = "x86_64")]
        if let Some(unit) = bf16::unit() {
            // SAFETY: the processor has it, the operands fit; the rest is passed on to the caller.
            return unsafe { bf16::multiply_into(unit, a, bf16::Right::Lying(b), b.columns, plus, c, c_row) };
        }
        let (a_rounded, b_rounded) = (a.rounded(), b.rounded());
        let (a, b) = (Matrix { data: &a_rounded, ..a }, Matrix { data: &b_rounded, ..b });
        // SAFETY: passed on to the caller.
        return unsafe { matmul_into(a, b, plus, c, c_row, Precision::F32) };
    }
    thread_local! {
        static ROOM: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
    }
    ROOM.with_borrow_mut(|room| {
        room.resize(COLUMNS * DEPTH + MAX_LANES, 0.0);
        let columns = b.columns;
        dispatch(Blocks { a, b: Right::Lying(b, aligned(room)), columns, plus, c, c_row });
    });
}

/// The part of `room` from the first whole line of the cache on: vectors across two lines take twice the time.
fn aligned(room: &mut [f32]) -> &mut [f32] {
    let first = room.as_ptr().align_offset(4 * MAX_LANES);
    &mut room[first.min(MAX_LANES)..]
}

/// A matrix that went through [`pack`].
#[derive(Debug, Default)]
pub(crate) struct Panels {
    numbers: Vec<f32>,
    /// Where the first panel begins, at a line of the cache.
    first: usize,
}

/// The whole of `b`, packed: block of the depth by block, and in each panel by panel. What `room` holds is overwritten.
pub(crate) fn pack(b: Matrix<'_>, room: Panels) -> Panels {
    assert!(b.fits());
    dispatch(Pack { b, room })
}

struct Pack<'a> {
    b: Matrix<'a>,
    room: Panels,
}

impl Kernel for Pack<'_> {
    type Output = Panels;

    #[inline(always)]
    fn run<V: Vector>(self) -> Panels {
        let Pack { b, room } = self;
        let panel = 2 * V::LANES;
        let columns = b.columns.next_multiple_of(panel);
        let length = b.rows * columns;
        let mut first = 0;
        // SAFETY: what precedes the first panel and what follows the last is filled, the jobs write all panels.
        let numbers = unsafe {
            written_into(room.numbers, length + MAX_LANES, |out| {
                first = out.pointer().align_offset(4 * MAX_LANES).min(MAX_LANES);
                out.range(0, first).fill(0.0);
                out.range(first + length, MAX_LANES - first).fill(0.0);
                let across = columns.div_ceil(PACK_COLUMNS);
                for_each_job(b.rows.div_ceil(DEPTH) * across, |job| {
                    let (start, left) = (job / across * DEPTH, job % across * PACK_COLUMNS);
                    let depth = DEPTH.min(b.rows - start);
                    let width = PACK_COLUMNS.min(columns - left);
                    let to = out.range(first + start * columns + left * depth, width * depth);
                    dispatch(PackBlock { b, start, depth, left, columns: width.min(b.columns - left), to });
                });
            })
        };
        Panels { numbers, first }
    }
}

/// [`pack_b`] in a job of its own.
struct PackBlock<'a, 'b> {
    b: Matrix<'a>,
    start: usize,
    depth: usize,
    left: usize,
    columns: usize,
    to: &'b mut [f32],
}

impl Kernel for PackBlock<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let PackBlock { b, start, depth, left, columns, to } = self;
        pack_b::<V>(b, start, depth, left, columns, to);
    }
}

/// `c = a · b + plus` on this thread, where `b` is `columns` columns of a matrix that went through [`pack`], from `left` on, which
/// is a multiple of a panel. `all` is how many the matrix has.
///
/// # Safety
/// As for [`matmul_into`].
pub(crate) unsafe fn multiply_packed_into(
    a: Matrix<'_>,
    packed: &Panels,
    [all, left, columns]: [usize; 3],
    plus: Plus,
    c: *mut f32,
    c_row: usize,
) {
    let b = Right::Packed { packed: &packed.numbers[packed.first..], all, left };
    dispatch(Blocks { a, b, columns, plus, c, c_row });
}

/// The right operand of a product.
enum Right<'a> {
    /// Where it lies, and room for a block of it.
    Lying(Matrix<'a>, &'a mut [f32]),
    /// Packed as a whole; it has `all` columns, and those from `left` on are meant.
    Packed { packed: &'a [f32], all: usize, left: usize },
}

struct Blocks<'a> {
    a: Matrix<'a>,
    b: Right<'a>,
    columns: usize,
    plus: Plus,
    c: *mut f32,
    c_row: usize,
}

impl Kernel for Blocks<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Blocks { a, mut b, columns: all_columns, plus, c, c_row } = self;
        let panel = 2 * V::LANES;
        if a.columns == 0 {
            for row in 0..a.rows {
                for column in 0..all_columns {
                    let at = row * c_row + column;
                    // SAFETY: within the rectangle that the caller vouches for.
                    unsafe {
                        match plus {
                            Plus::Nothing => *c.add(at) = 0.0,
                            Plus::Result => {}
                            Plus::Other(plus) => *c.add(at) = *plus.add(at),
                        }
                    }
                }
            }
        }
        // A right operand that one tile passes over once is read where it lies: to pack it would take longer than the product.
        let in_place = matches!(&b, Right::Lying(b, _) if b.column == 1 && a.rows <= V::TILE_ROWS);
        let tiles = if a.column == 1 { 1 } else { a.rows.div_ceil(V::TILE_ROWS) };
        let mut room = ROWS.take();
        room.resize(room.len().max(tiles * V::TILE_ROWS * A_ROW + MAX_LANES), 0.0);
        for start in (0..a.columns).step_by(DEPTH) {
            let depth = DEPTH.min(a.columns - start);
            // The first block starts from `plus`, the others go on from what is there.
            let plus = if start == 0 { plus } else { Plus::Result };
            if a.column != 1 {
                turn_rows::<V>(a, start, depth, &mut room);
            }
            for left in (0..all_columns).step_by(COLUMNS) {
                let columns = COLUMNS.min(all_columns - left);
                // Whole panels that are read in place; what is left of the columns is packed with noughts beyond.
                let whole = if in_place { columns / panel * panel } else { 0 };
                let (lying, packed_b): (_, &[f32]) = match &mut b {
                    Right::Lying(b, room) => {
                        pack_b::<V>(*b, start, depth, left + whole, columns - whole, room);
                        (Some(*b), room)
                    }
                    Right::Packed { packed, all, left: first } => {
                        let before = start * all.next_multiple_of(panel) + (*first + left) * depth;
                        (None, &packed[before..])
                    }
                };
                for row in (0..a.rows).step_by(V::TILE_ROWS) {
                    let rows = V::TILE_ROWS.min(a.rows - row);
                    let tile = if a.column == 1 {
                        copy_rows::<V>(a, [row, rows], start, depth, &mut room);
                        room.as_ptr()
                    } else {
                        room[row / V::TILE_ROWS * turned_tile::<V>(depth)..].as_ptr()
                    };
                    for column in (0..columns).step_by(panel) {
                        let (b, b_row) = match lying {
                            Some(b) if column < whole => {
                                (b.data[start * b.row + left + column..].as_ptr(), b.row)
                            }
                            _ => (packed_b[(column - whole) * depth..].as_ptr(), panel),
                        };
                        let at = row * c_row + left + column;
                        let task = Product {
                            rows,
                            columns: panel.min(columns - column),
                            depth,
                            a: tile,
                            a_row: A_ROW,
                            a_column: 1,
                            b,
                            b_row,
                            b_panel: 0,
                            // SAFETY: the tile lies within the rectangle that the caller vouches for.
                            plus: unsafe { plus.offset(at) },
                            // SAFETY: likewise.
                            c: unsafe { c.add(at) },
                            c_row,
                        };
                        // SAFETY: the copied rows and the panel, packed or in place, have `depth` steps.
                        // The distances are known when it is compiled, which saves their sums.
                        unsafe {
                            if a.column == 1 {
                                tile_within::<V>(&task);
                            } else {
                                tile_within::<V>(&Product { a_row: 1, a_column: V::TILE_ROWS, ..task });
                            }
                        }
                    }
                }
            }
        }
        ROWS.set(room);
    }
}

thread_local! {
    /// Room for copied rows.
    static ROWS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// The rows of `a` from `first` on, `count` of them, and columns `start..start + depth`, as rows [`A_ROW`] apart.
#[inline(always)]
fn copy_rows<V: Vector>(
    a: Matrix<'_>,
    [first, count]: [usize; 2],
    start: usize,
    depth: usize,
    to: &mut [f32],
) {
    for (row, to) in to.chunks_exact_mut(A_ROW).take(count).enumerate() {
        let from = &a.data[(first + row) * a.row + start..][..depth];
        let to = &mut to[..depth];
        let whole = depth / V::LANES * V::LANES;
        for at in (0..whole).step_by(V::LANES) {
            // SAFETY: both slices have `depth` numbers.
            unsafe { V::load(from.as_ptr().add(at)).store(to.as_mut_ptr().add(at)) };
        }
        to[whole..].copy_from_slice(&from[whole..]);
    }
}

/// All rows of `a` and its columns `start..start + depth`, wherever they lie, as `[rows / TILE_ROWS][depth][TILE_ROWS]`, the
/// tiles [`turned_tile`] apart. What lies beyond the last row never reaches the result.
#[inline(always)]
fn turn_rows<V: Vector>(a: Matrix<'_>, start: usize, depth: usize, to: &mut [f32]) {
    for step in 0..depth {
        let from = &a.data[(start + step) * a.column..];
        for tile in 0..a.rows.div_ceil(V::TILE_ROWS) {
            let first = tile * V::TILE_ROWS;
            let to = &mut to[tile * turned_tile::<V>(depth) + step * V::TILE_ROWS..][..V::LANES];
            if a.row == 1 && first + V::LANES <= a.rows {
                // SAFETY: both have a vector's numbers; those beyond the tile are written over by the next step.
                unsafe { V::load(from[first..].as_ptr()).store(to.as_mut_ptr()) };
            } else {
                let rows = V::TILE_ROWS.min(a.rows - first);
                let from = from[first * a.row..].iter().step_by(a.row);
                to.iter_mut().zip(from).take(rows).for_each(|(to, &from)| *to = from);
            }
        }
    }
}

/// Distance between turned tiles: a cache line more than they hold, as for [`A_ROW`].
const fn turned_tile<V: Vector>(depth: usize) -> usize {
    depth * V::TILE_ROWS + MAX_LANES
}

/// One tile, two vectors wide, of which only `columns` numbers belong to the result.
///
/// # Safety
/// As for [`tile_of_rows`], but the columns of `c` and `plus` may be fewer than two vectors hold.
#[inline(always)]
unsafe fn tile_within<V: Vector>(task: &Product) {
    if task.columns == 2 * V::LANES {
        // SAFETY: passed on to the caller.
        return unsafe { tile_of_rows::<V, 2>(task, 0, task.b, 0) };
    }
    let mut edge = [0.0; MAX_TILE_ROWS * 2 * MAX_LANES];
    let row = 2 * V::LANES;
    // SAFETY: the caller vouches for `columns` numbers of each row, `edge` has room for whole rows.
    unsafe {
        let from = match task.plus {
            Plus::Nothing => None,
            Plus::Result => Some(task.c.cast_const()),
            Plus::Other(plus) => Some(plus),
        };
        if let Some(from) = from {
            for r in 0..task.rows {
                let to = edge.as_mut_ptr().add(r * row);
                std::ptr::copy_nonoverlapping(from.add(r * task.c_row), to, task.columns);
            }
        }
        let plus = if from.is_some() { Plus::Result } else { Plus::Nothing };
        let edge_task = Product { c: edge.as_mut_ptr(), c_row: row, plus, ..*task };
        tile_of_rows::<V, 2>(&edge_task, 0, task.b, 0);
        for r in 0..task.rows {
            let to = task.c.add(r * task.c_row);
            std::ptr::copy_nonoverlapping(edge.as_ptr().add(r * row), to, task.columns);
        }
    }
}

/// Rows `start..` and columns `left..` of `b` as `[columns / panel][depth][panel]`, nought beyond the last column.
#[inline(always)]
fn pack_b<V: Vector>(b: Matrix<'_>, start: usize, depth: usize, left: usize, columns: usize, to: &mut [f32]) {
    let panel = 2 * V::LANES;
    for (index, to) in to.chunks_mut(depth * panel).take(columns.div_ceil(panel)).enumerate() {
        let first = left + index * panel;
        let width = panel.min(left + columns - first);
        if b.column == 1 && width == panel {
            for (step, to) in to.chunks_exact_mut(panel).enumerate() {
                let from = (start + step) * b.row + first;
                let from = &b.data[from..from + panel];
                // SAFETY: a panel is two vectors wide.
                unsafe {
                    V::load(from.as_ptr()).store(to.as_mut_ptr());
                    V::load(from.as_ptr().add(V::LANES)).store(to.as_mut_ptr().add(V::LANES));
                }
            }
        } else if b.row == 1 && width == panel {
            pack_turned_panel::<V>(b, start, first, to);
        } else if b.column == 1 {
            for (step, to) in to.chunks_exact_mut(panel).enumerate() {
                let from = (start + step) * b.row + first;
                to[..width].copy_from_slice(&b.data[from..from + width]);
                to[width..].fill(0.0);
            }
        } else {
            // A few steps at a time, so that the lines written to stay in the first cache.
            for (block, to) in to.chunks_mut(STEPS * panel).enumerate() {
                let first_step = start + block * STEPS;
                let steps = STEPS.min(start + depth - first_step);
                for column in 0..panel {
                    let to = to[column..].iter_mut().step_by(panel);
                    if column < width {
                        let from = &b.data[(first + column) * b.column + first_step * b.row..];
                        let from = from.iter().step_by(b.row).take(steps);
                        to.zip(from).for_each(|(to, &from)| *to = from);
                    } else {
                        to.for_each(|to| *to = 0.0);
                    }
                }
            }
        }
    }
}

/// A whole panel of a right operand whose columns are contiguous: the columns from `first` on, from step `start` on.
#[inline(always)]
fn pack_turned_panel<V: Vector>(b: Matrix<'_>, start: usize, first: usize, to: &mut [f32]) {
    let panel = 2 * V::LANES;
    for (block, to) in to.chunks_mut(V::LANES * panel).enumerate() {
        let start = start + block * V::LANES;
        let steps = to.len() / panel;
        for half in [0, V::LANES] {
            let from = &b.data[(first + half) * b.column + start..];
            if steps == V::LANES {
                // SAFETY: the square's columns and steps exist, and the panel's part has a row for each step.
                unsafe { V::transpose(from.as_ptr(), b.column, to[half..].as_mut_ptr(), panel) };
            } else {
                for column in 0..V::LANES {
                    let from = &from[column * b.column..][..steps];
                    let to = to[half + column..].iter_mut().step_by(panel);
                    to.zip(from).for_each(|(to, &from)| *to = from);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(length: usize, seed: u64) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        };
        (0..length).map(|_| next()).collect()
    }

    /// Shapes around the edges of tiles, panels, blocks and jobs.
    const SHAPES: [(usize, usize, usize); 9] = [
        (1, 1, 1),
        (1, 300, 17),
        (5, 0, 3),
        (6, 16, 32),
        (7, 255, 33),
        (97, 257, 31),
        (130, 513, 300),
        (400, 20, 9),
        (385, 33, 270),
    ];

    #[test]
    fn products_by_packed_matrices_have_the_same_bits() {
        for (rows, depth, columns) in SHAPES.into_iter().chain([(64, 1100, 700), (3, 512, 1024)]) {
            let (a, b) = (numbers(rows * depth, 4), numbers(depth * columns, 5));
            let plus = numbers(rows * columns, 6);
            let right = Matrix { data: &b, rows: depth, columns, row: columns, column: 1 };
            let left = Matrix { data: &a, rows, columns: depth, row: depth, column: 1 };
            for precision in [Precision::F32, Precision::Bf16] {
                let packed = Packed::new(right, precision);
                for plus in [None, Some(&plus[..])] {
                    let bits = |c: Vec<f32>| c.into_iter().map(f32::to_bits).collect::<Vec<_>>();
                    let (found, expected) =
                        (matmul_packed(left, &packed, plus), matmul(left, right, plus, precision));
                    assert_eq!(bits(found), bits(expected), "{rows}x{depth}x{columns} {precision:?}");
                }
            }
        }
    }

    #[test]
    fn products_agree_with_sums_in_f64_whatever_the_strides() {
        for (rows, depth, columns) in SHAPES {
            let (a, b) = (numbers(rows * depth, 1), numbers(depth * columns, 2));
            let plus = numbers(rows * columns, 3);
            let transpose = |x: &[f32], rows: usize, columns: usize| -> Vec<f32> {
                (0..rows * columns).map(|at| x[at % rows * columns + at / rows]).collect()
            };
            let (a_columns, b_columns) = (transpose(&a, rows, depth), transpose(&b, depth, columns));
            let by_rows = |data, rows, columns| Matrix { data, rows, columns, row: columns, column: 1 };
            for a_turned in [false, true] {
                for b_turned in [false, true] {
                    let left = if a_turned {
                        by_rows(&a_columns, depth, rows).transposed()
                    } else {
                        by_rows(&a, rows, depth)
                    };
                    let right = if b_turned {
                        by_rows(&b_columns, columns, depth).transposed()
                    } else {
                        by_rows(&b, depth, columns)
                    };
                    for plus in [None, Some(&plus[..])] {
                        let c = matmul(left, right, plus, Precision::F32);
                        for (at, &c) in c.iter().enumerate() {
                            let (i, j) = (at / columns, at % columns);
                            let products = (0..depth)
                                .map(|k| f64::from(a[i * depth + k]) * f64::from(b[k * columns + j]));
                            let expected =
                                products.sum::<f64>() + plus.map_or(0.0, |plus| f64::from(plus[at]));
                            let error = (f64::from(c) - expected).abs();
                            assert!(
                                error < 1e-5 * (depth as f64).sqrt().max(1.0),
                                "{rows}x{depth}x{columns} at {at}"
                            );
                        }
                    }
                }
            }
        }
    }

    /// All operands and strides, against the products of the rounded numbers summed in f64.
    fn check_rounded(product: impl Fn(Matrix<'_>, Matrix<'_>, Option<&[f32]>) -> Vec<f32>) {
        for (rows, depth, columns) in SHAPES.into_iter().chain([(33, 1100, 290)]) {
            let (a, b) = (numbers(rows * depth, 1), numbers(depth * columns, 2));
            let plus = numbers(rows * columns, 3);
            let turned = |x: &[f32], rows: usize, columns: usize| -> Vec<f32> {
                (0..rows * columns).map(|at| x[at % rows * columns + at / rows]).collect()
            };
            let (a_columns, b_columns) = (turned(&a, rows, depth), turned(&b, depth, columns));
            let by_rows = |data, rows, columns| Matrix { data, rows, columns, row: columns, column: 1 };
            for left in [by_rows(&a, rows, depth), by_rows(&a_columns, depth, rows).transposed()] {
                for right in [by_rows(&b, depth, columns), by_rows(&b_columns, columns, depth).transposed()] {
                    for plus in [None, Some(&plus[..])] {
                        let c = product(left, right, plus);
                        for (at, &c) in c.iter().enumerate() {
                            let (i, j) = (at / columns, at % columns);
                            let terms = (0..depth).map(|k| {
                                let (a, b) =
                                    (bf16::rounded(a[i * depth + k]), bf16::rounded(b[k * columns + j]));
                                f64::from(a) * f64::from(b)
                            });
                            let expected = terms.sum::<f64>() + plus.map_or(0.0, |plus| f64::from(plus[at]));
                            let error = (f64::from(c) - expected).abs();
                            let bound = 1e-5 * (depth as f64).sqrt().max(1.0);
                            assert!(error < bound, "{rows}x{depth}x{columns} at {at}: {c} for {expected}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn rounded_products_agree_with_sums_in_f64_on_this_machines_unit() {
        check_rounded(|a, b, plus| matmul(a, b, plus, Precision::Bf16));
    }

    #[test]
    fn rounded_products_agree_with_sums_in_f64_without_a_unit() {
        check_rounded(|a, b, plus| {
            let (a_rounded, b_rounded) = (a.rounded(), b.rounded());
            let (a, b) = (Matrix { data: &a_rounded, ..a }, Matrix { data: &b_rounded, ..b });
            matmul(a, b, plus, Precision::F32)
        });
    }

    /// Where there are tiles, the dot products are there too, but never used.
    #[cfg(target_arch = "x86_64")]
    #[test]
    fn rounded_products_agree_with_sums_in_f64_by_dot_products() {
        if bf16::unit().is_none() {
            return eprintln!("skipped: this processor has no products of bf16");
        }
        check_rounded(|a, b, plus| {
            if a.columns == 0 {
                return matmul(a, b, plus, Precision::Bf16);
            }
            let mut c = vec![f32::NAN; a.rows * b.columns];
            let plus = plus.map_or(Plus::Nothing, |plus| Plus::Other(plus.as_ptr()));
            // SAFETY: `c` and `plus` have the result's shape.
            unsafe {
                bf16::multiply_into(
                    bf16::Unit::Dots,
                    a,
                    bf16::Right::Lying(b),
                    b.columns,
                    plus,
                    c.as_mut_ptr(),
                    b.columns,
                )
            };
            c
        });
    }

    #[test]
    fn a_row_has_the_same_bits_in_any_company() {
        let (rows, depth, columns) = (400, 300, 70);
        let (a, b) = (numbers(rows * depth, 1), numbers(depth * columns, 2));
        let right = Matrix::by_rows(&b, columns);
        for precision in [Precision::F32, Precision::Bf16] {
            let all = matmul(Matrix::by_rows(&a, depth), right, None, precision);
            for (first, count) in [(0, 1), (17, 1), (399, 1), (90, 13), (100, 200)] {
                let some = matmul(
                    Matrix::by_rows(&a[first * depth..(first + count) * depth], depth),
                    right,
                    None,
                    precision,
                );
                assert!(
                    some == all[first * columns..(first + count) * columns],
                    "{first}+{count}, {precision:?}"
                );
            }
        }
    }
}
