//! The counterpart of QvaPay: a real HTTP server that makes invoices, lets people pay them on a page, and calls
//! back with a signature. Its handle also breaks it in every way a network can, and tells what it saw. State lives
//! in memory. It shares no code with the client that it is there to check, but the type of a rate limit.

mod api;
mod control;
mod deliver;
mod fault;
mod pay_page;
mod state;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinHandle};
use uuid::Uuid;

use crate::clock::Clock;
use crate::integrations::payments::qvapay::RateLimit;

pub use self::deliver::{Attempt, Style};
pub use self::fault::Fault;
use self::state::State;
pub use self::state::{Answers, Invoice, Payment, Status};

/// What a counterpart is started with.
#[derive(Clone)]
pub struct Settings {
    pub app_id: String,
    /// Signs callbacks too.
    pub app_secret: SecretString,
    pub clock: Clock,
    /// Port 0 takes a free one.
    pub bind: SocketAddr,
    pub limit: RateLimit,
    /// What calls back; None: a client as any other, which believes in known certificates alone.
    pub client: Option<reqwest::Client>,
    /// Pauses before each attempt of a callback.
    pub attempts: Vec<Duration>,
}

impl Settings {
    /// QvaPay's limit and its retries after 5 and 30 seconds, on a free port of the loopback address.
    pub fn new(app_id: impl Into<String>, app_secret: SecretString, clock: Clock) -> Self {
        Self {
            app_id: app_id.into(),
            app_secret,
            clock,
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            limit: RateLimit::default(),
            client: None,
            attempts: [0, 5, 25].map(Duration::from_secs).to_vec(),
        }
    }
}

/// A running counterpart; it stops when the last handle is dropped.
#[derive(Clone)]
pub struct QvapayServer {
    qvapay: Qvapay,
    _running: Arc<Running>,
}

struct Running(AbortHandle);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What its routes share.
#[derive(Clone)]
struct Qvapay(Arc<Shared>);

struct Shared {
    settings: Settings,
    base_url: String,
    http: reqwest::Client,
    state: Mutex<State>,
}

impl Qvapay {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settings(&self) -> &Settings {
        &self.0.settings
    }
}

impl QvapayServer {
    /// Listens and answers until the handle is dropped.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.bind).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let http = match &settings.client {
            Some(client) => client.clone(),
            None => reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .timeout(Duration::from_secs(10))
                .build()
                .map_err(io::Error::other)?,
        };
        let qvapay = Qvapay(Arc::new(Shared { settings, base_url, http, state: Mutex::default() }));
        let router = api::routes(&qvapay).merge(pay_page::routes()).merge(control::routes());
        let serving = tokio::spawn(axum::serve(listener, router.with_state(qvapay.clone())).into_future());
        Ok(Self { qvapay, _running: Arc::new(Running(serving.abort_handle())) })
    }

    /// `http://127.0.0.1:PORT`, for the client's `api_url`.
    pub fn base_url(&self) -> &str {
        &self.qvapay.0.base_url
    }

    /// Every invoice, oldest first.
    pub fn invoices(&self) -> Vec<Invoice> {
        self.qvapay.state().invoices().to_vec()
    }

    pub fn invoice(&self, id: Uuid) -> Option<Invoice> {
        self.qvapay.state().invoice(id).cloned()
    }

    /// Adds an invoice as it is, as if it had been made and paid elsewhere.
    pub fn put(&self, invoice: Invoice) {
        self.qvapay.state().add(invoice);
    }

    /// The API calls that came, as `POST /v2/info 200`; 0 stands for an answer that was never given.
    pub fn calls(&self) -> Vec<String> {
        self.qvapay.state().calls.clone()
    }

    /// Every callback that was tried.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.qvapay.state().attempts.clone()
    }

    /// Pays an invoice and calls back as QvaPay does; the handle ends with the last attempt. None: no such invoice.
    pub fn pay(&self, id: Uuid, payment: Payment) -> Option<JoinHandle<Vec<Attempt>>> {
        self.qvapay.pay(id, payment)
    }

    /// Cancels an unpaid invoice; false when there is none.
    pub fn cancel(&self, id: Uuid) -> bool {
        self.qvapay.cancel(id)
    }

    /// Sends one callback of an invoice, once. None: no such invoice, or it has no webhook.
    pub async fn deliver(&self, id: Uuid, style: Style) -> Option<Attempt> {
        self.qvapay.deliver(id, style).await
    }

    /// Sends the signed callback `times` times at once, without retries.
    pub async fn deliver_at_once(&self, id: Uuid, times: usize) -> Vec<Attempt> {
        self.qvapay.deliver_at_once(id, times).await
    }

    /// The next `times` API calls meet this fault.
    pub fn fault(&self, fault: Fault, times: usize) {
        self.qvapay.state().faults.extend(std::iter::repeat_n(fault, times));
    }

    pub fn clear_faults(&self) {
        self.qvapay.state().faults.clear();
    }

    /// Answers in another of the shapes that are known of the real one.
    pub fn answer_as(&self, answers: Answers) {
        self.qvapay.state().answers = answers;
    }
}
