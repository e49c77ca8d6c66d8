// Shows and hides a password: <button data-reveal="ID of the field" data-shown="Hide">Show</button>
for (const button of document.querySelectorAll("button[data-reveal]")) {
  const field = document.getElementById(button.dataset.reveal);
  if (!field) continue;
  const hidden = button.textContent;
  const show = (shown) => {
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    button.textContent = shown ? button.dataset.shown : hidden;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    show(field.type === "password");
    field.focus();
  });
  // Never sent, and never kept by the browser, as a plain text field.
  field.form?.addEventListener("submit", () => show(false));
}
