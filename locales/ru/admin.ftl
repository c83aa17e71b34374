# Экраны для команды.

admin-person = { $name } (@{ $username })
user-active = всё в порядке
user-banned = доступ закрыт командой
user-blocked = бот остановлен пользователем

# --- один человек ---
whois-title = 👤 <b>{ $who }</b>
whois-facts = { $id } · { $language } · { $status }
whois-times = С нами с { $date } · последний визит: { $ago }
whois-trial-used = 🎁 Пробный доступ взят { $date }
whois-trial-free = 🎁 Пробный доступ не использован
whois-configs = 🔑 { $devices }
whois-referrer = 🔗 По приглашению { $code }
whois-button-refund = ↩️ Вернуть { $plan } · { $price }
whois-button-audit = 🕓 Журнал
whois-button-ban = ⛔ Заблокировать
whois-button-unban = ✅ Разблокировать

# --- люди ---
users-title = 👥 <b>Пользователи</b> ({ $total })
users-line = • { $who } · { $id } · { $ago }
users-line-status = • { $who } · { $id } · { $ago } · { $status }
usage = ✍️ <b>{ $what }</b>
no-such-user = 🤷 Не нахожу { $given }. Человек должен хотя бы раз написать боту.

# --- журнал ---
audit-title = 🕓 <b>Журнал изменений</b>
audit-title-of = 🕓 <b>Журнал</b> { $id }
audit-system = СИСТЕМА
audit-line = { $moment } · { $actor } · <b>{ $action }</b> · { $target }

# --- цифры ---
stats-title = 📊 <b>Статистика</b>
stats-people = 👥 Пользователи: <b>{ $people }</b> (новых сегодня: { $today } · активных за 7 дней: { $week })
stats-access = 🔑 Действующие тарифы: <b>{ $paid }</b> · пробные: { $trials } · устройства: { $configs }
stats-today = 💰 Сегодня: { $sums } (платежей: { $orders })
stats-month = 💰 30 дней: { $sums } (платежей: { $orders })
stats-nothing = продаж нет
stats-servers = 📡 Работают серверы: { $up } из { $all }
stats-queues = 📬 В очереди: входящие { $events } · сообщения { $messages } · задачи { $jobs }
stats-dead = ⚠️ Не удалось обработать после нескольких попыток: { $dead }
stats-reviews = 🔎 Платежи на проверке: { $reviews }

# --- возвраты ---
refund-question =
    ↩️ <b>Вернуть { $price }?</b>

    { $who } · { $id }
    { $plan } · { $provider }
    Оплачено { $moment }
    { $reference }
refund-ends = Дни по этой оплате будут сняты: доступ закончится { $date }.
refund-ends-now = Доступ по этой оплате будет снят: он закончится сразу.
refund-too-late = Купленное по этой оплате уже закончилось: доступ не меняется.
refund-charge = Транзакция: { $charge }
refund-hand-first = { $provider } не умеет возвращать отсюда. Сначала верните деньги вручную в { $provider }, потом нажмите кнопку.
refund-button-yes = ↩️ Да, вернуть { $price }
refund-button-hand = ✅ Деньги возвращены: { $price }
refund-noted = ↩️ Записано: { $reference } возвращён. Человек получит сообщение.
refund-button-no = ‹ Не возвращать
refund-started = ↩️ Возврат начат: { $reference }. Человек получит сообщение, когда деньги вернутся.
refund-not-paid = Этот заказ вернуть нельзя, его состояние: { $status }.
refund-no-money = Денег по этому заказу не поступало, возвращать нечего.
refund-no-order = 🤷 Не нахожу такой заказ.
refund-by-hand = { $provider } не умеет возвращать отсюда. Верните вручную в { $provider }; пока ничего не изменилось.

# --- платежи на проверке ---
reviews-title = 🔎 <b>Платежи на проверке</b>
reviews-none = Проверять нечего 🎉
reviews-button-all = 🔎 Платежи на проверке
reviews-button = 🔎 Посмотреть
reviews-order = <b>Заказ { $number }</b> · { $plan } · { $money } · { $moment }
reviews-button-order = 🔎 Заказ { $number } · { $money }
reviews-button-charge = 🔎 № { $number } · { $money }
charge-line = <b>№ { $number }</b> · { $money } · { $provider } · { $moment }
charge-facts =
    Кто заплатил: { $payer }
    Какой заказ назван: { $order }
    Транзакция: { $charge }
charge-how = 👉 Когда вопрос решён, закройте его и напишите как: { $command }
charge-sent-back = ↩️ Возврат начат: деньги вернутся туда, откуда пришли.
charge-closed = ✅ Закрыто.
charge-gone = 🤷 Такого платежа нет, или он уже закрыт.

# --- заказ на проверке ---
review-order =
    🔎 <b>Заказ { $number } · { $plan }</b>

    { $who } · { $id }
    { $moment }
    { $reference }
review-agreed = Договорились: <b>{ $price }</b> · { $provider }
review-came = Пришло: <b>{ $money }</b>
review-came-unknown = Пришло: сумма неизвестна. Посмотрите в кабинете { $provider }.
review-payer = Кто заплатил: { $who } · { $id }
review-reason = Почему на проверке: { $reason }
review-gives = ✅ Если принять, будет выдано заказанное: { $days } · { $traffic } · { $devices }, доступ до <b>{ $date }</b>. Пришедшая сумма запишется как оплата.
review-button-accept = ✅ Принять { $money } и выдать тариф
review-button-refund = ↩️ Вернуть деньги…
review-accepted = ✅ Принято: { $reference }. Тариф выдан, человек получит чек.
review-over = Кто-то решил раньше вас. Состояние заказа: { $status }.
review-nothing-came = Неизвестно, сколько пришло по этому заказу, поэтому принять его нельзя. Ничего не изменилось.

# --- роли ---
role-granted = 🎖 Готово. Роль для { $id }:
role-revoked = 🎖 Готово: у { $id } больше нет роли «{ $role }».
role-unknown = Роли «{ $given }» нет. Есть: { $roles }
role-not-allowed = 🔐 Эту роль нельзя дать или снять: никто не повышает себя и не трогает равных и старших.
role-not-held = У { $id } нет роли «{ $role }».
role-fixed = Роль { $id } задана в настройках сервера; изменить её можно только там.
role-over = Эта дата уже прошла. Напишите, на сколько дней дать роль, или ничего — тогда без срока.

# --- блокировки ---
ban-question =
    ⛔ <b>Заблокировать { $who }?</b> { $id }

    Бот перестанет отвечать этому человеку. Оплаченное останется как есть; разблокировать можно в любой момент.
ban-button-yes = ⛔ Да, заблокировать
ban-button-no = ‹ Нет
ban-done = ⛔ Доступ к боту закрыт: { $who } · { $id }
unban-done = ✅ Доступ к боту открыт: { $who } · { $id }
ban-unchanged = Ничего не изменилось: { $who } · { $id }
ban-protected = 🔐 { $who } · { $id } — из команды. Сначала снимите роль.
