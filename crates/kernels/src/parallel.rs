//! Work in parallel whose result does not depend on the number of threads.

use rayon::prelude::*;
use std::marker::PhantomData;

/// Runs `job` for 0 to `jobs`; on one thread at once, without waking a pool.
pub(crate) fn for_each_job(jobs: usize, job: impl Fn(usize) + Send + Sync) {
    if jobs < 2 || rayon::current_num_threads() == 1 {
        (0..jobs).for_each(job);
    } else {
        (0..jobs).into_par_iter().for_each(job);
    }
}

/// Runs `work` on a thread of the pool, where it makes many small operations: from another thread each of them would have to be
/// handed over and waited for.
pub fn in_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    if rayon::current_num_threads() == 1 { work() } else { rayon::scope(|_| work()) }
}

/// A vector of `length` numbers that `fill` writes; unlike `vec![0.0; length]` it is not cleared first.
///
/// # Safety
/// `fill` must write every number.
pub(crate) unsafe fn written_by(length: usize, fill: impl FnOnce(&SharedMut<'_>)) -> Vec<f32> {
    let mut out = Vec::with_capacity(length);
    let shared = SharedMut { start: out.as_mut_ptr(), length, slice: PhantomData };
    fill(&shared);
    // SAFETY: the capacity is there, and the caller vouches that all numbers were written.
    unsafe { out.set_len(length) };
    out
}

/// A slice of which jobs write parts that do not overlap, but are not contiguous either.
pub(crate) struct SharedMut<'a> {
    start: *mut f32,
    length: usize,
    slice: PhantomData<&'a mut [f32]>,
}

// SAFETY: it is a mutable slice of floats whose exclusive use the callers of `range` arrange among themselves.
unsafe impl Sync for SharedMut<'_> {}
// SAFETY: likewise.
unsafe impl Send for SharedMut<'_> {}

impl<'a> SharedMut<'a> {
    /// Borrows `slice` for the time of the jobs.
    pub fn new(slice: &'a mut [f32]) -> Self {
        SharedMut { start: slice.as_mut_ptr(), length: slice.len(), slice: PhantomData }
    }

    /// The first element, for writes whose places are not a range.
    pub fn pointer(&self) -> *mut f32 {
        self.start
    }

    /// Sends for the `lines` lines of the cache from number `from` on, if the processor likes.
    #[inline(always)]
    pub fn prefetch(&self, from: usize, lines: usize) {
        #[cfg(target_arch = "x86_64")]
        for line in 0..lines {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: a prefetch reads nothing that could be wrong.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(self.start.wrapping_add(from + 16 * line).cast()) };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (from, lines);
    }

    /// The `length` numbers from `from` on.
    ///
    /// # Safety
    /// No two ranges that are in use at the same time may overlap.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, reason = "that is what the type is for; the caller keeps ranges apart")]
    pub unsafe fn range(&self, from: usize, length: usize) -> &mut [f32] {
        assert!(from + length <= self.length, "range {from}+{length} of {}", self.length);
        // SAFETY: within the slice by the check; the caller vouches that nobody else uses it.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(from), length) }
    }
}
