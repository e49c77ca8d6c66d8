"""A camera that speaks ONVIF: it is found by WS-Discovery, tells its users to who knows one's password, and takes a new one.

usage: camera.py ADDRESS SERIAL PASSWORD [--tls CERTIFICATE KEY] [--ask] [--stubborn | --forgetful | --lost]

Its user is admin. Who calls is told by WS-Security's digest or, with --ask, by RFC 7616's alone. Stubborn: it refuses every new password.
Forgetful: it says yes and changes nothing. Lost: it changes and does not answer. Each change is a line `PASSWORD`, and every body that came a line
`body TEXT`.
"""

import base64
import datetime
import hashlib
import http.server
import re
import ssl
import sys
import threading
import time
import xml.etree.ElementTree

from wsdiscovery import QName, Scope
from wsdiscovery.publishing import ThreadedWSPublishing

address, serial, password = sys.argv[1:4]
flags = sys.argv[4:]
ENVELOPE = (
    '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" '
    'xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:ter="http://www.onvif.org/ver10/error"><SOAP-ENV:Body>%s</SOAP-ENV:Body></SOAP-ENV:Envelope>'
)
FAULT = (
    "<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value><SOAP-ENV:Subcode><SOAP-ENV:Value>ter:%s</SOAP-ENV:Value>"
    '</SOAP-ENV:Subcode></SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text xml:lang="en">%s</SOAP-ENV:Text></SOAP-ENV:Reason></SOAP-ENV:Fault>'
)
nonces = set()


def text(tree, name):
    found = [node.text or "" for node in tree.iter() if node.tag.rsplit("}", 1)[-1] == name]
    return found[0] if found else None


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


class Camera(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        global password
        sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
        print("body", sent.replace("\n", " "), flush=True)
        tree = xml.etree.ElementTree.fromstring(sent)
        body = next(node for node in tree if node.tag.endswith("}Body"))
        call = body[0].tag.rsplit("}", 1)[-1]
        if call == "GetSystemDateAndTime":
            now = time.gmtime()
            return self.say(200, "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>"
                            "<tt:DaylightSavings>false</tt:DaylightSavings><tt:UTCDateTime><tt:Time>"
                            f"<tt:Hour>{now.tm_hour}</tt:Hour><tt:Minute>{now.tm_min}</tt:Minute><tt:Second>{now.tm_sec}</tt:Second></tt:Time>"
                            f"<tt:Date><tt:Year>{now.tm_year}</tt:Year><tt:Month>{now.tm_mon}</tt:Month><tt:Day>{now.tm_mday}</tt:Day></tt:Date>"
                            "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>")
        if "--ask" in flags and not self.knows():
            challenge = 'Digest realm="cam", qop="auth", nonce="0a1b2c", algorithm=MD5'
            return self.say(401, FAULT % ("NotAuthorized", "who are you"), [("WWW-Authenticate", 'Basic realm="cam"'), ("WWW-Authenticate", challenge)])
        if "--ask" not in flags and not self.signed(tree):
            return self.say(400, FAULT % ("NotAuthorized", "Sender not Authorized"))
        if call == "GetUsers":
            return self.say(200, "<tds:GetUsersResponse><tds:User><tt:Username>viewer</tt:Username><tt:UserLevel>User</tt:UserLevel></tds:User>"
                            "<tds:User><tt:Username>admin</tt:Username><tt:UserLevel>Administrator</tt:UserLevel></tds:User></tds:GetUsersResponse>")
        if call == "GetCapabilities":
            return self.say(200, f"<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Device><tt:XAddr>https://{address}/onvif/device_service</tt:XAddr>"
                            "</tt:Device></tds:Capabilities></tds:GetCapabilitiesResponse>")
        if call != "SetUser" or text(body, "UserLevel") != "Administrator":
            return self.say(400, FAULT % ("InvalidArgs", "what is that"))
        if "--stubborn" in flags:
            return self.say(400, FAULT % ("PasswordTooWeak", "The password is too weak"))
        if "--forgetful" not in flags:
            password = text(body, "Password")
            print(password, flush=True)
        if "--lost" in flags:
            self.close_connection = True
            return None
        return self.say(200, "<tds:SetUserResponse/>")

    def signed(self, tree):
        """WS-Security UsernameToken Profile 1.1: the time is the camera's, and no nonce counts twice."""
        token = next((node for node in tree.iter() if node.tag.endswith("}UsernameToken")), None)
        if token is None:
            return False
        name, given, nonce, created = (text(token, part) for part in ("Username", "Password", "Nonce", "Created"))
        if nonce in nonces:
            return False
        nonces.add(nonce)
        age = abs(time.time() - datetime.datetime.fromisoformat(created.replace("Z", "+00:00")).timestamp())
        digest = hashlib.sha1(base64.b64decode(nonce) + created.encode() + password.encode()).digest()
        return name == "admin" and age < 10 and base64.b64decode(given) == digest

    def knows(self):
        """RFC 7616 with MD5 and qop auth."""
        told = self.headers.get("Authorization", "")
        part = dict(re.findall(r'(\w+)="?([^",]*)"?', told))
        if not told.startswith("Digest ") or part.get("username") != "admin":
            return False
        first, second = md5(f"admin:cam:{password}"), md5(f"POST:{part['uri']}")
        return part["response"] == md5(f"{first}:{part['nonce']}:{part['nc']}:{part['cnonce']}:auth:{second}")

    def say(self, status, body, headers=()):
        body = (ENVELOPE % body).encode()
        self.send_response(status)
        for name, value in [("Content-Type", "application/soap+xml; charset=utf-8"), ("Content-Length", str(len(body))), *headers]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    tls = "--tls" in flags
    server = http.server.ThreadingHTTPServer((address, 443 if tls else 80), Camera)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*flags[flags.index("--tls") + 1:][:2])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    publisher = ThreadedWSPublishing()
    publisher.start()
    scopes = ["hardware/Cam-7", "name/Acme%20Cam-7", f"SerialNumber/{serial}"]
    publisher.publishService(
        types=[QName("http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter")],
        scopes=[Scope(f"onvif://www.onvif.org/{scope}") for scope in scopes],
        xAddrs=[f"{'https' if tls else 'http'}://{address}/onvif/device_service"],
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()
