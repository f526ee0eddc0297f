"""Helpers for tests in a real Chromium, such as signing in and checking pages with axe."""

from __future__ import annotations

import shutil
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import ViewportSize

from partnerships.people.models import User
from tests.world import PASSWORD

#: Every page must work at both widths (docs/ui.md): a small phone and a desk.
NARROW: ViewportSize = {"width": 320, "height": 900}
WIDE: ViewportSize = {"width": 1280, "height": 900}

#: Milliseconds to wait until a page shows something, while several processes share a slow machine's cores.
PATIENCE = 90_000

#: WCAG 2.2 A and AA, by axe's names.
_WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

#: Axe's rules about position, size and hidden elements, which depend on the width. Colours, for example, do not.
_OF_WIDTH = ["aria-hidden-focus", "scrollable-region-focusable", "target-size"]


#: Programs that tests may drive. The first is the same Chromium without its own windows, menus and settings. For the
#: same pages, it needs three fifths of the processor time.
_PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def chromium_path() -> str | None:
    """Return the path of Debian's Chromium or of another one, or None if there is none."""
    return next((path for program in _PROGRAMS if (path := shutil.which(program))), None)


def sign_in(page: Any, origin: str, email: str, password: str = PASSWORD) -> None:
    """Sign in with the form, and end on the home page."""
    page.goto(f"{origin}/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{origin}/")


def click_to_next_page(locator: Any) -> None:
    """Click a link or button, and wait until the page that it opens has been loaded.

    For a click that is followed by something that does not wait by itself, such as reading the title or the database.
    """
    with locator.page.expect_navigation():
        locator.click()


def enter(page: Any, origin: str, person: User) -> None:
    """Sign in with an existing session, for tests of other pages."""
    client = Client()
    client.force_login(person)
    name = settings.SESSION_COOKIE_NAME
    page.context.clear_cookies()
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": origin}])


#: Waits for the transitions that have begun, except those that never end.
_WAIT_FOR_TRANSITIONS = """
() => Promise.allSettled(
  document.getAnimations().filter((each) => each.effect.getComputedTiming().endTime !== Infinity).map(
    (each) => each.finished))
"""
#: Signatures of texts whose contrast axe found sufficient in this process.
_with_enough_contrast: set[str] = set()
#: Checks the contrast of those texts on the page whose signature is not among the given ones. Returns the violations,
#: and the signatures of the texts that passed. Texts whose background axe cannot determine do not pass, and are checked
#: on every page.
_CHECK_CONTRAST = """
async (passedBefore) => {
  const known = new Set(passedBefore)
  const isPlaced = (style) => !["static", "relative"].includes(style.position) || style.float !== "none"
  const signature = (element) => {
    const own = getComputedStyle(element)
    const parts = [own.color, own.fontSize, own.fontWeight, own.textShadow]
    for (let each = element; each; each = each.parentElement) {
      const style = getComputedStyle(each)
      if (isPlaced(style)) return null
      parts.push([style.backgroundColor, style.backgroundImage, style.opacity, style.filter, style.mixBlendMode].join())
    }
    return parts.join(";")
  }
  const hasText = (element) =>
    element.matches("input, select, textarea") ||
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim())
  const unknown = [...document.querySelectorAll("body, body *")].filter(
    (element) => hasText(element) && !known.has(signature(element)))
  if (!unknown.length) return { violations: [], passed: [] }
  const found = await axe.run(unknown, { runOnly: ["color-contrast"], elementRef: true })
  const passed = found.passes.flatMap((rule) => rule.nodes.map((node) => signature(node.element)))
  const violations = found.violations.map(
    ({ id, help, nodes }) => ({ id, help, nodes: nodes.map(({ html }) => ({ html })) }))
  return { violations, passed: [...new Set(passed)].filter((each) => each) }
}
"""


def axe_violations(page: Any, *, is_email: bool = False, is_narrowed: bool = False) -> list[str]:
    """Check the page with axe, and return a line for each rule it breaks, with the first element that breaks it.

    Emails are only checked by the rules of WCAG, because axe also recommends landmarks, which mail programs remove. A
    page that was already checked at another width (`is_narrowed`) is only checked by the rules about the width.

    The contrast of a text depends on its colour, its size and the backgrounds behind it. It is checked once for each
    combination (signature), because this takes four fifths of axe's time. The contrast of texts in a positioned element
    is checked on every page, because other elements may lie behind it.
    """
    page.wait_for_load_state()  # axe reads the whole page
    page.evaluate(_WAIT_FOR_TRANSITIONS)  # a popup that fades in has too little contrast until it is there
    # A page that was checked before has the script. Without `resultTypes`, axe also describes passed rules, which takes
    # longer.
    axe = Axe("null") if page.evaluate("typeof axe") == "object" else Axe()
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if is_narrowed:
        options |= {"runOnly": {"type": "rule", "values": _OF_WIDTH}}
    else:
        options |= {
            "runOnly": {"type": "tag", "values": _WCAG if is_email else [*_WCAG, "best-practice"]},
            "rules": {"color-contrast": {"enabled": False}},
        }
    violations = axe.run(page, options=options).response["violations"]
    if not is_narrowed:
        contrast = page.evaluate(_CHECK_CONTRAST, sorted(_with_enough_contrast))
        _with_enough_contrast.update(contrast["passed"])
        violations += contrast["violations"]
    return [f"{item['id']}: {item['help']} ({item['nodes'][0]['html'][:160]})" for item in violations]


def reflows(page: Any) -> bool:
    """Return whether the page needs no sideways scrolling (WCAG 1.4.10)."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
