// The explorer: sliders for a start of eq. (7), and what the exact solution makes of it; or rotation and growing
// rates put back. All numbers come from urepSolution and urepGrowth, which are printed from the book's registered
// equations; the integration is odex's, all axes are uPlot's.
(() => {
  const data = document.querySelector("svg metadata.urep-explorer");
  if (!data) return;
  const { presets, colours } = JSON.parse(data.textContent);
  const POINTS = 600;
  const SHARED = location.protocol !== "file:"; // a file's address may not be changed, nor sent to anybody

  // --- what can be set -----------------------------------------------------------------------
  // Sliders of sizes are logarithmic: their value is the power of ten.
  const SLIDERS = [
    ["Time constants", [
      ["tau_h", "τ_h", "effective time constant of the encoder", 0, 5, 1300],
      ["tau_y", "τ_y", "effective time constant of the decoder", 0, 5, 29],
    ]],
    ["The layers", [
      ["eta", "η", "learning rate, the one constant of a deep linear network", -6, 0, 0.01],
      ["encoder", "a", "matrices before the representation", 1, 12, 11],
      ["decoder", "b", "matrices behind the representation", 1, 12, 10],
    ]],
    ["The start", [
      ["dh2_0", "‖dh(0)‖²", "squared distance of the representations before training", -6, 2, 8e-4],
      ["dy2_0", "‖dy(0)‖²", "squared distance of the outputs before training", -10, 2, 3e-9],
      ["angle", "angle", "angle between the output difference and the target difference, in degrees", 0, 180, 0],
      ["r_0", "‖D_y(0)‖", "length of the decoder's gradient before training", -3, 2, 0.1],
      ["turn", "ϑ(0)", "angle between dh and the decoder's gradient before training, in degrees", 0.1, 179, 88],
    ]],
    ["The task", [
      ["dx2", "‖dx‖²", "squared distance of the inputs", -2, 2, 1],
      ["dy2_target", "‖dy*‖²", "squared distance of the targets", 0, 4, 0.5],
    ]],
    ["The mean output, for the loss", [
      ["mean_error2", "error of the mean", "squared error of the mean output before training", 0, 4, 0.5],
      ["tau_mean", "τ_ȳ", "effective time constant of the mean output", 0, 5, 100],
    ]],
    ["The view", [["epochs", "epochs shown", "how many epochs are drawn", 0, 6, 6000]]],
  ];
  const LINEAR = new Set(["angle", "turn", "encoder", "decoder", "dy2_target", "mean_error2"]);
  const STEPS = { angle: 1, turn: 0.1, encoder: 1, decoder: 1 };
  // What each theory leaves out of the sliders: (7) has no angle in hidden space, the others have one output.
  const THEORIES = {
    paper: ["the paper's (7)", ["r_0", "turn", "eta", "encoder", "decoder"]],
    rotation: ["rotation put back", ["dy2_0", "angle", "eta", "encoder", "decoder"]],
    depth: ["rates that grow with depth", ["dy2_0", "angle", "tau_h", "tau_y"]],
  };
  const limits = {}, values = { fit: false, theory: "paper" };
  for (const [, group] of SLIDERS) {
    for (const [name, , , low, high, start] of group) {
      limits[name] = LINEAR.has(name) ? [low, high] : [10 ** low, 10 ** high];
      values[name] = start;
    }
  }
  const within = (name, value) => {
    const inside = Math.min(Math.max(value, limits[name][0]), limits[name][1]);
    return name === "encoder" || name === "decoder" ? Math.round(inside) : inside;
  };
  const plain = (number) => {
    if (number === 0) return "0";
    const size = Math.abs(number);
    return size >= 1e5 || size < 1e-3 ? number.toExponential(2).replace("e+", "e") : String(Number(number.toPrecision(3)));
  };

  // --- the page's elements -------------------------------------------------------------------
  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };
  const inputs = {}, outputs = {}, rows = {}; // a row: what hides where a theory has no use for it
  const form = element("form", { class: "urep-controls", "aria-label": "What the explorer shows" });
  form.addEventListener("submit", (event) => event.preventDefault());

  const choose = element("select", { id: "urep-preset", class: "urep-field" });
  choose.append(new Option("your own", ""), ...Object.keys(presets).map((name) => new Option(name, name)));
  const theory = element("select", { id: "urep-theory", class: "urep-field" });
  theory.append(...Object.entries(THEORIES).map(([name, [title]]) => new Option(title, name)));
  theory.addEventListener("change", () => {
    values.theory = theory.value;
    if (choose.value) take(choose.value);
    changed();
  });
  // Lists are wider than a slider's column, so that no name in them is cut off.
  form.append(element("div", { class: "urep-choices" },
    element("fieldset", {}, element("legend", {}, "The theory"),
      element("label", { for: "urep-theory" }, "theory"), theory),
    element("fieldset", {}, element("legend", {}, "A network of Table 1, as fitted"),
      element("label", { for: "urep-preset" }, "preset"), choose)));

  for (const [title, group] of SLIDERS) {
    const set = element("fieldset", {}, element("legend", {}, title));
    for (const [name, sign, meaning, low, high] of group) {
      const id = `urep-${name}`;
      inputs[name] = element("input", {
        type: "range", id, min: low, max: high, step: STEPS[name] ?? 0.01, title: meaning,
      });
      outputs[name] = element("output", { for: id });
      inputs[name].addEventListener("input", () => {
        const value = Number(inputs[name].value);
        values[name] = within(name, LINEAR.has(name) ? value : 10 ** value);
        if (name === "epochs") values.fit = fit.checked = false;
        choose.value = "";
        changed();
      });
      rows[name] = element("div", {}, element("label", { for: id }, element("span", {}, sign), outputs[name]), inputs[name]);
      set.append(rows[name]);
    }
    form.append(set);
  }
  const fit = element("input", { type: "checkbox", id: "urep-fit", class: "form-check-input" });
  fit.addEventListener("change", () => { values.fit = fit.checked; changed(); });
  form.lastChild.append(element("label", { for: "urep-fit" }, fit, "as many as the transition takes"));
  const share = element("button", { type: "button", class: "urep-button" }, "Copy a link to this");
  share.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      share.textContent = "Copied";
    } catch {
      share.textContent = "The address bar has the link";
    }
  });
  if (SHARED) form.lastChild.append(share);

  const said = element("p", { class: "urep-said", role: "status" });
  const charts = element("div", { class: "urep-charts", tabindex: 0, role: "group", "aria-label": "Charts" });
  const places = {};
  for (const [name, caption] of [
    ["hidden", "Hidden distance ‖dh‖² against epochs; dotted, what (7) makes of the same start; dashed, where that ends by (10)"],
    ["outputs", "Output distance ‖dy‖², w and loss against epochs"],
    ["regimes", "The three regimes: initial ‖dy‖/‖dh‖ against initial ‖dh‖, with the way that is gone from the start"],
    ["portrait", "Phase portrait of (25): w against ‖dh‖², with other starts of the same A_high, or with what (7) makes of this one"],
  ]) {
    places[name] = element("div", { class: "urep-chart", role: "img", "aria-label": caption });
    charts.append(element("figure", {}, places[name], element("figcaption", {}, caption)));
  }
  const explorer = element("section", { id: "urep-explorer", class: "urep-explorer", "aria-label": "Explorer" }, form, said, charts);

  // --- what is computed ----------------------------------------------------------------------
  const { prepare, at } = urepSolution;
  const started = (changes = {}) => {
    const all = { ...values, ...changes };
    return prepare({ ...all, cosine: Math.cos((all.angle * Math.PI) / 180) });
  };

  /** Epochs in which the growing mode leads by a hundred, and what is across dy* has had its time. */
  const needed = (k) => {
    const growth = k.dy2_target ? Math.log1p((200 * k.A) / Math.max(k.a_plus ** 2, 1e-200)) / (2 * k.A) : 0;
    const across = k.c < 0 && k.y_0 > 1e-9 ? 3 / (4 * k.A * k.cos_phi ** 2 + 1e-9) : 0;
    return within("epochs", 1.3 * Math.max(growth, across, 4 / (k.p_0 ** 2 + k.x_0 ** 2 + k.y_0 ** 2 + 2 * k.A)));
  };

  const trajectory = (k, times) => times.map((t) => at(k, t, values.mean_error2, values.tau_mean));
  const column = (rows, name) => rows.map((row) => row[name]);
  const spaced = (low, high, n) => Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));

  /** Two lengths and an angle from the sliders; a = b = 1, with two constants, is rotation. */
  const growing = () => {
    const angle_0 = (values.turn * Math.PI) / 180, u_0 = Math.sqrt(values.dh2_0), { r_0 } = values;
    const layers = values.theory === "depth"
      ? { encoder: values.encoder, decoder: values.decoder, eta_h: values.eta, eta_y: values.eta }
      : { encoder: 1, decoder: 1, eta_h: 2 / values.tau_h, eta_y: 2 / values.tau_y }; // (17)
    return { u_0, r_0, angle_0, dx2: values.dx2, dy_target: Math.sqrt(values.dy2_target), ...layers };
  };
  const grown = (times) => urepGrowth.curves(growing(), times)
    .map((row, i) => ({ ...row, loss: urepSolution.loss(row, times[i], values) }));

  /** The same start for (7), which knows no angle in hidden space. */
  const withoutAngle = ({ u_0, r_0, angle_0 }) => {
    const dy_0 = u_0 * r_0 * Math.cos(angle_0);
    return { dy2_0: dy_0 ** 2, angle: dy_0 < 0 ? 180 : 0 };
  };

  const compute = () => {
    const paper = values.theory === "paper";
    const k = started(paper ? {} : withoutAngle(growing()));
    const epochs = values.fit ? needed(k) : values.epochs;
    const t = spaced(0, epochs, POINTS);
    const byPaper = trajectory(k, t);
    if (!paper) return { k, epochs, t, rows: grown(t), others: [byPaper], byPaper, ratio: (k.tau_y * k.dx2) / k.tau_h };
    const rows = byPaper;
    // Other starts on the level set of (24): sizes of dh beyond A_high, and angles.
    const ratio = (k.tau_y * k.dx2) / k.tau_h;
    const others = [];
    for (const far of [0.15, 0.6, 1.4]) {
      for (const angle of [0, 70, 110, 180]) {
        const dh2_0 = Math.max(k.A_high, 0) + far * Math.max(k.dh2_inf, k.A_low, 1e-9);
        const start = started({ dh2_0, dy2_0: Math.max((dh2_0 * (dh2_0 - k.A_high)) / ratio, 0), angle });
        const rate = start.p_0 ** 2 + start.x_0 ** 2 + start.y_0 ** 2 + 2 * start.A;
        const late = Math.log(Math.max(1e3, (rate * needed(start)) / 0.02));
        others.push(trajectory(start, spaced(0, late, 60).map((z) => (0.02 * Math.exp(z) - 0.02) / rate)));
      }
    }
    return { k, epochs, t, rows, others, byPaper, ratio };
  };

  const regime = (k) =>
    k.A_high > k.A_low ? "encoder-dominated: the random start decides, (12)"
      : k.A_high < -k.A_low ? "decoder-dominated: the representations merge"
        : "structured: the data decide, (13)";

  const describe = ({ k, t, rows, byPaper }) => {
    const error2 = rows.map((row) => 2 * row.w - row.dy2 + k.dy2_target);
    const half = error2.findIndex((e) => e <= error2[0] / 4);
    const last = rows.at(-1);
    const end = values.theory === "paper" ? `Training ends at ‖dh‖² = ${plain(k.dh2_inf)}. `
      : `‖dh‖² = ${plain(last.dh2)} at the end of the view, where (7) says ${plain(byPaper.at(-1).dh2)}; ϑ = ${plain(last.angle * 180 / Math.PI)}°. `;
    return `A_high = ${plain(k.A_high)}, A_low = ${plain(k.A_low)}: ${regime(k)}. ${end}`
      + (half >= 0 ? `Half of the error is gone after ${plain(t[half])} epochs.` : "Half of the error is still there at the end of the view.");
  };

  // --- what is drawn -------------------------------------------------------------------------
  let plots = {}, latest;
  const height = () => (matchMedia("(max-width: 40rem)").matches ? 180 : 240); // a phone has sliders below it

  const look = () => {
    const text = getComputedStyle(explorer).color;
    const faint = text.replace(/rgba?\(([^)]*)\)/, (_, c) => `rgba(${c.split(/[ ,/]+/).slice(0, 3).join(",")},0.15)`);
    return { text, faint };
  };
  const axes = ({ text, faint }, xlabel, ylabel, grid = true) => {
    const common = { stroke: text, grid: { show: grid, stroke: faint, width: 1 }, ticks: { stroke: faint, width: 1 } };
    const number = (_, ticks) => ticks.map((v) => (v == null ? "" : plain(v)));
    return [
      { ...common, label: xlabel, labelSize: 20, size: 36, values: number },
      { ...common, label: ylabel, labelSize: 20, size: 58, values: number },
    ];
  };
  const line = (u, xs, ys, colour, width, dash = []) => {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.beginPath();
    xs.forEach((x, i) => ctx.lineTo(u.valToPos(x, "x", true), u.valToPos(ys[i], "y", true)));
    ctx.strokeStyle = colour;
    ctx.lineWidth = width * devicePixelRatio;
    ctx.setLineDash(dash);
    ctx.stroke();
    ctx.restore();
  };
  const dot = (u, x, y, colour, hollow = false) => {
    const { ctx } = u;
    ctx.save();
    ctx.beginPath();
    ctx.arc(u.valToPos(x, "x", true), u.valToPos(y, "y", true), 5 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.strokeStyle = ctx.fillStyle = colour;
    if (hollow) ctx.stroke(); else ctx.fill();
    ctx.restore();
  };
  const words = (u, text, x, y, colour) => {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.fillStyle = colour;
    ctx.textAlign = x > 0.5 ? "right" : "left";
    ctx.fillText(text, bbox.left + x * bbox.width, bbox.top + y * bbox.height);
    ctx.restore();
  };

  const build = () => {
    for (const plot of Object.values(plots)) plot.destroy();
    const style = look();
    const size = (place) => ({ width: place.clientWidth || 320, height: height() });
    const curve = (label, name, width = 2) => ({ label, stroke: colours[name], width, value: (_, v) => (v == null ? "–" : plain(v)) });
    const epoch = { label: "epoch", value: (_, v) => (v == null ? "–" : plain(v)) };
    const still = { legend: { show: false }, cursor: { show: false } };
    const time = { x: { time: false } };
    plots = {
      hidden: new uPlot({
        ...size(places.hidden), scales: time, axes: axes(style, "epochs", "‖dh‖²"),
        series: [epoch, curve("‖dh‖²", "dh2", 2.5), { ...curve("by (7)", "dh2", 1), dash: [2, 3] }, { label: "end by (10)", stroke: style.text, width: 1, dash: [6, 4], value: (_, v) => (v == null ? "–" : plain(v)) }],
      }, null, places.hidden),
      outputs: new uPlot({
        ...size(places.outputs), scales: time, axes: axes(style, "epochs", ""),
        series: [epoch, curve("‖dy‖²", "dy2"), curve("w", "w"), curve("loss", "loss")],
      }, null, places.outputs),
      regimes: new uPlot({
        ...size(places.regimes), ...still,
        scales: { x: { time: false, distr: 3, range: [1e-3, 10] }, y: { distr: 3, range: [1e-4, 1e3] } },
        axes: axes(style, "‖dh(0)‖", "‖dy(0)‖/‖dh(0)‖", false),
        series: [
          {},
          { stroke: colours.dh2, fill: `${colours.dh2}40`, fillTo: (u) => u.scales.y.min, points: { show: false } },
          { stroke: colours.dy2, fill: `${colours.dy2}40`, fillTo: (u) => u.scales.y.max, points: { show: false } },
        ],
        hooks: { draw: [(u) => {
          const { k, rows } = latest;
          const u0 = rows.map((row) => Math.sqrt(row.dh2)), r0 = rows.map((row) => Math.sqrt(row.dy2 / row.dh2));
          line(u, u0, r0, style.text, 2);
          dot(u, u0[0], r0[0], style.text);
          words(u, "encoder-dominated", 0.97, 0.95, style.text);
          words(u, "structured", 0.03, 0.95, style.text);
          words(u, "decoder-dominated", 0.03, 0.1, style.text);
        }] },
      }, null, places.regimes),
      portrait: new uPlot({
        ...size(places.portrait), ...still, scales: { x: { time: false } }, axes: axes(style, "‖dh‖²", "w"),
        series: [{}, { show: true, stroke: "transparent", points: { show: false } }],
        hooks: { draw: [(u) => {
          const { k, rows, others } = latest;
          for (const other of others) line(u, column(other, "dh2"), column(other, "w"), colours.w, 1);
          line(u, column(rows, "dh2"), column(rows, "w"), style.text, 2.5);
          dot(u, rows[0].dh2, rows[0].w, style.text);
          dot(u, 0, 0, style.text, true);
          dot(u, k.dh2_inf, 0, colours.dh2);
        }] },
      }, null, places.portrait),
    };
  };

  const draw = () => {
    const { k, t, rows, others, byPaper, ratio } = latest;
    plots.hidden.setData([t, column(rows, "dh2"), byPaper.map((row) => (rows === byPaper ? null : row.dh2)), t.map(() => k.dh2_inf)]);
    plots.outputs.setData([t, column(rows, "dy2"), column(rows, "w"), column(rows, "loss")]);
    const u = spaced(-3, 1, 160).map((z) => 10 ** z);
    const border = (sign) => u.map((z) => {
      const r2 = (z * z - sign * k.A_low) / ratio;
      return r2 > 1e-8 ? Math.min(Math.sqrt(r2), 1e3) : sign > 0 && r2 > 0 ? 1e-4 : null;
    });
    plots.regimes.setData([u, border(1), border(-1)]);
    const reach = 1.15 * Math.max(k.dh2_inf, ...column(rows, "dh2"));
    const own = column(rows, "w");
    const seen = [...own, ...others.flat().filter((row) => row.dh2 < reach).map((row) => row.w)].sort((a, b) => a - b);
    const quantile = (q) => seen[Math.floor(q * (seen.length - 1))]; // so that one far start does not set the scale
    const low = Math.min(...own, quantile(0.05)), high = Math.max(...own, quantile(0.95));
    const room = 0.08 * (high - low || 1);
    plots.portrait.batch(() => {
      plots.portrait.setData([[0, reach], [low, high]], false);
      plots.portrait.setScale("x", { min: 0, max: reach });
      plots.portrait.setScale("y", { min: low - room, max: high + room });
    });
  };

  // --- from a change to the picture ----------------------------------------------------------
  let waiting = 0, speaking = 0;
  const api = { values, milliseconds: 0, compute, latest: () => latest };

  const show = () => {
    waiting = 0;
    const began = performance.now();
    latest = compute();
    theory.value = values.theory;
    for (const [name, row] of Object.entries(rows)) row.hidden = THEORIES[values.theory][1].includes(name);
    for (const set of form.querySelectorAll("fieldset:has(> div)")) set.hidden = !set.querySelector(":scope > div:not([hidden])");
    for (const name of Object.keys(inputs)) {
      const value = name === "epochs" && values.fit ? latest.epochs : values[name];
      inputs[name].value = LINEAR.has(name) ? value : Math.log10(value);
      outputs[name].textContent = plain(value) + (name === "angle" ? "°" : "");
      inputs[name].setAttribute("aria-valuetext", outputs[name].textContent);
    }
    fit.checked = values.fit;
    draw();
    queueMicrotask(() => { api.milliseconds = performance.now() - began; }); // uPlot draws in a microtask of its own
    clearTimeout(speaking);
    speaking = setTimeout(() => {
      said.textContent = describe(latest);
      places.hidden.setAttribute("aria-label", `Hidden distance against epochs, from ${plain(latest.rows[0].dh2)} to ${plain(latest.rows.at(-1).dh2)}`);
      if (SHARED) history.replaceState(null, "", `?${address()}${location.hash}`);
      share.textContent = "Copy a link to this";
    }, 250);
  };
  const changed = () => { waiting ||= requestAnimationFrame(show); };

  const address = () => {
    const query = new URLSearchParams();
    for (const name of Object.keys(inputs)) {
      if (!(name === "epochs" && values.fit)) query.set(name, Number(values[name].toPrecision(5)));
    }
    if (values.fit) query.set("epochs", "fit");
    for (const name of THEORIES[values.theory][1]) query.delete(name);
    if (values.theory !== "paper") query.set("theory", values.theory);
    return query;
  };
  const read = (query) => {
    if (Object.hasOwn(THEORIES, query.get("theory"))) values.theory = query.get("theory");
    const row = query.get("row");
    if (Object.hasOwn(presets, row)) take(row);
    for (const name of Object.keys(inputs)) {
      const text = query.get(name);
      if (text === null || text.trim() === "") continue;
      if (name === "epochs" && text === "fit") values.fit = true;
      else if (Number.isFinite(Number(text))) {
        values[name] = within(name, Number(text));
        if (name === "epochs") values.fit = false;
      }
    }
  };
  const take = (name) => {
    values.fit = false;
    const fitted = presets[name][values.theory] ?? presets[name].paper;
    for (const [key, value] of Object.entries(fitted)) values[key] = within(key, value);
    choose.value = name;
  };
  choose.addEventListener("change", () => { if (choose.value) take(choose.value); changed(); });

  const figure = data.closest("figure");
  // After the cell and not in its output, which scrolls by itself: there the charts could not stay in sight.
  (figure.closest(".cell") ?? figure).after(explorer);
  figure.hidden = true;
  const query = new URLSearchParams(location.search);
  if (!Object.keys(inputs).some((name) => query.has(name))) take(Object.keys(presets)[0]);
  read(query);
  build();
  show();
  window.urepExplorer = api;

  new MutationObserver(() => { build(); changed(); })
    .observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  new ResizeObserver(() => {
    for (const [name, plot] of Object.entries(plots)) {
      const width = places[name].clientWidth;
      if (width && Math.abs(width - plot.width) > 1) plot.setSize({ width, height: height() });
    }
  }).observe(charts);
})();
