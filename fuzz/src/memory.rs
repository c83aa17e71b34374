//! Counts what is allocated, because "no unbounded memory" is a property like the others: what reading an input takes
//! is bounded by a multiple of its length. libFuzzer's own limit on one allocation needs a sanitizer, and its limit on
//! the process (`-rss_limit_mb`) is far from what a small input may take.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Bytes that anything may take, whatever its length.
const BASE: usize = 64 << 10;
/// And bytes for each byte of the input: a list of `0,` becomes a list of references to them, in a vector that doubles.
const TIMES: usize = 64;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// Runs `reading` and panics when it held too much at once for an input of `length` bytes.
pub fn bounded<T>(length: usize, reading: impl FnOnce() -> T) -> T {
    within(BASE + TIMES * length, reading)
}

/// Runs `reading` and panics when it held more than `limit` bytes at once. One at a time: what other threads allocate
/// is counted too.
pub fn within<T>(limit: usize, reading: impl FnOnce() -> T) -> T {
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = reading();
    let most = PEAK.load(Relaxed).saturating_sub(before);
    assert!(most <= limit, "{most} bytes were held at once, {limit} are enough");
    result
}

struct Counted;

#[global_allocator]
static COUNTED: Counted = Counted;

fn grew(bytes: usize) {
    PEAK.fetch_max(NOW.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

// SAFETY: everything is handed to the system's allocator as it comes.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grew(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both may be there for a moment.
        grew(size);
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(memory, layout, size) }
    }
}
