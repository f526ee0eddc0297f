"""`make audit` fails for a known vulnerability, and not for a package index that does not answer."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tools import audit

CLEAN = {"dependencies": [{"name": "django", "version": "5.2.19", "vulns": []}, {"name": "x", "skip_reason": "local"}]}
VULNERABLE = {
    "dependencies": [
        {"name": "quay", "version": "1.0", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["1.1"]}]},
    ]
}


def fake_pip_audit(tmp_path: Path, body: str) -> list[str]:
    """Return a command with pip-audit's options that runs `body`."""
    script = tmp_path / "fake_pip_audit.py"
    script.write_text(
        f"import sys, time\nfrom pathlib import Path\nreport = Path(sys.argv[sys.argv.index('--output') + 1])\n{body}\n"
    )
    return [sys.executable, str(script)]


def test_a_vulnerability_is_listed_with_the_version_that_fixes_it(tmp_path: Path) -> None:
    command = fake_pip_audit(tmp_path, f"report.write_text({json.dumps(json.dumps(VULNERABLE))})\nsys.exit(1)")

    assert audit.audit(command) == ["quay 1.0: PYSEC-2026-1, fixed in 1.1"]


def test_no_vulnerabilities_is_an_empty_list(tmp_path: Path) -> None:
    assert audit.audit(fake_pip_audit(tmp_path, f"report.write_text({json.dumps(json.dumps(CLEAN))})")) == []


@pytest.mark.parametrize("body", ["sys.exit('no network')", "time.sleep(30)", "report.write_text('<html>')"])
def test_an_unreachable_slow_or_broken_index_does_not_fail_the_audit(
    tmp_path: Path, body: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = audit.audit(fake_pip_audit(tmp_path, body), seconds=1)

    monkeypatch.setattr(audit, "audit", lambda **_options: findings)

    assert findings is None
    assert audit.main() == 0
    assert "No answer from the package index" in capsys.readouterr().out


def test_a_vulnerability_fails_the_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "audit", lambda **_options: ["quay 1.0: PYSEC-2026-1, fixed in 1.1"])

    assert audit.main() == 1
