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

client-bot-name = uSipipo VPN
client-bot-description =
    VPN rápida y privada, lista en un minuto.

    🎁 Pruébala gratis
    ⚡ WireGuard y Outline
    ⭐ Paga con Telegram Stars o QvaPay

    Toca Iniciar 👇
client-bot-short = VPN rápida y privada, lista en un minuto. Prueba gratis.
support-bot-name = uSipipo Soporte
support-bot-description = Aquí te ayuda una persona cuando algo no funciona: conexión, pagos o dudas.
support-bot-short = Soporte de uSipipo VPN
admin-bot-name = uSipipo Administración
admin-bot-description = Para el equipo de uSipipo: usuarios, pagos y servidores.
admin-bot-short = Para el equipo de uSipipo
