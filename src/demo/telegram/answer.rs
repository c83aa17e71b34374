//! What a Bot API method answers.

use serde_json::{Value, json};

/// A method's result, or the error in Telegram's words.
pub type Answer = Result<Success, ApiError>;

/// A method that worked.
#[derive(Clone, Debug, PartialEq)]
pub struct Success {
    pub result: Value,
    /// Some methods add a sentence, e.g. "Webhook was set".
    pub description: Option<&'static str>,
}

impl Success {
    pub fn new(result: Value) -> Self {
        Self { result, description: None }
    }

    pub fn yes() -> Self {
        Self::new(Value::Bool(true))
    }

    pub fn described(description: &'static str) -> Self {
        Self { result: Value::Bool(true), description: Some(description) }
    }
}

/// A method that did not; `code` is the HTTP status too.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{code}: {description}")]
pub struct ApiError {
    pub code: u16,
    pub description: String,
    /// Seconds to wait (429).
    pub retry_after: Option<u32>,
}

impl ApiError {
    pub fn new(code: u16, description: impl Into<String>) -> Self {
        Self { code, description: description.into(), retry_after: None }
    }

    /// 400 with "Bad Request: " before `what`.
    pub fn bad(what: impl std::fmt::Display) -> Self {
        Self::new(400, format!("Bad Request: {what}"))
    }

    /// 403 with "Forbidden: " before `what`.
    pub fn forbidden(what: impl std::fmt::Display) -> Self {
        Self::new(403, format!("Forbidden: {what}"))
    }

    pub fn too_many_requests(seconds: u32) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(429, format!("Too Many Requests: retry after {seconds}"))
        }
    }
}

/// HTTP status and body of an answer.
pub fn body(answer: &Answer) -> (u16, Value) {
    match answer {
        Ok(Success { result, description: None }) => (200, json!({"ok": true, "result": result})),
        Ok(Success { result, description: Some(words) }) => {
            (200, json!({"ok": true, "result": result, "description": words}))
        }
        Err(error) => {
            let mut body = json!({"ok": false, "error_code": error.code, "description": error.description});
            if let Some(seconds) = error.retry_after {
                body["parameters"] = json!({"retry_after": seconds});
            }
            (error.code, body)
        }
    }
}
