// The plane of encoder and decoder. Across it u, ‖dh‖; up it x, what the decoder makes of dh along dy*, in the unit in
// which (24) is u² - x² = A_high (less what lies across dy*) and the targets are reached where u x = A_low.
const urepPlane = (() => {
  const { spaced } = urepParts;

  /** The path of the exact solution, whose u changes sign where the representations pass through one another. */
  const exact = (rows, { tau_y }) => rows.map(({ p, x }) => ({ u: p * Math.sqrt(2 * tau_y), x: x * Math.sqrt(2 * tau_y) }));

  /** The path of two lengths and an angle. */
  const angled = (rows, ratio) => rows.map(({ u, r, angle }) => ({ u, x: Math.sqrt(ratio) * r * Math.cos(angle) }));

  /** The path of a trained network, from columns; a dh that points back at its start counts as passed through. */
  const trained = ({ dh2, dy, cosine }, ratio) => dh2.map((size, i) => {
    const u = Math.sqrt(size) * (cosine[i] < -0.9 ? -1 : 1);
    return { u, x: u ? (Math.sqrt(ratio) * dy[i]) / u : 0 };
  });

  /** Velocity of the scaled lift (E0), in the unit of time 2 τ_y. */
  const velocity = ({ u, x }, { A_low }) => [-(u * x - A_low) * x, -(u * x - A_low) * u];

  /** Limits in which these points and the origin are seen, one unit as long in both directions; aspect is w over h. */
  function view(points, aspect) {
    const range = (name) => points.reduce(([low, high], { [name]: z }) => [Math.min(low, z), Math.max(high, z)], [0, 0]);
    const [across, up] = [range("u"), range("x")];
    const height = 1.3 * Math.max(up[1] - up[0], (across[1] - across[0]) / aspect, 1e-6);
    const around = ([low, high], size) => [(low + high - size) / 2, (low + high + size) / 2];
    return { u: around(across, aspect * height), x: around(up, height) };
  }

  /** Lines on which u x is A_low: two branches, or the axes where it is zero. */
  function learned(A_low, limits) {
    if (A_low === 0) return [limits.u.map((u) => ({ u, x: 0 })), limits.x.map((x) => ({ u: 0, x }))];
    return [1, -1].map((sign) => {
      const far = { u: Math.max(sign * limits.u[sign > 0 ? 1 : 0], 0), x: Math.max(sign * limits.x[sign > 0 ? 1 : 0], 0) };
      if (far.u * far.x <= A_low) return [];
      const [low, high] = [A_low / far.x, far.u].map(Math.log);
      return spaced(low, high, 80).map((z) => ({ u: sign * Math.exp(z), x: (sign * A_low) / Math.exp(z) }));
    });
  }

  /** Lines on which u² - x² is A_high: two branches. */
  const conserved = (A_high, limits) => [1, -1].map((sign) =>
    A_high >= 0
      ? spaced(...limits.x, 121).map((x) => ({ u: sign * Math.sqrt(A_high + x * x), x }))
      : spaced(...limits.u, 121).map((u) => ({ u, x: sign * Math.sqrt(u * u - A_high) })));

  /** Where on a grid the flow points: places and unit vectors. */
  function field(k, limits, columns = 15, rows = 9) {
    const inside = ([low, high], n) => spaced(low + (high - low) / (2 * n), high - (high - low) / (2 * n), n);
    return inside(limits.u, columns).flatMap((u) => inside(limits.x, rows).map((x) => {
      const [du, dx] = velocity({ u, x }, k), size = Math.hypot(du, dx);
      return size > 0 ? { u, x, du: du / size, dx: dx / size } : { u, x, du: 0, dx: 0 };
    }));
  }

  return { exact, angled, trained, velocity, view, learned, conserved, field };
})();
