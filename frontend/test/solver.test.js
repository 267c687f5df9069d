// The solver by itself: limits, symmetries, frozen numbers, and small steps of the weights as an independent route.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LOSSES } from "../src/solver/losses.js";
import { differenceOfProducts, dot, twoProduct } from "../src/solver/compensated.js";
import { GradientFlow, Gram, KernelFlow, LogisticFlow, LossFlow, Network, NeuronFlow, Task } from "../src/solver/index.js";

const close = (a, b, relative = 1e-12, absolute = 0) =>
  assert.ok(Math.abs(a - b) <= relative * Math.abs(b) + absolute, `${a} is not ${b}`);

const network = new Network({ width: 3, gamma: 0.7, eta_u: 1.5, eta_w: 0.4 });
const task = new Task(1.3, -0.9, 2);
const [u0, w0] = [Float64Array.of(0.3, -1.1, 0.8), Float64Array.of(0.9, 0.2, 0.5)];
const gram = Gram.fromWeights(u0, w0);
const flow = new GradientFlow(network, task, gram);
const TIMES = [0, 1e-9, 0.01, 0.3, 1, 4, 20, 200, Infinity];

/** Training by Runge-Kutta steps on the weights themselves. */
function simulate(t, steps) {
  const { gamma, eta_u, eta_w } = network;
  /** @param {Float64Array[]} state the layers */
  const velocity = ([u, w]) => {
    const error = task.secondMoment * (gamma * dot(u, w) - task.target);
    return [w.map((x) => -eta_u * gamma * error * x), u.map((x) => -eta_w * gamma * error * x)];
  };
  const add = (a, b, h) => a.map((layer, i) => layer.map((x, j) => x + h * b[i][j]));
  let state = [u0, w0];
  const h = t / steps;
  for (let i = 0; i < steps; i++) {
    const k1 = velocity(state);
    const k2 = velocity(add(state, k1, h / 2));
    const k3 = velocity(add(state, k2, h / 2));
    const k4 = velocity(add(state, k3, h));
    state = [add(k1, k4, 1), add(k2, k3, 1)].reduce((sum, k, i) => add(sum, k, (h * (1 + i)) / 6), state);
  }
  return state;
}

test("products and their differences lose nothing", () => {
  const [a, b] = [1 + 2 ** -30, 1 - 2 ** -30];
  assert.deepEqual(twoProduct(a, b), [1, -(2 ** -60)]);
  assert.equal(differenceOfProducts(a, b, 1, 1), -(2 ** -60));
  assert.equal(dot([1e16, 1, -1e16], [1, 1, 1]), 1);
});

test("the weights follow the flow that small steps take", () => {
  for (const t of [0.1, 0.5, 2]) {
    const [u, w] = simulate(t, 4000);
    const exact = flow.weights(t, u0, w0);
    u.forEach((x, i) => close(exact.u[i], x, 1e-10, 1e-12));
    w.forEach((x, i) => close(exact.w[i], x, 1e-10, 1e-12));
    close(flow.slope(t), network.gamma * dot(u, w), 1e-10);
  }
});

test("the Gram matrix is that of the weights, at every time", () => {
  for (const t of TIMES) {
    const { u, w } = flow.weights(t, u0, w0);
    const [expected, shown] = [Gram.fromWeights(u, w), flow.gram(t)];
    for (const entry of ["uu", "uw", "ww"]) close(shown[entry], expected[entry], 1e-12, 1e-14);
    close(flow.alignment(t), expected.alignment, 1e-12, 1e-14);
    close(flow.determinant(), expected.determinant, 1e-12);
  }
});

test("every neuron stays on its hyperbola", () => {
  for (const t of TIMES) {
    const { u, w } = flow.weights(t, u0, w0);
    const { eta_u, eta_w } = network;
    u.forEach((x, i) => close(eta_w * x * x - eta_u * w[i] * w[i], eta_w * u0[i] ** 2 - eta_u * w0[i] ** 2, 1e-12, 1e-13));
  }
});

