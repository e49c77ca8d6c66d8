"""A camera of each of two vendors, as their published samples answer: `vendors.py ADDRESS [MASK [SERIAL]]`.

Every datagram that arrives on their ports is written to standard output as `PORT HEX`, so that a test sees whatever a search sends.
"""

import json
import socket
import struct
import sys
import threading

SADP = 37020
DHIP = 37810

MATCH = """<?xml version="1.0" encoding="UTF-8" ?>
<ProbeMatch>
<Uuid>{uuid}</Uuid>
<Types>inquiry</Types>
<DeviceDescription>DS-7608NI</DeviceDescription>
<DeviceSN>{serial}</DeviceSN>
<CommandPort>8000</CommandPort>
<HttpPort>80</HttpPort>
<MAC>68-6d-bc-01-02-{last:02x}</MAC>
<IPv4Address>{address}</IPv4Address>
<IPv4SubnetMask>{mask}</IPv4SubnetMask>
<Activated>false</Activated>
<SoftwareVersion>V4.1</SoftwareVersion>
</ProbeMatch>
"""

INFO = {
    "mac": "9c:14:63:01:02:03",
    "method": "client.notifyDevInfo",
    "params": {
        "deviceInfo": {
            "DeviceType": "IPC-HDW",
            "SerialNo": "4E0123456789ABC",
            "Vendor": "Dahua",
            "HttpPort": 80,
            "Init": 166,
            "IPv4Address": {"IPAddress": "192.168.1.108", "SubnetMask": "255.255.255.0", "DhcpEnable": False},
        }
    },
}

lock = threading.Lock()


def listener(port, group, address):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("", port))
    request = socket.inet_aton(group) + socket.inet_aton(address)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
    return sock


def note(port, datagram):
    with lock:
        print(port, datagram.hex(), flush=True)


def sadp(address, mask, serial):
    sock = listener(SADP, "239.255.255.250", address)
    while True:
        datagram, sender = sock.recvfrom(65536)
        if b"<Probe>" not in datagram:
            continue
        note(SADP, datagram)
        uuid = datagram.split(b"<Uuid>")[1].split(b"</Uuid>")[0].decode()
        answer = MATCH.format(uuid=uuid, address=address, mask=mask, serial=serial, last=sum(serial.encode()) % 250).encode()
        # To the group as well as to who asked: devices of another subnet are heard so.
        for to in (sender, ("239.255.255.250", SADP)):
            try:
                sock.sendto(answer, to)
            except OSError:
                pass


def dhip(address, *_):
    sock = listener(DHIP, "239.255.255.251", address)
    text = json.dumps(INFO).encode()
    header = struct.pack("<I4sIIIIII", 32, b"DHIP", 0, 0, len(text), 0, len(text), 0)
    while True:
        datagram, sender = sock.recvfrom(65536)
        note(DHIP, datagram)
        try:
            sock.sendto(header + text, sender)
        except OSError:
            pass


if __name__ == "__main__":
    defaults = ["192.168.1.64", "255.255.255.0", "DS-7608NI0820200101AARR000000001WCVU"]
    told = sys.argv[1:] + defaults[len(sys.argv) - 1:]
    threads = [threading.Thread(target=run, args=told, daemon=True) for run in (sadp, dhip)]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    for thread in threads:
        thread.join()
