import { specification } from "../base/catalogue.js";
import { formatNumber } from "../base/format.js";
import { HalfPlanePanel } from "../charts/half_plane_panel.js";
import { clockTime } from "../charts/scales.js";
import { decompose, GradientFlow, locate, MECHANISM, REGIME } from "../solver/index.js";
import { gramOf, largestGrowth, networkOf, recipe, remembering, taskOf, timeUnit } from "./setting.js";

const MEANING = {
  [MECHANISM.alignment]: "the layers turn towards one line",
  [MECHANISM.disalignment]: "the layers turn away from one line",
  [MECHANISM.rescaling]: "from start to end the layers change their lengths more than the size of ζ",
  [MECHANISM.kernel]: "the point hardly turns and hardly changes its distance from the origin",
};

function train(setting) {
  const network = networkOf(setting);
  const task = taskOf(setting);
  const gram = gramOf(setting);
  const flow = new GradientFlow(network, task, gram);
  const { rootDeterminant } = gram;
  const along = (t) => flow.slope(t) / network.gamma;
  const learned = (t) => decompose(gram, { uw: along(t), rootDeterminant });
  return {
    flow,
    gram,
    along,
    unit: timeUnit(flow),
    learned,
    whole: learned(Infinity),
    regime: locate(flow).regime,
    recipe: (t) => recipe(network, task, gram, t),
  };
}

const trained = remembering(train);

function compute(parameters) {
  const { clock, ...setting } = parameters;
  const training = trained(setting);
  const { flow, gram, unit, whole } = training;
  const { target } = setting;
  const t = unit * clockTime(clock);
  const learned = training.learned(t);
  const ratio = flow.kernelRatio(Infinity);
  return {
    start: { along: gram.uw, across: gram.rootDeterminant },
    now: { along: training.along(t), across: gram.rootDeterminant },
    end: { along: training.along(Infinity), across: gram.rootDeterminant },
    target,
    cosines: { before: gram.alignment, after: flow.alignment(t) },
    mix: Math.min(largestGrowth(flow) / 2, 1),
    parameters: training.recipe(t),
    quantities: {
      rescaling_share: learned.rescaling,
      alignment_share: learned.alignment,
      slope: flow.slope(t),
      kernel_ratio: flow.kernelRatio(t),
      alignment: flow.alignment(t),
      "alignment@0": gram.alignment,
      "alignment@inf": flow.alignment(Infinity),
      "kernel_ratio@inf": ratio,
    },
    headings: { heading: clock >= 1 ? "from the start to the end of training" : `from the start to time t = ${formatNumber(t, 3)}` },
    summary: summarise(whole, ratio, training.regime, gram.alignment, flow.alignment(Infinity)),
  };
}

/** A cosine that is not ±1 does not read as ±1. */
function formatCosine(value, digits) {
  const size = Math.abs(value);
  while (digits < 8 && size < 1 && Number(size.toPrecision(digits)) === 1) digits += 1;
  return Number(size.toPrecision(digits)) === 1 ? formatNumber(value, 1) : formatNumber(value, digits);
}

/** Both cosines, with as many digits as it takes to tell them apart. */
function describeAngles(before, after) {
  for (let digits = 2; digits <= 6; digits++) {
    const [first, last] = [before, after].map((value) => formatCosine(value, digits));
    if (first !== last) return `ζ goes from ${first} to ${last}`;
  }
  return `ζ stays at ${formatCosine(after, 2)}`;
}

function summarise({ mechanism, crossed }, ratio, regime, before, after) {
  const name = mechanism === MECHANISM.kernel ? "Kernel regime" : mechanism[0].toUpperCase() + mechanism.slice(1);
  const by = crossed && [MECHANISM.alignment, MECHANISM.rescaling].includes(mechanism) ? ", by way of disalignment" : "";
  const angles = describeAngles(before, after);
  const turned = [MECHANISM.alignment, MECHANISM.disalignment].includes(mechanism);
  if (turned && regime === REGIME.by_imbalance) {
    return [
      { text: "The kernel is frozen", tone: "kernel" },
      ` (K(∞)/K₀ = ${formatNumber(ratio, 4)}), for one layer outweighs the other, `,
      { text: "and yet the layers turn", tone: "feature" },
      `: ${angles}.`,
    ];
  }
  return [
    { text: `${name}${by}`, tone: mechanism === MECHANISM.kernel ? "kernel" : "feature" },
    `: ${MEANING[mechanism]}, ${angles}; the kernel ends at ${formatNumber(ratio, 4)} times its start.`,
  ];
}

function createView(container, { read, set }) {
  const { max: reach, step } = specification("half-plane", "target");
  const plane = new HalfPlanePanel(container, {
    title: "training moves the network horizontally",
    symbol: "(u·w, √D)",
    reach,
    widest: specification("half-plane", "uw").max,
    height: specification("half-plane", "root_determinant").max,
    step,
    read: () => {
      const { uw, root_determinant, target } = read();
      return { along: uw, across: root_determinant, target };
    },
    set: ({ along, across, target }) =>
      set({
        ...(along === undefined ? {} : { uw: along }),
        ...(across === undefined ? {} : { root_determinant: across }),
        ...(target === undefined ? {} : { target }),
      }),
  });
  return {
    resize: (width) => plane.resize(width),
    draw(result) {
      const { start, end, cosines, quantities } = result;
      plane.draw({
        ...result,
        description: `The half plane of u·w and √D. At the height ${formatNumber(start.across, 3)} training moves the network from u·w = ${formatNumber(start.along, 3)} to ${formatNumber(end.along, 3)}; the cosine of its angle goes from ${formatNumber(cosines.before, 3)} to ${formatNumber(quantities["alignment@inf"], 3)}. Now it is at ${formatNumber(result.now.along, 3)}.`,
      });
    },
    keepGhost: () => plane.keepGhost(),
  };
}

/** @type {import("./explorer.js").Explorer} */
export const halfPlane = {
  name: "half-plane",
  numbers: {
    tiles: [
      { key: "rescaling_share", tone: "feature" },
      { key: "alignment_share", tone: "feature" },
      { key: "slope" },
      { key: "kernel_ratio" },
      { key: "alignment" },
      { key: "alignment@0", minor: true },
      { key: "alignment@inf", minor: true },
      { key: "kernel_ratio@inf", minor: true },
    ],
  },
  compute,
  createView,
};
