"""Import the housing figures that come with the project, for the places of the demonstration."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from partnerships.people.models import User
from partnerships.transfer.services.files import File
from partnerships.transfer.services.outcomes import Outcome
from partnerships.transfer.services.registers import import_register

#: Each file is named after its series and the day of publication.
FIGURES = Path(__file__).parents[2] / "figures"


def load_figures(*, author: User | None, now: dt.datetime) -> list[Outcome]:
    """Import each of the project's files of figures.

    Returns what became of each. Called again, it changes nothing.
    """
    return [
        import_register(
            register=path.stem.partition("_")[0], file=File(path.name, path.read_bytes()), author=author, now=now
        )
        for path in sorted(FIGURES.glob("*.csv"))
    ]
