// Live and recorded pictures of one camera or several in step, on one timeline: [data-player] with video[data-camera].
//
// A moment is milliseconds since 1970. A file that was recorded lies on a video's own time where its span lies: `zero` is the moment of
// the video's time 0. What is near the moment is fetched by ranges and put together by the browser; nothing is encoded for it.
const Source = self.ManagedMediaSource ?? self.MediaSource;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const AHEAD = 20; // seconds of pictures that are fetched ahead, times the speed
const BEHIND = 30; // seconds that are kept
const WINDOW = 120_000; // milliseconds whose fragments are asked for at a time
const APART = 0.15; // seconds that videos may be out of step
const PICTURE = 1 / 25;
const json = async (url, options) => {
  const answer = await fetch(url, { cache: "no-store", ...options });
  if (!answer.ok) throw Object.assign(new Error(url), { status: answer.status });
  return answer.status === 204 ? undefined : answer.json();
};

// One video with what it plays.
class Track {
  constructor(video, now) {
    this.video = video;
    this.now = now;
    this.camera = video.dataset.camera;
    this.recorded = [];
    this.locks = [];
  }

  // Shows a moment; resolves when its picture is there.
  async show(moment, rate) {
    const turn = (this.turn = {});
    this.video.dataset.paused = "yes";
    this.video.dataset.mode = "recorded";
    this.said("recorded");
    const at = this.zero === undefined ? undefined : (moment - this.zero) / 1000;
    if (at !== undefined && this.has(at)) {
      this.video.currentTime = this.target = at;
      this.placed = true;
      return this.fetch(rate);
    }
    const files = await this.files(moment, moment + WINDOW);
    if (this.turn !== turn) return;
    this.empty = !files.length;
    if (this.empty) return;
    await this.open(files, Math.min(moment, files[0].from));
    if (this.turn !== turn) return;
    this.target = Math.max(0, (Math.max(moment, files[0].from) - this.zero) / 1000);
    this.placed = false;
    await this.fetch(rate);
  }

  said(text) {
    const said = this.video.closest("[data-tile]")?.querySelector("[data-said]");
    if (said) said.textContent = text;
    said?.classList.remove("warn");
  }

  async files(from, to) {
    const { files } = await json(`/api/v1/cameras/${this.camera}/fragments?from=${Math.round(from)}&to=${Math.round(to)}`);
    return files;
  }

  // A new source, whose time 0 is a little before a moment: a group of pictures begins before what is wanted of it.
  async open(files, moment) {
    this.zero = moment - 60_000;
    this.kind = files[0].codecs;
    this.queue = [];
    this.taken = new Set();
    this.known = 0;
    this.last = undefined;
    this.buffer = undefined;
    const source = (this.source = new Source());
    this.video.src = URL.createObjectURL(source);
    await new Promise((done) => source.addEventListener("sourceopen", done, { once: true }));
    URL.revokeObjectURL(this.video.src);
    if (this.source !== source) return;
    const kind = `video/mp4; codecs="${this.kind}"`;
    if (!Source.isTypeSupported(kind)) throw Object.assign(new Error(kind), { status: "codec" });
    this.buffer = source.addSourceBuffer(kind);
    this.take(files);
    this.known = Math.min(moment + WINDOW, this.now() - 2_000);
  }

  take(files) {
    for (const file of files)
      for (const [begins, ticks, offset, length] of file.fragments) {
        const name = `${file.url}@${offset}`;
        if (this.taken.has(name)) continue;
        this.taken.add(name);
        const at = (file.from - this.zero) / 1000 + begins / 90_000;
        this.queue.push({ file, offset, length, at, end: at + ticks / 90_000 });
      }
    this.queue.sort((one, other) => one.at - other.at);
  }

  has(at) {
    const ranges = this.buffer?.buffered;
    for (let n = 0; ranges && n < ranges.length; n++) if (ranges.start(n) <= at && at < ranges.end(n) - 0.05) return true;
    return false;
  }

