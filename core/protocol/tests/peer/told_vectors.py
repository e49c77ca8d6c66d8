"""Vectors of what a device says afterwards: receipts and transfer statements (docs/ref/protocol.md, section 9a)."""

from log_vectors import DEVICE_ID, TIME
from request_vectors import CERTIFICATE
from sparekey_peer import DEVICE, REQUEST, cbor, certificate_payload, digest, seal, strict
from vector import DEVICE_KEY, MAKER, MODEL, OPENING, OTHER_DEVICE, OTHER_MAKER, OTHER_OPENING, SEED, SERIAL, EMAIL
from vector import encodings, envelopes, malleable, write

RECEIPT, TRANSFER = b"sparekey/v1/receipt", b"sparekey/v1/transfer"


def receipt_payload(plaintext, opening=OPENING, certificate=CERTIFICATE, info=RECEIPT):
    key = digest(opening.public, 8)
    enc, ciphertext = seal(opening.public, cbor([key, certificate]), plaintext, SEED, info)
    return {1: key, 2: enc, 3: ciphertext, 4: certificate}


def receipts():
    good = {1: 17, 2: 1, 3: "email", 4: TIME, 5: 1, 6: [EMAIL], 7: "en"}

    def given(message, withdrawn=None):
        return {"maker": MAKER.public, "opening-key": OPENING.secret} | ({"withdrawn": withdrawn} if withdrawn else {}) | {"receipt": message}

    def message(payload, signer=DEVICE_KEY, use=RECEIPT):
        return signer.sign1(use, cbor(payload))

    def sealed(plaintext):
        return message(receipt_payload(cbor(plaintext)))

    def ok(name, why, change={}, without=()):
        told = {key: value for key, value in {**good, **change}.items() if key not in without}
        names = {1: "number", 2: "what", 3: "way", 4: "at", 5: "count"}
        outcome = {"serial": SERIAL, "device-id": DEVICE_ID.hex()} | {names[key]: told[key] for key in names if key in told}
        write(f"receipt-{name}", why, "receipt", {"device-seed": b"\3" * 32, "seed": SEED} | given(sealed(told)), "ok",
              outcome | {"to": " ".join(told[6]), "language": told[7]})

    def bad(name, why, evil, expect="malformed", withdrawn=None):
        write(f"receipt-evil-{name}", why, "receipt", given(evil, withdrawn), expect)

    ok("recovered", "A new password by reserved email.")
    ok("refused", "Wrong files, three times; both contacts are told.", {2: 2, 3: "keyfile", 5: 3, 6: [EMAIL, "spare@example.net"]})
    ok("factory-reset", "A reset by hand, which is by no way.", {2: 3}, without=(3,))
    ok("transferred", "A change of owner.", {2: 4}, without=(3,))
    ok("longest", "The most of everything.", {1: 2**64 - 1, 3: "w" * 16, 4: 2**64 - 1, 5: 2**32 - 1, 6: ["a" * 254, "b" * 254], 7: "zh-Hans-CN-x-ab8"})
    ok("least", "The least of everything.", {1: 0, 3: "w", 4: 0, 5: 0, 6: ["a@b"], 7: "de"})

    payload = receipt_payload(cbor(good))
    for name, why, evil in encodings(payload):
        bad(name, f"The payload has {why}.", DEVICE_KEY.sign1(RECEIPT, evil))
    for name, why, evil in envelopes(DEVICE_KEY, RECEIPT, cbor(payload)):
        bad(name, f"The envelope has {why}.", evil)
    for name, why, evil in encodings(good):
        bad(f"plaintext-{name}", f"The plaintext has {why}.", message(receipt_payload(evil)))
    for name, why, change in [
        ("what-0", "It tells of nothing known: 0", {2: 0}),
        ("what-5", "It tells of nothing known: 5", {2: 5}),
        ("way-empty", "A way without a name", {3: ""}),
        ("way-17", "A way of 17 bytes", {3: "w" * 17}),
        ("way-null", "An absent way said as null", {3: None}),
        ("way-number", "A way as a number", {3: 0}),
        ("number-negative", "A negative number", {1: -1}),
        ("at-float", "A time with a fraction", {4: 1.5}),
        ("count-33-bits", "A count of 33 bits", {5: 2**32}),
        ("to-nobody", "Nobody to tell", {6: []}),
        ("to-three", "Three to tell", {6: [EMAIL, "b@example.org", "c@example.org"]}),
        ("to-text", "An address in place of a list", {6: EMAIL}),
        ("to-2", "An address of two bytes", {6: ["ab"]}),
        ("to-255", "An address of 255 bytes", {6: ["a" * 255]}),
        ("to-bytes", "An address as bytes", {6: [EMAIL.encode()]}),
        ("language-1", "A language of one letter", {7: "e"}),
        ("language-17", "A language of 17 letters", {7: "e" * 17}),
    ]:
        bad(name, f"{why}.", sealed({**good, **change}))
    for key, name in ((1, "number"), (2, "what"), (4, "at"), (5, "count"), (6, "to"), (7, "language")):
        bad(f"{name}-missing", f"No {name}.", sealed({other: value for other, value in good.items() if other != key}))
    bad("oversize", "More than 2,048 bytes.", message({**payload, 3: bytes(2048)}), "too-large")

    unknown = OTHER_MAKER.sign1(DEVICE, cbor(certificate_payload(OTHER_MAKER.public, SERIAL, MODEL, DEVICE_KEY.public)))
    forged = OTHER_MAKER.sign1(DEVICE, cbor(certificate_payload(MAKER.public, SERIAL, MODEL, DEVICE_KEY.public)))
    bad("unknown-maker", "A maker that is not trusted here.", message(receipt_payload(cbor(good), certificate=unknown)), "unknown-maker")
    bad("bad-certificate", "A certificate by another maker.", message(receipt_payload(cbor(good), certificate=forged)), "bad-certificate")
    bad("withdrawn", "A serial that was withdrawn.", message(payload), "withdrawn", SERIAL)
    bad("signer", "Signed by another device.", message(payload, OTHER_DEVICE), "bad-signature")
    bad("use-request", "Signed for the use of a request.", message(payload, use=REQUEST), "bad-signature")
    bad("use-transfer", "Signed for the use of a transfer statement.", message(payload, use=TRANSFER), "bad-signature")
    bad("malleable", "The signature with s + L in place of s.", malleable(message(payload)), "bad-signature")
    bad("unknown-key", "Sealed to another service.", message(receipt_payload(cbor(good), OTHER_OPENING)), "unknown-key")
    bad("altered", "An altered ciphertext.", message({**payload, 3: payload[3][:-1] + bytes([payload[3][-1] ^ 1])}), "not-opened")
    bad("info", "Sealed for the use of a request.", message(receipt_payload(cbor(good), info=REQUEST)), "not-opened")
    other = MAKER.sign1(DEVICE, cbor(certificate_payload(MAKER.public, "NVR-4216-0002", MODEL, DEVICE_KEY.public)))
    bad("certificate-swapped", "Sealed for another certificate of the same device.", message({**payload, 4: other}), "not-opened")


