# Профиль, история, роли, состояние и юридические тексты.

# --- профиль ---
profile-title = 👤 <b>{ $name }</b>
profile-id = Ваш id: { $id }
profile-username = Имя пользователя: @{ $username }
profile-language = Язык: { $language }
profile-since = С нами с { $date }
profile-roles = Роли: { $roles }
profile-no-subscription = У вас нет действующего тарифа.
profile-payments = 💳 <b>Последние платежи</b>
profile-button-logs = 🕓 История
profile-button-roles = 🎖 Мои роли

# --- платежи ---
payment-line = { $date } · { $plan } · { $price } · { $status }
payment-pending = ждёт оплаты
payment-completed = оплачено
payment-refunded = возвращено
payment-expired = срок истёк
payment-failed = не удалось
payment-cancelled = отменено
payment-review = на проверке

# --- роли ---
roles-title = 🎖 <b>Ваши роли</b>
roles-only-user = Вы обычный пользователь, особых ролей нет.
roles-allow = Вам доступны: { $commands }
role-always = • { $role }
role-until = • { $role }, до { $moment }
role-user = Пользователь
role-support = Поддержка
role-finance = Финансы
role-admin = Администратор
role-superadmin = Суперадминистратор

# --- история ---
logs-title = 🕓 <b>История вашего аккаунта</b>
logs-line = { $when } · { $what }
logs-action = { $action ->
    [user_joined] Вы впервые запустили бота
    [user_returned] Вы вернулись
    [user_blocked_bot] Вы заблокировали бота
    [user_banned] Вы заблокировали человека
    [user_unbanned] Вы разблокировали человека
    [language_set] Вы сменили язык
    [referrer_set] Вы пришли по приглашению
    [role_granted] Вы дали роль
    [role_revoked] Вы сняли роль
    [role_ended] Срок роли закончился
    [order_created] Вы сделали заказ
    [order_cancelled] Вы отменили заказ
    [order_closed] Заказ закрыт без оплаты
    [invoice_failed] Не удалось создать счёт
    [callback_ignored] Уведомление об оплате не подошло и пропущено
    [payment_completed] Оплата получена
    [payment_review] Платёж отправлен на проверку
    [review_accepted] Вы приняли платёж с проверки
    [payment_unmatched] Пришли деньги, для которых нет заказа
    [charge_closed] Вы закрыли платёж без заказа
    [charge_sent_back] Платёж без заказа возвращён
    [refund_requested] Вы начали возврат
    [refunded_by_hand] Вы вернули платёж вручную
    [payment_refunded] Оплата возвращена
    [renewal_changed] Изменилось автопродление
    [trial_started] Вы взяли пробный доступ
    [subscription_ended] Подписка закончилась
    [subscription_expired] Закончившаяся подписка убрана
    [subscription_extended] Покупка продлила подписку
    [subscription_resumed] Доступ снова работает
    [subscription_taken_back] Доступ снят после возврата
    [traffic_used_up] Трафик закончился
    [config_added] Вы добавили устройство
    [config_delivered] Вы получили настройки
    [config_renamed] Вы переименовали устройство
    [config_follows] Устройство остановлено или включено вместе с тарифом
    [config_revoked] Вы удалили устройство
    [config_removed] Устройство удалено с сервера
    [first_config_missing] Для нового устройства не нашлось сервера
    [provisioning_delayed] Настройки готовились дольше обычного
    [plan_added] Вы добавили тариф
    [plan_disabled] Вы сняли тариф с продажи
    [server_added] Вы добавили сервер
    [server_updated] Вы изменили сервер
    [server_secret_replaced] Вы сменили доступ к серверу
    [server_removed] Вы убрали сервер
    [server_health] Сервер упал или вернулся
    [pool_low] Адреса заканчивались
    [books_wrong] Учёт не сходился
    [secrets_resealed] Ключи зашифрованы заново
    [event_dead] Входящее событие не обработано
    [event_replayed] Вы повторили событие
    [job_failing] Задача не удавалась
    [job_dead] Задача не выполнена
    [job_retried] Вы повторили задачу
    [message_dead] Сообщение не доставлено
    [clock_turned] Часы демо переведены
   *[other] { $action }
}
logs-error = У нас что-то не получилось

# --- состояние ---
status-title = 📡 <b>Состояние</b>
status-service = { $dot } { $service }
status-bot = Бот
status-delivery = Выдача настроек
status-payments = Оплата через { $provider }
status-servers = <b>Серверы</b>
status-no-servers = Серверов пока нет.
status-server = { $dot } { $location } · { $protocol }
status-server-full = { $dot } { $location } · { $protocol } · мест нет
status-server-down = { $dot } { $location } · { $protocol } · не работает, уже чиним
status-server-unknown = { $dot } { $location } · { $protocol } · ещё не проверен
status-checked = Проверено { $ago }

# --- юридические тексты ---
terms =
    📜 <b>Условия</b>

    Мы небольшая команда и продаём доступ к VPN через Telegram.

    • <b>Что вы покупаете:</b> доступ на дни, трафик и устройства вашего тарифа. Он начинается, когда подтверждена оплата; при продлении всё складывается.
    • <b>Как пользоваться:</b> доступ только для вас. Не перепродавайте его и не используйте для спама, атак, мошенничества и всего незаконного — иначе мы его закроем.
    • <b>Что мы обещаем:</b> следим за серверами и чиним сбои так быстро, как можем. Мы не можем обещать, что всё будет работать всегда и в любой сети: кое-где VPN блокируют.
    • <b>Возврат:</b> если подключиться не получается и мы не можем помочь, вернём деньги. Напишите нам: /paysupport.
    • <b>Изменения:</b> новая цена никогда не касается того, что вы уже оплатили.
terms-elsewhere =
    📜 <b>Условия</b>

    Условия сервиса — по кнопке ниже.
privacy =
    🔒 <b>Конфиденциальность</b>

    <b>Мы храним только необходимое:</b>
    • ваш id, имя, имя пользователя и язык в Telegram;
    • ваши заказы и платежи (сумма, дата и номер; данных карты у нас нет);
    • ваши устройства: название, сервер, объём трафика и время последнего подключения;
    • журнал изменений вашего аккаунта (он в /mylogs).

    <b>Мы не храним</b> посещённые страницы, ваши сообщения и содержимое трафика.

    Ключи хранятся в зашифрованном виде. Мы не продаём и не передаём ваши данные; платёжная система видит только ваш заказ. Если хотите удалить свои данные, напишите в поддержку.
paysupport =
    💳 <b>Помощь с оплатой</b>

    • Оплатили, а ничего не пришло? Подождите несколько минут: платежи проверяются сами, и опоздавшие тоже.
    • Заплатили лишнее, дважды или хотите возврат? Напишите в поддержку, укажите номер заказа — и мы всё решим.

    За оплату в этом боте отвечаем мы: поддержка Telegram здесь помочь не сможет.
paysupport-id = Ваш id: { $id }
