"""Vectors of recovery requests."""

from cbor2 import CBORSimpleValue, CBORTag, undefined
from sparekey_peer import DEVICE, EDDSA, REQUEST, SERVICE, cbor, certificate_payload, contents_of, pad, request_payload, seal
from vector import DEVICE_KEY, EMAIL, MAKER, MODEL, NONCE, OPENING, OTHER_DEVICE, OTHER_MAKER, OTHER_OPENING, SEED, SERIAL
from vector import encodings, envelopes, malleable, write

CERTIFICATE = MAKER.sign1(DEVICE, cbor(certificate_payload(MAKER.public, SERIAL, MODEL, DEVICE_KEY.public)))


def plaintext(**change):
    names = {"code": 1, "email": 2, "firmware": 3, "device_time": 4, "start_time": 5, "language": 6, "padding": 7}
    plain = {1: "02718281", 2: EMAIL, 3: "4.30.005", 4: 1_790_000_000, 5: 1_789_990_000, 6: "en"}
    for name, value in change.items():
        plain[names[name]] = value
    return {key: value for key, value in plain.items() if value is not None}


def payload_of(plain, purpose=1, opening=OPENING, certificate=CERTIFICATE, nonce=NONCE):
    plain = plain if isinstance(plain, bytes) else pad(plain)
    return request_payload(purpose, nonce, opening.public, certificate, plain, SEED)


def request_of(plain, signer=DEVICE_KEY, use=REQUEST, **options):
    return signer.sign1(use, cbor(payload_of(plain, **options)))


def given_request(message, withdrawn=None):
    given = {"maker": MAKER.public, "opening-key": OPENING.secret}
    return given | ({"withdrawn": withdrawn} if withdrawn else {}) | {"request": message}


def bad_request(name, why, message, expect="malformed", withdrawn=None):
    write(f"request-evil-{name}", why, "request", given_request(message, withdrawn), expect)


def good_requests():
    def ok(name, why, plain, made=True, **options):
        message = request_of(plain, **options)
        seeds = {"device-seed": b"\3" * 32, "seed": SEED} if made else {}
        write(f"request-{name}", why, "request", seeds | given_request(message), "ok", contents_of(message, MAKER.public, OPENING.secret))

    ok("email-96", "Purpose 1 with a short address: a plaintext of 96 bytes.", plaintext())
    ok("email-160", "Purpose 1 with an address of 40 letters: a plaintext of 160 bytes.", plaintext(email="o" * 28 + "@example.org"))
    ok("email-384", "Purpose 1 with the longest address: a plaintext of 384 bytes.", plaintext(email="o" * 242 + "@example.org"))
    ok("desk", "Purpose 2: no address.", plaintext(email=None), purpose=2)
    ok("confirm", "Purpose 3.", plaintext(), purpose=3)
    ok("longest", "Every text at its greatest length.", plaintext(
        email="o" * 242 + "@example.org", firmware="F" * 32, language="sl-rozaj-biske12", device_time=2**64 - 1, start_time=2**64 - 1))
    ok("clock-unset", "A device without a clock starts in 1970; its start time is after its time.", plaintext(device_time=0, start_time=5))
    ok("unicode", "An internationalised address.", plaintext(email="józef@przykład.pl", language="zh-Hans"))
    ok("no-padding", "A service accepts any length: none.", cbor(plaintext()), made=False)
    ok("padding-empty", "A service accepts any length: an empty padding.", cbor(plaintext(padding=b"")), made=False)
    ok("padding-odd", "A service accepts any length: 1,001 zeros.", cbor(plaintext(padding=bytes(1001))), made=False)
    other = MAKER.sign1(DEVICE, cbor(certificate_payload(MAKER.public, "Z" * 48, "M" * 32, DEVICE_KEY.public)))
    room = 2048 - len(request_of(cbor(plaintext(padding=bytes(1400))), certificate=other)) + 1400
    ok("2048", "The largest request.", cbor(plaintext(padding=bytes(room))), made=False, certificate=other)
    bad_request("2049", "One byte more than the largest, and otherwise right.",
                request_of(cbor(plaintext(padding=bytes(room + 1))), certificate=other), "too-large")


