// A network that the reader trains in the page: its settings, the worker that trains it, and what came out. The scripts
// that train and fit are loaded when somebody first asks for a training.
const urepNetwork = (() => {
  const { element, plain, still } = urepParts;
  const { load } = urepStart;

  const ROWS = 600; // that are kept of a training
  const LOST = 10; // a loss that many times the first one is not drawn once a training has diverged
  // name, words, meaning, lowest, highest, step, start, whether the slider's value is the power of ten
  const SLIDERS = [
    ["layers", "hidden layers", "number of hidden layers; the one in the middle is read", 1, 20, 1, 6, false],
    ["units", "units", "units of each hidden layer", 1, 100, 1, 50, false],
    ["gain", "gain", "factor on the Xavier normal initial weights", 0.1, 3, 0.05, 0.8, false],
    ["lr", "learning rate", "step size of full-batch gradient descent", -4, 0, 0.01, 0.005, true],
    ["trained", "epochs", "how many steps are taken", 2, 5, 0.01, 6000, true],
  ];
  const NONLINEARITIES = {
    leaky_relu: "leaky ReLU", relu: "ReLU", elu: "ELU", tanh: "tanh", swish: "Swish", none: "none (linear)",
  };
  const MOST_SEEDS = 2 ** 32 - 1;

  /** A worker made of the source of training.js, which a page that was opened from a file may have as well. */
  function worker() {
    const source = new Blob([`${urepTrainingParts}\nurepTrainingParts().serve(self);`], { type: "text/javascript" });
    const address = URL.createObjectURL(source), made = new Worker(address);
    URL.revokeObjectURL(address);
    return made;
  }

  /** The rows before the loss of a diverging training left all others behind. */
  function beforeItWasLost(network) {
    const most = LOST * Math.max(network.loss[0], ...network.loss.slice(0, 2));
    const wild = network.loss.findIndex((loss) => loss > most);
    const left = wild < 0 ? network.t.length : Math.max(wild, 1);
    return Object.fromEntries(Object.entries(network).map(([name, values]) => [name, values.slice(0, left)]));
  }

  /**
   * The controls. `task()` says what is to be learned; `changed(run)` hears of each change: a run has its settings,
   * `network` (columns, one row a recorded epoch), `decoder` (‖D_y‖ and the cosine of dh with it at the start) and
   * `stopped`: "" while it runs, "epochs", "reader" or "diverged". Null says that there is no network any more.
   */
  function create({ task, changed, touched }) {
    const values = { nonlinearity: "leaky_relu", seed: 0, centred: false }, inputs = {}, outputs = {};
    const limits = {};
    let running = null, run = null, shown = false;

    const set = element("fieldset", { class: "urep-network" }, element("legend", {}, "Train a network here, on this task"));
    const show = () => {
      for (const [name, , , , , , , power] of SLIDERS) {
        inputs[name].value = power ? Math.log10(values[name]) : values[name];
        outputs[name].textContent = plain(values[name]);
        inputs[name].setAttribute("aria-valuetext", outputs[name].textContent);
      }
      kind.value = values.nonlinearity;
      seed.value = values.seed;
      centred.checked = values.centred;
    };
    const grid = element("div", { class: "urep-settings" });
    for (const [name, title, meaning, low, high, step, start, power] of SLIDERS) {
      const id = `urep-${name}`;
      values[name] = start;
      limits[name] = power ? [10 ** low, 10 ** high] : [low, high];
      inputs[name] = element("input", { type: "range", id, min: low, max: high, step, title: meaning });
      outputs[name] = element("output", { for: id });
      inputs[name].addEventListener("input", () => {
        const value = Number(inputs[name].value);
        take(name, power ? 10 ** value : value);
        show();
        touched();
      });
      grid.append(element("div", {}, element("label", { for: id }, element("span", {}, title), outputs[name]), inputs[name]));
    }
    const kind = element("select", { id: "urep-nonlinearity", class: "urep-field" });
    kind.append(...Object.entries(NONLINEARITIES).map(([name, title]) => new Option(title, name)));
    kind.addEventListener("change", () => { values.nonlinearity = kind.value; touched(); });
    const seed = element("input", { type: "number", id: "urep-seed", class: "urep-field", min: 0, max: MOST_SEEDS, step: 1 });
    seed.addEventListener("change", () => { take("seed", Number(seed.value)); show(); touched(); });
    const centred = element("input", { type: "checkbox", id: "urep-centred", class: "form-check-input" });
    centred.addEventListener("change", () => { values.centred = centred.checked; touched(); });
    grid.append(
      element("div", {}, element("label", { for: "urep-nonlinearity" }, "nonlinearity"), kind),
      element("div", {}, element("label", { for: "urep-seed" }, "seed of the weights"), seed),
      element("div", {}, element("label", { for: "urep-centred", class: "urep-check" }, centred,
        "centred points, so that there is no mean to be learned")));

    const button = (title, act) => {
      const made = element("button", { type: "button", class: "urep-button" }, title);
      made.addEventListener("click", act);
      return made;
    };
    const go = button("Train", () => begin());
    const halt = button("Stop", () => finish("reader"));
    const again = button("Another seed", () => { take("seed", (values.seed + 1) % MOST_SEEDS); show(); touched(); begin(); });
    const clear = button("Remove the network", () => { end(); run = null; report(); changed(null); });
    const bar = element("progress", { max: 1, value: 0, "aria-label": "epochs trained" });
    const said = element("p", { class: "urep-trained", role: "status" });
    const table = element("table", { class: "urep-scores" });
    set.append(grid, element("div", { class: "urep-buttons" }, go, halt, again, clear, bar), said, table);

    /** A value, within what is allowed and whole where it counts something. */
    function take(name, value) {
      if (!Number.isFinite(value)) return;
      const [low, high] = name === "seed" ? [0, MOST_SEEDS] : limits[name];
      const inside = Math.min(Math.max(value, low), high);
      values[name] = ["layers", "units", "trained", "seed"].includes(name) ? Math.round(inside) : inside;
    }

    function buttons() {
      halt.disabled = !running;
      clear.hidden = !run;
      bar.hidden = !running;
      table.hidden = !table.firstChild;
    }

    /** Ends the worker, in the middle of a step if need be. */
    function end() {
      running?.terminate();
      running = null;
    }

    async function begin() {
      end();
      const { layers: hidden_layers, units, gain, lr, trained: epochs } = values;
      const mine = { ...values, task: { ...task(), centred: values.centred }, network: null, stopped: "", seconds: 0, epoch: 0 };
      run = mine;
      table.replaceChildren();
      said.textContent = "Training…";
      buttons();
      try {
        await Promise.all([load("training.js"), load("fit.js")]);
      } catch (error) {
        said.textContent = error.message;
        return;
      }
      if (run !== mine) return; // somebody asked for something else meanwhile
      running = worker();
      running.addEventListener("message", ({ data }) => { if (run === mine) hear(data); });
      running.addEventListener("error", (event) => { if (run === mine) { end(); said.textContent = event.message; buttons(); } });
      running.postMessage({
        network: { hidden_layers, units, nonlinearity: values.nonlinearity, gain, seed: values.seed },
        task: mine.task, settings: { lr, epochs, every: Math.ceil(epochs / ROWS) },
      });
      bar.value = 0;
      buttons();
    }

    function hear({ start, rows, epoch, stopped, seconds }) {
      if (start) {
        run.decoder = start;
        return;
      }
      run.network = run.network
        ? Object.fromEntries(Object.entries(run.network).map(([name, values]) => [name, values.concat(rows[name])]))
        : rows;
      Object.assign(run, { epoch, seconds });
      bar.value = epoch / run.trained;
      if (stopped) finish(stopped);
      else if (!still.matches) changed(run);
    }

    /** The end of a training, by itself or by its reader. */
    function finish(stopped) {
      end();
      if (!run) return;
      run.stopped = stopped;
      if (!run.network) said.textContent = "Stopped before the first epoch.";
      else if (stopped === "diverged") run.network = beforeItWasLost(run.network);
      buttons();
      if (run.network) changed(run);
    }

    /** What came out, in words and in a table. */
    function report(fit) {
      table.replaceChildren();
      if (!run) said.textContent = "";
      else if (run.stopped) said.replaceChildren(...sentences(fit));
      if (run?.stopped && fit?.rows) {
        const row = (tag, cells) => element("tr", {}, ...cells.map((text) => element(tag, {}, text)));
        const scores = [["‖dh‖²", fit.r2.dh2], ["‖dy‖²", fit.r2.dy2], ["w", fit.r2.w], ["loss", fit.r2.loss]];
        table.append(row("th", ["R² of", ...scores.map(([title]) => title)]),
          row("td", [fit.theory, ...scores.map(([, score]) => (score === undefined ? "–" : score.toFixed(3)))]));
      }
      buttons();
    }

    function sentences(fit) {
      const { network, layers, units, gain, lr, epoch, seconds, stopped } = run;
      const many = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
      const words = [`${many(layers, "hidden layer")} of ${many(units, "unit")}, ${NONLINEARITIES[run.nonlinearity]}, gain ${plain(gain)}, seed ${run.seed}: `];
      if (stopped === "diverged") {
        words.push(`training diverged at epoch ${epoch} with the learning rate ${plain(lr)}: the loss is no longer finite. Use a smaller learning rate or a smaller gain.`);
        return words;
      }
      words.push(`${stopped === "reader" ? "stopped after " : ""}${many(epoch, "epoch")} in ${plain(seconds)} s, to a loss of ${plain(network.loss.at(-1))}. `);
      if (fit?.why) words.push(fit.rows ? `The best that the theory can do is drawn, and its constants mean nothing: ${fit.why}. `
        : `Nothing was fitted: ${fit.why}. `);
      else if (fit?.eta) words.push(`Fitted: η = ${plain(fit.eta)}, where the learning rate is ${plain(lr)}. `);
      else if (fit) words.push(`Fitted: τ_h = ${plain(fit.tau_h)} and τ_y = ${plain(fit.tau_y)} epochs. `);
      const turned = (Math.acos(Math.min(Math.max(network.cosine.at(-1), -1), 1)) * 180) / Math.PI;
      words.push(`dh has turned by ${plain(turned)}°, where (7) has it keep its direction.`);
      return words;
    }

    buttons();
    show();
    return {
      set, values, report,
      get run() { return run; },
      /** Takes settings from an address. */
      read(query) {
        for (const name of [...SLIDERS.map(([name]) => name), "seed"]) {
          const text = query.get(name);
          if (text !== null && text.trim() !== "") {
            take(name, Number(text));
            shown = true;
          }
        }
        if (query.has("centred")) values.centred = query.get("centred") === "1";
        if (Object.hasOwn(NONLINEARITIES, query.get("nonlinearity"))) values.nonlinearity = query.get("nonlinearity");
        show();
      },
      /** Puts settings into an address, once somebody has touched them. */
      write(query) {
        if (!shown && !run) return;
        for (const [name] of SLIDERS) query.set(name, Number(values[name].toPrecision(5)));
        query.set("seed", values.seed);
        if (values.centred) query.set("centred", 1);
        query.set("nonlinearity", values.nonlinearity);
      },
    };
  }

  return { create };
})();
