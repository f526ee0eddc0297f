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
    Row("open_data.begin_publishing", lambda w, author, _: _begin(w, author), PARTNER | ADMINISTRATOR),
    Row(
        "open_data.end_publishing",
        lambda w, author, _: end_publishing(
            organisation=w.westmarch, standard="developer-contributions", reason="It moved.", author=author, now=w.now
        ),
        PARTNER | ADMINISTRATOR,
        prepare=lambda w: _begin(w, None),
    ),
    Row("open_data.enter_agreement", lambda w, author, _: _enter(w, author), PARTNER | ADMINISTRATOR),
    Row(
        "open_data.enter_agreement",
        lambda w, author, _: enter_agreement(
            organisation=w.larkhaven, reference="L/1", kind="section-106", author=author, now=w.now
        ),
        LEAD | ADMINISTRATOR,
        situation="of no planning authority",
        result="UnableToEnter: Only planning authorities that still exist can enter agreements.",
    ),
    Row(
        "open_data.enter_contribution",
        lambda w, author, agreement: enter_contribution(
            agreement=agreement, reference="W/1-a", purpose="education", author=author, now=w.now
        ),
        PARTNER | ADMINISTRATOR,
        prepare=lambda w: _enter(w, None),
    ),
    Row(
        "open_data.save_rows",
        lambda w, author, plan: save_rows(
            dataset="plan", rows={plan: [FileRow(2, {"reference": "w"})]}, author=author, now=w.now
        ),
        LEAD | ADMINISTRATOR,
        prepare=begin,
    ),
)
WITHOUT_A_PERSON = {"open_data.is_under_embargo": "reads only"}
