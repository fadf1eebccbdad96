// What the explorer's other scripts share: elements, numbers as words, and columns of numbers.
const urepParts = (() => {
  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };

  /** A number in three digits. */
  const plain = (number) => {
    if (number === 0) return "0";
    const size = Math.abs(number);
    return size >= 1e5 || size < 1e-3 ? number.toExponential(2).replace("e+", "e") : String(Number(number.toPrecision(3)));
  };

  const column = (rows, name) => rows.map((row) => row[name]);
  const spaced = (low, high, n) => Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));

  /** Whether the reader's system asks for no motion. */
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  return { element, plain, column, spaced, still };
})();
