// A file may be dropped anywhere on a page that has one field for it: <input type="file" data-drop>.
const field = document.querySelector("input[type=file][data-drop]");

if (field) {
  const over = (event) => {
    event.preventDefault();
    document.body.classList.toggle("dropping", event.type === "dragover");
    if (event.type !== "drop" || !event.dataTransfer.files.length) return;
    field.files = event.dataTransfer.files;
    field.focus();
  };
  for (const name of ["dragover", "dragleave", "drop"]) document.addEventListener(name, over);
}
