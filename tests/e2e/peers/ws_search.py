"""What a search with the module WSDiscovery finds: one JSON object a device, `{"endpoint", "addresses", "scopes"}`."""

import json

from wsdiscovery import QName
from wsdiscovery.discovery import ThreadedWSDiscovery

if __name__ == "__main__":
    search = ThreadedWSDiscovery()
    search.start()
    transmitter = QName("http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter")
    for service in search.searchServices(types=[transmitter], timeout=3):
        scopes = [scope.getValue() for scope in service.getScopes()]
        print(json.dumps({"endpoint": service.getEPR(), "addresses": service.getXAddrs(), "scopes": scopes}), flush=True)
    search.stop()
