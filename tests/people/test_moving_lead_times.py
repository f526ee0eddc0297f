"""The migration moves lead times of reminders from commitments to people, with their history."""

from __future__ import annotations

from importlib import import_module

from django.apps import apps
from django.db import connection

from partnerships.people.models import LeadTimes
from tests.world import World

MOVE = import_module("partnerships.commitments.migrations.0009_move_lead_times").MOVE
#: The former tables of commitments, with Ben's choice, which he changed once, and the choice of a deleted person.
BEFORE = """
CREATE TEMP TABLE commitments_reminderchoice (id bigint, days smallint[], person_id bigint) ON COMMIT DROP;
CREATE TEMP TABLE commitments_reminderchoiceevent (
    pgh_id int, pgh_created_at timestamptz, pgh_label text, id bigint, days smallint[], person_id bigint,
    pgh_context_id uuid, pgh_obj_id bigint) ON COMMIT DROP;
INSERT INTO commitments_reminderchoice VALUES (7, ARRAY[30, 1], %(ben)s);
INSERT INTO commitments_reminderchoiceevent VALUES
    (1, '2026-01-05 10:00Z', 'insert', 7, ARRAY[14], %(ben)s, NULL, 7),
    (2, '2026-01-06 10:00Z', 'insert', 6, ARRAY[3], %(ben)s + 100000, NULL, 6),
    (3, '2026-02-05 10:00Z', 'update', 7, ARRAY[30, 1], %(ben)s, NULL, 7);
"""


def test_choices_of_lead_times_move_with_their_history(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute(BEFORE, {"ben": world.ben.pk})
        cursor.execute(MOVE)

    lead_times = LeadTimes.objects.get()
    events = apps.get_model("people", "LeadTimesEvent").objects.filter(
        pgh_created_at__year=2026, pgh_created_at__month__lt=3
    )
    assert lead_times.person_id == world.ben.pk
    assert lead_times.kind == "commitments"
    assert lead_times.days == [30, 1]
    assert list(events.order_by("pgh_created_at").values_list("pgh_label", "pgh_obj_id", "days")) == [
        ("insert", lead_times.pk, [14]),
        ("update", lead_times.pk, [30, 1]),
    ]
