# Lo que se les dice a las personas y al equipo sin que pregunten.

# --- personas ---
told-config-delayed =
    ⏳ <b>Tu configuración { $protocol } está tardando más de lo normal.</b>

    Ya estamos en ello y tu plan está a salvo. Te la mando aquí en cuanto esté lista; no tienes que hacer nada.
told-config-failed =
    😔 <b>No pudimos crear tu configuración { $protocol }.</b>

    Tu plan está a salvo y el equipo ya lo sabe. Te la mando aquí en cuanto lo arreglemos; si tarda demasiado, soporte te ayuda.
told-charge-sent-back = ↩️ <b>Te devolvimos { $price }.</b> No correspondía a ningún pedido abierto y no compró nada.
told-role = 🎖 Tienes un nuevo rol: <b>{ $role }</b>.
told-role-until = 🎖 Tienes un nuevo rol: <b>{ $role }</b>, hasta el { $moment }.
told-role-over = 🎖 Ya no tienes el rol <b>{ $role }</b>.

# --- alertas para el equipo ---
alert-event-dead =
    📥 <b>Un evento entrante quedó sin procesar</b>

    Origen: { $source }
    Evento: { $event }
    Causa: { $reason }

    👉 Arregla la causa y repítelo en el servidor: <code>usipipo events replay</code> con ese id.
alert-job-failing =
    ⚙️ <b>Una tarea sigue fallando</b>

    Tarea: { $kind }
    Intentos: { $attempts }
    Causa: { $reason }

    👉 Se reintenta sola. Si sigue así, mira <code>usipipo jobs list</code>.
alert-job-dead =
    ⛔ <b>Una tarea se dio por perdida</b>

    Tarea: { $kind }
    Causa: { $reason }

    👉 Arregla la causa. <code>usipipo jobs list</code> muestra lo que espera y <code>usipipo jobs retry</code> lo lanza de nuevo.
alert-message-dead =
    ✉️ <b>Un mensaje no se pudo entregar</b>

    Chat: { $chat }
    Causa: { $reason }

    👉 La persona no lo recibió. Si era importante, escríbele.
alert-payment-review =
    🔎 <b>Un pago necesita una revisión</b>

    Pedido: { $number }
    Pagado: { $amount } · { $provider }
    Persona: { $person }
    Causa: { $reason }

    👉 No se dio nada a cambio. Compáralo con la cuenta en { $provider } y después acéptalo o devuélvelo: el botón de abajo lleva a las dos cosas.
alert-payment-unmatched =
    🔎 <b>Llegó dinero que no encaja con ningún pedido</b>

    N.º { $number }
    Pagado: { $amount } · { $provider }
    Persona: { $person }
    Causa: { $reason }

    👉 No se dio nada a cambio. Míralo para devolverlo; si lo arreglas de otra forma, ciérralo y di cómo: { $command }
alert-provisioning-delayed =
    🐌 <b>Alguien espera su configuración</b>

    Persona: { $user }
    Dispositivo: { $config }
    Causa: { $reason }

    👉 Se reintenta sola y la persona lo sabe. Revisa los servidores: <code>usipipo server test</code>
alert-no-server =
    🚧 <b>Alguien pagó y no hay servidor al que conectarlo</b>

    Persona: { $user }

    👉 Añade uno: <code>usipipo server add</code>. Ya tiene el plan y el botón para añadir su dispositivo.
alert-pool-low =
    📉 <b>Se acaban las direcciones</b>

    Servidor: { $server }
    Grupo: { $kind }
    Libres: { $free }

    👉 Añade un servidor o un grupo mayor antes de que se llene: sin direcciones no se conecta nadie nuevo.
alert-server-down =
    🔴 <b>Un servidor no responde</b>

    Servidor: { $server }
    Causa: { $reason }

    👉 Quienes lo usan están sin conexión. Revisa el servidor; te aviso cuando vuelva.
alert-server-up = 🟢 <b>{ $server } volvió</b>
alert-books-wrong =
    🧾 <b>Las cuentas no cuadran</b>

    { $findings }

    👉 No se cambió nada. <code>usipipo doctor --invariants</code> lo muestra de nuevo; el registro y /audit dicen qué pasó antes.
alert-repeated =
    🔁 <b>En una hora pasó { $times } veces:</b> { $topic }

    Te avisé solo de la primera, para no llenarte el chat.

    👉 El registro las tiene todas.
alert-button-person = 👤 Quién es
alert-button-log = 🕓 Registro
