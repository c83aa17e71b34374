//! Reading the fields of a Bot API call from query, JSON, form or multipart.

use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Query, Request};
use axum::{Form, Json};
use serde_json::{Map, Value};

use super::answer::ApiError;

/// Fields of a call, and the files that came with it.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    pub values: Map<String, Value>,
    pub files: Vec<Upload>,
}

/// A file as a bot uploaded it.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Name of the multipart part.
    pub field: String,
    pub file_name: Option<String>,
    pub content_type: Option<String>,
    pub bytes: Bytes,
}

/// Where a `photo` or `document` comes from.
pub enum InputFile {
    Upload(Upload),
    /// A file id or an address.
    Reference(String),
}

type Pairs = Vec<(String, String)>;

impl Fields {
    /// Reads a request; a body of no known type counts as empty, as it does at Telegram.
    pub async fn read(request: Request) -> Result<Self, ApiError> {
        let mut fields = Fields::default();
        if let Ok(Query(pairs)) = Query::<Pairs>::try_from_uri(request.uri()) {
            fields.add_pairs(pairs);
        }
        let content_type =
            request.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("");
        let kind = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        match kind.as_str() {
            "application/json" => {
                let Json(values) = Json::<Map<String, Value>>::from_request(request, &())
                    .await
                    .map_err(|_| ApiError::bad("can't parse JSON object"))?;
                fields.values.extend(values);
            }
            "application/x-www-form-urlencoded" => {
                let Form(pairs) = Form::<Pairs>::from_request(request, &())
                    .await
                    .map_err(|_| ApiError::bad("can't parse form"))?;
                fields.add_pairs(pairs);
            }
            "multipart/form-data" => fields.add_parts(request).await.map_err(ApiError::bad)?,
            _ => {}
        }
        Ok(fields)
    }

    /// The fields of a method in the answer to a webhook.
    pub fn from_values(values: Map<String, Value>) -> Self {
        Self { values, files: Vec::new() }
    }

    fn add_pairs(&mut self, pairs: Pairs) {
        self.values.extend(pairs.into_iter().map(|(name, value)| (name, Value::String(value))));
    }

    async fn add_parts(&mut self, request: Request) -> Result<(), String> {
        let mut parts = Multipart::from_request(request, &()).await.map_err(|error| error.body_text())?;
        while let Some(part) = parts.next_field().await.map_err(|error| error.body_text())? {
            let field = part.name().unwrap_or("").to_owned();
            let file_name = part.file_name().map(str::to_owned);
            let content_type = part.content_type().map(str::to_owned);
            let bytes = part.bytes().await.map_err(|error| error.body_text())?;
            if file_name.is_some() {
                self.files.push(Upload { field, file_name, content_type, bytes });
            } else {
                let text =
                    String::from_utf8(bytes.to_vec()).map_err(|_| "strings must be encoded in UTF-8")?;
                self.values.insert(field, Value::String(text));
            }
        }
        Ok(())
    }

    /// A text; numbers and flags count as theirs.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.values.get(name)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    pub fn text_or_empty(&self, name: &str) -> String {
        self.text(name).unwrap_or_default()
    }

    /// A whole number, also written as text; None when absent or not a number.
    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.values.get(name)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    pub fn flag(&self, name: &str) -> bool {
        match self.values.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => matches!(text.to_ascii_lowercase().as_str(), "true" | "yes" | "1"),
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            _ => false,
        }
    }

    /// An object or array, also written as JSON text. An empty text counts as absent.
    pub fn json(&self, name: &str) -> Result<Option<Value>, ApiError> {
        match self.values.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text)
                .map(Some)
                .map_err(|_| ApiError::bad(format!("can't parse {name} JSON object"))),
            Some(value) => Ok(Some(value.clone())),
        }
    }

    /// The file in `name`: uploaded under that name, as `attach://part`, or referred to.
    pub fn file(&self, name: &str) -> Option<InputFile> {
        let reference = self.text(name);
        let part = match &reference {
            Some(text) => text.strip_prefix("attach://"),
            None => Some(name),
        };
        let upload = part.and_then(|part| self.files.iter().find(|file| file.field == part));
        match (upload, reference) {
            (Some(upload), _) => Some(InputFile::Upload(upload.clone())),
            (None, Some(reference)) if !reference.is_empty() => Some(InputFile::Reference(reference)),
            _ => None,
        }
    }
}
