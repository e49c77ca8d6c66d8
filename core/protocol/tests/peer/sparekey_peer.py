"""A second implementation of sections 1 to 5 of docs/ref/protocol.md, on other libraries, to check the first one.

    sparekey_peer.py make          makes a card and three requests with fresh keys, as `name: value` lines
    sparekey_peer.py open          opens the request in the `name: value` lines of its standard input

It is written from the page and not from the Rust code. Encoders take what they are given, so that `make_vectors.py` can
make evil messages with them.
"""

import hashlib
import io
import os
import sys

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pyhpke import AEADId, CipherSuite, KDFId, KEMId

DEVICE, SERVICE, REQUEST = b"sparekey/v1/device", b"sparekey/v1/service", b"sparekey/v1/request"
SUITE = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.CHACHA20_POLY1305)
EDDSA = bytes.fromhex("a10127")
PADDED = (96, 160, 384)


def cbor(value):
    return cbor2.dumps(value, canonical=True)


def strict(data):
    stream = io.BytesIO(data)
    value = cbor2.CBORDecoder(stream).decode()
    if stream.read(1) or cbor(value) != data:
        raise ValueError("not deterministic")
    return value


def digest(data, length=32):
    return hashlib.sha256(data).digest()[:length]


class Signer:
    """An Ed25519 key."""

    def __init__(self, seed):
        self.key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign1(self, use, payload, protected=EDDSA):
        signature = self.key.sign(to_be_signed(use, payload, protected))
        return cbor([protected, {}, payload, signature])


class Opener:
    """An X25519 key."""

    def __init__(self, secret):
        self.key = X25519PrivateKey.from_private_bytes(secret)
        self.secret = self.key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        self.public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = digest(self.public, 8)


def to_be_signed(use, payload, protected=EDDSA):
    return cbor(["Signature1", protected, use, payload])


def verified(message, public, use):
    protected, unprotected, payload, signature = strict(message)
    if protected != EDDSA or unprotected != {}:
        raise ValueError("not a COSE_Sign1 of this protocol")
    Ed25519PublicKey.from_public_bytes(public).verify(signature, to_be_signed(use, payload))
    return strict(payload)


def certificate_payload(maker, serial, model, device_public):
    return {1: digest(maker, 8), 2: serial, 3: model, 4: device_public}


def seal(public, aad, plaintext, ikm, info=REQUEST):
    recipient = SUITE.kem.deserialize_public_key(public)
    enc, context = SUITE.create_sender_context(recipient, info, eks=SUITE.kem.derive_key_pair(ikm))
    return enc, context.seal(plaintext, aad)


def unseal(secret, enc, aad, ciphertext):
    context = SUITE.create_recipient_context(enc, SUITE.kem.deserialize_private_key(secret), REQUEST)
    return context.open(ciphertext, aad)


def pad(plaintext):
    bare = len(cbor(plaintext))
    for target in PADDED:
        for zeros in range(max(0, target - bare), -1, -1):
            padded = cbor({**plaintext, 7: bytes(zeros)})
            if len(padded) == target:
                return padded
    return cbor(plaintext)


def request_payload(purpose, nonce, opening_public, certificate, plaintext, ikm):
    """`plaintext` is bytes, padded or not."""
    key_id = digest(opening_public, 8)
    enc, ciphertext = seal(opening_public, cbor([purpose, nonce, key_id, certificate]), plaintext, ikm)
    return {1: purpose, 2: nonce, 3: key_id, 4: enc, 5: ciphertext, 6: certificate}


def open_request(message, maker_public, opening_secret):
    payload = strict(strict(message)[2])
    certificate = verified(payload[6], maker_public, DEVICE)
    verified(message, certificate[4], REQUEST)
    aad = cbor([payload[1], payload[2], payload[3], payload[6]])
    plaintext = unseal(opening_secret, payload[4], aad, payload[5])
    return payload, certificate, strict(plaintext), len(plaintext)


def contents_of(message, maker_public, opening_secret):
    """What the request says, in the names that `docs/ref/vectors.md` gives."""
    payload, certificate, plaintext, _ = open_request(message, maker_public, opening_secret)
    contents = {
        "identity": digest(message).hex(),
        "serial": certificate[2],
        "model": certificate[3],
        "device-id": digest(certificate[4], 16).hex(),
        "purpose": payload[1],
        "nonce": payload[2].hex(),
        "code": plaintext[1],
    }
    if 2 in plaintext:
        contents["email"] = plaintext[2]
    names = {3: "firmware", 4: "device-time", 5: "start-time", 6: "language"}
    return contents | {name: plaintext[key] for key, name in names.items()}


def make():
    maker, device, opening = Signer(os.urandom(32)), Signer(os.urandom(32)), Opener(os.urandom(32))
    card = {1: digest(maker.public, 8), 2: 7, 3: "Peer", 4: "https://peer.example.org", 5: opening.public,
            6: Signer(os.urandom(32)).public, 7: "peer.example.org+00000000+AAAA"}
    certificate = maker.sign1(DEVICE, cbor(certificate_payload(maker.public, "PEER-0001", "Peer model", device.public)))
    print(f"maker: {maker.public.hex()}\nopening-key: {opening.secret.hex()}\ncard: {maker.sign1(SERVICE, cbor(card)).hex()}")
    for purpose, email in ((1, "owner@example.org"), (2, None), (3, "o" * 242 + "@example.org")):
        plaintext = {1: f"{int.from_bytes(os.urandom(4)) % 10**8:08}", 3: "1.0", 4: 1_790_000_000, 5: 1_789_000_000, 6: "zh-Hans"}
        if email:
            plaintext[2] = email
        payload = request_payload(purpose, os.urandom(16), opening.public, certificate, pad(plaintext), os.urandom(32))
        print(f"request: {device.sign1(REQUEST, cbor(payload)).hex()}\ncode: {plaintext[1]}\nemail: {email or ''}")


def main():
    if sys.argv[1:] == ["make"]:
        make()
    elif sys.argv[1:] == ["open"]:
        given = dict(line.split(": ", 1) for line in sys.stdin.read().splitlines())
        maker, key, request = (bytes.fromhex(given[name]) for name in ("maker", "opening-key", "request"))
        try:
            contents = contents_of(request, maker, key)
        except (ValueError, InvalidSignature) as refusal:
            sys.exit(f"refused: {refusal!r}")
        for name, value in contents.items():
            print(f"{name}: {value}")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