test("it starts at the start and ends at the target", () => {
  close(flow.slope(0), network.gamma * gram.uw, 1e-15);
  assert.equal(flow.slope(Infinity), task.target);
  assert.equal(flow.residual(Infinity), 0);
  close(flow.loss(Infinity), 0.5 * (2 - 0.81 / 1.3), 1e-14);
  close(flow.kernel(Infinity), Math.hypot(flow.initial.signal * task.target, flow.kernelFloor), 1e-15);
});

test("the residual keeps its digits far below the rounding of the slope", () => {
  const [one, two] = [40, 80].map((t) => flow.residual(t));
  close(Math.log(two / one) / 40, -flow.rate, 1e-12);
});

test("mirroring the target and one layer mirrors the slope", () => {
  const mirrored = new GradientFlow(network, new Task(1.3, 0.9, 2), new Gram(gram.uu, -gram.uw, gram.ww));
  for (const t of TIMES) assert.equal(mirrored.slope(t), -flow.slope(t));
});

test("swapping the layers with their learning rates changes nothing", () => {
  const swapped = new GradientFlow(
    new Network({ ...network, eta_u: network.eta_w, eta_w: network.eta_u }),
    task,
    new Gram(gram.ww, gram.uw, gram.uu),
  );
  for (const t of TIMES) close(swapped.slope(t), flow.slope(t), 1e-14);
});

test("a vector of times is answered in any order", () => {
  const forward = TIMES.map((t) => flow.slope(t));
  const backward = [...TIMES].reverse().map((t) => flow.slope(t));
  assert.deepEqual(backward.reverse(), forward);
});

test("a network without weights does not move", () => {
  const still = new GradientFlow(network, task, new Gram(0, 0, 0));
  for (const t of TIMES) {
    assert.equal(still.slope(t), 0);
    assert.equal(still.kernelRatio(t), 1);
  }
  assert.equal(still.timeToShrink(0.5), Infinity);
});

test("balanced layers on the wrong side of the saddle end on it", () => {
  const balanced = new Network({ width: 1, gamma: 1, eta_u: 1, eta_w: 1 });
  const stuck = new GradientFlow(balanced, new Task(1, 1, 1), new Gram(2, -2, 2));
  assert.equal(stuck.slope(Infinity), 0);
  assert.equal(stuck.residual(Infinity), -1);
  assert.equal(stuck.timeToShrink(0.2), Infinity);
  const half = stuck.timeToShrink(0.5);
  close(stuck.residual(half), -1.5, 1e-12);
});

test("on its way to the saddle no number is lost, however fast the other mode would grow", () => {
  const stuck = new GradientFlow(new Network({ width: 2 }), new Task(1, 1, 1), new Gram(1e9, -1e9, 1e9));
  for (let t = 0; t < 400; t += 0.5) {
    const [slope, kernel] = [stuck.slope(t), stuck.kernel(t)];
    assert.ok(slope <= 0 && kernel >= 0, `v = ${slope} and K = ${kernel} at t = ${t}`);
  }
});

test("with a large kernel floor the flow is the frozen kernel's", () => {
  const wide = new Network({ width: 1e12, gamma: 1e-6 });
  const start = Gram.typical(wide, 0.5);
  const [exact, frozen] = [new GradientFlow(wide, task, start), new KernelFlow(wide, task, start)];
  for (const t of TIMES) close(exact.slope(t), frozen.slope(t), 1e-5);
});

test("with a vanishing kernel floor the flow is the logistic curve", () => {
  const small = new Network({ width: 1, gamma: 1 });
  const start = new Gram(1e-6, 1e-6 * (1 - 1e-15), 1e-6);
  const up = new Task(1, 1, 1);
  const [exact, limit] = [new GradientFlow(small, up, start), new LogisticFlow(small, up, start)];
  for (const t of TIMES) close(exact.slope(t), limit.slope(t), 1e-6);
});

test("the time to shrink the error does what it says", () => {
  for (const cross of [-0.9, 0, 0.9]) {
    const tried = new GradientFlow(network, new Task(1.3, cross, 2), gram);
    for (const fraction of [0.9, 0.5, 1e-3, 1e-12]) {
      close(tried.residual(tried.timeToShrink(fraction)), fraction * tried.residual(0), 1e-11);
    }
  }
});

