// What the theme and its extensions mark up in a way that a screen reader stumbles over.

/** Lets the visible text, where there is some, be the name in place of an aria-label that says something else. */
function nameByText(selector) {
  for (const element of document.querySelectorAll(selector)) {
    if (element.textContent.trim()) element.removeAttribute("aria-label");
  }
}

/** Makes the entries of the bibliography, which docutils puts in a list, items of that list. */
function markCitations() {
  for (const entry of document.querySelectorAll(".citation-list > .citation")) entry.setAttribute("role", "listitem");
}

document.addEventListener("DOMContentLoaded", () => {
  nameByText(".search-button-field, summary[aria-label]");
  markCitations();
});
