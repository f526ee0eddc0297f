"""A contract for import-linter.

A room's views, forms and tasks may be imported only by that room and the project.
"""

from __future__ import annotations

from typing import Any, cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class DoorsContract(Contract):
    """Some modules of a room ("doors", such as views and forms) may be imported only within that room.

    The options are:

    * container: the package whose subpackages are the rooms
    * doors: the names of the modules
    * tools: rooms without pages, whose forms and views all rooms may import
    """

    type_name = "doors"

    container = fields.StringField()
    doors = fields.ListField(subfield=fields.StringField())
    tools = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find imports of another room's doors."""
        container, doors = str(self.container), {str(door) for door in cast(list[str], self.doors)}
        tools = {str(tool) for tool in cast(list[str], self.tools or [])}
        imports: list[str] = []
        for imported in sorted(graph.modules):
            steps = imported.removeprefix(f"{container}.").split(".")
            if not imported.startswith(f"{container}.") or not doors & set(steps[1:]) or steps[0] in tools:
                continue
            room = f"{container}.{steps[0]}"
            imports += [
                f"{importer} -> {imported}"
                for importer in sorted(graph.find_modules_that_directly_import(imported))
                if importer.startswith(f"{container}.") and not f"{importer}.".startswith(f"{room}.")
            ]
        return ContractCheck(kept=not imports, metadata={"found": imports})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each of these imports."""
        imports: list[Any] = check.metadata["found"]
        for line in imports:
            output.print_error(line, bold=False)
