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
logs-line = { $when } · { $what }
logs-action = { $action ->
    [user_joined] You started using the bot
    [user_returned] You came back
    [user_blocked_bot] You blocked the bot
    [user_banned] You banned somebody
    [user_unbanned] You unbanned somebody
    [language_set] You changed the language
    [referrer_set] You joined by invitation
    [role_granted] You gave a role
    [role_revoked] You took a role away
    [role_ended] A role ended
    [order_created] You placed an order
    [order_cancelled] You cancelled an order
    [order_closed] An order was closed without payment
    [invoice_failed] An invoice could not be made
    [callback_ignored] A payment notice did not fit and was ignored
    [payment_completed] Payment received
    [payment_review] A payment went to review
    [review_accepted] You accepted a payment in review
    [payment_unmatched] Money came that fits no order
    [charge_closed] You closed money without an order
    [charge_sent_back] Money without an order went back
    [refund_requested] You started a refund
    [refunded_by_hand] You paid a payment back by hand
    [payment_refunded] Payment refunded
    [renewal_changed] Automatic renewal changed
    [trial_started] You started the free trial
    [subscription_ended] A subscription ended
    [subscription_expired] An ended subscription was cleared away
    [subscription_extended] A purchase extended the subscription
    [subscription_resumed] Access works again
    [subscription_taken_back] Access was taken back after a refund
    [traffic_used_up] The data was used up
    [config_added] You added a device
    [config_delivered] You got a configuration
    [config_renamed] You renamed a device
    [config_follows] A device was paused or resumed with its plan
    [config_revoked] You removed a device
    [config_removed] A device was taken off its server
    [first_config_missing] There was no server for a new device
    [provisioning_delayed] A configuration took longer than usual
    [plan_added] You added a plan
    [plan_disabled] You took a plan off sale
    [server_added] You added a server
    [server_updated] You changed a server
    [server_secret_replaced] You replaced the access of a server
    [server_removed] You removed a server
    [server_health] A server went down or came back
    [pool_low] Addresses were running out
    [books_wrong] The books did not add up
    [secrets_resealed] The keys were encrypted anew
    [event_dead] An incoming event failed for good
    [event_replayed] You replayed an event
    [job_failing] A job kept failing
    [job_dead] A job failed for good
    [job_retried] You retried a job
    [message_dead] A message could not be delivered
    [clock_turned] The clock of the demo was turned
   *[other] { $action }
}
logs-error = Something went wrong on our side

# --- status ---
status-title = 📡 <b>Status</b>
status-service = { $dot } { $service }
status-bot = Bot
status-delivery = Handing out configurations
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

    • <b>What you buy:</b> access for the days, data and devices of your plan. It starts when the payment is confirmed; a renewal adds to it.
    • <b>How to use it:</b> it is for you. Don't resell it, and don't use it for spam, attacks, fraud or anything illegal; we close the access if you do.
    • <b>What we promise:</b> we look after the servers and fix what breaks as soon as we can. We cannot promise that it works at all times on every network, because some of them block VPNs.
    • <b>Refunds:</b> if you cannot connect and we cannot solve it, you get your money back. Write to us with /paysupport.
    • <b>Changes:</b> a new price never touches what you have already paid for.
terms-elsewhere =
    📜 <b>Terms</b>

    The terms of the service are behind the button below.
privacy =
    🔒 <b>Privacy</b>

    <b>We keep only what we need:</b>
    • your Telegram id, name, username and language;
    • your orders and payments (amount, date and number; never your card);
    • your devices: name, server, how much data they used and when they last connected;
    • a log of the changes on your account (see it with /mylogs).

    <b>We do not keep</b> which pages you visit, your messages or the contents of your traffic.

    Keys are stored encrypted. We neither sell nor give away your data; the payment provider sees only your order. If you want your data deleted, write to support.
paysupport =
    💳 <b>Help with a payment</b>

    • Paid and nothing came? Give it a few minutes: payments are checked automatically, late ones too.
    • Paid too much or twice, or want a refund? Write to support with the order number and we will sort it out.

    Payments in this bot are our responsibility: Telegram's support cannot help with them.
paysupport-id = Your id: { $id }
