"""`make try-alerts`: test that each fault fires exactly its alert.

The rules are those of docs/deploy/prometheus-rules.yaml. The script writes a unit test for promtool (on Debian: apt-get
install prometheus). The test contains the metrics of a healthy instance for two days and, for each fault, the metrics
that differ. No alert may fire on the healthy instance.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from housing.environment import BASE_DIR

RULES = BASE_DIR / "docs" / "deploy" / "prometheus-rules.yaml"
MINUTES = 2 * 24 * 60
#: Prometheus adds the labels `job` and `instance`.
SCRAPED = 'job="common-ground",instance="ground.example"'
SWEEP = f'jobs_seconds_since_success{{task="partnerships.digests.tasks.sweep",{SCRAPED}}}'
AGE = f'jobs_seconds_since_success{{task="partnerships.reports.tasks.make",{SCRAPED}}}'
FAILURES = f'jobs_failures_total{{task="partnerships.reports.tasks.make",{SCRAPED}}}'
LATENCY = "django_http_requests_latency_including_middlewares_seconds_bucket"


def figure(name: str, labels: str = "") -> str:
    """Return the name of a metric with its labels, as Prometheus stores it."""
    return f"{name}{{{labels}{',' if labels else ''}{SCRAPED}}}"


UP = figure("up")
BEAT = figure("beat_seconds_since_tick")
SEEN = figure("background_seconds_since_seen", 'process="worker",machine="worker-2"')
PAGES = figure("django_http_responses_total_by_status_total", 'status="500"')
SLOW = [figure(LATENCY, f'le="{limit}"') for limit in ("0.5", "5", "+Inf")]
TRIED = [figure("outbox_oldest_tried_by_lane_seconds", f'lane="{lane}"') for lane in ("account", "digests")]
#: Each metric of a healthy instance: its value at the start, and its increase in a minute.
HEALTHY: dict[str, tuple[float, float] | None] = {
    UP: (1, 0),
    BEAT: (5, 0),
    SEEN: (15, 0),
    PAGES: (0, 0),
    **dict.fromkeys(SLOW, (0, 60)),
    SWEEP: (10, 0),
    AGE: (3_600, 0),
    FAILURES: (0, 0),
    **dict.fromkeys(TRIED, (0, 0)),
    figure("database_read_only"): (0, 0),
    figure("standby_seconds_behind"): (1, 0),
    figure("outbox_oldest_due_seconds"): (2, 0),
    figure("outbox_oldest_due_by_lane_seconds", 'lane="account"'): (1, 0),
    figure("outbox_in_doubt"): (0, 0),
    figure("outbox_not_composed"): (0, 0),
    figure("outbox_months_ready"): (12, 0),
    figure("retention_days_since_complete_run", 'rule="emails"'): (0.5, 0),
    figure("backup_seconds_since_complete"): (40_000, 0),
    figure("backup_drill_seconds_since_complete"): (200_000, 0),
}
OF_THE_DATABASE = [name for name in HEALTHY if not name.startswith(("up{", "django_"))]
#: For each alert, the metrics that differ (None if the metric is missing), and the minutes until it must fire.
FAULTS: dict[str, tuple[dict[str, tuple[float, float] | None], int]] = {
    "NotScraped": ({UP: (0, 0)} | {name: None for name in HEALTHY if name != UP}, 5),
    "DatabaseAway": (dict.fromkeys(OF_THE_DATABASE, None), 5),
    "DatabaseReadOnly": ({figure("database_read_only"): (1, 0), SEEN: (15, 60)}, 6),
    "PagesFail": ({PAGES: (0, 1)}, 20),
    "PagesSlow": (dict.fromkeys(SLOW[:2], (0, 30)), 40),
    "BeatHangs": ({BEAT: (5, 60)}, 6),
    "WorkersStalled": ({SWEEP: (10, 60)}, 12),
    "ProcessAway": ({SEEN: (15, 60)}, 6),
    "StandbyBehind": ({figure("standby_seconds_behind"): (0, 30)}, 10),
    "JobsFail": ({FAILURES: (0, 0.1)}, 90),
    "JobKeepsFailing": ({FAILURES: (0, 1 / 60), AGE: (3_600, 60)}, 480),
    "EmailsWait": ({figure("outbox_oldest_due_seconds"): (0, 60)}, 10),
    "AccountEmailsWait": ({figure("outbox_oldest_due_by_lane_seconds", 'lane="account"'): (0, 60)}, 4),
    "EmailsNotAccepted": ({TRIED[1]: (0, 60)}, 35),
    "EmailsInDoubt": ({figure("outbox_in_doubt"): (20, 0)}, 10),
    "EmailsNotComposed": ({figure("outbox_not_composed"): (1, 0)}, 35),
    "PartitionsMissing": ({figure("outbox_months_ready"): (3, 0)}, 25 * 60),
    "RetentionOverdue": ({figure("retention_days_since_complete_run", 'rule="emails"'): (3, 0)}, 25 * 60),
    "BackupOverdue": ({figure("backup_seconds_since_complete"): (90_000, 60)}, 90),
    "DrillOverdue": ({figure("backup_drill_seconds_since_complete"): (860_000, 60)}, 240),
}
#: Alerts that must also fire if a metric was never recorded.
NEVER = {"WorkersStalled": ({SWEEP: None}, 8)}


def promtool_test(name: str, changes: dict[str, tuple[float, float] | None], minutes: int, alerts: list[str]) -> object:
    """Return a promtool test that expects these alerts so many minutes after the metrics changed."""
    series = HEALTHY | changes
    return {
        "name": name,
        "interval": "1m",
        "input_series": [
            {"series": one, "values": f"{values[0]}+{values[1]}x{MINUTES}"} for one, values in series.items() if values
        ],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": f"{minutes}m",
                "exp_samples": [{"labels": f'{{alertname="{one}"}}', "value": 1} for one in sorted(alerts)],
            }
        ],
    }


def main() -> int:
    """Test every fault, and return promtool's exit status, or the number of alerts without a fault."""
    promtool = shutil.which("promtool")
    if promtool is None:
        sys.stdout.write("promtool is missing: apt-get install prometheus\n")
        return 1
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    unplayed = {rule["alert"] for rule in group["rules"]} ^ set(FAULTS)
    if unplayed:
        sys.stdout.write(f"Without a fault, or without an alert: {', '.join(sorted(unplayed))}\n")
        return len(unplayed)
    tests = [promtool_test("all is well", {}, MINUTES, [])]
    tests += [
        promtool_test(name, changes, minutes, [name])
        for faults in (FAULTS, NEVER)
        for name, (changes, minutes) in faults.items()
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tests.yaml"
        path.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))
        result = subprocess.run([promtool, "test", "rules", str(path)], check=False)
    sys.stdout.write(
        f"{len(tests) - 1} faults {'were not told apart' if result.returncode else 'each raise their alert'}.\n"
    )
    return result.returncode


if __name__ == "__main__":
    sys.exit(main())
