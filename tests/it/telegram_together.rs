//! Reader, client and the counterpart of Telegram together: a person writes, presses, pays and leaves.

use axum::Router;
use axum::body::Bytes;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use usipipo::clock::Clock;
use usipipo::demo::telegram::{Options, PersonSpec, TelegramServer};
use usipipo::ids::{ChatId, UserId};
use usipipo::integrations::payments::stars::{Stars, payload_of};
use usipipo::integrations::payments::{ObservedState, OrderHandle, Provider, RefundOutcome, Urgency};
use usipipo::integrations::telegram::api::{
    BotCommand, CommandScope, Rendered, SendError, Telegram, Upload, http_client,
};
use usipipo::integrations::telegram::update::{HANDLED, Message, UpdateKind, envelope, parse};
use usipipo::integrations::vpn::qr;
use usipipo::models::bot::{Bot, Language};
use usipipo::models::outgoing::{Ack, Button, ButtonAction, Keyboard};

const TOKEN: &str = "7204918365:AAdemo_client";
const BOT: &str = "usipipo_bot";
const ANA: i64 = 6_018_273_645;
const CHAT: ChatId = ChatId(ANA);

struct Meeting {
    server: TelegramServer,
    telegram: Telegram,
    updates: mpsc::UnboundedReceiver<UpdateKind>,
}

