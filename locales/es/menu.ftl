# Menú, ayuda, idioma y avisos cortos.

# --- inicio ---
home-hello = 👋 <b>¡Hola, { $name }!</b>
home-new = Aquí tienes una VPN rápida y privada, lista en un minuto. Tú eliges, yo te envío la configuración y te conectas.
home-trial = 🎁 Empieza gratis: <b>{ $days }</b> y <b>{ $traffic }</b> para probarla con calma.
home-idle = Ahora mismo no tienes ningún plan activo. Elige uno y en un minuto tienes tu VPN lista.
home-button-trial = 🎁 Probar gratis
home-button-order = 🧾 Pedido pendiente
home-button-profile = 👤 Perfil
home-button-status = 📡 Estado
home-button-language = 🌐 Idioma
home-button-users = 👥 Usuarios
home-button-stats = 📊 Cifras

# --- ayuda ---
help-title = ❓ <b>Ayuda</b>
help-start-trial = 1. Activa la prueba gratis o elige un plan.
help-start = 1. Elige un plan.
help-steps =
    2. Recibes tu configuración: archivo, QR o enlace.
    3. La abres en la app y activas la VPN.
help-commands = <b>Comandos</b>
help-command = /{ $command } — { $what }
help-staff-commands = <b>Para el equipo</b>
help-button-guides = 📖 Guías
help-support-email = ✉️ Escribe a soporte: { $address }
help-button-support = 💬 Escribir a soporte
help-button-payments = 💳 Problemas con un pago
help-button-terms = 📜 Términos
help-button-privacy = 🔒 Privacidad

# --- idioma ---
language-title = 🌐 <b>Elige tu idioma</b>
language-chosen = ✓ { $language }
language-changed = Listo, ahora hablo español

# --- avisos ---
reply-cancelled = 👌 Listo, cancelado.
reply-nothing-to-cancel = No hay nada que cancelar. ¿Seguimos?
reply-stale = Ese botón ya no sirve: algo cambió desde entonces. Te muestro cómo está todo ahora.
reply-slow-down = 🐢 Vas muy rápido. Espera unos segundos y seguimos.
reply-banned = ⛔ Tu cuenta está bloqueada y no puedo atenderte.
reply-not-allowed = 🔐 Eso no está permitido para tu cuenta.
reply-not-sold = Eso ya no se vende así. Mira los planes de hoy 🛒
reply-too-many-orders = Abriste { $most } pedidos en una hora sin pagarlos. Los que siguen abiertos se pueden pagar; para hacer otro, espera un rato 🙏
reply-not-found = 🤷 Eso ya no existe o no es tuyo.
reply-unknown-command = No conozco ese comando. Mira lo que sé hacer en el menú 👇
reply-not-understood = No te entendí 🙂 Usa los botones del menú 👇
reply-in-group = Escríbeme en privado y te atiendo enseguida.
reply-error =
    😔 Algo falló de nuestro lado. Ya estamos avisados; inténtalo otra vez en unos minutos.

    Si sigue igual, escribe a soporte con este código: { $reference }

# --- presentación de los otros bots ---
about-support =
    👋 <b>Soy el bot de soporte.</b>

    Aquí vas a poder hablar con una persona cuando algo no funcione: conexión, pagos o dudas. Todavía estoy en preparación.

    Mientras tanto, tu VPN, los planes y las guías están en el bot principal.
about-admin =
    🛠 <b>Soy el bot de administración.</b>

    Aquí el equipo va a llevar usuarios, pagos y servidores. Todavía estoy en preparación; por ahora los comandos de administración están en el bot principal.
about-button-client = 🔑 Ir al bot principal
