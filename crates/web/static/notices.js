// The line above the composer that says what is wrong and what can be done about it.

const place = document.querySelector("[data-notice]");
let ticking = 0;

export function clearNotice() {
  clearInterval(ticking);
  place.replaceChildren();
}

/**
 * Shows one notice. `action` is `{ label, run }`; `seconds` counts down inside the text where it says `{s}` and
 * then runs `after`. `calm` is for limits, which are nobody's fault.
 */
export function notice({ text, action, seconds, after, calm = false }) {
  clearNotice();
  const box = document.getElementById("notice-template").content.firstElementChild.cloneNode(true);
  const [words, act, dismiss] = ["p", "[data-act]", "[data-dismiss]"].map((part) => box.querySelector(part));
  box.classList.toggle("calm", calm);
  act.hidden = !action;
  if (action) {
    act.textContent = action.label;
    act.addEventListener("click", () => { clearNotice(); action.run(); });
  }
  dismiss.hidden = Boolean(seconds);
  dismiss.addEventListener("click", clearNotice);
  place.append(box);
  if (!seconds) {
    words.textContent = text;
    return;
  }
  const until = Date.now() + seconds * 1000;
  // The region is an alert, and would be read out again each second: only the first second is spoken.
  const shown = document.createElement("span");
  shown.setAttribute("aria-hidden", "true");
  const spoken = document.createElement("span");
  spoken.className = "hidden";
  spoken.textContent = text.replace("{s}", String(seconds));
  words.append(shown, spoken);
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    if (left > 0) {
      shown.textContent = text.replace("{s}", String(left));
      return;
    }
    clearNotice();
    after?.();
  };
  tick();
  ticking = setInterval(tick, 500);
}
