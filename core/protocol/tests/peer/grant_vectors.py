"""Vectors of grants, enrolment records and security codes."""

from log_peer import COSIGNATURE, ENROL, GRANT as USE, checkpoint, cosign_line, enrolment_payload, grant_payload, leaf, log_line, ocra, proof
from log_peer import question_nonce, vkey
from log_vectors import DEVICE_ID, ORIGIN, TIME, WITNESSES, entries
from request_vectors import CERTIFICATE
from sparekey_peer import DEVICE, REQUEST, Signer, cbor, certificate_payload, digest
from vector import DEVICE_KEY, GRANT, LOG, MAKER, MODEL, NONCE, OPENING, OTHER_DEVICE, OTHER_MAKER, OTHER_OPENING, SEED, SERIAL
from vector import encodings, envelopes, malleable, write

GOOD = grant_payload(DEVICE_ID, NONCE, TIME, TIME + 86_400, "C-1042")
SECRET = bytes(range(64, 96))


def entry(payload, signed):
    return cbor(leaf(payload[3], 2, payload[1], payload[2], signed))


def proven(payload, signed, witnesses=(), signer=LOG, origin=ORIGIN, index=23, logged=None):
    leaves = entries(23) + [logged or entry(payload, signed)] + entries(4)
    text = checkpoint(origin, leaves)
    note = f"{text}\n{log_line(origin, signer, text)}" + "".join(cosign_line(*WITNESSES[n], TIME, text) for n in witnesses)
    return proof(index, leaves, note)


