# Подписки, устройства, выдача и инструкции.

# --- подписка ---
subscription-active = ✅ <b>{ $name }</b>: работает
subscription-suspended = ⏸ <b>{ $name }</b>: на паузе
subscription-expired = ⚪ <b>{ $name }</b>: срок истёк
subscription-ends = 🗓 До окончания: { $span } (до { $date })
subscription-renews = 🔁 Продлится автоматически { $date }
subscription-ended = 🗓 Срок закончился { $date }
subscription-traffic = 📶 Остаток: { $left } из { $total }
subscription-traffic-out = 📶 Весь трафик израсходован ({ $total })
subscription-unlimited = 📶 Трафик без ограничений

# --- мой VPN ---
vpn-title = 🔑 <b>Мой VPN</b>
vpn-empty = Тарифа пока нет. Подключить можно за минуту 👇
vpn-no-configs = Устройств пока нет. Добавьте первое 👇
vpn-config = { $dot } <b>{ $name }</b> · { $protocol } · { $used }
vpn-config-preparing = { $dot } <b>{ $name }</b> · { $protocol } · готовится
vpn-button-config = { $dot } { $name }
vpn-button-add = ➕ Добавить устройство
vpn-button-guides = 📖 Инструкции

# --- одно устройство ---
config-title = 📱 <b>{ $name }</b>
config-active = 🟢 Работает
config-preparing = ⏳ Готовится: пришлю настройки сюда, как только они будут готовы
config-suspended = ⏸ На паузе. Продлите — и всё заработает с теми же настройками
config-suspended-unsold = ⏸ На паузе. Этот тариф больше не продаётся: выберите другой — и получите новые настройки
config-suspended-trial = ⏸ Пробный доступ закончился. Выберите тариф — и получите новые настройки
config-revoked = ⚪ Удалено: больше не работает
config-where = 📍 { $protocol } · { $location }
config-where-unknown = 📍 { $protocol }
config-used = 📊 Израсходовано на этом устройстве: { $used }
config-handshake = 🤝 Последнее подключение: { $ago }
config-handshake-never = 🤝 Ещё не подключалось
config-handshake-overdue = 🤝 Ещё не подключалось. Что-то не так? Нажмите 🔧
config-button-file = 📄 Файл
config-button-qr = 📷 QR
config-button-text = 📋 Текст
config-button-link = 🔗 Ссылка
config-button-guide = 📖 Как подключиться
config-button-rename = ✏️ Название
config-button-revoke = 🗑 Удалить
config-button-refresh = 🔄 Обновить

# --- добавить ---
add-title = ➕ <b>Новое устройство</b>
add-choose = Как оно будет подключаться?
add-button-of = { $protocol } · { $plan }
add-no-subscription = Чтобы добавить устройство, нужен действующий тариф. Это займёт минуту 👇
add-limit = У вас уже { $devices }, больше добавить нельзя. Удалите ненужное — и место освободится.
add-limit-plan = Нужно больше? Другой тариф действует отдельно, у него свои устройства.
add-full = Сейчас на серверах нет свободных мест. Попробуйте, пожалуйста, чуть позже 🙏

# --- удалить ---
revoke-question =
    🗑 <b>Удалить «{ $name }»?</b>

    Это устройство сразу перестанет подключаться, отменить нельзя. Тариф останется, и вы сможете добавить другое устройство.
revoke-button-yes = 🗑 Да, удалить
revoke-button-no = ‹ Нет, оставить
revoke-done = 🗑 Готово, «{ $name }» больше не работает. Новое устройство можно добавить в любой момент.

# --- переименовать ---
rename-question =
    ✏️ <b>Как назвать «{ $name }»?</b>

    Пришлите новое название, например «Мой телефон». Не длиннее { $chars } символов.
rename-invalid = Такое название не подойдёт 🙂 Пришлите короткое, не длиннее { $chars } символов.
rename-done = ✏️ Готово, теперь это <b>{ $name }</b>.
rename-button-cancel = ‹ Оставить как есть

# --- выдача ---
deliver-document =
    🎉 <b>{ $name }: всё готово.</b>

    Откройте этот файл в приложении WireGuard и включите переключатель.
