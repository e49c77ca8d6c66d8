// *Send again*: the mail once more, no sooner than a minute after the last and at most twice. The service decides; this only
// offers it when it can work, and only in the tab that sent the request, which alone knows it.
const { send, kept, tell, advice, words } = await import(document.getElementById("send-module").href);

const PAUSE = 60;
const TIMES = 2;

const part = document.querySelector("[data-again]");
const known = part && kept(part.dataset.again);
if (known?.request && known.again < TIMES) {
  const button = part.querySelector("[data-send]");
  const when = part.querySelector("[data-when]");
  part.hidden = false;

  const tick = () => {
    const left = Math.ceil((known.at - Date.now()) / 1000) + PAUSE;
    button.disabled = left > 0;
    when.textContent = left > 0 ? `If no mail comes, you can have it sent again in ${words(left)}.` : "";
    if (left > 0) setTimeout(tick, 1000);
  };
  tick();

  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await send(known.request, true);
      location.reload();
    } catch (problem) {
      button.disabled = false;
      tell(part.querySelector("[data-news]"), "error", problem.title, advice(problem));
    }
  });
}
