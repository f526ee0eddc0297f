"""Keep confidential sites from readers outside, whom a milestone could tell about a site."""

from __future__ import annotations

from partnerships.documents import Content


def clean_up_milestones(content: Content, previous_content: Content) -> Content:
    """Return the content after sites were removed, without milestones that would reveal a confidential site.

    Milestones of a removed site that everybody could see in `previous_content` become milestones of the whole plan.
    Milestones of a confidential site, or of a site that is not in `previous_content`, become restricted.
    """
    present_keys = {"", *(site["key"] for site in content["sites"])}  # a milestone of the whole plan has the site ""
    if all(milestone["site"] in present_keys for milestone in content["milestones"]):
        return content
    public_keys = {site["key"] for site in previous_content["sites"] if not site["confidential"]}

    milestones = []
    for milestone in content["milestones"]:
        if milestone["site"] in present_keys:
            milestones.append(milestone)
        elif milestone["site"] in public_keys:
            milestones.append({**milestone, "site": ""})
        else:
            milestones.append({**milestone, "restricted": True})
    return {**content, "milestones": milestones}
