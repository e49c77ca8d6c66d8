"""Somebody between a LAN tool and a device: takes TLS with a certificate of its own, relays to the device, writes down what it reads.

between.py PORT DEVICE-PORT CERTIFICATE KEY RECORD
"""
import socket
import ssl
import sys
import threading

port, device, certificate, key, record = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:6]
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain(certificate, key)
client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
client.check_hostname = False
client.verify_mode = ssl.CERT_NONE


def relay(caller):
    with server.wrap_socket(caller, server_side=True) as near:
        plain = socket.create_connection(("127.0.0.1", device))
        with client.wrap_socket(plain) as far:
            request = near.recv(65536)
            with open(record, "ab") as out:
                out.write(request)
            far.sendall(request)
            while part := far.recv(65536):
                near.sendall(part)


def guarded(caller):
    try:
        relay(caller)
    except (OSError, ssl.SSLError):
        pass


with socket.create_server(("127.0.0.1", port)) as listening:
    print("ready", flush=True)
    while True:
        threading.Thread(target=guarded, args=(listening.accept()[0],), daemon=True).start()
