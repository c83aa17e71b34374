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

client-bot-name = uSipipo VPN
client-bot-description =
    A fast, private VPN, ready in a minute.

    🎁 Try it for free
    ⚡ WireGuard and Outline
    ⭐ Pay with Telegram Stars or QvaPay

    Press Start 👇
client-bot-short = A fast, private VPN, ready in a minute. Try it for free.
support-bot-name = uSipipo Support
support-bot-description = A person helps you here when something does not work: connection, payments, questions.
support-bot-short = Support of uSipipo VPN
admin-bot-name = uSipipo Admin
admin-bot-description = For the uSipipo team: people, payments and servers.
admin-bot-short = For the uSipipo team
