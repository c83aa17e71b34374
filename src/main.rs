//! The program. Everything it can do is in [`usipipo::cli`].

use std::process::ExitCode;

/// An update takes hundreds of small allocations, in one thread, and their ends, in another.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    usipipo::cli::run()
}
