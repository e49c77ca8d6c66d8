// Sends the request that the symbol's own link carries behind its #, and takes it out of the address bar and the history.
const { send, tell, advice } = await import(document.getElementById("send-module").href);

const part = document.querySelector("[data-link]");
const find = (name) => part.querySelector(`[data-${name}]`);
const PENDING = "sparekey pending"; // so that loading this page again does not lose it

let request = sessionStorage.getItem(PENDING);
function take() {
  request = location.hash.slice(1);
  sessionStorage.setItem(PENDING, request);
  history.replaceState(null, "", location.pathname);
}
if (location.hash) take();
// Another symbol's link in the same tab changes nothing but what stands behind the #.
addEventListener("hashchange", () => {
  if (!location.hash) return;
  take();
  go();
});

async function go() {
  find("heading").textContent = "Sending your request…";
  find("news").hidden = find("actions").hidden = true;
  find("working").hidden = false;
  try {
    const { id } = await send(request);
    sessionStorage.removeItem(PENDING);
    location.replace(`/requests/${id}`);
  } catch (problem) {
    show(problem);
  }
}

function show(problem) {
  find("heading").textContent = "Your request was not taken";
  find("working").hidden = true;
  tell(find("news"), "error", problem.title, advice(problem));
  find("actions").hidden = false;
  find("retry").hidden = !problem.passing;
  find("other").classList.toggle("primary", !problem.passing);
}

find("retry").addEventListener("click", go);
if (request) {
  go();
} else {
  show({ title: "This address holds no request.", detail: "Scan the square code on the recorder’s screen." });
  find("heading").textContent = "Nothing to send";
}
