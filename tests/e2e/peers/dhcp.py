"""A DHCP server (RFC 2131) that lends one address to everybody: `dhcp.py INTERFACE OWN LENT MASK GATEWAY RESOLVER`.

Each address that it lent is a line `lent HARDWARE-ADDRESS`.
"""

import socket
import struct
import sys

interface, own, lent, mask, gateway, resolver = sys.argv[1:]
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
sock.bind(("", 67))


def options(packet):
    at, found = 240, {}
    while at < len(packet) and packet[at] != 255:
        if packet[at] == 0:
            at += 1
            continue
        length = packet[at + 1]
        found[packet[at]] = packet[at + 2:at + 2 + length]
        at += 2 + length
    return found


def option(number, value):
    return bytes([number, len(value)]) + value


print("ready", flush=True)
while True:
    packet = sock.recv(2048)
    if len(packet) < 240 or packet[0] != 1:
        continue
    kind = options(packet).get(53, b"\0")[0]
    if kind not in (1, 3):
        continue
    answer = {1: 2, 3: 5}[kind]  # DISCOVER: OFFER; REQUEST: ACK
    head = struct.pack("!4B4sHH4s4s4s4s", 2, 1, 6, 0, packet[4:8], 0, 0x8000, bytes(4), socket.inet_aton(lent), socket.inet_aton(own), bytes(4))
    text = head + packet[28:44] + bytes(192) + bytes([99, 130, 83, 99])
    text += option(53, bytes([answer])) + option(54, socket.inet_aton(own)) + option(51, struct.pack("!I", 3600))
    text += option(1, socket.inet_aton(mask)) + option(3, socket.inet_aton(gateway)) + option(6, socket.inet_aton(resolver)) + b"\xff"
    sock.sendto(text, ("255.255.255.255", 68))
    if answer == 5:
        print("lent", packet[28:34].hex(":"), flush=True)
