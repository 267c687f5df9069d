// The theme names its search field "Search" although it reads "Search Ctrl+K": let the text be the name.
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll(".search-button-field")) button.removeAttribute("aria-label");
});
