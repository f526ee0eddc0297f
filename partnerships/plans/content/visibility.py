"""What a confidential site hides from readers outside."""

from __future__ import annotations

from partnerships.documents import Content


def settle_milestones(content: Content, was: Content) -> Content:
    """The content with the milestones of removed sites settled.

    `was` says what those sites were. Milestones of a site that everybody could see become milestones of the whole plan.
    Those of a confidential site, or of one that `was` does not hold, become restricted.
    """
    present = {"", *(site["key"] for site in content["sites"])}
    if all(milestone["site"] in present for milestone in content["milestones"]):
        return content
    public_keys = {site["key"] for site in was["sites"] if not site["confidential"]}
    settled = [
        milestone
        if milestone["site"] in present
        else {**milestone, "site": ""}
        if milestone["site"] in public_keys
        else {**milestone, "restricted": True}
        for milestone in content["milestones"]
    ]
    return {**content, "milestones": settled}
