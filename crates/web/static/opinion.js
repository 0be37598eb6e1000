// Whether an answer helped: told to the server without leaving the page. Without this script it is a form.

import { call, freshKey } from "./api.js";
import { notice } from "./notices.js";
import { announce } from "./transcript.js";
import { say } from "./say.js";

const talk = document.querySelector(".talk");

export function begin() {
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-opinion]")) return;
    event.preventDefault();
    tell(event.target, event.submitter);
  });
}

async function tell(form, button) {
  const message = form.closest(".message").dataset.message;
  const thumbs = [...form.querySelectorAll("[aria-pressed]")];
  const before = thumbs.find((one) => one.getAttribute("aria-pressed") === "true")?.dataset.rating ?? null;
  const pressed = button?.dataset.rating ?? "same";
  const rating = pressed === "same" ? before : pressed === before ? null : pressed;
  const why = () => form.querySelector("details");
  const show = (rating) => {
    for (const one of thumbs) {
      one.setAttribute("aria-pressed", String(one.dataset.rating === rating));
      one.value = one.dataset.rating === rating ? "none" : one.dataset.rating;
    }
    // Made when it is wanted: Chrome looks at every field of a page again and again, and a long conversation has many answers.
    if (rating && !why()) form.append(document.getElementById("opinion-template").content.cloneNode(true));
    if (why()) why().hidden = !rating;
  };
  show(rating);
  try {
    const words = why()?.querySelector("textarea");
    const comment = rating && words.value.trim() ? words.value : null;
    const path = `/api/v1/conversations/${encodeURIComponent(talk.dataset.conversation)}/messages/${encodeURIComponent(message)}/feedback`;
    await call("POST", path, { body: { rating, comment }, key: freshKey() });
    if (pressed === "same") {
      const summary = why().querySelector("summary");
      why().open = false;
      summary.textContent = say("Change what you wrote");
      summary.focus();
      announce(say("Thank you. What you wrote was sent."));
    } else {
      announce(rating ? say("Thank you.") : say("Taken back."));
      if (rating === "down") {
        why().open = true;
        words.focus();
      }
    }
  } catch (error) {
    show(before);
    notice({ text: error.message });
  }
}
