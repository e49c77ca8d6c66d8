// Makes the pages an installable app: the worker shows a page of ours where there is no connection, and keeps nothing else.
const style = document.querySelector('link[rel="stylesheet"]');
navigator.serviceWorker?.register(`/sw.js?style=${encodeURIComponent(new URL(style.href).pathname)}`).catch(() => {
  // Without it the browser shows a page of its own.
});
