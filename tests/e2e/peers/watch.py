"""What python zeroconf sees of `_sparekey._tcp`: one JSON object a line, `{"event", "name", "txt", "addresses", "port"}`."""

import json
import threading

from zeroconf import IPVersion, ServiceBrowser, ServiceStateChange, Zeroconf

TYPE = "_sparekey._tcp.local."


def told(zeroconf, service_type, name, state_change):
    event = {ServiceStateChange.Added: "added", ServiceStateChange.Updated: "updated", ServiceStateChange.Removed: "removed"}
    line = {"event": event[state_change], "name": name}
    if state_change is not ServiceStateChange.Removed:
        info = zeroconf.get_service_info(service_type, name, timeout=3000)
        if info is None:
            return
        line["txt"] = {k.decode(): (v or b"").decode() for k, v in info.properties.items()}
        line["addresses"] = info.parsed_scoped_addresses(IPVersion.All)
        line["port"] = info.port
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    zeroconf = Zeroconf(ip_version=IPVersion.All)
    ServiceBrowser(zeroconf, TYPE, handlers=[told])
    print(json.dumps({"event": "ready"}), flush=True)
    threading.Event().wait()
