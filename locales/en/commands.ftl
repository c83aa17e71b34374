# The menu of commands and what the bots are (no tags: Telegram shows it).

command-start = Main menu
command-vpn = My VPN and devices
command-plans = Plans and prices
command-trial = Try for free
command-profile = My data, subscription and payments
command-status = Server status
command-help = Help
command-language = Change the language
command-paysupport = Help with a payment
command-mylogs = My account history
command-myroles = My roles
command-terms = Terms
command-privacy = Privacy
command-cancel = Cancel what I was doing
command-whois = Look somebody up
command-users = List of people
command-stats = Business stats
command-audit = Log of changes
command-refund = Refund a payment
command-reviews = Payments to look at
command-grantrole = Give a role
command-revokerole = Take a role away
command-ban = Ban somebody
command-unban = Unban somebody

client-bot-what = A fast, private VPN, ready in a minute.
client-bot-trial = 🎁 Try it for free
client-bot-protocols = ⚡ { $protocols }
client-bot-payments = ⭐ Payments: { $providers }
client-bot-begin = Press Start 👇
client-bot-short-trial = Try it for free.
support-bot-description = A person helps you here when something does not work: connection, payments, questions.
support-bot-short = A person helps you here.
admin-bot-description = For the team: people, payments and servers.
admin-bot-short = For the team.
