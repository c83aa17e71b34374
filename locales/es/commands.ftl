# Menú de comandos y presentación de los bots (sin etiquetas: lo muestra Telegram).

command-start = Menú principal
command-vpn = Mi VPN y mis dispositivos
command-plans = Planes y precios
command-trial = Probar gratis
command-profile = Mis datos, suscripción y pagos
command-status = Estado de los servidores
command-help = Ayuda
command-language = Cambiar idioma
command-paysupport = Ayuda con un pago
command-mylogs = Historial de mi cuenta
command-myroles = Mis roles
command-terms = Términos
command-privacy = Privacidad
command-cancel = Cancelar lo que estaba haciendo
command-whois = Ver a una persona
command-users = Lista de usuarios
command-stats = Cifras del negocio
command-audit = Registro de cambios
command-refund = Devolver un pago
command-reviews = Pagos que hay que mirar
command-grantrole = Dar un rol
command-revokerole = Quitar un rol
command-ban = Bloquear a una persona
command-unban = Desbloquear a una persona

client-bot-what = VPN rápida y privada, lista en un minuto.
client-bot-trial = 🎁 Pruébala gratis
client-bot-protocols = ⚡ { $protocols }
client-bot-payments = ⭐ Pagos: { $providers }
client-bot-begin = Toca Iniciar 👇
client-bot-short-trial = Prueba gratis.
support-bot-description = Aquí te ayuda una persona cuando algo no funciona: conexión, pagos o dudas.
support-bot-short = Aquí te ayuda una persona.
admin-bot-description = Para el equipo: usuarios, pagos y servidores.
admin-bot-short = Para el equipo.
