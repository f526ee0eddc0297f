"""The Django project, with settings, URLs, middleware, and the processes that production runs."""

import tomllib
from pathlib import Path

from housing.celery import app as celery_app

__all__ = ["VERSION", "celery_app"]

#: The version, which pyproject.toml says. Before a new one: `make release-check`.
VERSION: str = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]["version"]
