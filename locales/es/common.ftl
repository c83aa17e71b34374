# Palabras que comparten muchas pantallas: fechas, plazos, tamaños, nombres de cosas, caminos de vuelta.

friend = amigo
unlimited = datos ilimitados
none = Por aquí todavía no hay nada.
and = { $one } y { $other }

# --- fechas, plazos, tamaños ---
decimal-point = ,
size = { $number } { $unit ->
    [tb] TB
    [gb] GB
    [mb] MB
   *[kb] KB
}
month-short = { $month ->
    [1] ene
    [2] feb
    [3] mar
    [4] abr
    [5] may
    [6] jun
    [7] jul
    [8] ago
    [9] sep
    [10] oct
    [11] nov
   *[12] dic
}
date = { $day } { $month } { $year }
moment = { $date }, { $time } UTC
days = { $days ->
    [one] { $days } día
   *[other] { $days } días
}
hours = { $hours ->
    [one] { $hours } hora
   *[other] { $hours } horas
}
minutes = { $minutes } min
devices = { $devices ->
    [one] { $devices } dispositivo
   *[other] { $devices } dispositivos
}
just-now = ahora mismo
ago = hace { $span }

# --- nombres de cosas ---
protocol-wireguard = WireGuard
protocol-outline = Outline
product-trial = Prueba gratis
language-es = Español
language-en = English
language-ru = Русский

# --- adelante y atrás ---
go-back = ‹ Atrás
go-home = 🏠 Menú
go-next = Siguiente ›
go-previous = ‹ Anterior
go-plans = 🛒 Ver planes
go-vpn = 🔑 Mi VPN
go-help = ❓ Ayuda
button-renew = 🔄 Renovar
button-renew-plan = 🔄 Renovar { $plan }
button-trouble = 🔧 ¿No conecta?
page = Página { $page }
