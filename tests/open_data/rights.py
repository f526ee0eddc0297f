"""Who may call the services of open data."""

from __future__ import annotations

from typing import Any

from partnerships.open_data.services import (
    FileRow,
    begin_publishing,
    end_publishing,
    enter_agreement,
    enter_contribution,
    save_rows,
)
from partnerships.people.models import User
from tests.plans.drafts import begin
from tests.support.rights import ADMINISTRATOR, LEAD, PARTNER, Row
from tests.world import World


def _begin(world: World, author: User | None) -> Any:
    """Publish the contributions of Westmarch, which Ben leads."""
    return begin_publishing(
        organisation=world.westmarch,
        standard="developer-contributions",
        reason="The law asks for it.",
        author=author,
        now=world.now,
    )


def _enter(world: World, author: User | None) -> Any:
    """Return an agreement of Westmarch, entered on its page."""
    return enter_agreement(
        organisation=world.westmarch, reference="W/1", kind="section-106", author=author, now=world.now
    )


ROWS = (
    Row("open_data.begin_publishing", lambda world, author, _: _begin(world, author), PARTNER | ADMINISTRATOR),
    Row(
        "open_data.end_publishing",
        lambda world, author, _: end_publishing(
            organisation=world.westmarch,
            standard="developer-contributions",
            reason="It moved.",
            author=author,
            now=world.now,
        ),
        PARTNER | ADMINISTRATOR,
        prepare=lambda world: _begin(world, None),
    ),
    Row("open_data.enter_agreement", lambda world, author, _: _enter(world, author), PARTNER | ADMINISTRATOR),
    Row(
        "open_data.enter_agreement",
        lambda world, author, _: enter_agreement(
            organisation=world.larkhaven, reference="L/1", kind="section-106", author=author, now=world.now
        ),
        LEAD | ADMINISTRATOR,
        situation="of no planning authority",
        result="UnableToEnter: Only planning authorities that still exist can add agreements.",
    ),
    Row(
        "open_data.enter_contribution",
        lambda world, author, agreement: enter_contribution(
            agreement=agreement, reference="W/1-a", purpose="education", author=author, now=world.now
        ),
        PARTNER | ADMINISTRATOR,
        prepare=lambda world: _enter(world, None),
    ),
    Row(
        "open_data.save_rows",
        lambda world, author, plan: save_rows(
            dataset="plan", rows={plan: [FileRow(2, {"reference": "w"})]}, author=author, now=world.now
        ),
        LEAD | ADMINISTRATOR,
        prepare=begin,
    ),
)
WITHOUT_A_PERSON = {"open_data.is_under_embargo": "reads only"}
