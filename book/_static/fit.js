// Constants of a theory from three measured curves, objective (49), and the third constant from a loss curve: what
// `urep.fit_rates` and `urep.fit_tau_mean` do, by Levenberg and Marquardt's method with derivatives by differences.
const urepFit = (() => {
  const MAX_LOG = 30; // e³⁰ epochs are beyond any training
  const FAR = 1e5; // a constant that many times longer or shorter than the training is none
  const STEP = 1e-5; // of the logarithm of a constant, to either side
  const CURVES = ["dh2", "dy2", "w"];

  const squares = (values) => values.reduce((sum, value) => sum + value * value, 0);
  const clipped = (x) => Math.min(Math.max(x, -MAX_LOG), MAX_LOG);

  /** JᵀJ and Jᵀr of residuals at x, one or two numbers; of one, the second row is that of the identity. */
  function normalEquations(residuals, x, here) {
    const columns = x.map((_, k) => {
      const moved = (by) => residuals(x.map((value, i) => (i === k ? value + by : value)));
      const up = moved(STEP), down = moved(-STEP);
      return up.map((value, i) => (value - down[i]) / (2 * STEP));
    });
    const dot = (one, two) => one.reduce((sum, value, i) => sum + value * two[i], 0);
    const [a, b] = columns;
    return b
      ? { aa: dot(a, a), ab: dot(a, b), bb: dot(b, b), ra: dot(a, here), rb: dot(b, here) }
      : { aa: dot(a, a), ab: 0, bb: 1, ra: dot(a, here), rb: 0 };
  }

  /** The place near x where the sum of squared residuals is least, and the equations there. */
  function leastSquares(residuals, start) {
    let x = start.map(clipped), here = residuals(x), cost = squares(here), damping = 1e-3;
    let equations = normalEquations(residuals, x, here);
    for (let turn = 0; turn < 100; turn++) {
      const { aa, ab, bb, ra, rb } = equations;
      const A = aa * (1 + damping), B = bb * (1 + damping), det = A * B - ab * ab;
      const move = [(ab * rb - B * ra) / det, (ab * ra - A * rb) / det].slice(0, x.length);
      if (!move.every(Number.isFinite)) break;
      const next = x.map((value, i) => clipped(value + Math.min(Math.max(move[i], -3), 3)));
      const there = residuals(next), lower = squares(there);
      const small = Math.max(...next.map((value, i) => Math.abs(value - x[i]))) < 1e-10;
      if (lower <= cost) {
        [x, here, cost, damping] = [next, there, lower, damping / 10];
        if (small) break;
        equations = normalEquations(residuals, x, here);
      } else {
        if (small || damping > 1e12) break;
        damping *= 10;
      }
    }
    return { x, cost, residuals: here, equations };
  }

  /** What (7) and (23) say in integral form, and a factor of ten around it: where a search begins. */
  function starts({ t, dh2, dy2, w }, { dx2 }) {
    let area = 0;
    const areas = t.map((now, i) => (area += i ? (w[i] + w[i - 1]) * (now - t[i - 1]) / 2 : 0));
    const span = t.at(-1) - t[0], total = squares(areas);
    const tau = (values, unit) => {
      const rise = areas.reduce((sum, value, i) => sum + value * (values[i] - values[0]), 0);
      return total > 0 && rise < 0 ? (-unit * total) / rise : span;
    };
    const ratio = dy2.map((value, i) => value / Math.max(dh2[i], Number.MIN_VALUE));
    const centre = [Math.log(tau(dh2, dx2)), Math.log(tau(ratio, 1))];
    const shifts = [0, -Math.LN10, Math.LN10];
    return shifts.flatMap((one) => shifts.map((two) => [centre[0] + one, centre[1] + two]));
  }

  /** Rows of (7) from the first measured one, at these constants. */
  function paper(seen, task) {
    const toward = seen.dy2[0] > seen.w[0] || task.dy2_target === 0;
    return ([tau_h, tau_y]) => {
      const k = urepSolution.prepare({ ...task, tau_h, tau_y, dh2_0: seen.dh2[0], dy2_0: seen.dy2[0], cosine: toward ? 1 : -1 });
      return seen.t.map((t) => urepSolution.at(k, t - seen.t[0]));
    };
  }

  const whyNot = ({ x, equations: { aa, ab, bb } }, span) => {
    if (x.some((value) => Math.abs(value) > 0.9 * MAX_LOG)) return "a constant ran away";
    if (x.length === 1) return "";
    if (x.some((value) => Math.abs(value - Math.log(span)) > Math.log(FAR))) return "a time constant ran away";
    const middle = (aa + bb) / 2, spread = Math.hypot((aa - bb) / 2, ab);
    // The product of the two eigenvalues without the difference that the smaller one is.
    const smaller = (aa * bb - ab * ab) / (middle + spread);
    return smaller > 1e-12 * (middle + spread) ? "" : "the curves do not determine both time constants";
  };

  const r2 = (values, misses) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return 1 - squares(misses) / squares(values.map((value) => value - mean));
  };

  /**
   * The logarithms x of a theory's one or two constants, by which its rows(constants) come closest to t, dh2, dy2 and w,
   * columns of one length whose first row is the start; R² of the three curves, the theory's rows, and `why` the
   * constants cannot be trusted, empty where they can.
   */
  function constants(seen, begins, rows) {
    const flat = CURVES.find((name) => Math.max(...seen[name]) === Math.min(...seen[name]));
    if (seen.dh2[0] === 0) return { why: "the two representations are one at the start, where (7) divides by zero" };
    if (flat || seen.t.length < 5) return { why: "too little has moved to fit anything" };
    const measured = CURVES.flatMap((name) => seen[name]);
    const lost = measured.map(() => 10 * Math.max(...measured.map(Math.abs)));
    const residuals = (x) => {
      const predicted = rows(x.map(Math.exp));
      const missed = CURVES.flatMap((name) => predicted.map((row, i) => row[name] - seen[name][i]));
      return missed.every(Number.isFinite) ? missed : lost;
    };
    const ranked = begins.map((x) => [squares(residuals(x)), x]).sort(([one], [two]) => one - two);
    const found = ranked.slice(0, 3).map(([, x]) => leastSquares(residuals, x));
    const best = found.reduce((one, two) => (two.cost < one.cost ? two : one)), n = seen.t.length;
    const scores = CURVES.map((name, k) => [name, r2(seen[name], best.residuals.slice(k * n, (k + 1) * n))]);
    return { x: best.x, rows: rows(best.x.map(Math.exp)), residual: best.cost, r2: Object.fromEntries(scores),
      why: whyNot(best, seen.t.at(-1) - seen.t[0]) };
  }

  /** Both time constants of (7), or of another theory's rows([tau_h, tau_y]). */
  function rates(seen, task, rows = paper(seen, task)) {
    const found = constants(seen, starts(seen, task), rows);
    if (!found.rows) return found;
    const [tau_h, tau_y] = found.x.map(Math.exp);
    return { tau_h, tau_y, ...found };
  }

  /** The one constant of rates that grow with depth, by its rows([eta]), near a learning rate. */
  function learningRate(seen, near, rows) {
    const found = constants(seen, [-1, 0, 1].map((k) => [Math.log(near) + k]), rows);
    return found.rows ? { eta: Math.exp(found.x[0]), ...found } : found;
  }

  /** The time constant of the mean output in (9) from a loss curve, and what (9) leaves for the mean at the start. */
  function mean({ t, loss }, rows, task) {
    const rest = rows.map((row, i) => urepSolution.loss(row, t[i], { ...task, mean_error2: 0, tau_mean: 1 }));
    const mean_error2 = Math.max(2 * (loss[0] - rest[0]), 0);
    const predicted = (tau_mean) =>
      rows.map((row, i) => urepSolution.loss(row, t[i], { ...task, mean_error2, tau_mean }));
    const residuals = ([x]) => predicted(Math.exp(x)).map((value, i) => value - loss[i]);
    const span = Math.log(t.at(-1));
    const found = [0, 1, 2, 3, 4].map((k) => leastSquares(residuals, [span - k * Math.LN10]));
    const best = found.reduce((one, two) => (two.cost < one.cost ? two : one));
    return { tau_mean: Math.exp(best.x[0]), mean_error2, r2: r2(loss, best.residuals) };
  }

  return { rates, learningRate, mean, leastSquares };
})();
