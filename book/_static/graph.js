// The graph of equations: the part around one of them, and arrow keys along its lines.
// Without scripts the whole graph and the whole table are there, and each node is a link.
"use strict";
(() => {
  const MOST = 6; // steps away that can be asked for
  const svg = document.querySelector("svg.urep-graph");
  if (!svg) return;
  const box = svg.closest(".urep-graph-box");
  const whole = svg.getAttribute("viewBox").split(" ").map(Number);
  const nodes = new Map([...svg.querySelectorAll(".urep-node")].map((node) => [node.dataset.key, node]));
  const uses = new Map(), usedBy = new Map([...nodes.keys()].map((key) => [key, []]));
  for (const [key, node] of nodes) {
    uses.set(key, node.dataset.uses.split(" ").filter(Boolean));
    for (const below of uses.get(key)) usedBy.get(below).push(key);
  }

  // --- the part around an equation ---

  /** Keys at most so many steps from one, in one direction. */
  const reached = (key, depth, next) => {
    const found = new Set([key]);
    let edge = [key];
    for (let step = 0; step < depth; step++) {
      edge = edge.flatMap((one) => next.get(one)).filter((other) => !found.has(other));
      edge.forEach((other) => found.add(other));
    }
    return found;
  };

  const label = (key) => key.replace("eq-", "");
  const bar = document.createElement("p");
  bar.className = "urep-filter";
  bar.innerHTML = '<label for="urep-focus">Around</label> '
    + '<select id="urep-focus" class="urep-field"><option value="">all equations</option></select> '
    + '<label for="urep-depth">steps</label> <select id="urep-depth" class="urep-field"></select> '
    + '<output role="status"></output>';
  const [focus, depth] = bar.querySelectorAll("select"), count = bar.querySelector("output");
  const inOrder = [...document.querySelectorAll("table tbody[id^='eq-']")].map((row) => row.id);
  for (const key of inOrder.filter((key) => nodes.has(key))) focus.append(new Option(`(${label(key)})`, key));
  for (let steps = 1; steps <= MOST; steps++) depth.append(new Option(String(steps), String(steps)));
  depth.value = "2";

  const show = () => {
    const key = focus.value;
    const kept = key
      ? new Set([...reached(key, Number(depth.value), uses), ...reached(key, Number(depth.value), usedBy)])
      : new Set(nodes.keys());
    for (const [own, node] of nodes) {
      node.classList.toggle("urep-away", !kept.has(own));
      node.classList.toggle("urep-focus", own === key);
    }
    for (const line of svg.querySelectorAll(".urep-edge"))
      line.classList.toggle("urep-away", !(kept.has(line.dataset.from) && kept.has(line.dataset.to)));
    for (const own of inOrder) document.getElementById(own).classList.toggle("urep-away", !kept.has(own));
    depth.disabled = !key;
    count.textContent = `${kept.size} of ${nodes.size}`;
    frame(key ? [...kept].map((own) => nodes.get(own)) : []);
    rove(nodes.get(key) ?? nodes.values().next().value);
    if (key) centre(nodes.get(key));
  };

  /** The drawing cut to some nodes, at the scale it has; whole for none. */
  const frame = (some) => {
    const boxes = some.map((node) => node.getBBox());
    const left = Math.min(...boxes.map((box) => box.x)) - 12, top = Math.min(...boxes.map((box) => box.y)) - 60;
    const wide = Math.max(...boxes.map((box) => box.x + box.width)) + 12 - left;
    const high = Math.max(...boxes.map((box) => box.y + box.height)) + 60 - top;
    const [x, y, width, height] = boxes.length ? [left, top, wide, high] : whole;
    svg.setAttribute("viewBox", [x, y, width, height].join(" "));
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
  };

  /** The drawing scrolled so that a node stands in the middle of its box; the page stays where it is. */
  const centre = (node) => {
    const own = node.getBoundingClientRect(), around = box.getBoundingClientRect();
    box.scrollLeft += own.left + own.width / 2 - around.left - around.width / 2;
    box.scrollTop += own.top + own.height / 2 - around.top - around.height / 2;
  };

  const asked = () => {
    const query = new URLSearchParams(location.search);
    const key = query.get("focus") ?? "";
    focus.value = nodes.has(key) ? key : "";
    const steps = Math.round(Number(query.get("depth")));
    if (steps >= 1 && steps <= MOST) depth.value = String(steps);
    show();
  };

  const chosen = () => {
    const query = focus.value ? `?focus=${encodeURIComponent(focus.value)}&depth=${depth.value}` : "";
    history.replaceState(null, "", location.pathname + query);
    show();
  };

  // --- arrow keys ---

  /** One node takes part in the order of the tab key: the one that was last there. */
  const rove = (one) => {
    for (const node of nodes.values()) node.setAttribute("tabindex", node === one ? "0" : "-1");
  };

  const place = (node) => {
    const box = node.querySelector("rect").getBBox();
    return [box.x, box.y];
  };

  /** The node that an arrow leads to: along a line to the side, or up and down in a column. */
  const beside = (node, arrow) => {
    const [x, y] = place(node), key = node.dataset.key;
    const near = { ArrowLeft: uses.get(key), ArrowRight: usedBy.get(key) }[arrow];
    const away = arrow === "ArrowUp" ? -1 : 1;
    const others = (near ?? [...nodes.keys()]).map((own) => nodes.get(own))
      .filter((other) => other !== node && !other.classList.contains("urep-away"))
      .filter((other) => near || (place(other)[0] === x && (place(other)[1] - y) * away > 0));
    const far = (other) => Math.abs(place(other)[1] - y);
    return others.sort((one, other) => far(one) - far(other))[0];
  };

  svg.addEventListener("keydown", (event) => {
    const node = event.target.closest(".urep-node");
    if (!node || !event.key.startsWith("Arrow")) return;
    event.preventDefault(); // the page does not scroll as well
    const next = beside(node, event.key);
    if (next) {
      rove(next);
      next.focus();
    }
  });
  svg.addEventListener("focusin", (event) => rove(event.target.closest(".urep-node")));

  focus.addEventListener("change", chosen);
  depth.addEventListener("change", chosen);
  window.addEventListener("popstate", asked);
  box.before(bar);
  asked();
  if (focus.value && !location.hash) bar.scrollIntoView(); // whose address asks for a part came for it
})();
