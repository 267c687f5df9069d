export { GradientFlow } from "./gradient_flow.js";
export { Gram } from "./gram.js";
export { KernelFlow } from "./kernel_flow.js";
export { LogisticFlow } from "./logistic_flow.js";
export { Network } from "./network.js";
export { Task } from "./task.js";
