// A letter in a formula says what it means, where the pointer rests on it or a finger taps it, until Escape or until
// pointer has left. What is said stands in the table at the end of the page, which needs no pointer.
(() => {
  const rows = document.querySelectorAll("tr[data-letter-row]");
  if (!rows.length) return;
  const meaning = new Map([...rows].map((row) => {
    const [, says, unit, name] = [...row.cells].map((cell) => cell.textContent);
    return [row.dataset.letterRow, [says, `${unit === "1" ? "no unit" : unit}; Python: ${name}`]];
  }));
  const box = document.createElement("div");
  box.className = "urep-letter-box";
  box.setAttribute("role", "tooltip");
  box.hidden = true;
  document.body.append(box);
  let shown = null, closing = 0;

  const close = () => { box.hidden = true; shown?.classList.remove("urep-said"); shown = null; };
  const closeSoon = () => { clearTimeout(closing); closing = setTimeout(close, 200); };
  const open = (letter) => {
    clearTimeout(closing);
    if (shown === letter || !meaning.has(letter.dataset.letter)) return;
    close();
    shown = letter;
    letter.classList.add("urep-said");
    box.replaceChildren(...meaning.get(letter.dataset.letter).map((text) => {
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
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
})();
