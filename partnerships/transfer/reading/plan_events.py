"""Names of the milestones of published local plans, by their codes."""

from __future__ import annotations

from collections.abc import Mapping

from partnerships.open_data import standards

#: The events of the planning data platform (local-plan-event.csv), which plans made before March 2026 still have.
_PLATFORM: Mapping[str, str] = {
    "timetable-published": "Local development scheme published",
    "reg-18-draft-local-plan-published": "Regulation 18 draft local plan published",
    "reg-18-public-consultation-start": "Regulation 18 public consultation start",
    "reg-18-public-consultation-end": "Regulation 18 public consultation end",
    "reg-19-publication-local-plan-published": "Regulation 19 publication local plan published",
    "reg-19-public-consultation-start": "Regulation 19 public consultation start",
    "reg-19-public-consultation-end": "Regulation 19 public consultation end",
    "submit-plan-for-examination": "Submit plan for examination",
    "planning-inspectorate-examination-start": "Planning inspectorate examination start",
    "planning-inspectorate-examination-end": "Planning inspectorate examination end",
    "planning-inspectorate-found-sound": "Planning inspectorate found sound",
    "inspector-report-published": "Planning inspectorate report published",
    "plan-adopted": "Plan adopted",
    "plan-withdrawn": "Plan withdrawn",
    "estimated-reg-18-draft-local-plan-published": "Estimated date regulation 18 draft local plan published",
    "estimated-reg-18-public-consultation-start": "Estimated regulation 18 public consultation start",
    "estimated-reg-18-public-consultation-end": "Estimated regulation 18 public consultation end",
    "estimated-reg-19-publication-local-plan-published": (
        "Estimated date regulation 19 publication local plan published"
    ),
    "estimated-reg-19-public-consultation-start": "Estimated regulation 19 public consultation start",
    "estimated-reg-19-public-consultation-end": "Estimated regulation 19 public consultation end",
    "estimated-submit-plan-for-examination": "Estimated submit plan for examination",
    "estimated-plan-adoption-date": "Estimated plan adoption date",
}
#: The events of the platform and of the standard that followed.
EVENTS: Mapping[str, str] = {**_PLATFORM, **standards.EVENTS}
