// The explorer: sliders for a start of eq. (7), and what the exact solution makes of it; or rotation and growing
// rates put back; or a network that is trained beside it. All numbers of theories come from urepSolution and urepGrowth,
// which are printed from the book's registered equations; the integration is odex's. charts.js draws, plane.js knows the
// plane of encoder and decoder, clock.js one moment of it; network.js trains, in training.js, and fit.js fits.
(() => {
  const data = document.querySelector("svg metadata.urep-explorer");
  if (!data) return;
  const { presets, colours } = JSON.parse(data.textContent);
  const { element, plain, spaced } = urepParts;
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
  const empty = new Set(); // constants that a fit could not find: drawn, but shown and told only once somebody sets them
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

  // --- the page's elements -------------------------------------------------------------------
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
    if (seen?.stopped) hear(seen);
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
        empty.delete(name);
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

  const said = element("p", { class: "urep-explorer-said", role: "status" });
  const drawn = urepCharts.create(colours);
  const clock = urepClock.create((share) => drawn.mark(share));
  const trained = urepNetwork.create({
    task: () => ({ dx2: values.dx2, dy2_target: values.dy2_target }), changed: hear, touched: () => changed(),
  });
  form.append(trained.set);
  const explorer = element("section", { id: "urep-explorer", class: "urep-explorer", "aria-label": "Explorer" },
    form, said, clock.bar, drawn.charts);

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

  /** Other starts on the level set of (24): sizes of dh beyond A_high, and angles. */
  const neighbours = (k, ratio) => [0.15, 0.6, 1.4].flatMap((far) => [0, 70, 110, 180].map((angle) => {
    const dh2_0 = Math.max(k.A_high, 0) + far * Math.max(k.dh2_inf, k.A_low, 1e-9);
    const start = started({ dh2_0, dy2_0: Math.max((dh2_0 * (dh2_0 - k.A_high)) / ratio, 0), angle });
    const rate = start.p_0 ** 2 + start.x_0 ** 2 + start.y_0 ** 2 + 2 * start.A;
    const late = Math.log(Math.max(1e3, (rate * needed(start)) / 0.02));
    return trajectory(start, spaced(0, late, 60).map((z) => (0.02 * Math.exp(z) - 0.02) / rate));
  }));

  const compute = () => {
    const paper = values.theory === "paper";
    const k = started(paper ? {} : withoutAngle(growing()));
    const epochs = values.fit ? needed(k) : values.epochs;
    const t = spaced(0, epochs, POINTS);
    const byPaper = trajectory(k, t), rows = paper ? byPaper : grown(t);
    const ratio = (k.tau_y * k.dx2) / k.tau_h;
    const others = paper ? neighbours(k, ratio) : [byPaper];
    const network = trained.run?.network ?? null;
    const paths = { paper: urepPlane.exact(byPaper, k), network: network ? urepPlane.trained(network, ratio) : [] };
    const path = paper ? paths.paper : urepPlane.angled(rows, ratio);
    const side = paths.paper.at(-1).u < 0 ? -1 : 1, u = side * Math.sqrt(k.dh2_inf);
    const end = { u, x: u ? k.A_low / u : 0 };
    return { k, epochs, t, rows, others, byPaper, ratio, network, paths, path, end };
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
    const told = empty.size ? "The fit found no constants, so that A_high and A_low mean nothing either."
      : `A_high = ${plain(k.A_high)}, A_low = ${plain(k.A_low)}: ${regime(k)}.`;
    return `${told} ${end}`
      + (half >= 0 ? `Half of the error is gone after ${plain(t[half])} epochs.` : "Half of the error is still there at the end of the view.");
  };

  // --- from a change to the picture ----------------------------------------------------------
  let waiting = 0, speaking = 0;
  let latest, fitted = null;
  const api = { values, milliseconds: 0, compute, latest: () => latest, fitted: () => fitted, trained };

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
      outputs[name].textContent = empty.has(name) ? "not found" : plain(value) + (name === "angle" ? "°" : "");
      inputs[name].setAttribute("aria-valuetext", outputs[name].textContent);
    }
    fit.checked = values.fit;
    drawn.draw(latest);
    clock.set(latest.epochs);
    queueMicrotask(() => { api.milliseconds = performance.now() - began; }); // uPlot draws in a microtask of its own
    clearTimeout(speaking);
    speaking = setTimeout(() => {
      said.textContent = describe(latest);
      drawn.places.hidden.setAttribute("aria-label", `Hidden distance against epochs, from ${plain(latest.rows[0].dh2)} to ${plain(latest.rows.at(-1).dh2)}`);
      if (SHARED) history.replaceState(null, "", `?${address()}${location.hash}`);
      share.textContent = "Copy a link to this";
    }, 250);
  };
  const changed = () => { waiting ||= requestAnimationFrame(show); };

  // --- a network beside the theory -------------------------------------------------------------
  /** Where a network starts becomes the theory's start. */
  const begun = ({ network, decoder, trained: epochs, layers }) => {
    const before = Math.floor(layers / 2) + 1; // matrices before the layer that is read
    Object.assign(values, { epochs, fit: false, encoder: before, decoder: layers + 1 - before });
    choose.value = "";
    if (network.dh2[0] === 0) return; // all units of a layer are off, and no theory has such a start
    const row = { dy2: network.dy2[0], w: network.w[0] };
    const rest = urepSolution.loss(row, 0, { ...values, mean_error2: 0 });
    Object.assign(values, {
      dh2_0: network.dh2[0], dy2_0: network.dy2[0], angle: network.dy[0] < 0 ? 180 : 0, r_0: decoder.r,
      turn: (Math.acos(decoder.cosine) * 180) / Math.PI, mean_error2: Math.max(2 * (network.loss[0] - rest), 0),
    });
  };

  /** The constants of the theory that is chosen, and that of the mean, from what a network did. */
  const fit_to = ({ network, task, stopped, lr }) => {
    if (stopped === "diverged") return null;
    const grow = (rates) => urepGrowth.curves({ ...growing(), ...rates }, network.t);
    const found = {
      paper: () => urepFit.rates(network, task),
      rotation: () => urepFit.rates(network, task, ([tau_h, tau_y]) => grow({ eta_h: 2 / tau_h, eta_y: 2 / tau_y })), // (17)
      depth: () => urepFit.learningRate(network, lr, ([eta]) => grow({ eta_h: eta, eta_y: eta })),
    }[values.theory]();
    if (!found.rows) return found;
    const { tau_mean, r2: loss } = urepFit.mean(network, found.rows, task);
    const own = values.theory === "depth" ? { eta: found.eta } : { tau_h: found.tau_h, tau_y: found.tau_y };
    Object.assign(values, own, { tau_mean });
    empty.clear();
    if (found.why) Object.keys(own).forEach((name) => empty.add(name));
    return { ...found, theory: THEORIES[values.theory][0], r2: { ...found.r2, loss } };
  };

  let seen = null; // the network that the theory starts from
  function hear(run) {
    if (run === null) {
      [seen, fitted] = [null, null];
      drawn.build(false);
      changed();
      return;
    }
    if (!seen) drawn.build(true);
    if (seen !== run || run.stopped) begun(run);
    [seen, fitted] = [run, null];
    if (run.stopped) {
      fitted = fit_to(run);
      trained.report(fitted);
    }
    clock.stop();
    clock.set(run.trained, run.stopped ? 1 : Math.min(run.epoch / run.trained, 1));
    changed();
  }

  const address = () => {
    const query = new URLSearchParams();
    for (const name of Object.keys(inputs)) {
      if (!(name === "epochs" && values.fit)) query.set(name, Number(values[name].toPrecision(5)));
    }
    if (values.fit) query.set("epochs", "fit");
    for (const name of THEORIES[values.theory][1]) query.delete(name);
    if (values.theory !== "paper") query.set("theory", values.theory);
    trained.write(query);
    return query;
  };
  const read = (query) => {
    trained.read(query);
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
    empty.clear();
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
  drawn.build(false);
  show();
  window.urepExplorer = api;

  new MutationObserver(() => { drawn.build(Boolean(seen)); changed(); })
    .observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  new ResizeObserver(() => { if (drawn.fill()) changed(); }).observe(drawn.charts);
})();
