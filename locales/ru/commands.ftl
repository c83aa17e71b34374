# Меню команд и описание ботов (без тегов: их показывает Telegram).

command-start = Главное меню
command-vpn = Мой VPN и устройства
command-plans = Тарифы и цены
command-trial = Попробовать бесплатно
command-profile = Мои данные, подписка и платежи
command-status = Состояние серверов
command-help = Помощь
command-language = Сменить язык
command-paysupport = Помощь с оплатой
command-mylogs = История моего аккаунта
command-myroles = Мои роли
command-terms = Условия
command-privacy = Конфиденциальность
command-cancel = Отменить начатое
command-whois = Найти человека
command-users = Список пользователей
command-stats = Статистика продаж и серверов
command-audit = Журнал изменений
command-refund = Вернуть оплату
command-reviews = Платежи на проверке
command-grantrole = Дать роль
command-revokerole = Снять роль
command-ban = Заблокировать человека
command-unban = Разблокировать человека

client-bot-name = uSipipo VPN
client-bot-description =
    Быстрый и приватный VPN за одну минуту.

    🎁 Попробуйте бесплатно
    ⚡ WireGuard и Outline
    ⭐ Оплата Telegram Stars или QvaPay

    Нажмите «Начать» 👇
client-bot-short = Быстрый и приватный VPN за одну минуту. Можно попробовать бесплатно.
support-bot-name = uSipipo Поддержка
support-bot-description = Здесь вам поможет человек, если что-то не работает: подключение, оплата, любые вопросы.
support-bot-short = Поддержка uSipipo VPN
admin-bot-name = uSipipo Администрирование
admin-bot-description = Для команды uSipipo: пользователи, платежи и серверы.
admin-bot-short = Для команды uSipipo
