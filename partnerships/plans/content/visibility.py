"""What a confidential site hides from readers outside."""

from __future__ import annotations

from partnerships.documents import Content


def settle_milestones(content: Content, was: Content) -> Content:
    """Return the content, in which no milestone of a removed site can give away a confidential site.

    `was` is the content before the sites were removed. Milestones of a site that everybody could see become milestones
    of the whole plan. Those of a confidential site, or of one that `was` does not hold, become restricted.
    """
    present_keys = {"", *(site["key"] for site in content["sites"])}  # "" is a milestone of the whole plan
    if all(milestone["site"] in present_keys for milestone in content["milestones"]):
        return content
    public_keys = {site["key"] for site in was["sites"] if not site["confidential"]}
    settled = [
        milestone
        if milestone["site"] in present_keys
        else {**milestone, "site": ""}
        if milestone["site"] in public_keys
        else {**milestone, "restricted": True}
        for milestone in content["milestones"]
    ]
    return {**content, "milestones": settled}
