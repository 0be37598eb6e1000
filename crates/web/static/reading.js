// What makes written text pleasant to read: local times, copying, links that keep the page, passages at hand.

import { locale, say } from "./say.js";

const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const date = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
const hour = new Intl.DateTimeFormat(locale, { timeStyle: "short" });

/** Prepares the text below `root`: an answer that has just arrived, or the whole page. Safe to call again. */
export function prepare(root) {
  for (const time of root.querySelectorAll("time[data-local]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.textContent = time.dataset.local === "day" ? date.format(at) : (Math.abs(Date.now() - at) < 12 * 60 * 60 * 1000 ? hour : day).format(at);
    time.title = day.format(at);
    time.removeAttribute("data-local");
  }
  const frame = document.getElementById("code-template");
  for (const code of frame ? root.querySelectorAll(".prose > pre > code, .prose :is(li, blockquote) > pre > code") : []) {
    const pre = code.parentElement;
    const box = frame.content.firstElementChild.cloneNode(true);
    const language = [...code.classList].find((name) => name.startsWith("language-"));
    box.querySelector(".code-language").textContent = language ? language.slice("language-".length) : say("text");
    pre.replaceWith(box);
    box.append(pre);
    reachable(pre);
  }
  for (const wide of root.querySelectorAll(".prose table, .prose math[display=block]")) {
    if (wide.parentElement.matches(".wide")) continue;
    const box = document.createElement("div");
    box.className = "wide";
    wide.replaceWith(box);
    box.append(wide);
    reachable(box);
  }
}

// Sizes are looked at when the browser has them: asking for them would lay out a long transcript again each time.
const widths = new ResizeObserver((entries) => {
  const wide = entries.filter(({ target }) => target.scrollWidth > target.clientWidth);
  for (const { target } of wide) target.tabIndex = 0;
});

/** What is wider than its place can be scrolled with the keyboard too. */
export function reachable(box) {
  widths.observe(box);
}

/** Copies text and says so on the button. */
export async function copy(button, text) {
  const words = button.querySelector("span");
  const before = button.dataset.words ?? words.textContent;
  button.dataset.words = before;
  try {
    await navigator.clipboard.writeText(text);
    words.textContent = say("Copied");
  } catch {
    // Without a secure origin there is no clipboard: select the text, so that the keyboard can copy it.
    words.textContent = say("Press Ctrl+C");
    const source = button.closest(".code, .copyable")?.querySelector("pre") ?? button.closest(".message")?.querySelector(".prose");
    if (source) getSelection().selectAllChildren(source);
  }
  clearTimeout(Number(button.dataset.timer));
  button.dataset.timer = String(setTimeout(() => { words.textContent = before; }, 1600));
}

/** Gives a piece of code as a file, named after its language. */
function save(box) {
  const language = box.querySelector(".code-language").textContent;
  const endings = { text: "txt", rust: "rs", python: "py", javascript: "js", typescript: "ts", bash: "sh", shell: "sh", markdown: "md", csharp: "cs", kotlin: "kt", ruby: "rb", haskell: "hs", console: "sh" };
  const address = URL.createObjectURL(new Blob([box.querySelector("code").textContent], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = `code.${endings[language] ?? language.replace(/[^a-z0-9]/g, "") ?? "txt"}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Puts a floating box beside an element, inside the window. */
export function putBeside(box, anchor, { above = false } = {}) {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = box;
  const left = Math.max(12, Math.min(at.left, innerWidth - width - 12));
  const below = at.bottom + 6;
  const over = at.top - height - 6;
  const top = (above && over > 8) || below + height > innerHeight - 8 ? Math.max(8, over) : below;
  box.style.left = `${left}px`;
  box.style.top = `${top}px`;
}

/** Shows the passage behind a chip in a card beside it. */
function showPassage(chip, card) {
  const passage = document.getElementById(decodeURIComponent(chip.hash.slice(1)));
  const title = passage?.closest(".source")?.querySelector(".source-title");
  if (!passage || !card.showPopover) return false;
  const heading = document.createElement("strong");
  heading.textContent = title?.textContent ?? "";
  const text = passage.cloneNode(true);
  text.removeAttribute("id");
  text.removeAttribute("tabindex");
  // A footnote brings its own heading; in a card it is no item of a list.
  if (text.matches("li")) card.replaceChildren(...text.querySelector(".footnote-words").childNodes);
  else card.replaceChildren(heading, text);
  card.tabIndex = -1;
  card.showPopover();
  putBeside(card, chip);
  card.focus({ preventScroll: true });
  card.addEventListener("toggle", (event) => {
    if (event.newState === "closed" && (card.contains(document.activeElement) || document.activeElement === document.body)) {
      chip.focus({ preventScroll: true });
    }
  }, { once: true });
  return true;
}

/** Listens for clicks on what `prepare` and the server have put into the page. */
export function listen() {
  const card = document.getElementById("passage");
  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("a, button");
    if (!target) return;
    if (target.matches(".cite")) {
      if (card && showPassage(target, card)) event.preventDefault();
    } else if (target.matches(".prose a[href^='http']")) {
      target.target = "_blank";
    } else if (target.matches("[data-copy-code]")) {
      copy(target, target.closest(".code").querySelector("code").textContent);
    } else if (target.matches("[data-wrap-code]")) {
      const wrapped = target.closest(".code").classList.toggle("wrapped");
      target.setAttribute("aria-pressed", String(wrapped));
    } else if (target.matches("[data-save-code]")) {
      save(target.closest(".code"));
    } else if (target.matches("[data-copy-message]")) {
      copy(target, target.closest(".message").querySelector(".prose").innerText.trim());
    }
  });
}
