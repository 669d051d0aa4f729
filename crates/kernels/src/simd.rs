//! Vectors of `f32` and the choice, at run time, of the widest ones this processor has.
//!
//! A kernel is written once, generic over [`Vector`], as the `run` of a [`Kernel`]. [`dispatch`] calls it inside a
//! function that is compiled for AVX-512, for AVX2 with FMA, for NEON (which every 64-bit ARM has), or for any processor. Everything between that function
//! and the intrinsics must be `#[inline(always)]`, otherwise it is compiled for the baseline and is slow (not wrong).
//!
//! The vector types are private to this file: code can get hold of one only through [`dispatch`], that is, after
//! the processor was asked. That is why their methods need not be `unsafe`.

use crate::product::{Product, product};

/// `LANES` numbers that are computed with at once.
pub(crate) trait Vector: Copy {
    /// How many numbers one vector holds; a power of two, at most [`MAX_LANES`].
    const LANES: usize;
    /// Rows of a tile of a product, at most [`MAX_TILE_ROWS`]: with two vectors of sums a row, as many as fit into the registers beside
    /// the operands.
    const TILE_ROWS: usize = 6;
    /// All lanes equal to `x`.
    fn splat(x: f32) -> Self;
    /// Reads `LANES` numbers; no alignment needed.
    ///
    /// # Safety
    /// `from` must be readable for `LANES` numbers.
    unsafe fn load(from: *const f32) -> Self;
    /// Writes `LANES` numbers; no alignment needed.
    ///
    /// # Safety
    /// `to` must be writable for `LANES` numbers.
    unsafe fn store(self, to: *mut f32);
    /// `self + y`.
    fn add(self, y: Self) -> Self;
    /// `self - y`.
    fn sub(self, y: Self) -> Self;
    /// `self · y`.
    fn mul(self, y: Self) -> Self;
    /// `self / y`.
    fn div(self, y: Self) -> Self;
    /// `self · y + z`, rounded once where the processor can.
    fn mul_add(self, y: Self, z: Self) -> Self;
    /// `√self`.
    fn sqrt(self) -> Self;
    /// `self` where it is greater than `y`, else `y`; so a NaN in `y` stays, one in `self` does not.
    fn max(self, y: Self) -> Self;
    /// `self` where `x ≥ limit` or `x` is NaN, else nought.
    fn zero_where_less(self, x: Self, limit: Self) -> Self;
    /// `self · 2ⁿ`, where `shifted` is `n + 1.5 · 2²³` as a float, so that its low bits are `n`.
    fn scale_by_power(self, shifted: Self) -> Self;
    /// Runs [`product`] compiled for this kind of vector.
    ///
    /// # Safety
    /// As for [`product`].
    unsafe fn product(task: &Product);

    /// Copies a square of `LANES` × `LANES` numbers with rows and columns exchanged.
    ///
    /// # Safety
    /// `from` must be readable for `LANES` rows of `LANES` numbers that start `from_row` apart; `to` must be writable
    /// likewise, and the two must not overlap.
    #[inline(always)]
    unsafe fn transpose(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
        for row in 0..Self::LANES {
            for column in 0..Self::LANES {
                // SAFETY: passed on to the caller.
                unsafe { *to.add(column * to_row + row) = *from.add(row * from_row + column) };
            }
        }
    }

    /// The sum of all lanes, in a fixed order.
    #[inline(always)]
    fn sum(self) -> f32 {
        let mut lanes = [0.0; MAX_LANES];
        // SAFETY: MAX_LANES is at least LANES.
        unsafe { self.store(lanes.as_mut_ptr()) };
        let mut width = Self::LANES / 2;
        while width > 0 {
            for i in 0..width {
                lanes[i] += lanes[i + width];
            }
            width /= 2;
        }
        lanes[0]
    }

    /// The largest lane.
    #[inline(always)]
    fn largest(self) -> f32 {
        let mut lanes = [0.0; MAX_LANES];
        // SAFETY: MAX_LANES is at least LANES.
        unsafe { self.store(lanes.as_mut_ptr()) };
        lanes[..Self::LANES].iter().fold(f32::NEG_INFINITY, |m, &x| if m > x { m } else { x })
    }

