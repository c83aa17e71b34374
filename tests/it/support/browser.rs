//! A real browser without a window, driven by its DevTools protocol (chromedevtools.github.io/devtools-protocol) over a
//! pipe: no port and no driver. It has a profile of its own, reaches nothing but this machine, and ends with the pipe,
//! so that nothing is left of it whatever ends the test.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::wait::eventually;

const PROGRAMS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// A browser expects its pipe at descriptors 3 and 4; a shell puts it there.
const PIPED: &str = r#"exec "$@" 3<&0 4>&1 0</dev/null 1>&2"#;
const FLAGS: [&str; 11] = [
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // Small in many containers.
    "--disable-dev-shm-usage",
    // A tab behind another one is as quick as the one in front.
    "--disable-renderer-backgrounding",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];
/// How long anything on a page may take to appear.
const LIMIT: Duration = Duration::from_secs(90);

/// A running browser; killed when dropped.
pub struct Browser {
    wire: Arc<Wire>,
    child: Child,
    profile: PathBuf,
}

/// How a page is looked at.
#[derive(Clone, Copy)]
pub struct View {
    pub width: u32,
    pub height: u32,
    pub dark: bool,
    /// Pixels of the picture for one of the page.
    pub scale: f64,
}

impl View {
    pub const DESKTOP: View = View { width: 1280, height: 800, dark: false, scale: 1.0 };
    pub const PHONE: View = View { width: 390, height: 780, dark: false, scale: 1.0 };

    pub fn in_the_dark(self) -> Self {
        Self { dark: true, ..self }
    }
}

