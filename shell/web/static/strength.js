// Shows how strong a password is: <div data-strength-of="ID of the field" data-strength-url="/password-strength">.
// The device itself judges: POST {"password"} is answered with {"score": 0 to 4, "advice": "…"}.
const WORDS = ["Far too easy to guess", "Too easy to guess", "Too easy to guess", "Good", "Very good"];
const PAUSE = 250; // milliseconds after the last key

for (const box of document.querySelectorAll("[data-strength-of]")) {
  const field = document.getElementById(box.dataset.strengthOf);
  const meter = box.querySelector("meter");
  const text = box.querySelector("p");
  let timer;
  let asked = 0;

  const ask = async () => {
    const number = ++asked;
    box.hidden = field.value === "";
    if (box.hidden) return;
    try {
      const answer = await fetch(box.dataset.strengthUrl, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ password: field.value }),
      });
      if (!answer.ok) throw new Error(answer.statusText);
      const { score, advice } = await answer.json();
      if (number !== asked) return; // more was typed meanwhile
      meter.value = Math.max(score, 0.25); // an empty bar looks like nothing was judged
      text.textContent = advice ? `${WORDS[score]}. ${advice}` : `${WORDS[score]}.`;
    } catch {
      box.hidden = true; // it is judged again when the form is sent
    }
  };
  field?.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
}
