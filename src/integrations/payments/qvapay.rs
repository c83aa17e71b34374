//! QvaPay merchant API, version 2.
