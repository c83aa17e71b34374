# Words that many screens share: dates, spans, sizes, names of things, ways back.

friend = friend
unlimited = unlimited data
none = Nothing here yet.
and = { $one } and { $other }

# --- dates, spans, sizes ---
decimal-point = .
size = { $number } { $unit ->
    [tb] TB
    [gb] GB
    [mb] MB
   *[kb] KB
}
month-short = { $month ->
    [1] Jan
    [2] Feb
    [3] Mar
    [4] Apr
    [5] May
    [6] Jun
    [7] Jul
    [8] Aug
    [9] Sep
    [10] Oct
    [11] Nov
   *[12] Dec
}
date = { $day } { $month } { $year }
moment = { $date }, { $time } UTC
days = { $days ->
    [one] { $days } day
   *[other] { $days } days
}
hours = { $hours ->
    [one] { $hours } hour
   *[other] { $hours } hours
}
minutes = { $minutes } min
devices = { $devices ->
    [one] { $devices } device
   *[other] { $devices } devices
}
just-now = just now
ago = { $span } ago

# --- names of things ---
protocol-wireguard = WireGuard
protocol-outline = Outline
product-trial = Free trial
language-es = Español
language-en = English
language-ru = Русский

# --- ways on and back ---
go-back = ‹ Back
go-home = 🏠 Menu
go-next = Next ›
go-previous = ‹ Previous
go-plans = 🛒 See plans
go-vpn = 🔑 My VPN
go-help = ❓ Help
button-renew = 🔄 Renew
button-renew-plan = 🔄 Renew { $plan }
button-trouble = 🔧 Not connecting?
page = Page { $page }
