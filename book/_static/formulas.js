// A formula or a figure that is wider than its box is reached with the tab key and scrolled with the arrows; no other is.
(() => {
  const BOXES = ".urep-formula, figure.urep-figure";
  const watch = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const box = target.closest(BOXES);
      if (box.scrollWidth > box.clientWidth + 1) {
        box.tabIndex = 0;
        box.setAttribute("role", "group");
        box.setAttribute("aria-label", `a wide ${box.matches("figure") ? "figure" : "formula"}, to be scrolled`);
      } else {
        for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
      }
    }
  });
  for (const box of document.querySelectorAll(BOXES)) watch.observe(box);
})();
