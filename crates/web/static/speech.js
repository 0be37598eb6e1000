// What is said to those who listen rather than look: one word when an answer begins, one sentence when it is there.

const LONGEST = 240;

/** The first sentence of a text, or as much of it as one listens to in one breath. */
export function firstSentence(text) {
  const plain = text.replace(/\s+/g, " ").trim();
  let first = plain;
  if (Intl.Segmenter) {
    const sentences = new Intl.Segmenter(document.documentElement.lang || undefined, { granularity: "sentence" });
    first = sentences.segment(plain.slice(0, 2000))[Symbol.iterator]().next().value?.segment.trim() ?? plain;
  }
  return first.length > LONGEST ? `${first.slice(0, LONGEST).replace(/\s+\S*$/, "")} …` : first;
}
