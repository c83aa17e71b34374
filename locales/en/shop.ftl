# Trial, plans, orders, receipts and reminders.

# --- trial ---
trial-title = 🎁 <b>Free trial</b>
trial-offer = <b>{ $days }</b> and <b>{ $traffic }</b>, nothing to pay. Once per account.
trial-choose = How would you like to connect?
trial-full = All servers are full right now. Please try again in a while 🙏
trial-used = You used your free trial on { $date }; there is one per account. The plans are here for you 👇
trial-none = There is no free trial right now. Have a look at the plans, there is one for everybody 👇
about-wireguard = ⚡ <b>WireGuard</b>: the fastest. Not sure? Take this one.
about-outline = 🥷 <b>Outline</b>: gets through where VPNs are blocked.
preparing =
    ⏳ <b>Preparing your { $protocol } configuration…</b>

    It usually takes less than a minute. It arrives right here, just wait a moment.

# --- plans ---
plans-title = 🛒 <b>Plans</b>
plans-empty = There are no plans on sale right now. Please come back soon 🙏
plans-hint = Pick one to see the details 👇
plan-card-name = <b>{ $name }</b>
plan-card-popular = 🌟 <b>{ $name }</b> · most popular
plan-card-facts = { $days } · { $traffic } · { $devices }
plan-button = { $name } · { $price }
plan-button-popular = 🌟 { $name } · { $price }
plan-gives = <b>What you get</b>
plan-gives-days = 🗓 { $days } of access
plan-gives-traffic = 📶 { $traffic } of data
plan-gives-unlimited = 📶 Unlimited data
plan-gives-devices = 📱 { $devices } at the same time
plan-gives-protocols = 🔑 { $protocols }, as you like
plan-gives-protocol = 🔑 { $protocol }
plan-extends = ➕ Adds to what you have: access until <b>{ $date }</b>.
plan-beside = ℹ️ This is a separate plan: it starts today with a configuration of its own. <b>{ $plan }</b> goes on until { $date }.
plan-beside-paused = ℹ️ This is a separate plan with a configuration of its own. The one you have works again if you renew <b>{ $plan }</b>.
plan-prices = Price: <b>{ $prices }</b>
plan-no-payment = This plan cannot be paid for right now. Please try another 🙏
pay-stars = Pay { $price }
pay-with = Pay { $price } with { $provider }
how-to-pay-stars = ⭐ <b>Stars</b>: you buy them inside Telegram, also while paying.
how-to-pay-qvapay = 💵 <b>QvaPay</b>: with your balance or crypto at qvapay.com.

# --- order ---
order-title = 🧾 <b>{ $plan }</b> · { $price }
order-number = Order { $reference }
order-preparing = ⏳ Preparing your payment… A few seconds.
order-pay-invoice = 👇 I sent you the invoice: tap it and press <b>Pay</b>. Your VPN is active as soon as the payment is in.
order-pay-link = 👇 Pay with the button below. Your VPN is active as soon as the payment is in, and I'll tell you right here.
order-valid-until = ⏱ Valid for another { $span }.
order-checking = Checking now. It usually takes under a minute; I'll tell you here.
order-paid = ✅ <b>Payment received, thank you!</b>
order-paid-until = Your access is active until <b>{ $date }</b>.
order-expired =
    ⌛ <b>The order has expired.</b>

    Already paid? Don't worry: your plan starts by itself as soon as the money arrives.
order-cancelled =
    ✖️ <b>Order cancelled.</b>

    If you paid just before, nothing is lost: your plan starts by itself as soon as the money arrives.
order-failed = 😔 <b>The payment could not be set up.</b> Nothing was charged. Please try again or pay another way.
order-review =
    🔎 <b>We are looking at your payment.</b>

    It arrived, but something differs from the order. A person is on it; please don't pay again. I'll tell you here.
order-refunded = ↩️ <b>Payment refunded.</b> The money goes back the way it came.
order-button-check = 🔄 I have paid
order-button-refresh = 🔄 Refresh
order-button-cancel = ✖️ Cancel the order
order-button-again = 🛒 Order again
order-button-paysupport = 💳 Help with the payment

# --- why a payment is refused (Telegram shows it while paying) ---
refuse-unknown = I cannot find this order. Open /plans and place a new one; nothing was charged.
refuse-foreign = This invoice belongs to somebody else. Open /plans and place an order of your own.
refuse-paid = This order is already paid, there is no need to pay again. What you bought is in /vpn.
refuse-review = A payment for this order has come already and we are looking at it. Please don't pay again.
refuse-expired = This order has expired. Open /plans and place a new one.
refuse-cancelled = This order is cancelled. Open /plans if you want another.
refuse-mismatch = The amount is not that of your order, so nothing was charged. Open /plans and place a new one.

# --- receipts ---
receipt-late = ✅ <b>Your payment came late, but it came.</b> Thank you!
receipt-accepted = ✅ <b>We looked at your payment, and it counts.</b> Thank you!
receipt-paid =
    { $plan } · { $price }
    Access until <b>{ $date }</b> ({ $span } from now)
    Order { $reference }
receipt-next = Your configuration is on its way 👇
receipt-same = Your devices stay as they are, nothing to change.
receipt-add = Your plan is active. Add your first device with the ➕ button.
receipt-refunded =
    ↩️ <b>We refunded { $price } to you.</b>

    { $plan }, order { $reference }
receipt-refunded-access = The access that it bought has been removed. Thanks for trying us; you are welcome any time.
receipt-refunded-until = The days that it bought have been taken off. Your access goes on until <b>{ $date }</b>.

# --- reminders ---
reminder-ends = ⏳ <b>{ $plan }</b> ends in { $span }, on { $date }.
reminder-ended = 🔌 <b>{ $plan }</b> has ended.
reminder-traffic-low = 📶 You have { $left } of { $total } left in <b>{ $plan }</b>.
reminder-traffic-out = 📶 The data of <b>{ $plan }</b> is used up.
renew-days = Renew now and lose nothing: the days add up.
renew-same = Renew and keep the same configuration.
renew-kept = We keep your configuration until { $date }: renew and it works again as it is.
renew-anew = Renew and a new configuration arrives in a minute.
renew-more-data = If you renew, the new data is added.
renew-data = Renew and your devices connect again by themselves.
renew-unsold = This plan is no longer sold: pick another and you get a new configuration.
reminder-trial-ends = ⏳ Your free trial ends in { $span } ({ $date }). Do you like it? Pick a plan and your new configuration arrives right away.
reminder-trial-ended = 🔌 Your free trial has ended. Did you like it? Pick a plan: a new configuration arrives in a minute and you are back online.
reminder-trial-traffic-low = 📶 Your free trial has { $left } left. A plan gives you much more.
reminder-trial-traffic-out = 📶 The data of your free trial is used up. Did you like it? Pick a plan: a new configuration arrives in a minute and you are back online.
