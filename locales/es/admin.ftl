# Pantallas para el equipo.

admin-person = { $name } (@{ $username })
user-active = todo en orden
user-banned = bloqueado por el equipo
user-blocked = bloqueó el bot

# --- una persona ---
whois-title = 👤 <b>{ $who }</b>
whois-facts = { $id } · { $language } · { $status }
whois-times = Desde el { $date } · visto: { $ago }
whois-trial-used = 🎁 Prueba usada el { $date }
whois-trial-free = 🎁 Prueba sin usar
whois-configs = 🔑 { $devices }
whois-referrer = 🔗 Llegó por { $code }
whois-button-refund = ↩️ Devolver { $plan } · { $price }
whois-button-audit = 🕓 Registro
whois-button-ban = ⛔ Bloquear
whois-button-unban = ✅ Desbloquear

# --- usuarios ---
users-title = 👥 <b>Usuarios</b> ({ $total })
users-line = • { $who } · { $id } · { $ago }
users-line-status = • { $who } · { $id } · { $ago } · { $status }
usage = ✍️ <b>{ $what }</b>
no-such-user = 🤷 No encuentro a { $given }. Tiene que haber escrito al bot al menos una vez.

# --- registro ---
audit-title = 🕓 <b>Registro de cambios</b>
audit-title-of = 🕓 <b>Registro de</b> { $id }
audit-system = SISTEMA
audit-line = { $moment } · { $actor } · <b>{ $action }</b> · { $target }

# --- cifras ---
stats-title = 📊 <b>Cifras</b>
stats-people = 👥 Usuarios: <b>{ $people }</b> (nuevos hoy: { $today } · activos en 7 días: { $week })
stats-access = 🔑 Planes activos: <b>{ $paid }</b> · pruebas: { $trials } · dispositivos: { $configs }
stats-today = 💰 Hoy: { $sums } (pagos: { $orders })
stats-month = 💰 30 días: { $sums } (pagos: { $orders })
stats-nothing = sin ventas
stats-servers = 📡 Servidores activos: { $up } de { $all }
stats-queues = 📬 En cola: entrantes { $events } · mensajes { $messages } · tareas { $jobs }
stats-dead = ⚠️ Sin procesar tras varios intentos: { $dead }
stats-reviews = 🔎 Pagos por revisar: { $reviews }

# --- devoluciones ---
refund-question =
    ↩️ <b>¿Devolver { $price }?</b>

    { $who } · { $id }
    { $plan } · { $provider }
    Pagado el { $moment }
    { $reference }
refund-ends = Se quitan los días que dio este pago: el acceso terminará el { $date }.
refund-ends-now = El acceso que dio este pago se quita: termina al momento.
refund-too-late = Lo que dio este pago ya terminó: no se quita ningún acceso.
refund-charge = Transacción: { $charge }
refund-hand-first = { $provider } no permite devolver desde aquí. Primero devuélvelo a mano en { $provider } y después toca el botón.
refund-button-yes = ↩️ Sí, devolver { $price }
refund-button-hand = ✅ Ya devolví { $price }
refund-noted = ↩️ Anotado: { $reference } está devuelto. La persona recibe un aviso.
refund-button-no = ‹ No devolver
refund-started = ↩️ En marcha: { $reference }. La persona recibe un aviso cuando el dinero esté devuelto.
refund-not-paid = Ese pedido no se puede devolver. Su estado: { $status }.
refund-no-money = No consta que llegara dinero para ese pedido: no hay nada que devolver.
refund-no-order = 🤷 No encuentro ese pedido.
refund-by-hand = { $provider } no permite devolver desde aquí. Devuélvelo a mano en { $provider }; nada ha cambiado todavía.

# --- pagos por mirar ---
reviews-title = 🔎 <b>Pagos que hay que mirar</b>
reviews-none = No hay nada por mirar 🎉
reviews-button-all = 🔎 Pagos que hay que mirar
reviews-button = 🔎 Mirarlo
reviews-order = <b>Pedido { $number }</b> · { $plan } · { $money } · { $moment }
reviews-button-order = 🔎 Pedido { $number } · { $money }
reviews-button-charge = 🔎 N.º { $number } · { $money }
charge-line = <b>N.º { $number }</b> · { $money } · { $provider } · { $moment }
charge-facts =
    Quién pagó: { $payer }
    Pedido que nombra: { $order }
    Transacción: { $charge }
charge-how = 👉 Cuando esté resuelto, ciérralo y di cómo: { $command }
charge-sent-back = ↩️ En marcha: el dinero vuelve por donde vino.
charge-closed = ✅ Cerrado.
charge-gone = 🤷 No existe o ya está cerrado.

# --- un pedido en revisión ---
review-order =
    🔎 <b>Pedido { $number } · { $plan }</b>

    { $who } · { $id }
    { $moment }
    { $reference }
review-agreed = Acordado: <b>{ $price }</b> · { $provider }
review-came = Llegó: <b>{ $money }</b>
review-came-unknown = Llegó: no se sabe cuánto. Míralo en la cuenta de { $provider }.
review-payer = Pagó: { $who } · { $id }
review-reason = Por qué está aquí: { $reason }
review-gives = ✅ Si lo aceptas, se da lo pedido: { $days } · { $traffic } · { $devices }, acceso hasta el <b>{ $date }</b>. Lo que llegó se anota como pagado.
review-button-accept = ✅ Aceptar { $money } y dar el plan
review-button-refund = ↩️ Devolverlo…
review-accepted = ✅ Aceptado: { $reference }. El plan está dado y la persona recibe su recibo.
review-over = Alguien decidió antes que tú. Ese pedido está ahora: { $status }.
review-nothing-came = No se sabe cuánto llegó para ese pedido, así que no se puede aceptar. Nada ha cambiado.

# --- roles ---
role-granted = 🎖 Listo. Rol para { $id }:
role-revoked = 🎖 Listo: { $id } ya no tiene el rol { $role }.
role-unknown = No existe el rol «{ $given }». Hay: { $roles }
role-not-allowed = 🔐 No puedes dar ni quitar ese rol: nadie se lo da a sí mismo ni toca a alguien de su nivel o superior.
role-not-held = { $id } no tiene el rol { $role }.
role-fixed = { $id } tiene su rol por la configuración del servidor; solo se cambia allí.
role-over = Esa fecha ya pasó. Escribe cuántos días debe durar el rol, o nada para que sea sin límite.

# --- bloqueos ---
ban-question =
    ⛔ <b>¿Bloquear a { $who }?</b> { $id }

    El bot deja de atender a esta persona. Lo que ya pagó se queda como está; puedes desbloquearla cuando quieras.
ban-button-yes = ⛔ Sí, bloquear
ban-button-no = ‹ No
ban-done = ⛔ Bloqueado: { $who } · { $id }
unban-done = ✅ Desbloqueado: { $who } · { $id }
ban-unchanged = Ya estaba así: { $who } · { $id }
ban-protected = 🔐 { $who } · { $id } es parte del equipo. Quítale primero el rol.
