//! Telegram Stars (Bot API, currency XTR).
