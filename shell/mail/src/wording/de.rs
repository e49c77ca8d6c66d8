//! German.

use super::{AnswerWording, PurposeWording, Wording};

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
    answer: AnswerWording {
        taken: "Ihre E-Mail wurde angenommen",
        not_taken: "Mit Ihrer E-Mail konnten wir nichts anfangen",
        code: "Die Anfrage in Ihrer E-Mail wurde angenommen. Wenn das Gerät noch darauf wartet, geht der Code an die \
               E-Mail-Adresse, die am Gerät hinterlegt ist, und an keine andere: auch nicht an die, von der Sie geschrieben \
               haben, es sei denn, es ist dieselbe. Sehen Sie in jenem Postfach nach, und geben Sie die Ziffern am Bildschirm \
               des Geräts ein.",
        desk: "Die Anfrage in Ihrer E-Mail wurde angenommen und liegt dem Support vor. Er prüft sie und meldet sich. Halten Sie ein \
               Foto des Typenschilds und die Rechnung bereit; vielleicht wird danach gefragt. Lassen Sie das Gerät \
               eingeschaltet.",
        what_to_do: "Ihrer E-Mail ließ sich keine Anfrage entnehmen. Machen Sie das Foto noch einmal: gerade von vorn, der ganze \
                     quadratische Code im Bild, ohne Spiegelung. Hängen Sie es als JPEG oder PNG an, oder die Datei, die das \
                     Gerät exportiert hat; gepackte Dateien werden nicht geöffnet. Wenn der Bildschirm des Geräts inzwischen \
                     einen anderen Code zeigt, senden Sie diesen. Wenn Sie schon mehrere gesendet haben, warten Sie bis morgen.",
        automatic: "Diese Antwort ist automatisch, und es gibt höchstens eine am Tag. Wenn Sie uns nicht geschrieben haben, hat \
                    jemand Ihre Adresse benutzt; Sie müssen nichts tun.",
    },
};
