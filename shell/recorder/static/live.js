// Live pictures: <video data-live="/api/v1/cameras/1/live?stream=sub">, within [data-tile] that has a [data-said] for how it does.
// They stop when nobody sees them. With data-paused="yes" somebody else has the video (player.js).
const Source = self.ManagedMediaSource ?? self.MediaSource;
const KEPT = 12; // seconds behind the picture
const LATE = 1.2; // seconds behind live that are caught up with
const LONGEST_PAUSE = 8000;

class Live {
  constructor(video) {
    this.video = video;
    this.said = video.closest("[data-tile]")?.querySelector("[data-said]");
    this.pause = 500;
    this.seen = true;
    if ("disableRemotePlayback" in video) video.disableRemotePlayback = true;
    new IntersectionObserver((entries) => {
      this.seen = entries.at(-1).isIntersecting;
      this.look();
    }).observe(video);
    document.addEventListener("visibilitychange", () => this.look());
    new MutationObserver((changes) => {
      if (changes.some(({ attributeName }) => attributeName === "data-quick")) this.close();
      this.look();
    }).observe(video, { attributeFilter: ["data-live", "data-paused", "data-quick"] });
    video.addEventListener("waiting", () => this.follow());
    this.look();
  }

  say(text, trouble) {
    if (!this.said) return;
    if (this.said.textContent !== text) this.said.textContent = text;
    this.said.classList.toggle("warn", !!trouble);
  }

  look() {
    const wanted = this.seen && !document.hidden && this.video.dataset.paused !== "yes";
    if (wanted && !this.socket && !this.timer) this.open();
    if (!wanted) this.close();
  }

  close() {
    clearTimeout(this.timer);
    this.timer = undefined;
    const socket = this.socket;
    this.socket = this.buffer = this.source = this.waiting = undefined;
    socket?.close();
    if (this.video.srcObject) this.video.srcObject = null;
  }

  open() {
    if (this.video.dataset.quick) return this.openQuick();
    if (!Source) return this.say("this browser plays no live pictures", true);
    const address = new URL(this.video.dataset.live, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = (this.socket = new WebSocket(address));
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => {
      if (this.socket !== socket) return;
      if (typeof data === "string") this.told(JSON.parse(data));
      else this.take(data);
    });
    socket.addEventListener("close", () => {
      if (this.socket !== socket) return;
      this.socket = undefined;
      this.say("connecting", true);
      this.timer = setTimeout(() => {
        this.timer = undefined;
        this.look();
      }, this.pause);
      this.pause = Math.min(2 * this.pause, LONGEST_PAUSE);
    });
  }

  // By WebRTC, for the least delay. Where it does not come about, in the usual way.
  async openQuick() {
    const connection = new RTCPeerConnection();
    let place;
    const socket = (this.socket = {
      close() {
        connection.close();
        if (place) fetch(place, { method: "DELETE", keepalive: true }).catch(() => {});
      },
    });
    const give_up = () => {
      if (this.socket !== socket) return;
      delete this.video.dataset.quick;
      this.close();
      this.look();
    };
    connection.addTransceiver("video", { direction: "recvonly" });
    connection.addEventListener("track", ({ streams, track }) => {
      this.video.removeAttribute("src");
      this.video.srcObject = streams[0] ?? new MediaStream([track]);
      this.video.dataset.mode = "quick";
      this.video.play().catch(() => {});
      this.say("live");
    });
    connection.addEventListener("connectionstatechange", () => ["failed", "disconnected"].includes(connection.connectionState) && give_up());
    try {
      await connection.setLocalDescription(await connection.createOffer());
      const address = this.video.dataset.live.replace("/live?", "/whep?");
      const answer = await fetch(address, { method: "POST", headers: { "Content-Type": "application/sdp" }, body: connection.localDescription.sdp });
      if (answer.status !== 201) return give_up();
      place = answer.headers.get("Location");
      await connection.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    } catch (error) {
      console.debug("quick", error);
      give_up();
    }
  }

  told(message) {
    if (message.type === "tracks") this.begin(message);
    else if (message.type === "gone") {
      this.isGone = true;
      this.say("not reached", true);
    }
  }

  begin({ codecs }) {
    this.isGone = false;
    const kind = `video/mp4; codecs="${codecs}"`;
    if (!Source.isTypeSupported(kind)) {
      // Smaller pictures are mostly H.264.
      const small = this.video.dataset.live.replace("stream=main", "stream=sub");
      this.close();
      if (small !== this.video.dataset.live) this.video.dataset.live = small;
      else this.say("this browser does not play H.265", true);
      return;
    }
    const source = (this.source = new Source());
    this.buffer = undefined;
    this.waiting = [];
    source.addEventListener(
      "sourceopen",
      () => {
        if (this.source !== source) return;
        URL.revokeObjectURL(this.video.src);
        const buffer = (this.buffer = source.addSourceBuffer(kind));
        buffer.addEventListener("updateend", () => this.feed());
        this.feed();
      },
      { once: true },
    );
    this.video.src = URL.createObjectURL(source);
    this.video.dataset.mode = "live";
    this.video.play().catch(() => {});
  }

  take(data) {
    if (!this.waiting) return;
    this.waiting.push(data);
    this.feed();
    this.pause = 500;
  }

  feed() {
    const { buffer, video } = this;
    if (!buffer || buffer.updating || this.video.dataset.paused === "yes" || this.source?.readyState !== "open") return;
    try {
      const ranges = buffer.buffered;
      if (ranges.length && video.currentTime - ranges.start(0) > 2 * KEPT) {
        buffer.remove(0, video.currentTime - KEPT);
        return;
      }
      if (!this.waiting.length) return this.follow();
      const all = this.waiting.splice(0);
      buffer.appendBuffer(all.length === 1 ? all[0] : joined(all));
    } catch (error) {
      // A buffer that takes no more, or pictures that cannot be decoded: from the beginning.
      console.debug("live", error);
      this.close();
      this.timer = setTimeout(() => {
        this.timer = undefined;
        this.look();
      }, this.pause);
    }
  }

  // To the newest picture, where it has fallen behind or something is missing.
  follow() {
    const { buffer, video } = this;
    const ranges = buffer?.buffered;
    if (!ranges?.length || video.dataset.paused === "yes") return;
    const end = ranges.end(ranges.length - 1);
    if (end - video.currentTime > LATE || video.currentTime < ranges.start(ranges.length - 1)) video.currentTime = Math.max(ranges.start(ranges.length - 1), end - 0.1);
    if (video.paused) video.play().catch(() => {});
    if (!this.isGone) this.say("live");
  }
}

function joined(parts) {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.byteLength, 0));
  parts.reduce((at, part) => (all.set(new Uint8Array(part), at), at + part.byteLength), 0);
  return all;
}

for (const video of document.querySelectorAll("video[data-live]")) new Live(video);