def transfers():
    good = {1: DEVICE_ID, 2: TIME, 3: 41, 4: True}
    signed = lambda change={}, signer=DEVICE_KEY, use=TRANSFER: signer.sign1(use, cbor({**good, **change}))
    given = lambda message: {"maker": MAKER.public, "certificate": CERTIFICATE, "statement": message}

    def ok(name, why, change):
        told = {**good, **change}
        outcome = {"device-id": told[1].hex(), "at": told[2], "number": told[3], "recordings-kept": "yes" if told[4] else "no"}
        write(f"transfer-{name}", why, "transfer", {"device-seed": b"\3" * 32} | given(signed(change)), "ok", outcome)

    def bad(name, why, message, expect="malformed"):
        write(f"transfer-evil-{name}", why, "transfer", given(message), expect)

    ok("plain", "A device that was handed over with its recordings.", {})
    ok("erased", "A device whose recordings were to be erased.", {4: False})
    ok("highest", "A clock and a record at their ends.", {2: 2**64 - 1, 3: 2**64 - 1})
    ok("lowest", "A clock that was never set.", {2: 0, 3: 0})
    for name, why, payload in encodings(good):
        bad(name, f"The payload has {why}.", DEVICE_KEY.sign1(TRANSFER, payload))
    for name, why, message in envelopes(DEVICE_KEY, TRANSFER, cbor(good)):
        bad(name, f"The envelope has {why}.", message)
    for name, why, change in [
        ("device-15", "A device id of 15 bytes", {1: DEVICE_ID[:15]}),
        ("device-text", "A device id as text", {1: DEVICE_ID.hex()[:16]}),
        ("at-negative", "A negative time", {2: -1}),
        ("at-float", "A time with a fraction", {2: 1.5}),
        ("number-text", "A number as text", {3: "41"}),
        ("kept-number", "1 in place of true", {4: 1}),
        ("kept-null", "Neither kept nor erased", {4: None}),
    ]:
        bad(name, f"{why}.", signed(change))
    for key, name in ((1, "device"), (2, "at"), (3, "number"), (4, "kept")):
        bad(f"{name}-missing", f"No {name}.", DEVICE_KEY.sign1(TRANSFER, cbor({k: v for k, v in good.items() if k != key})))
    bad("oversize", "More than 256 bytes.", signed({1: bytes(300)}), "too-large")
    bad("signer", "Signed by another device, in this one's name.", signed(signer=OTHER_DEVICE), "bad-signature")
    other = digest(OTHER_DEVICE.public, 16)
    bad("other-device", "Another device's own statement.", signed({1: other}, OTHER_DEVICE), "bad-signature")
    bad("of-other-device", "Signed by this device about another.", signed({1: other}), "bad-signature")
    bad("maker", "Signed by the maker.", signed(signer=MAKER), "bad-signature")
    bad("use-request", "Signed for the use of a request.", signed(use=REQUEST), "bad-signature")
    bad("use-receipt", "Signed for the use of a receipt.", signed(use=RECEIPT), "bad-signature")
    bad("malleable", "The signature with s + L in place of s.", malleable(signed()), "bad-signature")
    protected, unprotected, _, signature = strict(signed())
    bad("altered", "Erased recordings under the signature of kept ones.", cbor([protected, unprotected, cbor({**good, 4: False}), signature]),
        "bad-signature")
