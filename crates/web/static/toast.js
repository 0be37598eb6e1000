// What has just been done, said in a corner, with a way back. A form with `data-later` is sent when its toast has
// gone: until then undoing it costs nothing. Its row is hidden at once.

import { say } from "./say.js";

const SECONDS = 7;

const place = document.createElement("div");
place.className = "toasts";
// There before anything is said, or it would not be read out.
place.setAttribute("role", "status");
document.body.append(place);

/** Says something for some seconds. `action` is `{ label, run }`; `gone` runs when nobody took it. */
export function toast(text, { action, gone, bad = false } = {}) {
  const box = document.createElement("div");
  box.className = bad ? "toast bad" : "toast";
  const words = document.createElement("span");
  words.textContent = text;
  box.append(words);
  let timer = 0;
  let over = false;
  const end = (taken) => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    box.remove();
    if (taken) action.run();
    else gone?.();
  };
  // Nobody is hurried: time stands still while the pointer or the keyboard is on it.
  const wait = () => { clearTimeout(timer); timer = setTimeout(() => end(false), SECONDS * 1000); };
  for (const event of ["pointerenter", "focusin"]) box.addEventListener(event, () => clearTimeout(timer));
  for (const event of ["pointerleave", "focusout"]) box.addEventListener(event, wait);
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button small";
    button.textContent = action.label;
    button.addEventListener("click", () => end(true));
    box.append(button);
  }
  place.append(box);
  wait();
  return { end: () => end(false), button: box.querySelector("button") };
}

const shown = (row) => {
  const rows = row.closest("[data-rows]");
  const empty = rows?.querySelector("[data-when-empty]");
  if (!empty) return;
  const any = [...rows.querySelectorAll("[data-row]")].some((one) => !one.hidden);
  empty.hidden = any;
  const list = row.closest(".table, ul");
  if (list) list.hidden = !any;
};

const pending = new Set();

addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.dataset.later) return;
  const row = form.closest("[data-row]");
  if (!row) return;
  event.preventDefault();
  const rows = [...row.parentElement.querySelectorAll(":scope > [data-row]")].filter((one) => !one.hidden);
  const next = rows[rows.indexOf(row) + 1] ?? rows[rows.indexOf(row) - 1];
  const body = new URLSearchParams(new FormData(form, event.submitter));
  const show = (visible) => { row.hidden = !visible; shown(row); };
  const back = (words) => {
    show(true);
    toast(words, { bad: true });
  };
  const send = async () => {
    if (!pending.delete(send)) return;
    try {
      const answer = await fetch(form.action, { method: "POST", body, credentials: "same-origin", redirect: "manual", keepalive: true });
      // A redirect is how a form says that it is done; anything else that is not good is not.
      if (answer.type !== "opaqueredirect" && !answer.ok) throw new Error(String(answer.status));
      row.remove();
    } catch {
      back(say("That did not work, and nothing was changed. Try again."));
    }
  };
  pending.add(send);
  show(false);
  const said = toast(form.dataset.later, {
    action: { label: say("Undo"), run: () => { pending.delete(send); show(true); form.querySelector("button")?.focus(); } },
    gone: send,
  });
  // The keyboard goes on where it was, or can undo at once when nothing is left.
  (next?.querySelector("form[data-later] button") ?? next?.querySelector("button, a") ?? said.button).focus();
});

// Whoever leaves has not undone it.
addEventListener("pagehide", () => { for (const send of [...pending]) send(); });
