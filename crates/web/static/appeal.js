// "This was a mistake": what a person says against a refusal. A refused text is stored nowhere, so it is sent along, and
// the person is asked before.

import { call, freshKey } from "./api.js";
import { notice } from "./notices.js";
import { say } from "./say.js";
import { announce } from "./transcript.js";

const talk = document.querySelector(".talk");
const REFUSALS = ["content_blocked", "spam"];

/** What a notice about a refusal offers; nothing when the text was not refused for what it says. */
export function against(error, text) {
  if (!REFUSALS.includes(error.code)) return undefined;
  return { label: say("This was a mistake"), run: () => ask(text) };
}

function ask(text) {
  notice({
    text: say("Your message was not stored. Shall it be sent along, sealed, so that a person can look at it?"),
    action: { label: say("Send it along"), run: () => send(text) },
    calm: true,
  });
}

async function send(text) {
  try {
    await call("POST", `/api/v1/apps/${encodeURIComponent(talk.dataset.app)}/appeals`, { body: { text }, key: freshKey() });
    notice({ text: say("Thank you. A person will look at it."), calm: true });
  } catch (error) {
    notice({ text: error.message, calm: true });
  }
}

export function begin() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-appeal]");
    if (!button) return;
    const message = button.closest(".message").dataset.message;
    button.disabled = true;
    try {
      const path = `/api/v1/conversations/${encodeURIComponent(talk.dataset.conversation)}/messages/${encodeURIComponent(message)}/appeal`;
      await call("POST", path, { body: {}, key: freshKey() });
      button.replaceWith(say("Thank you. A person will look at it."));
      announce(say("Thank you. A person will look at it."));
    } catch (error) {
      button.disabled = false;
      notice({ text: error.message });
    }
  });
}
