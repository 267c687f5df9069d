import palette from "../../../flbook/shared/palette.json" with { type: "json" };

/** Hands both colour sets of the palette to the style sheet, which picks by the page's theme. */
export function paint(root) {
  for (const [role, colours] of Object.entries(palette)) {
    for (const [theme, colour] of Object.entries(colours)) root.style.setProperty(`--flb-${role}-${theme}`, colour);
  }
}
