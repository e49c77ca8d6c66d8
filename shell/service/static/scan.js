// Scans with the phone's camera. Where the browser reads QR symbols itself, nothing but the request leaves the phone;
// elsewhere a frame goes to the service every half second until it reads one. Also sends photos and pasted text from here.
const { send, sendPhoto, tell, advice } = await import(document.getElementById("send-module").href);

const FRAME_WIDTH = 1280;
const FRAME_PAUSE = 500; // ms
const GIVE_UP = 60_000; // ms
const HINT_AFTER = 12_000; // ms
const DARK = 28; // mean brightness of 255

const part = document.querySelector("[data-scanner]");
const [viewfinder, news, start, stop] = ["viewfinder", "news", "start", "stop"].map((name) => part.querySelector(`[data-${name}]`));
const video = viewfinder.querySelector("video");
const canvas = document.createElement("canvas");
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
let running = null; // the scan under way

part.hidden = false;
start.addEventListener("click", scan);
stop.addEventListener("click", () => end("info", "Stopped.", "Scan again, or use a photo or the digits below."));
document.addEventListener("visibilitychange", () => {
  if (document.hidden && running) end("info", "The camera was turned off.", "The page was in the background. Scan again when you are ready.");
});
navigator.permissions?.query({ name: "camera" }).then(({ state }) => state === "granted" && scan(), () => {});

async function scan() {
  if (running) return;
  const self = (running = {});
  start.hidden = true;
  stop.hidden = false;
  tell(news, "info", "Asking for the camera…", "Choose Allow in the question that your browser shows.");
  try {
    if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("", "NotSupportedError");
    const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: "environment", width: { ideal: 1920 }, height: { ideal: 1080 } } });
    if (running !== self) return stream.getTracks().forEach((track) => track.stop());
    video.srcObject = stream;
    viewfinder.hidden = false;
    await video.play();
    looking();
    await look(self, await detector());
  } catch (error) {
    if (running === self) fail(error);
  }
}

function looking() {
  tell(news, "info", "Looking for the code…", "Hold the phone so that the whole square is in the frame.");
}

/** The browser's own reader, where it has one. */
async function detector() {
  try {
    const formats = await BarcodeDetector.getSupportedFormats();
    return formats.includes("qr_code") ? new BarcodeDetector({ formats: ["qr_code"] }) : null;
  } catch {
    return null;
  }
}

async function look(self, reader) {
  const began = Date.now();
  while (running === self) {
    const next = Date.now() + (reader ? FRAME_PAUSE / 3 : FRAME_PAUSE);
    const found = reader ? await readHere(reader) : await readThere();
    if (running !== self) return;
    if (found) return done(found.id);
    const since = Date.now() - began;
    if (since > GIVE_UP) return end("warn", "No code was found in a minute.", "Scan again, or use a photo or the digits below.");
    if (isDark()) tell(news, "warn", "It is too dark to read.", "Turn the recorder’s monitor on or brighter, and point the camera at it.");
    else if (since > HINT_AFTER) tell(news, "info", "Still looking…", "Go closer until the square fills the frame, straight on, and out of reflections.");
    await sleep(next - Date.now());
  }
}

async function readHere(reader) {
  const symbols = await reader.detect(video).catch(() => []);
  const request = symbols.map((symbol) => symbol.rawValue).find((text) => /(^|\/r#)\d{100,}$/.test(text));
  return request ? send(request) : null;
}

async function readThere() {
  const scale = Math.min(1, FRAME_WIDTH / video.videoWidth);
  [canvas.width, canvas.height] = [video.videoWidth * scale, video.videoHeight * scale];
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
  const frame = await new Promise((made) => canvas.toBlob(made, "image/jpeg", 0.8));
  try {
    return frame && (await sendPhoto(frame));
  } catch (problem) {
    if (problem.name === "no-qr") return null;
    if (problem.name !== "too-many" || problem.wait > 10) throw problem;
    await sleep(problem.wait * 1000);
    return null;
  }
}

function isDark() {
  const small = document.createElement("canvas");
  [small.width, small.height] = [32, 32];
  const context = small.getContext("2d");
  context.drawImage(video, 0, 0, 32, 32);
  const { data } = context.getImageData(0, 0, 32, 32);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum += data[i + 1]; // green weighs most
  return sum / (data.length / 4) < DARK;
}

function done(id) {
  close();
  tell(news, "ok", "Found.", "One moment…");
  location.assign(`/requests/${id}`);
}

function end(tone, title, detail) {
  close();
  start.hidden = false;
  start.textContent = "Scan again";
  tell(news, tone, title, detail);
}

function close() {
  running = null;
  video.srcObject?.getTracks().forEach((track) => track.stop());
  video.srcObject = null;
  viewfinder.hidden = stop.hidden = true;
}

function fail(error) {
  const below = "or use a photo or the digits below.";
  const cases = {
    NotAllowedError: ["The browser may not use the camera.", `Allow it in the settings of this page, then scan again; ${below}`],
    NotFoundError: ["There is no camera here.", "Use a photo or the digits below, or open this page on a phone."],
    NotReadableError: ["The camera is in use.", `Close the other app that uses it, then scan again; ${below}`],
    NotSupportedError: ["This browser gives no camera to this page.", "Scan with the phone’s own camera app: it opens the right page; or use a photo or the digits below."],
  };
  const [title, detail] = cases[error.name] ?? (error.title ? [error.title, advice(error)] : ["The camera did not work.", `Scan again, ${below}`]);
  end("error", title, detail);
}

// The two forms, without leaving the page where something is wrong.
for (const [form, hand] of [
  [document.querySelector("[data-photo]"), (form) => sendPhoto(form.photo.files[0])],
  [document.querySelector("[data-text]"), (form) => send(form.request.value, form.again.checked)],
]) {
  const banner = news.cloneNode(true);
  form.prepend(banner);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (running) close(), (start.hidden = false);
    const button = form.querySelector("button");
    button.disabled = true;
    tell(banner, "info", "Sending…", "This takes a second or two.");
    try {
      const { id } = await hand(form);
      location.assign(`/requests/${id}`);
    } catch (problem) {
      button.disabled = false;
      tell(banner, "error", problem.title ?? "That did not work.", problem.title ? advice(problem) : "Try again.");
      banner.scrollIntoView({ block: "nearest" });
    }
  });
}
