//! German.

use super::{PurposeWording, Wording};

pub(super) const WORDING: Wording = Wording {
    tag: "de",
    reset: PurposeWording {
        subject: "Code für ein neues Passwort: Gerät {serial}",
        heading: "Ihr Code für ein neues Passwort",
        reason: "Für dieses Gerät wurde ein neues Passwort angefordert. Ihre Adresse ist dort als E-Mail-Adresse für \
                 vergessene Passwörter hinterlegt.",
        instruction: "Geben Sie den Code am Bildschirm des Geräts ein, dort, wo der QR-Code angezeigt wurde. Danach \
                      legen Sie ein neues Passwort fest.",
        if_not_you: "Dann hat jemand in der Nähe des Geräts oder in seinem Netzwerk „Passwort vergessen“ gewählt. Ohne \
                     diesen Code geschieht nichts, und das bisherige Passwort bleibt gültig. Prüfen Sie, wer Zugang zum \
                     Gerät und zu Ihrem Netzwerk hat.",
    },
    confirm: PurposeWording {
        subject: "Adresse bestätigen: Gerät {serial}",
        heading: "Bestätigen Sie diese E-Mail-Adresse",
        reason: "Diese Adresse wurde an einem Gerät als E-Mail-Adresse für vergessene Passwörter eingetragen: Dorthin \
                 geht ein Code, falls das Passwort einmal vergessen wird.",
        instruction: "Geben Sie den Code am Bildschirm des Geräts ein, dort, wo der QR-Code angezeigt wurde. Damit \
                      bestätigen Sie, dass die Adresse stimmt.",
        if_not_you: "Dann hat jemand Ihre Adresse an einem anderen Gerät eingetragen, vielleicht aus Versehen. Ohne \
                     diesen Code bleibt sie unbestätigt, und Sie müssen nichts tun.",
    },
    validity: "Wie lange der Code noch gilt, zeigt der Bildschirm des Geräts (meist 30 Minuten ab dem Anzeigen des \
               QR-Codes). Er funktioniert nur einmal und nur an diesem Gerät.",
    secrecy: "Geben Sie den Code an niemanden weiter, auch nicht am Telefon an jemanden, der sich als Support ausgibt. \
              Wer Ihnen wirklich hilft, braucht ihn nicht.",
    not_you: "Sie waren das nicht?",
    model: "Modell",
    serial: "Seriennummer",
    firmware: "Firmware",
    asked_at: "Angefordert",
    device_clock: "Uhr des Geräts",
    running_since: "In Betrieb seit",
    clock_not_set: "nicht gestellt",
    footer: "Gesendet von {service}. Diese E-Mail enthält keine Links und keine Bilder. Wenn eine ähnliche E-Mail Sie \
             auffordert, etwas anzuklicken, stammt sie nicht von uns.",
};
