//! Inline keyboards: parsing `reply_markup` with the checks that Telegram makes.

use serde::Serialize;
use serde_json::{Value, json};

use super::answer::ApiError;

/// Rows of buttons.
pub type Keyboard = Vec<Vec<Button>>;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Button {
    pub text: String,
    #[serde(flatten)]
    pub action: Action,
}

/// What a button does.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Comes back to the bot as a callback query.
    CallbackData(String),
    Url(String),
    CopyText(String),
    /// Opens the payment of the invoice it hangs under.
    Pay(bool),
}

impl Button {
    /// As the Bot API writes it.
    pub fn wire(&self) -> Value {
        match &self.action {
            Action::CallbackData(data) => json!({"text": self.text, "callback_data": data}),
            Action::Url(url) => json!({"text": self.text, "url": url}),
            Action::CopyText(text) => json!({"text": self.text, "copy_text": {"text": text}}),
            Action::Pay(_) => json!({"text": self.text, "pay": true}),
        }
    }
}

/// The `reply_markup` of a keyboard.
pub fn wire(keyboard: &Keyboard) -> Value {
    let rows: Vec<Vec<Value>> = keyboard.iter().map(|row| row.iter().map(Button::wire).collect()).collect();
    json!({"inline_keyboard": rows})
}

/// The inline keyboard in `markup`; None for markups that are none (`force_reply`, `remove_keyboard`) and for an
/// empty one.
pub fn parse(markup: Option<Value>) -> Result<Option<Keyboard>, ApiError> {
    let Some(markup) = markup else { return Ok(None) };
    if markup.get("force_reply").is_some() || markup.get("remove_keyboard").is_some() {
        return Ok(None);
    }
    if markup.get("keyboard").is_some() {
        return Err(ApiError::bad("reply keyboards do not exist at this counterpart"));
    }
    let Some(rows) = markup.get("inline_keyboard") else {
        return if markup == json!({}) {
            Ok(None)
        } else {
            Err(ApiError::bad("object expected as reply markup"))
        };
    };
    let rows = rows.as_array().ok_or_else(|| {
        ApiError::bad(
            "can't parse inline keyboard markup JSON object: Field \"inline_keyboard\" must be of type Array",
        )
    })?;
    let mut keyboard = Keyboard::new();
    for row in rows {
        let row = row.as_array().ok_or_else(|| {
            ApiError::bad("can't parse inline keyboard: Field \"inline_keyboard\" must be an Array of Arrays")
        })?;
        let buttons = row.iter().map(button).collect::<Result<Vec<_>, _>>()?;
        if !buttons.is_empty() {
            keyboard.push(buttons);
        }
    }
    if keyboard.iter().map(Vec::len).sum::<usize>() > 100 {
        return Err(ApiError::bad("reply markup is too long"));
    }
    Ok(Some(keyboard).filter(|keyboard| !keyboard.is_empty()))
}

fn button(value: &Value) -> Result<Button, ApiError> {
    let unreadable = |why: &str| ApiError::bad(format!("can't parse inline keyboard button: {why}"));
    let text =
        value.get("text").and_then(Value::as_str).ok_or_else(|| unreadable("Can't find field \"text\""))?;
    if text.trim().is_empty() {
        return Err(ApiError::bad("inline keyboard button text must be non-empty"));
    }
    let field = |name: &str| value.get(name).and_then(Value::as_str);
    let action = if let Some(data) = field("callback_data") {
        if data.is_empty() || data.len() > 64 {
            return Err(ApiError::bad("BUTTON_DATA_INVALID"));
        }
        Action::CallbackData(data.to_owned())
    } else if let Some(url) = field("url") {
        Action::Url(checked_url(url)?)
    } else if let Some(copy) = value.get("copy_text") {
        let text = copy.get("text").and_then(Value::as_str).unwrap_or("");
        if text.is_empty() || text.chars().count() > 256 {
            return Err(ApiError::bad("BUTTON_COPY_TEXT_INVALID"));
        }
        Action::CopyText(text.to_owned())
    } else if value.get("pay") == Some(&Value::Bool(true)) {
        Action::Pay(true)
    } else {
        return Err(unreadable("Text buttons are unallowed in the inline keyboard"));
    };
    Ok(Button { text: text.to_owned(), action })
}

/// An address a button may open: http, https or tg, with a host.
fn checked_url(url: &str) -> Result<String, ApiError> {
    let invalid = |why: &str| ApiError::bad(format!("inline keyboard button URL '{url}' is invalid: {why}"));
    if url.is_empty() {
        return Err(invalid("URL is empty"));
    }
    let parsed = reqwest::Url::parse(url).map_err(|_| invalid("Wrong HTTP URL"))?;
    match parsed.scheme() {
        "tg" => Ok(url.to_owned()),
        "http" | "https" if parsed.host_str().is_some_and(|host| host.contains('.')) => {
            Ok(parsed.to_string())
        }
        "http" | "https" => Err(invalid("Wrong HTTP URL")),
        _ => Err(invalid("Unsupported URL protocol")),
    }
}
