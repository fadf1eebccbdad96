// The explorer's charts, drawn by uPlot: what is known of a start, and of a network that was trained beside it.
const urepCharts = (() => {
  const { element, plain, column, spaced } = urepParts;

  const CAPTIONS = {
    hidden: "Hidden distance ‖dh‖² against epochs; dotted, what (7) makes of the same start; dashed, where that ends by (10)",
    plane: "Encoder and decoder: the start runs along the dashed hyperbola (24) until it meets the coloured one, where the targets are learned; where they cross is (10). Small dots are equally far apart in time; the ring is the saddle",
    outputs: "Output distance ‖dy‖², w and loss against epochs",
    regimes: "The three regimes: initial ‖dy‖/‖dh‖ against initial ‖dh‖, with the way that is gone from the start",
    portrait: "Phase portrait of (25): w against ‖dh‖², with other starts of the same A_high, or with what (7) makes of this one",
  };
  const height = () => (matchMedia("(max-width: 40rem)").matches ? 180 : 240); // a phone has sliders below it

  // --- on a canvas -------------------------------------------------------------------------------
  const inside = (u, draw) => {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    draw(ctx);
    ctx.restore();
  };
  const line = (u, xs, ys, colour, width, dash = []) => inside(u, (ctx) => {
    ctx.beginPath();
    xs.forEach((x, i) => ctx.lineTo(u.valToPos(x, "x", true), u.valToPos(ys[i], "y", true)));
    ctx.strokeStyle = colour;
    ctx.lineWidth = width * devicePixelRatio;
    ctx.setLineDash(dash.map((length) => length * devicePixelRatio));
    ctx.stroke();
  });
  const dot = (u, x, y, colour, { hollow = false, radius = 5 } = {}) => inside(u, (ctx) => {
    ctx.beginPath();
    ctx.arc(u.valToPos(x, "x", true), u.valToPos(y, "y", true), radius * devicePixelRatio, 0, 2 * Math.PI);
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.strokeStyle = ctx.fillStyle = colour;
    if (hollow) ctx.stroke(); else ctx.fill();
  });
  const arrow = (u, { u: x, x: y, du, dx: dy }, colour) => inside(u, (ctx) => {
    const long = 6 * devicePixelRatio, [left, top] = [u.valToPos(x, "x", true), u.valToPos(y, "y", true)];
    const at = (along, across) => [left + long * (along * du - across * dy), top - long * (along * dy + across * du)];
    ctx.beginPath();
    ctx.moveTo(...at(-1, 0));
    ctx.lineTo(...at(1, 0));
    ctx.moveTo(...at(0.4, 0.4));
    ctx.lineTo(...at(1, 0));
    ctx.lineTo(...at(0.4, -0.4));
    ctx.strokeStyle = colour;
    ctx.lineWidth = devicePixelRatio;
    ctx.stroke();
  });
  const words = (u, text, x, y, colour) => {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.fillStyle = colour;
    ctx.textAlign = x > 0.5 ? "right" : "left";
    ctx.fillText(text, bbox.left + x * bbox.width, bbox.top + y * bbox.height);
    ctx.restore();
  };

  const look = (place) => {
    const text = getComputedStyle(place).color;
    const [red, green, blue] = text.match(/[\d.]+/g);
    return { text, faint: `rgba(${red},${green},${blue},0.15)`, pale: `rgba(${red},${green},${blue},0.35)` };
  };
  const value = (_, v) => (v == null ? "–" : plain(v));
  const axes = ({ text, faint }, xlabel, ylabel, grid = true) => {
    const common = { stroke: text, grid: { show: grid, stroke: faint, width: 1 }, ticks: { stroke: faint, width: 1 } };
    const number = (_, ticks) => ticks.map((v) => (v == null ? "" : plain(v)));
    return [
      { ...common, label: xlabel, labelSize: 20, size: 36, values: number },
      { ...common, label: ylabel, labelSize: 20, size: 58, values: number },
    ];
  };

  // --- the charts --------------------------------------------------------------------------------
  function create(colours) {
    const charts = element("div", { class: "urep-charts", tabindex: 0, role: "group", "aria-label": "Charts" });
    const places = {};
    const every = Object.entries(CAPTIONS);
    every.forEach(([name, caption], i) => {
      const place = `${i + 1} of ${every.length}${i ? "" : ", swipe for more"}. `; // shown where one is seen at a time
      places[name] = element("div", { class: "urep-chart", role: "img", "aria-label": caption });
      charts.append(element("figure", {}, places[name],
        element("figcaption", {}, element("strong", { class: "urep-place" }, place), caption)));
    });
    let plots = {}, latest, marks = {}, beside = false; // beside: whether there are curves of a network

    const curve = (label, name, width = 2) => ({ label, stroke: colours[name], width, value });
    const ofNetwork = (label, name) => ({ ...curve(`${label} of the network`, name, 6), stroke: `${colours[name]}a0` });
    const still = { legend: { show: false }, cursor: { show: false } };
    const time = { x: { time: false } };
    const empty = [{}, { show: true, stroke: "transparent", points: { show: false } }];

    const drawRegimes = (style) => (u) => {
      const { rows } = latest;
      const u0 = rows.map((row) => Math.sqrt(row.dh2)), r0 = rows.map((row) => Math.sqrt(row.dy2 / row.dh2));
      line(u, u0, r0, style.text, 2);
      dot(u, u0[0], r0[0], style.text);
      words(u, "encoder-dominated", 0.97, 0.95, style.text);
      words(u, "structured", 0.03, 0.95, style.text);
      words(u, "decoder-dominated", 0.03, 0.1, style.text);
    };
    const drawPortrait = (style) => (u) => {
      const { k, rows, others } = latest;
      for (const other of others) line(u, column(other, "dh2"), column(other, "w"), colours.w, 1);
      line(u, column(rows, "dh2"), column(rows, "w"), style.text, 2.5);
      dot(u, rows[0].dh2, rows[0].w, style.text);
      dot(u, 0, 0, style.text, { hollow: true });
      dot(u, k.dh2_inf, 0, colours.dh2);
    };
    const drawPlane = (style) => (u) => {
      const { k, path, paths, end, network } = latest;
      const limits = { u: [u.scales.x.min, u.scales.x.max], x: [u.scales.y.min, u.scales.y.max] };
      const curved = (points, ...how) => line(u, column(points, "u"), column(points, "x"), ...how);
      for (const place of urepPlane.field(k, limits)) arrow(u, place, style.pale);
      for (const branch of urepPlane.conserved(k.A_high, limits)) curved(branch, style.text, 1, [5, 4]);
      for (const branch of urepPlane.learned(k.A_low, limits)) curved(branch, colours.dy2, 2.5);
      if (network) curved(paths.network, `${colours.dh2}a0`, 6);
      if (paths.paper !== path) curved(paths.paper, colours.dh2, 1, [2, 3]);
      curved(path, colours.dh2, 2.5);
      for (let i = 0; i < path.length; i += 25) dot(u, path[i].u, path[i].x, style.text, { radius: 2 });
      dot(u, path[0].u, path[0].x, style.text);
      dot(u, 0, 0, style.text, { hollow: true });
      dot(u, end.u, end.x, colours.dy2);
    };

    const build = (withNetwork) => {
      for (const plot of Object.values(plots)) plot.destroy();
      beside = withNetwork;
      const style = look(charts);
      const size = (place) => ({ width: place.clientWidth || 320, height: height() });
      const epoch = { label: "epoch", value };
      const chart = (name, options) => new uPlot({ ...size(places[name]), ...options }, null, places[name]);
      plots = {
        hidden: chart("hidden", {
          scales: time, axes: axes(style, "epochs", "‖dh‖²"),
          series: [
            epoch, curve("‖dh‖²", "dh2", 2.5), { ...curve("by (7)", "dh2", 1), dash: [2, 3] },
            { label: "end by (10)", stroke: style.text, width: 1, dash: [6, 4], value },
            ...(withNetwork ? [ofNetwork("‖dh‖²", "dh2")] : []),
          ],
        }),
        plane: chart("plane", {
          ...still, scales: time, axes: axes(style, "u, the encoder's ‖dh‖", "x, the decoder's part", false), series: empty,
          hooks: { draw: [drawPlane(style)] },
        }),
        outputs: chart("outputs", {
          scales: time, axes: axes(style, "epochs", ""),
          series: [
            epoch, curve("‖dy‖²", "dy2"), curve("w", "w"), curve("loss", "loss"),
            ...(withNetwork ? [ofNetwork("‖dy‖²", "dy2"), ofNetwork("w", "w"), ofNetwork("loss", "loss")] : []),
          ],
        }),
        regimes: chart("regimes", {
          ...still,
          scales: { x: { time: false, distr: 3, range: [1e-3, 10] }, y: { distr: 3, range: [1e-4, 1e3] } },
          axes: axes(style, "‖dh(0)‖", "‖dy(0)‖/‖dh(0)‖", false),
          series: [
            {},
            { stroke: colours.dh2, fill: `${colours.dh2}40`, fillTo: (u) => u.scales.y.min, points: { show: false } },
            { stroke: colours.dy2, fill: `${colours.dy2}40`, fillTo: (u) => u.scales.y.max, points: { show: false } },
          ],
          hooks: { draw: [drawRegimes(style)] },
        }),
        portrait: chart("portrait", {
          ...still, scales: time, axes: axes(style, "‖dh‖²", "w"), series: empty,
          hooks: { draw: [drawPortrait(style)] },
        }),
      };
      marks = Object.fromEntries(Object.entries(plots).map(([name, plot]) => {
        const mark = element("i", { class: name === "hidden" || name === "outputs" ? "urep-now-line" : "urep-now-dot" });
        plot.over.append(mark);
        return [name, mark];
      }));
    };

    /** One chart with an empty series in the limits given. */
    const within = (plot, [left, right], [low, high]) => plot.batch(() => {
      plot.setData([[left, right], [low, high]], false);
      plot.setScale("x", { min: left, max: right });
      plot.setScale("y", { min: low, max: high });
    });

    /** What was measured, at the epochs that are drawn; nothing where there is none. */
    const measured = ({ t, network }, name) => {
      if (!network) return t.map(() => null);
      const { t: epochs, [name]: values } = network, last = epochs.length - 1;
      let i = 0;
      return t.map((now) => {
        if (last < 0 || now > epochs[last]) return null;
        while (epochs[i + 1] < now) i += 1;
        const share = i === last ? 0 : (now - epochs[i]) / (epochs[i + 1] - epochs[i]);
        return share ? values[i] + share * (values[i + 1] - values[i]) : values[i];
      });
    };

    const draw = (now) => {
      latest = now;
      const { k, t, rows, others, byPaper, ratio, paths, path, end } = latest;
      const also = (...names) => (beside ? names.map((name) => measured(latest, name)) : []);
      plots.hidden.setData([
        t, column(rows, "dh2"), byPaper.map((row) => (rows === byPaper ? null : row.dh2)), t.map(() => k.dh2_inf), ...also("dh2"),
      ]);
      plots.outputs.setData([t, column(rows, "dy2"), column(rows, "w"), column(rows, "loss"), ...also("dy2", "w", "loss")]);
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
      within(plots.portrait, [0, reach], [low - room, high + room]);
      const { width, height: tall } = plots.plane.bbox;
      const root = Math.sqrt(k.A_low), corner = { u: root, x: root };
      const limits = urepPlane.view([...path, ...paths.paper, ...paths.network, end, corner], width / tall || 1.6);
      within(plots.plane, limits.u, limits.x);
    };

    /** Marks of one moment, at a share of the epochs shown. */
    const mark = (share) => {
      if (!latest) return;
      const i = Math.round(share * (latest.t.length - 1)), row = latest.rows[i];
      const places = {
        hidden: [latest.t[i]], outputs: [latest.t[i]], plane: [latest.path[i].u, latest.path[i].x],
        regimes: [Math.sqrt(row.dh2), Math.sqrt(row.dy2 / row.dh2)], portrait: [row.dh2, row.w],
      };
      for (const [name, [x, y]] of Object.entries(places)) {
        const plot = plots[name], left = plot.valToPos(x, "x"), top = y === undefined ? 0 : plot.valToPos(y, "y");
        const seen = left >= 0 && left <= plot.over.clientWidth && top >= 0 && top <= plot.over.clientHeight;
        marks[name].hidden = !seen;
        if (seen) marks[name].style.transform = `translate(${left}px, ${top}px)`;
      }
    };

    const fill = () => {
      let changed = false;
      for (const [name, plot] of Object.entries(plots)) {
        const width = places[name].clientWidth;
        if (width && Math.abs(width - plot.width) > 1) {
          plot.setSize({ width, height: height() });
          changed = true;
        }
      }
      return changed;
    };

    return { charts, places, build, draw, mark, fill };
  }

  return { create };
})();
