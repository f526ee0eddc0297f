"""Check whether the version in pyproject.toml may be tagged (`make release-check`), and say what is missing.

A version needs a heading with its day in the changelog, a page in docs/releases with what operators must do, a link to
that page in the index, and a clean working tree. Its tag must not exist yet.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tools.bootstrap import BASE_DIR

_DAY = re.compile(r"^\(\d{1,2} [A-Z][a-z]+ \d{4}\)$")


def faults_of(folder: Path, *, tags: set[str], is_clean: bool) -> list[str]:
    """Return a sentence for each thing that is missing before the version may be tagged.

    `tags` are the tags that exist. `is_clean` says whether everything is committed.
    """
    version = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["version"]
    changelog = (folder / "CHANGELOG.md").read_text()
    notes = folder / "docs" / "releases" / f"{version}.md"
    faults = []
    headings = re.findall(r"^## (\S+) ?(.*)$", changelog, re.MULTILINE)
    newest, day = headings[0] if headings else ("", "")
    if newest != version:
        faults.append(
            f"The newest heading of CHANGELOG.md is {newest or 'missing'}, and pyproject.toml says {version}."
        )
    elif not _DAY.match(day):
        faults.append(f"CHANGELOG.md must say the day: ## {version} (30 November 2026), not {day or 'nothing'}.")
    if not notes.exists():
        faults.append(f"docs/releases/{version}.md is missing: what must an operator do, even if that is nothing?")
    else:
        text = notes.read_text()
        if not text.startswith(f"# {version}\n") or "## What an operator must do" not in text:
            faults.append(f"docs/releases/{version}.md needs its headings: # {version}, ## What an operator must do.")
        if "Not released yet" in text:
            faults.append(f"docs/releases/{version}.md says that it is not released yet.")
    faults += [
        f"docs/{page} does not name the page of {version}."
        for page in ("index.md", "upgrades.md")
        if f"releases/{version}.md" not in (folder / "docs" / page).read_text()
    ]
    if f"v{version}" in tags:
        faults.append(f"The tag v{version} exists: raise the version in pyproject.toml.")
    if not is_clean:
        faults.append("There are changes that are not committed.")
    return faults


def _git(*words: str) -> str:
    git = shutil.which("git") or "git"
    return subprocess.run([git, *words], cwd=BASE_DIR, capture_output=True, text=True, check=True).stdout


def main() -> int:
    """Print what is missing, or how to tag, and return how much is missing."""
    faults = faults_of(BASE_DIR, tags=set(_git("tag").split()), is_clean=not _git("status", "--porcelain").strip())
    version = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]
    # Git takes lines that begin with # for comments, unless it is told to clean up white space only.
    tag = f"git tag --annotate --cleanup=whitespace --file docs/releases/{version}.md v{version}"
    lines = faults or [f"Nothing is missing. After `make check` and `make test`: {tag}"]
    sys.stdout.writelines(f"  {line}\n" for line in lines)
    return len(faults)


if __name__ == "__main__":
    sys.exit(main())
