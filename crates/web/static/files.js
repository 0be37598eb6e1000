// Ticking several files at once. Without this script the ticks and the buttons work as they are.

import { count, say } from "./say.js";

// The dialog asks here, so the page that asks is not needed.
for (const button of document.querySelectorAll("button[name=sure][data-ask]")) button.value = "yes";

const picks = () => [...document.querySelectorAll("[data-pick]")].filter((one) => !one.closest("[hidden]"));

function tell() {
  const all = picks();
  const ticked = all.filter((one) => one.checked);
  // A folder stands for all of its files.
  const files = new Set(ticked.flatMap((one) => one.value.split(","))).size;
  const text = files === 0 ? say("Nothing is ticked.") : count("{count} file is ticked.|{count} files are ticked.", files);
  for (const words of document.querySelectorAll("[data-picked-words]")) if (words.textContent !== text) words.textContent = text;
  for (const button of document.querySelectorAll("[data-picked-only]")) button.disabled = files === 0;
  for (const box of document.querySelectorAll("[data-all]")) {
    box.closest("label").hidden = false;
    box.checked = all.length > 0 && ticked.length === all.length;
    box.indeterminate = ticked.length > 0 && ticked.length < all.length;
  }
}

addEventListener("change", (event) => {
  if (event.target.matches?.("[data-all]")) for (const one of picks()) one.checked = event.target.checked;
  else if (!event.target.matches?.("[data-pick]")) return;
  // The same file in two findings is one file: it goes or it stays.
  if (event.target.matches("[data-pick]")) for (const one of picks()) if (one.value === event.target.value) one.checked = event.target.checked;
  tell();
});

// The list is read again after uploads, and rows go and come back.
const list = document.querySelector("#list");
if (list) new MutationObserver(tell).observe(list.parentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["hidden"] });
addEventListener("pageshow", tell);
tell();
