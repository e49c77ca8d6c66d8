//! What contacts read about what happened, in each language.

use super::Happened;

/// All texts of a notice in one language. `{serial}` in a subject and `{sender}` in the footer are filled in.
pub(super) struct Wording {
    /// Language tag (BCP 47).
    pub(super) tag: &'static str,
    recovered: What,
    refused: What,
    factory_reset: What,
    transferred: What,
    tried_out: What,
    /// What each way back in is called, in the order of [`WAYS`].
    ways: [&'static str; 6],
    pub(super) device: &'static str,
    pub(super) at: &'static str,
    /// In place of a time that the device does not know.
    pub(super) clock_not_set: &'static str,
    pub(super) by: &'static str,
    pub(super) times: &'static str,
    pub(super) footer: &'static str,
}

/// The texts that depend on what happened.
pub(super) struct What {
    pub(super) subject: &'static str,
    pub(super) lead: &'static str,
    pub(super) if_you: &'static str,
    pub(super) if_not_you: &'static str,
}

/// The names of the ways back in (protocol section 11).
const WAYS: [&str; 6] = ["email", "desk", "keyfile", "sheet", "questions", "seccode"];

impl Wording {
    pub(super) fn of(&self, happened: Happened) -> &What {
        match happened {
            Happened::Recovered => &self.recovered,
            Happened::Refused => &self.refused,
            Happened::FactoryReset => &self.factory_reset,
            Happened::Transferred => &self.transferred,
            Happened::TriedOut => &self.tried_out,
        }
    }

    pub(super) fn way(&self, name: &str) -> Option<&'static str> {
        WAYS.iter().position(|way| *way == name).map(|place| self.ways[place])
    }
}

/// The wording for a language tag (BCP 47), by its first subtag; English for those not spoken yet.
pub(super) fn for_language(tag: &str) -> &'static Wording {
    let first = tag.split(['-', '_']).next().unwrap_or_default();
    ALL.iter().find(|wording| first.eq_ignore_ascii_case(&wording.tag[..2])).unwrap_or(&ALL[0])
}

static ALL: [Wording; 4] = [EN, ZH, ES, DE];

const EN: Wording = Wording {
    tag: "en",
    recovered: What {
        subject: "A new password was set: device {serial}",
        lead: "The administrator's password of this device was set anew after “Forgot password”.",
        if_you: "If that was you, there is nothing to do.",
        if_not_you: "If it was not: go to the device, choose “Forgot password” yourself to set a password that only you know, \
                     and look at its Security page to see how this happened.",
    },
    refused: What {
        subject: "Someone tried to get in: device {serial}",
        lead: "Someone chose “Forgot password” on this device and used up the tries. Nobody was let in, and the password is as it was.",
        if_you: "If that was you, wait as long as the device says and try again.",
        if_not_you: "If it was not: check who has access to the device and to your network.",
    },
    factory_reset: What {
        subject: "Reset by hand: device {serial}",
        lead: "Someone who stood at this device reset it by hand. It has no owner now: password, contacts and all ways back in are void.",
        if_you: "If that was you, activate the device again.",
        if_not_you: "If it was not: the device may have been stolen. Go and look.",
    },
    transferred: What {
        subject: "Handed over: device {serial}",
        lead: "The owner of this device handed it over. Its contacts, yours among them, and all ways back in are void.",
        if_you: "If that was you, there is nothing to do.",
        if_not_you: "If it was not: somebody knew the administrator's password. Reset the device by hand and activate it again.",
    },
    tried_out: What {
        subject: "It works: device {serial}",
        lead: "This is a test: the device can write to you, and will when somebody sets a new password on it, tries to, or ends its ownership.",
        if_you: "There is nothing to do.",
        if_not_you: "If you do not know this device, somebody gave your address by mistake.",
    },
    ways: ["code by email", "support desk", "key file", "recovery sheet", "security questions", "code by telephone"],
    device: "Device",
    at: "When",
    clock_not_set: "the device's clock is not set",
    by: "By",
    times: "Times",
    footer: "Sent by {sender}. This mail has no links and no pictures.",
};

