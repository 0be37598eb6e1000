// The administration stays up to date by itself, and filters without loading the whole page.

import { prepare } from "./reading.js";
import { say } from "./say.js";

const PERIOD = 5000;

// Charts and numbers: fetched again while somebody looks at them.
const live = document.querySelector("[data-live]");
if (live) {
  const state = document.querySelector("[data-live-state]");
  const words = state.querySelector("span:last-child");
  let failures = 0;
  const refresh = async () => {
    try {
      const answer = await fetch(live.dataset.live, { headers: { Accept: "text/html" }, credentials: "same-origin", redirect: "error" });
      if ([401, 403, 404].includes(answer.status)) {
        // Signed out, or no administrator any more: the page itself says what to do.
        location.reload();
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      const open = new Set([...live.querySelectorAll("details[data-keep][open]")].map((one) => one.dataset.keep));
      const focused = live.contains(document.activeElement) ? document.activeElement : null;
      const selector = focused?.matches("summary") ? `details[data-keep="${focused.parentElement.dataset.keep}"] > summary` : focused?.matches("a[href]") ? `a[href="${CSS.escape(focused.getAttribute("href"))}"]` : null;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const one of fresh.querySelectorAll("details[data-keep]")) one.open = open.has(one.dataset.keep);
      live.replaceChildren(...fresh.body.childNodes);
      prepare(live);
      if (selector) live.querySelector(selector)?.focus({ preventScroll: true });
      failures = 0;
    } catch {
      failures += 1;
    }
    state.classList.toggle("on", failures === 0);
    state.classList.toggle("off", failures > 1);
    words.textContent = failures > 1 ? say("No connection. Trying again.") : say("Live");
  };
  state.classList.add("on");
  words.textContent = say("Live");
  let timer = setInterval(refresh, PERIOD);
  document.addEventListener("visibilitychange", () => {
    clearInterval(timer);
    if (document.hidden) return;
    refresh();
    timer = setInterval(refresh, PERIOD);
  });
}

// The filter of the audit log: results in place, with an address that can be kept.
const filter = document.querySelector("[data-audit-filter]");
if (filter) {
  let asked = 0;
  const apply = async () => {
    const query = new URLSearchParams([...new FormData(filter)].filter(([, value]) => value));
    const address = `${location.pathname}${query.size ? `?${query}` : ""}`;
    const turn = (asked += 1);
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin", redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (turn !== asked) return;
      for (const part of ["[data-results]", ".page-head"]) document.querySelector(part).replaceWith(page.querySelector(part));
      prepare(document);
      history.replaceState(null, "", address);
    } catch {
      filter.submit();
    }
  };
  filter.addEventListener("change", (event) => { if (event.target.matches("select")) apply(); });
}