impl Browser {
    /// Starts a browser; the error says why this machine has none that starts.
    pub async fn start() -> Result<Self, String> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let is_there = |name: &&&str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
        let program = PROGRAMS.iter().find(is_there).ok_or("no Chromium (scripts/setup browser)")?;
        let profile = std::env::temp_dir().join(format!("browser-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&profile).unwrap();
        let complaints = profile.join("stderr");
        let mut command = Command::new("sh");
        command.args(["-c", PIPED, "sh", program]).args(FLAGS);
        command.arg(format!("--user-data-dir={}", profile.display()));
        // Chromium has no sandbox for root.
        if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
            command.arg("--no-sandbox");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(&complaints).unwrap());
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let wire = Wire::over(child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let browser = Self { wire, child, profile };
        match browser.wire.call("", "Browser.getVersion", json!({})).await {
            Ok(_) => Ok(browser),
            Err(why) => {
                let said = std::fs::read_to_string(complaints).unwrap_or_default();
                Err(format!("{program} does not start: {why}: {}", said.lines().last().unwrap_or_default()))
            }
        }
    }

    /// Opens a page, in a window that shares nothing with others.
    pub async fn open(&self, url: &str, view: View) -> Page {
        let wire = &self.wire;
        let context = wire.ask("", "Target.createBrowserContext", json!({})).await;
        let context = text(&context["browserContextId"]);
        let blank = json!({ "url": "about:blank", "browserContextId": context });
        let target = text(&wire.ask("", "Target.createTarget", blank).await["targetId"]);
        let page = Page::attach(wire, target, context).await;
        page.look(view).await;
        page.ask("Page.navigate", json!({ "url": url })).await;
        page
    }

    /// What went wrong in the scripts of all pages since it was asked last, and what they asked for in vain.
    pub fn troubles(&self) -> Vec<String> {
        std::mem::take(&mut *self.wire.troubles.lock().unwrap())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Chromium cuts long texts of its events anywhere, also between the halves of a surrogate pair, and half a pair is no
/// JSON: such halves become characters without a meaning.
fn parse(message: &[u8]) -> Value {
    serde_json::from_slice(message).unwrap_or_else(|_| {
        let text = String::from_utf8_lossy(message).replace("\\ud", "\\ue").replace("\\uD", "\\uE");
        serde_json::from_str(&text).unwrap()
    })
}

type Answer = Result<Value, String>;

/// The pipe: JSON messages, each with a zero byte behind it.
struct Wire {
    to: Mutex<ChildStdin>,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
    last: AtomicU64,
    troubles: Mutex<Vec<String>>,
}

impl Wire {
    fn over(to: ChildStdin, from: ChildStdout) -> Arc<Self> {
        let (to, troubles) = (Mutex::new(to), Mutex::default());
        let wire = Arc::new(Self { to, waiting: Mutex::default(), last: AtomicU64::new(0), troubles });
        let heard = wire.clone();
        std::thread::spawn(move || {
            for message in BufReader::new(from).split(0).map_while(Result::ok) {
                heard.hear(parse(&message));
            }
            heard.waiting.lock().unwrap().clear();
        });
        wire
    }

    fn hear(&self, mut message: Value) {
        if let Some(id) = message["id"].as_u64() {
            let answer = match message.get("error") {
                Some(error) => Err(error.to_string()),
                None => Ok(message["result"].take()),
            };
            if let Some(waiting) = self.waiting.lock().unwrap().remove(&id) {
                let _ = waiting.send(answer);
            }
        } else if let Some(trouble) = trouble(&message["method"], &message["params"]) {
            self.troubles.lock().unwrap().push(trouble);
        }
    }

    /// Asks a page (`session`), or the browser itself when that is empty.
    async fn call(&self, session: &str, method: &str, params: Value) -> Answer {
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if !session.is_empty() {
            message["sessionId"] = session.into();
        }
        let (answer, answered) = oneshot::channel();
        self.waiting.lock().unwrap().insert(id, answer);
        let sent = self.to.lock().unwrap().write_all(format!("{message}\0").as_bytes());
        sent.map_err(|error| format!("the pipe is broken: {error}"))?;
        match tokio::time::timeout(LIMIT, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err("it has ended".to_owned()),
            Err(_) => Err(format!("{method} was not answered")),
        }
    }

    async fn ask(&self, session: &str, method: &str, params: Value) -> Value {
        self.call(session, method, params).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }
}

fn trouble(event: &Value, about: &Value) -> Option<String> {
    match event.as_str()? {
        "Runtime.exceptionThrown" => Some(about["exceptionDetails"].to_string()),
        "Runtime.consoleAPICalled" if about["type"] == "error" => Some(about["args"].to_string()),
        "Log.entryAdded" if about["entry"]["level"] == "error" => Some(about["entry"].to_string()),
        _ => None,
    }
}

/// What is shown of a selector; the last one is meant, which in a chat is the newest.
const SHOWN: &str = "const shown = (selector) => {
    const all = [...document.querySelectorAll(selector)].filter((found) => found.getClientRects().length);
    if (!all.length) throw `no ${selector}`;
    return all.at(-1);
};";

/// Where to click, once nothing covers the place; notes whether the click arrives.
const AIM: &str = "const found = shown(selector);
    if (found.disabled) throw `${selector} is disabled`;
    found.scrollIntoView({ block: 'center', behavior: 'instant' });
    const box = found.getClientRects()[0];
    const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    const top = document.elementFromPoint(at.x, at.y);
    if (!found.contains(top)) throw `${selector} is covered by ${top?.outerHTML.slice(0, 120)}`;
    window.hit = false;
    const note = (click) => { window.hit = click.composedPath().some((part) => part.matches?.(selector)); };
    window.addEventListener('click', note, { capture: true, once: true });
    return at;";

/// Whether it arrived: a page that knows nothing of it is the next one already.
const ARRIVED: &str = "const arrived = () => window.hit !== false;
    return arrived() || new Promise((done) => setTimeout(() => done(arrived()), 300));";

/// A page in a tab.
pub struct Page {
    wire: Arc<Wire>,
    session: String,
    target: String,
    context: String,
}

impl Page {
    async fn attach(wire: &Arc<Wire>, target: String, context: String) -> Self {
        let attached =
            wire.ask("", "Target.attachToTarget", json!({ "targetId": target, "flatten": true })).await;
        let page = Self { wire: wire.clone(), session: text(&attached["sessionId"]), target, context };
        for domain in ["Page", "Runtime", "Log"] {
            page.ask(&format!("{domain}.enable"), json!({})).await;
        }
        page
    }

    async fn ask(&self, method: &str, params: Value) -> Value {
        self.wire.ask(&self.session, method, params).await
    }

    /// Changes how the page is looked at. Nothing moves by itself, so that what is aimed at stays.
    pub async fn look(&self, view: View) {
        let View { width, height, dark, scale } = view;
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 500 });
        self.ask("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.ask("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Loads the page anew.
    pub async fn reload(&self) {
        self.ask("Page.reload", json!({})).await;
    }

    /// Runs the body of a function of `selector`; its error is what was thrown, with what the page shows.
    async fn run(&self, body: &str, selector: &str) -> Answer {
        let expression = format!("((selector) => {{ {SHOWN} {body} }})({})", json!(selector));
        let asked = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.wire.call(&self.session, "Runtime.evaluate", asked).await?;
        if answer.get("exceptionDetails").is_none() {
            return Ok(answer["result"]["value"].clone());
        }
        let shows = json!({ "expression": "document.body.innerText.slice(-2000)" });
        let shows = self.wire.call(&self.session, "Runtime.evaluate", shows).await?;
        let why = &answer["exceptionDetails"]["exception"];
        Err(format!(
            "{} in:\n{}",
            why["value"].as_str().unwrap_or(&why.to_string()),
            shows["result"]["value"]
        ))
    }

    /// Waits until a function's body, given a selector, returns something that counts as true; gives that.
    pub async fn until(&self, body: &str, selector: &str) -> Value {
        let body = format!(
            "const seen = (() => {{ {body} }})(); if (!seen) throw `not yet so: ${{selector}}`; return seen;"
        );
        eventually(LIMIT, async || self.run(&body, selector).await).await
    }

    /// Waits until something is shown; gives its text.
    pub async fn see(&self, selector: &str) -> String {
        text(&eventually(LIMIT, async || self.run("return shown(selector).innerText", selector).await).await)
    }

    /// Waits until something that is shown says this, too; gives all of its text.
    pub async fn read(&self, selector: &str, words: &str) -> String {
        let body = "const all = [...document.querySelectorAll(selector)].filter((found) => found.getClientRects().length)
            .map((found) => found.innerText);";
        let find = format!(
            "{body} const words = {}; const found = all.findLast((text) => text.includes(words));
            if (found === undefined) throw `${{selector}} never says ${{words}}`; return found;",
            json!(words)
        );
        text(&eventually(LIMIT, async || self.run(&find, selector).await).await)
    }

    /// Waits until nothing of this is shown any more.
    pub async fn miss(&self, selector: &str) {
        let gone =
            "return ![...document.querySelectorAll(selector)].some((found) => found.getClientRects().length)";
        self.until(gone, selector).await;
    }

    /// Clicks with the mouse, as soon as the place is there and free.
    pub async fn click(&self, selector: &str) {
        eventually(LIMIT, async || {
            let at = self.run(AIM, selector).await?;
            for kind in ["mousePressed", "mouseReleased"] {
                let event =
                    json!({ "type": kind, "x": at["x"], "y": at["y"], "button": "left", "clickCount": 1 });
                self.ask("Input.dispatchMouseEvent", event).await;
            }
            if self.run(ARRIVED, "").await? == true {
                Ok(())
            } else {
                Err(format!("{selector} moved away under the mouse"))
            }
        })
        .await;
    }

    /// Writes into a field.
    pub async fn write(&self, selector: &str, words: &str) {
        self.click(selector).await;
        self.ask("Input.insertText", json!({ "text": words })).await;
    }

    /// Chooses an entry of a menu.
    pub async fn choose(&self, selector: &str, value: &str) {
        let body = format!(
            "const menu = shown(selector); menu.value = {}; menu.dispatchEvent(new Event('change')); return menu.value",
            json!(value)
        );
        let chosen = eventually(LIMIT, async || self.run(&body, selector).await).await;
        assert_eq!(chosen, value, "{selector} has no such entry");
    }

    /// Waits for a tab that this page opened, by a part of its address.
    pub async fn tab(&self, part: &str) -> Page {
        let target = eventually(LIMIT, async || {
            let all = self.wire.ask("", "Target.getTargets", json!({})).await;
            let all = all["targetInfos"].as_array().cloned().unwrap_or_default();
            let wanted = |target: &&Value| {
                target["browserContextId"] == self.context.as_str() && text(&target["url"]).contains(part)
            };
            all.iter().find(wanted).map(|found| text(&found["targetId"]))
        })
        .await;
        Page::attach(&self.wire, target, self.context.clone()).await
    }

    pub async fn close(self) {
        self.wire.ask("", "Target.closeTarget", json!({ "targetId": self.target })).await;
    }

    /// Takes a picture, to be looked at by people: `tmp/page/` of the target folder keeps the newest of each name.
    pub async fn picture(&self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
        std::fs::create_dir_all(&folder).unwrap();
        let taken = self.ask("Page.captureScreenshot", json!({ "format": "png" })).await;
        let png = STANDARD.decode(text(&taken["data"])).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), png).unwrap();
    }
}
