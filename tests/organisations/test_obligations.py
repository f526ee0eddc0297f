"""Every column that refers to an organisation passes on, follows the organisation, or stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Field, ForeignKey, Model
from django.test.utils import CaptureQueriesContext

from partnerships.organisations.models import Organisation
from partnerships.organisations.obligations import (
    following_columns,
    held_records_by_kind,
    obligations,
    registered_columns,
)
from partnerships.people.personal import is_history
from tests.organisations.handing_over import create_council
from tests.support.moments import today
from tests.world import World


def naming_columns() -> Iterator[tuple[type[Model], Field[object, object]]]:
    """Yield every column of a table that refers to an organisation, except in row history and views."""
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.managed or model._meta.proxy or is_history(model):
            continue
        for field in model._meta.local_fields:
            if isinstance(field, ForeignKey) and field.related_model is Organisation:
                yield model, field


def labels() -> set[str]:
    """Return the labels of all these columns, such as `plans.PlanOwner.organisation`."""
    return {f"{model._meta.label}.{field.name}" for model, field in naming_columns()}


def unregistered_labels() -> list[str]:
    """Return the columns that refer to an organisation and that no room registers."""
    return sorted(labels() - registered_columns().keys())


def test_every_column_that_names_an_organisation_is_registered() -> None:
    assert unregistered_labels() == [], (
        "register these in the room's obligations.py: they pass on, follow their body, or stay"
    )


@pytest.mark.parametrize("registry", ["_kinds", "_following", "_staying"])
def test_each_column_that_a_room_does_not_register_is_found(registry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = registered_columns()
    monkeypatch.setattr(f"partnerships.organisations.obligations.{registry}", {})

    found_labels = unregistered_labels()

    assert found_labels == sorted(before.keys() - registered_columns().keys())
    assert found_labels != []


def test_tables_of_many_to_many_fields_are_among_the_columns() -> None:
    through_models = {
        field.remote_field.through
        for model in apps.get_models()
        for field in model._meta.local_many_to_many
        if field.related_model is Organisation
    }

    assert through_models <= {model for model, _ in naming_columns()}


def test_registered_columns_exist() -> None:
    assert registered_columns().keys() <= labels()


def test_each_column_is_registered_once() -> None:
    columns = [column.label for kind in obligations() for column in kind.columns]
    columns += [column.label for column in following_columns()]

    assert sorted(columns) == sorted(set(columns))


def test_columns_that_stay_are_those_that_nobody_may_change() -> None:
    protected = {
        label
        for label, fate in registered_columns().items()
        if fate == "stays" and not label.startswith("organisations.")
    }
    for label in protected:
        table, _dot, _field = label.rpartition(".")
        trigger_names = {trigger.name for trigger in apps.get_model(table)._meta.triggers}

        assert "immutable" in trigger_names or "submission_stays" in trigger_names, label


def test_the_records_of_an_organisation_are_grouped_by_kind(world: World) -> None:
    groups = {group.kind.code: group for group in held_records_by_kind(world.larkhaven, today())}

    [partnership] = groups["partnerships"].records
    names_of_people = [record.title for record in groups["people"].records]
    assert partnership.title == "Estuary Partnership"
    assert partnership.what == "Chair"
    assert sorted(names_of_people) == ["Amina Larch", "Eddie Larch", "Vera Larch"]


def test_the_records_of_an_organisation_without_any_need_one_query(world: World) -> None:
    council = create_council("Norbrook District Council")

    with CaptureQueriesContext(connection) as captured:
        groups = held_records_by_kind(council, today())

    assert groups == []
    assert len(captured) == 1


def test_kinds_without_records_need_no_query_each(world: World) -> None:
    with CaptureQueriesContext(connection) as captured:
        groups = held_records_by_kind(world.larkhaven, today())

    assert groups != []
    assert len(captured) < len(obligations())
