// Reads server-sent events from the body of a fetch. EventSource cannot POST and hides errors, so this is our own.

// One event may not be longer than this many characters: an answer comes in small pieces.
const LONGEST = 4 * 1024 * 1024;

/**
 * The events of a stream, each as `{ type, data, id }`, in order. Comments are left out. Ends when the stream does;
 * throws what the stream throws. `signal` ends it early.
 */
export async function* events(body, signal) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const abort = () => reader.cancel().catch(() => {});
  signal?.addEventListener("abort", abort);
  let rest = "";
  let event = empty();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += value;
      if (rest.length > LONGEST) throw new Error("an event is too long");
      let from = 0;
      for (;;) {
        const end = lineEnd(rest, from);
        if (!end) break;
        const line = rest.slice(from, end.at);
        from = end.next;
        if (line === "") {
          if (event.data.length > 0) yield { type: event.type, data: event.data.join("\n"), id: event.id };
          event = empty();
        } else {
          field(event, line);
        }
      }
      rest = rest.slice(from);
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    abort();
  }
}

const empty = () => ({ type: "message", data: [], id: undefined });

// A line ends with \n, \r\n or \r. A \r at the very end of what has arrived may be half of \r\n: wait for more.
function lineEnd(text, from) {
  for (let i = from; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (c === 10) return { at: i, next: i + 1 };
    if (c === 13) {
      if (i + 1 === text.length) return null;
      return { at: i, next: text.charCodeAt(i + 1) === 10 ? i + 2 : i + 1 };
    }
  }
  return null;
}

function field(event, line) {
  const colon = line.indexOf(":");
  if (colon === 0) return;
  const name = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
  if (name === "event") event.type = value;
  else if (name === "data") event.data.push(value);
  else if (name === "id") event.id = value;
}
