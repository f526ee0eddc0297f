"""Councils for tests of lists that name them."""

from __future__ import annotations

import pytest

from tests.support.kept_rows import build_once

from .lists import COUNCILS, import_list


@pytest.fixture
def councils(db: None) -> None:
    """Import the councils of `COUNCILS`, once for all tests."""
    build_once(_import_councils)


def _import_councils() -> None:
    import_list("councils", COUNCILS)
