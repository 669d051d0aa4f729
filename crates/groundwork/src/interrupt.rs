//! Ctrl-C: the first asks the work to stop at the next safe point, the second ends the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Installs the handler and returns the flag that it sets.
pub fn flag() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let held = Arc::clone(&stop);
    let installed = ctrlc::set_handler(move || {
        if held.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    if let Err(e) = installed {
        eprintln!("warning: Ctrl-C will not be graceful: {e}");
    }
    stop
}