  moment() {
    return this.zero === undefined ? undefined : this.zero + this.at() * 1000;
  }

  at() {
    return this.placed ? this.video.currentTime : this.target;
  }

  // To where it is to be: no video goes where it has nothing yet.
  place() {
    if (this.placed || !this.buffer.buffered.length) return;
    this.placed = true;
    this.video.currentTime = Math.max(this.target, this.buffer.buffered.start(0));
  }

  // Fetches what comes next until enough is there.
  async fetch(rate = 1) {
    const source = this.source;
    if (!this.buffer || this.fetching === source) return;
    this.fetching = source;
    try {
      for (;;) {
        const now = this.at();
        const enough = now + AHEAD * Math.max(1, Math.abs(rate));
        if (this.zero + enough * 1000 > this.known) {
          const files = this.known < this.now() - 1_000 ? await this.files(this.known, this.known + WINDOW) : [];
          if (this.source !== source) return;
          this.take(files);
          // The present is not over: what it will have is asked for again.
          this.known = Math.min(this.known + WINDOW, Math.max(this.known, this.now() - 2_000));
        }
        const next = this.queue[0];
        if (!next || next.at > enough) return;
        // One request for neighbours in a file.
        const run = [next];
        while (run.length < 4 && this.queue[run.length]?.file.url === next.file.url && this.queue[run.length].offset === run.at(-1).offset + run.at(-1).length) run.push(this.queue[run.length]);
        this.queue.splice(0, run.length);
        const from = next.offset;
        const to = run.at(-1).offset + run.at(-1).length - 1;
        if (this.last !== next.file.url) {
          if (next.file.codecs !== this.kind) await this.append(undefined, next.file);
          await this.append(await this.bytes(next.file.url, 0, next.file.init - 1), next.file);
          if (this.source !== source) return;
          this.last = next.file.url;
        }
        const bytes = await this.bytes(next.file.url, from, to);
        if (this.source !== source) return;
        await this.append(bytes, next.file);
        this.place();
        await this.forget(now);
      }
    } finally {
      if (this.fetching === source) this.fetching = undefined;
    }
  }

  async bytes(url, from, to) {
    const answer = await fetch(url, { headers: { Range: `bytes=${from}-${to}` }, cache: "no-store" });
    if (!answer.ok) throw Object.assign(new Error(url), { status: answer.status });
    return answer.arrayBuffer();
  }

  append(bytes, file) {
    const { buffer } = this;
    if (!bytes) {
      this.kind = file.codecs;
      buffer.changeType(`video/mp4; codecs="${file.codecs}"`);
      return undefined;
    }
    buffer.timestampOffset = (file.from - this.zero) / 1000;
    return this.updated(() => buffer.appendBuffer(bytes));
  }

  async forget(now) {
    const ranges = this.buffer.buffered;
    if (ranges.length && now - ranges.start(0) > 2 * BEHIND) await this.updated(() => this.buffer.remove(0, now - BEHIND));
  }

  updated(act) {
    const { buffer } = this;
    return new Promise((done) => {
      buffer.addEventListener("updateend", done, { once: true });
      act();
    });
  }

  // Over a gap in what was recorded.
  skip() {
    const ranges = this.buffer?.buffered;
    const now = this.video.currentTime;
    for (let n = 0; ranges && n < ranges.length; n++)
      if (ranges.start(n) > now && ranges.start(n) - now < 600) {
        this.video.currentTime = ranges.start(n) + 0.01;
        return;
      }
  }

  live() {
    this.turn = undefined;
    this.source = this.buffer = undefined;
    this.zero = undefined;
    this.video.playbackRate = 1;
    this.video.dataset.paused = "no";
  }
}

