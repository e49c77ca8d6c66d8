// Keeps the list as the link is: <div data-rows="/rows?…">. What is chosen, and where the keyboard is, stays.
const EVERY = 2000;

for (const list of document.querySelectorAll("[data-rows]")) {
  let last = list.innerHTML;
  const look = async () => {
    try {
      const answer = await fetch(list.dataset.rows, { cache: "no-store", redirect: "error" });
      const text = answer.ok ? await answer.text() : last;
      if (text !== last) {
        const chosen = new Set([...list.querySelectorAll("input:checked")].map((box) => box.name));
        const focused = list.contains(document.activeElement) ? document.activeElement : undefined;
        const place = focused && (focused.name ? `[name="${focused.name}"]` : focused.getAttribute("href") && `[href="${focused.getAttribute("href")}"]`);
        const scrolled = list.querySelector(".table")?.scrollLeft;
        list.innerHTML = last = text;
        for (const box of list.querySelectorAll("input[type=checkbox]")) box.checked = chosen.has(box.name);
        if (place) list.querySelector(place)?.focus({ preventScroll: true });
        if (scrolled) list.querySelector(".table").scrollLeft = scrolled;
      }
    } catch {
      // The program has ended, or is busy: the list stays as it was.
    }
    if (!document.hidden) setTimeout(look, EVERY);
  };
  document.addEventListener("visibilitychange", () => document.hidden || look());
  setTimeout(look, EVERY);
}
