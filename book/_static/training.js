// Gradient descent of a fully connected network on two points, in plain arrays of float64: what `urep.train` does,
// from the weights that `urep.FullyConnected` would be given. One function that uses nothing outside of itself, so
// that a worker can be made of its source, from a server and from a file alike.
function urepTrainingParts() {
  "use strict";

  // --- nonlinearities: a(z), and its slope from z and a ----------------------------------------
  const gate = (z) => 1 / (1 + Math.exp(-z));
  const NONLINEARITIES = {
    leaky_relu: [(z) => (z > 0 ? z : 0.01 * z), (z) => (z > 0 ? 1 : 0.01)],
    relu: [(z) => (z > 0 ? z : 0), (z) => (z > 0 ? 1 : 0)],
    elu: [(z) => (z > 0 ? z : Math.expm1(z)), (z, a) => (z > 0 ? 1 : a + 1)],
    tanh: [Math.tanh, (_, a) => 1 - a * a],
    swish: [(z) => z * gate(z), (z) => gate(z) * (1 + z * (1 - gate(z)))],
    none: [(z) => z, () => 1],
  };

  // --- the start ---------------------------------------------------------------------------------
  /** Uniform numbers in (0, 1) from a seed, by the generator Mulberry32; two draws make 53 bits. */
  function uniform(seed) {
    let state = seed >>> 0;
    const draw = () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let z = Math.imul(state ^ (state >>> 15), state | 1);
      z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
      return (z ^ (z >>> 14)) >>> 0;
    };
    return () => ((draw() >>> 5) * 2 ** 26 + (draw() >>> 6) + 0.5) / 2 ** 53;
  }

  /** Normal numbers from a seed, by the transform of Box and Muller. */
  function normal(seed) {
    const next = uniform(seed);
    let kept = null;
    return () => {
      if (kept !== null) {
        const given = kept;
        kept = null;
        return given;
      }
      const size = Math.sqrt(-2 * Math.log(next())), angle = 2 * Math.PI * next();
      kept = size * Math.sin(angle);
      return size * Math.cos(angle);
    };
  }

  /** One input, hidden layers, one output: Xavier normal weights times a gain, zero biases. */
  function initial({ hidden_layers, units, nonlinearity, gain, seed }) {
    const random = normal(seed), weights = [], biases = [];
    for (let l = 0; l <= hidden_layers; l++) {
      const fan_in = l === 0 ? 1 : units, fan_out = l === hidden_layers ? 1 : units;
      const scale = gain * Math.sqrt(2 / (fan_in + fan_out));
      weights.push(Float64Array.from({ length: fan_in * fan_out }, () => scale * random()));
      biases.push(new Float64Array(fan_out));
    }
    return { nonlinearity, weights, biases };
  }

  /** The two points of `urep.tasks.two_points`: inputs from -1, targets from 0.6; or both centred, without a mean. */
  const twoPoints = ({ dx2, dy2_target, centred = false }) => {
    const dx = Math.sqrt(dx2), dy = Math.sqrt(dy2_target);
    const [input, target] = centred ? [-dx / 2, -dy / 2] : [-1, 0.6];
    return { inputs: [input, input + dx], targets: [target, target + dy] };
  };

  // --- one step ----------------------------------------------------------------------------------
  /**
   * A network that can be looked at and trained in place. Its weights are one array a layer, row by row as PyTorch
   * has them, (fan_out, fan_in). Of each layer z, a and the gradient are kept for both points, the first one's first.
   */
  function trainer({ nonlinearity, weights, biases }, { inputs, targets }) {
    const [activate, slope] = NONLINEARITIES[nonlinearity];
    const last = weights.length - 1;
    const pair = (n) => new Float64Array(2 * n);
    const a = [Float64Array.from(inputs), ...biases.map((b) => pair(b.length))];
    const z = [null, ...biases.map((b) => pair(b.length))];
    const gradient = a.map((values) => new Float64Array(values.length));

    /** From layer `first` on, whose input is a[first]. */
    function forward(first = 0) {
      for (let l = first; l <= last; l++) {
        const W = weights[l], b = biases[l], n = b.length, from = a[l], m = from.length / 2;
        const sum = z[l + 1], to = a[l + 1];
        for (let i = 0; i < n; i++) {
          let one = 0, two = 0;
          for (let j = 0, k = i * m; j < m; j++, k++) {
            one += W[k] * from[j];
            two += W[k] * from[m + j];
          }
          sum[i] = one + b[i];
          sum[n + i] = two + b[i];
        }
        for (let i = 0; i < 2 * n; i++) to[i] = l === last ? sum[i] : activate(sum[i]);
      }
    }

    /** Gradients of what the last one says, down to layer `until`; with a learning rate, a step at each layer. */
    function backward(lr, until = 0) {
      for (let l = last; l >= until; l--) {
        const W = weights[l], b = biases[l], n = b.length, from = a[l], m = from.length / 2;
        const above = gradient[l + 1], below = gradient[l];
        if (l < last) for (let i = 0; i < 2 * n; i++) above[i] *= slope(z[l + 1][i], a[l + 1][i]);
        below.fill(0);
        for (let i = 0; i < n; i++) {
          const one = above[i], two = above[n + i];
          for (let j = 0, k = i * m; j < m; j++, k++) {
            below[j] += W[k] * one;
            below[m + j] += W[k] * two;
            W[k] -= lr * (one * from[j] + two * from[m + j]);
          }
          b[i] -= lr * (one + two);
        }
      }
    }

    /** The two outputs and the loss (1) as the weights are. */
    function look() {
      forward();
      const [one, two] = a[last + 1];
      return { dy: two - one, loss: ((one - targets[0]) ** 2 + (two - targets[1]) ** 2) / 4 };
    }

    /** One step of gradient descent on the loss (1), after a look. */
    function step(lr) {
      gradient[last + 1].set(a[last + 1].map((y, i) => (y - targets[i]) / 2));
      backward(lr);
    }

    /** The difference of the two points after hidden layer k (from 0). */
    function difference(k) {
      const h = a[k + 1], n = h.length / 2;
      return h.slice(n).map((value, i) => value - h[i]);
    }

    /** D_y at hidden layer k: the output's gradient there, averaged on the line from the one point to the other. */
    function decoder(k, points = 32) {
      forward();
      const h = a[k + 1].slice(), n = h.length / 2, mean = new Float64Array(n);
      for (let p = 0; p < points; p += 2) {
        for (let i = 0; i < 2 * n; i++) {
          const share = (p + (i < n ? 0.5 : 1.5)) / points;
          a[k + 1][i] = h[i % n] + share * (h[n + (i % n)] - h[i % n]);
        }
        forward(k + 1);
        gradient[last + 1].fill(1);
        backward(0, k + 1);
        for (let i = 0; i < n; i++) mean[i] += (gradient[k + 1][i] + gradient[k + 1][n + i]) / points;
      }
      return mean;
    }

    return { look, step, difference, decoder };
  }

  // --- a training --------------------------------------------------------------------------------
  const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  const COLUMNS = ["t", "loss", "dh2", "dy", "dy2", "w", "cosine"];

  /** The middle hidden layer, the one the paper reads. */
  const middle = (network) => Math.floor((network.weights.length - 1) / 2);

  /**
   * A training that is carried on row by row: `advance(now)` until `now()` says that it is time to show something.
   * Rows hold what was before their step: loss, ‖dh‖² of layer k, dy and its square, w, and the cosine of dh with
   * the first one. A row that is not finite is left out and ends the training.
   */
  function begin(network, task, { lr, epochs, every = 1, layer = middle(network) }) {
    const net = trainer(network, task);
    const target = task.targets[1] - task.targets[0];
    net.look();
    const first = net.difference(layer), size = Math.sqrt(dot(first, first));
    let epoch = 0, stopped = "";

    /** Rows of the next epochs, as columns. */
    function advance(enough) {
      const rows = Object.fromEntries(COLUMNS.map((name) => [name, []]));
      while (!stopped) {
        const { dy, loss } = net.look();
        const recorded = epoch % every === 0, dh = recorded ? net.difference(layer) : first;
        const dh2 = dot(dh, dh);
        if (!Number.isFinite(loss) || !Number.isFinite(dh2) || !Number.isFinite(dy * dy)) {
          stopped = "diverged";
          break;
        }
        if (recorded) {
          const row = { t: epoch, loss, dh2, dy, dy2: dy * dy, w: dy * (dy - target),
            cosine: dh2 * size > 0 ? dot(dh, first) / (Math.sqrt(dh2) * size) : 1 }; // what is zero has not turned
          for (const name of COLUMNS) rows[name].push(row[name]);
        }
        net.step(lr);
        epoch += 1;
        if (epoch === epochs) stopped = "epochs";
        if (enough()) break;
      }
      return rows;
    }
    return { advance, get epoch() { return epoch; }, get stopped() { return stopped; } };
  }

  /** A whole training at once: columns, and why it stopped. The network is trained in place. */
  function train(network, task, settings) {
    const run = begin(network, task, settings);
    return { ...run.advance(() => false), stopped: run.stopped };
  }

  /** ‖D_y‖ and the cosine of dh with it, before training: what theories with an angle start from. */
  function decoderAtStart(network, task, layer = middle(network)) {
    const net = trainer(network, task);
    const D = net.decoder(layer);
    net.look();
    const dh = net.difference(layer), r = Math.sqrt(dot(D, D));
    const both = r * Math.sqrt(dot(dh, dh));
    return { r, cosine: both > 0 ? dot(dh, D) / both : 0 };
  }

  /** What a worker does: a message is one training; answers are rows, the last of them with a reason. */
  function serve(scope) {
    scope.onmessage = ({ data: { network, task, settings } }) => {
      const points = twoPoints(task), made = initial(network);
      scope.postMessage({ start: decoderAtStart(made, points) });
      const run = begin(made, points, settings);
      const began = performance.now();
      while (!run.stopped) {
        const shown = performance.now();
        const rows = run.advance(() => run.epoch % 16 === 0 && performance.now() - shown > 50);
        scope.postMessage({ rows, epoch: run.epoch, stopped: run.stopped, seconds: (performance.now() - began) / 1000 });
      }
    };
  }

  return { NONLINEARITIES, uniform, normal, initial, twoPoints, trainer, begin, train, decoderAtStart, middle, serve };
}
const urepTraining = urepTrainingParts();
