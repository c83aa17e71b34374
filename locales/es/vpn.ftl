# Suscripciones, dispositivos, entrega y guías.

# --- suscripción ---
subscription-active = ✅ <b>{ $name }</b>: vigente
subscription-suspended = ⏸ <b>{ $name }</b>: en pausa
subscription-expired = ⚪ <b>{ $name }</b>: terminó
subscription-ends = 🗓 Termina en { $span } ({ $date })
subscription-renews = 🔁 Se renueva solo el { $date }
subscription-ended = 🗓 Terminó el { $date }
subscription-traffic = 📶 Disponible: { $left } de { $total }
subscription-traffic-out = 📶 Usaste todos tus datos ({ $total })
subscription-unlimited = 📶 Datos ilimitados

# --- mi VPN ---
vpn-title = 🔑 <b>Mi VPN</b>
vpn-empty = Todavía no tienes ningún plan. Se consigue en un minuto 👇
vpn-no-configs = Aún no hay dispositivos. Añade el primero 👇
vpn-config = { $dot } <b>{ $name }</b> · { $protocol } · { $used }
vpn-config-preparing = { $dot } <b>{ $name }</b> · { $protocol } · preparándose
vpn-button-config = { $dot } { $name }
vpn-button-add = ➕ Añadir dispositivo
vpn-button-guides = 📖 Guías

# --- un dispositivo ---
config-title = 📱 <b>{ $name }</b>
config-active = 🟢 Activo
config-preparing = ⏳ Preparándose: te envío la configuración aquí en cuanto esté lista
config-suspended = ⏸ En pausa. Renueva y vuelve a funcionar con la misma configuración
config-suspended-unsold = ⏸ En pausa. Este plan ya no se vende: elige otro y recibes una configuración nueva
config-suspended-trial = ⏸ La prueba se acabó. Elige un plan y recibes una configuración nueva
config-revoked = ⚪ Eliminado: ya no funciona
config-where = 📍 { $protocol } · { $location }
config-where-unknown = 📍 { $protocol }
config-used = 📊 Este dispositivo usó { $used }
config-handshake = 🤝 Última conexión: { $ago }
config-handshake-never = 🤝 Aún no se ha conectado
config-handshake-overdue = 🤝 Aún no se ha conectado. ¿Algo falla? Toca 🔧
config-button-file = 📄 Archivo
config-button-qr = 📷 QR
config-button-text = 📋 Texto
config-button-link = 🔗 Enlace
config-button-guide = 📖 Cómo conectar
config-button-rename = ✏️ Nombre
config-button-revoke = 🗑 Eliminar
config-button-refresh = 🔄 Actualizar

# --- añadir ---
add-title = ➕ <b>Añadir dispositivo</b>
add-choose = ¿Cómo se va a conectar?
add-button-of = { $protocol } · { $plan }
add-no-subscription = Para añadir un dispositivo necesitas un plan activo. Se consigue en un minuto 👇
add-limit = Ya tienes { $devices }: no caben más. Elimina uno que no uses y podrás añadir otro.
add-limit-plan = ¿Necesitas más? Otro plan va aparte, con sus propios dispositivos.
add-full = Ahora mismo los servidores están llenos. Vuelve a intentarlo en un rato 🙏

# --- eliminar ---
revoke-question =
    🗑 <b>¿Eliminar «{ $name }»?</b>

    Ese dispositivo deja de conectarse al momento y no se puede deshacer. Tu plan sigue igual y puedes añadir otro.
revoke-button-yes = 🗑 Sí, eliminar
revoke-button-no = ‹ No, conservarlo
revoke-done = 🗑 Listo, «{ $name }» ya no funciona. Puedes añadir otro dispositivo cuando quieras.

# --- renombrar ---
rename-question =
    ✏️ <b>¿Cómo se va a llamar «{ $name }»?</b>

    Escríbeme el nombre nuevo, por ejemplo «Mi teléfono». Hasta { $chars } caracteres.
rename-invalid = Ese nombre no es válido 🙂 Escríbeme uno corto, de hasta { $chars } caracteres.
rename-done = ✏️ Listo, ahora se llama <b>{ $name }</b>.
rename-button-cancel = ‹ Dejarlo como está

# --- entrega ---
deliver-document =
    🎉 <b>{ $name }: ¡todo listo!</b>

    Abre este archivo con la app WireGuard y activa el interruptor.
