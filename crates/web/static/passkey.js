// Asks the browser for passkeys. It speaks to no server: options come in and answers go out as JSON, with bytes as
// base64url.

import { say } from "./say.js";

/** What went wrong, with a sentence to show. `code` is "cancelled" when nobody has to be told anything. */
export class PasskeyProblem extends Error {
  constructor(code, sentence, cause) {
    super(sentence, { cause });
    this.code = code;
  }
}

const known = () => globalThis.PublicKeyCredential;

/**
 * Whether passkeys of `party` (the id of the relying party, a host) can be used on this page. Not over plain HTTP, not
 * under an address such as 127.0.0.1, not on a host that is neither the party's nor below it.
 */
export function available(party) {
  const host = location.hostname;
  return Boolean(party && isSecureContext && known() && navigator.credentials) &&
    (host === party || host.endsWith(`.${party}`));
}

/** Whether the browser can offer passkeys among the suggestions of an input field (`autocomplete="username webauthn"`). */
export async function fillable() {
  try {
    return Boolean(await known()?.isConditionalMediationAvailable?.());
  } catch {
    return false;
  }
}

/** Makes a passkey. Takes the options and gives the answer as the server knows them. */
export async function create(options, { signal } = {}) {
  const publicKey = parsed("parseCreationOptionsFromJSON", options, () => ({
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: options.excludeCredentials?.map(descriptor),
  }));
  const credential = await asked("create", { publicKey, signal });
  const { response } = credential;
  return answer(credential, {
    attestationObject: text(response.attestationObject),
    transports: response.getTransports?.() ?? [],
  });
}

/** Uses a passkey. With `fill` the browser asks nothing and waits until one of its suggestions is taken. */
export async function get(options, { signal, fill = false } = {}) {
  const publicKey = parsed("parseRequestOptionsFromJSON", options, () => ({
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: options.allowCredentials?.map(descriptor),
  }));
  const credential = await asked("get", { publicKey, signal, ...(fill && { mediation: "conditional" }) });
  const { response } = credential;
  return answer(credential, {
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
    userHandle: response.userHandle?.byteLength ? text(response.userHandle) : null,
  });
}

/** Tells the browser that the server has removed a passkey, so that it is not offered again. */
export async function forget(party, credential) {
  try {
    await known()?.signalUnknownCredential?.({ rpId: party, credentialId: credential });
  } catch {
    // A courtesy. The server refuses the passkey in any case.
  }
}

const descriptor = (one) => ({ ...one, id: bytes(one.id) });

// Older browsers cannot read the options themselves.
const parsed = (way, options, otherwise) => (known()[way] ? known()[way](options) : otherwise());

async function asked(what, options) {
  let credential;
  try {
    credential = await navigator.credentials[what](options);
  } catch (error) {
    throw problem(what, error);
  }
  if (!credential) throw problem(what, null);
  return credential;
}

// Put together by hand: where a password manager stands in for the browser, `toJSON` is missing or fails.
function answer(credential, response) {
  const id = text(credential.rawId);
  return {
    id,
    rawId: id,
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? null,
    response: { clientDataJSON: text(credential.response.clientDataJSON), ...response },
    clientExtensionResults: { credProps: credential.getClientExtensionResults?.()?.credProps ?? {} },
  };
}

const sentences = {
  create: {
    // Browsers do not tell one who said no from one who said nothing.
    NotAllowedError: ["refused", say("No passkey was made: the request was cancelled, or took too long. Try again.")],
    InvalidStateError: ["exists", say("This device already has a passkey for your account.")],
    ConstraintError: ["unable", say("This device cannot verify you. Set up a screen lock or a PIN first.")],
    NotSupportedError: ["unable", say("This device cannot make passkeys of the kind that is needed.")],
  },
  get: {
    NotAllowedError: ["refused", say("No passkey was used: the request was cancelled, or took too long. Try again.")],
    NotSupportedError: ["unable", say("This device cannot use passkeys of the kind that is needed.")],
  },
};

function problem(what, error) {
  if (error?.name === "AbortError") return new PasskeyProblem("cancelled", say("The request was cancelled."), error);
  if (error?.name === "SecurityError") {
    return new PasskeyProblem("address", say("Passkeys do not work under this address. Open the page under its proper one."), error);
  }
  const [code, sentence] = sentences[what][error?.name] ??
    ["failed", say("The browser could not use a passkey. Try again, or sign in another way.")];
  return new PasskeyProblem(code, sentence, error);
}

const text = (buffer) =>
  btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