test("the kernel comes back to its start where the target is minus the slope at the start", () => {
  const start = Gram.fromWeights(Float64Array.of(1, 0.2), Float64Array.of(0.5, 1));
  const slope = network.gamma * start.uw;
  const flipped = new GradientFlow(network, new Task(1, -slope, 1), start);
  close(flipped.kernelRatio(Infinity), 1, 1e-14);
  close(flipped.alignment(Infinity), -flipped.alignment(0), 1e-14);
});

test("a typical Gram matrix has the moments of its law", () => {
  const { uu, uw, ww } = Gram.typical(new Network({ width: 100, sigma_u: 0.5, sigma_w: 2 }), 3);
  assert.deepEqual([uu, uw, ww], [25, 30, 4 * (9 + 99)]);
});

const EXAMPLES = { x: [-2, -0.5, 0.7, 1.5], y: [-1.2, 0.3, 0.4, 2] };
const flowOf = (loss, { x, y } = EXAMPLES, start = gram) => new LossFlow(network, loss, x, y, start);

test("with the squared loss a flow on examples is the flow of their moments", () => {
  const { x, y } = EXAMPLES;
  const moments = new Task(dot(x, x) / 4, dot(x, y) / 4, dot(y, y) / 4);
  for (const start of [gram, new Gram(gram.uu, -gram.uw, gram.ww), new Gram(1e-6, 9e-7, 1e-6), new Gram(1e6, 1e3, 1e6)]) {
    const [one, other] = [flowOf("squared", EXAMPLES, start), new GradientFlow(network, moments, start)];
    for (const t of TIMES.slice(0, -1)) {
      close(one.slope(t), other.slope(t), 1e-11);
      close(one.kernel(t), other.kernel(t), 1e-11);
      close(one.alignment(t), other.alignment(t), 1e-11);
    }
  }
});

test("every loss follows small steps of its own", () => {
  const { x, y } = EXAMPLES;
  const labels = { squared: y, huber: y, logistic: y.map(Math.sign), exponential: y.map(Math.sign) };
  for (const [loss, signs] of Object.entries(labels)) {
    const exact = flowOf(loss, { x, y: signs });
    const speed = (v) => -exact.kernelAt(v) * x.reduce((sum, a, i) => sum + (a * LOSSES[loss].first(v * a, signs[i])) / 4, 0);
    let v = exact.slope(0);
    const h = 2e-4;
    for (let i = 1; i <= 10_000; i++) {
      const k1 = speed(v);
      const k2 = speed(v + (h / 2) * k1);
      const k3 = speed(v + (h / 2) * k2);
      v += (h / 6) * (k1 + 2 * k2 + 2 * k3 + speed(v + h * k3));
      // the steps lose their order where the Huber loss has a kink
      if (i % 2000 === 0) close(exact.slope(i * h), v, loss === "huber" ? 1e-8 : 1e-11);
    }
  }
});

test("the derivatives of a loss are those of its neighbours", () => {
  for (const { first, second } of Object.values(LOSSES)) {
    for (const [f, y] of [[0.3, 1], [-4, 1], [2, -1], [30, 1]]) {
      const h = 1e-5;
      close(second(f, y), (first(f + h, y) - first(f - h, y)) / (2 * h), 1e-6, 1e-10);
    }
  }
});

test("where every label is right the logistic loss never stops, and a wrong one gives it an end", () => {
  const [right, wrong] = [[-1, -1, 1, 1], [1, -1, 1, 1]].map((y) => flowOf("logistic", { x: EXAMPLES.x, y }));
  const slopes = [1e3, 1e6, 1e9, 1e100].map((t) => right.slope(t));
  for (let i = 1; i < slopes.length; i++) assert.ok(slopes[i] > slopes[i - 1] + 5);
  assert.equal(wrong.slope(1e9), wrong.slope(1e100));
});

