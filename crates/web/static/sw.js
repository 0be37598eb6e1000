// For the installed app without a network: one page that says so, in place of the browser's. Nothing else is kept, no
// answer of the server and no word of a conversation, so there is nothing that signing out would have to clear.

const STORE = "stoa-offline";
const PAGE = "/offline";
const PARTS = [PAGE, "/static/app.css", "/static/pages.css", "/static/frame.js", "/static/icon.svg"];

addEventListener("install", (event) => {
  const keep = async () => {
    // What an earlier version kept goes with it.
    await caches.delete(STORE);
    // Nobody's cookie goes along: the page is the same for everybody.
    await (await caches.open(STORE)).addAll(PARTS.map((part) => new Request(part, { credentials: "omit", cache: "reload" })));
    await skipWaiting();
  };
  event.waitUntil(keep());
});

addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(async () => (await caches.match(PAGE, { ignoreVary: true })) ?? Response.error()));
  } else if (PARTS.some((part) => request.url === new URL(part, location.origin).href)) {
    event.respondWith(fetch(request).catch(async () => (await caches.match(request, { ignoreVary: true })) ?? Response.error()));
  }
});
