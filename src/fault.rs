//! Places where a test ends the process, as a power cut does: before and after every commit and every call to the
//! outside. Only debug builds have them; in a release build [`before`] and [`after`] are nothing.
//!
//! The variable `FAILPOINTS` arms a place: `FAILPOINTS='after:handle_event=2*off->return'` passes it twice and kills
//! the process with SIGKILL the third time. `FAULTS_PASSED` names a file that every place is added to when it is
//! passed, a line each. Tests compare the lists below with the code, and with what they pass.

use std::fmt::Display;

/// Names of the commits of a serving process.
pub const COMMITS: &[&str] = &[
    // inbox
    "store_events",
    "handle_event",
    "note_failed_event",
    "give_up_event",
    // outbox
    "reserve_slots",
    "pause_bot",
    "open_config",
    "word_notice",
    "message_sent",
    "message_left_out",
    "hold_message",
    "note_failed_message",
    "give_up_message",
    "chat_blocked",
    // jobs
    "begin_job",
    "finish_job",
    "note_failed_job",
    "note_unknown_job",
    "put_off_job",
    "give_up_job",
    "place_config",
    "config_applied",
    "config_removed",
    "follow_subscription",
    "expire_subscriptions",
    "end_roles",
    "title_order",
    "invoice_made",
    "payment_observed",
    "due_for_look",
    "order_looked_at",
    "look_on",
    "payment_refunded",
    "charge_sent_back",
    "poll_payments",
    "tick_servers",
    "note_health",
    "usage_growth",
    "account_usage",
    "desired_of_server",
    "find_successor",
    "server_dismantled",
    "watch_pools",
    "check_books",
    "report_books",
    "sum_up_alerts",
    "purge",
    // leases and the clock
    "claim_lanes",
    "release_lane",
    "renew_lane",
    "extend_lease",
    "postpone_lane",
    "hand_over_lane",
    "release_all_lanes",
    "schedule_tick",
    "begin",
    "purge_goes_on",
    "stars_book_read",
    "bot_set_up",
    "menu_of_chat",
    "menu_of_chat_set",
    "queue_menus",
];

/// Names of the calls to the outside: who is called, and with what.
pub const CALLS: &[&str] = &[
    "telegram:getMe",
    "telegram:getWebhookInfo",
    "telegram:setWebhook",
    "telegram:setMyCommands",
    "telegram:deleteMyCommands",
    "telegram:setMyName",
    "telegram:setMyDescription",
    "telegram:setMyShortDescription",
    "telegram:sendMessage",
    "telegram:editMessageText",
    "telegram:sendPhoto",
    "telegram:sendDocument",
    "telegram:sendInvoice",
    "telegram:answerCallbackQuery",
    "telegram:answerPreCheckoutQuery",
    "telegram:getStarTransactions",
    "telegram:refundStarPayment",
    "qvapay:GET",
    "qvapay:POST",
    "outline:GET /server",
    "outline:GET /access-keys",
    "outline:GET /metrics",
    "outline:PUT /access-keys",
    "outline:POST /access-keys",
    "outline:DELETE /access-keys",
    "wireguard:ip",
    "wireguard:wg",
    "wireguard:sh",
    "wireguard:wireguard-go",
    "wireguard:file",
];

/// Reads `FAILPOINTS`. To be called once, before anything works.
pub fn arm() {
    #[cfg(debug_assertions)]
    // Never torn down: what is armed holds as long as the process lives.
    std::mem::forget(fail::FailScenario::setup());
}

/// The next thing is the commit or call of this name.
#[inline]
pub fn before(what: impl Display) {
    #[cfg(debug_assertions)]
    pass("before", what);
    #[cfg(not(debug_assertions))]
    let _ = what;
}

/// The commit or call of this name has taken effect, and nobody here knows it yet.
#[inline]
pub fn after(what: impl Display) {
    #[cfg(debug_assertions)]
    pass("after", what);
    #[cfg(not(debug_assertions))]
    let _ = what;
}

#[cfg(debug_assertions)]
fn pass(moment: &str, what: impl Display) {
    let place = format!("{moment}:{what}");
    note(&place);
    fail::eval(&place, |_| {
        use rustix::process::{Signal, getpid, kill_process};
        // SIGKILL: no destructor runs, nothing is written, as when the machine loses its power.
        let _ = kill_process(getpid(), Signal::KILL);
        std::process::abort()
    });
}

/// Adds a place to the file of those that were passed, if there is one.
#[cfg(debug_assertions)]
fn note(place: &str) {
    use std::fs::{File, OpenOptions};
    use std::io::Write;
    use std::sync::LazyLock;
    static PASSED: LazyLock<Option<File>> = LazyLock::new(|| {
        let path = std::env::var_os("FAULTS_PASSED")?;
        OpenOptions::new().create(true).append(true).open(path).ok()
    });
    if let Some(mut passed) = PASSED.as_ref() {
        // One write, so that lines of several processes never mix. A place that is not noted is missed by the test.
        let _ = passed.write_all(format!("{place}\n").as_bytes());
    }
}
