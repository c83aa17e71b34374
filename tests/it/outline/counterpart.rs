//! What the client's tests lean on: the counterpart answers as the real server's documentation says.

use serde_json::{Value, json};
use usipipo::demo::outline::{Options, OutlineServer};

async fn ask(server: &OutlineServer, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let http = reqwest::Client::builder().danger_accept_invalid_certs(true).no_proxy().build().unwrap();
    let mut request = http.request(method.parse().unwrap(), format!("{}{path}", server.api_url()));
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

#[tokio::test]
async fn keys_live_as_documented() {
    let server = OutlineServer::start(Options::default()).await.unwrap();
    let ask = async |method, path, body| ask(&server, method, path, body).await;
    let (status, key) = ask("POST", "/access-keys", None).await;
    assert_eq!((status, &key["id"], &key["method"]), (201, &json!("0"), &json!("chacha20-ietf-poly1305")));
    let own = json!({"name": "n", "password": "p", "limit": {"bytes": 10}, "method": "aes-256-gcm"});
    let (status, key) = ask("PUT", "/access-keys/mine", Some(own.clone())).await;
    assert_eq!((status, &key["dataLimit"]), (201, &json!({"bytes": 10})));
    assert_eq!(key["accessUrl"], "ss://YWVzLTI1Ni1nY206cA@127.0.0.1:12345/?outline=1");
    let (status, error) = ask("PUT", "/access-keys/mine", Some(own)).await;
    assert_eq!((status, &error["code"]), (409, &json!("Conflict")));

    assert_eq!(ask("PUT", "/access-keys/mine/name", Some(json!({"name": "new"}))).await.0, 204);
    assert_eq!(ask("PUT", "/access-keys/mine/name", Some(json!({"name": ""}))).await.0, 400);
    assert_eq!(
        ask("PUT", "/access-keys/mine/data-limit", Some(json!({"limit": {"bytes": -1}}))).await.0,
        400
    );
    assert_eq!(ask("DELETE", "/access-keys/mine/data-limit", None).await.0, 204);
    let (status, key) = ask("GET", "/access-keys/mine", None).await;
    assert_eq!((status, &key["name"], &key["dataLimit"]), (200, &json!("new"), &Value::Null));
    assert_eq!(ask("GET", "/access-keys", None).await.1["accessKeys"].as_array().unwrap().len(), 2);
    assert_eq!(ask("DELETE", "/access-keys/mine", None).await.0, 204);
    for (method, path) in [
        ("DELETE", "/access-keys/mine"),
        ("GET", "/access-keys/mine"),
        ("DELETE", "/access-keys/mine/data-limit"),
        ("GET", "/nowhere"),
        ("GET", "x/server"),
    ] {
        let (status, error) = ask(method, path, None).await;
        assert_eq!(status, 404, "{method} {path}");
        assert!(error["code"].is_string() && error["message"].is_string());
    }
    assert_eq!(ask("PUT", "/access-keys/x", Some(json!({"method": "rot13"}))).await.0, 400);
    assert_eq!(ask("GET", "/server", None).await.1["name"], "Outline Server");
}

#[tokio::test]
async fn a_folder_keeps_address_certificate_and_keys() {
    let folder = std::env::temp_dir().join(format!("usipipo-outline-{}", uuid::Uuid::now_v7()));
    let options = Options { folder: Some(folder.clone()), ..Options::default() };
    let server = OutlineServer::start(options.clone()).await.unwrap();
    ask(&server, "PUT", "/access-keys/mine", Some(json!({"password": "p"}))).await;
    let before = (server.cert_sha256().to_owned(), server.api_url().rsplit('/').next().unwrap().to_owned());
    drop(server);
    let server = OutlineServer::start(options).await.unwrap();
    let after = (server.cert_sha256().to_owned(), server.api_url().rsplit('/').next().unwrap().to_owned());
    assert_eq!(before, after);
    assert_eq!(ask(&server, "GET", "/access-keys/mine", None).await.1["password"], "p");
    std::fs::remove_dir_all(folder).unwrap();
}
