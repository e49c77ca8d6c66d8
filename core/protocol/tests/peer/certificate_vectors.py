"""Vectors of device certificates and service cards."""

import base64

from sparekey_peer import DEVICE, REQUEST, SERVICE, cbor, certificate_payload, digest, strict
from vector import DEVICE_KEY, GRANT, LOG, MAKER, MODEL, OPENING, OTHER_MAKER, SERIAL, encodings, envelopes, malleable, write


def certificates():
    good = certificate_payload(MAKER.public, SERIAL, MODEL, DEVICE_KEY.public)
    given = lambda message: {"maker": MAKER.public, "certificate": message}
    signed = lambda change: MAKER.sign1(DEVICE, cbor({**good, **change}))

    def ok(name, why, serial, model):
        message = MAKER.sign1(DEVICE, cbor(certificate_payload(MAKER.public, serial, model, DEVICE_KEY.public)))
        outcome = {"maker-id": digest(MAKER.public, 8).hex(), "serial": serial, "model": model,
                   "device-key": DEVICE_KEY.public.hex(), "device-id": digest(DEVICE_KEY.public, 16).hex()}
        write(f"certificate-{name}", why, "certificate", {"maker-seed": b"\1" * 32} | given(message), "ok", outcome)

    def bad(name, why, message, expect="malformed"):
        write(f"certificate-evil-{name}", why, "certificate", given(message), expect)

    ok("plain", "A device certificate.", SERIAL, MODEL)
    ok("longest", "The longest serial and model.", "Z" * 48, "M" * 32)
    ok("unicode", "A model is any UTF-8 text, counted in bytes.", "0-A", "录像机 4216")
    for name, why, payload in encodings(good):
        bad(name, f"The payload has {why}.", MAKER.sign1(DEVICE, payload))
    for name, why, message in envelopes(MAKER, DEVICE, cbor(good)):
        bad(name, f"The envelope has {why}.", message)
    bad("serial-lower-case", "A serial has capital letters only.", signed({2: "nvr-1"}))
    bad("serial-49", "A serial of 49 letters.", signed({2: "A" * 49}))
    bad("serial-empty", "An empty serial.", signed({2: ""}))
    bad("serial-bytes", "A serial as bytes.", signed({2: b"NVR-1"}))
    bad("serial-fullwidth", "A serial in full-width letters.", signed({2: "ＮＶＲ"}))
    bad("serial-null", "A serial with a zero byte.", signed({2: "NVR\0"}))
    bad("model-empty", "An empty model.", signed({3: ""}))
    bad("model-33", "A model of 33 bytes in 11 letters.", signed({3: "录" * 11}))
    bad("key-31", "A device key of 31 bytes.", signed({4: DEVICE_KEY.public[:31]}))
    bad("maker-7", "A maker id of 7 bytes.", signed({1: digest(MAKER.public, 7)}))
    missing = {key: value for key, value in good.items() if key != 3}
    bad("model-missing", "No model.", MAKER.sign1(DEVICE, cbor(missing)))
    not_utf8 = cbor(good).replace(cbor(MODEL), b"\x68" + b"NVR 42\xff6")
    bad("model-not-utf-8", "A model that is not UTF-8.", MAKER.sign1(DEVICE, not_utf8))
    bad("oversize", "More than 512 bytes.", signed({3: "M" * 500}), "too-large")
    bad("other-maker", "Signed by another maker, who names herself.", OTHER_MAKER.sign1(
        DEVICE, cbor(certificate_payload(OTHER_MAKER.public, SERIAL, MODEL, DEVICE_KEY.public))), "bad-signature")
    bad("forged", "Signed by another maker, in this one's name.", OTHER_MAKER.sign1(DEVICE, cbor(good)), "bad-signature")
    bad("use-service", "Signed for the use of a card.", MAKER.sign1(SERVICE, cbor(good)), "bad-signature")
    bad("use-request", "Signed for the use of a request.", MAKER.sign1(REQUEST, cbor(good)), "bad-signature")
    bad("malleable", "The signature with s + L in place of s.", malleable(signed({})), "bad-signature")
    protected, unprotected, _, signature = strict(signed({}))
    bad("altered", "Another serial under the signature.", cbor([protected, unprotected, cbor({**good, 2: "NVR-4216-0002"}), signature]),
        "bad-signature")


