//! Reasons for a refusal, ready to be sent, in the owner's language. Whoever refuses may write his own.

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reply {
    pub(crate) name: &'static str,
    /// What it is about, for the operator.
    pub(crate) about: &'static str,
    /// For the owner: English, Chinese, Spanish, German.
    texts: [&'static str; 4],
}

const REPLIES: [Reply; 4] = [
    Reply {
        name: "proof",
        about: "Proof is missing",
        texts: [
            "We could not confirm that this device is yours. Please send a photo of its label with the serial number and the invoice, and ask once more.",
            "我们无法确认该设备归您所有。请发送带有序列号的设备标签照片和购买发票，然后重新申请。",
            "No hemos podido confirmar que este dispositivo sea suyo. Envíe una foto de la etiqueta con el número de serie y la factura, y vuelva a solicitarlo.",
            "Wir konnten nicht bestätigen, dass dieses Gerät Ihnen gehört. Bitte senden Sie ein Foto des Typenschilds mit der Seriennummer und die Rechnung, und fragen Sie noch einmal an.",
        ],
    },
    Reply {
        name: "other-device",
        about: "The request is of another device",
        texts: [
            "The request that you sent was made by another device than the one you named. Please export it again on the right device.",
            "您发送的请求来自另一台设备，与您所说的设备不符。请在正确的设备上重新导出请求。",
            "La solicitud que envió procede de un dispositivo distinto del que indicó. Expórtela de nuevo en el dispositivo correcto.",
            "Die Anfrage, die Sie gesandt haben, stammt von einem anderen Gerät als dem genannten. Bitte exportieren Sie sie am richtigen Gerät noch einmal.",
        ],
    },
    Reply {
        name: "easier-way",
        about: "The owner has an easier way",
        texts: [
            "Your device has a way back in that is quicker: choose Forgot password on it and use one of those that it shows as ready.",
            "您的设备有更快捷的找回方式：请在设备上选择“忘记密码”，并使用其中显示为可用的方式。",
            "Su dispositivo tiene una forma más rápida de recuperar el acceso: elija «Contraseña olvidada» y use una de las que aparecen como disponibles.",
            "Ihr Gerät hat einen schnelleren Weg: Wählen Sie dort „Passwort vergessen“ und nehmen Sie einen, der als bereit angezeigt wird.",
        ],
    },
    Reply {
        name: "not-asked",
        about: "The owner did not ask",
        texts: [
            "We were told that the owner of this device did not ask for a new password. Nothing was changed. If you are the owner, please call us.",
            "我们得知该设备的所有者并未申请重置密码。设备没有任何更改。如果您是所有者，请致电我们。",
            "Nos han comunicado que el propietario de este dispositivo no ha pedido una contraseña nueva. No se ha cambiado nada. Si usted es el propietario, llámenos.",
            "Uns wurde mitgeteilt, dass der Besitzer dieses Geräts kein neues Passwort verlangt hat. Es wurde nichts geändert. Wenn Sie der Besitzer sind, rufen Sie uns bitte an.",
        ],
    },
];

impl Reply {
    /// All of them.
    pub(crate) fn all() -> &'static [Self] {
        &REPLIES
    }

    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        REPLIES.iter().find(|reply| reply.name == name)
    }

    /// In a language (BCP 47); in English, if it is not spoken here.
    pub(crate) fn text(&self, language: &str) -> &'static str {
        let language = language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        let place = ["en", "zh", "es", "de"].iter().position(|known| *known == language).unwrap_or(0);
        self.texts[place]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use sparekey_cases::desk::Words;

    use super::*;

    #[test]
    fn each_is_said_in_four_languages() {
        let mut said = HashSet::new();
        for reply in Reply::all() {
            assert_eq!(Reply::named(reply.name).unwrap().about, reply.about);
            for language in ["en", "zh-Hans", "es-MX", "DE"] {
                let text = reply.text(language);
                assert!(said.insert(text), "{text}");
                assert_eq!(Words::new(text).unwrap().as_str(), text);
            }
            assert_eq!(reply.text("fr"), reply.text("en"));
        }
        assert!(Reply::named("none").is_none());
    }
}