    /// `e^self`: relative error below 2e-7 between -87 and 88, nought below -87, e⁸⁸ above 88, NaN for NaN.
    ///
    /// Cephes' `expf`: `x = n ln 2 + r`, `|r| ≤ ln 2 / 2`, a polynomial in `r`, then the exponent bits.
    #[inline(always)]
    fn exp(self) -> Self {
        let lowest = Self::splat(-87.0);
        // The constant goes first so that a NaN survives.
        let x = lowest.max(self);
        let x = Self::splat(-88.0).max(Self::splat(0.0).sub(x));
        let x = Self::splat(0.0).sub(x);
        let magic = Self::splat(12_582_912.0);
        let shifted = x.mul_add(Self::splat(std::f32::consts::LOG2_E), magic);
        let n = shifted.sub(magic);
        // ln 2 in two parts, the first exact in few bits.
        let r = n.mul_add(Self::splat(-0.693_359_4), x);
        let r = n.mul_add(Self::splat(2.121_944_4e-4), r);
        let p = Self::splat(1.987_569_1e-4);
        let p = p.mul_add(r, Self::splat(1.398_2e-3));
        let p = p.mul_add(r, Self::splat(8.333_452e-3));
        let p = p.mul_add(r, Self::splat(4.166_579_6e-2));
        let p = p.mul_add(r, Self::splat(1.666_666_5e-1));
        let p = p.mul_add(r, Self::splat(0.5));
        let p = p.mul_add(r.mul(r), r).add(Self::splat(1.0));
        p.scale_by_power(shifted).zero_where_less(self, lowest)
    }

    /// Reads `count` numbers, at most `LANES`; the other lanes are nought.
    ///
    /// # Safety
    /// `from` must be readable for that many numbers.
    #[inline(always)]
    unsafe fn load_up_to(from: *const f32, count: usize) -> Self {
        // SAFETY: the caller vouches for `from`, and `lanes` is as long as any vector.
        unsafe {
            if count >= Self::LANES {
                return Self::load(from);
            }
            let mut lanes = [0.0; MAX_LANES];
            std::ptr::copy_nonoverlapping(from, lanes.as_mut_ptr(), count);
            Self::load(lanes.as_ptr())
        }
    }

    /// Writes the first `count` numbers, at most `LANES`.
    ///
    /// # Safety
    /// `to` must be writable for that many numbers.
    #[inline(always)]
    unsafe fn store_up_to(self, to: *mut f32, count: usize) {
        // SAFETY: the caller vouches for `to`, and `lanes` is as long as any vector.
        unsafe {
            if count >= Self::LANES {
                return self.store(to);
            }
            let mut lanes = [0.0; MAX_LANES];
            self.store(lanes.as_mut_ptr());
            std::ptr::copy_nonoverlapping(lanes.as_ptr(), to, count);
        }
    }
}

/// The widest vector of any processor, in numbers.
pub(crate) const MAX_LANES: usize = 16;

/// The highest tile of any processor, in rows.
pub(crate) const MAX_TILE_ROWS: usize = 12;

/// Sends for the line of the cache that `at` lies in, if the processor likes; `at` may be any address.
#[inline(always)]
pub(crate) fn prefetch(at: *const f32) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing that could be wrong.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// A piece of work that is compiled once for each kind of vector.
pub(crate) trait Kernel {
    /// What it returns.
    type Output;
    /// Does it. Mark implementations `#[inline(always)]`.
    fn run<V: Vector>(self) -> Self::Output;
}

/// Runs `kernel` on the widest vectors this processor has.
pub(crate) fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has it.
            return unsafe { x86::run_avx512(kernel) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has both.
            return unsafe { x86::run_avx2(kernel) };
        }
    }
    #[cfg(target_arch = "aarch64")]
    return kernel.run::<arm::Neon>();
    #[cfg(not(target_arch = "aarch64"))]
    kernel.run::<Plain>()
}

