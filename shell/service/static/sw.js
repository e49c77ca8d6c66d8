// Shows a page of ours where there is no connection. Nothing that belongs to a request is ever kept.
const STYLE = new URL(location.href).searchParams.get("style");
const KEPT = `offline ${STYLE}`; // the style's name holds its hash, so a new look is a new worker with a new cache

addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(["/offline", STYLE])));
});

addEventListener("activate", (event) => {
  const old = async () => {
    for (const name of await caches.keys()) if (name !== KEPT) await caches.delete(name);
  };
  event.waitUntil(old());
});

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match("/offline")));
  } else if (new URL(request.url).pathname === STYLE) {
    event.respondWith(caches.match(STYLE).then((kept) => kept ?? fetch(request)));
  }
});
