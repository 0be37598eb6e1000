// The pages without a chat: copying commands, counting down, filtering the reference.

import { copy, reachable } from "./reading.js";
import { say } from "./say.js";

for (const pre of document.querySelectorAll("pre")) {
  const box = document.createElement("div");
  box.className = "copyable";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button small";
  const words = document.createElement("span");
  words.textContent = say("Copy");
  button.append(words);
  button.addEventListener("click", () => copy(button, pre.textContent));
  pre.replaceWith(box);
  box.append(pre, button);
  reachable(pre);
}

for (const place of document.querySelectorAll("[data-countdown]")) {
  const until = Date.now() + Number(place.dataset.countdown) * 1000;
  const timer = setInterval(() => {
    const left = Math.ceil((until - Date.now()) / 1000);
    place.textContent = left > 0 ? say("You can try again in {seconds} s.", { seconds: left }) : say("You can try again now.");
    if (left <= 0) clearInterval(timer);
  }, 1000);
}

document.querySelector("[data-reload]")?.addEventListener("click", (event) => {
  event.preventDefault();
  location.reload();
});

const filter = document.querySelector("[data-filter]");
filter?.addEventListener("input", () => {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const group of document.querySelectorAll("[data-filter-group]")) {
    let any = false;
    for (const item of group.querySelectorAll("[data-filter-item]")) {
      const text = item.dataset.filterItem.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
      any ||= !item.hidden;
    }
    group.hidden = !any;
  }
});
