// Passkeys (Web Authentication): the one thing of the desk that HTML cannot do. Each button names what it is for; the server gives
// the challenge, and checks the answer.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const post = async (path, body) => {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  });
  const json = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw json;
  return json;
};

const withBytes = (list) => list?.map((one) => ({ ...one, id: bytes(one.id) }));

const make = async ({ publicKey }) => {
  const made = await navigator.credentials.create({
    publicKey: {
      ...publicKey,
      challenge: bytes(publicKey.challenge),
      user: { ...publicKey.user, id: bytes(publicKey.user.id) },
      excludeCredentials: withBytes(publicKey.excludeCredentials),
    },
  });
  return {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    response: {
      attestationObject: text(made.response.attestationObject),
      clientDataJSON: text(made.response.clientDataJSON),
    },
  };
};

const use = async ({ publicKey }) => {
  const used = await navigator.credentials.get({
    publicKey: {
      ...publicKey,
      challenge: bytes(publicKey.challenge),
      allowCredentials: withBytes(publicKey.allowCredentials),
    },
  });
  const { authenticatorData, clientDataJSON, signature, userHandle } = used.response;
  return {
    id: used.id,
    rawId: text(used.rawId),
    type: used.type,
    response: {
      authenticatorData: text(authenticatorData),
      clientDataJSON: text(clientDataJSON),
      signature: text(signature),
      userHandle: userHandle && userHandle.byteLength > 0 ? text(userHandle) : null,
    },
  };
};

const tell = (button, title, detail) => {
  const news = document.querySelector("[data-news]");
  news.hidden = false;
  news.querySelector(".banner-title").textContent = title;
  news.querySelector("p:last-child").textContent = detail;
  button.disabled = false;
};

for (const button of document.querySelectorAll("[data-passkey]")) {
  const what = button.dataset.passkey;
  const form = button.form;
  if (!window.PublicKeyCredential) {
    tell(button, "This browser has no passkeys.", "Open the page by its name over HTTPS, in a current browser.");
    button.disabled = true;
    continue;
  }
  button.hidden = false;
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    if (form && !form.reportValidity()) return;
    button.disabled = true;
    // The end of a one-time link never reaches a server's log.
    const link = what === "join" ? { link: location.hash.slice(1) } : {};
    try {
      const { ticket, ...asked } = await post(`/desk/passkey/${what}/start`, link);
      const answer = await (what === "join" || what === "add" ? make(asked) : use(asked));
      await post(`/desk/passkey/${what}/finish`, { ticket, answer, ...link });
      if (form) form.submit();
      else location.assign(button.dataset.next);
    } catch (problem) {
      if (problem.title) tell(button, problem.title, problem.detail);
      else if (problem.name === "InvalidStateError") tell(button, "This passkey is yours already.", "Nothing is to be done.");
      else tell(button, "The passkey was not used.", "Try once more, or use another device that has it.");
    }
  });
}
