// Comfort for forms that work without it: show a password, measure its length, take a token out of the address,
// ask before something is undone, copy what is shown once.

import { copy, prepare } from "./reading.js";
import { count, say } from "./say.js";

prepare(document);

// On a phone the navigation is a strip: the place where one is should be in sight.
const tab = document.querySelector(".tabs [aria-current]");
if (tab) {
  const strip = tab.closest(".tabs");
  strip.scrollLeft = tab.offsetLeft - (strip.clientWidth - tab.offsetWidth) / 2;
}

// A token in the address goes into its field, and out of the address bar and the history.
const field = document.querySelector("[data-token-field]");
const take = () => {
  const address = new URL(location.href);
  const inFragment = new URLSearchParams(address.hash.slice(1)).get("token") ?? "";
  const token = inFragment || address.searchParams.get("token") || address.searchParams.get("invitation") || "";
  if (token) {
    field.value = token;
    field.removeAttribute("aria-invalid");
  }
  if (token || address.hash) {
    for (const name of ["token", "invitation"]) address.searchParams.delete(name);
    history.replaceState(null, "", address.pathname + address.search);
  }
  if (field.value && !document.querySelector("[aria-invalid]")) {
    field.closest("[data-token-wanted]").hidden = true;
    field.form.querySelector("input:not([type=hidden]):not([data-token-field]), button")?.focus();
  }
};
if (field) {
  take();
  // A link that is opened where the page is open already changes the fragment alone.
  addEventListener("hashchange", () => { if (location.hash) take(); });
}

for (const button of document.querySelectorAll("[data-reveal]")) {
  const input = document.getElementById(button.dataset.reveal);
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.firstChild.data = shown ? say("Show") : say("Hide");
    button.setAttribute("aria-pressed", String(!shown));
  });
  // A password manager should see a password when the form is sent.
  input.form.addEventListener("submit", () => { input.type = "password"; });
}

for (const box of document.querySelectorAll("[data-meter]")) {
  const least = Number(box.dataset.meter);
  const [input, meter, words] = ["input", "meter", "[data-meter-text]"].map((part) => box.querySelector(part));
  meter.hidden = false;
  const measure = () => {
    const length = [...input.value.normalize("NFC")].length;
    meter.value = Math.min(length, least);
    meter.classList.toggle("enough", length >= least);
    const short = length > 0 && length < least;
    if (short) words.textContent = count("{length} of at least {count} character.|{length} of at least {count} characters.", least, { length });
    else if (length === 0) words.textContent = count("At least {count} character.|At least {count} characters.", least);
    else words.textContent = count("At least {count} character: {length}.|At least {count} characters: {length}.", least, { length });
  };
  input.addEventListener("input", measure);
  measure();
}

// One click is one request, however impatient.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    const buttons = form.querySelectorAll("button[type=submit]");
    setTimeout(() => { for (const button of buttons) button.disabled = true; });
    form.setAttribute("aria-busy", "true");
  });
}
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const button of document.querySelectorAll("form[data-once] button[type=submit]")) button.disabled = false;
});

// The word that has to be typed.
for (const input of document.querySelectorAll("[data-word]")) {
  const button = input.form.querySelector("button[type=submit]");
  const compare = () => { button.disabled = input.value.trim() !== input.dataset.word; };
  input.addEventListener("input", compare);
  compare();
}