class Player {
  constructor(root) {
    this.root = root;
    this.tracks = [...root.querySelectorAll("video[data-camera]")].map((video) => new Track(video, () => this.now()));
    this.canvas = root.querySelector("canvas");
    this.slider = root.querySelector("[data-timeline]");
    this.clock = root.querySelector("[data-clock]");
    this.note = root.querySelector("[data-note]");
    this.day = root.querySelector("[data-day]");
    this.speed = 1;
    this.playing = true;
    this.isLive = true;
    this.offset = 0; // the recorder's clock, against this browser's
    this.view = { from: this.now() - 4 * HOUR, to: this.now() + 10 * 60_000 };
    for (const part of root.querySelectorAll("[data-controls], [data-timeline]")) part.hidden = false;
    this.listen();
    this.refresh();
    setInterval(() => this.tick(), 200);
    setInterval(() => document.hidden || this.refresh(), 5_000);
    new ResizeObserver(() => this.draw()).observe(this.slider);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  now() {
    return Date.now() + this.offset;
  }

  moment() {
    if (this.isLive) return this.now();
    const first = this.tracks.find((track) => track.zero !== undefined && !track.empty);
    return this.sought ?? first?.moment() ?? this.wanted;
  }

  do(what) {
    const acts = {
      play: () => this.toggle(),
      live: () => this.live(),
      quick: () => this.quick(),
      step: () => this.step(1),
      "step-back": () => this.step(-1),
      back: () => this.backwards(),
      "mark-in": () => this.mark(this.moment(), undefined),
      "mark-out": () => this.mark(this.clip?.from, this.moment()),
      lock: () => this.lock(),
      send: () => this.send(),
      in: () => this.zoom(0.5, this.moment()),
      out: () => this.zoom(2, this.moment()),
      "day-before": () => this.pan(-DAY),
      "day-after": () => this.pan(DAY),
    };
    acts[what]?.();
  }

  listen() {
    this.root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button) this.do(button.dataset.do);
    });
    this.root.querySelector("[data-speed]").addEventListener("change", (event) => this.run(Number(event.target.value)));
    this.day.addEventListener("change", () => {
      const begin = new Date(`${this.day.value}T00:00:00`).getTime();
      if (Number.isFinite(begin)) this.look(begin, begin + DAY);
    });
    document.addEventListener("keydown", (event) => {
      if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === " " && event.target.closest("button, a, summary")) return;
      const far = event.shiftKey ? 60_000 : 10_000;
      const keys = {
        " ": () => this.toggle(), k: () => this.toggle(), l: () => this.live(), j: () => this.backwards(),
        ",": () => this.step(-1), ".": () => this.step(1), i: () => this.do("mark-in"), o: () => this.do("mark-out"),
        ArrowLeft: () => this.seek(this.moment() - far), ArrowRight: () => this.seek(this.moment() + far),
        "+": () => this.do("in"), "=": () => this.do("in"), "-": () => this.do("out"),
        Home: () => this.seek(this.view.from), End: () => this.live(),
      };
      const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (!act) return;
      event.preventDefault();
      act();
    });
    this.pointers();
    for (const { video } of this.tracks) {
      video.addEventListener("waiting", () => this.isLive || setTimeout(() => this.fill(), 50));
      video.addEventListener("seeked", () => this.tick());
    }
  }

  // A tap or a drag seeks; two fingers, a wheel, or a drag with Shift move and zoom.
  pointers() {
    const down = new Map();
    let spread;
    const at = (event) => {
      const box = this.slider.getBoundingClientRect();
      return this.view.from + ((event.clientX - box.left) / box.width) * (this.view.to - this.view.from);
    };
    this.slider.addEventListener("pointerdown", (event) => {
      this.slider.setPointerCapture(event.pointerId);
      down.set(event.pointerId, event);
      if (down.size === 1 && !event.shiftKey) this.scrub(at(event));
      event.preventDefault();
      this.slider.focus({ preventScroll: true });
    });
    this.slider.addEventListener("pointermove", (event) => {
      const before = down.get(event.pointerId);
      if (!before) return;
      const width = this.view.to - this.view.from;
      if (down.size === 2) {
        const others = [...down.values()].filter((other) => other.pointerId !== event.pointerId);
        const wide = Math.abs(event.clientX - others[0].clientX);
        if (spread) this.zoom(Math.min(2, Math.max(0.5, spread / Math.max(1, wide))), at({ clientX: (event.clientX + others[0].clientX) / 2 }));
        spread = wide;
      } else if (event.shiftKey) this.pan(((before.clientX - event.clientX) / this.slider.clientWidth) * width);
      else this.scrub(at(event));
      down.set(event.pointerId, event);
    });
    const up = (event) => {
      if (!down.delete(event.pointerId)) return;
      spread = undefined;
    };
    this.slider.addEventListener("pointerup", up);
    this.slider.addEventListener("pointercancel", up);
    this.slider.addEventListener("wheel", (event) => {
      event.preventDefault();
      const width = this.view.to - this.view.from;
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan((event.deltaX / this.slider.clientWidth) * width);
      else this.zoom(event.deltaY > 0 ? 1.25 : 0.8, at(event));
    }, { passive: false });
  }

  // The last place of a drag; those between are left out while one is on its way.
  scrub(moment) {
    this.wanted = moment;
    if (this.seeking) return;
    this.seeking = true;
    this.seek(moment).finally(() => {
      this.seeking = false;
      if (this.wanted !== moment) this.scrub(this.wanted);
    });
  }

  async seek(moment) {
    if (moment >= this.now() - 1_500) return this.live();
    this.isLive = false;
    this.wanted = this.sought = moment;
    this.tick();
    const shown = this.tracks.map((track) => track.show(moment, this.speed));
    const done = await Promise.allSettled(shown);
    if (this.sought === moment) this.sought = undefined;
    const failed = done.find(({ reason }) => reason);
    if (failed?.reason?.status === 401) return location.reload();
    if (failed) this.say(failed.reason.status === "codec" ? "This browser does not play these pictures (H.265). The clip can be saved." : "The recordings cannot be read at the moment.");
    else this.say(this.tracks.every((track) => track.empty) ? "Nothing was recorded then." : "");
    if (this.playing) this.start();
  }

  start() {
    for (const { video, empty } of this.tracks) {
      if (empty) continue;
      video.playbackRate = Math.max(0.5, this.speed);
      video.play().catch(() => {});
    }
  }

  fill() {
    for (const track of this.tracks) {
      track.fetch(this.speed).then(() => this.playing && !track.has(track.video.currentTime) && track.skip()).catch(() => {});
    }
  }

  live() {
    this.isLive = true;
    this.playing = true;
    this.sought = this.wanted = undefined;
    clearInterval(this.rewind);
    for (const track of this.tracks) track.live();
    const width = this.view.to - this.view.from;
    if (this.now() > this.view.to || this.now() < this.view.from) this.look(this.now() - 0.96 * width, this.now() + 0.04 * width);
    this.say("");
    this.tick();
  }

  // By WebRTC or not; live.js does it.
  quick() {
    const is = this.tracks.every(({ video }) => video.dataset.quick);
    for (const { video } of this.tracks) is ? delete video.dataset.quick : (video.dataset.quick = "yes");
    if (!this.isLive) this.live();
    this.tick();
  }

  toggle() {
    clearInterval(this.rewind);
    this.rewind = undefined;
    if (this.isLive) {
      this.playing = false;
      return this.seek(this.now() - 2_000);
    }
    this.playing = !this.playing;
    if (this.playing) this.start();
    else for (const { video } of this.tracks) video.pause();
    this.tick();
  }

  run(speed) {
    this.speed = speed;
    if (this.isLive && speed !== 1) this.seek(this.now() - 30_000);
    else if (!this.isLive && this.playing) this.start();
    this.fill();
  }

  step(pictures) {
    if (this.playing) this.toggle();
    for (const { video } of this.tracks) video.currentTime = Math.max(0, video.currentTime + pictures * PICTURE);
    this.fill();
    this.tick();
  }

  // By groups: from each picture that can be decoded by itself to the one before.
  backwards() {
    if (this.rewind) return this.toggle();
    if (this.isLive) this.isLive = false;
    this.playing = false;
    for (const { video } of this.tracks) video.pause();
    let moment = this.moment() ?? this.now() - 3_000;
    this.rewind = setInterval(async () => {
      if (this.seeking) return;
      this.seeking = true;
      moment -= 500 * Math.max(1, this.speed);
      await this.seek(moment).catch(() => {});
      this.seeking = false;
    }, 500);
    this.tick();
  }

  mark(from, to) {
    if (from === undefined) return;
    this.clip = to === undefined || to <= from ? { from } : { from, to };
    const { camera } = this.tracks[0];
    const range = this.clip.to && `from=${Math.round(this.clip.from)}&to=${Math.round(this.clip.to)}`;
    const part = (name) => this.root.querySelector(name);
    part('[data-do="mark-out"]').disabled = false;
    for (const [name, path] of [["[data-save]", "clip.mp4"], ["[data-statement]", "clip.statement"]]) {
      part(name).hidden = !range;
      if (range) part(name).href = `/api/v1/cameras/${camera}/${path}?${range}`;
    }
    for (const name of ["lock", "send"]) if (part(`[data-do="${name}"]`)) part(`[data-do="${name}"]`).hidden = !range;
    const seconds = range && Math.round((this.clip.to - this.clip.from) / 1000);
    this.say(range ? `A clip of ${seconds} seconds.` : "The clip begins here. Go to where it ends.");
    this.draw();
  }

  async lock() {
    const body = JSON.stringify({ from: Math.round(this.clip.from), to: Math.round(this.clip.to) });
    const options = { method: "POST", headers: { "Content-Type": "application/json" }, body };
    const done = await Promise.allSettled(this.tracks.map(({ camera }) => json(`/api/v1/cameras/${camera}/locks`, options)));
    this.say(done.some(({ reason }) => reason) ? "It could not be locked." : "It is kept for good: nothing of it is removed to make room.");
    this.refresh();
  }

  async send() {
    const body = JSON.stringify({ from: Math.round(this.clip.from), to: Math.round(this.clip.to) });
    const options = { method: "POST", headers: { "Content-Type": "application/json" }, body };
    const done = await Promise.allSettled(this.tracks.map(({ camera }) => fetch(`/api/v1/cameras/${camera}/backup`, options)));
    this.say(done.every(({ value }) => value?.status === 202) ? "It is on its way to the backup. How far it is stands under Storage." : "It could not be sent: look under Storage.");
  }

  look(from, to) {
    this.view = { from, to };
    this.refresh();
    this.draw();
  }

  pan(by) {
    this.look(this.view.from + by, this.view.to + by);
  }

  zoom(factor, around) {
    const width = Math.min(8 * DAY, Math.max(20_000, (this.view.to - this.view.from) * factor));
    const part = (around - this.view.from) / (this.view.to - this.view.from);
    this.look(around - part * width, around + (1 - part) * width);
  }

  say(text) {
    this.note.textContent = text;
  }

  async refresh() {
    const { from, to } = this.view;
    const range = `from=${Math.max(0, Math.round(from))}&to=${Math.round(to)}`;
    await Promise.all(this.tracks.map(async (track) => {
      const told = await json(`/api/v1/cameras/${track.camera}/recorded?${range}`).catch(() => undefined);
      if (!told) return;
      track.recorded = told.recorded;
      track.locks = told.locks;
      this.offset = told.now - Date.now();
    }));
    this.draw();
  }

  tick() {
    const moment = this.moment();
    if (moment === undefined) return;
    const date = new Date(moment);
    const text = `${date.toLocaleDateString()} ${date.toLocaleTimeString()}`;
    this.clock.textContent = this.isLive ? `Live, ${text}` : text;
    const play = this.root.querySelector('[data-do="play"]');
    const runs = this.playing || this.rewind;
    play.textContent = runs ? "❚❚" : "▶";
    play.setAttribute("aria-label", runs ? "Pause" : "Play");
    this.root.querySelector('[data-do="live"]').setAttribute("aria-pressed", String(this.isLive));
    this.root.querySelector('[data-do="quick"]').setAttribute("aria-pressed", String(this.tracks.every(({ video }) => video.dataset.quick)));
    this.slider.setAttribute("aria-valuemin", String(Math.round(this.view.from / 1000)));
    this.slider.setAttribute("aria-valuemax", String(Math.round(this.view.to / 1000)));
    this.slider.setAttribute("aria-valuenow", String(Math.round(moment / 1000)));
    this.slider.setAttribute("aria-valuetext", this.clock.textContent);
    // The others keep in step with the first.
    const [first, ...others] = this.tracks.filter((track) => track.zero !== undefined && !track.empty);
    if (!this.isLive && first && this.sought === undefined)
      for (const other of others) {
        const apart = (first.moment() - other.moment()) / 1000;
        if (Math.abs(apart) > APART && !other.video.seeking && other.has(other.video.currentTime + apart)) other.video.currentTime += apart;
      }
    // What is played stays in sight.
    if (!this.isLive && this.playing && moment > this.view.to) this.pan(0.8 * (this.view.to - this.view.from));
    if (!this.isLive && this.playing && this.sought === undefined) this.fill();
    this.draw();
  }

  draw() {
    const { canvas, slider } = this;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [slider.clientWidth, slider.clientHeight];
    if (!width) return;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const style = getComputedStyle(slider);
    const colour = (name) => style.getPropertyValue(name).trim();
    const paint = canvas.getContext("2d");
    paint.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint.clearRect(0, 0, width, height);
    const { from, to } = this.view;
    const x = (moment) => ((moment - from) / (to - from)) * width;
    const text = parseFloat(style.fontSize) * 0.78;
    const top = text * 1.7;
    const row = (height - top) / this.tracks.length;
    this.tracks.forEach((track, number) => {
      const y = top + number * row;
      paint.fillStyle = colour("--line");
      paint.fillRect(0, y + row * 0.15, width, row * 0.7);
      paint.fillStyle = colour("--recorded");
      for (const [begin, end] of track.recorded) paint.fillRect(x(begin), y + row * 0.15, Math.max(1, x(end) - x(begin)), row * 0.7);
      paint.fillStyle = colour("--brass");
      for (const lock of track.locks) paint.fillRect(x(lock.from), y + row * 0.15, Math.max(2, x(lock.to) - x(lock.from)), row * 0.12);
    });
    if (this.clip) {
      paint.fillStyle = colour("--clip");
      const end = this.clip.to ?? this.moment() ?? this.clip.from;
      paint.fillRect(x(Math.min(this.clip.from, end)), top, Math.max(2, Math.abs(x(end) - x(this.clip.from))), height - top);
    }
    // Times: as many as there is room for, at round ones of this place.
    const steps = [1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400].map((seconds) => seconds * 1_000);
    const step = steps.find((step) => (step / (to - from)) * width > 7 * text) ?? DAY;
    const shift = new Date(from).getTimezoneOffset() * 60_000;
    paint.fillStyle = paint.strokeStyle = colour("--soft");
    paint.font = `${text}px ${style.fontFamily}`;
    for (let moment = Math.ceil((from - shift) / step) * step + shift; moment < to; moment += step) {
      const date = new Date(moment);
      const label = step >= DAY || (date.getHours() === 0 && date.getMinutes() === 0 && step >= 60_000) ? date.toLocaleDateString(undefined, { day: "numeric", month: "short" }) : date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", ...(step < 60_000 && { second: "2-digit" }) });
      paint.fillRect(x(moment), top * 0.8, 1, top * 0.2);
      paint.fillText(label, x(moment) + 3, text);
    }
    const moment = this.moment();
    if (moment !== undefined) {
      paint.fillStyle = colour("--play");
      paint.fillRect(x(moment) - 1, 0, 2, height);
      paint.beginPath();
      paint.arc(x(moment), top * 0.75, text * 0.35, 0, 7);
      paint.fill();
    }
  }
}

if (Source) for (const root of document.querySelectorAll("[data-player]")) self.player = new Player(root);