deliver-qr-wireguard = 📷 Будете пользоваться на другом устройстве, а не на этом? Отсканируйте код в WireGuard. Одни настройки — одно устройство; для второго нажмите ➕ в /vpn.
deliver-qr-outline = 📷 Будете пользоваться на другом устройстве, а не на этом? Отсканируйте код его камерой; на нём нужен Outline. Для ещё одного устройства нажмите ➕ в /vpn.
deliver-text-wireguard =
    📋 <b>{ $name }</b>: те же настройки текстом. Нажмите на текст, чтобы скопировать.

    { $secret }

    🔒 Это только для вас: никому не передавайте.
deliver-text-outline =
    🎉 <b>{ $name }: всё готово.</b> Нажмите на ссылку, чтобы скопировать её, и откройте приложение Outline:

    { $secret }

    🔒 Это только для вас: никому не передавайте.
deliver-button-copy = 📋 Скопировать

# --- инструкции ---
guides-title = 📖 <b>Инструкции</b>
guides-which = Каким приложением вы подключаетесь?
guides-system = 📖 <b>{ $protocol }</b>: на каком устройстве?
guide-title = 📖 <b>{ $protocol } на { $system }</b>
guide-wireguard-android =
    1. Установите <b>WireGuard</b> по кнопке ниже.
    2. Вернитесь сюда, нажмите на файл <b>.conf</b> и откройте его в WireGuard. Если приложения нет в списке, скачайте файл, нажмите в приложении <b>+</b> и выберите импорт из файла.
    3. Включите переключатель и разрешите VPN. Готово!
guide-wireguard-ios =
    1. Установите <b>WireGuard</b> из App Store по кнопке ниже.
    2. Вернитесь сюда, нажмите на файл <b>.conf</b>, затем «Поделиться» и выберите WireGuard.
    3. Разрешите добавить VPN и включите переключатель. Готово!
guide-wireguard-windows =
    1. Установите <b>WireGuard</b> по кнопке ниже.
    2. Сохраните файл <b>.conf</b> на компьютер (проще всего через Telegram Desktop).
    3. В WireGuard нажмите <b>Импорт туннелей</b>, выберите файл и нажмите <b>Подключить</b>. Готово!
guide-wireguard-macos =
    1. Установите <b>WireGuard</b> из App Store по кнопке ниже.
    2. Сохраните файл <b>.conf</b> на Mac.
    3. В WireGuard импортируйте туннель из файла, разрешите добавить VPN и подключитесь. Готово!
guide-wireguard-linux =
    1. Установите <b>WireGuard</b>, например: <code>sudo apt install wireguard</code>
    2. Сохраните файл как <code>/etc/wireguard/vpn.conf</code>
    3. Включить: <code>sudo wg-quick up vpn</code>
    4. Выключить: <code>sudo wg-quick down vpn</code>
guide-outline-mobile =
    1. Установите <b>Outline</b> по кнопке ниже.
    2. Скопируйте свою ссылку <code>ss://</code> (кнопка 🔗 Ссылка) и откройте приложение: оно само её найдёт. Если нет, нажмите <b>+</b> и вставьте ссылку.
    3. Добавьте сервер, нажмите <b>Подключить</b> и разрешите VPN. Готово!
guide-outline-desktop =
    1. Скачайте и установите <b>Outline</b> (клиент) по кнопке ниже.
    2. Скопируйте свою ссылку <code>ss://</code> (кнопка 🔗 Ссылка), откройте приложение, нажмите <b>+</b> и вставьте ссылку.
    3. Добавьте сервер и нажмите <b>Подключить</b>. Готово!
guide-button-app = ⬇️ { $app } для { $system }
guide-button-config = ‹ Моё устройство
guide-button-other = 📱 Другая система

# --- не подключается? ---
trouble-title = 🔧 <b>Не подключается?</b>
trouble-steps =
    1. Одни настройки — одно устройство; для второго нажмите ➕ в /vpn.
    2. Выключите другие VPN.
    3. Включите автоматические дату и время.
    4. Удалите VPN в приложении и добавьте снова: файлом, QR-кодом или ссылкой.
    5. Попробуйте другую сеть: Wi-Fi или мобильную.
trouble-outline = 🥷 Не работает только в некоторых сетях — у вашего оператора, в офисе, в отеле? Возможно, там блокируют WireGuard: добавьте устройство с <b>Outline</b>.
trouble-support = 💬 Всё равно никак? Напишите в поддержку, ваш id: { $id }