def evil_order():
    """A request that fails two checks is refused by the first."""
    broken = lambda message: message[:-1] + bytes([message[-1] ^ 1])
    forged = OTHER_MAKER.sign1(DEVICE, cbor(certificate_payload(MAKER.public, SERIAL, MODEL, DEVICE_KEY.public)))
    unknown = OTHER_MAKER.sign1(DEVICE, cbor(certificate_payload(OTHER_MAKER.public, SERIAL, MODEL, DEVICE_KEY.public)))
    seven = plaintext(code="1234567")
    bad_request("order-1", "Too large comes before malformed.", b"\0" * 2049, "too-large")
    bad_request("order-2", "Malformed comes before unknown maker.", request_of(plaintext(), purpose=9, certificate=unknown))
    bad_request("order-3", "Unknown maker comes before bad certificate.", request_of(plaintext(), certificate=broken(unknown)), "unknown-maker")
    bad_request("order-4", "Bad certificate comes before withdrawn.", request_of(plaintext(), certificate=forged), "bad-certificate", SERIAL)
    bad_request("order-5", "Withdrawn comes before bad signature.", broken(request_of(plaintext())), "withdrawn", SERIAL)
    bad_request("order-6", "Bad signature comes before unknown key.", broken(request_of(plaintext(), opening=OTHER_OPENING)), "bad-signature")
    payload = payload_of(plaintext(), opening=OTHER_OPENING)
    altered = DEVICE_KEY.sign1(REQUEST, cbor({**payload, 5: broken(payload[5])}))
    bad_request("order-7", "Unknown key comes before not opened.", altered, "unknown-key")
    payload = payload_of(seven)
    altered = DEVICE_KEY.sign1(REQUEST, cbor({**payload, 5: broken(payload[5])}))
    bad_request("order-8", "Not opened comes before a malformed plaintext.", altered, "not-opened")
    bad_request("unknown-maker", "A maker that is not trusted here.", request_of(plaintext(), certificate=unknown), "unknown-maker")
    bad_request("forged-certificate", "Another maker signs in this one's name.", request_of(plaintext(), certificate=forged), "bad-certificate")
    bad_request("withdrawn", "The maker withdrew the serial.", request_of(plaintext()), "withdrawn", SERIAL)
    bad_request("unknown-key", "Sealed to an opening key that is not held here.", request_of(plaintext(), opening=OTHER_OPENING), "unknown-key")
    write("request-withdrawn-other", "Another serial is withdrawn.", "request", given_request(request_of(plaintext()), "NVR-4216-000"), "ok",
          contents_of(request_of(plaintext()), MAKER.public, OPENING.secret))


def evil_envelopes():
    good = payload_of(plaintext())
    for name, why, payload in encodings(good):
        bad_request(f"payload-{name}", f"The payload has {why}.", DEVICE_KEY.sign1(REQUEST, payload))
    for name, why, message in envelopes(DEVICE_KEY, REQUEST, cbor(good)):
        bad_request(f"envelope-{name}", f"The envelope has {why}.", message)
    certificate = certificate_payload(MAKER.public, SERIAL, MODEL, DEVICE_KEY.public)
    for name, why, payload in encodings(certificate):
        bad_request(f"certificate-{name}", f"The certificate's payload has {why}.",
                    request_of(plaintext(), certificate=MAKER.sign1(DEVICE, payload)))
    for name, why, message in envelopes(MAKER, DEVICE, cbor(certificate)):
        bad_request(f"certificate-{name}", f"The certificate's envelope has {why}.", request_of(plaintext(), certificate=message))
    bare = {key: value for key, value in plaintext().items()}
    for name, why, plain in encodings(bare):
        bad_request(f"plaintext-{name}", f"The plaintext has {why}.", request_of(plain))
    bad_request("plaintext-email-null", "An absent address said as null.", request_of(cbor({**plaintext(email=None), 2: None}), purpose=2))
    bad_request("empty", "No bytes at all.", b"")
    bad_request("nested", "A thousand arrays in each other.", b"\x81" * 1000 + b"\0")
    bad_request("huge-length", "An array that claims 2^63 members.", b"\x9b\x80" + bytes(7))
    bad_request("huge-payload", "A payload that claims 2^63 bytes.", b"\x84\x43\xa1\x01\x27\xa0\x5b\x80" + bytes(7))


