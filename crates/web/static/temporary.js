// A conversation that goes by itself: chosen before the first message, said while it lasts, kept after all.

import { arrange } from "./arrange.js";
import { complain, promote } from "./sidebar.js";

const talk = document.querySelector(".talk");
const note = document.querySelector("[data-temporary-note]");
const chosen = document.querySelector("[data-make-temporary]");

export function begin() {
  chosen?.addEventListener("change", () => {
    note.hidden = !chosen.checked;
    note.querySelector("[data-keep]").hidden = true;
  });
  // The first message makes the conversation.
  new MutationObserver(() => {
    const lasts = "temporary" in talk.dataset;
    note.hidden = !lasts;
    note.querySelector("[data-keep]").hidden = !lasts;
  }).observe(talk, { attributeFilter: ["data-temporary"] });
  note.querySelector("[data-keep]").addEventListener("click", async () => {
    try {
      const kept = await arrange(talk.dataset.conversation, { temporary: false });
      delete talk.dataset.temporary;
      promote(kept.id, kept.title);
    } catch (error) {
      complain(error);
    }
  });
}
