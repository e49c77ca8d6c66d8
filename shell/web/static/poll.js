// Keeps a part of a page as the server has it: <section data-poll="/status" data-every="2">.
// The answer decides: 200 new content, 204 nothing new, 205 load the whole page again, 4xx stop asking.
// Asks nothing while the page is hidden, and more and more seldom while the server does not answer.
const SLOWEST = 30;

for (const part of document.querySelectorAll("[data-poll]")) {
  const every = Number(part.dataset.every) || 2;
  let wait = every;
  let timer;

  const ask = async () => {
    try {
      const answer = await fetch(part.dataset.poll, { headers: { Accept: "text/html" }, cache: "no-store", redirect: "error" });
      if (answer.status === 205) return location.reload();
      if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) return;
      if (!answer.ok) throw new Error(answer.statusText);
      if (answer.status === 200) {
        const text = await answer.text();
        if (text !== part.dataset.last) part.innerHTML = part.dataset.last = text;
      }
      wait = every;
    } catch {
      wait = Math.min(wait * 2, SLOWEST);
    }
    next();
  };
  const next = () => {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(ask, wait * 1000);
  };
  document.addEventListener("visibilitychange", next);
  next();
}
