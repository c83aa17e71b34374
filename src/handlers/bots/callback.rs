//! What the buttons say when they are pressed: a typed codec of at most 64 bytes. Callback data comes back from
//! people's phones, so it is read as strictly as any input: what `encode` would not have written is refused, and
//! whether the person may touch what it names is for the services to decide.

use crate::ids::{ChargeId, ConfigId, PaymentId, PlanId, SubscriptionId, UserId};
use crate::models::bot::Language;
use crate::models::payment::ProviderId;
use crate::models::text_enum;
use crate::models::vpn::Protocol;

text_enum! {
    /// The system of a person's device; decides which guide is shown.
    Os {
        Android = "android",
        Ios = "ios",
        Windows = "windows",
        Macos = "macos",
        Linux = "linux",
    }
}

impl Os {
    /// The setting that holds the system a person chose last.
    pub const SETTING: &'static str = "device_os";
}

/// Callback data that Telegram carries at most (core.telegram.org/bots/api#inlinekeyboardbutton).
pub const MAX_BYTES: usize = 64;

macro_rules! callbacks {
    ($($(#[$doc:meta])* $name:ident $(($($arg:ident: $kind:ty),+))? = $tag:literal;)*) => {
        /// What a button does. On the wire: the tag and its values with `:` between, e.g. `cfg-qr:12`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Callback { $($(#[$doc])* $name $(($($kind),+))?,)* }

        impl Callback {
            /// The tags of all variants.
            pub const TAGS: &'static [&'static str] = &[$($tag),*];

            /// The text that goes into the button.
            pub fn encode(self) -> String {
                match self {
                    $(Callback::$name $(($($arg),+))? => [$tag.to_owned() $(, $($arg.to_string()),+)?].join(":"),)*
                }
            }

            fn read(tag: &str, values: &mut std::str::Split<'_, char>) -> Option<Self> {
                Some(match tag {
                    $($tag => Callback::$name $(($(values.next()?.parse::<$kind>().ok()?),+))?,)*
                    _ => return None,
                })
            }
        }
    };
}

callbacks! {
    Home = "home";
    Help = "help";
    Profile = "profile";
    Status = "status";
    Terms = "terms";
    Privacy = "privacy";
    PaySupport = "paysupport";
    MyRoles = "myroles";
    /// Pages count from 0.
    MyLogs(page: u32) = "mylogs";
    Languages = "langs";
    SetLanguage(language: Language) = "lang";
    /// Leaves the question that the bot asked.
    Cancel = "cancel";

    Trial = "trial";
    TakeTrial(protocol: Protocol) = "trial-take";
    Plans = "plans";
    Plan(plan: PlanId) = "plan";
    Buy(plan: PlanId, provider: ProviderId) = "buy";
    /// Shows an order as it stands now; asks the provider when it waits for money.
    Order(payment: PaymentId) = "order";
    CancelOrder(payment: PaymentId) = "order-cancel";

    Vpn = "vpn";
    AddConfig = "add";
    AddConfigTo(subscription: SubscriptionId, protocol: Protocol) = "add-to";
    Config(config: ConfigId) = "cfg";
    ConfigFile(config: ConfigId) = "cfg-file";
    ConfigQr(config: ConfigId) = "cfg-qr";
    ConfigText(config: ConfigId) = "cfg-text";
    RenameConfig(config: ConfigId) = "cfg-name";
    /// Asks before revoking.
    RevokeConfig(config: ConfigId) = "cfg-revoke";
    RevokeConfigNow(config: ConfigId) = "cfg-revoke-yes";
    /// Systems to choose from, then the guide, for one config.
    ConfigGuides(config: ConfigId) = "cfg-guides";
    ConfigGuide(config: ConfigId, os: Os) = "cfg-guide";

    /// What to do when one config does not connect.
    ConfigTrouble(config: ConfigId) = "cfg-trouble";

    /// Guides for those who have no config at hand.
    Guides = "guides";
    GuidesFor(protocol: Protocol) = "guides-for";
    Guide(protocol: Protocol, os: Os) = "guide";
    Trouble = "trouble";

    /// Admins: everybody, newest first.
    Users(page: u32) = "users";
    Whois(user: UserId) = "whois";
    Audit(page: u32) = "audit";
    AuditOf(user: UserId, page: u32) = "audit-of";
    Stats = "stats";
    /// Asks before refunding.
    Refund(payment: PaymentId) = "refund";
    RefundNow(payment: PaymentId) = "refund-yes";
    /// The money was paid back at the provider.
    RefundedByHand(payment: PaymentId) = "refund-hand";
    Reviews = "reviews";
    /// An order in review, and what can be done.
    Review(payment: PaymentId) = "review";
    AcceptReview(payment: PaymentId) = "review-yes";
    /// Money without an order.
    Charge(charge: ChargeId) = "charge";
    SendBack(charge: ChargeId) = "charge-back";
    /// Asks before banning.
    Ban(user: UserId) = "ban";
    BanNow(user: UserId) = "ban-yes";
    Unban(user: UserId) = "unban";
}

impl Callback {
    /// Reads the data of a press; None for what no button of ours says (any more): a stale or forged button.
    pub fn decode(data: &str) -> Option<Self> {
        let mut values = data.split(':');
        let callback = Self::read(values.next()?, &mut values)?;
        // One spelling only: no sign, no leading zero, nothing behind.
        (callback.encode() == data).then_some(callback)
    }
}
