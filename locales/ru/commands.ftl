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

client-bot-what = Быстрый и приватный VPN за одну минуту.
client-bot-trial = 🎁 Попробуйте бесплатно
client-bot-protocols = ⚡ { $protocols }
client-bot-payments = ⭐ Оплата: { $providers }
client-bot-begin = Нажмите «Запустить» 👇
client-bot-short-trial = Можно попробовать бесплатно.
support-bot-description = Здесь вам поможет человек, если что-то не работает: подключение, оплата, любые вопросы.
support-bot-short = Здесь вам поможет человек.
admin-bot-description = Для команды: пользователи, платежи и серверы.
admin-bot-short = Для команды.
