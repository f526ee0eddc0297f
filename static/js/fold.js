// Filters stand open beside the results; on a phone they fold, so that the results come first.
export function foldOnPhones(details) {
  const wide = window.matchMedia("(min-width: 56em)");
  const fit = () => { details.open = wide.matches || details.querySelector(".govuk-error-summary") !== null; };
  wide.addEventListener("change", fit);
  fit();
}
