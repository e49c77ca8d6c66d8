// Helps to type a code: <input data-digits="8">. Keeps digits only, takes a pasted code with spaces,
// and sends the form at the last digit if the field has data-send. Is ready for typing at once, but moves no
// phone's page away from what stands above it.
for (const field of document.querySelectorAll("input[data-digits]")) {
  const length = Number(field.dataset.digits);
  // NFKC: a phone's full-width digits are digits too.
  const digits = (text) => text.normalize("NFKC").replace(/\D/g, "").slice(0, length);

  if (document.activeElement === document.body) field.focus({ preventScroll: true });

  field.addEventListener("input", (event) => {
    if (event.isComposing) return;
    const before = digits(field.value.slice(0, field.selectionStart ?? undefined));
    const clean = digits(field.value);
    if (clean !== field.value) {
      field.value = clean;
      field.setSelectionRange(before.length, before.length);
    }
    if (clean.length === length && "send" in field.dataset) field.form?.requestSubmit();
  });

  field.addEventListener("paste", (event) => {
    const pasted = digits(event.clipboardData?.getData("text") ?? "");
    if (pasted.length !== length) return; // a part of a code is pasted as anywhere else
    event.preventDefault();
    field.value = pasted;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
