"""How long python zeroconf takes: `find_zeroconf.py COUNT SECONDS`. Prints what `time_to_find` prints, as far as it can tell."""

import json
import os
import sys
import threading
import time

from zeroconf import IPVersion, ServiceBrowser, ServiceInfo, Zeroconf

TYPE = "_sparekey._tcp.local."

count, seconds = int(sys.argv[1]), float(sys.argv[2])
times, lock, done = {}, threading.Lock(), threading.Event()
began = time.monotonic()


def found(zeroconf, service_type, name, state_change):
    info = ServiceInfo(service_type, name)
    # What is in its memory, as a program that resolves each would; it asks itself for what is missing.
    if not info.load_from_cache(zeroconf) and not info.request(zeroconf, 3000):
        return
    with lock:
        times.setdefault(name, round(1000 * (time.monotonic() - began)))
        if len(times) >= count:
            done.set()


zeroconf = Zeroconf(ip_version=IPVersion.All)
ServiceBrowser(zeroconf, TYPE, handlers=[found])
done.wait(seconds)
with lock:
    all_times = sorted(times.values())


def at(part):
    index = -(-count * part // 100) - 1
    return all_times[index] if index < len(all_times) else None


print(json.dumps({"found": len(all_times), "of": count, "t50": at(50), "t95": at(95), "t100": at(100)}), flush=True)
# Its threads would go on for a while.
os._exit(0)
