"""What the vectors have in common: where they go, whose keys they use, and how an encoding can be wrong."""

import pathlib

from sparekey_peer import EDDSA, Opener, Signer, cbor, strict

OUT = pathlib.Path(__file__).parent.parent / "vectors"
ORDER = 2**252 + 27742317777372353535851937790883648493  # of the Ed25519 base point

MAKER, OTHER_MAKER, DEVICE_KEY, OTHER_DEVICE = (Signer(bytes([n]) * 32) for n in (1, 2, 3, 4))
OPENING, OTHER_OPENING = Opener(b"\5" * 32), Opener(b"\6" * 32)
GRANT, LOG = Signer(b"\7" * 32), Signer(b"\x08" * 32)
NONCE, SEED = bytes(range(16)), bytes(range(32, 64))
SERIAL, MODEL = "NVR-4216-0001", "NVR 4216"
EMAIL = "owner@example.org"


def write(name, why, kind, given, expect, outcome=None, body=b""):
    lines = [f"# {line}" for line in why.splitlines()] + [f"kind: {kind}"]
    lines += [f"{key}: {value.hex() if isinstance(value, bytes) else value}" for key, value in given.items()]
    lines += [f"expect: {expect}"] + [f"{key}: {value}" for key, value in (outcome or {}).items()]
    text = "\n".join(lines) + "\n"
    (OUT / f"{name}.txt").write_bytes(text.encode() + (b"\n" + body if body else b""))


def head(major, number):
    return bytes([major << 5 | number]) if number < 24 else bytes([major << 5 | 24, number])


def entries(mapping):
    return [(cbor(key), cbor(value)) for key, value in mapping.items()]


def joined(pairs):
    return b"".join(key + value for key, value in pairs)


def encodings(mapping):
    """Every way in which a map can be right and not deterministic: name, why, bytes."""
    pairs = entries(dict(sorted(mapping.items())))
    first, rest, count = pairs[0], pairs[1:], len(pairs)
    start = head(5, count)
    yield "long-head", "a map head of two bytes", bytes([0xB8, count]) + joined(pairs)
    yield "long-key", "a key of two bytes where one does", start + b"\x18" + first[0] + first[1] + joined(rest)
    yield "indefinite", "a map of indefinite length", b"\xbf" + joined(pairs) + b"\xff"
    yield "unordered", "keys out of order", start + joined(rest) + joined([first])
    yield "twice", "a key twice", head(5, count + 1) + joined([first]) + joined(pairs)
    yield "unknown", "an unknown key", head(5, count + 1) + joined(pairs) + b"\x18\x63\x00"
    yield "trailing", "a byte too many", start + joined(pairs) + b"\x00"
    yield "short", "a byte too few", (start + joined(pairs))[:-1]
    yield "tagged", "a tag before the map", b"\xd9\xd9\xf7" + start + joined(pairs)
    yield "null", "an unknown key with null", head(5, count + 1) + joined(pairs) + b"\x18\x63\xf6"


def envelopes(signer, use, payload):
    """Wrong COSE_Sign1 around a right payload: name, why, bytes."""
    good = signer.sign1(use, payload)
    _, _, _, signature = strict(good)
    signed = lambda protected: signer.sign1(use, payload, protected)
    yield "algorithm", "algorithm ES256 in the protected header", signed(cbor({1: -7}))
    yield "algorithm-ed25519", "algorithm -19, which RFC 9864 has for Ed25519", signed(cbor({1: -19}))
    yield "protected-empty", "an empty protected header", signed(b"")
    yield "protected-more", "a key id in the protected header", signed(cbor({1: -8, 4: b"k"}))
    yield "protected-long", "the protected header not in deterministic encoding", signed(b"\xa1\x01\x38\x07")
    yield "unprotected", "something in the unprotected header", cbor([EDDSA, {4: b"k"}, payload, signature])
    yield "unprotected-algorithm", "the algorithm in the unprotected header", cbor([b"", {1: -8}, payload, signature])
    yield "detached", "a detached payload", cbor([EDDSA, {}, None, signature])
    yield "sign1-tagged", "the tag of COSE_Sign1", b"\xd2" + good
    yield "three", "an array of three", cbor([EDDSA, {}, payload])
    yield "five", "an array of five", cbor([EDDSA, {}, payload, signature, b""])
    yield "signature-63", "a signature of 63 bytes", cbor([EDDSA, {}, payload, signature[:63]])
    yield "signature-65", "a signature of 65 bytes", cbor([EDDSA, {}, payload, signature + b"\0"])
    yield "array-long", "an array head of two bytes", b"\x98\x04" + good[1:]
    yield "array-indefinite", "an array of indefinite length", b"\x9f" + good[1:] + b"\xff"
    yield "payload-chunked", "the payload in chunks", good[:6] + b"\x5f" + cbor(payload) + b"\xff" + cbor(signature)
    yield "envelope-trailing", "a byte after the message", good + b"\0"
    yield "envelope-short", "the last byte missing", good[:-1]


def malleable(message):
    """The same signature with s + L in place of s, which verifies where s is not checked to be reduced."""
    protected, unprotected, payload, signature = strict(message)
    s = int.from_bytes(signature[32:], "little") + ORDER
    return cbor([protected, unprotected, payload, signature[:32] + s.to_bytes(32, "little")])
