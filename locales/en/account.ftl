# Profile, history, roles, status and legal texts.

# --- profile ---
profile-title = 👤 <b>{ $name }</b>
profile-id = Your id: { $id }
profile-username = Username: @{ $username }
profile-language = Language: { $language }
profile-since = With us since { $date }
profile-roles = Roles: { $roles }
profile-no-subscription = You have no active plan.
profile-payments = 💳 <b>Your last payments</b>
profile-button-logs = 🕓 History
profile-button-roles = 🎖 My roles

# --- payments ---
payment-line = { $date } · { $plan } · { $price } · { $status }
payment-pending = waiting
payment-completed = paid
payment-refunded = refunded
payment-expired = expired
payment-failed = failed
payment-cancelled = cancelled
payment-review = in review

# --- roles ---
roles-title = 🎖 <b>Your roles</b>
roles-only-user = You are a regular user, with no special roles.
roles-allow = You may use: { $commands }
role-always = • { $role }
role-until = • { $role }, until { $moment }
role-user = User
role-support = Support
role-finance = Finance
role-admin = Admin
role-superadmin = Superadmin

# --- history ---
logs-title = 🕓 <b>Your account history</b>
logs-line = { $moment } · { $what }
logs-action = { $action ->
    [user_joined] You came here for the first time
    [user_returned] You came back
    [user_blocked_bot] You blocked the bot
    [language_set] You changed the language
    [setting_set] You changed a setting
    [referrer_set] You came by an invitation
    [trial_started] You started the free trial
    [order_created] You placed an order
    [order_cancelled] You cancelled an order
    [payment_completed] Payment received
    [payment_refunded] Payment refunded
    [config_added] You added a device
    [config_renamed] You renamed a device
    [config_revoked] You removed a device
    [config_delivered] You got a configuration
    [renewal_changed] Automatic renewal changed
   *[other] { $action }
}

# --- status ---
status-title = 📡 <b>Status</b>
status-service = { $dot } { $service }
status-bot = Bot
status-delivery = Handing out connections
status-payments = Payments with { $provider }
status-servers = <b>Servers</b>
status-no-servers = There are no servers yet.
status-server = { $dot } { $location } · { $protocol }
status-server-full = { $dot } { $location } · { $protocol } · full
status-server-down = { $dot } { $location } · { $protocol } · down, we are on it
status-server-unknown = { $dot } { $location } · { $protocol } · not checked yet
status-checked = Checked { $ago }

# --- legal texts ---
terms =
    📜 <b>Terms</b>

    We are a small business that sells VPN access over Telegram.

    • <b>What you buy:</b> access for the days, traffic and devices of your plan. It starts when the payment is confirmed; a renewal adds to it.
    • <b>How to use it:</b> it is for you. Don't resell it, and don't use it for spam, attacks, fraud or anything illegal; we close the access if you do.
    • <b>What we promise:</b> we look after the servers and mend what breaks as soon as we can. We cannot promise that it works at all times on every network, because some of them block VPNs.
    • <b>Refunds:</b> if you cannot connect and we cannot solve it, you get your money back. Write to us with /paysupport.
    • <b>Changes:</b> a new price never touches what you have already paid for.
privacy =
    🔒 <b>Privacy</b>

    <b>We keep only what we need:</b>
    • your Telegram id, name, username and language;
    • your orders and payments (amount, date and number; never your card);
    • your connections: name, server, how much traffic they used and when they last connected;
    • a log of the changes on your account (see it with /mylogs).

    <b>We do not keep</b> which pages you visit, your messages or the contents of your traffic.

    Keys are stored encrypted. We neither sell nor give away your data; the payment provider sees only your order. If you want your data deleted, write to support.
paysupport =
    💳 <b>Help with a payment</b>

    • Paid and nothing came? Give it a few minutes: payments are checked automatically, late ones too.
    • Paid too much or twice, or want a refund? Write to support with the order number and we will sort it out.

    Payments in this bot are our responsibility: Telegram's support cannot help with them.
paysupport-id = Your id: { $id }
