// Counts down: <time data-seconds-left="900">, and a <progress> in the same .time-left.
// Tells a screen reader only now and then. At zero the page is loaded anew if the time has data-reload, which may name another.
const SPOKEN = [600, 300, 60, 30, 10, 0];

function words(seconds) {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function spoken(seconds) {
  if (seconds === 0) return "Time is up";
  return seconds >= 60 ? `${seconds / 60} min left` : `${seconds} seconds left`;
}

for (const time of document.querySelectorAll("time[data-seconds-left]")) {
  const from = performance.now();
  const all = Number(time.dataset.secondsLeft);
  if (!Number.isFinite(all)) continue;
  const bar = time.closest(".time-left")?.querySelector("progress");
  const voice = document.createElement("span");
  voice.className = "visually-hidden";
  voice.setAttribute("role", "status");
  time.after(voice);
  let last = all;

  const tick = () => {
    const left = Math.max(0, Math.ceil(all - (performance.now() - from) / 1000));
    time.textContent = words(left);
    time.dateTime = `PT${left}S`;
    if (bar) bar.value = left;
    const passed = SPOKEN.find((mark) => left <= mark && mark < last);
    if (passed !== undefined) voice.textContent = spoken(passed);
    last = left;
    if (left > 0) return;
    clearInterval(timer);
    // Never the same form once more.
    if ("reload" in time.dataset && all > 0) location.replace(time.dataset.reload || location.pathname + location.search);
  };
  const timer = setInterval(tick, 1000);
  tick();
}
