# Perfil, historial, roles, estado y textos legales.

# --- perfil ---
profile-title = 👤 <b>{ $name }</b>
profile-id = Tu id: { $id }
profile-username = Usuario: @{ $username }
profile-language = Idioma: { $language }
profile-since = Con nosotros desde el { $date }
profile-roles = Roles: { $roles }
profile-no-subscription = No tienes ningún plan activo.
profile-payments = 💳 <b>Tus últimos pagos</b>
profile-button-logs = 🕓 Historial
profile-button-roles = 🎖 Mis roles

# --- pagos ---
payment-line = { $date } · { $plan } · { $price } · { $status }
payment-pending = en espera
payment-completed = pagado
payment-refunded = devuelto
payment-expired = vencido
payment-failed = fallido
payment-cancelled = cancelado
payment-review = en revisión

# --- roles ---
roles-title = 🎖 <b>Tus roles</b>
roles-only-user = Eres usuario, sin roles especiales.
roles-allow = Puedes usar: { $commands }
role-always = • { $role }
role-until = • { $role }, hasta el { $moment }
role-user = Usuario
role-support = Soporte
role-finance = Finanzas
role-admin = Administración
role-superadmin = Superadministración

# --- historial ---
logs-title = 🕓 <b>Historial de tu cuenta</b>
logs-line = { $when } · { $what }
logs-action = { $action ->
    [user_joined] Empezaste a usar el bot
    [user_returned] Volviste
    [user_blocked_bot] Bloqueaste el bot
    [user_banned] Bloqueaste a una persona
    [user_unbanned] Desbloqueaste a una persona
    [language_set] Cambiaste el idioma
    [referrer_set] Llegaste por una invitación
    [role_granted] Diste un rol
    [role_revoked] Quitaste un rol
    [role_ended] Terminó un rol
    [order_created] Hiciste un pedido
    [order_cancelled] Cancelaste un pedido
    [order_closed] Un pedido se cerró sin pago
    [invoice_failed] No se pudo preparar un pago
    [callback_ignored] Un aviso de pago no cuadraba y se ignoró
    [payment_completed] Pago recibido
    [payment_review] Un pago pasó a revisión
    [review_accepted] Aceptaste un pago en revisión
    [payment_unmatched] Llegó dinero que no es de ningún pedido
    [charge_closed] Cerraste un cobro sin pedido
    [charge_sent_back] Un cobro sin pedido se devolvió
    [refund_requested] Pediste una devolución
    [refunded_by_hand] Devolviste un pago a mano
    [payment_refunded] Pago devuelto
    [renewal_changed] Cambió la renovación automática
    [trial_started] Empezaste la prueba gratis
    [subscription_ended] Terminó una suscripción
    [subscription_expired] Se retiró una suscripción terminada
    [subscription_extended] Una compra alargó la suscripción
    [subscription_resumed] El acceso vuelve a funcionar
    [subscription_taken_back] Se quitó acceso por una devolución
    [traffic_used_up] Se acabaron los datos
    [config_added] Añadiste un dispositivo
    [config_delivered] Recibiste una configuración
    [config_renamed] Renombraste un dispositivo
    [config_follows] Un dispositivo se pausó o volvió con su plan
    [config_revoked] Eliminaste un dispositivo
    [config_removed] Un dispositivo dejó de existir en el servidor
    [first_config_missing] No había servidor para un dispositivo nuevo
    [provisioning_delayed] Una configuración tardó más de lo normal
    [plan_added] Añadiste un plan
    [plan_disabled] Retiraste un plan
    [server_added] Añadiste un servidor
    [server_updated] Cambiaste un servidor
    [server_secret_replaced] Cambiaste el acceso de un servidor
    [server_removed] Retiraste un servidor
    [server_health] Un servidor cayó o volvió
    [pool_low] Quedaban pocas direcciones
    [books_wrong] Las cuentas no cuadraban
    [secrets_resealed] Las claves se cifraron de nuevo
    [event_dead] Un evento quedó sin procesar
    [event_replayed] Repetiste un evento
    [job_failing] Una tarea fallaba
    [job_dead] Una tarea quedó sin hacer
    [job_retried] Repetiste una tarea
    [message_dead] Un mensaje no se pudo entregar
    [clock_turned] Se adelantó el reloj de la demo
   *[other] { $action }
}
logs-error = Algo falló de nuestro lado

# --- estado ---
status-title = 📡 <b>Estado</b>
status-service = { $dot } { $service }
status-bot = Bot
status-delivery = Entrega de configuraciones
status-payments = Pagos con { $provider }
status-servers = <b>Servidores</b>
status-no-servers = Todavía no hay servidores.
status-server = { $dot } { $location } · { $protocol }
status-server-full = { $dot } { $location } · { $protocol } · lleno
status-server-down = { $dot } { $location } · { $protocol } · sin servicio, ya lo estamos viendo
status-server-unknown = { $dot } { $location } · { $protocol } · sin comprobar
status-checked = Comprobado { $ago }

# --- textos legales ---
terms =
    📜 <b>Términos</b>

    Somos un negocio pequeño que vende acceso VPN por Telegram.

    • <b>Qué compras:</b> acceso por los días, los datos y los dispositivos de tu plan. Empieza cuando se confirma el pago; si renuevas, se suma.
    • <b>Cómo se usa:</b> es para ti. No lo revendas ni lo uses para spam, ataques, fraude o cualquier cosa ilegal; en ese caso cerramos el acceso.
    • <b>Qué prometemos:</b> cuidamos los servidores y arreglamos los fallos lo antes posible. No podemos garantizar que funcione siempre en todas las redes, porque hay quien bloquea las VPN.
    • <b>Devoluciones:</b> si no logras conectarte y no podemos arreglarlo, te devolvemos el pago. Escríbenos con /paysupport.
    • <b>Cambios:</b> un cambio de precio nunca afecta lo que ya pagaste.
terms-elsewhere =
    📜 <b>Términos</b>

    Los términos del servicio están en el botón de abajo.
privacy =
    🔒 <b>Privacidad</b>

    <b>Guardamos solo lo necesario:</b>
    • tu id, nombre, usuario e idioma de Telegram;
    • tus pedidos y pagos (monto, fecha y número; nunca los datos de tu tarjeta);
    • tus dispositivos: nombre, servidor, cuántos datos usaron y cuándo se conectaron por última vez;
    • un registro de los cambios en tu cuenta (míralo en /mylogs).

    <b>No guardamos</b> qué páginas visitas, tus mensajes ni el contenido de tu tráfico.

    Las claves se guardan cifradas. No vendemos ni regalamos tus datos; el proveedor de pago solo ve tu pedido. Si quieres que borremos tus datos, escribe a soporte.
paysupport =
    💳 <b>Ayuda con un pago</b>

    • ¿Pagaste y no llegó nada? Espera unos minutos: los pagos se comprueban solos, también los que llegan tarde.
    • ¿Pagaste de más, dos veces o quieres una devolución? Escribe a soporte con el número de pedido y lo arreglamos.

    Por los pagos de este bot respondemos nosotros: el soporte de Telegram no puede ayudarte con ellos.
paysupport-id = Tu id: { $id }
