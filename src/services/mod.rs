//! The rules. One use case per function; it changes things through the unit of work that its caller opened and
//! will commit. Knows neither Telegram nor HTTP.