const ZH: Wording = Wording {
    tag: "zh-Hans",
    recovered: What {
        subject: "已设置新密码：设备 {serial}",
        lead: "有人通过“忘记密码”重新设置了该设备的管理员密码。",
        if_you: "如果是您本人操作，则无需处理。",
        if_not_you: "如果不是：请到设备前自行选择“忘记密码”，设置只有您知道的密码，并在设备的“安全”页面查看经过。",
    },
    refused: What {
        subject: "有人尝试进入：设备 {serial}",
        lead: "有人在该设备上选择了“忘记密码”并用完了尝试次数。没有人进入，密码未变。",
        if_you: "如果是您本人操作，请按设备提示的时间等待后再试。",
        if_not_you: "如果不是：请检查谁能接触该设备和您的网络。",
    },
    factory_reset: What {
        subject: "已手动恢复出厂：设备 {serial}",
        lead: "有人在该设备前手动恢复了出厂设置。设备现在没有主人：密码、联系人和所有找回方式均已失效。",
        if_you: "如果是您本人操作，请重新激活设备。",
        if_not_you: "如果不是：设备可能被盗，请前往查看。",
    },
    transferred: What {
        subject: "已移交：设备 {serial}",
        lead: "该设备的主人已将其移交。联系人（包括您）和所有找回方式均已失效。",
        if_you: "如果是您本人操作，则无需处理。",
        if_not_you: "如果不是：有人知道管理员密码。请在设备上手动恢复出厂设置并重新激活。",
    },
    tried_out: What {
        subject: "测试成功：设备 {serial}",
        lead: "这是一封测试邮件：该设备可以给您发邮件。当有人设置新密码、尝试设置或结束所有权时，会通知您。",
        if_you: "无需处理。",
        if_not_you: "如果您不认识该设备，可能是有人误填了您的地址。",
    },
    ways: ["邮件验证码", "支持中心", "密钥文件", "恢复单", "安全问题", "电话验证码"],
    device: "设备",
    at: "时间",
    clock_not_set: "设备时钟未设置",
    by: "方式",
    times: "次数",
    footer: "由 {sender} 发送。本邮件不含链接和图片。",
};

const ES: Wording = Wording {
    tag: "es",
    recovered: What {
        subject: "Se ha puesto una contraseña nueva: dispositivo {serial}",
        lead: "La contraseña del administrador de este dispositivo se ha cambiado mediante «Olvidé la contraseña».",
        if_you: "Si fue usted, no tiene que hacer nada.",
        if_not_you: "Si no fue usted: vaya al dispositivo, elija «Olvidé la contraseña», ponga una que solo usted conozca y mire en \
                     su página de seguridad cómo ocurrió.",
    },
    refused: What {
        subject: "Alguien intentó entrar: dispositivo {serial}",
        lead: "Alguien eligió «Olvidé la contraseña» en este dispositivo y agotó los intentos. No entró nadie y la contraseña no ha cambiado.",
        if_you: "Si fue usted, espere lo que indica el dispositivo e inténtelo de nuevo.",
        if_not_you: "Si no fue usted: compruebe quién tiene acceso al dispositivo y a su red.",
    },
    factory_reset: What {
        subject: "Restablecido a mano: dispositivo {serial}",
        lead: "Alguien que estaba ante este dispositivo lo restableció a mano. Ahora no tiene dueño: la contraseña, los contactos y todas \
               las formas de recuperación han quedado anuladas.",
        if_you: "Si fue usted, active de nuevo el dispositivo.",
        if_not_you: "Si no fue usted: puede que lo hayan robado. Vaya a mirar.",
    },
    transferred: What {
        subject: "Entregado a otro dueño: dispositivo {serial}",
        lead: "El dueño de este dispositivo lo ha entregado. Sus contactos, usted entre ellos, y todas las formas de recuperación han quedado anulados.",
        if_you: "Si fue usted, no tiene que hacer nada.",
        if_not_you: "Si no fue usted: alguien conocía la contraseña del administrador. Restablezca el dispositivo a mano y actívelo de nuevo.",
    },
    tried_out: What {
        subject: "Funciona: dispositivo {serial}",
        lead: "Esto es una prueba: el dispositivo puede escribirle, y lo hará cuando alguien ponga una contraseña nueva, lo intente o termine su propiedad.",
        if_you: "No tiene que hacer nada.",
        if_not_you: "Si no conoce este dispositivo, alguien dio su dirección por error.",
    },
    ways: [
        "código por correo",
        "servicio de asistencia",
        "archivo de clave",
        "hoja de recuperación",
        "preguntas de seguridad",
        "código por teléfono",
    ],
    device: "Dispositivo",
    at: "Cuándo",
    clock_not_set: "el reloj del dispositivo no está en hora",
    by: "Mediante",
    times: "Veces",
    footer: "Enviado por {sender}. Este correo no contiene enlaces ni imágenes.",
};