def evil_signatures():
    good = cbor(payload_of(plaintext()))
    stranger = MAKER.sign1(DEVICE, cbor(certificate_payload(MAKER.public, SERIAL, MODEL, OTHER_DEVICE.public)))
    small = lambda key: MAKER.sign1(DEVICE, cbor(certificate_payload(MAKER.public, SERIAL, MODEL, key)))
    signature = lambda use, name, why: bad_request(name, why, DEVICE_KEY.sign1(use, good), "bad-signature")
    bad_request("other-device", "Another device's certificate.", request_of(plaintext(), certificate=stranger), "bad-signature")
    bad_request("other-signer", "Signed by another device.", request_of(plaintext(), signer=OTHER_DEVICE), "bad-signature")
    bad_request("maker-signs", "Signed by the maker in the device's place.", request_of(plaintext(), signer=MAKER), "bad-signature")
    signature(DEVICE, "use-device", "Signed for the use of a certificate.")
    signature(SERVICE, "use-service", "Signed for the use of a card.")
    signature(b"", "use-none", "Signed with an empty external_aad.")
    signature(REQUEST + b"\0", "use-longer", "Signed with a byte more of external_aad.")
    bad_request("malleable", "The signature with s + L in place of s.", malleable(DEVICE_KEY.sign1(REQUEST, good)), "bad-signature")
    bad_request("certificate-malleable", "The certificate's signature with s + L in place of s.",
                request_of(plaintext(), certificate=malleable(CERTIFICATE)), "bad-certificate")
    bad_request("certificate-use", "A certificate signed for the use of a card.", request_of(plaintext(), certificate=MAKER.sign1(
        SERVICE, cbor(certificate_payload(MAKER.public, SERIAL, MODEL, DEVICE_KEY.public)))), "bad-certificate")
    identity = b"\1" + bytes(31)
    # With the neutral point as a key, R neutral and s = 0 is a signature of everything.
    for name, key in (("neutral", identity), ("order-2", (2**255 - 20).to_bytes(32, "little")), ("order-4", bytes(32))):
        payload = cbor(payload_of(plaintext(), certificate=small(key)))
        bad_request(f"small-order-{name}", "A device key of small order, for which anybody can sign.",
                    cbor([EDDSA, {}, payload, identity + bytes(32)]), "bad-signature")
    bad_request("no-point", "A device key that is no point of the curve.", cbor(
        [EDDSA, {}, cbor(payload_of(plaintext(), certificate=small(b"\2" + bytes(31)))), bytes(64)]), "bad-signature")
    bad_request("signature-zero", "A signature of zeros.", cbor([EDDSA, {}, good, bytes(64)]), "bad-signature")


def evil_seals():
    """Right signatures over a seal that does not belong: only the device could make these, and it gains nothing."""
    good = payload_of(plaintext())
    flip = lambda value, place: value[:place] + bytes([value[place] ^ 1]) + value[place + 1:]

    def altered(name, why, change, expect="not-opened"):
        bad_request(f"seal-{name}", why, DEVICE_KEY.sign1(REQUEST, cbor({**good, **change})), expect)

    altered("enc", "An altered enc.", {4: flip(good[4], 0)})
    altered("enc-zero", "An enc of zeros, with which the shared secret would be zero.", {4: bytes(32)})
    altered("enc-one", "An enc of order 1.", {4: b"\1" + bytes(31)})
    order_8 = "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"
    altered("enc-order-8", "An enc of order 8.", {4: bytes.fromhex(order_8)})
    altered("enc-prime", "An enc of the field's prime, which is zero again.", {4: (2**255 - 19).to_bytes(32, "little")})
    altered("enc-31", "An enc of 31 bytes.", {4: good[4][:31]}, "malformed")
    altered("ciphertext-first", "The first byte of the ciphertext altered.", {5: flip(good[5], 0)})
    altered("ciphertext-tag", "The last byte of the tag altered.", {5: flip(good[5], len(good[5]) - 1)})
    altered("ciphertext-cut", "A ciphertext without its last byte.", {5: good[5][:-1]})
    altered("ciphertext-longer", "A ciphertext with a byte more.", {5: good[5] + b"\0"})
    altered("ciphertext-15", "A ciphertext shorter than a tag.", {5: good[5][:15]})
    altered("ciphertext-empty", "No ciphertext.", {5: b""})
    altered("ciphertext-text", "A ciphertext as text.", {5: "x" * 32}, "malformed")
    altered("purpose", "Sealed for purpose 1, sent as 3.", {1: 3})
    altered("nonce", "Sealed with another nonce.", {2: flip(good[2], 15)})
    altered("nonce-15", "A nonce of 15 bytes.", {2: good[2][:15]}, "malformed")
    altered("key-id", "The id of a key that is not held.", {3: flip(good[3], 0)}, "unknown-key")
    altered("key-id-other", "Sealed to another key than the one named.", {4: payload_of(plaintext(), opening=OTHER_OPENING)[4],
            5: seal(OTHER_OPENING.public, cbor([1, NONCE, OPENING.id, CERTIFICATE]), pad(plaintext()), SEED)[1]})
    renamed = MAKER.sign1(DEVICE, cbor(certificate_payload(MAKER.public, "NVR-4216-0002", MODEL, DEVICE_KEY.public)))
    altered("certificate", "Sealed with another certificate of the same device.", {6: renamed})
    for name, why, info in (("info-empty", "no info", b""), ("info-enrol", "the info of an enrolment", b"sparekey/v1/enrol")):
        enc, ciphertext = seal(OPENING.public, cbor([1, NONCE, OPENING.id, CERTIFICATE]), pad(plaintext()), SEED, info)
        altered(name, f"Sealed with {why}.", {4: enc, 5: ciphertext})
    for name, why, aad in (("aad-empty", "no aad", b""), ("aad-short", "an aad without the certificate", cbor([1, NONCE, OPENING.id]))):
        enc, ciphertext = seal(OPENING.public, aad, pad(plaintext()), SEED)
        altered(name, f"Sealed with {why}.", {4: enc, 5: ciphertext})


