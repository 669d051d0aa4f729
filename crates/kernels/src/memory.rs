//! What becomes of memory between two steps.

use libmimalloc_sys::{mi_option_set, mi_option_t, mi_option_use_numa_nodes};

/// Milliseconds until freed memory goes back to the system, or -1 for never. The crate names the option after it only.
const PURGE_DELAY: mi_option_t = mi_option_use_numa_nodes - 1;

/// Makes the allocator keep the memory that a step frees for the next one, instead of handing it back to the system, which has
/// to clear every page again. Has an effect where the program's allocator is mimalloc.
pub fn keep_freed_memory() {
    // SAFETY: options may be set at any time; this one takes any number.
    unsafe { mi_option_set(PURGE_DELAY, -1) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use libmimalloc_sys::mi_option_get;

    #[test]
    fn the_option_is_the_one_that_is_meant() {
        // SAFETY: reads a number.
        let before = unsafe { mi_option_get(PURGE_DELAY) };
        assert_eq!(before, 1000, "the default of mimalloc's purge_delay");
        keep_freed_memory();
        // SAFETY: reads a number.
        assert_eq!(unsafe { mi_option_get(PURGE_DELAY) }, -1);
    }
}
