// anywidget's published module is AMD: this stands in for the `define` it calls and keeps what it defines.

/** @type {{factory: (base: object) => Record<string, unknown>}} */
export const defined = {
  factory() {
    throw new Error("anywidget defined no module");
  },
};

export function define(_dependencies, factory) {
  defined.factory = factory;
}