def grants():
    sign = lambda payload: GRANT.sign1(USE, cbor(payload))

    def given(bundle, quorum):
        witnesses = {"quorum": quorum, "witnesses": " ".join(vkey(*witness, COSIGNATURE) for witness in WITNESSES)} if quorum else {}
        return {"grant-key": GRANT.public, "log-key": vkey(ORIGIN, LOG)} | witnesses | {"device-id": DEVICE_ID, "nonce": NONCE, "bundle": bundle}

    def ok(name, why, change={}, quorum=0, witnesses=()):
        payload = {**GOOD, **change}
        signed = sign(payload)
        bundle = cbor([signed, proven(payload, signed, witnesses)])
        outcome = {"issued-at": payload[3], "not-after": payload[4], "case": payload[5], "leaf": entry(payload, signed).hex()}
        write(f"grant-{name}", why, "grant", {"grant-seed": b"\7" * 32} | given(bundle, quorum), "ok", outcome)

    def bad(name, why, bundle, expect, quorum=0):
        write(f"grant-evil-{name}", why, "grant", given(bundle if isinstance(bundle, bytes) else cbor(bundle), quorum), expect)

    def evil(name, why, signed, expect, payload=GOOD):
        """A grant that is wrong, though it stands in the log."""
        bad(name, why, [signed, proven(payload, signed)], expect)

    ok("plain", "A grant.")
    ok("witnesses", "A grant whose checkpoint two of three witnesses cosigned.", quorum=2, witnesses=(2, 0))
    ok("longest", "Everything at its greatest.", {3: 2**64 - 1, 4: 2**64 - 1, 5: "案" * 10 + "XX"})
    for name, why, payload in encodings(GOOD):
        evil(name, f"The payload has {why}.", GRANT.sign1(USE, payload), "malformed")
    for name, why, message in envelopes(GRANT, USE, cbor(GOOD)):
        evil(name, f"The envelope has {why}.", message, "malformed")
    evil("case-empty", "An empty case number.", sign({**GOOD, 5: ""}), "malformed")
    evil("case-33", "A case number of 33 bytes in 11 letters.", sign({**GOOD, 5: "案" * 11}), "malformed")
    evil("nonce-15", "A nonce of 15 bytes.", sign({**GOOD, 2: NONCE[:15]}), "malformed")
    evil("device-8", "A device id of 8 bytes.", sign({**GOOD, 1: DEVICE_ID[:8]}), "malformed")
    evil("time-text", "A time as text.", sign({**GOOD, 3: "1790000000"}), "malformed")
    evil("oversize", "A grant of more than 256 bytes.", sign({**GOOD, 5: "C" * 250}), "malformed")
    right = sign(GOOD)
    evil("forged", "Signed by another key.", OTHER_MAKER.sign1(USE, cbor(GOOD)), "wrong-proof")
    evil("by-maker", "Signed by the maker.", MAKER.sign1(USE, cbor(GOOD)), "wrong-proof")
    evil("use-request", "Signed for the use of a request.", GRANT.sign1(REQUEST, cbor(GOOD)), "wrong-proof")
    evil("use-device", "Signed for the use of a certificate.", GRANT.sign1(DEVICE, cbor(GOOD)), "wrong-proof")
    evil("malleable", "The signature with s + L in place of s.", malleable(right), "wrong-proof")
    other = {**GOOD, 1: digest(OTHER_DEVICE.public, 16)}
    evil("other-device", "For another device.", sign(other), "not-for-this-device", other)
    other = {**GOOD, 2: bytes(16)}
    evil("other-request", "For another request.", sign(other), "not-for-this-device", other)
    good = proven(GOOD, right)
    bad("bundle-three", "A bundle of three.", [right, good, b""], "malformed")
    bad("bundle-one", "A bundle of one.", [right], "malformed")
    bad("bundle-proof-bytes", "The proof as bytes.", [right, good.encode()], "malformed")
    bad("bundle-grant-text", "The grant as text.", ["grant", good], "malformed")
    bad("bundle-indefinite", "A bundle of indefinite length.", b"\x9f" + cbor([right, good])[1:] + b"\xff", "malformed")
    bad("bundle-trailing", "A byte after the bundle.", cbor([right, good]) + b"\0", "malformed")
    bad("bundle-empty", "Nothing.", b"", "malformed")
    bad("bundle-oversize", "Far too long.", [right, "x" * 60_000], "malformed")
    bad("alone", "The grant alone.", right, "not-in-log")
    for name, why, text in [
        ("empty", "An empty proof", ""),
        ("version", "A proof of another version", good.replace("@v1", "@v2")),
        ("extra", "A proof with an extra line", good.replace("\nindex", "\nextra AAAA\nindex")),
        ("no-index", "A proof without a place", good.replace("\nindex 23", "")),
        ("index-zero", "A place with a leading zero", good.replace("index 23", "index 023")),
        ("index-negative", "A negative place", good.replace("index 23", "index -1")),
        ("index-large", "A place of 65 bits", good.replace("index 23", f"index {2**64 + 23}")),
        ("hash-31", "A hash of 31 bytes", good.replace("index 23\n", f"index 23\n{'A' * 42}==\n")),
        ("path-65", "A path of more hashes than any tree needs", good.replace("index 23\n", "index 23\n" + f"{'A' * 43}=\n" * 65)),
        ("no-empty-line", "A proof without its empty line", good.replace("\n\n", "\n", 1)),
        ("no-checkpoint", "A proof without a checkpoint", good[:good.index("\n\n") + 2]),
        ("trailing", "Something after the checkpoint", good + "x\n"),
        ("crlf", "Line breaks of another system", good.replace("\n", "\r\n")),
    ]:
        bad(f"proof-{name}", f"{why}.", [right, text], "not-in-log")
    bad("other-index", "The proof says another place.", [right, good.replace("index 23", "index 22")], "not-in-log")
    bad("other-leaf", "The proof is of another leaf.", [right, proven(GOOD, right, index=22)], "not-in-log")
    bad("other-grant", "The leaf is of another grant for this request.", [sign({**GOOD, 4: TIME + 99_999}), good], "not-in-log")
    late = {**GOOD, 3: TIME + 1}
    bad("leaf-time", "The leaf says another time.", [right, proven(GOOD, right, logged=entry(late, right))], "not-in-log")
    mailed = cbor(leaf(TIME, 1, DEVICE_ID, NONCE))
    bad("leaf-act", "The leaf says that a code was mailed.", [right, proven(GOOD, right, logged=mailed)], "not-in-log")
    bad("log-key", "Another key's log.", [right, proven(GOOD, right, signer=GRANT)], "not-in-log")
    bad("log-origin", "Another log of the same key.", [right, proven(GOOD, right, origin="other.example")], "not-in-log")
    older = good.splitlines(keepends=True)
    old = checkpoint(ORIGIN, entries(23))
    note = f"{old}\n{log_line(ORIGIN, LOG, old)}"
    bad("old-checkpoint", "A checkpoint from before the grant.", [right, "".join(older[:older.index("\n") + 1]) + note], "not-in-log")
    bad("witnesses", "One of two witnesses.", [right, proven(GOOD, right, (1,))], "not-in-log", 2)
    bad("witness-twice", "One of two witnesses, twice.", [right, proven(GOOD, right, (1, 1))], "not-in-log", 2)
    fork = proven({**GOOD, 2: bytes(16)}, right, (0, 1, 2))
    mine = proven(GOOD, right)
    cosignatures = "".join(fork.splitlines(keepends=True)[-3:])
    bad("fork", "A tree for this device alone, with the cosignatures of the public one.", [right, mine + cosignatures], "not-in-log", 1)
    both = sign(other)
    bad("order-1", "A wrong signature comes before another device.", [both[:-1] + bytes([both[-1] ^ 1]), good], "wrong-proof")
    bad("order-2", "Another request comes before a missing proof.", [both, ""], "not-for-this-device")


