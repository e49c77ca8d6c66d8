"""Vectors of recovery files."""

import base64

from request_vectors import plaintext, request_of
from sparekey_peer import cbor, digest
from vector import DEVICE_KEY, MODEL, SERIAL, write

NAMESPACE = "urn:sparekey:recovery:1"
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMES = {
    "RecoveryRequest": ("Serial", "Model", "Firmware", "DeviceTime", "StartTime", "Payload"),
    "RecoveryGrant": ("Serial", "Case", "NotAfter", "Payload"),
    "KeyFile": ("Serial", "Created", "Payload"),
}
TEXTS = {"Serial": SERIAL, "Model": MODEL, "Firmware": "4.30.005", "DeviceTime": "2026-09-21T14:13:20Z", "StartTime":
         "2026-09-21T11:26:40Z", "Case": "C-1042", "NotAfter": "2026-09-22T14:13:20Z", "Created": "2026-09-21T14:13:20Z"}
DEVICE_ID, SECRET = digest(DEVICE_KEY.public, 16), bytes(range(32))


def element(root, payload, xmlns=f' xmlns="{NAMESPACE}"', **texts):
    encoded = base64.b64encode(payload).decode()
    children = "".join(f"  <{name}>{({**TEXTS, **texts, 'Payload': encoded})[name]}</{name}>\n" for name in NAMES[root])
    return f"<{root}{xmlns}>\n{children}</{root}>\n"


