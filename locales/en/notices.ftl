# What people and admins are told without asking.

# --- people ---
told-config-delayed =
    ⏳ <b>Your { $protocol } configuration is taking longer than usual.</b>

    We are on it and your plan is safe. I'll send it here as soon as it is ready; there is nothing you need to do.
told-config-failed =
    😔 <b>We could not make your { $protocol } configuration.</b>

    Your plan is safe, and the team knows. I'll send it here as soon as this is mended; if it takes too long for you, support will help.
told-charge-sent-back = ↩️ <b>We gave { $price } back to you.</b> It had come for no open order and bought nothing.
told-role = 🎖 You have a new role: <b>{ $role }</b>.
told-role-until = 🎖 You have a new role: <b>{ $role }</b>, until { $moment }.
told-role-over = 🎖 You no longer have the role <b>{ $role }</b>.

# --- alerts for admins ---
alert-event-dead =
    📥 <b>An incoming event failed for good</b>

    Source: { $source }
    Event: { $event }
    Cause: { $reason }

    👉 Fix the cause, then replay it on the server: <code>usipipo events replay</code> with that id.
alert-job-failing =
    ⚙️ <b>A job keeps failing</b>

    Job: { $kind }
    Tries: { $attempts }
    Cause: { $reason }

    👉 It is tried again by itself. If it stays like this, look at <code>usipipo jobs list</code>.
alert-job-dead =
    ⛔ <b>A job failed for good</b>

    Job: { $kind }
    Cause: { $reason }

    👉 Fix the cause. <code>usipipo jobs list</code> shows what waits, <code>usipipo jobs retry</code> starts it again.
alert-message-dead =
    ✉️ <b>A message could not be delivered</b>

    Chat: { $chat }
    Cause: { $reason }

    👉 The person did not get it. If it mattered, write to them.
alert-payment-review =
    🔎 <b>A payment needs a human</b>

    Order: { $number }
    Paid: { $amount } · { $provider }
    Person: { $person }
    Cause: { $reason }

    👉 Nothing was given for it. Compare it with the account at { $provider }, then accept it or give it back: both are behind the button.
alert-payment-unmatched =
    🔎 <b>Money came that fits no order</b>

    No. { $number }
    Paid: { $amount } · { $provider }
    Person: { $person }
    Cause: { $reason }

    👉 Nothing was given for it. Look at it to send it back; once it is settled in some other way, close it and say how: { $command }
alert-provisioning-delayed =
    🐌 <b>Somebody is waiting for their configuration</b>

    Person: { $user }
    Device: { $config }
    Cause: { $reason }

    👉 It is tried again by itself and the person knows. Check the servers: <code>usipipo server test</code>
alert-no-server =
    🚧 <b>Somebody paid and there is no server to connect them to</b>

    Person: { $user }

    👉 Add one: <code>usipipo server add</code>. They have the plan and the button that adds their device.
alert-pool-low =
    📉 <b>Addresses are running out</b>

    Server: { $server }
    Pool: { $kind }
    Free: { $free }

    👉 Add a server or a larger pool before it is full: without addresses nobody new can connect.
alert-server-down =
    🔴 <b>A server does not answer</b>

    Server: { $server }
    Cause: { $reason }

    👉 People on it have no connection now. Check the server; I'll tell you when it is back.
alert-server-up = 🟢 <b>{ $server } is back</b>
alert-books-wrong =
    🧾 <b>The books do not add up</b>

    { $findings }

    👉 Nothing was changed. <code>usipipo doctor --invariants</code> shows it again; the log and /audit say what happened before.
alert-repeated =
    🔁 <b>It happened { $times } times in an hour:</b> { $topic }

    I told you of the first one only, so as not to flood your chat.

    👉 The log has all of them.
alert-button-person = 👤 Who is it
alert-button-log = 🕓 Log
