"""Tests leave no rows to each other."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.test import TransactionTestCase

from partnerships.exchange.models import Theme
from partnerships.people.models import User
from tests.support import seeds
from tests.world import person


@pytest.mark.django_db(transaction=True)
def test_rows_whose_clearing_failed_are_cleared_before_the_next_test(monkeypatch: pytest.MonkeyPatch) -> None:
    themes = set(Theme.objects.values_list("pk", flat=True))
    person("Amina Larch", "amina@larkhaven.example")

    def fail() -> None:
        raise OperationalError("out of shared memory")

    with monkeypatch.context() as broken:
        broken.setattr(seeds, "_clear", fail)
        with pytest.raises(OperationalError):
            seeds.as_migrated(TransactionTestCase())
    left = User.objects.count()
    seeds.clear_what_is_left()

    assert left == 1
    assert User.objects.count() == 0
    assert themes
    assert set(Theme.objects.values_list("pk", flat=True)) == themes
