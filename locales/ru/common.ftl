# Слова, общие для многих экранов: даты, сроки, объёмы, названия, пути назад.

friend = друг
unlimited = безлимитный трафик
none = Пока здесь пусто.
and = { $one } и { $other }

# --- даты, сроки, объёмы ---
decimal-point = ,
size = { $number } { $unit ->
    [tb] ТБ
    [gb] ГБ
    [mb] МБ
   *[kb] КБ
}
month-short = { $month ->
    [1] янв.
    [2] февр.
    [3] марта
    [4] апр.
    [5] мая
    [6] июня
    [7] июля
    [8] авг.
    [9] сент.
    [10] окт.
    [11] нояб.
   *[12] дек.
}
date = { $day } { $month } { $year }
moment = { $date }, { $time } UTC
days = { $days ->
    [one] { $days } день
    [few] { $days } дня
    [many] { $days } дней
   *[other] { $days } дня
}
hours = { $hours ->
    [one] { $hours } час
    [few] { $hours } часа
    [many] { $hours } часов
   *[other] { $hours } часа
}
minutes = { $minutes } мин
devices = { $devices ->
    [one] { $devices } устройство
    [few] { $devices } устройства
    [many] { $devices } устройств
   *[other] { $devices } устройства
}
just-now = только что
ago = { $span } назад

# --- названия ---
protocol-wireguard = WireGuard
protocol-outline = Outline
product-trial = Пробный доступ
language-es = Español
language-en = English
language-ru = Русский

# --- дальше и назад ---
go-back = ‹ Назад
go-home = 🏠 Меню
go-next = Следующая ›
go-previous = ‹ Предыдущая
go-plans = 🛒 Тарифы
go-vpn = 🔑 Мой VPN
go-help = ❓ Помощь
button-renew = 🔄 Продлить
button-renew-plan = 🔄 Продлить { $plan }
button-trouble = 🔧 Не подключается?
page = Страница { $page }
