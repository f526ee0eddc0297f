"""`make settings`: writes .env.example and docs/reference/settings.md from the declarations of settings.

`python -m tools.settings_pages --check` fails if one of them says something else.
"""

from __future__ import annotations

import re
import sys
import textwrap

from housing.declarations import SECTIONS
from housing.declarations.setting import Setting
from housing.environment import BASE_DIR

EXAMPLE = BASE_DIR / ".env.example"
REFERENCE = BASE_DIR / "docs" / "reference" / "settings.md"
WIDTH = 120
_LINK = re.compile(r" ?\(\[[^]]+\]\(([^)#]+)[^)]*\)\)|\[([^]]+)\]\([^)]+\)")


#: The text before the settings in each file, and after them.
EXAMPLE_HEAD = """\
# Every setting of Common Ground, written by `make settings`; docs/reference/settings.md has them as a table.
# `make run` needs none of them. Copy this file to .env beside manage.py. What the process's own environment sets
# wins over the file. Each secret may stand in a file of its own instead: SECRET_KEY_FILE=/run/secrets/key.
# Put comments on lines of their own: Docker and systemd take a comment behind a value for a part of it.

# --- Must be set in production
"""
REFERENCE_HEAD = """\
# Settings

All settings come from the environment, or from the file `.env` beside `manage.py`; the environment wins. `make run`
needs none of them. This page and `.env.example` are written by `make settings` from `housing/declarations/`.

Everything is checked when a process starts. It stops with a sentence for each value that cannot be right. Names in
`.env` that are no settings are found by `manage.py check --deploy`.

A value marked *secret* may stand in a file instead, which `NAME_FILE` names: `SECRET_KEY_FILE=/run/secrets/key`.
Flags are `1` or `0`. An empty value is the same as none, except where the table says what it means."""
REFERENCE_FOOT = """
In the user and the password of an address, write `/` as `%2F`, `?` as `%3F`, `#` as `%23`, `[` as `%5B` and `%` as
`%25`.

`SECRET_KEY`, its fallbacks, `SECOND_FACTOR_KEYS` and `ADDRESS_HASH_KEYS` need at least 50 characters each, no blanks
and no `#` at the start. `python3 -c "import secrets; print(secrets.token_urlsafe(50))"` makes one. To replace a
shorter key from before this rule, keep it as the second one and run `DEBUG=1 manage.py encrypt_second_factors` once:
nothing else accepts it."""


def example() -> str:
    """Return the text of .env.example."""
    lines = [EXAMPLE_HEAD]
    for section in SECTIONS:
        for setting in section.settings:
            if setting.required:
                lines += [*_comment(setting), f"{setting.name}={setting.example}"]
    for section in SECTIONS:
        optional = [setting for setting in section.settings if not setting.required]
        if optional:
            lines += ["", f"# --- {section.heading}", ""]
        for setting in optional:
            lines += [*_comment(setting), f"#{setting.name}={_example_value(setting)}"]
    return "\n".join(lines) + "\n"


def _comment(setting: Setting) -> list[str]:
    text = _LINK.sub(lambda found: f" (docs/{found[1]})" if found[1] else found[2], setting.meaning).replace("`", "")
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ")


def _example_value(setting: Setting) -> str:
    """Return the example, or the default if it is a value and not described in words."""
    return setting.example or ("" if setting.default_words else setting.default_text)


def reference() -> str:
    """Return the text of docs/reference/settings.md."""
    lines = [REFERENCE_HEAD]
    for section in SECTIONS:
        lines += ["", f"## {section.heading}", "", "| name | default | needed by | meaning |", "|---|---|---|---|"]
        lines += [_row(setting) for setting in section.settings]
    return "\n".join([*lines, REFERENCE_FOOT]) + "\n"


def _row(setting: Setting) -> str:
    default = setting.default_text
    if default and not setting.default_words:
        default = f"`{default}`"
    marks = [setting.kind.words] if setting.kind.words not in {"text", "1 or 0"} else []
    marks += ["secret"] if setting.secret else []
    marks += ["**must be set**"] if setting.required else []
    kind = f" *({', '.join(marks)})*" if marks else ""
    meaning = re.sub(r"\]\((?!https?:)", "](../", setting.meaning)
    return f"| `{setting.name}` | {default or 'unset'} | {setting.needed_by} | {meaning}{kind} |"


def main(arguments: list[str]) -> int:
    """Write both files, or compare them with --check, and return how many differ."""
    differing = 0
    for path, text in ((EXAMPLE, example()), (REFERENCE, reference())):
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if "--check" in arguments:
            differing += 1
            sys.stderr.write(f"{path.relative_to(BASE_DIR)} differs from housing/declarations: run `make settings`.\n")
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return differing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
