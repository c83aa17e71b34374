//! The server's front door, for what no honest sender would bring: any bytes, any headers, straight over HTTP.

use reqwest::Body;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::town::{SECRET, Town};

pub const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

/// What came back through the door.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// Seconds that the sender is asked to wait.
    pub fn retry_after(&self) -> Option<u64> {
        self.headers.get("retry-after")?.to_str().ok()?.parse().ok()
    }
}

#[derive(Clone)]
pub struct Door {
    base: String,
    http: reqwest::Client,
}

impl Door {
    pub fn of(town: &Town) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { base: format!("http://{}", town.address), http }
    }

    /// An update to the client bot with the right secret.
    pub async fn update(&self, update: &Value) -> Answer {
        self.raw(update.to_string()).await
    }

    /// Any bytes to the client bot with the right secret.
    pub async fn raw(&self, body: impl Into<Body>) -> Answer {
        self.post("/telegram/client", &[(SECRET_HEADER, SECRET)], body).await
    }

    /// POST with these headers; a value may hold any bytes above 0x20.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        self.try_post(path, headers, body).await.expect("an answer")
    }

    /// As [`Door::post`]; None when the server hung up on a body that it did not read to its end. Its answer may be
    /// lost then.
    pub async fn try_post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Option<Answer> {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            all.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let request = self.http.post(format!("{}{path}", self.base)).headers(all).body(body);
        match request.send().await {
            Ok(response) => Some(Self::answer(response).await),
            Err(error) if error.is_connect() => panic!("nobody opens: {error}"),
            Err(_) => None,
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        Self::answer(self.http.get(format!("{}{path}", self.base)).send().await.unwrap()).await
    }

    async fn answer(response: reqwest::Response) -> Answer {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, body: response.text().await.unwrap() }
    }
}