/// Eight numbers without special instructions: for other processors, and a check on the special ones.
#[derive(Clone, Copy)]
#[cfg(any(test, not(target_arch = "aarch64")))]
struct Plain([f32; 8]);

#[cfg(any(test, not(target_arch = "aarch64")))]
impl Plain {
    #[inline(always)]
    fn zip(self, y: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let mut out = self;
        for (x, y) in out.0.iter_mut().zip(y.0) {
            *x = f(*x, y);
        }
        out
    }
}

#[cfg(any(test, not(target_arch = "aarch64")))]
impl Vector for Plain {
    const LANES: usize = 8;
    #[inline(always)]
    fn splat(x: f32) -> Self {
        Plain([x; 8])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for eight numbers; the read assumes no alignment.
        unsafe { Plain(from.cast::<[f32; 8]>().read_unaligned()) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for eight numbers; the write assumes no alignment.
        unsafe { to.cast::<[f32; 8]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    fn add(self, y: Self) -> Self {
        self.zip(y, |x, y| x + y)
    }
    #[inline(always)]
    fn sub(self, y: Self) -> Self {
        self.zip(y, |x, y| x - y)
    }
    #[inline(always)]
    fn mul(self, y: Self) -> Self {
        self.zip(y, |x, y| x * y)
    }
    #[inline(always)]
    fn div(self, y: Self) -> Self {
        self.zip(y, |x, y| x / y)
    }
    #[inline(always)]
    fn mul_add(self, y: Self, z: Self) -> Self {
        // Not `f32::mul_add`: without the instruction that is a slow library call.
        self.mul(y).add(z)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Plain(self.0.map(f32::sqrt))
    }
    #[inline(always)]
    fn max(self, y: Self) -> Self {
        self.zip(y, |x, y| if x > y { x } else { y })
    }
    #[inline(always)]
    fn zero_where_less(self, x: Self, limit: Self) -> Self {
        let keep = x.zip(limit, |x, limit| if x < limit { 0.0 } else { 1.0 });
        self.zip(keep, |value, keep| if keep == 0.0 { 0.0 } else { value })
    }
    #[inline(always)]
    fn scale_by_power(self, shifted: Self) -> Self {
        self.zip(shifted, |x, n| f32::from_bits(x.to_bits().wrapping_add(n.to_bits() << 23)))
    }
    #[inline]
    unsafe fn product(task: &Product) {
        // SAFETY: passed on to the caller.
        unsafe { product::<Self>(task) }
    }
}

#[cfg(target_arch = "aarch64")]
mod arm {
    use super::{Product, Vector, product};
    use std::arch::aarch64::*;

    /// Eight numbers in two registers: with as many as a tile has, the sums of a product fill 24 of the 32.
    #[derive(Clone, Copy)]
    pub(super) struct Neon(float32x4_t, float32x4_t);

    // SAFETY of the blocks: every processor of this architecture that Rust compiles for has NEON; pointers are vouched for
    // by the callers of `load` and `store`.
    macro_rules! both {
        ($($name:ident($($y:ident),*) = $intrinsic:ident;)*) => {
            $(
                #[inline(always)]
                fn $name(self, $($y: Self),*) -> Self {
                    // SAFETY: see above the macro.
                    unsafe { Self($intrinsic(self.0, $($y.0),*), $intrinsic(self.1, $($y.1),*)) }
                }
            )*
        };
    }

    /// # Safety
    /// None beyond that of the intrinsics.
    #[inline(always)]
    unsafe fn greater(x: float32x4_t, y: float32x4_t) -> float32x4_t {
        // SAFETY: see above the macro.
        unsafe { vbslq_f32(vcgtq_f32(x, y), x, y) }
    }

    /// [`Vector::zero_where_less`] of half a vector.
    ///
    /// # Safety
    /// None beyond that of the intrinsics.
    #[inline(always)]
    unsafe fn unless_less(value: float32x4_t, x: float32x4_t, limit: float32x4_t) -> float32x4_t {
        // SAFETY: see above the macro.
        unsafe { vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(value), vcltq_f32(x, limit))) }
    }

    /// [`Vector::scale_by_power`] of half a vector.
    ///
    /// # Safety
    /// None beyond that of the intrinsics.
    #[inline(always)]
    unsafe fn scaled(x: float32x4_t, shifted: float32x4_t) -> float32x4_t {
        // SAFETY: see above the macro.
        unsafe {
            let power = vshlq_n_s32::<23>(vreinterpretq_s32_f32(shifted));
            vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(x), power))
        }
    }

    /// [`Vector::transpose`] of 4 × 4 numbers.
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    unsafe fn transpose_4(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
        // SAFETY: passed on to the caller.
        unsafe {
            let rows = [0, 1, 2, 3].map(|i| vld1q_f32(from.add(i * from_row)));
            let even = [vzip1q_f32(rows[0], rows[2]), vzip2q_f32(rows[0], rows[2])];
            let odd = [vzip1q_f32(rows[1], rows[3]), vzip2q_f32(rows[1], rows[3])];
            for half in 0..2 {
                vst1q_f32(to.add(2 * half * to_row), vzip1q_f32(even[half], odd[half]));
                vst1q_f32(to.add((2 * half + 1) * to_row), vzip2q_f32(even[half], odd[half]));
            }
        }
    }

    impl Vector for Neon {
        const LANES: usize = 8;
        both! {
            add(y) = vaddq_f32;
            sub(y) = vsubq_f32;
            mul(y) = vmulq_f32;
            div(y) = vdivq_f32;
            max(y) = greater;
            sqrt() = vsqrtq_f32;
            zero_where_less(x, limit) = unless_less;
            scale_by_power(shifted) = scaled;
        }
        #[inline(always)]
        fn splat(x: f32) -> Self {
            // SAFETY: see above the macro.
            unsafe { Self(vdupq_n_f32(x), vdupq_n_f32(x)) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: see above the macro.
            unsafe { Self(vld1q_f32(from), vld1q_f32(from.add(4))) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: see above the macro.
            unsafe {
                vst1q_f32(to, self.0);
                vst1q_f32(to.add(4), self.1);
            }
        }
        #[inline(always)]
        fn mul_add(self, y: Self, z: Self) -> Self {
            // SAFETY: see above the macro; the intrinsic takes the addend first.
            unsafe { Self(vfmaq_f32(z.0, self.0, y.0), vfmaq_f32(z.1, self.1, y.1)) }
        }
        #[inline(always)]
        unsafe fn transpose(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
            for (row, column) in [(0, 0), (0, 4), (4, 0), (4, 4)] {
                // SAFETY: passed on to the caller; the four squares make up the whole.
                unsafe {
                    let (from, to) = (from.add(row * from_row + column), to.add(column * to_row + row));
                    transpose_4(from, from_row, to, to_row);
                }
            }
        }
        #[inline]
        unsafe fn product(task: &Product) {
            // SAFETY: passed on to the caller.
            unsafe { product::<Self>(task) }
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::transpose_16;

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Kernel, Product, Vector, product};
    use std::arch::x86_64::*;

    /// # Safety
    /// The processor must have AVX2 and FMA.
    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
        kernel.run::<Avx2>()
    }

    /// # Safety
    /// The processor must have AVX-512F.
    #[target_feature(enable = "avx512f,avx2,fma")]
    pub(super) unsafe fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
        kernel.run::<Avx512>()
    }

    #[derive(Clone, Copy)]
    pub(super) struct Avx2(__m256);
    #[derive(Clone, Copy)]
    pub(super) struct Avx512(__m512);

    // SAFETY of the blocks in the two implementations: a vector exists only below `run_avx2` or `run_avx512`, whose
    // callers have asked the processor; pointers are vouched for by the callers of `load` and `store`.
    macro_rules! intrinsic_methods {
        ($($name:ident($($y:ident),*) = $intrinsic:ident;)*) => {
            $(
                #[inline(always)]
                fn $name(self, $($y: Self),*) -> Self {
                    // SAFETY: see above the macro.
                    unsafe { Self($intrinsic(self.0, $($y.0),*)) }
                }
            )*
        };
    }

    /// [`Vector::transpose`] of 8 × 8 numbers: pairs, then fours, then halves.
    ///
    /// # Safety
    /// As there; the processor must have AVX2.
    #[inline(always)]
    unsafe fn transpose_8(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
        // SAFETY: passed on to the caller.
        unsafe {
            let mut rows = [_mm256_setzero_ps(); 8];
            for (i, row) in rows.iter_mut().enumerate() {
                *row = _mm256_loadu_ps(from.add(i * from_row));
            }
            let mut pairs = rows;
            for i in 0..4 {
                pairs[2 * i] = _mm256_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
                pairs[2 * i + 1] = _mm256_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
            }
            let mut fours = rows;
            for i in [0, 4] {
                fours[i] = _mm256_shuffle_ps::<0x44>(pairs[i], pairs[i + 2]);
                fours[i + 1] = _mm256_shuffle_ps::<0xee>(pairs[i], pairs[i + 2]);
                fours[i + 2] = _mm256_shuffle_ps::<0x44>(pairs[i + 1], pairs[i + 3]);
                fours[i + 3] = _mm256_shuffle_ps::<0xee>(pairs[i + 1], pairs[i + 3]);
            }
            for i in 0..4 {
                let low = _mm256_permute2f128_ps::<0x20>(fours[i], fours[i + 4]);
                let high = _mm256_permute2f128_ps::<0x31>(fours[i], fours[i + 4]);
                _mm256_storeu_ps(to.add(i * to_row), low);
                _mm256_storeu_ps(to.add((i + 4) * to_row), high);
            }
        }
    }

    /// [`Vector::transpose`] of 16 × 16 numbers, or of anything else with 32 bits: nothing is computed with them.
    ///
    /// # Safety
    /// As there; the processor must have AVX2.
    #[inline(always)]
    pub(crate) unsafe fn transpose_16(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
        for (row, column) in [(0, 0), (0, 8), (8, 0), (8, 8)] {
            // SAFETY: passed on to the caller; the four squares make up the whole.
            unsafe {
                let (from, to) = (from.add(row * from_row + column), to.add(column * to_row + row));
                transpose_8(from, from_row, to, to_row);
            }
        }
    }

    impl Vector for Avx2 {
        const LANES: usize = 8;
        #[inline(always)]
        unsafe fn transpose(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
            // SAFETY: see above the macro; the rest is passed on to the caller.
            unsafe { transpose_8(from, from_row, to, to_row) }
        }
        intrinsic_methods! {
            add(y) = _mm256_add_ps;
            sub(y) = _mm256_sub_ps;
            mul(y) = _mm256_mul_ps;
            div(y) = _mm256_div_ps;
            mul_add(y, z) = _mm256_fmadd_ps;
            max(y) = _mm256_max_ps;
            sqrt() = _mm256_sqrt_ps;
        }
        #[inline(always)]
        fn splat(x: f32) -> Self {
            // SAFETY: see above the macro.
            unsafe { Self(_mm256_set1_ps(x)) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: see above the macro.
            unsafe { Self(_mm256_loadu_ps(from)) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: see above the macro.
            unsafe { _mm256_storeu_ps(to, self.0) }
        }
        #[inline(always)]
        fn zero_where_less(self, x: Self, limit: Self) -> Self {
            // SAFETY: see above the macro.
            unsafe { Self(_mm256_andnot_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(x.0, limit.0), self.0)) }
        }
        #[inline(always)]
        fn scale_by_power(self, shifted: Self) -> Self {
            // SAFETY: see above the macro.
            unsafe {
                let power = _mm256_slli_epi32::<23>(_mm256_castps_si256(shifted.0));
                Self(_mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(self.0), power)))
            }
        }
        #[inline]
        unsafe fn product(task: &Product) {
            #[target_feature(enable = "avx2,fma")]
            unsafe fn compiled(task: &Product) {
                // SAFETY: passed on to the caller.
                unsafe { product::<Avx2>(task) }
            }
            // SAFETY: see above the macro; the rest is passed on to the caller.
            unsafe { compiled(task) }
        }
    }

    impl Vector for Avx512 {
        const LANES: usize = 16;
        const TILE_ROWS: usize = 12;
        #[inline(always)]
        unsafe fn transpose(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
            // SAFETY: see above the macro; the rest is passed on to the caller.
            unsafe { transpose_16(from, from_row, to, to_row) }
        }
        intrinsic_methods! {
            add(y) = _mm512_add_ps;
            sub(y) = _mm512_sub_ps;
            mul(y) = _mm512_mul_ps;
            div(y) = _mm512_div_ps;
            mul_add(y, z) = _mm512_fmadd_ps;
            max(y) = _mm512_max_ps;
            sqrt() = _mm512_sqrt_ps;
        }
        #[inline(always)]
        fn splat(x: f32) -> Self {
            // SAFETY: see above the macro.
            unsafe { Self(_mm512_set1_ps(x)) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: see above the macro.
            unsafe { Self(_mm512_loadu_ps(from)) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: see above the macro.
            unsafe { _mm512_storeu_ps(to, self.0) }
        }
        #[inline(always)]
        fn zero_where_less(self, x: Self, limit: Self) -> Self {
            // SAFETY: see above the macro.
            unsafe {
                let less = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(x.0, limit.0);
                Self(_mm512_maskz_mov_ps(!less, self.0))
            }
        }
        #[inline(always)]
        fn scale_by_power(self, shifted: Self) -> Self {
            // SAFETY: see above the macro.
            unsafe {
                let power = _mm512_slli_epi32::<23>(_mm512_castps_si512(shifted.0));
                Self(_mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(self.0), power)))
            }
        }
        #[inline]
        unsafe fn product(task: &Product) {
            #[target_feature(enable = "avx512f,avx2,fma")]
            unsafe fn compiled(task: &Product) {
                // SAFETY: passed on to the caller.
                unsafe { product::<Avx512>(task) }
            }
            // SAFETY: see above the macro; the rest is passed on to the caller.
            unsafe { compiled(task) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both paths give `exp` within the stated error; the largest relative error is returned.
    struct ExpError;

    impl Kernel for ExpError {
        type Output = f64;
        #[inline(always)]
        fn run<V: Vector>(self) -> f64 {
            let mut worst = 0f64;
            let mut x = -86.9f32;
            while x < 87.9 {
                let mut out = [0.0; MAX_LANES];
                // SAFETY: MAX_LANES is at least LANES.
                unsafe { V::splat(x).exp().store(out.as_mut_ptr()) };
                let exact = f64::from(x).exp();
                worst = worst.max(((f64::from(out[0]) - exact) / exact).abs());
                x += 0.013_7;
            }
            for (x, expected) in [(f32::NEG_INFINITY, 0.0), (-88.0, 0.0), (0.0, 1.0)] {
                assert_eq!(V::splat(x).exp().largest(), expected);
            }
            assert!(V::splat(f32::INFINITY).exp().largest() > 1e38);
            assert!(V::splat(f32::NAN).exp().sum().is_nan());
            worst
        }
    }

    struct Transposed;

    impl Kernel for Transposed {
        type Output = ();
        #[inline(always)]
        fn run<V: Vector>(self) {
            const ROW: usize = MAX_LANES + 3;
            let from: Vec<f32> = (0..ROW * MAX_LANES).map(|i| i as f32).collect();
            let mut to = vec![-1.0; ROW * MAX_LANES];
            // SAFETY: both hold MAX_LANES rows.
            unsafe { V::transpose(from.as_ptr(), ROW, to.as_mut_ptr(), ROW) };
            for row in 0..MAX_LANES {
                for column in 0..ROW {
                    let inside = row < V::LANES && column < V::LANES;
                    let expected = if inside { from[column * ROW + row] } else { -1.0 };
                    assert_eq!(to[row * ROW + column], expected, "row {row}, column {column}");
                }
            }
        }
    }

    #[test]
    fn transposing_exchanges_rows_and_columns_and_touches_nothing_else() {
        dispatch(Transposed);
        Transposed.run::<Plain>();
    }

    #[test]
    fn exp_is_accurate_and_keeps_nan() {
        assert!(dispatch(ExpError) < 2e-7);
        assert!(ExpError.run::<Plain>() < 3e-7);
    }
}
