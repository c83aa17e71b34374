use super::*;

fn amount(json: &str) -> Result<String, String> {
    let raw = RawValue::from_string(json.to_owned()).unwrap();
    read_amount(&raw).map(|amount| amount.to_string())
}

#[test]
fn amounts_are_read_as_written() {
    let plain = [
        ("4.99", "4.99"),
        (r#""4.99""#, "4.99"),
        ("5.00", "5.00"),
        (r#""5""#, "5"),
        ("5e0", "5"),
        ("4.99E0", "4.99"),
        ("0", "0"),
        ("0.1", "0.1"),
        ("100000.01", "100000.01"),
        ("123456789012.01", "123456789012.01"),
    ];
    for (json, expected) in plain {
        assert_eq!(amount(json).as_deref(), Ok(expected), "{json}");
    }
    let odd = [
        r#""+5.00""#,
        r#""-4.99""#,
        r#""NaN""#,
        r#""5e0""#,
        r#"" 5""#,
        r#""5,00""#,
        r#""0x5""#,
        r#""""#,
        r#""5.0.0""#,
        r#"".5""#,
        r#""٥""#,
        r#""Infinity""#,
        "-4.99",
        "-5e0",
        "5e400",
        "true",
        "{}",
        "[5]",
        "99999999999999999999999999999999999",
    ];
    for json in odd {
        assert!(amount(json).is_err(), "{json} passed as {:?}", amount(json));
    }
}

#[test]
fn one_transaction_in_every_known_place() {
    let inner = r#"{"uuid":"7B1C2F66-3a0e-4f51-9c1d-5d0a3f1e2b44","amount":4.99,"status":"paid","remote_id":"ord_1",
        "PaidBy":{"username":"ana"},"user":null,"products":[{"price":1e400}]}"#;
    let v1 = inner.replace("PaidBy", "paid_by").replace("4.99", r#""4.99""#);
    let places = [
        inner.to_owned(),
        format!(" \n{inner}"),
        format!(r#"{{"transaction":{inner}}}"#),
        format!(r#"{{"message":"Transaction 7b1c2f66","data":{v1}}}"#),
        inner.replacen('{', r#"{"data":null,"transaction":"x","#, 1),
    ];
    for place in places {
        let read = Transaction::read(&place).unwrap_or_else(|| panic!("{place}"));
        assert_eq!(read.uuid.to_string(), "7b1c2f66-3a0e-4f51-9c1d-5d0a3f1e2b44");
        assert_eq!((read.state, read.amount), (ObservedState::Paid, Some(Decimal::new(499, 2))));
        assert_eq!((read.remote_id.as_deref(), read.paid_by.as_deref()), (Some("ord_1"), Some("ana")));
        assert_eq!(read.currency, Some(Currency::usd()));
    }
    for none in
        ["", "[]", "null", "{}", r#"{"data":{"uuid":"7b1c"}}"#, r#"{"uuid":null}"#, "{\"uuid\":\"", "\"x\""]
    {
        assert_eq!(Transaction::read(none), None, "{none}");
    }
}

#[test]
fn a_list_in_every_known_place() {
    let item = r#"{"uuid":"7b1c2f66-3a0e-4f51-9c1d-5d0a3f1e2b44","status":"settling_v3"}"#;
    let list = format!("[{item},7,{{}},{item}]");
    let places = [
        list.clone(),
        format!(r#"{{"transactions":{list}}}"#),
        format!(r#"{{"current_page":1,"data":{list},"total":2}}"#),
        format!(r#"{{"transactions":{{"data":{list}}}}}"#),
    ];
    for place in places {
        let page = Transaction::read_page(&place).unwrap_or_else(|| panic!("{place}"));
        assert_eq!(page.len(), 2);
        assert_eq!(page[0].state, ObservedState::Pending, "a status nobody knows is no success");
    }
    assert_eq!(Transaction::read_page(r#"{"error":"x"}"#), None);
}

#[test]
fn an_error_says_what_it_can() {
    let shown = |body| ErrorText::read(body).to_string();
    assert_eq!(
        shown(r#"{"error":"Solicitud duplicada","code":"DUPLICATE_REQUEST"}"#),
        "Solicitud duplicada [DUPLICATE_REQUEST]"
    );
    assert_eq!(shown(r#"{"errors":["a",{"b":1}]}"#), r#"["a",{"b":1}]"#);
    assert_eq!(shown("<html>"), "(no reason given)");
    assert!(ErrorText::read(r#"{"error":"DUPLICATE_REQUEST"}"#).is_duplicate());
}
