"""What onvif-zeep gets out of a device: `onvif_client.py ADDRESS PORT [USER PASSWORD]`. One JSON object; `refused` is what it says to a call
that is not for everybody. With a user, the names of its users and nothing else."""

import json
import pathlib
import sys

import onvif
import requests
import urllib3
from zeep.transports import Transport

urllib3.disable_warnings()
address, port, user, password = [*sys.argv[1:], "", ""][:4]
session = requests.Session()
session.trust_env = False  # or the variables of the system would count more than the next line
session.verify = False  # who the device is, its own proof tells, which other programs do not know
wsdl = pathlib.Path(onvif.__file__).parent.parent / "wsdl"
camera = onvif.ONVIFCamera(f"https://{address}", port, user, password, str(wsdl), transport=Transport(session=session))
device = camera.devicemgmt
if user == "viewer":
    media = camera.create_media_service()
    profiles = media.GetProfiles()
    setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
    uris = [media.GetStreamUri({"StreamSetup": setup, "ProfileToken": profile.token}).Uri for profile in profiles]
    print(json.dumps({
        "serial": device.GetDeviceInformation().SerialNumber, "names": [profile.Name for profile in profiles], "uris": uris,
        "width": [profile.VideoEncoderConfiguration.Resolution.Width for profile in profiles],
    }))
    sys.exit()
if user:
    print(json.dumps({"users": [known.Username for known in device.GetUsers()]}))
    sys.exit()
time = device.GetSystemDateAndTime().UTCDateTime
services = device.GetServices({"IncludeCapability": True})
try:
    refused = str(device.GetDeviceInformation())
except onvif.ONVIFError as error:
    refused = str(error)
print(json.dumps({
    "year": time.Date.Year,
    "services": [[service.Namespace, service.XAddr] for service in services],
    "bye": device.GetServiceCapabilities().System.DiscoveryBye,
    "endpoint": device.GetEndpointReference().GUID,
    "refused": refused,
}))
