// Waits until the device is back after its restart, then goes to the login; without scripts the page does so by itself.
const PAUSE = 500; // milliseconds
const place = document.querySelector("[data-back]");

async function back() {
  try {
    const answer = await fetch("/api/v1/device", { cache: "no-store" });
    const { start_time } = await answer.json();
    return answer.ok && start_time > Number(place.dataset.back);
  } catch {
    return false; // not listening yet
  }
}

async function ask() {
  if (await back()) location.replace("/login");
  else setTimeout(ask, PAUSE);
}

if (place) setTimeout(ask, PAUSE);
