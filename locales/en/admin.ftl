# Screens for the team.

admin-person = { $name } (@{ $username })
user-active = all fine
user-banned = banned by the team
user-blocked = blocked the bot

# --- one person ---
whois-title = 👤 <b>{ $who }</b>
whois-facts = { $id } · { $language } · { $status }
whois-times = Since { $date } · seen: { $ago }
whois-trial-used = 🎁 Trial taken on { $date }
whois-trial-free = 🎁 Trial not taken
whois-configs = 🔑 { $devices }
whois-referrer = 🔗 Came by { $code }
whois-button-refund = ↩️ Refund { $plan } · { $price }
whois-button-audit = 🕓 Log
whois-button-ban = ⛔ Ban
whois-button-unban = ✅ Unban

# --- people ---
users-title = 👥 <b>People</b> ({ $total })
users-line = • { $who } · { $id } · { $ago }
users-line-status = • { $who } · { $id } · { $ago } · { $status }
usage = ✍️ <b>{ $what }</b>
no-such-user = 🤷 I can't find { $given }. They must have written to the bot at least once.

# --- log ---
audit-title = 🕓 <b>Log of changes</b>
audit-title-of = 🕓 <b>Log of</b> { $id }
audit-system = SYSTEM
audit-line = { $moment } · { $actor } · <b>{ $action }</b> · { $target }

# --- numbers ---
stats-title = 📊 <b>Stats</b>
stats-people = 👥 People: <b>{ $people }</b> (new today: { $today } · active in 7 days: { $week })
stats-access = 🔑 Active plans: <b>{ $paid }</b> · trials: { $trials } · devices: { $configs }
stats-today = 💰 Today: { $sums } (payments: { $orders })
stats-month = 💰 30 days: { $sums } (payments: { $orders })
stats-nothing = no sales
stats-servers = 📡 Servers up: { $up } of { $all }
stats-queues = 📬 Waiting: incoming { $events } · messages { $messages } · jobs { $jobs }
stats-dead = ⚠️ Failed for good after several tries: { $dead }
stats-reviews = 🔎 Payments to review: { $reviews }

# --- refunds ---
refund-question =
    ↩️ <b>Refund { $price }?</b>

    { $who } · { $id }
    { $plan } · { $provider }
    Paid on { $moment }
    { $reference }
refund-ends = The days that it bought are removed: the access will end on { $date }.
refund-ends-now = The access that it bought is removed: it ends at once.
refund-too-late = What it bought is over already: no access is removed.
refund-charge = Transaction: { $charge }
refund-hand-first = { $provider } cannot refund from here. First return it by hand at { $provider }, then press the button.
refund-button-yes = ↩️ Yes, refund { $price }
refund-button-hand = ✅ I have paid back { $price }
refund-noted = ↩️ Noted: { $reference } is refunded. The person is told.
refund-button-no = ‹ Don't refund
refund-started = ↩️ On its way: { $reference }. The person is told once the money is back.
refund-not-paid = That order cannot be refunded. It is: { $status }.
refund-no-money = No money is known to have come for that order, so there is nothing to give back.
refund-no-order = 🤷 I can't find that order.
refund-by-hand = { $provider } cannot refund from here. Return it by hand at { $provider }; nothing has changed yet.

# --- payments to look at ---
reviews-title = 🔎 <b>Payments to look at</b>
reviews-none = There is nothing to look at 🎉
reviews-button-all = 🔎 Payments to look at
reviews-button = 🔎 Look at it
reviews-order = <b>Order { $number }</b> · { $plan } · { $money } · { $moment }
reviews-button-order = 🔎 Order { $number } · { $money }
reviews-button-charge = 🔎 No. { $number } · { $money }
charge-line = <b>No. { $number }</b> · { $money } · { $provider } · { $moment }
charge-facts =
    Who paid: { $payer }
    Order it names: { $order }
    Transaction: { $charge }
charge-how = 👉 Once it is settled, close it and say how: { $command }
charge-sent-back = ↩️ On its way: the money goes back the way it came.
charge-closed = ✅ Closed.
charge-gone = 🤷 There is none, or it is closed already.

# --- an order in review ---
review-order =
    🔎 <b>Order { $number } · { $plan }</b>

    { $who } · { $id }
    { $moment }
    { $reference }
review-agreed = Agreed: <b>{ $price }</b> · { $provider }
review-came = Came: <b>{ $money }</b>
review-came-unknown = Came: nobody knows how much. Look at the account at { $provider }.
review-payer = Paid by: { $who } · { $id }
review-reason = Why it is here: { $reason }
review-gives = ✅ If you accept, it gives what was ordered: { $days } · { $traffic } · { $devices }, access until <b>{ $date }</b>. What came is booked as paid.
review-button-accept = ✅ Accept { $money }, give the plan
review-button-refund = ↩️ Give it back…
review-accepted = ✅ Accepted: { $reference }. The plan is given, and the person gets the receipt.
review-over = Somebody decided before you. That order is now: { $status }.
review-nothing-came = Nobody knows how much came for that order, so it cannot be accepted. Nothing has changed.

# --- roles ---
role-granted = 🎖 Done. Role for { $id }:
role-revoked = 🎖 Done: { $id } no longer has the role { $role }.
role-unknown = There is no role “{ $given }”. There are: { $roles }
role-not-allowed = 🔐 You cannot give or take that role: nobody raises themselves or touches somebody at their own level or above.
role-not-held = { $id } does not have the role { $role }.
role-fixed = { $id } has the role by the server's configuration; it can only be changed there.
role-over = That date has passed. Write how many days the role should last, or nothing for no end.

# --- bans ---
ban-question =
    ⛔ <b>Ban { $who }?</b> { $id }

    The bot stops answering this person. What was paid for stays as it is; you can unban any time.
ban-button-yes = ⛔ Yes, ban
ban-button-no = ‹ No
ban-done = ⛔ Banned: { $who } · { $id }
unban-done = ✅ Unbanned: { $who } · { $id }
ban-unchanged = Nothing to change: { $who } · { $id }
ban-protected = 🔐 { $who } · { $id } is part of the team. Take the role away first.
