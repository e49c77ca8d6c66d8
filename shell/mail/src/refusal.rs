//! The mail about a refusal of the desk: plain text, the reason as the desk wrote it, and no link.

use crate::{
    address::Address,
    compose::{ComposeError, Letter, Letterhead, TextLetter},
    shown,
};

/// The most characters of a line of the reason.
const LINE: usize = 1_000;

/// A refusal for an owner. All times are Unix seconds.
pub struct RefusalLetter<'a> {
    /// Whom it goes to: who asked said so.
    pub to: &'a Address,
    /// Why, as the desk wrote it.
    pub reason: &'a str,
    /// The case's number.
    pub case: &'a str,
    /// Serial number of the device, certified.
    pub serial: &'a str,
    /// Model of the device, certified.
    pub model: &'a str,
    /// When the mail was written (its `Date`).
    pub date: u64,
    /// The owner's language (BCP 47); English if it is not spoken here.
    pub language: &'a str,
    /// `<left@right>` (RFC 5322 section 3.6.4), the same whenever this letter is composed again.
    pub message_id: &'a str,
}

/// What is said in one language.
struct Wording {
    tag: &'static str,
    subject: &'static str,
    lead: &'static str,
    device: &'static str,
    case: &'static str,
    go_on: &'static str,
    not_you: &'static str,
    footer: &'static str,
}

const ALL: [Wording; 4] = [
    Wording {
        tag: "en",
        subject: "Your request was refused: device {serial}",
        lead: "The support desk has refused the request to set a new password on this device. The reason:",
        device: "Device",
        case: "Case",
        go_on: "Nothing was changed on the device. When you have what is missing, make a new request on it and send that.",
        not_you: "If you did not ask for this, somebody gave your address by mistake; you need not do anything.",
        footer: "Sent by {service}. This mail holds no links and no pictures.",
    },
    Wording {
        tag: "zh-Hans",
        subject: "您的申请被拒绝：设备 {serial}",
        lead: "支持中心拒绝了在该设备上设置新密码的申请。原因：",
        device: "设备",
        case: "案件",
        go_on: "设备没有任何更改。补齐所需材料后，请在设备上重新生成申请并发送。",
        not_you: "如果不是您申请的，可能是有人误填了您的地址，您无需采取任何操作。",
        footer: "由 {service} 发送。本邮件不含链接和图片。",
    },
    Wording {
        tag: "es",
        subject: "Su solicitud fue rechazada: dispositivo {serial}",
        lead: "El servicio de asistencia ha rechazado la solicitud de una contraseña nueva para este dispositivo. El motivo:",
        device: "Dispositivo",
        case: "Caso",
        go_on: "No se ha cambiado nada en el dispositivo. Cuando tenga lo que falta, haga en él una solicitud nueva y envíela.",
        not_you: "Si usted no lo pidió, alguien dio su dirección por error y no tiene que hacer nada.",
        footer: "Enviado por {service}. Este correo no contiene enlaces ni imágenes.",
    },
    Wording {
        tag: "de",
        subject: "Ihre Anfrage wurde abgelehnt: Gerät {serial}",
        lead: "Der Support hat die Anfrage nach einem neuen Passwort für dieses Gerät abgelehnt. Der Grund:",
        device: "Gerät",
        case: "Vorgang",
        go_on: "Am Gerät wurde nichts geändert. Wenn Sie haben, was fehlt, stellen Sie dort eine neue Anfrage und senden Sie sie.",
        not_you: "Wenn Sie das nicht angefragt haben, hat jemand versehentlich Ihre Adresse angegeben; Sie müssen nichts tun.",
        footer: "Gesendet von {service}. Diese E-Mail enthält keine Links und keine Bilder.",
    },
];

fn for_language(tag: &str) -> &'static Wording {
    let first = tag.split(['-', '_']).next().unwrap_or_default();
    ALL.iter().find(|wording| first.eq_ignore_ascii_case(&wording.tag[..2])).unwrap_or(&ALL[0])
}

impl Letterhead {
    /// Writes the mail about a refusal.
    ///
    /// # Errors
    /// [`ComposeError`] if the Message-ID is not what it must be; the texts are made fit to be shown.
    pub fn compose_refusal(&self, letter: &RefusalLetter<'_>) -> Result<Letter, ComposeError> {
        let wording = for_language(letter.language);
        let (serial, model) = (shown::plain(letter.serial, 48), shown::plain(letter.model, 32));
        let reason: Vec<String> =
            letter.reason.lines().map(|line| format!("    {}", shown::plain(line, LINE))).collect();
        let text = format!(
            "{}\n\n{}\n\n{}: {model}, {serial}\n{}: {}\n\n{}\n\n{}\n\n-- \n{}\n",
            wording.lead,
            reason.join("\n"),
            wording.device,
            wording.case,
            shown::plain(letter.case, 32),
            wording.go_on,
            wording.not_you,
            wording.footer.replace("{service}", self.service_name()),
        );
        self.compose_text(TextLetter {
            to: letter.to,
            subject: wording.subject.replace("{serial}", &serial),
            text,
            date: letter.date,
            language: wording.tag,
            message_id: letter.message_id,
        })
    }
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::*;

    fn written(language: &str, reason: &str) -> String {
        let head = Letterhead::new("Recovery", Address::parse("recovery@example.com").unwrap());
        let letter = RefusalLetter {
            to: &Address::parse("owner@example.org").unwrap(),
            reason,
            case: "2026-000001",
            serial: "NVR-1",
            model: "N16\r\nBcc: x@y.example",
            date: 1_800_000_000,
            language,
            message_id: "<1@example.com>",
        };
        String::from_utf8(head.compose_refusal(&letter).unwrap().bytes().to_vec()).unwrap()
    }

    #[test]
    fn the_reason_is_told_in_the_owners_language_and_without_links() {
        let mut subjects = std::collections::HashSet::new();
        for (language, word) in
            [("en", "refused"), ("zh-CN", "拒绝"), ("es-MX", "rechazad"), ("de", "abgelehnt"), ("fr", "refused")]
        {
            let mail = written(language, "No invoice.\nSee http://evil.example/x <b>now</b>\r\n.\r\nBcc: y@z.example");
            let parsed = MessageParser::default().parse(mail.as_bytes()).unwrap();
            subjects.insert(parsed.subject().unwrap().to_owned());
            let text = parsed.body_text(0).unwrap();
            assert!(text.contains(word) && text.contains("    No invoice.") && text.contains("2026-000001"), "{text}");
            assert!(!text.contains("://") && !text.contains('@'), "{text}");
            assert!(parsed.bcc().is_none() && parsed.html_body_count() == 0 || parsed.body_html(0).is_some());
            let headers = mail.split("\r\n\r\n").next().unwrap();
            assert!(!headers.contains("Bcc") && headers.contains("owner@example.org"), "{headers}");
            assert!(mail.lines().all(|line| line.len() <= 100));
        }
        assert_eq!(subjects.len(), 4);
    }
}