const DE: Wording = Wording {
    tag: "de",
    recovered: What {
        subject: "Ein neues Passwort wurde gesetzt: Gerät {serial}",
        lead: "Das Administratorpasswort dieses Geräts wurde über „Passwort vergessen“ neu gesetzt.",
        if_you: "Wenn Sie das waren, ist nichts zu tun.",
        if_not_you: "Wenn nicht: Gehen Sie zum Gerät, wählen Sie selbst „Passwort vergessen“, setzen Sie ein Passwort, das nur Sie kennen, und \
                     sehen Sie auf der Seite „Sicherheit“ nach, wie es dazu kam.",
    },
    refused: What {
        subject: "Jemand hat versucht hineinzukommen: Gerät {serial}",
        lead: "Jemand hat an diesem Gerät „Passwort vergessen“ gewählt und alle Versuche verbraucht. Niemand kam hinein, das Passwort ist unverändert.",
        if_you: "Wenn Sie das waren, warten Sie so lange, wie das Gerät sagt, und versuchen Sie es noch einmal.",
        if_not_you: "Wenn nicht: Prüfen Sie, wer Zugang zum Gerät und zu Ihrem Netz hat.",
    },
    factory_reset: What {
        subject: "Von Hand zurückgesetzt: Gerät {serial}",
        lead: "Jemand, der vor diesem Gerät stand, hat es von Hand zurückgesetzt. Es hat jetzt keinen Besitzer: Passwort, Kontakte und alle \
               Wege zurück sind ungültig.",
        if_you: "Wenn Sie das waren, aktivieren Sie das Gerät neu.",
        if_not_you: "Wenn nicht: Das Gerät ist vielleicht gestohlen. Sehen Sie nach.",
    },
    transferred: What {
        subject: "Übergeben: Gerät {serial}",
        lead: "Der Besitzer dieses Geräts hat es übergeben. Seine Kontakte, auch Sie, und alle Wege zurück sind ungültig.",
        if_you: "Wenn Sie das waren, ist nichts zu tun.",
        if_not_you: "Wenn nicht: Jemand kannte das Administratorpasswort. Setzen Sie das Gerät von Hand zurück und aktivieren Sie es neu.",
    },
    tried_out: What {
        subject: "Es funktioniert: Gerät {serial}",
        lead: "Dies ist ein Test: Das Gerät kann Ihnen schreiben und tut es, wenn jemand ein neues Passwort setzt, es versucht oder den Besitz beendet.",
        if_you: "Es ist nichts zu tun.",
        if_not_you: "Wenn Sie dieses Gerät nicht kennen, hat jemand versehentlich Ihre Adresse angegeben.",
    },
    ways: [
        "Code per E-Mail",
        "Support",
        "Schlüsseldatei",
        "Wiederherstellungsblatt",
        "Sicherheitsfragen",
        "Code per Telefon",
    ],
    device: "Gerät",
    at: "Wann",
    clock_not_set: "die Uhr des Geräts ist nicht gestellt",
    by: "Über",
    times: "Anzahl",
    footer: "Gesendet von {sender}. Diese E-Mail enthält keine Links und keine Bilder.",
};