// Signing in with a second factor: the password stays where it was typed, and the code is asked for beside it.
const entrance = document.querySelector("form[data-sign-in]:not([data-second-step])");
entrance?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = entrance.querySelector("button[type=submit]");
  if (button.disabled) return;
  button.disabled = true;
  const body = new URLSearchParams(new FormData(entrance));
  try {
    const answer = await fetch(entrance.action, { method: "POST", body, headers: { Accept: "text/html" }, credentials: "same-origin", redirect: "manual" });
    if (answer.type === "opaqueredirect") {
      location.assign(entrance.dataset.signIn || "/");
      return;
    }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = fresh.querySelector("main");
    const second = fresh.querySelector("[data-second-step]");
    if (second) {
      const code = second.querySelector("[name=code]").closest(".field");
      document.querySelector("#sign-title").textContent = fresh.querySelector("#sign-title").textContent;
      for (const one of entrance.querySelectorAll(".field, .beside, .others")) one.hidden = !one.contains(button);
      for (const old of document.querySelectorAll(".sign > .alarm, .sign > .aside")) old.hidden = true;
      entrance.querySelector("[name=code]")?.closest(".field").remove();
      const words = entrance.querySelector("[data-second-words]") ?? document.createElement("p");
      words.dataset.secondWords = "";
      words.className = "muted";
      words.textContent = second.querySelector("p.muted").textContent;
      if (!words.isConnected) entrance.prepend(words);
      button.before(code);
      code.querySelector("input").focus();
    } else if (fresh.querySelector("form[data-sign-in]")) {
      for (const old of document.querySelectorAll(".sign > .alarm")) old.remove();
      const words = fresh.querySelector("#problem p, .field-error span")?.textContent ?? "That was not right.";
      const alarm = fresh.querySelector("#problem") ?? Object.assign(document.createElement("div"), { className: "alarm", id: "problem" });
      alarm.setAttribute("role", "alert");
      if (!alarm.querySelector("p")) alarm.append(document.createElement("p"));
      alarm.querySelector("p").textContent = words;
      entrance.before(alarm);
      entrance.elements.password.select();
      entrance.elements.password.focus();
    } else {
      document.querySelector("main").replaceWith(document.adoptNode(main));
    }
  } catch {
    entrance.submit();
    return;
  }
  button.disabled = false;
});

// Questions before what is hard to undo.
const ask = (words, text, label, danger) =>
  new Promise((done) => {
    const dialog = document.createElement("dialog");
    dialog.className = "dialog";
    dialog.setAttribute("aria-labelledby", "ask-title");
    const form = document.createElement("form");
    form.method = "dialog";
    const title = document.createElement("h2");
    title.id = "ask-title";
    title.textContent = words;
    const row = document.createElement("p");
    row.className = "row end";
    for (const [text, value, kind] of [[say("Cancel"), "", ""], [label, "yes", danger ? "danger-button" : "primary"]]) {
      const button = document.createElement("button");
      button.className = `button ${kind}`;
      button.value = value;
      button.textContent = text;
      row.append(button);
    }
    form.append(title);
    if (text) form.append(Object.assign(document.createElement("p"), { className: "muted", textContent: text }));
    form.append(row);
    dialog.append(form);
    document.body.append(dialog);
    dialog.addEventListener("close", () => { dialog.remove(); done(dialog.returnValue === "yes"); });
    dialog.showModal();
  });

addEventListener("submit", async (event) => {
  const button = event.submitter;
  if (!button?.dataset.ask || button.dataset.sure) return;
  event.preventDefault();
  if (await ask(button.dataset.ask, button.dataset.askText, button.dataset.askLabel ?? button.textContent.trim(), button.matches(".danger, .danger-button"))) {
    button.dataset.sure = "yes";
    // Who is asked here is not asked on another page again.
    const sure = button.form.elements.namedItem("sure");
    if (sure) sure.value = "yes";
    button.form.requestSubmit(button);
  } else button.focus();
}, true);

// What is shown once is shown once: a reload asks for the page before, not for another key.
const once = document.querySelector("[data-shown-once]");
if (once) history.replaceState(null, "", once.dataset.shownOnce);

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const source = button.closest("section, .card").querySelector("[data-copy-source]");
    const lines = source.querySelectorAll("li");
    copy(button, lines.length ? [...lines].map((one) => one.textContent.trim()).join("\n") : source.textContent);
  });
}
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

// Fields that only one of the choices needs.
for (const box of document.querySelectorAll("[data-when]")) {
  const form = box.closest("form");
  const show = () => {
    const wanted = form.querySelector(`[name=how][value=${box.dataset.when}]`).checked;
    box.hidden = !wanted;
    box.querySelector("input").required = wanted;
  };
  form.addEventListener("change", show);
  show();
}

// What is wrong is where the person looks first.
if (!document.querySelector("[autofocus]")) document.querySelector("[aria-invalid=true]")?.focus();
