// Keys that press buttons. What there is stands in the sheet of shortcuts, which the server writes from one table; an
// action is there when its button can be seen. Nothing happens while somebody types, and all of it can be switched off.

const sheet = document.getElementById("shortcuts");
const paletteBox = document.getElementById("palette");
const onSwitch = sheet.querySelector("[data-shortcuts-on]");
const apple = /Mac|iPhone|iPad/.test(navigator.platform);
const STORE = "stoa.shortcuts";
// The parts of a page, in the order in which they are read. The first that can be seen of each line counts.
const REGIONS = [[".side", ".tabs", ".contents"], [".bar", ".top"], [".scroll", "#main"], [".composer"]];

const visible = (one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest("[inert]") && !one.disabled;
const buttons = (at) => (at ? [...document.querySelectorAll(at)].filter(visible) : []);

/** Every action of the registry: `{ id, name, keys }`. */
export const actions = [...sheet.querySelectorAll("[data-command]")].map((row) => ({
  id: row.dataset.command,
  name: row.querySelector("dt").textContent,
  keys: row.dataset.keys,
  at: row.dataset.at,
  row,
}));

const own = {
  palette: () => import("./palette.js").then((palette) => palette.open(actions.filter(offered), { run, label })),
  shortcuts: () => { refreshSheet(); sheet.showModal(); },
  region: () => nextRegion(1),
  next: () => nextMessage(1),
  previous: () => nextMessage(-1),
};

/** Whether something can be done here and now. */
function offered(action) {
  if (action.id === "next" || action.id === "previous") return Boolean(document.querySelector(".message"));
  return action.id in own || buttons(action.at).length > 0;
}

/** Does it: what no script does is the press of a button. */
function run(action) {
  if (own[action.id]) {
    own[action.id]();
    return;
  }
  const found = buttons(action.at).at(-1);
  if (!found) return;
  found.scrollIntoView({ block: "nearest" });
  // The focus goes along, as it would with a press of Enter.
  found.focus({ preventScroll: true });
  if (!found.matches("input, textarea")) found.click();
}

/** The keys as people read them. */
const label = ({ keys }) => keys.replace("Mod", apple ? "⌘" : "Ctrl").replace("+", apple ? "" : " ");

const isOn = () => {
  try { return localStorage.getItem(STORE) !== "off"; } catch { return true; }
};

function typing(target) {
  return Boolean(target.closest?.("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=button], [type=submit])"));
}

function wanted(event) {
  const mod = apple ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
  if (event.key.toLowerCase() === "k" && mod && !event.altKey && !event.shiftKey) return "Mod+K";
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (event.key === "F6") return "F6";
  return typing(event.target) || event.key.length !== 1 ? null : event.key;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.repeat && event.key !== "j" && event.key !== "k") return;
  const keys = wanted(event);
  if (!keys || !isOn()) return;
  if (keys === "Mod+K" && paletteBox.open) {
    event.preventDefault();
    paletteBox.close();
    return;
  }
  if (document.querySelector("dialog[open], :popover-open")) return;
  const action = actions.find((one) => one.keys === keys && offered(one));
  if (!action) return;
  event.preventDefault();
  if (action.id === "region") nextRegion(event.shiftKey ? -1 : 1);
  else run(action);
});

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-open-palette]")) own.palette();
  else if (event.target.closest?.("[data-open-shortcuts]")) own.shortcuts();
  // A press beside a dialog of these closes it.
  else if (event.target === sheet || event.target === paletteBox) event.target.close();
});

function nextRegion(step) {
  const places = REGIONS.map((names) => names.map((css) => buttons(css)[0]).find(Boolean)).filter(Boolean);
  const here = places.findIndex((place) => place.contains(document.activeElement));
  const place = places.at((here < 0 ? (step > 0 ? 0 : -1) : here + step) % places.length);
  const first = place?.matches(".scroll, #main") ? place : buttonsIn(place)[0] ?? place;
  if (first === place && !place.hasAttribute("tabindex")) place.tabIndex = -1;
  first?.focus();
}

const buttonsIn = (place) => [...place.querySelectorAll("a[href], button, summary, input, textarea, select")].filter(visible);

function nextMessage(step) {
  const all = [...document.querySelectorAll(".message")];
  const here = all.indexOf(document.activeElement?.closest(".message"));
  const to = here < 0 ? all.at(-1) : all[Math.min(all.length - 1, Math.max(0, here + step))];
  if (!to) return;
  to.tabIndex = -1;
  to.focus({ preventScroll: true });
  to.scrollIntoView({ block: "nearest" });
}

// What a button says of itself names its key too.
function explain(event) {
  const button = event.target.closest?.("button, a, summary");
  if (!button || button.dataset.explained) return;
  const action = actions.find((one) => one.keys && one.at && button.matches(one.at));
  if (!action || !isOn()) return;
  button.dataset.explained = "yes";
  button.title = `${button.title || button.getAttribute("aria-label") || action.name} (${label(action)})`;
  if (action.keys.length === 1) button.setAttribute("aria-keyshortcuts", action.keys.toUpperCase());
  else if (action.keys.startsWith("Mod")) button.setAttribute("aria-keyshortcuts", apple ? "Meta+K" : "Control+K");
}
document.addEventListener("pointerover", explain, { passive: true });
document.addEventListener("focusin", explain);

// What cannot be done on this page is left out of the sheet.
function refreshSheet() {
  for (const action of actions) action.row.hidden = !action.keys || !(offered(action) || action.id === "stop" && document.querySelector("[data-stop]"));
  for (const group of sheet.querySelectorAll("section")) group.hidden = !group.querySelector("[data-command]:not([hidden])");
  onSwitch.checked = isOn();
}
if (apple) for (const key of sheet.querySelectorAll("kbd")) if (key.textContent === "Ctrl") key.textContent = "⌘";
onSwitch.addEventListener("change", () => {
  try {
    if (onSwitch.checked) localStorage.removeItem(STORE);
    else localStorage.setItem(STORE, "off");
  } catch { /* Storage is forbidden: they stay on. */ }
});

// The installed app has a page for when there is no network; in a tab the browser has one of its own.
if (matchMedia("(display-mode: standalone)").matches) navigator.serviceWorker?.register("/sw.js").catch(() => {});
