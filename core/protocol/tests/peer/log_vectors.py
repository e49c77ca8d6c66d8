"""Vectors of the public log: leaves, keys, checkpoints, proofs."""

from log_peer import COSIGNATURE, b64, checkpoint, consistency, cosign_line, inclusion, leaf, line, log_line, tree, vkey
from sparekey_peer import Signer, cbor, digest
from vector import DEVICE_KEY, LOG, NONCE, encodings, write

ORIGIN, TIME = "recover.example.org/log", 1_790_000_000
DEVICE_ID = digest(DEVICE_KEY.public, 16)
WITNESSES = [(f"witness.example.org/{n}", Signer(bytes([40 + n]) * 32)) for n in range(3)]
ML_DSA = f"witness.example.org/pq+00000000+{b64(bytes([6]) * 33)}"


def entries(count):
    return [f"entry {n}".encode() for n in range(count)]


def leaves():
    def ok(name, why, value):
        outcome = {"time": value[1], "act": value[2], "commitment": value[3].hex()} | ({"grant": value[4].hex()} if 4 in value else {})
        encoded = cbor(value)
        write(f"leaf-{name}", why, "leaf", {"leaf": encoded}, "ok", outcome | {"hash": digest(b"\0" + encoded).hex()})

    bad = lambda name, why, encoded: write(f"leaf-evil-{name}", why, "leaf", {"leaf": encoded}, "malformed")
    ok("code-mailed", "A code was mailed.", leaf(TIME, 1, DEVICE_ID, NONCE))
    grant = leaf(TIME, 2, DEVICE_ID, NONCE, b"the grant's bytes")
    ok("grant-issued", "A grant was issued.", grant)
    ok("code-read-out", "The desk read a code out.", leaf(0, 3, DEVICE_ID, NONCE))
    ok("security-code", "A security code was issued.", leaf(2**64 - 1, 4, DEVICE_ID, NONCE))
    for name, why, encoded in encodings(grant):
        bad(name, f"The leaf has {why}.", encoded)
    bad("act-0", "An act that there is not.", cbor({**leaf(TIME, 1, DEVICE_ID, NONCE), 2: 0}))
    bad("act-5", "An act that there is not yet.", cbor({**leaf(TIME, 1, DEVICE_ID, NONCE), 2: 5}))
    bad("code-with-grant", "A mailed code with the hash of a grant.", cbor({**grant, 2: 1}))
    bad("grant-without", "A grant without its hash.", cbor(leaf(TIME, 2, DEVICE_ID, NONCE)))
    bad("commitment-31", "A commitment of 31 bytes.", cbor({**grant, 3: bytes(31)}))
    bad("grant-33", "A grant's hash of 33 bytes.", cbor({**grant, 4: bytes(33)}))
    bad("time-negative", "A negative time.", cbor({**grant, 1: -1}))
    bad("oversize", "More than any leaf has.", cbor({**grant, 5: bytes(20)}))


def keys():
    def ok(name, why, text, who, kind, signer):
        write(f"vkey-{name}", why, "vkey", {"vkey": text}, "ok", {"name": who, "type": kind, "key": signer.public.hex()})

    bad = lambda name, why, text, expect="malformed": write(f"vkey-evil-{name}", why, "vkey", {"vkey": text}, expect)
    good = vkey(ORIGIN, LOG)
    name, number, key = good.split("+", 2)
    ok("log", "A log's key.", good, ORIGIN, 1, LOG)
    ok("witness", "A witness's key.", vkey(WITNESSES[0][0], WITNESSES[0][1], COSIGNATURE), WITNESSES[0][0], 4, WITNESSES[0][1])
    ok("unicode", "A name in another script.", vkey("журнал.example", LOG), "журнал.example", 1, LOG)
    bad("id", "The identifier of another key.", f"{name}+00000000+{key}", "wrong-id")
    bad("id-capitals", "The identifier in capitals.", f"{name}+{number.upper()}+{key}", "wrong-id")
    bad("name", "The name of another key.", f"x{name}+{number}+{key}", "wrong-id")
    bad("ml-dsa", "A key of type 0x06, which is not in use here.", ML_DSA, "unsupported")
    bad("ecdsa", "A key of type 0x02.", f"{name}+{number}+{b64(bytes([2]) * 33)}", "unsupported")
    bad("no-name", "No name.", f"+{number}+{key}")
    bad("space", "A name with a space.", f"recover example+{number}+{key}")
    bad("em-space", "A name with a space of another script.", f"recover\u2003example+{number}+{key}")
    bad("key-31", "A key of 31 bytes.", f"{name}+{number}+{b64(bytes([1]) + LOG.public[:31])}")
    bad("key-33", "A key of 33 bytes.", f"{name}+{number}+{b64(bytes([1]) + LOG.public + bytes(1))}")
    bad("no-key", "No key.", f"{name}+{number}+")
    bad("two-parts", "Two parts.", f"{name}+{number}")
    bad("base64url", "Another base64.", good.replace("/", "_").replace("recover.example.org_", "recover.example.org/") + "_")
    bad("small-order", "A key for which anybody can sign.", f"{name}+{number}+{b64(bytes([1, 1]) + bytes(31))}")


