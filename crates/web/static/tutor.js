// Beside a conversation with the tutor: after each answer the stage and the hints so far are read again.

const read = async () => {
  const old = document.querySelector("[data-lesson]");
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-lesson]");
    if (!fresh) return;
    // What the person has opened or closed stays as it is.
    for (const part of old.querySelectorAll("[data-lesson-part]")) {
      const same = fresh.querySelector(`[data-lesson-part="${part.dataset.lessonPart}"]`);
      if (same) same.open = part.open;
    }
    old.replaceWith(document.adoptNode(fresh));
  } catch { /* The next answer tries again; a reload shows it too. */ }
};

document.addEventListener("stoa:answered", read);
