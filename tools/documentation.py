"""Builds the documentation, which the site serves at /docs/.

`python -m tools.documentation [--check]`.

Sphinx reads the pages of docs/ and the README, makes HTML, and checks every link between them. With --check, the
command fails if a link leads nowhere. Pages that are up to date are not built again.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

from whitenoise.compress import Compressor

from tools.bootstrap import BASE_DIR

BUILT = BASE_DIR / "build" / "documentation"
#: The folder that the site serves. The pages are in `docs/` below it, as in their addresses.
SITE = BUILT / "site"
WARNINGS = BUILT / "warnings"
PAGES_OF_THE_PROJECT = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
FRONT_END = BASE_DIR / "static" / "build"
#: What pages need of the front end, below `FRONT_END`.
FRAME = ("css/docs.css", "fonts", "img/mark.svg")
_LINK = re.compile(r"(\]\()([^)\s#]+)")


def sources() -> list[Path]:
    """Return the pages, pictures and files that pages lead to."""
    docs = BASE_DIR / "docs"
    files = [path for path in docs.rglob("*") if path.is_file() and "secrets" not in path.parts]
    return sorted([*(BASE_DIR / name for name in PAGES_OF_THE_PROJECT), *files])


def digest() -> str:
    """Return a hash of everything that the pages are made of."""
    total = hashlib.sha256(str(BASE_DIR).encode())
    made_with = [BASE_DIR / "requirements.txt", FRONT_END / FRAME[0], Path(__file__)]
    for path in [*sources(), *made_with]:
        total.update(str(path.relative_to(BASE_DIR)).encode() + path.read_bytes())
    return total.hexdigest()


def gathered_name(path: Path) -> Path:
    """Return the path of a file in the folder for Sphinx, where the files of docs/ are next to the README."""
    name = path.relative_to(BASE_DIR)
    return Path(*name.parts[1:]) if name.parts[0] == "docs" else name


def gather(folder: Path) -> None:
    """Copy the pages into one folder, and adapt their links between docs/ and the README."""
    shutil.rmtree(folder, ignore_errors=True)
    for path in sources():
        name = gathered_name(path)
        if name.parts[0] == "site":
            continue
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            copy.write_text(_LINK.sub(partial(_moved, page=path), path.read_text("utf-8")), "utf-8")
        else:
            shutil.copyfile(path, copy)
    for part in FRAME:
        copy = folder / "frame" / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        copying = shutil.copytree if (FRONT_END / part).is_dir() else shutil.copyfile
        copying(FRONT_END / part, copy)


def _moved(found: re.Match[str], page: Path) -> str:
    """Return a link of a page, adapted to the folder into which the pages are copied.

    Links to other sites are returned unchanged.
    """
    target = (page.parent / found[2]).resolve()
    if ":" in found[2] or not target.is_relative_to(BASE_DIR):
        return found[0]
    relative = os.path.relpath(BASE_DIR / gathered_name(target), BASE_DIR / gathered_name(page).parent)
    return found[1] + relative


def build() -> bool:
    """Build the pages if anything has changed, and return whether that worked.

    Sphinx writes its warnings to the file `WARNINGS`.
    """
    stamp, wanted = BUILT / "as-built", digest()
    if stamp.exists() and stamp.read_text() == wanted:
        return True
    gather(BUILT / "source")
    new_folder = BUILT / "new" / "docs"
    shutil.rmtree(BUILT / "new", ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "--builder", "dirhtml", "--conf-dir", str(BASE_DIR / "docs" / "site")]
    command += ["--fresh-env", "--jobs", "2", "--quiet", "--warning-file", str(WARNINGS)]
    command += ["--define", f"html_static_path={BUILT / 'source' / 'frame'}"]
    command += ["--doctree-dir", str(BUILT / "read"), str(BUILT / "source"), str(new_folder)]
    result = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.stderr.write(result.stderr)
        return False
    compress(new_folder)
    # This is one step, so that a server that starts at this moment finds the old pages or the new ones.
    shutil.rmtree(SITE, ignore_errors=True)
    new_folder.parent.rename(SITE)
    stamp.write_text(wanted)
    return True


def compress(folder: Path) -> None:
    """Write a .gz file for each text file, which WhiteNoise sends to browsers that accept it."""
    compressor = Compressor(use_brotli=False, quiet=True)
    for path in folder.rglob("*"):
        if path.suffix in {".html", ".js", ".css"}:
            list(compressor.compress(str(path)))


def main(arguments: list[str]) -> int:
    """Build the documentation and, with --check, print Sphinx's warnings.

    Returns the number of faults.
    """
    if not build():
        return 1
    warnings = WARNINGS.read_text().splitlines() if "--check" in arguments else []
    sys.stderr.writelines(f"{line}\n" for line in warnings)
    return len(warnings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
