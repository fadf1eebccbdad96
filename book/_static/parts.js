// What the explorer's other scripts share: elements, numbers as words, and scripts that load when they are needed.
const urepParts = (() => {
  const own = document.currentScript;

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

  const asked = new Map();
  /** A script that lies beside this one, once somebody asks for it; from a server and from a file alike. */
  const load = (name) => {
    if (!asked.has(name)) {
      asked.set(name, new Promise((resolve, reject) => {
        const source = new URL(name, own.src);
        source.search = new URL(own.src).search;
        const script = element("script", { src: source.href });
        script.addEventListener("load", resolve);
        script.addEventListener("error", () => reject(new Error(`${name} could not be loaded`)));
        document.head.append(script);
      }));
    }
    return asked.get(name);
  };

  /** Whether the reader's system asks for no motion. */
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  return { element, plain, column, spaced, load, still };
})();
