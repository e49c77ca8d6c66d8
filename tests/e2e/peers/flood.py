"""One host that claims to be ever new devices, in multicast DNS answers without end: `flood.py COUNT`."""

import socket
import struct
import sys


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def record(owner, kind, ttl, data):
    return owner + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


def answer(number):
    service = name("_sparekey._tcp.local")
    label = f"NVR {number:06}".encode()
    instance = bytes([len(label)]) + label + service
    strings = [b"v=1", b"sn=FLOOD-%06d" % number, b"id=%032x" % number]
    txt = b"".join(bytes([len(string)]) + string for string in strings)
    host = name(f"h{number}.local")
    records = [
        record(service, 12, 4500, instance),
        record(instance, 33, 120, struct.pack("!HHH", 0, 0, 1) + host),
        record(instance, 16, 4500, txt),
        record(host, 1, 120, bytes([192, 168, 1, 66])),
    ]
    return struct.pack("!HHHHHH", 0, 0x8400, 0, len(records), 0, 0) + b"".join(records)


if __name__ == "__main__":
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(sys.argv[2]))
    sock.bind(("", 5353))
    print("ready", flush=True)
    number = 0
    while number < int(sys.argv[1]):
        sock.sendto(answer(number), ("224.0.0.251", 5353))
        number += 1
    print("done", flush=True)
