"""Publishes a service with python zeroconf and an ONVIF device with WSDiscovery: `publish.py ADDRESS`."""

import socket
import sys
import threading

from wsdiscovery import QName, Scope
from wsdiscovery.publishing import ThreadedWSPublishing
from zeroconf import IPVersion, ServiceInfo, Zeroconf

if __name__ == "__main__":
    address = sys.argv[1]
    properties = {"v": "1", "sn": "PEER-000001", "md": "Peer", "fw": "2.0", "st": "active", "rm": "email,desk", "id": "0f" * 16, "up": "1790000000"}
    info = ServiceInfo(
        "_sparekey._tcp.local.",
        "Peer 000001._sparekey._tcp.local.",
        addresses=[socket.inet_aton(address)],
        port=8444,
        properties=properties,
        server="peer.local.",
    )
    zeroconf = Zeroconf(ip_version=IPVersion.V4Only)
    zeroconf.register_service(info)
    publisher = ThreadedWSPublishing()
    publisher.start()
    scopes = ["onvif://www.onvif.org/hardware/Cam-7", "onvif://www.onvif.org/name/Acme%20Cam-7", "onvif://www.onvif.org/MacAddress/02%3A00%3A00%3A00%3A00%3A07"]
    publisher.publishService(
        types=[QName("http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter")],
        scopes=[Scope(scope) for scope in scopes],
        xAddrs=[f"http://{address}/onvif/device_service"],
    )
    print("ready", flush=True)
    threading.Event().wait()
