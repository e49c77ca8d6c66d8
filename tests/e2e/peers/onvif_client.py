"""What onvif-zeep gets out of a device: `onvif_client.py ADDRESS PORT`. One JSON object; `refused` is what it says to a call that is not for everybody."""

import json
import pathlib
import sys

import onvif
import requests
import urllib3
from zeep.transports import Transport

urllib3.disable_warnings()
address, port = sys.argv[1:]
session = requests.Session()
session.verify = False  # who the device is, its own proof tells, which other people's programs do not know
wsdl = pathlib.Path(onvif.__file__).parent.parent / "wsdl"
camera = onvif.ONVIFCamera(f"https://{address}", port, "", "", str(wsdl), transport=Transport(session=session))
device = camera.devicemgmt
time = device.GetSystemDateAndTime().UTCDateTime
services = device.GetServices({"IncludeCapability": True})
try:
    refused = str(device.GetDeviceInformation())
except onvif.ONVIFError as error:
    refused = str(error)
print(json.dumps({
    "year": time.Date.Year,
    "device": camera.xaddrs["http://www.onvif.org/ver10/device/wsdl"],
    "services": [[service.Namespace, service.XAddr] for service in services],
    "bye": device.GetServiceCapabilities().System.DiscoveryBye,
    "endpoint": device.GetEndpointReference().GUID,
    "refused": refused,
}))
