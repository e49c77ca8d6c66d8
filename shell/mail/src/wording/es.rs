//! Spanish.

use super::{PurposeWording, Wording};

pub(super) const WORDING: Wording = Wording {
    tag: "es",
    reset: PurposeWording {
        subject: "Código para una contraseña nueva: dispositivo {serial}",
        heading: "Su código para una contraseña nueva",
        reason: "Se ha solicitado una contraseña nueva para este dispositivo. Su dirección está guardada en él como \
                 correo de recuperación.",
        instruction: "Escriba el código en la pantalla del dispositivo, donde se mostró el código QR. Después podrá \
                      elegir una contraseña nueva.",
        if_not_you: "Entonces alguien cerca del dispositivo, o conectado a su misma red, eligió «He olvidado la \
                     contraseña». Sin este código no ocurre nada y la contraseña actual sigue siendo válida. Compruebe \
                     quién tiene acceso al dispositivo y a la red.",
    },
    confirm: PurposeWording {
        subject: "Confirme esta dirección: dispositivo {serial}",
        heading: "Confirme esta dirección de correo",
        reason: "Esta dirección se ha introducido en un dispositivo como correo de recuperación: si algún día se olvida \
                 la contraseña, aquí se enviará un código.",
        instruction: "Escriba el código en la pantalla del dispositivo, donde se mostró el código QR, para confirmar \
                      que la dirección es correcta.",
        if_not_you: "Entonces alguien introdujo su dirección en otro dispositivo, quizá por error. Sin este código \
                     quedará sin confirmar y usted no tiene que hacer nada.",
    },
    validity: "La pantalla del dispositivo indica cuánto tiempo sigue siendo válido el código (normalmente, 30 minutos \
               desde que apareció el código QR). Funciona una sola vez y solo en este dispositivo.",
    secrecy: "No comparta este código con nadie, tampoco por teléfono con quien diga ser del servicio técnico. Quien de \
              verdad le ayude no lo necesita.",
    not_you: "¿No ha sido usted?",
    model: "Modelo",
    serial: "Número de serie",
    firmware: "Firmware",
    asked_at: "Solicitado",
    device_clock: "Reloj del dispositivo",
    running_since: "En marcha desde",
    clock_not_set: "sin ajustar",
    footer: "Enviado por {service}. Este mensaje no contiene enlaces ni imágenes. Si un mensaje parecido le pide que \
             pulse en algo, no es nuestro.",
};
