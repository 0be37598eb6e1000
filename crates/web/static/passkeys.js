// Passkeys on the pages: signing in with one, also from the suggestions of the address field, and adding one.

import { available, create, fillable, get } from "./passkey.js";
import { say, told } from "./say.js";

const post = async (path, body) => {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body ?? {}),
    credentials: "same-origin",
    redirect: "error",
  });
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(told(data.detail, data.title) || say("Something went wrong.")), { status: answer.status, code: data.code });
  return data;
};

const tell = (error) => {
  const place = document.querySelector("[data-passkey-problem]");
  place.hidden = !error || error.code === "cancelled";
  place.textContent = error?.message ?? "";
};

const entry = document.querySelector("[data-passkey-sign-in]");
if (entry && globalThis.PublicKeyCredential) {
  const button = entry.querySelector("[data-passkey-button]");
  const finish = async (state, answer) => {
    await post("/sign-in/passkey", { state, answer });
    location.assign(entry.dataset.returnTo || "/");
  };
  let waiting = new AbortController();
  const begin = () => post("/sign-in/passkey/begin");

  button.addEventListener("click", async () => {
    tell(null);
    waiting.abort();
    button.disabled = true;
    try {
      const { options, state } = await begin();
      await finish(state, await get(options));
    } catch (error) {
      tell(error);
    }
    button.disabled = false;
  });

  // Whether passkeys work under this address is known to the server's options; asked once the page is there.
  (async () => {
    try {
      const { options, state } = await begin();
      if (!available(options.rpId)) return;
      entry.hidden = false;
      button.hidden = false;
      if (!(await fillable())) return;
      await finish(state, await get(options, { fill: true, signal: waiting.signal }));
    } catch (error) {
      if (!["cancelled", "refused"].includes(error.code) && error.status === undefined) tell(error);
    }
  })();
}

const adding = document.querySelector("[data-passkey-add]");
adding?.addEventListener("submit", async (event) => {
  event.preventDefault();
  tell(null);
  const button = adding.querySelector("button");
  button.disabled = true;
  try {
    const { options, state } = await post("/api/v1/me/passkeys/begin");
    if (!available(options.rp?.id)) throw new Error(say("Passkeys do not work under this address: they need HTTPS and the server’s own name."));
    const name = adding.elements.name.value.trim() || say("Passkey");
    await post("/api/v1/me/passkeys/finish", { state, answer: await create(options), name });
    location.assign("/account/security?done=passkey");
    return;
  } catch (error) {
    if (error.status === 403) {
      // The last proof is too old: prove, then come back.
      location.assign("/account/prove?return_to=/account/security");
      return;
    }
    tell(error);
  }
  button.disabled = false;
});