impl Meeting {
    async fn new() -> Self {
        let server = TelegramServer::start(Options::hasty(Clock::default())).await.unwrap();
        server.add_bot(TOKEN, BOT, "uSipipo");
        let telegram =
            Telegram::new(Bot::Client, SecretString::from(TOKEN), &server.url(), http_client().unwrap());
        let (tell, updates) = mpsc::unbounded_channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().fallback(move |body: Bytes| {
            assert!(envelope(Bot::Client, &body).unwrap().lane.starts_with("client:"));
            tell.send(parse(&body).unwrap().kind).unwrap();
            async { "" }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        telegram.set_webhook(&url, &SecretString::from("s3cret"), &HANDLED, 40).await.unwrap();
        Self { server, telegram, updates }
    }

    async fn update(&mut self) -> UpdateKind {
        self.updates.recv().await.unwrap()
    }

    async fn message(&mut self) -> Message {
        match self.update().await {
            UpdateKind::Message(message) => message,
            other => panic!("{other:?}"),
        }
    }
}

fn text(html: &str, button: &str) -> Rendered {
    let button = Button { text: button.to_owned(), action: ButtonAction::Callback("buy:1".to_owned()) };
    Rendered::Text { html: html.to_owned(), keyboard: Some(Keyboard(vec![vec![button]])) }
}

#[tokio::test]
async fn a_person_writes_presses_and_gets_files() {
    let mut meeting = Meeting::new().await;
    let ana = meeting.server.person(PersonSpec::new(ANA, "Ana", "es"));
    ana.send_text(BOT, "/start ref_1").unwrap();
    let message = meeting.message().await;
    assert_eq!(message.from.as_ref().unwrap().language_code.as_deref(), Some("es"));
    assert_eq!(message.command(Some(BOT)).unwrap().args, "ref_1");

    let sent = meeting.telegram.send(CHAT, &text("<b>Hola</b>", "Comprar")).await.unwrap();
    let press = ana.click(BOT, "Comprar").unwrap();
    let UpdateKind::Callback(query) = meeting.update().await else { panic!("not a press") };
    assert_eq!(
        (query.data.as_deref(), query.message.as_ref().map(|it| it.message_id)),
        (Some("buy:1"), sent.message_id)
    );
    let ack = Some(Ack { callback_id: query.id, text: Some("Ya".to_owned()), alert: false });
    let edit = Rendered::Edit {
        message_id: sent.message_id.unwrap(),
        html: "<i>Planes</i>".to_owned(),
        keyboard: None,
        ack,
    };
    assert_eq!(meeting.telegram.send(CHAT, &edit).await, Ok(sent));
    assert_eq!(
        meeting.telegram.send(CHAT, &edit).await,
        Ok(sent),
        "repeating changes nothing and is no failure"
    );
    assert!(press.answered().await.is_some());

    let conf =
        Upload { file_name: "vpn.conf".to_owned(), bytes: b"[Interface]\n".to_vec(), mime: "text/plain" };
    let document = Rendered::Document { file: conf, caption: "tu <b>VPN</b>".to_owned(), keyboard: None };
    meeting.telegram.send(CHAT, &document).await.unwrap();
    let code =
        Upload { file_name: "qr.png".to_owned(), bytes: qr::png("ss://x").unwrap(), mime: "image/png" };
    let photo = Rendered::Photo { file: code, caption: String::new(), keyboard: None };
    let photo = meeting.telegram.send(CHAT, &photo).await.unwrap().message_id.unwrap();
    let shown = ana.messages(BOT).unwrap();
    assert!(shown.iter().any(|it| it.html == "<i>Planes</i>" && it.edited));
    let file = shown.iter().find_map(|it| it.document.as_ref()).unwrap();
    assert_eq!((file.name.as_str(), &file.bytes[..]), ("vpn.conf", b"[Interface]\n".as_slice()));
    assert!(shown.last().unwrap().photo.is_some());

    let screen = Rendered::Edit { message_id: photo, html: "menu".to_owned(), keyboard: None, ack: None };
    let instead = meeting.telegram.send(CHAT, &screen).await.unwrap();
    assert_ne!(instead.message_id, Some(photo), "a photo cannot become a text: a new message shows it");

    ana.block(BOT).unwrap();
    let UpdateKind::MyChatMember(change) = meeting.update().await else { panic!("not a change") };
    assert!(change.is_block());
    assert_eq!(meeting.telegram.send(CHAT, &text("x", "y")).await, Err(SendError::Blocked));
}

#[tokio::test]
async fn a_person_pays_in_stars_and_gets_them_back() {
    let mut meeting = Meeting::new().await;
    let ana = meeting.server.person(PersonSpec::new(ANA, "Ana", "es"));
    ana.open(BOT).unwrap();
    let telegram = meeting.telegram.clone();
    let invoice = Rendered::StarsInvoice {
        title: "VPN".to_owned(),
        description: "30 días".to_owned(),
        payload: payload_of("ord_1"),
        amount: 150,
    };
    let invoice = telegram.send(CHAT, &invoice).await.unwrap().message_id.unwrap();
    let asked = async {
        let UpdateKind::PreCheckout(query) = meeting.update().await else { panic!("not a question") };
        assert_eq!((query.total_amount, query.currency.as_str()), (150, "XTR"));
        telegram.send(CHAT, &Rendered::PreCheckout { query_id: query.id, error: None }).await.unwrap();
    };
    let (receipt, ()) = tokio::join!(ana.pay(BOT, invoice), asked);
    let receipt = receipt.unwrap();
    let paid = meeting.message().await.successful_payment.unwrap();
    assert_eq!(
        (paid.invoice_payload.as_str(), &paid.telegram_payment_charge_id),
        ("ord_1.v1", &receipt.charge_id)
    );

    let stars = Stars::new(telegram.clone());
    let mut order = OrderHandle { order_ref: "ord_1".to_owned(), invoice_id: None, charge_id: None };
    let seen = stars.observe(&order, Urgency::Now).await.unwrap().unwrap();
    assert_eq!(
        (seen.state, seen.payer, &seen.charge_id),
        (ObservedState::Paid, Some(UserId(ANA)), &receipt.charge_id)
    );
    for outcome in [RefundOutcome::Done, RefundOutcome::AlreadyDone] {
        assert_eq!(stars.refund(&receipt.charge_id, UserId(ANA)).await.unwrap(), outcome);
    }
    order.charge_id = Some(receipt.charge_id);
    assert_eq!(stars.observe(&order, Urgency::Now).await.unwrap().unwrap().state, ObservedState::Cancelled);
    assert!(meeting.message().await.refunded_payment.is_some());
    stars.check().await.unwrap();
}

#[tokio::test]
async fn a_bot_is_set_up_and_asked_about_itself() {
    let meeting = Meeting::new().await;
    let bot = &meeting.telegram;
    assert_eq!(bot.get_me().await.unwrap().username, BOT);
    let info = bot.get_webhook_info().await.unwrap();
    assert_eq!((info.max_connections, info.last_error_message), (Some(40), None));
    assert_eq!(info.allowed_updates, HANDLED);
    let commands = [BotCommand::new("start", "Empezar")];
    bot.set_my_commands(&commands, CommandScope::AllPrivateChats, Some(Language::Es)).await.unwrap();
    bot.set_my_commands(&commands, CommandScope::Default, None).await.unwrap();
    bot.set_my_name("VPN", None).await.unwrap();
    bot.set_my_description("VPN", Some(Language::Ru)).await.unwrap();
    bot.set_my_short_description("VPN", None).await.unwrap();
    bot.delete_webhook().await.unwrap();
    assert_eq!(bot.get_webhook_info().await.unwrap().url, "");
}
