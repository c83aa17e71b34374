//! Reading updates.
