//! Spanish.

use super::{AnswerWording, PurposeWording, Wording};

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
    answer: AnswerWording {
        taken: "Hemos recibido su correo",
        not_taken: "No hemos podido usar su correo",
        code: "La solicitud de su correo fue aceptada. Si el dispositivo aún la espera, el código se envía a la dirección de correo \
               guardada en el dispositivo y a ninguna otra: tampoco a la dirección desde la que escribió, salvo que sea la \
               misma. Mire en ese buzón y escriba las cifras en la pantalla del dispositivo.",
        desk: "La solicitud de su correo fue aceptada y la tiene el servicio de asistencia. La examinarán y se pondrán en contacto. \
               Tenga a mano una foto de la etiqueta del dispositivo y la factura: puede que se las pidan. Deje el dispositivo \
               encendido.",
        what_to_do: "No se pudo tomar ninguna solicitud de su correo. Haga la foto de nuevo: de frente, con todo el código cuadrado \
                     en la imagen y sin reflejos. Adjúntela como JPEG o PNG, o adjunte el archivo que exportó el dispositivo; \
                     los archivos comprimidos no se abren. Si la pantalla del dispositivo ya muestra otro código, envíe ese. \
                     Si ya ha enviado varios, espere hasta mañana.",
        automatic: "Esta respuesta es automática y no hay más de una al día. Si usted no nos escribió, alguien usó su dirección; no \
                    tiene que hacer nada.",
    },
};
