# Prueba, planes, pedidos, recibos y recordatorios.

# --- prueba ---
trial-title = 🎁 <b>Prueba gratis</b>
trial-offer = <b>{ $days }</b> y <b>{ $traffic }</b>, sin pagar nada. Una sola vez por cuenta.
trial-choose = ¿Cómo te quieres conectar?
trial-full = Ahora mismo los servidores están llenos. Vuelve a intentarlo en un rato 🙏
trial-used = Ya usaste tu prueba el { $date }; es una por cuenta. Los planes siguen aquí para ti 👇
trial-none = Ahora mismo no hay prueba gratis. Mira los planes, los hay para todos 👇
about-wireguard = ⚡ <b>WireGuard</b>: la más rápida. Si no sabes cuál, elige esta.
about-outline = 🥷 <b>Outline</b>: pasa mejor donde bloquean las VPN.
preparing =
    ⏳ <b>Estoy preparando tu configuración { $protocol }…</b>

    Suele tardar menos de un minuto. Te llega aquí mismo, no tienes que hacer nada.

# --- planes ---
plans-title = 🛒 <b>Planes</b>
plans-empty = Ahora mismo no hay planes a la venta. Vuelve pronto 🙏
plans-hint = Elige uno para ver los detalles 👇
plan-card-name = <b>{ $name }</b>
plan-card-popular = 🌟 <b>{ $name }</b> · el más elegido
plan-card-facts = { $days } · { $traffic } · { $devices }
plan-button = { $name } · { $price }
plan-button-popular = 🌟 { $name } · { $price }
plan-gives = <b>Qué recibes</b>
plan-gives-days = 🗓 { $days } de acceso
plan-gives-traffic = 📶 { $traffic } de datos
plan-gives-unlimited = 📶 Datos ilimitados
plan-gives-devices = 📱 { $devices } a la vez
plan-gives-protocols = 🔑 { $protocols }, tú eliges
plan-gives-protocol = 🔑 { $protocol }
plan-extends = ➕ Se suma a lo que ya tienes: acceso hasta el <b>{ $date }</b>.
plan-beside = ℹ️ Es un plan aparte: empieza hoy con su propia configuración. <b>{ $plan }</b> sigue hasta el { $date }.
plan-beside-paused = ℹ️ Es un plan aparte, con su propia configuración. La que ya tienes vuelve a funcionar si renuevas <b>{ $plan }</b>.
plan-prices = Precio: <b>{ $prices }</b>
plan-no-payment = Este plan no se puede pagar ahora mismo. Elige otro, por favor 🙏
pay-stars = Pagar { $price }
pay-with = Pagar { $price } con { $provider }
how-to-pay-stars = ⭐ <b>Stars</b>: se compran dentro de Telegram, también al pagar.
how-to-pay-qvapay = 💵 <b>QvaPay</b>: con saldo o cripto en qvapay.com.

# --- pedido ---
order-title = 🧾 <b>{ $plan }</b> · { $price }
order-number = Pedido { $reference }
order-preparing = ⏳ Estoy preparando el pago… Unos segundos.
order-pay-invoice = 👇 Te envié la factura: ábrela y toca <b>Pagar</b>. En cuanto llegue el pago, tu VPN queda activa.
order-pay-link = 👇 Paga con el botón de abajo. En cuanto llegue el pago, tu VPN queda activa y te aviso aquí mismo.
order-valid-until = ⏱ Vence en { $span }.
order-checking = Lo estoy comprobando. Suele tardar menos de un minuto; te aviso aquí.
order-paid = ✅ <b>¡Pago recibido, gracias!</b>
order-paid-until = Tu acceso está activo hasta el <b>{ $date }</b>.
order-expired =
    ⌛ <b>El pedido venció.</b>

    ¿Ya pagaste? No te preocupes: en cuanto nos llegue, tu plan se activa solo.
order-cancelled =
    ✖️ <b>Pedido cancelado.</b>

    Si habías pagado justo antes, no se pierde: en cuanto nos llegue, tu plan se activa solo.
