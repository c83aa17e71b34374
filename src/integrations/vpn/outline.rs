//! Outline through its management API.
