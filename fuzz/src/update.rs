//! Bodies that Telegram delivers: what the route stores and what the worker reads are the same, within their limits.

use usipipo::integrations::telegram::update::{Message, Unreadable, Update, UpdateKind, envelope, parse};
use usipipo::models::bot::Bot;

use crate::memory::bounded;

pub fn check(body: &[u8]) {
    let parsed = bounded(body.len(), || parse(body));
    for bot in Bot::ALL {
        match (bounded(body.len(), || envelope(*bot, body)), &parsed) {
            (Ok(stored), Ok(update)) => {
                assert_eq!(stored.update_id, update.update_id);
                assert!(stored.update_id >= 0);
                fits_its_column(*bot, &stored.lane);
                let urgent = matches!(update.kind, UpdateKind::PreCheckout(_));
                assert_eq!(stored.class, u8::from(!urgent), "only a checkout overtakes");
            }
            (Err(route), Err(worker)) => assert_eq!(route, *worker),
            (route, worker) => panic!("the route says {route:?}, the worker {worker:?}"),
        }
    }
    match parsed {
        Ok(update) => holds_what_it_may(&update),
        Err(Unreadable { reason, .. }) => assert!((1..=300).contains(&reason.chars().count())),
    }
}

/// A lane is ASCII of at most 96 bytes, and tells the bot it belongs to.
fn fits_its_column(bot: Bot, lane: &str) {
    let place = lane.strip_prefix(bot.as_str()).and_then(|rest| rest.strip_prefix(':'));
    assert!(place.is_some_and(|place| !place.is_empty()), "{lane:?} is no lane of {bot}");
    assert!(lane.len() <= 96 && lane.bytes().all(|byte| byte.is_ascii_graphic()), "{lane:?}");
}

fn holds_what_it_may(update: &Update) {
    match &update.kind {
        UpdateKind::Message(message) | UpdateKind::EditedMessage(message) => of_a_message(message),
        UpdateKind::PreCheckout(query) => assert!(query.total_amount >= 0),
        UpdateKind::Callback(query) => {
            let _ = query.message.as_ref().map(|message| message.is_accessible());
        }
        UpdateKind::MyChatMember(change) => {
            assert!(!(change.is_block() && change.is_unblock()));
            assert!(!change.is_block() || change.chat.is_private());
        }
        UpdateKind::Subscription(_) => {}
        UpdateKind::Other(kind) => assert!(kind.chars().count() <= 64),
    }
}

fn of_a_message(message: &Message) {
    let money = [&message.successful_payment, &message.refunded_payment];
    assert!(money.into_iter().flatten().all(|payment| payment.total_amount >= 0));
    let _ = (message.reply_to(), message.topic_event(), message.file());
    crate::typed::is_a_command_or_none(message);
}
