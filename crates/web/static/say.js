// What scripts say, in the language of the page. English stands in the scripts and is the key; the page's head has
// loaded the translations before any module runs.

const texts = globalThis.stoaTexts ?? {};

/** The language of the page. Digits are the same in all of them. */
export const language = document.documentElement.lang || "en";
export const locale = `${language}-u-nu-latn`;
const plural = new Intl.PluralRules(language);
const forms = ["zero", "one", "two", "few", "many", "other"];

const fill = (text, values) =>
  text.replace(/\{([^}]*)\}/g, (place, name) => (name in values ? String(values[name]) : name.startsWith("@") ? "" : place));

/** A sentence, its places filled by name: `say("{name} is back.", { name })`. */
export const say = (text, values = {}) => fill(texts[text] ?? text, values);

/** A sentence about a number: `count("{count} file|{count} files", n)`. */
export function count(text, number, values = {}) {
  const all = (texts[text] ?? text).split("|");
  const one = language === "fr" ? number < 2 : number === 1;
  const place = all.length === 2 ? Number(!one) : forms.indexOf(plural.select(number));
  return fill(all[place] ?? all.at(-1), { count: grouped(number), ...values });
}

/** What the server said of a failure: its own words where they are translated, else their kind. */
export const told = (detail, title) => texts[detail] ?? (language === "en" ? undefined : texts[title]) ?? (detail || title);

/** A number with thin spaces between its thousands, as the server writes it. */
export const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");

/** A number with the language's decimal mark. */
export const decimal = (number) => String(number).replace(".", ["en", "ar"].includes(language) ? "." : ",");
