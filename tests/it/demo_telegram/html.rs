//! Formatting in and out.

use serde_json::json;
use usipipo::demo::telegram::{parse_html, render_html};

#[test]
fn html_becomes_text_and_entities() {
    let parsed = |source: &str| {
        let formatted = parse_html(source).unwrap();
        (formatted.text, serde_json::to_value(formatted.entities).unwrap())
    };
    assert_eq!(
        parsed("plain &lt;&amp;&quot;&gt; &#9733;&#x1F98A; &nbsp;"),
        ("plain <&\"> ★🦊 &nbsp;".into(), json!([]))
    );
    assert_eq!(
        parsed("🦊 <b>a<i>b</i></b>"),
        (
            "🦊 ab".into(),
            json!([{"type": "bold", "offset": 3, "length": 2}, {"type": "italic", "offset": 4, "length": 1}])
        )
    );
    assert_eq!(
        parsed("<pre><code class=\"language-ini\">[Peer]</code></pre>").1,
        json!([{"type": "pre", "language": "ini", "offset": 0, "length": 6}])
    );
    assert_eq!(
        parsed("<A href='https://example.com/?a=1&amp;b=2'>x</a>").0,
        "x",
        "the name of an opening tag is read in any case"
    );
    assert_eq!(
        parsed("<a href=\"https://example.com/\">x</a> <span class=\"tg-spoiler\">y</span>").1,
        json!([
            {"type": "text_link", "url": "https://example.com/", "offset": 0, "length": 1},
            {"type": "spoiler", "offset": 2, "length": 1}
        ])
    );
    assert_eq!(parsed("<a href=\"nowhere:\">x</a>").1, json!([]), "a link nobody can open is plain text");
    assert_eq!(parsed("  <b> trimmed </b> \n").0, "trimmed");
    assert_eq!(parsed("<blockquote expandable>q</blockquote>").1[0]["type"], "expandable_blockquote");
    assert_eq!(parsed("<code><b>x</b></code>").1, json!([{"type": "code", "offset": 0, "length": 1}]));
}

#[test]
fn bad_html_is_refused_in_telegrams_words() {
    for (source, error) in [
        ("<b>x", "Can't find end tag corresponding to start tag \"b\""),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</i>", "Unmatched end tag at byte offset 4, expected \"</b>\", found \"</i>\""),
        ("ключ <div>", "Unsupported start tag \"div\" at byte offset 9"),
        ("a < b", "Unsupported start tag \"\" at byte offset 2"),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("<span>x</span>", "Tag \"span\" must have class \"tg-spoiler\" at byte offset 0"),
        ("<a href=x_y>l</a>", "Unexpected end of name token at byte offset 8"),
        ("<br/>", "Unsupported start tag \"br/\" at byte offset 0"),
    ] {
        assert_eq!(parse_html(source), Err(error.to_owned()), "{source}");
    }
}

#[test]
fn html_survives_the_way_back() {
    for source in [
        "<b>bold <i>both</i></b> &lt;plain&gt; <code>a &amp; b</code>",
        "<pre><code class=\"language-ini\">[Interface]\nPrivateKey = x</code></pre>",
        "<a href=\"https://example.com/?a=1&amp;b=2\">link</a> <tg-spoiler>hidden</tg-spoiler> <u>u</u> <s>s</s>",
        "<blockquote>quoted <b>🦊</b></blockquote>",
    ] {
        assert_eq!(render_html(&parse_html(source).unwrap()), source);
    }
}
