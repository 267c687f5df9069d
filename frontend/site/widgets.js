// The static page's widget manager: it revives the widget state that the page carries, with no kernel behind it.
import * as base from "@jupyter-widgets/base";
import { ManagerBase } from "@jupyter-widgets/base-manager";
import * as controls from "@jupyter-widgets/controls";
import { Widget } from "@lumino/widgets";
import "anywidget";
import { defined } from "./amd.js";

const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';

const modules = {
  "@jupyter-widgets/base": base,
  "@jupyter-widgets/controls": controls,
  anywidget: defined.factory(base),
};

class PageManager extends ManagerBase {
  async loadClass(className, moduleName) {
    const found = modules[moduleName]?.[className];
    if (found === undefined) throw new Error(`no widget ${moduleName}.${className} on this page`);
    return found;
  }

  /** @returns {Promise<never>} */
  async _create_comm() {
    throw new Error("a static page has no kernel to talk to");
  }

  async _get_comm_info() {
    return {};
  }

  async show(script) {
    const { model_id } = JSON.parse(script.textContent);
    const host = document.createElement("div");
    host.className = "jupyter-widgets-host";
    script.after(host);
    const view = await this.create_view(await this.get_model(model_id));
    Widget.attach(view.luminoWidget, host);
  }
}

// The controls typeset their labels through MathJax 2's queue; the page has MathJax 3.
function answerMathJaxQueue() {
  const { MathJax } = /** @type {any} */ (window);
  if (MathJax === undefined) return;
  MathJax.Hub ??= {
    Queue: ([, , element]) => MathJax.startup.promise.then(() => MathJax.typesetPromise([element])),
  };
}

async function revive() {
  const state = document.querySelector(STATE);
  if (state === null) return;
  answerMathJaxQueue();
  const manager = new PageManager();
  await manager.set_state(JSON.parse(state.textContent));
  await Promise.all([...document.querySelectorAll(VIEW)].map((script) => manager.show(script)));
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", revive);
else revive();
