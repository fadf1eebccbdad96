// "Prove it again" beside each symbolic verdict, and a field for the answers to exercises: the page's own cells,
// cut to those that lead to the verdict, run by Python in a worker, which is fetched when it is first asked for.
(() => {
  "use strict";
  const root = document.documentElement.dataset.content_root ?? "./";
  const here = new URL(`${root}_static/`, location.href);
  const { megabytes } = document.currentScript.dataset;
  const STOPPED = "Stopped.", AGAIN = "Press again to try again.";

  // --- the worker ---------------------------------------------------------------------------

  // One worker for the whole page, and in it one piece of work at a time: the others wait for their turn.
  let worker, running;
  const queue = [];

  const missing = () => {
    if (location.protocol === "file:")
      return "This page was opened from a file, and a browser runs Python only on pages from a server. " +
        "In the folder of the site, python -m http.server makes one.";
    if (!window.Worker) return "This browser has no web workers, in which the page runs Python.";
    if (!window.WebAssembly) return "This browser has no WebAssembly, or has it switched off; Python needs it.";
    return "";
  };

  const next = () => {
    if (running || !queue.length) return;
    running = queue.shift();
    worker ??= started();
    worker.postMessage({ name: running.name, given: running.given });
  };

  const settle = (act) => {
    const job = running;
    running = undefined;
    if (job) act(job);
    next();
  };

  // Ends the worker and what runs in it; what waits has its turn in a fresh one.
  const end = (reason) => {
    worker?.terminate();
    worker = undefined;
    settle(({ fail }) => fail(new Error(reason)));
  };

  const started = () => {
    const fresh = new Worker(new URL("prove_worker.js", here), { type: "module" });
    fresh.onmessage = ({ data: { told, ready, result, seconds, error, lost } }) => {
      if (told) running.tell(told);
      else if (ready) document.querySelectorAll(".urep-fetches").forEach((hint) => hint.remove());
      else if (lost) end(`Python could not be started: ${error}. ${AGAIN}`);
      else if (error) settle(({ fail }) => fail(new Error(error)));
      else settle(({ done }) => done({ ...result, seconds }));
    };
    fresh.onerror = (event) => end(`Python could not be started: ${event.message ?? "its script did not load"}. ${AGAIN}`);
    return fresh;
  };

  // Calls a function of urep.site.reader for a panel, which is told what it is doing meanwhile.
  const call = (panel, name, given) =>
    new Promise((done, fail) => {
      if (panel.stopped) throw new Error(STOPPED);
      if (running) panel.tell("Waiting for what runs elsewhere on this page…");
      queue.push({ panel, tell: panel.tell, name, given, done, fail });
      next();
    });

  // Stops what a panel asked for, and nothing else.
  const stop = (panel) => {
    panel.stopped = true;
    if (running?.panel === panel) return end(STOPPED);
    const place = queue.findIndex((job) => job.panel === panel);
    if (place >= 0) queue.splice(place, 1)[0].fail(new Error(STOPPED));
  };

  const fetched = async (name) => {
    let answer;
    try {
      answer = await fetch(new URL(`proofs/${name}`, here));
    } catch (error) {
      throw new Error(`The lines of this page, ${name}, could not be loaded: ${error.message}. ${AGAIN}`);
    }
    if (!answer.ok) throw new Error(`${answer.url}: ${answer.status} ${answer.statusText}. ${AGAIN}`);
    return answer.json();
  };

  // What has come is kept; what has not may be asked for again.
  const pages = new Map();
  const programs = (name) => {
    if (!pages.has(name)) {
      pages.set(name, fetched(name));
      pages.get(name).catch(() => pages.delete(name));
    }
    return pages.get(name);
  };

  // --- pieces of a page ---------------------------------------------------------------------

  let made = 0;
  const piece = (kind, settings = {}, ...inside) => {
    const element = Object.assign(document.createElement(kind), settings);
    element.append(...inside);
    return element;
  };
  const button = (words, whose, act) => {
    const hidden = piece("span", { className: "urep-unseen" }, ` ${whose}`);
    const element = piece("button", { type: "button", className: "urep-button" }, words, hidden);
    element.addEventListener("click", () => isOff(element) || act());
    return element;
  };
  const off = (control, is) => control.setAttribute("aria-disabled", String(is));
  const isOff = (control) => control.getAttribute("aria-disabled") === "true";

  // What the first press will fetch, beside the button until it has come.
  const fetches = () => piece("span", { className: "urep-fetches" }, `fetches Python, ${megabytes} MB, once`);

  // Runs `work` while Stop can stop it; buttons stay where they are, so that the focus does.
  const busy = async (panel, work) => {
    panel.stopped = false;
    off(panel.go, true);
    off(panel.stop, false);
    panel.said.setAttribute("aria-busy", "true");
    try {
      await work();
    } catch (error) {
      panel.tell(error.message);
    }
    panel.said.removeAttribute("aria-busy");
    off(panel.go, false);
    off(panel.stop, true);
  };

  // --- a verdict ----------------------------------------------------------------------------

  const inWords = ({ loading, running }) =>
    `${loading > 0.1 ? `Loaded in ${loading.toFixed(1)} s, ran` : "Ran"} in ${running.toFixed(1)} s.`;

  const outcome = (verdict, { verdicts, printed, stopped, seconds }) => {
    const found = [], spent = inWords(seconds);
    for (const { html, anchor } of verdicts) {
      const shown = piece("div", { innerHTML: html }).firstElementChild;
      shown.removeAttribute("id");
      found.push(shown);
      if (anchor === verdict.id) {
        const same = shown.dataset.record === verdict.dataset.record;
        found.push(piece("p", {}, same
          ? `The run gives the same verdict as this page. ${spent}`
          : `The claim holds, with other lines than on this page. ${spent}`));
      }
    }
    if (printed) found.push(piece("pre", {}, printed));
    if (stopped) {
      found.push(piece("p", { className: "urep-refused" }, stopped.refused ? "Refused:" : "The lines stop with an error:"));
      found.push(piece("pre", {}, stopped.message));
    } else if (!verdicts.some(({ anchor }) => anchor === verdict.id)) {
      found.push(piece("p", {}, `The lines ran to their end, and do not make the claim of this verdict. ${spent}`));
    }
    return found;
  };

  const proof = (verdict) => {
    // A page may have several verdicts on one equation; what is claimed tells their buttons apart.
    const named = (part) => verdict.querySelector(part)?.textContent.trim() ?? "";
    const whose = `${named(".urep-item")}: ${named(".urep-claim")}`;
    const place = piece("div", { className: "urep-proof" });
    const said = piece("div", { className: "urep-proof-said" });
    said.setAttribute("role", "status");
    const id = `urep-cells-${(made += 1)}`;
    const cells = piece("textarea", { id, spellcheck: false, autocapitalize: "off", autocomplete: "off", wrap: "off" });
    const label = piece("label", { htmlFor: id }, "The lines of this page that lead to it; change one and prove it again:");
    const tell = (...words) => said.replaceChildren(...words);
    let original = "";

    const open = async () => {
      if (place.contains(cells)) return;
      original = (await programs(verdict.dataset.prove)).programs[verdict.id].trimEnd();
      cells.value = original;
      cells.rows = Math.min(24, original.split("\n").length);
      go.after(reset, halt);
      said.after(label, cells);
    };
    const run = async () => {
      const why = missing();
      if (why) return tell(why);
      tell("Loading the lines…");
      await busy(panel, async () => {
        await open();
        tell(...outcome(verdict, await call(panel, "run", [cells.value])));
      });
    };
    const go = button("Prove it again", whose, run);
    const reset = button("Reset", `the lines of ${whose}`, () => {
      cells.value = original;
      tell("The lines are again as on the page.");
    });
    const halt = button("Stop", `the proof of ${whose}`, () => stop(panel));
    const panel = { go, stop: halt, said, tell };
    off(halt, true);
    place.append(go, fetches(), said);
    verdict.after(place);
  };

  // --- an answer ----------------------------------------------------------------------------

  const question = (exercise) => {
    const { answer, asks, letters } = exercise.dataset;
    const id = `urep-answer-${(made += 1)}`;
    const field = piece("input", { id, type: "text", spellcheck: false, autocapitalize: "off", autocomplete: "off" });
    const said = piece("div", { className: "urep-proof-said" });
    said.setAttribute("role", "status");
    const tell = (...words) => said.replaceChildren(...words);
    const check = async () => {
      const why = missing();
      if (why) return tell(why);
      tell("Loading…");
      await busy(panel, async () => {
        const { program, book } = (await programs(answer)).solutions[exercise.id];
        const { outcome, message } = await call(panel, "answer", [program, book, field.value]);
        tell(piece("p", { className: `urep-${outcome}` }, message));
      });
    };
    const go = piece("button", { type: "submit", className: "urep-button" }, "Check my answer");
    const halt = button("Stop", "the check of my answer", () => stop(panel));
    const panel = { go, stop: halt, said, tell };
    off(halt, true);
    const known = letters ? `with ${letters.split(" ").join(", ")}` : "a number";
    const hint = piece("span", { id: `${id}-hint`, className: "urep-hint" }, `a formula as SymPy reads it, ${known}`);
    field.setAttribute("aria-describedby", hint.id);
    const form = piece("form", { className: "urep-proof" }, piece("label", { htmlFor: id }, `${asks}:`), field, hint, go, halt, fetches(), said);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!isOff(go)) check();
    });
    exercise.append(form);
  };

  document.querySelectorAll("[data-prove]").forEach(proof);
  document.querySelectorAll("[data-answer]").forEach(question);
})();
