"""Kinds of milestone of published local plans, by their codes."""

from __future__ import annotations

from collections.abc import Mapping

#: The kinds of the planning data platform (local-plan-event.csv), which plans made before March 2026 still have.
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
#: The events of the standard in force since 25 March 2026 (guidance of the specification, 14 August 2026).
STANDARD: Mapping[str, str] = {
    "publish-notice-intention-commence": "Notice of intention to commence published",
    "scoping-consultation-start": "Scoping consultation start",
    "scoping-consultation-end": "Scoping consultation end",
    "gateway-1-self-assessment": "Gateway 1 self-assessment",
    "plan-content-evidence-consultation-start": "Consultation on content and evidence start",
    "plan-content-evidence-consultation-end": "Consultation on content and evidence end",
    "gateway-2-advice-sought": "Gateway 2 advice sought",
    "gateway-2-advice-published": "Gateway 2 advice published",
    "proposed-plan-consultation-start": "Consultation on the proposed plan start",
    "proposed-plan-consultation-end": "Consultation on the proposed plan end",
    "gateway-3-advice-sought": "Gateway 3 advice sought",
    "gateway-3-advice-published": "Gateway 3 advice published",
    "gateway-3-further-advice-sought": "Gateway 3 further advice sought",
    "gateway-3-further-advice-published": "Gateway 3 further advice published",
    "examination-submitted": "Submitted for examination",
    "examination-pause-start": "Examination paused",
    "examination-pause-end": "Examination resumed",
    "examination-recommendations-published": "Examiner's recommendations published",
    "main-modification-consultation-start": "Consultation on main modifications start",
    "main-modification-consultation-end": "Consultation on main modifications end",
    "additional-consultation-start": "Additional consultation start",
    "additional-consultation-end": "Additional consultation end",
    "adopted": "Plan adopted",
    "withdrawn": "Plan withdrawn",
    "revoked": "Plan revoked",
}
#: Every known kind.
EVENTS: Mapping[str, str] = {**_PLATFORM, **STANDARD}
