#!/usr/bin/env python3
"""Cameras: `rtsp_camera.py PORT COUNT CLIP.mp4 [--audio] [--digest]` serves rtsp://127.0.0.1:PORT/cam0 and on, each the clip over and over.

The RTSP server is GStreamer's. Access units are cut out of the clip once; times rise without a jump, so that a loop cannot be seen.
With --digest only admin / s3cret comes in, by a digest.
"""

import json
import subprocess
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
gi.require_version("GstRtsp", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

port, count, clip = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with_audio, with_digest = "--audio" in sys.argv, "--digest" in sys.argv
Gst.init(None)


def run(*args):
    return subprocess.check_output([args[0], "-v", "error", *args[1:]])


def cut(stream, mark):
    """Access units begin with a delimiter."""
    places, at = [], stream.find(mark)
    while at >= 0:
        places.append(at)
        at = stream.find(mark, at + 4)
    return [stream[begin:end] for begin, end in zip(places, places[1:] + [len(stream)])]


probed = json.loads(run("ffprobe", "-select_streams", "v:0", "-show_entries", "stream=codec_name,r_frame_rate", "-of", "json", clip))
codec = probed["streams"][0]["codec_name"]
numerator, denominator = map(int, probed["streams"][0]["r_frame_rate"].split("/"))
filters = {"h264": "h264_mp4toannexb,h264_metadata=aud=insert", "hevc": "hevc_mp4toannexb,hevc_metadata=aud=insert"}[codec]
raw = run("ffmpeg", "-i", clip, "-map", "0:v:0", "-c", "copy", "-bsf", filters, "-f", codec, "-")
pictures = cut(raw, b"\x00\x00\x00\x01\x09" if codec == "h264" else b"\x00\x00\x00\x01\x46")
picture_time = Gst.SECOND * denominator // numerator
sounds, sound_time = [], 0
if with_audio:
    adts = run("ffmpeg", "-i", clip, "-map", "0:a:0", "-c", "copy", "-f", "adts", "-")
    at = 0
    while at + 7 <= len(adts):
        length = ((adts[at + 3] & 3) << 11) | (adts[at + 4] << 3) | (adts[at + 5] >> 5)
        sounds.append(adts[at:at + length])
        at += length
    rates = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000]
    sound_time = Gst.SECOND * 1024 // rates[(adts[2] >> 2) & 15]


class Camera(GstRtspServer.RTSPMediaFactory):
    def __init__(self):
        super().__init__()
        self.set_shared(True)
        self.set_latency(0)

    def do_create_element(self, url):
        name = {"h264": "h264", "hevc": "h265"}[codec]
        caps = f"video/x-{name},stream-format=byte-stream,alignment=au,framerate={numerator}/{denominator}"
        line = f'( appsrc name=v is-live=true format=time block=false max-bytes=2000000 caps="{caps}"'
        line += f" ! {name}parse config-interval=-1 ! rtp{name}pay name=pay0 pt=96"
        if with_audio:
            line += ' appsrc name=a is-live=true format=time max-bytes=20000 caps="audio/mpeg,mpegversion=4,stream-format=adts"'
            line += " ! aacparse ! rtpmp4gpay name=pay1 pt=97"
        return Gst.parse_launch(line + " )")

    def feed(self, media):
        element = media.get_element()

        def source(name, frames, duration):
            state = [0]

            def push(appsrc, _):
                number = state[0]
                buffer = Gst.Buffer.new_wrapped(frames[number % len(frames)])
                buffer.pts = buffer.dts = number * duration
                buffer.duration = duration
                state[0] = number + 1
                appsrc.emit("push-buffer", buffer)

            element.get_by_name_recurse_up(name).connect("need-data", push)

        source("v", pictures, picture_time)
        if with_audio:
            source("a", sounds, sound_time)


server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(port)
if with_digest:
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    auth.set_realm("camera")
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "admin")
    auth.add_digest("admin", "s3cret", token)
    server.set_auth(auth)
cameras = []
for number in range(count):
    camera = Camera()
    camera.connect("media-configure", lambda camera, media: camera.feed(media))
    if with_digest:
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("admin", "media.factory.access", True)
        permissions.add_permission_for_role("admin", "media.factory.construct", True)
        camera.set_permissions(permissions)
    server.get_mount_points().add_factory(f"/cam{number}", camera)
    cameras.append(camera)
server.attach(None)
print("listening", port, flush=True)
GLib.MainLoop().run()