def checkpoints():
    leaves = entries(11)
    text = checkpoint(ORIGIN, leaves)
    signed = lambda body, signer=LOG, name=ORIGIN: f"{body}\n{log_line(name, signer, body)}"
    cosigned = lambda *who, body=text: signed(body) + "".join(cosign_line(*WITNESSES[n], TIME, body) for n in who)

    def given(quorum):
        witnesses = [vkey(*witness, COSIGNATURE) for witness in WITNESSES] + [ML_DSA]
        return {"log-key": vkey(ORIGIN, LOG)} | ({"quorum": quorum, "witnesses": " ".join(witnesses)} if quorum else {})

    def ok(name, why, note, quorum=0, size=11, root=tree(leaves), made=False):
        seed = {"log-seed": b"\x08" * 32} if made else {}
        write(f"checkpoint-{name}", why, "checkpoint", seed | given(quorum), "ok", {"size": size, "root": root.hex()}, note.encode())

    def bad(name, why, note, expect="malformed", quorum=0):
        note = note if isinstance(note, bytes) else note.encode()
        write(f"checkpoint-evil-{name}", why, "checkpoint", given(quorum), expect, None, note)

    ok("plain", "A checkpoint, as the log signs it.", signed(text), made=True)
    ok("empty-tree", "A tree without leaves.", signed(checkpoint(ORIGIN, [])), size=0, root=digest(b""), made=True)
    ok("extension", "A line beyond the third is passed over.", signed(text + "an extension\n"))
    ok("witnesses", "Two of three witnesses.", cosigned(0, 2), 2)
    ok("more-witnesses", "More than the card asks for.", cosigned(2, 1, 0), 1)
    strangers = "".join(cosign_line(f"stranger.example/{n}", Signer(bytes([n]) * 32), TIME, text) for n in range(16))
    ok("strangers", "Signatures by 16 unknown keys are passed over.", cosigned(1) + strangers, 1)
    ok("strangers-first", "Whatever their order.", signed(text).replace("\n\u2014", "\n" + strangers + "\u2014"), 0)
    ok("stranger-forged", "What an unknown key signed is not looked at.", cosigned(1) + line("x", 1, LOG.public, bytes(64)), 1)
    name, witness = WITNESSES[0]
    ok("unknown-algorithm", "A known name with an unknown identifier.", cosigned(0) + line(name, 6, witness.public, bytes(2428)), 1)
    bad("other-origin", "Another log's origin.", signed(checkpoint("other.example", leaves)), "other-log")
    bad("other-key", "Another key in the log's name.", signed(text, WITNESSES[0][1]), "bad-signature")
    bad("other-name", "The log's key under another name.", signed(text, name="other.example"), "bad-signature")
    bad("altered-size", "Another size under the signature.", signed(text).replace("\n11\n", "\n12\n"), "bad-signature")
    bad("altered-root", "Another root under the signature.", signed(text).replace(b64(tree(leaves)), b64(tree(leaves[:-1]))), "bad-signature")
    bad("altered-extension", "A line added under the signature.", signed(text).replace("\n\n", "\nmore\n\n"), "bad-signature")
    bad("signed-twice", "A right and a wrong signature in the log's name.", signed(text) + line(ORIGIN, 1, LOG.public, bytes(64)), "bad-signature")
    bad("few", "One of two witnesses.", cosigned(1), "too-few-witnesses", 2)
    bad("none", "No witness.", signed(text), "too-few-witnesses", 1)
    bad("one-twice", "One witness twice.", cosigned(1, 1), "too-few-witnesses", 2)
    bad("witness-name", "A witness under another's name.", signed(text) + cosign_line(WITNESSES[0][0], WITNESSES[1][1], TIME, text),
        "too-few-witnesses", 1)
    bad("witness-plain", "A witness that signed as a log does.", signed(text) + log_line(name, witness, text), "too-few-witnesses", 1)
    bad("cosigned-other", "A cosignature of another checkpoint.", signed(text) + cosign_line(name, witness, TIME, checkpoint(ORIGIN, leaves[:9])),
        "bad-cosignature", 1)
    signature = witness.key.sign(f"cosignature/v1\ntime {TIME}\n{text}".encode())
    early = line(name, 4, witness.public, (TIME - 1).to_bytes(8, "big") + signature)
    bad("cosigned-early", "A cosignature that says another time.", signed(text) + early, "bad-cosignature", 1)
    bad("cosigned-late", "A time beyond the end of time.", signed(text) + cosign_line(name, witness, 2**63, text), "bad-cosignature", 1)
    bad("cosigned-short", "A cosignature without a time.", signed(text) + line(name, 4, witness.public, bytes(64)), "bad-cosignature", 1)
    bad("unsigned", "No signature.", text)
    bad("no-empty-line", "No empty line.", text + log_line(ORIGIN, LOG, text))
    bad("no-signature", "An empty line, and no signature.", text + "\n")
    bad("unended", "The last line is not ended.", signed(text)[:-1])
    bad("crlf", "Line breaks of another system.", signed(text).replace("\n", "\r\n"))
    bad("control", "A control character.", signed(text + "\t\n"))
    bad("not-utf-8", "A byte that is not UTF-8.", signed(text).encode() + b"\xff\n")
    bad("hyphen", "A hyphen for the dash.", signed(text).replace("\u2014", "-"))
    bad("two-spaces", "Two spaces.", signed(text).replace("\u2014 ", "\u2014  "))
    bad("signature-empty", "A signature of four bytes.", f"{text}\n\u2014 {ORIGIN} AAAAAA==\n")
    bad("signature-base64", "A signature in another base64.", signed(text)[:-2] + "\n")
    bad("empty-origin", "No origin.", signed(checkpoint("", leaves)))
    bad("size-zero", "A size with a leading zero.", signed(text.replace("\n11\n", "\n011\n")))
    bad("size-sign", "A size with a sign.", signed(text.replace("\n11\n", "\n+11\n")))
    bad("size-large", "A size of 65 bits.", signed(text.replace("\n11\n", f"\n{2**64}\n")))
    bad("root-31", "A root of 31 bytes.", signed(f"{ORIGIN}\n11\n{b64(bytes(31))}\n"))
    bad("two-lines", "No root.", signed(f"{ORIGIN}\n11\n"))
    bad("signatures-65", "65 signatures.", signed(text) + line("x", 1, LOG.public, bytes(64)) * 64)
    bad("oversize", "More than 64 KiB.", signed(text + "x" * 65536 + "\n"))