test("a network that no example moves stays", () => {
  for (const still of [flowOf("squared", { x: [0, 0], y: [1, 2] }), flowOf("logistic", EXAMPLES, new Gram(0, 0, 0))]) {
    assert.equal(still.slope(10), still.slope(0));
    assert.equal(still.kernelRatio(10), 1);
  }
});

/** The single neuron by Runge-Kutta steps on its weights. */
function neuronBySteps({ a, w, target, eta_a, eta_w }, t, steps) {
  /** @param {number[]} weights */
  const velocity = ([a, ...w]) => {
    const error = w.map((value, i) => a * value - target[i]);
    return [-eta_a * dot(w, error), ...error.map((value) => -eta_w * a * value)];
  };
  const add = (x, y, h) => x.map((value, i) => value + h * y[i]);
  let state = [a, ...w];
  const h = t / steps;
  for (let i = 0; i < steps; i++) {
    const k1 = velocity(state);
    const k2 = velocity(add(state, k1, h / 2));
    const k3 = velocity(add(state, k2, h / 2));
    const k4 = velocity(add(state, k3, h));
    state = state.map((x, j) => x + (h / 6) * (k1[j] + 2 * k2[j] + 2 * k3[j] + k4[j]));
  }
  return { a: state[0], w: state.slice(1) };
}

const NEURONS = [
  new NeuronFlow(0.3, [0.4, -0.2, 0.1], [1, 0.5, -0.3]),
  new NeuronFlow(2, [0.1, 0.3], [-1, 0.2], 0.5, 2),
  new NeuronFlow(0.01, [-1, 2], [1, 0], 3, 0.7),
  new NeuronFlow(-0.6, [0.6, 0.1], [1, 0]),
];

test("a single neuron follows the small steps of its weights, on every side of balance", () => {
  for (const neuron of NEURONS) {
    for (const t of [0.2, 1, 3]) {
      const [steps, exact] = [neuronBySteps(neuron, t, 4000), neuron.weights(t)];
      close(exact.a, steps.a, 1e-9, 1e-11);
      exact.w.forEach((value, i) => close(value, steps.w[i], 1e-9, 1e-11));
    }
  }
});

test("its imbalance is frozen and its loss, slope and kernel are those of its weights", () => {
  for (const neuron of NEURONS) {
    const { target, eta_a, eta_w } = neuron;
    for (const t of TIMES) {
      const now = neuron.weights(t);
      close(eta_w * now.a ** 2 - eta_a * dot(now.w, now.w), neuron.imbalance, 1e-10, 1e-12);
      close(neuron.kernelSize(t), eta_w * now.a ** 2 + eta_a * dot(now.w, now.w), 1e-12);
      const error = now.w.map((value, i) => now.a * value - target[i]);
      close(neuron.loss(t), dot(error, error) / 2, 1e-9, 1e-14);
      neuron.slope(t).forEach((value, i) => close(value, now.a * now.w[i], 1e-12, 1e-15));
      close(neuron.alignment(t), dot(now.w, target) / Math.hypot(...now.w) / Math.hypot(...target), 1e-12, 1e-14);
    }
  }
});

test("the turn of its kernel is that of the matrix", () => {
  const matrix = ({ a, w }, eta_a, eta_w) => w.flatMap((p, i) => w.map((q, j) => (i === j ? eta_w * a * a : 0) + eta_a * p * q));
  for (const neuron of NEURONS) {
    const { eta_a, eta_w } = neuron;
    const before = matrix(neuron.weights(0), eta_a, eta_w);
    for (const t of TIMES) {
      const now = matrix(neuron.weights(t), eta_a, eta_w);
      const cosine = dot(now, before) / Math.hypot(...now) / Math.hypot(...before);
      close(neuron.kernelRotation(t), 1 - cosine, 1e-9, 1e-14);
    }
  }
});

test("a balanced neuron that points straight away from its target ends on the saddle", () => {
  const stuck = new NeuronFlow(1, [-1, 0], [2, 0]);
  close(stuck.loss(Infinity), 2);
  assert.equal(stuck.weights(Infinity).a, 0);
});
