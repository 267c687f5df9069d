// anywidget's published module is AMD: this stands in for the `define` it calls and keeps what it defines.
export const defined = { factory: undefined };

export function define(_dependencies, factory) {
  defined.factory = factory;
}
