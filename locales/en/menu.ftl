# Menu, help, language and short notices.

# --- home ---
home-hello = 👋 <b>Hi { $name }!</b>
home-new = Here is a fast, private VPN, ready in a minute. You choose, I send you the configuration, you connect.
home-trial = 🎁 Start free: <b>{ $days }</b> and <b>{ $traffic }</b> to try it out.
home-idle = You have no active plan right now. Pick one and your VPN is ready in a minute.
home-button-trial = 🎁 Try for free
home-button-order = 🧾 Order to pay
home-button-profile = 👤 Profile
home-button-status = 📡 Status
home-button-language = 🌐 Language
home-button-users = 👥 People
home-button-stats = 📊 Stats

# --- help ---
help-title = ❓ <b>Help</b>
help-start-trial = 1. Start the free trial or pick a plan.
help-start = 1. Pick a plan.
help-steps =
    2. You get your configuration: a file, a QR code or a link.
    3. Open it in the app and switch the VPN on.
help-commands = <b>Commands</b>
help-command = /{ $command } — { $what }
help-staff-commands = <b>For the team</b>
help-button-guides = 📖 Guides
help-support-email = ✉️ Write to support: { $address }
help-button-support = 💬 Write to support
help-button-payments = 💳 Trouble with a payment
help-button-terms = 📜 Terms
help-button-privacy = 🔒 Privacy

# --- language ---
language-title = 🌐 <b>Choose your language</b>
language-chosen = ✓ { $language }
language-changed = Done, I speak English now

# --- notices ---
reply-cancelled = 👌 Done, cancelled.
reply-nothing-to-cancel = There is nothing to cancel. Shall we go on?
reply-stale = That button is out of date: something has changed since. Here is how things stand now.
reply-slow-down = 🐢 You are very fast. Give me a few seconds.
reply-banned = ⛔ Your account is blocked, so I cannot help you here.
reply-not-allowed = 🔐 Your account may not do that.
reply-not-sold = That is no longer sold that way. Have a look at today's plans 🛒
reply-too-many-orders = You opened { $most } orders within an hour and paid none of them. Those that are open can still be paid; for another one, please wait a while 🙏
reply-not-found = 🤷 That no longer exists, or it is not yours.
reply-unknown-command = I don't know that command. The menu shows what I can do 👇
reply-not-understood = I didn't get that 🙂 Please use the buttons 👇
reply-in-group = Write to me in a private chat and I will help you right away.
reply-error =
    😔 Something went wrong on our side. We already know; please try again in a few minutes.

    If it happens again, give support this code: { $reference }

# --- what the other bots are ---
about-support =
    👋 <b>I am the support bot.</b>

    This is where you will talk to a person when something does not work: connection, payments, questions. I am still being set up.

    Meanwhile your VPN, plans and guides are in the main bot.
about-admin =
    🛠 <b>I am the admin bot.</b>

    This is where the team will look after people, payments and servers. I am still being set up; for now the admin commands are in the main bot.
about-button-client = 🔑 Go to the main bot
