"""Keep milestones from revealing confidential sites to readers outside."""

from __future__ import annotations

from partnerships.documents import Content


def clean_up_milestones(content: Content, previous_content: Content) -> Content:
    """Return the content with its milestones adapted to the sites that were removed since `previous_content`.

    If everybody could see the removed site, its milestones become milestones of the whole plan. If it was confidential,
    or is not in `previous_content`, its milestones become restricted, so that they do not reveal the site.
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