def files():
    message = request_of(plaintext())
    request, bundle = element("RecoveryRequest", message), cbor([b"grant", "proof"])
    grant, key = element("RecoveryGrant", bundle), element("KeyFile", cbor([DEVICE_ID, SECRET]))
    encoded = base64.b64encode(message).decode()
    shown = {"serial": SERIAL, "model": MODEL, "firmware": TEXTS["Firmware"], "device-time": TEXTS["DeviceTime"], "start-time": TEXTS["StartTime"]}
    said = {"type": "request"} | shown | {"payload": message.hex()}

    def ok(name, why, text, outcome, given=None):
        write(f"file-{name}", why, "file", given or {}, "ok", outcome, text if isinstance(text, bytes) else text.encode())

    ok("request", "A request, as this program writes it.", XML + request, said, {"written": "yes"})
    ok("grant", "A grant, as this program writes it.", XML + grant, {"type": "grant", "serial": SERIAL, "case": TEXTS["Case"],
       "not-after": TEXTS["NotAfter"], "payload": bundle.hex()}, {"written": "yes"})
    ok("key", "A key file, as this program writes it.", XML + key, {"type": "key", "serial": SERIAL, "created": TEXTS["Created"],
       "device-id": DEVICE_ID.hex(), "secret": SECRET.hex()}, {"written": "yes"})
    escaped = XML + element("RecoveryRequest", message, Model="&lt;b&gt; &amp; \"'录")
    ok("escaped", "A model with everything that has to be escaped.", escaped, {**said, "model": "<b> & \"'录"}, {"written": "yes"})
    ok("byte-order-mark", "A byte order mark, as some editors add.", b"\xef\xbb\xbf" + (XML + request).encode(), said)
    ok("no-declaration", "XML without a declaration.", request, said)
    ok("crlf", "Line breaks of another system.", (XML + request).replace("\n", "\r\n"), said)
    ok("wrapped", "base64 in lines.", request.replace(encoded, "\n".join(["", *(encoded[at:at + 64] for at in range(0, len(encoded), 64)), ""])), said)
    ok("prefix", "The namespace with a prefix.", request.replace("<", "<s:").replace("<s:/", "</s:").replace("xmlns=", "xmlns:s="), said)
    ok("comment", "Comments between elements.", "<!-- one -->" + request.replace("  <Model>", "  <!-- two --><Model>") + "<!-- three -->", said)
    ok("order", "Elements in another order.", request.replace(f"  <Serial>{SERIAL}</Serial>\n", "").replace(
        "</RecoveryRequest>", f"<Serial>{SERIAL}</Serial></RecoveryRequest>"), said)
    ok("cdata", "CDATA is text like any other.", request.replace(MODEL, f"<![CDATA[{MODEL}]]>"), said)
    ok("character-reference", "A character reference is no entity.", request.replace(MODEL, "NVR&#x20;4216"), said)
    ok("differs", "The elements for people are not believed: a file that tells another serial is read.", request.replace(SERIAL, "X" * 256),
       {**said, "serial": "X" * 256})
    ok("empty-texts", "The elements for people may be empty.", element("RecoveryRequest", message, **dict.fromkeys(TEXTS, "")),
       {**dict.fromkeys(said, ""), "type": "request", "payload": message.hex()})
    ok("control", "Control characters that XML can hold, and a terminal obeys, are not passed on.",
       request.replace(MODEL, "NVR\t\x9b2J\x7f"), {**said, "model": "NVR\ufffd\ufffd2J\ufffd"})
    batch = lambda inner: f'{XML}<Batch xmlns="{NAMESPACE}">\n{inner}</Batch>\n'
    ok("batch", "Two requests and a grant.", batch(request + request + grant), {"type": "batch", "entries": 3}, {"written": "yes"})
    small = element("RecoveryRequest", b"\0", xmlns="", **dict.fromkeys(TEXTS, ""))
    ok("batch-200", "200 requests, in the namespace of the batch.", batch(small * 200), {"type": "batch", "entries": 200})
    room = 65536 - len(request)
    ok("65536", "The longest file.", request + " " * room, said)

    def evil(name, why, text, expect):
        write(f"file-evil-{name}", why, "file", {}, expect, None, text if isinstance(text, bytes) else text.encode())

    with_model = lambda model: request.replace(f"<Model>{MODEL}</Model>", model)
    evil("65537", "One byte too many.", request + " " * (room + 1), "too-large")
    evil("utf-16", "UTF-16.", (XML + request).encode("utf-16"), "encoding")
    evil("latin-1", "A byte that is not UTF-8.", XML.encode() + with_model("<Model>Mod\xe8le</Model>").encode("latin-1"), "encoding")
    evil("declared-utf-16", "UTF-8 that says it were UTF-16.", XML.replace("UTF-8", "UTF-16") + request, "encoding")
    evil("declared-utf-7", "UTF-8 that says it were UTF-7.", XML.replace('"UTF-8"', "'utf-7'") + request, "encoding")
    evil("nul", "A zero byte.", with_model("<Model>N\0VR</Model>"), "xml")
    evil("control", "A control character.", with_model("<Model>N\x1bVR</Model>"), "xml")
    evil("nul-reference", "A zero byte as a reference.", with_model("<Model>N&#0;VR</Model>"), "xml")
    evil("doctype", "A document type.", "<!DOCTYPE RecoveryRequest>" + request, "xml")
    evil("external-entity", "An entity that is a file of the reader's.", '<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]>' +
         with_model("<Model>&e;</Model>"), "xml")
    evil("external-doctype", "A document type that is fetched.", '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/r.dtd">' + request, "xml")
    laughs = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    evil("billion-laughs", "Entities that grow to a thousand million.", f"<!DOCTYPE r [{laughs}]>" + with_model("<Model>&a9;</Model>"), "xml")
    evil("parameter-entity", "A parameter entity.", '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]>' + request, "xml")
    evil("entity", "An entity that nobody defined.", with_model("<Model>&nbsp;</Model>"), "xml")
    evil("unclosed", "An element that is not closed.", request.replace("</RecoveryRequest>", ""), "xml")
    evil("two-roots", "Two roots.", request + request, "xml")
    evil("deep", "Ten thousand elements in each other.", "<a>" * 10_000, "xml")
    evil("many", "Ten thousand elements beside each other.", f'<Batch xmlns="{NAMESPACE}">{"<a/>" * 10_000}</Batch>', "xml")
    evil("empty", "A file of white space.", "   ", "xml")
    evil("json", "Something else.", '{"request": "x"}', "xml")
    evil("no-namespace", "No namespace.", element("RecoveryRequest", message, xmlns=""), "root")
    evil("other-namespace", "Another version's namespace.", request.replace(NAMESPACE, "urn:sparekey:recovery:2"), "root")
    evil("other-root", "Another root.", request.replace("RecoveryRequest", "RecoverRequest"), "root")
    evil("html", "A page.", "<html><body/></html>", "root")
    evil("child-namespace", "An element in another namespace.", with_model('<Model xmlns="urn:x">NVR</Model>'), "element")
    evil("payload-twice", "Two payloads.", request.replace("</RecoveryRequest>", "<Payload>AA==</Payload></RecoveryRequest>"), "element")
    evil("serial-twice", "Two serials.", with_model("<Model/><Serial/>"), "element")
    evil("unknown", "An unknown element.", with_model("<Model/><Extra/>"), "element")
    evil("missing", "No model.", with_model(""), "element")
    evil("no-payload", "No payload.", request.replace(f"<Payload>{encoded}</Payload>", ""), "element")
    evil("attribute", "An attribute.", with_model('<Model lang="en">NVR</Model>'), "element")
    evil("root-attribute", "An attribute of the root.", request.replace(" xmlns", ' version="1" xmlns', 1), "element")
    evil("schema-location", "A schema to be fetched.", request.replace(" xmlns", ' xmlns:i="http://www.w3.org/2001/XMLSchema-instance" '
         'i:schemaLocation="urn:sparekey:recovery:1 http://127.0.0.1:9/s.xsd" xmlns', 1), "element")
    evil("include", "An inclusion.", with_model('<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'), "element")
    evil("style-sheet", "A style sheet to be fetched.", '<?xml-stylesheet href="http://127.0.0.1:9/s.xsl"?>' + request, "element")
    evil("instruction", "A processing instruction inside.", with_model("<Model/><?x y?>"), "element")
    evil("text-between", "Text between elements.", with_model("<Model/>text"), "element")
    evil("payload-comment", "A comment in the payload.", request.replace(encoded, encoded[:8] + "<!-- -->" + encoded[8:]), "element")
    evil("payload-instruction", "A processing instruction in the payload.", request.replace(encoded, encoded[:8] + "<?x?>" + encoded[8:]), "element")
    evil("payload-element", "An element in the payload.", request.replace(encoded, f"<b>{encoded}</b>"), "element")
    evil("text-257", "257 bytes for people.", with_model(f"<Model>{'M' * 257}</Model>"), "element")
    evil("grant-elements", "A grant with a request's elements.", request.replace("RecoveryRequest", "RecoveryGrant"), "element")
    evil("payload-empty", "An empty payload.", request.replace(encoded, ""), "payload")
    evil("payload-base64url", "base64 of the other alphabet.", request.replace(encoded, "_-" * 20), "payload")
    evil("payload-unpadded", "base64 without its padding.", request.replace(encoded, "AA"), "payload")
    evil("payload-trailing-bits", "base64 whose last letter has bits too many.", request.replace(encoded, "AB=="), "payload")
    evil("payload-two", "base64 with padding inside.", request.replace(encoded, "AA==AA=="), "payload")
    evil("payload-no-break-space", "base64 with a space that is none of XML's.", request.replace(encoded, encoded[:8] + "\xa0" + encoded[8:]), "payload")
    evil("payload-2049", "A request of 2,049 bytes.", element("RecoveryRequest", bytes(2049)), "payload")
    key_of = lambda payload: element("KeyFile", payload)
    evil("key-request", "A key file with a request in it.", key_of(message), "payload")
    evil("key-secret-31", "A secret of 31 bytes.", key_of(cbor([DEVICE_ID, SECRET[:31]])), "payload")
    evil("key-device-15", "A device id of 15 bytes.", key_of(cbor([DEVICE_ID[:15], SECRET])), "payload")
    evil("key-three", "An array of three.", key_of(cbor([DEVICE_ID, SECRET, 0])), "payload")
    evil("key-indefinite", "An array of indefinite length.", key_of(b"\x9f" + cbor(DEVICE_ID) + cbor(SECRET) + b"\xff"), "payload")
    evil("key-trailing", "A byte after the key.", key_of(cbor([DEVICE_ID, SECRET]) + b"\0"), "payload")
    evil("batch-empty", "An empty batch.", batch(""), "batch")
    evil("batch-201", "201 requests.", batch(small * 201), "batch")
    evil("batch-in-batch", "A batch in a batch.", batch(f"<Batch>{small}</Batch>"), "element")
    evil("batch-key", "A key file in a batch.", batch(key), "element")
    evil("batch-one-bad", "A batch is read as a whole or not at all.", batch(request + request.replace(encoded, "AA")), "payload")