def evil_contents():
    evil = lambda name, why, purpose=1, **change: bad_request(f"contents-{name}", why, request_of(plaintext(**change), purpose=purpose))
    evil("reset-without-email", "Purpose 1 without an address.", email=None)
    evil("desk-with-email", "Purpose 2 with an address.", purpose=2)
    evil("confirm-without-email", "Purpose 3 without an address.", purpose=3, email=None)
    for name, purpose in (("0", 0), ("4", 4), ("257", 257), ("negative", -1), ("float", 1.0), ("text", "1")):
        evil(f"purpose-{name}", f"There is no purpose {purpose!r}.", purpose=purpose)
    evil("code-missing", "No code.", code=None)
    for name, why, code in (("7", "7 digits", "1234567"), ("9", "9 digits", "123456789"), ("letter", "a letter", "1234567a"),
                            ("space", "a space among 8 digits", "1234 5678"), ("space-inside", "a space in place of a digit", "123 5678"),
                            ("dash", "a dash among 8 digits", "1234-5678"), ("fullwidth", "full-width digits", "１２３４５６７８"),
                            ("sign", "a sign", "+1234567"), ("newline", "a line break", "12345678\n"), ("empty", "nothing", ""),
                            ("number", "a number, not a text", 12345678), ("bytes", "bytes, not a text", b"12345678")):
        evil(f"code-{name}", f"A code of {why}.", code=code)
    evil("email-2", "An address of 2 bytes.", email="a@")
    evil("email-255", "An address of 255 bytes.", email="o" * 243 + "@example.org")
    evil("email-bytes", "An address as bytes.", email=EMAIL.encode())
    evil("firmware-empty", "An empty firmware version.", firmware="")
    evil("firmware-33", "A firmware version of 33 bytes.", firmware="F" * 33)
    evil("language-1", "A language of 1 byte.", language="e")
    evil("language-17", "A language of 17 bytes.", language="x" * 17)
    evil("time-negative", "A time before 1970.", device_time=-1)
    evil("time-float", "A time as a floating-point number.", device_time=1.5)
    evil("time-text", "A time as a text.", start_time="1790000000")
    evil("time-bignum", "A time of more than 64 bits.", start_time=2**64)
    evil("time-missing", "No device time.", device_time=None)
    evil("time-tagged", "A time with the tag of a time.", device_time=CBORTag(1, 1_790_000_000))
    evil("time-undefined", "A time that is undefined.", device_time=undefined)
    evil("time-true", "A time that is true.", device_time=True)
    evil("time-simple", "A time that is a simple value.", device_time=CBORSimpleValue(99))
    raw = lambda name, why, plain: bad_request(f"contents-{name}", why, request_of(plain))
    raw("padding-not-zero", "A padding with a byte that is not zero.", cbor(plaintext(padding=bytes(9) + b"\1")))
    raw("padding-text", "A padding as a text of zero bytes.", cbor(plaintext(padding="\0" * 9)))
    raw("padding-chunked", "A padding in chunks.", b"\xa7" + cbor(plaintext())[1:] + b"\x07\x5f\x41\0\xff")
    raw("email-not-utf-8", "An address that is not UTF-8.", cbor(plaintext()).replace(cbor(EMAIL), b"\x71" + b"\xff" + EMAIL.encode()[1:]))
    raw("email-chunked", "An address in chunks.", cbor(plaintext()).replace(cbor(EMAIL), b"\x7f" + cbor(EMAIL[:5]) + cbor(EMAIL[5:]) + b"\xff"))
    raw("time-long", "A time in eight bytes where four do.", cbor(plaintext()).replace(b"\x04\x1a", b"\x04\x1b" + bytes(4)))
    raw("not-a-map", "An array in place of the map.", cbor([1, 2, 3]))
    raw("empty", "An empty plaintext.", b"")
