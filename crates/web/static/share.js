// The dialog that makes a link to a conversation.

import { Problem, freshKey, shareConversation } from "./api.js";

const dialog = document.getElementById("share-dialog");

/** Listens. `chosen()` gives the conversation that the menu was opened for. */
export function begin(chosen) {
  if (!dialog) return;
  const form = dialog.querySelector("[data-share]");
  const made = dialog.querySelector("[data-share-made]");
  const wrong = dialog.querySelector("[data-share-wrong]");
  const url = dialog.querySelector("[data-share-url]");
  const copy = dialog.querySelector("[data-share-copy]");
  let about = null;
  document.getElementById("conversation-menu").addEventListener("click", (event) => {
    if (!event.target.closest('[data-action="share"]')) return;
    about = chosen();
    form.reset();
    form.hidden = false;
    made.hidden = true;
    wrong.textContent = "";
    dialog.showModal();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const submit = form.querySelector("[type=submit]");
    submit.disabled = true;
    wrong.textContent = "";
    const wish = { expires_in_days: Number(form.elements.days.value), masked: form.elements.masked.checked };
    if (form.elements.password.value) wish.password = form.elements.password.value;
    try {
      const { url: address } = await shareConversation(about.id, wish, freshKey());
      url.value = address;
      dialog.querySelector("[data-share-open]").href = address;
      form.hidden = true;
      made.hidden = false;
      url.focus();
      url.select();
    } catch (error) {
      wrong.textContent = error instanceof Problem ? error.message : "Something went wrong.";
    }
    submit.disabled = false;
  });
  copy.addEventListener("click", async () => {
    url.select();
    // Without a secure origin there is no clipboard: then the line stays selected for the person to copy.
    await navigator.clipboard?.writeText(url.value).then(
      () => { copy.querySelector("span").textContent = "Copied"; },
      () => {},
    );
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-cancel]")) dialog.close();
  });
  dialog.addEventListener("close", () => {
    url.value = "";
    copy.querySelector("span").textContent = "Copy";
    if (about?.button.isConnected) about.button.focus();
  });
}
