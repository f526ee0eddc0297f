// Filters are open beside the results. On a phone they are folded, so that the results come first, unless they have errors.
export function foldOnPhones(details) {
  const wideScreen = window.matchMedia("(min-width: 56em)");
  const update = () => { details.open = wideScreen.matches || details.querySelector(".govuk-error-summary") !== null; };
  wideScreen.addEventListener("change", update);
  update();
}