deliver-qr-wireguard = 📷 ¿Usarás la VPN en otro dispositivo y no en este? Escanea el código con la app WireGuard. Una configuración sirve para un solo dispositivo: para otro más, toca ➕ en /vpn.
deliver-qr-outline = 📷 ¿Usarás la VPN en otro dispositivo y no en este? Escanea el código con su cámara; necesita la app Outline. Para otro dispositivo más, toca ➕ en /vpn.
deliver-text-wireguard =
    📋 <b>{ $name }</b>: la misma configuración como texto. Tócala para copiarla.

    { $secret }

    🔒 Es solo tuya: no la compartas.
deliver-text-outline =
    🎉 <b>{ $name }: ¡todo listo!</b> Toca el enlace para copiarlo y abre la app Outline:

    { $secret }

    🔒 Es solo tuyo: no lo compartas.
deliver-button-copy = 📋 Copiar

# --- guías ---
guides-title = 📖 <b>Guías</b>
guides-which = ¿Con qué app te conectas?
guides-system = 📖 <b>{ $protocol }</b>: ¿en qué dispositivo?
guide-title = 📖 <b>{ $protocol } en { $system }</b>
guide-wireguard-android =
    1. Instala <b>WireGuard</b> con el botón de abajo.
    2. Vuelve aquí, toca el archivo <b>.conf</b> y ábrelo con WireGuard. Si no aparece, descárgalo y en la app toca <b>+</b> → importar desde archivo.
    3. Activa el interruptor y acepta el permiso de VPN. ¡Listo!
guide-wireguard-ios =
    1. Instala <b>WireGuard</b> desde la App Store con el botón de abajo.
    2. Vuelve aquí, toca el archivo <b>.conf</b>, toca compartir y elige WireGuard.
    3. Permite añadir la VPN y activa el interruptor. ¡Listo!
guide-wireguard-windows =
    1. Instala <b>WireGuard</b> con el botón de abajo.
    2. Guarda el archivo <b>.conf</b> en tu PC (con Telegram Desktop es lo más fácil).
    3. En WireGuard haz clic en <b>Importar túnel(es) desde archivo</b>, elige el archivo y luego <b>Activar</b>. ¡Listo!
guide-wireguard-macos =
    1. Instala <b>WireGuard</b> desde la App Store con el botón de abajo.
    2. Guarda el archivo <b>.conf</b> en tu Mac.
    3. En WireGuard importa el túnel desde el archivo, permite añadir la VPN y haz clic en <b>Activar</b>. ¡Listo!
guide-wireguard-linux =
    1. Instala <b>WireGuard</b>, por ejemplo: <code>sudo apt install wireguard</code>
    2. Guarda el archivo como <code>/etc/wireguard/vpn.conf</code>
    3. Enciende: <code>sudo wg-quick up vpn</code>
    4. Apaga: <code>sudo wg-quick down vpn</code>
guide-outline-mobile =
    1. Instala <b>Outline</b> con el botón de abajo.
    2. Copia tu enlace <code>ss://</code> (botón 🔗 Enlace) y abre la app: lo detecta sola. Si no, toca <b>+</b> y pégalo.
    3. Añade el servidor, toca <b>Conectar</b> y acepta el permiso de VPN. ¡Listo!
guide-outline-desktop =
    1. Descarga e instala <b>Outline</b> (la app cliente) con el botón de abajo.
    2. Copia tu enlace <code>ss://</code> (botón 🔗 Enlace), abre la app, haz clic en <b>+</b> y pégalo.
    3. Añade el servidor y haz clic en <b>Conectar</b>. ¡Listo!
guide-button-app = ⬇️ { $app } para { $system }
guide-button-config = ‹ Mi dispositivo
guide-button-other = 📱 Otro sistema

# --- ¿no conecta? ---
trouble-title = 🔧 <b>¿No conecta?</b>
trouble-steps =
    1. Usa cada configuración en un solo dispositivo; para otro, toca ➕ en /vpn.
    2. Apaga cualquier otra VPN.
    3. Pon la fecha y la hora en automático.
    4. Borra la VPN en la app y añádela otra vez con el archivo, el QR o el enlace.
    5. Prueba con otra red: Wi-Fi o datos móviles.
trouble-outline = 🥷 ¿Solo falla en algunas redes, como en Rusia, en la oficina o en un hotel? Puede que bloqueen WireGuard: añade un dispositivo con <b>Outline</b>.
trouble-support = 💬 ¿Sigue igual? Escribe a soporte con tu id: { $id }
