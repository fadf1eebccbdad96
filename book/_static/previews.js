// Links to equations, figures and references show what they lead to: on hover and on focus, until Escape
// or until pointer and focus have left both. What is shown lies in the page.
(() => {
  const held = document.getElementById("urep-previews");
  if (!held) return;
  const previews = JSON.parse(held.textContent);
  const box = document.createElement("div");
  box.id = "urep-preview";
  box.setAttribute("role", "tooltip");
  box.hidden = true;
  document.body.append(box);
  let shownFor = null, closing = 0;

  const close = () => {
    box.hidden = true;
    shownFor?.removeAttribute("aria-describedby");
    shownFor = null;
  };
  const closeSoon = () => { clearTimeout(closing); closing = setTimeout(close, 200); };
  const open = (link, content) => {
    clearTimeout(closing);
    if (shownFor === link) return;
    close();
    shownFor = link;
    box.innerHTML = content;
    box.hidden = false;
    link.setAttribute("aria-describedby", box.id);
    const place = () => {
      const at = link.getBoundingClientRect(), own = box.getBoundingClientRect();
      const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - own.width - 8));
      const above = at.top - own.height - 6;
      box.style.left = `${left + scrollX}px`;
      box.style.top = `${(above > 0 ? above : at.bottom + 6) + scrollY}px`;
    };
    place();
  };
  for (const link of document.querySelectorAll("article a[href*='#']")) {
    const { hash } = new URL(link.href.baseVal ?? link.href, location); // of a link in a drawing too
    const content = previews[decodeURIComponent(hash.slice(1))];
    if (!content) continue;
    for (const event of ["mouseenter", "focus"]) link.addEventListener(event, () => open(link, content));
    for (const event of ["mouseleave", "blur"]) link.addEventListener(event, closeSoon);
  }
  box.addEventListener("mouseenter", () => clearTimeout(closing));
  box.addEventListener("mouseleave", closeSoon);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
})();
