//! Calling the Bot API.
