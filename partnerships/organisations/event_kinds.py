"""Kinds of events of the organisations room."""

from django.db import models


class EventKind(models.TextChoices):
    """The kinds of events. Labels may change; codes never change, because events store them permanently."""

    ADDED = "organisation.added", "Added this organisation"
    CHANGED = "organisation.changed", "Changed this organisation"
    ENDED = "organisation.ended", "Recorded that this organisation ceased to exist"
    SUCCESSION_RECORDED = "organisation.succession_recorded", "Recorded a succession"
    SUCCESSION_CORRECTED = "organisation.succession_corrected", "Corrected a succession"
    SUCCESSION_STATUS_CHANGED = "organisation.succession_status_changed", "Changed the status of a succession"
    PASSED_ON = "organisation.passed_on", "Passed to another organisation"
    MERGED = "organisation.merged", "Merged two records into one"
    UNMERGED = "organisation.unmerged", "Separated two merged records again"
    IDENTIFIER_ADDED = "organisation.identifier_added", "Added an identifier"
    IDENTIFIER_CORRECTED = "organisation.identifier_corrected", "Corrected an identifier"
    NAME_ADDED = "organisation.name_added", "Added a name"
    NAME_CORRECTED = "organisation.name_corrected", "Corrected a name"
    AREA_CORRECTED = "organisation.area_corrected", "Corrected an area"
    AREA_ADDED = "organisation.area_added", "Added an area served"
    AREA_ENDED = "organisation.area_ended", "Ended an area served"
    MISSING_FROM_LIST = "organisation.missing_from_list", "Did not find this organisation in the latest list"
    BACK_IN_LIST = "organisation.back_in_list", "Found this organisation in the list again"
    MEMBER_ADDED = "membership.added", "Added a member"
    MEMBER_INVITED = "membership.invited", "Invited a member"
    INVITATION_SENT_AGAIN = "membership.invitation_sent_again", "Sent an invitation again"
    INVITATION_ACCEPTED = "membership.invitation_accepted", "Accepted an invitation to act for this organisation"
    INVITATION_WITHDRAWN = "membership.invitation_withdrawn", "Withdrew an invitation"
    ROLE_CHANGED = "membership.role_changed", "Changed a role"
    JOB_TITLE_CHANGED = "membership.job_title_changed", "Changed a job title"
    MEMBERSHIP_ENDED = "membership.ended", "Ended a membership"
