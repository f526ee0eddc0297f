"""Import the housing figures that come with the project, for the places of the demonstration."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from partnerships.people.models import User
from partnerships.transfer.services.files import File
from partnerships.transfer.services.outcomes import Outcome
from partnerships.transfer.services.registers import import_register

#: The folder of the files, whose names are the series and the day of publication.
FIGURES = Path(__file__).parents[2] / "figures"


def load_figures(*, author: User | None, now: dt.datetime) -> list[Outcome]:
    """Import each of the project's files of figures, and return the outcome of each.

    Calling this again changes nothing.
    """
    return [
        import_register(
            register=path.stem.partition("_")[0], file=File(path.name, path.read_bytes()), author=author, now=now
        )
        for path in sorted(FIGURES.glob("*.csv"))
    ]
