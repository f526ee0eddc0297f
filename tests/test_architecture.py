"""Layers and foreign keys follow the architecture, and so does the picture in the docs."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import Field, Model

ROOT = Path(settings.BASE_DIR)
ROOMS_FOLDER = ROOT / "partnerships"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_HTTP_MODULE = re.compile(r"django\.(http|shortcuts|views|contrib\.messages)\b")


def contracts() -> dict[str, dict[str, Any]]:
    """Return the import contracts of pyproject.toml by id."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {contract["id"]: contract for contract in content["tool"]["importlinter"]["contracts"]}


def ranks() -> dict[str, int]:
    """Return each room's layer in the contract; the lowest is 0."""
    layers = contracts()["rooms"]["layers"]
    return {name.strip(" ()"): height for height, layer in enumerate(reversed(layers)) for name in layer.split("|")}


def rooms() -> list[str]:
    """Return the existing rooms."""
    return sorted(path.name for path in ROOMS_FOLDER.iterdir() if (path / "apps.py").exists())


def modules(pattern: str = "**/*.py") -> list[Path]:
    """Return the modules of all rooms, without migrations."""
    return sorted(path for path in ROOMS_FOLDER.glob(pattern) if "migrations" not in path.parts)


@cache
def tree_of(module: Path) -> ast.Module:
    """Return the module's syntax tree."""
    return ast.parse(module.read_text(encoding="utf-8"))


def short(module: Path) -> str:
    """Return the module's path inside `partnerships/`."""
    return str(module.relative_to(ROOMS_FOLDER))


def domain_models() -> list[type[Model]]:
    """Return every table of the rooms, with row history and many-to-many tables."""
    return [
        model for model in apps.get_models(include_auto_created=True) if model.__module__.startswith("partnerships.")
    ]


def upward_links(model: type[Model]) -> Iterator[Field[Any, Any]]:
    """Foreign keys of this model to rooms that are not below it."""
    height = ranks()
    source = model._meta.app_label
    for field in model._meta.get_fields():
        if not isinstance(field, Field) or not field.is_relation or field.related_model is None:
            continue
        target = field.related_model._meta.app_label
        if target in height and target != source and height[target] >= height[source]:
            yield field


def test_every_room_is_installed_under_its_own_name() -> None:
    installed = {config.label for config in apps.get_app_configs() if config.name.startswith("partnerships.")}

    assert sorted(installed) == rooms()


def test_every_room_is_in_the_contracts() -> None:
    containers = [one["containers"] for name, one in contracts().items() if name.partition("-")[0] == "inside"]
    inside = {name.removeprefix("partnerships.") for name in chain.from_iterable(containers)}

    assert contracts()["rooms"]["exhaustive"] is True
    assert set(rooms()) <= set(ranks())
    assert set(rooms()) == inside


def test_no_foreign_key_points_upwards() -> None:
    assert [str(field) for model in domain_models() for field in upward_links(model)] == []


def test_foreign_key_that_points_upwards_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    membership = apps.get_model("organisations", "Membership")
    monkeypatch.setitem(globals(), "ranks", lambda: {"organisations": 0, "people": 1})

    assert [field.related_model._meta.app_label for field in upward_links(membership)][:1] == ["people"]


def test_services_do_not_use_http() -> None:
    services = [path for path in modules() if "services" in (*path.parts, path.stem)]

    assert [
        f"{short(path)} imports {name}" for path in services for name in _imported(path) if _HTTP_MODULE.match(name)
    ] == []


def _imported(module: Path) -> Iterator[str]:
    """Yield the full name of each module that a module imports."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_imports_are_at_the_top() -> None:
    hidden = [
        f"{short(module)}:{node.lineno}"
        for module in modules()
        for function in ast.walk(tree_of(module))
        if isinstance(function, FUNCTIONS) and function.name != "ready"
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert hidden == []


def test_ready_of_each_room_is_one_line() -> None:
    ready = [
        (module, function)
        for module in modules()
        if module.name == "apps.py"
        for function in ast.walk(tree_of(module))
        if isinstance(function, FUNCTIONS) and function.name == "ready"
    ]

    assert [short(module) for module, function in ready if len(function.body) != 2] == []  # a docstring and one line


def test_names_of_tests_have_at_most_80_characters() -> None:
    names = [
        name
        for path in Path(__file__).parent.rglob("test_*.py")
        for name in re.findall(r"^\s*def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]

    assert [name for name in names if len(name) > 80] == []


def test_every_module_says_what_it_is_for() -> None:
    trees = {short(module): tree_of(module) for module in modules()}

    assert [name for name, tree in trees.items() if tree.body and not ast.get_docstring(tree)] == []


def test_models_have_no_default_order() -> None:
    assert [model._meta.label for model in domain_models() if model._meta.ordering] == []


def test_picture_in_the_docs_matches_the_contract() -> None:
    words = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = re.search(r"```\n(web.*?)```", words, re.DOTALL)

    assert picture
    assert picture[1].splitlines() == contracts()["rooms"]["layers"]


def test_rooms_in_brackets_do_not_exist_yet() -> None:
    layers = " ".join(contracts()["rooms"]["layers"])

    assert set(re.findall(r"\((\w+)\)", layers)) == set(ranks()) - set(rooms())


def test_no_module_is_called_utils() -> None:
    assert [path for path in modules() if path.stem in {"utils", "helpers", "misc"}] == []
