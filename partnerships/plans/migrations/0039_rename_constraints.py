"""Rename constraints and indexes, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("plans", "0038_name_the_record_in_help_texts")]

    operations = [
        RenameConstraints(
            {
                "plancommitment": {"one_plan_link": "unique_commitment_per_plan"},
                "starterpart": {"starterpart_scales_of_risks": "only_starter_risks_have_scales"},
                "ownershipoffer": {"one_waiting_offer_an_organisation": "unique_waiting_offer_per_organisation"},
                "paper": {"one_paper_a_version_and_reader": "unique_paper_per_version_and_reader"},
                "comparedpaper": {"one_compared_paper_a_reader": "unique_compared_paper_per_reader"},
                "plannedhomes": {"planned_homes_in_order": "planned_homes_numbers_in_order"},
                "homescombination": {"one_row_a_combination": "unique_homes_combination"},
                "homesprovider": {"one_row_a_provider": "unique_homes_provider_name"},
                "plan": {
                    "plan_partnership_named": "partnership_plan_has_partnership",
                    "plan_published_opens": "published_plan_has_open_at",
                    "plan_substantive_published": "plan_substantive_number_published",
                    "plan_open_published": "plan_open_number_published",
                    "plan_baseline_published": "plan_baseline_number_published",
                    "one_plan_a_reference": "unique_plan_external_reference",
                },
                "planowner": {
                    "one_present_owner_row": "unique_current_owner_per_plan",
                    "owner_ends_after_it_begins": "owner_does_not_end_before_start",
                },
                "milestone": {"one_milestone_a_key": "unique_milestone_key_per_plan"},
                "site": {"one_site_a_key": "unique_site_key_per_plan"},
                "share": {"one_share_a_person": "unique_share_per_person"},
                "accessrequest": {"one_open_request_a_person": "unique_open_access_request_per_person"},
                "mention": {"one_mention_a_person": "unique_mention_per_comment"},
                "signatory": {"one_signatory_an_organisation": "unique_signatory_per_plan"},
                "signoff": {
                    "one_decision_an_organisation_and_version": "unique_sign_off_per_version",
                    "sign_off_reason_given": "sign_off_has_reason",
                },
                "version": {"one_version_a_number": "unique_version_number_per_plan"},
                "document": {"one_file_a_document": "unique_document_key_per_plan"},
            }
        ),
        migrations.RenameIndex("plan", old_name="plan_partnership", new_name="plan_partnership_status"),
        migrations.RenameIndex("plan", old_name="plan_of_partnership", new_name="plan_partnership_id"),
        migrations.RenameIndex("planowner", old_name="owner_present", new_name="plan_owner_current"),
        migrations.RenameIndex("mention", old_name="mention_untold", new_name="mention_not_notified"),
    ]
