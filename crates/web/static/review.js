// The queue of what people look at: words on demand in place, and the keys. Without this script each is a page.

const list = document.querySelector("[data-reviews]");
const items = list ? [...list.querySelectorAll("[data-review]")] : [];

async function show(item) {
  const place = item.querySelector("[data-words]");
  const link = item.querySelector("[data-show]");
  if (!place.hidden) {
    place.hidden = true;
    link.setAttribute("aria-expanded", "false");
    return;
  }
  if (!place.hasChildNodes()) {
    try {
      const answer = await fetch(link.href, { headers: { Accept: "text/html" }, credentials: "same-origin", redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      place.replaceChildren(...page.querySelector("[data-text]").childNodes);
    } catch {
      place.textContent = list.dataset.failed;
      place.hidden = false;
      // Empty again, so that the next attempt asks.
      setTimeout(() => { place.hidden = true; place.replaceChildren(); }, 4000);
      return;
    }
  }
  place.hidden = false;
  link.setAttribute("aria-expanded", "true");
}

const decided = new URLSearchParams(location.search).has("done");
// Nobody has read the next one so soon: a key that is still down from the last decision must not decide it too.
const isRead = () => !decided || performance.now() > 700;

const current = () => items.find((item) => item.contains(document.activeElement));

function go(step) {
  const at = items.indexOf(current());
  const next = items[at < 0 ? 0 : Math.min(Math.max(at + step, 0), items.length - 1)];
  next?.focus();
}

const keys = {
  j: () => go(1),
  k: () => go(-1),
  o: () => { const item = current(); if (item) show(item); },
  u: () => isRead() && current()?.querySelector('[value="upheld"]')?.click(),
  w: () => isRead() && current()?.querySelector('[value="wrongly_flagged"]')?.click(),
};

for (const item of items) {
  const link = item.querySelector("[data-show]");
  link.setAttribute("role", "button");
  link.setAttribute("aria-expanded", "false");
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(item);
  });
  link.addEventListener("keydown", (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    show(item);
  });
}

// Whoever has switched shortcuts off means these too.
const isOn = () => {
  try { return localStorage.getItem("stoa.shortcuts") !== "off"; } catch { return true; }
};

document.addEventListener("keydown", (event) => {
  if (!isOn() || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
  const act = keys[event.key.toLowerCase()];
  if (!act || !items.length) return;
  event.preventDefault();
  act();
});

// After a decision the next one is at hand.
if (decided) items[0]?.focus({ preventScroll: true });
