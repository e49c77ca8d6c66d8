"""A device of another vendor that answers to searches in one dialect, and to nothing else: `device.py ADDRESS sadp|dahua|onvif JSON`.

The JSON has its fields as they are to stand in the answer: elements of a ProbeMatch, members of a deviceInfo, scopes of ONVIF. Every datagram that
arrives is written to standard output as `PORT HEX`.
"""

import json
import re
import socket
import struct
import sys
from urllib.parse import quote
from xml.sax.saxutils import escape

PORTS = {"sadp": (37020, "239.255.255.250"), "dahua": (37810, "239.255.255.251"), "onvif": (3702, "239.255.255.250")}
ONVIF = """<?xml version="1.0" encoding="UTF-8"?>
<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header>
<w:MessageID>uuid:0a0b0c0d-0000-1000-8000-%s</w:MessageID><w:RelatesTo>%s</w:RelatesTo>
<w:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</w:To>
<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</w:Action></e:Header><e:Body><d:ProbeMatches><d:ProbeMatch>
<w:EndpointReference><w:Address>urn:uuid:0a0b0c0d-0000-1000-8000-%s</w:Address></w:EndpointReference>
<d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>%s</d:Scopes><d:XAddrs>http://%s/onvif/device_service</d:XAddrs>
<d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>"""


def sadp(asked, address, fields):
    number = re.search(rb"<Uuid>([^<]*)</Uuid>", asked)
    if b"<Probe>" not in asked or not number:
        return None
    fields = {"Uuid": number[1].decode(), "Types": "inquiry", "IPv4Address": address, "IPv4SubnetMask": "255.255.255.0", **fields}
    elements = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    return f'<?xml version="1.0" encoding="UTF-8" ?><ProbeMatch>{elements}</ProbeMatch>'.encode()


def dahua(_, address, fields):
    place = {"IPAddress": address, "SubnetMask": "255.255.255.0"}
    info = {"method": "client.notifyDevInfo", "params": {"deviceInfo": {"IPv4Address": place, **fields}}}
    text = json.dumps(info, ensure_ascii=False).encode()
    return struct.pack("<I4sIIIIII", 32, b"DHIP", 0, 0, len(text), 0, len(text), 0) + text


def onvif(asked, address, fields):
    number = re.search(rb"MessageID[^>]*>\s*([^<\s]*)", asked)
    if b"ProbeMatch" in asked or not number:
        return None
    own = "".join(f"{int(part):03}" for part in address.split("."))
    scopes = " ".join(f"onvif://www.onvif.org/{name}/{quote(value)}" for name, value in fields.items())
    return (ONVIF % (own, number[1].decode(), own, scopes, address)).encode()


if __name__ == "__main__":
    address, dialect, fields = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    port, group = PORTS[dialect]
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("", port))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(address))
    print("ready", flush=True)
    while True:
        asked, sender = sock.recvfrom(65536)
        print(port, asked.hex(), flush=True)
        answer = {"sadp": sadp, "dahua": dahua, "onvif": onvif}[dialect](asked, address, fields)
        if answer:
            sock.sendto(answer, sender)
