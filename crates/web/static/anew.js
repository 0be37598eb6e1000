// Other answers and other words: the buttons below messages, and the form in which one's own words are changed.

/** `again(message)` asks for another answer, `goOn(message)` for the rest of one, `edit(message, words)` says it in other words, `over(id)` goes to a version. */
export function begin({ again, goOn, edit, over }) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-answer-again], [data-go-on], [data-edit-message], [data-version], [data-edit-cancel]");
    if (!button) return;
    const message = button.closest(".message");
    if (button.matches("[data-answer-again]")) again(message);
    else if (button.matches("[data-go-on]")) goOn(message);
    else if (button.matches("[data-edit-message]")) open(message, edit);
    else if (button.matches("[data-edit-cancel]")) close(message);
    else if (button.dataset.version) over(button.dataset.version);
  });
}

function open(message, edit) {
  const bubble = message.querySelector(".bubble");
  const form = document.getElementById("edit-template").content.firstElementChild.cloneNode(true);
  const words = form.querySelector("textarea");
  words.value = bubble.textContent;
  bubble.hidden = true;
  message.querySelector(".message-foot").hidden = true;
  bubble.after(form);
  words.focus();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = words.value.trim();
    if (!text) return;
    const before = bubble.textContent.trim();
    close(message);
    if (text !== before) edit(message, text);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close(message);
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
}

function close(message) {
  message.querySelector(".edit-words")?.remove();
  message.querySelector(".bubble").hidden = false;
  message.querySelector(".message-foot").hidden = false;
  message.querySelector("[data-edit-message]").focus();
}