def proofs():
    leaves = entries(23)
    hashes = lambda path: {"proof": " ".join(node.hex() for node in path)}
    root = tree(leaves)
    for index in (0, 7, 15, 16, 21, 22):
        given = {"index": index, "size": 23, "leaf": leaves[index], "root": root}
        write(f"inclusion-{index}", f"Leaf {index} of 23.", "inclusion", given | hashes(inclusion(index, leaves)), "ok")
    path = inclusion(7, leaves)
    good = {"index": 7, "size": 23, "leaf": leaves[7], "root": root}

    def bad(name, why, path=path, **change):
        write(f"inclusion-evil-{name}", why, "inclusion", {**good, **change} | hashes(path), "not-in-tree")

    bad("leaf", "Another leaf.", leaf=leaves[8])
    bad("index", "Another place.", index=6)
    bad("size", "Another size.", size=8)
    bad("beyond", "A place beyond the end.", index=23)
    bad("root", "Another root.", root=tree(leaves[:22]))
    bad("short", "A hash too few.", path[:-1])
    bad("long", "A hash too many.", path + [root])
    bad("order", "The path from the root down.", path[::-1])
    bad("node", "A node in place of a leaf: its hashes as the leaf's bytes.", path[1:], leaf=path[0] + digest(b"\0" + leaves[7]), index=3, size=12)
    bad("wrap", "A place that would be there if numbers had 32 bits.", index=2**32 + 7)

    for old in (1, 8, 13, 22, 23):
        given = {"old-size": old, "old-root": tree(leaves[:old]), "new-size": 23, "new-root": root}
        write(f"consistency-{old}", f"23 leaves begin with {old}.", "consistency", given | hashes(consistency(old, leaves)), "ok")
    write("consistency-0", "Every tree begins with the empty one.", "consistency",
          {"old-size": 0, "old-root": digest(b""), "new-size": 23, "new-root": root} | hashes([]), "ok")
    path = consistency(13, leaves)
    good = {"old-size": 13, "old-root": tree(leaves[:13]), "new-size": 23, "new-root": root}

    def worse(name, why, path=path, **change):
        given = {**good, **{key.replace("_", "-"): value for key, value in change.items()}}
        write(f"consistency-evil-{name}", why, "consistency", given | hashes(path), "inconsistent")

    forked = leaves[:5] + [b"another"] + leaves[6:]
    worse("fork", "A fork.", old_root=tree(forked[:13]))
    worse("fork-proof", "A fork with its own proof.", consistency(13, forked), old_root=tree(forked[:13]))
    worse("rollback", "A tree that was rolled back.", old_size=23, old_root=root, new_size=13, new_root=tree(leaves[:13]))
    worse("same-size", "Two trees of one size.", [], old_size=23, old_root=tree(forked))
    worse("short", "A hash too few.", path[:-1])
    worse("long", "A hash too many.", path + [root])
    worse("no-proof", "No proof.", [])
    worse("empty-root", "An empty tree with a root.", [], old_size=0)
