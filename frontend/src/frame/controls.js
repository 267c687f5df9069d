// Names, keys and spoken values for the ipywidgets controls that stand beside the figure.

import { specification } from "../base/catalogue.js";
import { stepped } from "../base/parameters.js";

const STEPS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 5, PageDown: -5 };
const NAME_CLASS = /flbook-parameter-(\w+)/;

/**
 * Labels the controls in `box` for assistive technology, now and whenever they are drawn anew, and lets
 * the arrow keys move by the parameter's own step.
 * @param {Element} box the explorer's widget box
 * @param {string} explorer
 * @returns {() => void} undoes the listening
 */
export function attendControls(box, explorer) {
  const label = () => {
    for (const slider of box.querySelectorAll(".widget-slider")) labelSlider(slider);
    for (const header of box.querySelectorAll(".jupyter-widget-Collapse-header")) labelHeader(header);
  };
  const observer = new MutationObserver(label);
  observer.observe(box, { childList: true, subtree: true, attributes: true, attributeFilter: ["class", "aria-valuetext"] });
  const onKey = (event) => {
    if (event.target.matches(".noUi-handle")) moveHandle(event, explorer);
    else if (event.target.matches(".jupyter-widget-Collapse-header")) pressHeader(event);
  };
  box.addEventListener("keydown", onKey, true);
  label();
  return () => {
    observer.disconnect();
    box.removeEventListener("keydown", onKey, true);
  };
}

function labelSlider(slider) {
  const name = slider.querySelector(".widget-label")?.textContent;
  const handle = slider.querySelector(".noUi-handle");
  const readout = slider.querySelector(".widget-readout");
  if (!name || !handle || !readout) return;
  set(handle, "aria-label", name);
  set(handle, "aria-valuetext", readout.textContent);
  set(readout, "role", "textbox");
  set(readout, "aria-label", `${name}, value`);
}

function labelHeader(header) {
  set(header, "role", "button");
  set(header, "tabindex", "0");
  const open = header.parentElement.classList.contains("jupyter-widget-Collapse-open");
  set(header, "aria-expanded", String(open));
}

function set(element, attribute, value) {
  if (element.getAttribute(attribute) !== value) element.setAttribute(attribute, value);
}

function pressHeader(event) {
  if (event.key !== "Enter" && event.key !== " ") return;
  event.preventDefault();
  event.target.click();
}

function moveHandle(event, explorer) {
  const steps = STEPS[event.key];
  const control = event.target.closest(".widget-slider");
  const name = control?.className.match(NAME_CLASS)?.[1];
  const track = event.target.closest(".noUi-target")?.noUiSlider;
  if (steps === undefined || name === undefined || track === undefined) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const parameter = specification(explorer, name);
  const place = Number(track.get());
  const logarithmic = parameter.scale === "log";
  const next = stepped(parameter, logarithmic ? 10 ** place : place, steps);
  track.set(logarithmic ? Math.log10(next) : next);
}