order-failed = 😔 <b>No se pudo preparar el pago.</b> No se te cobró nada. Inténtalo otra vez o paga de otra forma.
order-review =
    🔎 <b>Estamos revisando tu pago.</b>

    Llegó, pero algo no coincide con el pedido. Una persona ya lo mira; no pagues otra vez. Te aviso aquí.
order-refunded = ↩️ <b>Pago devuelto.</b> El dinero vuelve por donde lo pagaste.
order-button-check = 🔄 Ya pagué
order-button-refresh = 🔄 Actualizar
order-button-cancel = ✖️ Cancelar pedido
order-button-again = 🛒 Pedir otra vez
order-button-paysupport = 💳 Ayuda con el pago

# --- por qué no se puede pagar (lo muestra Telegram al pagar) ---
refuse-unknown = No encuentro este pedido. Abre /plans y haz uno nuevo; no se te cobró nada.
refuse-foreign = Esta factura es de otra persona. Abre /plans y haz tu propio pedido.
refuse-paid = Este pedido ya está pagado, no hace falta pagar otra vez. Lo tuyo está en /vpn.
refuse-review = Ya llegó un pago de este pedido y lo estamos revisando. No pagues otra vez; te avisamos.
refuse-expired = Este pedido venció. Abre /plans y haz uno nuevo.
refuse-cancelled = Este pedido está cancelado. Abre /plans si quieres otro.
refuse-mismatch = El importe no es el de tu pedido, así que no se cobró nada. Abre /plans y haz uno nuevo.

# --- recibos ---
receipt-late = ✅ <b>Tu pago llegó tarde, pero llegó.</b> ¡Gracias!
receipt-accepted = ✅ <b>Revisamos tu pago y está aceptado.</b> ¡Gracias!
receipt-paid =
    { $plan } · { $price }
    Acceso hasta el <b>{ $date }</b> (quedan { $span })
    Pedido { $reference }
receipt-next = Tu configuración te llega enseguida 👇
receipt-same = Tus dispositivos siguen igual, no hay que cambiar nada.
receipt-add = Tu plan ya está activo. Añade tu primer dispositivo con el botón ➕.
receipt-refunded =
    ↩️ <b>Te devolvimos { $price }.</b>

    { $plan }, pedido { $reference }
receipt-refunded-access = El acceso que daba ese pago se quitó. Gracias por probarnos; cuando quieras, aquí estamos.
receipt-refunded-until = Se quitaron los días que daba ese pago. Tu acceso sigue hasta el <b>{ $date }</b>.

# --- recordatorios ---
reminder-ends = ⏳ <b>{ $plan }</b> termina en { $span }, el { $date }.
reminder-ended = 🔌 <b>{ $plan }</b> terminó.
reminder-traffic-low = 📶 <b>{ $plan }</b>. Disponible: { $left } de { $total }.
reminder-traffic-out = 📶 Se acabaron los datos de <b>{ $plan }</b>.
renew-days = Renueva ahora y no pierdes nada: los días se suman.
renew-same = Renueva y sigues con la misma configuración.
renew-kept = Te guardamos la configuración hasta el { $date }: renueva y vuelve a funcionar tal cual.
renew-anew = Renueva y en un minuto recibes una configuración nueva.
renew-more-data = Si renuevas, los datos nuevos se suman.
renew-data = Renueva y tus dispositivos se conectan otra vez solos.
renew-unsold = Este plan ya no se vende: elige otro y recibes una configuración nueva.
reminder-trial-ends = ⏳ Tu prueba gratis termina en { $span } ({ $date }). ¿Te está gustando? Elige un plan y recibes enseguida tu configuración nueva.
reminder-trial-ended = 🔌 Tu prueba gratis terminó. ¿Te gustó? Elige un plan: en un minuto recibes una configuración nueva y vuelves a estar en línea.
reminder-trial-traffic-low = 📶 <b>Prueba gratis</b>. Disponible: { $left }. Con un plan tienes mucho más.
reminder-trial-traffic-out = 📶 Se acabaron los datos de tu prueba gratis. ¿Te gustó? Elige un plan: en un minuto recibes una configuración nueva y vuelves a estar en línea.
