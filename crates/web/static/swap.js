// Parts of a page that follow what happens: read again when a word of the server has changed, or when a question was
// asked. Without this script they are as new as the page.

import { prepare } from "./reading.js";

const PERIOD = 4000;

/** Puts the parts of a fresh page in the place of those here; where one types is left alone. */
function swap(page, names) {
  for (const fresh of page.querySelectorAll("[data-fresh]")) {
    const here = document.querySelector(`[data-fresh="${CSS.escape(fresh.dataset.fresh)}"]`);
    if (!here || (names && !names.includes(fresh.dataset.fresh))) continue;
    if (here.innerHTML === fresh.innerHTML || (here.contains(document.activeElement) && document.activeElement.matches("textarea, input"))) {
      Object.assign(here.dataset, fresh.dataset);
      continue;
    }
    here.replaceWith(document.adoptNode(fresh));
  }
  prepare(document);
}

async function read(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin", redirect: "error" });
  if (!answer.ok) throw Object.assign(new Error(String(answer.status)), { status: answer.status });
  return answer.text();
}

// A form whose answer is a part of this very page.
for (const form of document.querySelectorAll("form[data-swap]")) {
  let asked = 0;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const turn = (asked += 1);
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    const address = `${form.action.split("?")[0]}${query.size ? `?${query}` : ""}`;
    const place = document.querySelector(`[data-fresh="${CSS.escape(form.dataset.swap)}"]`);
    place.setAttribute("aria-busy", "true");
    try {
      const page = new DOMParser().parseFromString(await read(address), "text/html");
      if (turn !== asked) return;
      const fresh = page.querySelector(`[data-fresh="${CSS.escape(form.dataset.swap)}"]`);
      // The place itself stays: it is what is read out.
      place.replaceChildren(...document.adoptNode(fresh).childNodes);
      place.removeAttribute("aria-busy");
      prepare(place);
      history.replaceState(null, "", address);
    } catch {
      form.submit();
    }
  });
}

// A word that changes when the page would look different.
const beating = () => document.querySelector("[data-beat]");
if (beating()) {
  const said = document.querySelector("[data-beat-said]");
  const look = async () => {
    const part = beating();
    try {
      const word = await read(part.dataset.beatUrl);
      if (word === part.dataset.beat) return;
      const pane = document.scrollingElement;
      const end = pane.scrollHeight - pane.scrollTop - pane.clientHeight < 200;
      swap(new DOMParser().parseFromString(await read(location.href.split("#")[0].replace(/([?&])done=[^&]*/, "$1")), "text/html"));
      if (end) pane.scrollTop = pane.scrollHeight;
      said.textContent = part.dataset.beatWords;
      setTimeout(() => { said.textContent = ""; }, 3000);
    } catch (error) {
      // Signed out, or nobody of the desk any more: the page itself says what to do.
      if ([401, 403, 404].includes(error.status)) location.reload();
    }
  };
  let timer = setInterval(look, PERIOD);
  document.addEventListener("visibilitychange", () => {
    clearInterval(timer);
    if (document.hidden) return;
    look();
    timer = setInterval(look, PERIOD);
  });
}

// What was being written is not lost with the page.
for (const box of document.querySelectorAll("textarea[data-draft]")) {
  const name = `stoa.draft.${box.dataset.draft}`;
  try {
    if (!box.value) box.value = sessionStorage.getItem(name) ?? "";
    box.addEventListener("input", () => sessionStorage.setItem(name, box.value));
    box.form.addEventListener("submit", () => sessionStorage.removeItem(name));
  } catch {
    // Storage can be switched off.
  }
}
