// One moment of all curves: a slider for the epoch, and a button that lets it run, where motion is welcome.
const urepClock = (() => {
  const { element, plain, still } = urepParts;
  const SECONDS = 6; // from the first epoch shown to the last

  /** `moved(share)` hears of each change; the share is that of the epochs shown. */
  function create(moved) {
    const play = element("button", { type: "button", class: "urep-button", "aria-pressed": "false" }, "Play");
    const slider = element("input", { type: "range", id: "urep-now", min: 0, max: 1, step: 0.005, value: 0 });
    const said = element("output", { for: "urep-now" });
    const label = element("label", { for: "urep-now" }, "epoch ", said);
    const bar = element("div", { class: "urep-clock" }, play, label, slider);
    let running = 0, epochs = 0, share = 0;

    const show = () => {
      slider.value = share;
      said.textContent = plain(Math.round(share * epochs));
      slider.setAttribute("aria-valuetext", said.textContent);
      moved(share);
    };
    const stop = () => {
      cancelAnimationFrame(running);
      running = 0;
      play.textContent = "Play";
      play.setAttribute("aria-pressed", "false");
    };
    const start = () => {
      const from = share < 1 ? share : 0, began = performance.now();
      const frame = (now) => {
        share = Math.min(from + Math.max(now - began, 0) / (1000 * SECONDS), 1);
        show();
        if (share < 1) running = requestAnimationFrame(frame);
        else stop();
      };
      play.textContent = "Pause";
      play.setAttribute("aria-pressed", "true");
      running = requestAnimationFrame(frame);
    };
    play.addEventListener("click", () => (running ? stop() : start()));
    slider.addEventListener("input", () => {
      stop();
      share = Number(slider.value);
      show();
    });
    const allow = () => {
      if (still.matches) stop();
      play.hidden = still.matches;
    };
    still.addEventListener("change", allow);
    allow();

    return {
      bar,
      get share() { return share; },
      /** Puts the clock at a share of so many epochs; by default where it was. */
      set(all, at = share) {
        [epochs, share] = [all, at];
        show();
      },
      stop,
    };
  }
  return { create };
})();
