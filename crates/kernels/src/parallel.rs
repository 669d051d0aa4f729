//! Work in parallel whose result does not depend on the number of threads.

use crate::simd::prefetch;
use crate::team::{at_a_job, share};
use std::cell::RefCell;
use std::marker::PhantomData;

/// Runs `job` for 0 to `jobs` on as many threads as rayon's current pool has; on one at once, without waking others.
pub(crate) fn for_each_job(jobs: usize, job: impl Fn(usize) + Send + Sync) {
    let threads = rayon::current_num_threads();
    if jobs < 2 || threads == 1 || at_a_job() { (0..jobs).for_each(job) } else { share(threads, jobs, &job) }
}

/// Runs `job` for each part of `length` elements, the last of which may have fewer.
#[cfg(target_arch = "x86_64")]
pub(crate) fn for_each_part<T: Send>(
    whole: &mut [T],
    length: usize,
    job: impl Fn(usize, &mut [T]) + Send + Sync,
) {
    let all = whole.len();
    let start = Shared(whole.as_mut_ptr());
    for_each_job(all.div_ceil(length), |index| {
        let from = index * length;
        // SAFETY: within the slice, and no two parts overlap.
        let part = unsafe { std::slice::from_raw_parts_mut(start.at(from), length.min(all - from)) };
        job(index, part);
    });
}

/// Where parts of a slice begin that several threads write.
#[cfg(target_arch = "x86_64")]
struct Shared<T>(*mut T);

#[cfg(target_arch = "x86_64")]
// SAFETY: it stands for elements that may go to other threads, and whoever uses it keeps the parts apart.
unsafe impl<T: Send> Sync for Shared<T> {}

#[cfg(target_arch = "x86_64")]
impl<T> Shared<T> {
    fn at(&self, index: usize) -> *mut T {
        self.0.wrapping_add(index)
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
    // SAFETY: passed on to the caller.
    unsafe { written_into(Vec::new(), length, fill) }
}

/// [`written_by`], in the room of a vector whose numbers are no longer needed.
///
/// # Safety
/// As there.
pub(crate) unsafe fn written_into(
    room: Vec<f32>,
    length: usize,
    fill: impl FnOnce(&SharedMut<'_>),
) -> Vec<f32> {
    let mut out = room;
    out.clear();
    out.reserve_exact(length);
    let shared = SharedMut { start: out.as_mut_ptr(), length, slice: PhantomData };
    fill(&shared);
    // SAFETY: the capacity is there, and the caller vouches that all numbers were written.
    unsafe { out.set_len(length) };
    out
}

/// Lends a job of this thread a vector to work in, which has whatever length and numbers it was left with: decoding has so many
/// small jobs that new memory for each would take a good part of the time.
pub(crate) fn with_vector(job: impl FnOnce(&mut Vec<f32>)) {
    thread_local! {
        static ROOM: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
    }
    ROOM.with_borrow_mut(job);
}

/// The same, as `length` numbers.
pub(crate) fn with_room(length: usize, job: impl FnOnce(&mut [f32])) {
    with_vector(|room| {
        if room.len() < length {
            room.resize(length, 0.0);
        }
        job(&mut room[..length]);
    });
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
        for line in 0..lines {
            prefetch(self.start.wrapping_add(from + 16 * line));
        }
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
