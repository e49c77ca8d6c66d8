"""A second implementation of sections 6, 7 and 9 of docs/ref/protocol.md and of what they name (RFC 6962, RFC 6287, C2SP's signed-note,
tlog-checkpoint, tlog-cosignature and tlog-proof), written from those pages and not from the Rust code."""

import base64
import hashlib
import hmac

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sparekey_peer import cbor, digest, seal

GRANT, ENROL = b"sparekey/v1/grant", b"sparekey/v1/enrol"
ED25519, COSIGNATURE = 1, 4
SUITE = b"OCRA-1:HOTP-SHA256-8:QN08"


def b64(data):
    return base64.b64encode(data).decode()


def split(count):
    """The greatest power of two below."""
    return 1 << (count - 1).bit_length() - 1


def tree(leaves):
    if len(leaves) < 2:
        return digest(b"\0" + leaves[0]) if leaves else digest(b"")
    k = split(len(leaves))
    return digest(b"\1" + tree(leaves[:k]) + tree(leaves[k:]))


def inclusion(m, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return inclusion(m, leaves[:k]) + [tree(leaves[k:])]
    return inclusion(m - k, leaves[k:]) + [tree(leaves[:k])]


def consistency(m, leaves, known=True):
    if m == len(leaves):
        return [] if known else [tree(leaves)]
    k = split(len(leaves))
    if m <= k:
        return consistency(m, leaves[:k], known) + [tree(leaves[k:])]
    return consistency(m - k, leaves[k:], False) + [tree(leaves[:k])]


def key_id(name, kind, public):
    return digest(name.encode() + b"\n" + bytes([kind]) + public, 4)


def vkey(name, signer, kind=ED25519):
    return f"{name}+{key_id(name, kind, signer.public).hex()}+{b64(bytes([kind]) + signer.public)}"


def line(name, kind, public, signature):
    return f"\u2014 {name} {b64(key_id(name, kind, public) + signature)}\n"


def log_line(name, signer, text):
    return line(name, ED25519, signer.public, signer.key.sign(text.encode()))


def cosign_line(name, signer, time, text):
    signature = signer.key.sign(f"cosignature/v1\ntime {time}\n{text}".encode())
    return line(name, COSIGNATURE, signer.public, time.to_bytes(8, "big") + signature)


def checkpoint(origin, leaves):
    return f"{origin}\n{len(leaves)}\n{b64(tree(leaves))}\n"


def proof(index, leaves, note):
    path = "".join(b64(node) + "\n" for node in inclusion(index, leaves))
    return f"c2sp.org/tlog-proof@v1\nindex {index}\n{path}\n{note}"


def commitment(device_id, nonce):
    return digest(b"sparekey/v1/leaf" + device_id + nonce)


def leaf(time, act, device_id, nonce, grant=None):
    return {1: time, 2: act, 3: commitment(device_id, nonce)} | ({4: digest(grant)} if grant else {})


def grant_payload(device_id, nonce, issued_at, not_after, case):
    return {1: device_id, 2: nonce, 3: issued_at, 4: not_after, 5: case}


def enrolment_payload(secret, opening_public, certificate, ikm):
    key = digest(opening_public, 8)
    enc, ciphertext = seal(opening_public, cbor([key, certificate]), secret, ikm, ENROL)
    return {1: key, 2: enc, 3: ciphertext, 4: certificate}


def ocra(secret, question):
    """The question is a text of eight digits (RFC 6287 section 5 and its appendix A)."""
    number = f"{int(question):x}"
    data = bytes.fromhex(number.ljust(256, "0"))
    mac = hmac.digest(secret, SUITE + b"\0" + data, "sha256")
    at = mac[-1] & 15
    return f"{(int.from_bytes(mac[at:at + 4]) & 0x7fffffff) % 10**8:08}"


def question_nonce(secret, device_id, question):
    return hmac.digest(secret, b"sparekey/v1/question" + device_id + int(question).to_bytes(4, "big"), "sha256")[:16]


def check_note(note, name, kind, public):
    """The text of a note that this key signed."""
    text, _, lines = note.rpartition("\n\n")
    text += "\n"
    for signature in lines.splitlines():
        mark, named, encoded = signature.split(" ")
        data = base64.b64decode(encoded, validate=True)
        if (mark, named, data[:4]) == ("\u2014", name, key_id(name, kind, public)):
            message, signature = text, data[4:]
            if kind == COSIGNATURE:
                message, signature = f"cosignature/v1\ntime {int.from_bytes(data[4:12])}\n{text}", data[12:]
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message.encode())
            return text
    raise InvalidSignature(f"no signature by {name}")


def check_proof(text, entry, name, public):
    """That the entry stands in the log, by the algorithm of RFC 9162 section 2.1.3.2."""
    head, _, note = text.partition("\n\n")
    version, index, *path = head.split("\n")
    if version != "c2sp.org/tlog-proof@v1" or not index.startswith("index "):
        raise ValueError("not a proof")
    origin, size, root = check_note(note, name, ED25519, public).splitlines()[:3]
    fn, sn, r = int(index[6:]), int(size) - 1, digest(b"\0" + entry)
    if origin != name or fn > sn:
        raise ValueError("another log, or no such leaf")
    for node in (base64.b64decode(node, validate=True) for node in path):
        if sn == 0:
            raise ValueError("too long")
        if fn & 1 or fn == sn:
            r = digest(b"\1" + node + r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = digest(b"\1" + r + node)
        fn, sn = fn >> 1, sn >> 1
    if sn or b64(r) != root:
        raise ValueError("not in the tree")
