// The small script of every page. It runs before the first paint: the chosen colours, so that nothing flashes,
// and menus that close when somebody clicks elsewhere or presses Escape.
(() => {
  const root = document.documentElement;
  const texts = globalThis.stoaTexts ?? {};
  const say = (text) => texts[text] ?? text;
  const names = { auto: say("Colours: as the system says"), light: say("Colours: light"), dark: say("Colours: dark"), contrast: say("Colours: high contrast") };
  const order = ["auto", "light", "dark", "contrast"];

  // Storage may be forbidden; then the choice lasts as long as the page.
  const stored = () => {
    try { return localStorage.getItem("stoa.theme"); } catch { return null; }
  };
  const store = (theme) => {
    try { localStorage.setItem("stoa.theme", theme); } catch { /* see above */ }
  };
  const chosen = () => root.dataset.theme ?? "auto";
  const more = matchMedia("(prefers-contrast: more)");
  const apply = (theme) => {
    if (theme !== "auto" && order.includes(theme)) root.dataset.theme = theme;
    else delete root.dataset.theme;
    root.toggleAttribute("data-contrast", theme === "contrast" || more.matches);
    // The bar of a phone around the page takes the chosen paper too.
    const paper = { light: "#fbfaf8", dark: "#14171c" }[chosen()];
    for (const meta of document.querySelectorAll("meta[name=theme-color]")) {
      meta.dataset.own ??= meta.content;
      meta.content = paper ?? meta.dataset.own;
    }
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.setAttribute("aria-label", names[chosen()]);
    }
  };

  apply(stored());
  more.addEventListener("change", () => apply(chosen()));
  addEventListener("DOMContentLoaded", () => apply(stored() ?? chosen()));
  addEventListener("storage", (event) => { if (event.key === "stoa.theme") apply(event.newValue); });

  const closeMenus = (except) => {
    let closed = null;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (menu === except) continue;
      menu.open = false;
      closed = menu;
    }
    return closed;
  };
  document.addEventListener("click", (event) => {
    closeMenus(event.target.closest?.("details.menu"));
    if (event.target.closest?.("[data-theme-switch]")) {
      const next = order[(order.indexOf(chosen()) + 1) % order.length];
      store(next);
      apply(next);
    }
  });
  // Whoever chooses a language comes back to where they are, also when the page went on without being loaded anew.
  document.addEventListener("submit", (event) => {
    const back = event.target.closest?.(".language-menu form")?.elements.return_to;
    if (back) back.value = location.pathname + location.search;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeMenus()?.querySelector("summary").focus();
  });
})();
