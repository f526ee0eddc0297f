// Parts of a page that htmx fetches on their own.

// A part that cannot be fetched says so, in the words of its page.
export function sayWhatFailed(event) {
  const part = event.detail.elt.closest("[data-failed]");
  if (!part) return;
  part.removeAttribute("aria-busy");
  part.querySelector("[data-waiting]").textContent = part.dataset.failed;
}

// Somebody whose session has ended is sent to another page: ask them to sign in on the whole page, not in a part of it.
export function leaveForOtherPages(event) {
  const { finalRequestPath, responsePath } = event.detail.pathInfo;
  if (!responsePath || pathOf(responsePath) === pathOf(finalRequestPath)) return;
  event.detail.shouldSwap = false;
  window.location.reload();
}

function pathOf(address) {
  return new URL(address, window.location.href).pathname;
}
