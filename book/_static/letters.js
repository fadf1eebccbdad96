// What a letter in a formula means: at the pointer, a finger or the keyboard; the table at the page's end says the same.
// One letter of a page is a stop of the tab key, as one node of the graph is; arrows lead from it to the others.
(() => {
  "use strict";
  const rows = document.querySelectorAll("tr[data-letter-row]");
  if (!rows.length) return;
  const KEYS = "Left and right arrow: other letters; down and up: other formulas.";
  const meaning = new Map([...rows].map((row) => {
    const [, says, unit, name] = [...row.cells].map((cell) => cell.textContent);
    return [row.dataset.letterRow, [says, `${unit === "1" ? "no unit" : unit}; Python: ${name}`]];
  }));
  const box = document.createElement("div");
  box.className = "urep-letter-box";
  box.id = "urep-letter-box";
  box.setAttribute("role", "tooltip");
  box.hidden = true;
  document.body.append(box);
  let shown = null, closing = 0;

  const close = () => {
    clearTimeout(closing);
    box.hidden = true;
    shown?.classList.remove("urep-letter-shown");
    shown?.removeAttribute("aria-describedby");
    shown = null;
  };
  const closeSoon = () => {
    clearTimeout(closing);
    if (shown !== document.activeElement) closing = setTimeout(close, 200);
  };
  const open = (letter, ...more) => {
    clearTimeout(closing);
    if (shown === letter || !meaning.has(letter.dataset.letter)) return;
    close();
    shown = letter;
    letter.classList.add("urep-letter-shown");
    letter.setAttribute("aria-describedby", box.id);
    box.replaceChildren(...[...meaning.get(letter.dataset.letter), ...more].map((text) => {
      const line = document.createElement("div");
      line.textContent = text;
      return line;
    }));
    box.hidden = false;
    const at = letter.getBoundingClientRect(), own = box.getBoundingClientRect();
    const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - own.width - 8));
    const above = at.top - own.height - 6;
    box.style.left = `${left + scrollX}px`;
    box.style.top = `${(above > 0 ? above : at.bottom + 6) + scrollY}px`;
  };
  const letterAt = (event) => event.target.closest?.("math [data-letter]");
  for (const kind of ["pointerover", "click"]) {
    document.addEventListener(kind, (event) => {
      const letter = letterAt(event);
      if (letter) open(letter);
      else if (!box.contains(event.target)) closeSoon();
      else clearTimeout(closing);
    });
  }

  // --- by keyboard ---

  /** Letters that can be come to: those of a link or of a summary are part of what that does. */
  const letters = [...document.querySelectorAll("math [data-letter]")].filter((one) => !one.closest("a, button, summary"));
  const inSight = (letter) => letter.checkVisibility();

  const rove = (letter) => {
    for (const other of letters.filter((one) => one.tabIndex === 0)) other.tabIndex = -1;
    if (letter) letter.tabIndex = 0;
  };

  /** The letter that a key leads to: the next or the one before, or the first of another formula. */
  const beside = (letter, key) => {
    const back = key === "ArrowLeft" || key === "ArrowUp", formula = letter.closest("math");
    const rest = back ? letters.slice(0, letters.indexOf(letter)).reverse() : letters.slice(letters.indexOf(letter) + 1);
    if (key === "ArrowLeft" || key === "ArrowRight") return rest.find(inSight);
    const there = rest.find((one) => one.closest("math") !== formula && inSight(one))?.closest("math");
    return letters.find((one) => one.closest("math") === there && inSight(one));
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return close();
    const letter = document.activeElement;
    if (!letters.includes(letter) || !/^Arrow(Left|Right|Up|Down)$/.test(event.key)) return;
    event.preventDefault(); // the page does not scroll as well
    const next = beside(letter, event.key);
    if (!next) return;
    rove(next);
    next.focus();
  });
  document.addEventListener("focusin", (event) => {
    const letter = letterAt(event);
    if (!letters.includes(letter)) return;
    rove(letter);
    if (letter.matches(":focus-visible")) open(letter, KEYS);
  });
  document.addEventListener("focusout", (event) => { if (event.target === shown) close(); });
  rove(letters.find(inSight));
})();
