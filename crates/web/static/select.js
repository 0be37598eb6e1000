// Several conversations at once: picked by boxes in the list, and what is done with all of them.

import { arrangeMany } from "./arrange.js";
import { complain, confirmWith } from "./sidebar.js";

const talk = document.querySelector(".talk");
const shelves = document.querySelector("[data-shelves]");
const bar = document.querySelector("[data-pick-bar]");
const count = document.querySelector("[data-pick-count]");
const begin_ = document.querySelector("[data-pick-begin]");
const deleteDialog = document.getElementById("bulk-delete-dialog");

export const picked = () =>
  [...shelves.querySelectorAll("[data-pick]:checked")].map((box) => box.closest(".conversation").dataset.conversation);

function tell() {
  const { length } = picked();
  count.textContent = length === 0 ? "None selected" : `${length} selected`;
  for (const button of bar.querySelectorAll("[data-bulk]")) button.disabled = length === 0;
}

export function pick(on, first = null) {
  shelves.classList.toggle("picking", on);
  bar.hidden = !on;
  for (const box of shelves.querySelectorAll("[data-pick]")) {
    box.hidden = !on;
    box.tabIndex = on ? 0 : -1;
    if (!on) box.checked = false;
  }
  if (on) {
    (first ?? shelves.querySelector("[data-pick]"))?.focus();
    tell();
  } else {
    begin_.focus();
  }
}

async function all(body) {
  try {
    await arrangeMany(picked(), body);
    if (body.delete && picked().includes(talk.dataset.conversation)) {
      location.assign(`/apps/${encodeURIComponent(talk.dataset.app)}`);
    } else {
      location.reload();
    }
  } catch (error) {
    complain(error);
  }
}

/** `choose` asks where to or which tags, and gives what is to change; nothing when the person thought better of it. */
export function begin(choose) {
  begin_.addEventListener("click", () => pick(true));
  document.querySelector("[data-pick-end]").addEventListener("click", () => pick(false));
  shelves.addEventListener("change", (event) => {
    if (event.target.matches("[data-pick]")) tell();
  });
  shelves.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && shelves.classList.contains("picking")) pick(false);
  });
  bar.addEventListener("click", async (event) => {
    const what = event.target.closest("[data-bulk]")?.dataset.bulk;
    if (!what) return;
    if (what === "archive") return all({ archived: shelves.dataset.view !== "archive" });
    if (what === "delete") {
      const { length } = picked();
      deleteDialog.querySelector("[data-delete-name]").textContent =
        length === 1 ? "One conversation" : `${length} conversations`;
      deleteDialog.returnValue = "";
      deleteDialog.showModal();
      return;
    }
    const body = await choose(what).catch(complain);
    if (body) all(body);
  });
  confirmWith(deleteDialog, () => all({ delete: true }));
}
