// Parts of a page that htmx fetches on their own.

// A part that cannot be fetched shows the message of its `data-failed`.
export function sayWhatFailed(event) {
  const part = event.detail.elt.closest("[data-failed]");
  if (!part) return;
  part.removeAttribute("aria-busy");
  part.querySelector("[data-waiting]").textContent = part.dataset.failed;
}

// If the session has ended, the server redirects to the sign-in page: reload the whole page, not one part of it.
export function leaveForOtherPages(event) {
  const { finalRequestPath, responsePath } = event.detail.pathInfo;
  if (!responsePath || pathOf(responsePath) === pathOf(finalRequestPath)) return;
  event.detail.shouldSwap = false;
  window.location.reload();
}

function pathOf(address) {
  return new URL(address, window.location.href).pathname;
}
