# Subscriptions, devices, delivery and guides.

# --- subscription ---
subscription-active = ✅ <b>{ $name }</b>: active
subscription-suspended = ⏸ <b>{ $name }</b>: paused
subscription-expired = ⚪ <b>{ $name }</b>: ended
subscription-ends = 🗓 Ends in { $span } ({ $date })
subscription-renews = 🔁 Renews by itself on { $date }
subscription-ended = 🗓 Ended on { $date }
subscription-traffic = 📶 { $left } of { $total } left
subscription-traffic-out = 📶 All data used ({ $total })
subscription-unlimited = 📶 Unlimited data

# --- my VPN ---
vpn-title = 🔑 <b>My VPN</b>
vpn-empty = You have no plan yet. It takes a minute to get one 👇
vpn-no-configs = No devices yet. Add the first one 👇
vpn-config = { $dot } <b>{ $name }</b> · { $protocol } · { $used }
vpn-config-preparing = { $dot } <b>{ $name }</b> · { $protocol } · being prepared
vpn-button-config = { $dot } { $name }
vpn-button-add = ➕ Add a device
vpn-button-guides = 📖 Guides

# --- one device ---
config-title = 📱 <b>{ $name }</b>
config-active = 🟢 Active
config-preparing = ⏳ Being prepared: I'll send the configuration here as soon as it is ready
config-suspended = ⏸ Paused. Renew and it works again with the same configuration
config-suspended-unsold = ⏸ Paused. This plan is no longer sold: pick another and you get a new configuration
config-suspended-trial = ⏸ The trial is over. Pick a plan and you get a new configuration
config-revoked = ⚪ Removed: it no longer works
config-where = 📍 { $protocol } · { $location }
config-where-unknown = 📍 { $protocol }
config-used = 📊 This device used { $used }
config-handshake = 🤝 Last connected: { $ago }
config-handshake-never = 🤝 Has not connected yet
config-handshake-overdue = 🤝 Has not connected yet. Something wrong? Press 🔧
config-button-file = 📄 File
config-button-qr = 📷 QR
config-button-text = 📋 Text
config-button-link = 🔗 Link
config-button-guide = 📖 How to connect
config-button-rename = ✏️ Rename
config-button-revoke = 🗑 Remove
config-button-refresh = 🔄 Refresh

# --- add ---
add-title = ➕ <b>Add a device</b>
add-choose = How will it connect?
add-button-of = { $protocol } · { $plan }
add-no-subscription = You need an active plan to add a device. It takes a minute to get one 👇
add-limit = You already have { $devices }, and there is no room for more. Remove one you don't use to add another.
add-limit-plan = Need more? Another plan is separate and brings devices of its own.
add-full = All servers are full right now. Please try again in a while 🙏

# --- revoke ---
revoke-question =
    🗑 <b>Remove “{ $name }”?</b>

    That device stops connecting at once, and this cannot be undone. Your plan stays, and you can add another device.
revoke-button-yes = 🗑 Yes, remove
revoke-button-no = ‹ No, keep it
revoke-done = 🗑 Done, “{ $name }” no longer works. You can add another device any time.

# --- rename ---
rename-question =
    ✏️ <b>What should “{ $name }” be called?</b>

    Send me the new name, for example “My phone”. Up to { $chars } characters.
rename-invalid = I can't use that name 🙂 Send me a short one, up to { $chars } characters.
rename-done = ✏️ Done, it is called <b>{ $name }</b> now.
rename-button-cancel = ‹ Keep the name

# --- delivery ---
deliver-document =
    🎉 <b>{ $name }: all set!</b>

    Open this file with the WireGuard app and flip the switch.
deliver-qr-wireguard = 📷 Using it on a different device instead? Scan this with the WireGuard app. One configuration is for one device; for another, press ➕ in /vpn.
deliver-qr-outline = 📷 Using it on a different device instead? Scan this with its camera; it needs the Outline app. For one more device, press ➕ in /vpn.
deliver-text-wireguard =
    📋 <b>{ $name }</b>: the same configuration as text. Tap it to copy.

    { $secret }

    🔒 It is yours alone: don't share it.
deliver-text-outline =
    🎉 <b>{ $name }: all set!</b> Tap the link to copy it, then open the Outline app:

    { $secret }

    🔒 It is yours alone: don't share it.
deliver-button-copy = 📋 Copy

# --- guides ---
guides-title = 📖 <b>Guides</b>
guides-which = Which app do you connect with?
guides-system = 📖 <b>{ $protocol }</b>: on which device?
guide-title = 📖 <b>{ $protocol } on { $system }</b>
guide-wireguard-android =
    1. Install <b>WireGuard</b> with the button below.
    2. Come back, tap the <b>.conf</b> file and open it with WireGuard. If it is not offered, download the file, press <b>+</b> in the app and import it from a file.
    3. Flip the switch and allow the VPN. Done!
guide-wireguard-ios =
    1. Install <b>WireGuard</b> from the App Store with the button below.
    2. Come back, tap the <b>.conf</b> file, press share and choose WireGuard.
    3. Allow adding the VPN and flip the switch. Done!
guide-wireguard-windows =
    1. Install <b>WireGuard</b> with the button below.
    2. Save the <b>.conf</b> file on your PC (easiest with Telegram Desktop).
    3. In WireGuard press <b>Import tunnel(s) from file</b>, pick the file and press <b>Activate</b>. Done!
guide-wireguard-macos =
    1. Install <b>WireGuard</b> from the App Store with the button below.
    2. Save the <b>.conf</b> file on your Mac.
    3. In WireGuard import the tunnel from the file, allow adding the VPN and press <b>Activate</b>. Done!
guide-wireguard-linux =
    1. Install <b>WireGuard</b>, for example: <code>sudo apt install wireguard</code>
    2. Save the file as <code>/etc/wireguard/vpn.conf</code>
    3. Switch on: <code>sudo wg-quick up vpn</code>
    4. Switch off: <code>sudo wg-quick down vpn</code>
guide-outline-mobile =
    1. Install <b>Outline</b> with the button below.
    2. Copy your <code>ss://</code> link (button 🔗 Link) and open the app: it finds the link by itself. If not, press <b>+</b> and paste it.
    3. Add the server, press <b>Connect</b> and allow the VPN. Done!
guide-outline-desktop =
    1. Download and install <b>Outline</b> (the client app) with the button below.
    2. Copy your <code>ss://</code> link (button 🔗 Link), open the app, press <b>+</b> and paste it.
    3. Add the server and press <b>Connect</b>. Done!
guide-button-app = ⬇️ { $app } for { $system }
guide-button-config = ‹ My device
guide-button-other = 📱 Another system

# --- not connecting? ---
trouble-title = 🔧 <b>Not connecting?</b>
trouble-steps =
    1. Use each configuration on one device only; for another, press ➕ in /vpn.
    2. Switch off any other VPN.
    3. Set the date and time to automatic.
    4. Delete the VPN in the app and add it again with the file, the QR code or the link.
    5. Try another network: Wi-Fi or mobile data.
trouble-outline = 🥷 Does it fail on some networks only, as in Russia, at the office or in a hotel? They may block WireGuard: add a device with <b>Outline</b>.
trouble-support = 💬 Still the same? Write to support with your id: { $id }
