//! Matrix products of numbers rounded to bf16 and summed in f32, on processors that have instructions for them.
//!
//! Both operands are rounded while they are packed. Two bf16 numbers that follow one another along the depth make one
//! 32-bit pair; the left block is packed as `[rows][pairs]`, the right one as panels `[pairs][32 columns]`. Both units
//! read that: Intel's tiles (AMX) take 32 × 32 numbers of the result and 16 pairs at a time, the dot products of
//! AVX-512 (`vdpbf16ps`) 12 × 32 and one pair.
//!
//! As in f32, an element is a sum of sums over blocks of [`DEPTH`] and depends on nothing but its row and its column.

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Line, Right, multiply_into, pack, unit};

/// What multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "other processors have none"))]
pub(crate) enum Unit {
    /// AMX.
    Tiles,
    /// AVX-512 BF16.
    Dots,
}

/// Rows and columns of the result that are computed at once.
pub(crate) const SIDE: usize = 32;

/// Other processors have none.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn unit() -> Option<Unit> {
    None
}

/// `x` rounded to the nearest number with eight bits of precision, ties to even.
pub(crate) fn rounded(x: f32) -> f32 {
    if x.is_nan() {
        return x;
    }
    let bits = x.to_bits();
    f32::from_bits(bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) & 0xffff_0000)
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::asm;
    use std::arch::x86_64::*;
    use std::cell::RefCell;
    use std::sync::OnceLock;

    use super::{SIDE, Unit};
    use crate::matmul::Matrix;
    use crate::parallel::for_each_part;
    use crate::product::Plus;
    use crate::simd::{prefetch, transpose_16};

    /// Depth of a block; a multiple of what one step of the tiles takes.
    const DEPTH: usize = 512;
    /// Columns of a block of the right operand, which fits the second cache beside the rows of a job.
    const COLUMNS: usize = 512;
    /// Columns of the right operand that a job packs.
    const PACK_COLUMNS: usize = 128;
    /// Numbers of the depth in one line: sixteen pairs.
    const STEP: usize = 32;
    /// Lines between rows of the left block: one more than they hold, since at a multiple of a power of two all would
    /// fall into the same few sets of the cache.
    const A_ROW: usize = DEPTH / STEP + 1;
    /// Rows that the dot products take at once: 24 sums beside the operands in 32 registers.
    const DOT_ROWS: usize = 12;

    /// Sixteen pairs, a line of the cache.
    #[derive(Clone, Copy, Debug)]
    #[repr(C, align(64))]
    pub(crate) struct Line([u32; 16]);

    /// The right operand of a product.
    #[derive(Clone, Copy)]
    pub(crate) enum Right<'a> {
        /// Where it lies.
        Lying(Matrix<'a>),
        /// Packed as a whole by [`pack`]; it has `columns` columns, and those from `left` on, a multiple of [`SIDE`], are meant.
        Packed { lines: &'a [Line], columns: usize, left: usize },
    }

    /// The result of one step, before it goes to its place.
    #[repr(C, align(64))]
    struct Square([f32; SIDE * SIDE]);

    /// The best unit of this processor.
    pub(crate) fn unit() -> Option<Unit> {
        static UNIT: OnceLock<Option<Unit>> = OnceLock::new();
        *UNIT.get_or_init(|| {
            let dots = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512bf16");
            match dots {
                true if tiles() => Some(Unit::Tiles),
                true => Some(Unit::Dots),
                false => None,
            }
        })
    }

    /// Whether the processor has tiles and the system lets this process use them. Linux wants to be asked.
    fn tiles() -> bool {
        const AMX_BF16: u32 = 1 << 22;
        const AMX_TILE: u32 = 1 << 24;
        if !cfg!(target_os = "linux") || __cpuid(0).eax < 7 {
            return false;
        }
        let features = __cpuid_count(7, 0).edx;
        if features & AMX_BF16 == 0 || features & AMX_TILE == 0 {
            return false;
        }
        const ARCH_PRCTL: i64 = 158;
        const ARCH_REQ_XCOMP_PERM: i64 = 0x1023;
        const TILE_DATA: i64 = 18;
        let refused: i64;
        // SAFETY: the system call takes numbers only and changes what this process may use.
        unsafe {
            asm!(
                "syscall",
                inlateout("rax") ARCH_PRCTL => refused,
                in("rdi") ARCH_REQ_XCOMP_PERM,
                in("rsi") TILE_DATA,
                lateout("rcx") _,
                lateout("r11") _,
                options(nostack)
            );
        }
        refused == 0
    }

    /// `c = a · b + plus` on this thread, with the operands rounded. Rows of `c` lie `c_row` apart.
    ///
    /// # Safety
    /// The processor must have `unit`; the operands must fit together and into their slices, and have some depth; `c` must
    /// be writable (and readable, if it is added to) for `a.rows` rows of `columns` numbers, another `plus` readable.
    pub(crate) unsafe fn multiply_into(
        unit: Unit,
        a: Matrix<'_>,
        b: Right<'_>,
        columns: usize,
        plus: Plus,
        c: *mut f32,
        c_row: usize,
    ) {
        thread_local! {
            static PACKED: RefCell<(Vec<Line>, Vec<Line>)> = const { RefCell::new((Vec::new(), Vec::new())) };
        }
        PACKED.with_borrow_mut(|(packed_a, packed_b)| {
            let lines = a.rows.next_multiple_of(SIDE) * A_ROW;
            packed_a.resize(packed_a.len().max(lines), Line([0; 16]));
            packed_b.resize(COLUMNS / SIDE * DEPTH, Line([0; 16]));
            // SAFETY: passed on to the caller.
            unsafe {
                if unit == Unit::Tiles {
                    configure_tiles();
                }
                blocks(unit, a, b, columns, plus, c, c_row, packed_a, packed_b);
                if unit == Unit::Tiles {
                    asm!("tilerelease", options(nostack, nomem));
                }
            }
        });
    }

    /// Eight tiles of 16 rows of 64 bytes.
    ///
    /// # Safety
    /// The processor must have tiles.
    unsafe fn configure_tiles() {
        #[repr(C, align(64))]
        struct Configuration([u8; 64]);
        let mut configuration = Configuration([0; 64]);
        configuration.0[0] = 1;
        for tile in 0..8 {
            configuration.0[16 + 2 * tile] = 64;
            configuration.0[48 + tile] = 16;
        }
        // SAFETY: it reads the 64 bytes.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const configuration, options(nostack, readonly)) };
    }

    /// # Safety
    /// As for [`multiply_into`].
    #[expect(clippy::too_many_arguments, reason = "the operands and where they go")]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16,avx2")]
    unsafe fn blocks(
        unit: Unit,
        a: Matrix<'_>,
        b: Right<'_>,
        all_columns: usize,
        plus: Plus,
        c: *mut f32,
        c_row: usize,
        packed_a: &mut [Line],
        packed_b: &mut [Line],
    ) {
        let mut square = Square([0.0; SIDE * SIDE]);
        for start in (0..a.columns).step_by(DEPTH) {
            let depth = DEPTH.min(a.columns - start);
            let steps = depth.div_ceil(STEP);
            // The first block starts from `plus`, the others go on from what is there.
            let plus = if start == 0 { plus } else { Plus::Result };
            for first in (0..a.rows).step_by(16) {
                let part = Part { x: a, first, rows: 16.min(a.rows - first) };
                for step in 0..steps {
                    // SAFETY: the part lies within `a`; there is room for its rows, A_ROW lines each.
                    unsafe {
                        let to = packed_a.as_mut_ptr().add(first * A_ROW + step);
                        part.pairs_across(start + step * STEP, start + depth, to, A_ROW);
                    }
                }
            }
            for left in (0..all_columns).step_by(COLUMNS) {
                let columns = COLUMNS.min(all_columns - left);
                // The block, and the distance between its panels.
                let (packed_b, b_panel) = match b {
                    Right::Lying(b) => {
                        // SAFETY: passed on to the caller; a block fits into the room for it.
                        unsafe { pack_block(b, [start, depth], [left, columns], packed_b, DEPTH) };
                        (packed_b.as_ptr(), DEPTH)
                    }
                    Right::Packed { lines, columns: all, left: first } => {
                        let panel = steps * STEP;
                        let before = start * all.div_ceil(SIDE) + (first + left) / SIDE * panel;
                        (lines[before..].as_ptr(), panel)
                    }
                };
                for row in (0..a.rows).step_by(SIDE) {
                    for column in (0..columns).step_by(SIDE) {
                        let [height, width] = [SIDE.min(a.rows - row), SIDE.min(columns - column)];
                        let at = row * c_row + left + column;
                        // SAFETY: the blocks hold `steps` steps of 32 rows and of a panel; the square's part lies
                        // within the result.
                        unsafe {
                            let c = c.add(at);
                            for row in 0..height {
                                prefetch(c.add(row * c_row));
                                prefetch(c.add(row * c_row + width - 1));
                            }
                            let a = packed_a.as_ptr().add(row * A_ROW);
                            let b = packed_b.add(column / SIDE * b_panel);
                            match unit {
                                Unit::Tiles => tiles_square(a, b, steps, &mut square),
                                Unit::Dots => dots_square(a, b, 16 * steps, height, &mut square),
                            }
                            put(&square, [height, width], plus.offset(at), c, c_row);
                        }
                    }
                }
            }
        }
    }

    /// Packs the rows and columns of `b` that a first one and a count name, in panels that are `distance` lines apart.
    ///
    /// # Safety
    /// They must lie within `b`, and the panels within `to`.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16,avx2")]
    unsafe fn pack_block(
        b: Matrix<'_>,
        [start, depth]: [usize; 2],
        [left, columns]: [usize; 2],
        to: &mut [Line],
        distance: usize,
    ) {
        for (panel, to) in to.chunks_mut(distance).take(columns.div_ceil(SIDE)).enumerate() {
            let first = left + panel * SIDE;
            let width = SIDE.min(left + columns - first);
            for half in 0..width.div_ceil(16) {
                let width = 16.min(width - 16 * half);
                let part = Part { x: b.transposed(), first: first + 16 * half, rows: width };
                for step in 0..depth.div_ceil(STEP) {
                    // SAFETY: the part lies within `b`; the panel has the lines of all steps.
                    unsafe {
                        let to = to.as_mut_ptr().add(step * STEP + half);
                        part.pairs_down(start + step * STEP, start + depth, to, 2);
                    }
                }
            }
        }
    }

    /// The whole of `b`: block of the depth by block, and in each panel by panel. What `room` holds is overwritten.
    ///
    /// # Safety
    /// The processor must have a unit, and `b` lie within its slice.
    pub(crate) unsafe fn pack(b: Matrix<'_>, room: Vec<Line>) -> Vec<Line> {
        let panels = b.columns.div_ceil(SIDE);
        let mut lines = room;
        // Columns beyond the last one may hold anything: what comes of them is not written.
        lines.resize(b.rows.next_multiple_of(STEP) * panels, Line([0; 16]));
        for start in (0..b.rows).step_by(DEPTH) {
            let depth = DEPTH.min(b.rows - start);
            let panel = depth.next_multiple_of(STEP);
            let block = &mut lines[start * panels..][..panel * panels];
            for_each_part(block, panel * PACK_COLUMNS / SIDE, |part, to| {
                let left = part * PACK_COLUMNS;
                let columns = PACK_COLUMNS.min(b.columns - left);
                // SAFETY: passed on to the caller; a panel has the lines of all its steps.
                unsafe { pack_block(b, [start, depth], [left, columns], to, panel) };
            });
        }
        lines
    }

    /// Writes the part of a square that belongs to the result.
    ///
    /// # Safety
    /// `c` must be writable for that part, and readable if it is added to; another `plus` must be readable.
    #[target_feature(enable = "avx512f")]
    unsafe fn put(square: &Square, [rows, columns]: [usize; 2], plus: Plus, c: *mut f32, c_row: usize) {
        for row in 0..rows {
            for first in (0..columns).step_by(16) {
                let mask = mask_of(columns - first);
                let at = row * c_row + first;
                // SAFETY: the masks cover the part, and the square has SIDE numbers a row.
                unsafe {
                    let mut sum = _mm512_load_ps(square.0.as_ptr().add(row * SIDE + first));
                    match plus {
                        Plus::Nothing => {}
                        Plus::Result => sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, c.add(at))),
                        Plus::Other(plus) => {
                            sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, plus.add(at)));
                        }
                    }
                    _mm512_mask_storeu_ps(c.add(at), mask, sum);
                }
            }
        }
    }

    /// A square of the result by tiles.
    ///
    /// # Safety
    /// Tiles must be configured; `a` must have 32 rows, A_ROW lines apart, of `steps` lines, `b` a panel of as many steps.
    unsafe fn tiles_square(a: *const Line, b: *const Line, steps: usize, to: &mut Square) {
        // SAFETY: the caller vouches for the operands; `to` has 32 rows of 128 bytes.
        unsafe {
            asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                "2:",
                "tileloadd tmm4, [{a} + {a_row}*1]",
                "tileloadd tmm6, [{b} + {b_row}*1]",
                "tileloadd tmm7, [{b} + {b_row}*1 + 64]",
                "tileloadd tmm5, [{lower} + {a_row}*1]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                // The right operand comes from the second cache: two steps ahead it is sent for.
                ".set line, 4096",
                ".rept 32",
                "prefetcht0 [{b} + line]",
                ".set line, line + 64",
                ".endr",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "add {a}, 64",
                "add {lower}, 64",
                "add {b}, 2048",
                "dec {steps}",
                "jnz 2b",
                "tilestored [{c} + {b_row}*1], tmm0",
                "tilestored [{c} + {b_row}*1 + 64], tmm1",
                "tilestored [{c} + {b_row}*1 + 2048], tmm2",
                "tilestored [{c} + {b_row}*1 + 2112], tmm3",
                a = inout(reg) a => _,
                lower = inout(reg) a.add(16 * A_ROW) => _,
                b = inout(reg) b => _,
                steps = inout(reg) steps => _,
                a_row = in(reg) A_ROW * 64,
                b_row = in(reg) 128_usize,
                c = in(reg) to.0.as_mut_ptr(),
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack)
            );
        }
    }

    /// The first `rows` rows of a square by dot products.
    ///
    /// # Safety
    /// `a` must have `rows` rows, A_ROW lines apart, of `pairs` pairs, `b` a panel of as many.
    #[target_feature(enable = "avx512f,avx512bf16")]
    unsafe fn dots_square(a: *const Line, b: *const Line, pairs: usize, rows: usize, to: &mut Square) {
        for first in (0..rows).step_by(DOT_ROWS) {
            // SAFETY: passed on to the caller; the rows from `first` on are within the square.
            unsafe {
                let (a, to) = (a.add(first * A_ROW), to.0.as_mut_ptr().add(first * SIDE));
                match rows - first {
                    DOT_ROWS.. => dots::<DOT_ROWS>(a, b, pairs, to),
                    8.. => dots_in_two::<8>(a, b, pairs, to, rows - first),
                    4.. => dots_in_two::<4>(a, b, pairs, to, rows - first),
                    _ => dots_in_two::<1>(a, b, pairs, to, rows - first),
                }
            }
        }
    }

    /// `R` rows, and what is left row by row.
    ///
    /// # Safety
    /// As for [`dots`], with `rows` rows.
    #[target_feature(enable = "avx512f,avx512bf16")]
    unsafe fn dots_in_two<const R: usize>(
        a: *const Line,
        b: *const Line,
        pairs: usize,
        to: *mut f32,
        rows: usize,
    ) {
        // SAFETY: passed on to the caller.
        unsafe {
            dots::<R>(a, b, pairs, to);
            for row in R..rows {
                dots::<1>(a.add(row * A_ROW), b, pairs, to.add(row * SIDE));
            }
        }
    }

    /// `R` rows of a square.
    ///
    /// # Safety
    /// `a` must have `R` rows, A_ROW lines apart, of `pairs` pairs, `b` a panel of as many; `to` must be writable for `R` rows
    /// of a square.
    #[target_feature(enable = "avx512f,avx512bf16")]
    unsafe fn dots<const R: usize>(a: *const Line, b: *const Line, pairs: usize, to: *mut f32) {
        let mut sums = [[_mm512_setzero_ps(); 2]; R];
        // SAFETY: passed on to the caller; a line is what a vector holds.
        unsafe {
            let a = a.cast::<i32>();
            for pair in 0..pairs {
                let right = [0, 1].map(|half| {
                    std::mem::transmute::<__m512i, __m512bh>(_mm512_load_si512(b.add(2 * pair + half).cast()))
                });
                for (row, sums) in sums.iter_mut().enumerate() {
                    let left = _mm512_set1_epi32(*a.add(row * A_ROW * 16 + pair));
                    let left = std::mem::transmute::<__m512i, __m512bh>(left);
                    sums[0] = _mm512_dpbf16_ps(sums[0], left, right[0]);
                    sums[1] = _mm512_dpbf16_ps(sums[1], left, right[1]);
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                _mm512_storeu_ps(to.add(row * SIDE), sums[0]);
                _mm512_storeu_ps(to.add(row * SIDE + 16), sums[1]);
            }
        }
    }

    /// The lowest `count` of sixteen lanes.
    fn mask_of(count: usize) -> u16 {
        if count >= 16 { u16::MAX } else { (1 << count) - 1 }
    }

    /// At most sixteen rows of a matrix.
    struct Part<'a> {
        x: Matrix<'a>,
        first: usize,
        rows: usize,
    }

    impl Part<'_> {
        /// The pairs of columns `from..` of each row as one line, nought from column `end` on. Line `i` goes `i · distance`
        /// lines on.
        ///
        /// # Safety
        /// The columns up to `end` must exist, and the lines that are written.
        #[inline]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16,avx2")]
        unsafe fn pairs_across(&self, from: usize, end: usize, to: *mut Line, distance: usize) {
            // SAFETY: passed on to the caller.
            unsafe {
                if self.x.column == 1 {
                    for row in 0..self.rows {
                        *to.add(row * distance) = self.line_across(row, from, end);
                    }
                } else {
                    let mut lines = [Line([0; 16]); 16];
                    for (pair, line) in lines.iter_mut().enumerate() {
                        *line = self.line_down(from + 2 * pair, end);
                    }
                    transpose_16(lines.as_ptr().cast(), 16, to.cast(), 16 * distance);
                }
            }
        }

        /// The same with rows and columns exchanged: line `p` holds the pair of columns `from + 2p` of all rows.
        ///
        /// # Safety
        /// As for [`Part::pairs_across`].
        #[inline]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16,avx2")]
        unsafe fn pairs_down(&self, from: usize, end: usize, to: *mut Line, distance: usize) {
            // SAFETY: passed on to the caller.
            unsafe {
                if self.x.column == 1 {
                    let mut lines = [Line([0; 16]); 16];
                    for (row, line) in lines.iter_mut().enumerate().take(self.rows) {
                        *line = self.line_across(row, from, end);
                    }
                    transpose_16(lines.as_ptr().cast(), 16, to.cast(), 16 * distance);
                } else {
                    for pair in 0..16 {
                        *to.add(pair * distance) = self.line_down(from + 2 * pair, end);
                    }
                }
            }
        }

        /// Sixteen pairs of one row of a matrix whose rows are contiguous.
        ///
        /// # Safety
        /// The columns up to `end` must exist.
        #[inline]
        #[target_feature(enable = "avx512f,avx512bf16")]
        unsafe fn line_across(&self, row: usize, from: usize, end: usize) -> Line {
            let count = end - from;
            // SAFETY: the masks stop at `end`; a line is what a vector holds.
            unsafe {
                let x = self.x.data.as_ptr().add((self.first + row) * self.x.row + from);
                let low = _mm512_maskz_loadu_ps(mask_of(count), x);
                let high = _mm512_maskz_loadu_ps(mask_of(count.saturating_sub(16)), x.wrapping_add(16));
                std::mem::transmute::<__m512bh, Line>(_mm512_cvtne2ps_pbh(high, low))
            }
        }

        /// The pairs of columns `at` and `at + 1` of all rows, of a matrix whose columns are contiguous or whose elements lie
        /// anywhere.
        ///
        /// # Safety
        /// The columns up to `end` must exist.
        #[inline]
        #[target_feature(enable = "avx512f,avx512vl,avx512bf16")]
        unsafe fn line_down(&self, at: usize, end: usize) -> Line {
            let half = |column: usize| {
                if column >= end {
                    return _mm512_setzero_si512();
                }
                let start = self.first * self.x.row + column * self.x.column;
                // SAFETY: the mask covers the rows of the part.
                let x = unsafe {
                    if self.x.row == 1 {
                        _mm512_maskz_loadu_ps(mask_of(self.rows), self.x.data.as_ptr().add(start))
                    } else {
                        let mut x = [0.0; 16];
                        for (row, x) in x.iter_mut().enumerate().take(self.rows) {
                            *x = self.x.data[start + row * self.x.row];
                        }
                        _mm512_loadu_ps(x.as_ptr())
                    }
                };
                // SAFETY: sixteen numbers of two bytes either way.
                _mm512_cvtepu16_epi32(unsafe {
                    std::mem::transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(x))
                })
            };
            let pairs = _mm512_or_si512(half(at), _mm512_slli_epi32::<16>(half(at + 1)));
            // SAFETY: a line is what a vector holds.
            unsafe { std::mem::transmute::<__m512i, Line>(pairs) }
        }
    }
}