def vkey(origin, key):
    typed = b"\1" + key.public
    return f"{origin}+{digest(origin.encode() + bytes([10]) + typed, 4).hex()}+{base64.b64encode(typed).decode()}"


def cards():
    witness = vkey("witness.example.org", OTHER_MAKER)
    good = {1: digest(MAKER.public, 8), 2: 1, 3: "Recovery", 4: "https://recover.example.org", 5: OPENING.public, 6: GRANT.public,
            7: vkey("recover.example.org", LOG)}
    given = lambda message: {"maker": MAKER.public, "card": message}
    signed = lambda change: MAKER.sign1(SERVICE, cbor({**good, **change}))

    def ok(name, why, change):
        card = {**good, **change}
        outcome = {"edition": card[2], "name": card[3], "url": card[4], "opening-key": card[5].hex(), "opening-key-id": OPENING.id.hex(),
                   "grant-key": card[6].hex(), "log-key": card[7]}
        if 8 in card:
            outcome["witnesses"] = " ".join([str(card[8][0])] + card[8][1])
        write(f"card-{name}", why, "card", {"maker-seed": b"\1" * 32} | given(signed(change)), "ok", outcome)

    def bad(name, why, message, expect="malformed"):
        write(f"card-evil-{name}", why, "card", given(message), expect)

    ok("plain", "A service card.", {})
    ok("witnesses", "A card that asks for one of two witnesses.", {8: [1, [witness, good[7]]]})
    ok("loopback", "Plain HTTP is for loopback.", {4: "http://127.0.0.1:8080", 3: "Démo"})
    ok("edition", "The highest edition.", {2: 2**64 - 1})
    for name, why, payload in encodings(good):
        bad(name, f"The payload has {why}.", MAKER.sign1(SERVICE, payload))
    bad("slash", "A base URL with a trailing slash.", signed({4: "https://recover.example.org/"}))
    bad("http", "Plain HTTP to another machine.", signed({4: "http://recover.example.org"}))
    bad("http-like-loopback", "Plain HTTP to a name that begins like loopback.", signed({4: "http://127.0.0.1.example.org"}))
    bad("user", "A base URL with a user name, which hides the host.", signed({4: "https://recover.example.org@evil.example"}))
    bad("query", "A base URL with a query.", signed({4: "https://recover.example.org?a"}))
    bad("name-empty", "An empty name.", signed({3: ""}))
    bad("name-65", "A name of 65 bytes.", signed({3: "N" * 65}))
    bad("edition-negative", "A negative edition.", signed({2: -1}))
    bad("edition-float", "An edition as a floating-point number.", signed({2: 1.5}))
    bad("opening-key-31", "An opening key of 31 bytes.", signed({5: OPENING.public[:31]}))
    bad("grant-key-33", "A grant key of 33 bytes.", signed({6: GRANT.public + b"\0"}))
    bad("witnesses-none", "A quorum of no witnesses.", signed({8: [0, []]}))
    bad("witnesses-too-few", "A quorum that cannot be reached.", signed({8: [2, [witness]]}))
    bad("witnesses-zero", "A quorum of zero.", signed({8: [0, [witness]]}))
    bad("witnesses-null", "An absent list of witnesses said as null.", signed({8: None}))
    bad("oversize", "More than 4,096 bytes.", signed({7: "k" * 4096}), "too-large")
    bad("forged", "Signed by another maker.", OTHER_MAKER.sign1(SERVICE, cbor(good)), "bad-signature")
    bad("use-device", "Signed for the use of a certificate.", MAKER.sign1(DEVICE, cbor(good)), "bad-signature")
    bad("malleable", "The signature with s + L in place of s.", malleable(signed({})), "bad-signature")
