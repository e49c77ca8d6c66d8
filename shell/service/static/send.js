// Hands a request in, and keeps its text for this tab only: the service does not keep it, and *Send again* needs it.
const key = (id) => `sparekey ${id}`;

/** A problem in two lines: what happened, what to do; `wait` in seconds; whether the same may work later. */
export class Problem extends Error {
  constructor(title, detail, { name = "", wait = 0, passing = true } = {}) {
    super(title);
    Object.assign(this, { title, detail, name, wait, passing });
  }
}

const NO_CONNECTION = ["This phone cannot reach the service.", "Turn on mobile data or Wi-Fi and try again; the code on the screen stays good."];
const NOT_UNDERSTOOD = ["The service gave an answer that is not understood.", "Try again in a minute."];

/** The request of a text that was scanned or pasted: digits, base64url or the whole link. */
export function send(request, again = false) {
  return post("/v1/requests", "application/json", JSON.stringify({ request, again }), request, again);
}

/** The request that a picture shows (a Blob). */
export function sendPhoto(photo) {
  return post("/v1/requests/photo", photo.type || "image/jpeg", photo);
}

async function post(url, type, body, request, again) {
  let shown;
  const json = await ask(url, type, body, (answer) => (shown = answer.headers.get("Sparekey-Request")));
  remember(json.id, request ?? shown, again);
  return json;
}

/** What the service answers to this, as JSON; a Problem otherwise. */
export async function ask(url, type, body, look = () => {}) {
  let answer;
  let json;
  try {
    answer = await fetch(url, { method: "POST", headers: { "Content-Type": type, Accept: "application/json" }, body, cache: "no-store", redirect: "error" });
  } catch {
    throw new Problem(...NO_CONNECTION, { name: "no-connection" });
  }
  try {
    json = await answer.json();
  } catch {
    throw new Problem(...NOT_UNDERSTOOD);
  }
  if (!answer.ok) {
    const name = String(json.type ?? "").replace("urn:sparekey:problem:", "");
    throw new Problem(json.title ?? NOT_UNDERSTOOD[0], json.detail ?? NOT_UNDERSTOOD[1], { name, wait: json.retry_after, passing: answer.status === 429 || answer.status >= 500 });
  }
  look(answer);
  return json;
}

function remember(id, request, again) {
  try {
    const times = (kept(id)?.again ?? 0) + (again ? 1 : 0);
    sessionStorage.setItem(key(id), JSON.stringify({ request, at: Date.now(), again: times }));
  } catch {
    // Storage is off: everything works but *Send again*.
  }
}

/** What this tab knows of the request: `{request, at, again}`. */
export function kept(id) {
  try {
    return JSON.parse(sessionStorage.getItem(key(id)));
  } catch {
    return null;
  }
}

/** Fills a banner of two lines. Tones: info, ok, warn, error. */
export function tell(banner, tone, title, detail) {
  banner.className = `banner ${tone}`;
  [banner.children[0].textContent, banner.children[1].textContent] = [title, detail];
  banner.hidden = false;
}

/** Seconds in words. */
export function words(seconds) {
  if (seconds < 100) return seconds === 1 ? "1 second" : `${seconds} seconds`;
  return seconds < 6000 ? `${Math.ceil(seconds / 60)} minutes` : `${Math.ceil(seconds / 3600)} hours`;
}

/** The problem's second line, with the time to wait. */
export function advice(problem) {
  return problem.wait ? `${problem.detail} Try again in ${words(problem.wait)}.` : problem.detail;
}
