"""Looking up known vulnerabilities: a finding fails, an index that is away or slow does not."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from housing import audit

CLEAN = {"dependencies": [{"name": "django", "version": "5.2.19", "vulns": []}, {"name": "x", "skip_reason": "local"}]}
HOLED = {
    "dependencies": [
        {"name": "quay", "version": "1.0", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["1.1"]}]},
    ]
}


def stand_in(tmp_path: Path, body: str) -> list[str]:
    """A command that answers as pip-audit would."""
    script = tmp_path / "stand_in.py"
    script.write_text(
        f"import sys, time\nfrom pathlib import Path\nreport = Path(sys.argv[sys.argv.index('--output') + 1])\n{body}\n"
    )
    return [sys.executable, str(script)]


def test_a_finding_is_named_with_what_mends_it(tmp_path: Path) -> None:
    command = stand_in(tmp_path, f"report.write_text({json.dumps(json.dumps(HOLED))})\nsys.exit(1)")

    assert audit.audit(command) == ["quay 1.0: PYSEC-2026-1, mended in 1.1"]


def test_nothing_found_is_said(tmp_path: Path) -> None:
    assert audit.audit(stand_in(tmp_path, f"report.write_text({json.dumps(json.dumps(CLEAN))})")) == []


@pytest.mark.parametrize("body", ["sys.exit('no network')", "time.sleep(30)", "report.write_text('<html>')"])
def test_an_index_that_is_away_slow_or_no_index_fails_nothing(
    tmp_path: Path, body: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = audit.audit(stand_in(tmp_path, body), seconds=1)
    monkeypatch.setattr(audit, "audit", lambda **given: found)

    assert found is None
    assert audit.main() == 0
    assert "Nothing could be looked up" in capsys.readouterr().out


def test_a_finding_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "audit", lambda **given: ["quay 1.0: PYSEC-2026-1, mended in 1.1"])

    assert audit.main() == 1
