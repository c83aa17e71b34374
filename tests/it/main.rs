//! All integration tests, one binary. The folders follow the source.
