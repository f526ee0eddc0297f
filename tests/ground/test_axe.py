"""The check of a page's accessibility finds text with too little contrast, also if similar text was checked before."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.browser import axe_violations

pytestmark = pytest.mark.browser

READABLE = '<p class="note" style="color: #333">Homes for rent</p>'
FAINT = '<p class="note" style="color: #bbb">Homes for rent</p>'
ON_DARK = '<div style="background: #222"><p class="note" style="color: #333">Homes for rent</p></div>'


def faults_of(page: Any, main: str) -> list[str]:
    """Return the faults that axe finds on a page with this content."""
    page.set_content(f'<html lang="en"><title>Homes</title><main><h1>Homes</h1>{main}</main></html>')
    return axe_violations(page)


def test_readable_text_is_no_fault(page: Any) -> None:
    assert faults_of(page, READABLE) == []


@pytest.mark.parametrize("unreadable", [FAINT, ON_DARK], ids=["colour", "background"])
def test_unreadable_text_is_found_although_text_of_the_same_class_is_readable(page: Any, unreadable: str) -> None:
    faults_of(page, READABLE)

    (fault,) = faults_of(page, READABLE + unreadable)

    assert fault.startswith("color-contrast")


def test_unreadable_text_is_found_on_each_page(page: Any) -> None:
    faults_of(page, FAINT)

    (fault,) = faults_of(page, FAINT)

    assert fault.startswith("color-contrast")


def test_small_text_is_found_although_large_text_of_the_same_colour_is_readable(page: Any) -> None:
    grey = "color: #888"
    faults_of(page, f'<p style="{grey}; font-size: 40px">Homes for rent</p>')

    (fault,) = faults_of(page, f'<p style="{grey}; font-size: 16px">Homes for rent</p>')

    assert fault.startswith("color-contrast")
