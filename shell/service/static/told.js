// Sends the receipt that the symbol's own link carries behind its #, and takes it out of the address bar and the history.
const { ask, tell, advice } = await import(document.getElementById("send-module").href);

const part = document.querySelector("[data-told]");
const find = (name) => part.querySelector(`[data-${name}]`);

let receipt = "";
function take() {
  receipt = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
}

async function go() {
  find("paste").hidden = true;
  find("news").hidden = find("again").hidden = true;
  find("heading").textContent = "Telling the contacts…";
  try {
    const told = await ask("/v1/receipts", "application/json", JSON.stringify({ receipt }));
    find("heading").textContent = "The contacts are being told";
    find("lead").textContent = `A mail about this device goes to ${told.masked_addresses.join(" and ")}.`;
    find("model").textContent = told.model;
    find("serial").textContent = told.serial;
    find("lead").hidden = find("facts").hidden = find("next").hidden = false;
  } catch (problem) {
    find("heading").textContent = "The contacts were not told";
    tell(find("news"), "error", problem.title, advice(problem));
    find("again").hidden = !problem.passing;
    find("paste").hidden = problem.passing;
  }
}

find("retry")?.addEventListener("click", go);
// Another symbol's link in the same tab changes nothing but what stands behind the #.
addEventListener("hashchange", () => {
  if (!location.hash) return;
  take();
  go();
});
if (location.hash && find("paste")) {
  take();
  go();
}