def enrolments():
    plaintext = cbor({1: SECRET})

    def payload_of(plain=plaintext, opening=OPENING, certificate=CERTIFICATE):
        return enrolment_payload(plain, opening.public, certificate, SEED)

    def given(record, withdrawn=None):
        return {"maker": MAKER.public, "opening-key": OPENING.secret} | ({"withdrawn": withdrawn} if withdrawn else {}) | {"record": record}

    def record(payload=None, signer=DEVICE_KEY, use=ENROL):
        return signer.sign1(use, cbor(payload or payload_of()))

    def bad(name, why, message, expect="malformed", withdrawn=None):
        write(f"enrolment-evil-{name}", why, "enrolment", given(message, withdrawn), expect)

    write("enrolment-plain", "An enrolment record.", "enrolment", {"device-seed": b"\3" * 32, "seed": SEED} | given(record()), "ok",
          {"serial": SERIAL, "device-id": DEVICE_ID.hex(), "secret": SECRET.hex()})
    good = payload_of()
    for name, why, payload in encodings(good):
        bad(name, f"The payload has {why}.", DEVICE_KEY.sign1(ENROL, payload))
    for name, why, message in envelopes(DEVICE_KEY, ENROL, cbor(good)):
        bad(name, f"The envelope has {why}.", message)
    for name, why, plain in encodings({1: SECRET}):
        if name != "unordered":
            bad(f"plaintext-{name}", f"The plaintext has {why}.", record(payload_of(plain)))
    bad("secret-31", "A secret of 31 bytes.", record(payload_of(cbor({1: SECRET[:31]}))))
    bad("secret-text", "A secret as text.", record(payload_of(cbor({1: "s" * 32}))))
    bad("oversize", "More than 1,024 bytes.", record({**good, 3: bytes(1024)}), "too-large")
    unknown = OTHER_MAKER.sign1(DEVICE, cbor(certificate_payload(OTHER_MAKER.public, SERIAL, MODEL, DEVICE_KEY.public)))
    forged = OTHER_MAKER.sign1(DEVICE, cbor(certificate_payload(MAKER.public, SERIAL, MODEL, DEVICE_KEY.public)))
    bad("unknown-maker", "A maker that is not trusted here.", record(payload_of(certificate=unknown)), "unknown-maker")
    bad("bad-certificate", "A certificate by another maker.", record(payload_of(certificate=forged)), "bad-certificate")
    bad("withdrawn", "A serial that was withdrawn.", record(), "withdrawn", SERIAL)
    bad("signer", "Signed by another device.", record(signer=OTHER_DEVICE), "bad-signature")
    bad("use-request", "Signed for the use of a request.", record(use=REQUEST), "bad-signature")
    bad("malleable", "The signature with s + L in place of s.", malleable(record()), "bad-signature")
    bad("unknown-key", "Sealed to another service.", record(payload_of(opening=OTHER_OPENING)), "unknown-key")
    bad("altered", "An altered ciphertext.", record({**good, 3: good[3][:-1] + bytes([good[3][-1] ^ 1])}), "not-opened")
    other = MAKER.sign1(DEVICE, cbor(certificate_payload(MAKER.public, "NVR-4216-0002", MODEL, DEVICE_KEY.public)))
    bad("certificate-swapped", "Sealed for another certificate of the same device.", record({**good, 4: other}), "not-opened")
    from log_peer import seal
    enc, ciphertext = seal(OPENING.public, cbor([good[1], CERTIFICATE]), plaintext, SEED, REQUEST)
    bad("info", "Sealed for the use of a request.", record({**good, 2: enc, 3: ciphertext}), "not-opened")


def security_codes():
    for question in ("00000000", "00000001", "00000010", "12345678", "99999999"):
        outcome = {"answer": ocra(SECRET, question), "nonce": question_nonce(SECRET, DEVICE_ID, question).hex()}
        write(f"ocra-{question}", "An answer to read out.", "ocra", {"secret": SECRET, "device-id": DEVICE_ID, "question": question}, "ok", outcome)
    for name, question in (("7", "1234567"), ("9", "123456789"), ("letter", "1234567a"), ("fullwidth", "１２３４５６７８"), ("empty", "")):
        write(f"ocra-evil-{name}", "Not eight digits.", "ocra", {"secret": SECRET, "device-id": DEVICE_ID, "question": question}, "malformed")
