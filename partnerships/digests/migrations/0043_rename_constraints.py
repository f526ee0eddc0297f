"""Rename constraints and indexes, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("digests", "0042_reword_help_texts_of_digests")]

    operations = [
        RenameConstraints(
            {
                "slot": {"one_digest_a_date": "unique_digest_per_date"},
                "opendigest": {"one_open_digest_of_each": "unique_open_digest"},
                "deliveryitem": {
                    "one_item_a_plan": "unique_delivery_item_per_plan",
                    "item_goes_forward": "delivery_item_numbers_in_order",
                },
                "noticechoice": {"one_choice_a_group": "unique_notice_choice_per_group"},
                "inboxitem": {"one_item_a_digest": "unique_inbox_item_per_digest"},
                "matchnotice": {"one_telling_a_match": "unique_match_notice_per_recipient"},
                "preference": {
                    "preference_hour_of_the_day": "preference_hour_in_range",
                    "preference_day_of_the_week": "preference_weekday_in_range",
                    "preference_has_a_day": "preference_days_in_range",
                },
                "rolerule": {
                    "role_rule_fits_its_target": "role_rule_fits_target",
                    "one_rule_a_role": "unique_rule_per_role",
                },
                "subjectwatermark": {"one_watermark_a_subject": "unique_watermark_per_subject"},
                "deliverysubject": {
                    "one_item_a_subject": "unique_delivery_item_per_subject",
                    "subject_item_goes_forward": "delivery_subject_numbers_in_order",
                },
                "subscription": {
                    "subscription_to_one_thing": "subscription_has_one_target",
                    "one_subscription_a_plan": "unique_subscription_per_plan",
                    "one_subscription_a_partnership": "unique_subscription_per_partnership",
                    "one_subscription_an_organisation": "unique_subscription_per_organisation",
                    "one_subscription_a_request": "unique_subscription_per_request",
                    "one_subscription_a_commitment": "unique_subscription_per_commitment",
                    "one_subscription_a_recommendation": "unique_subscription_per_recommendation",
                    "confirmed_subscription_has_a_time": "confirmed_subscription_has_time",
                    "added_stakeholder_has_an_organisation": "added_stakeholder_has_organisation",
                },
                "watermark": {"one_watermark_a_plan": "unique_watermark_per_plan"},
                "publication": {"one_publication_a_version": "unique_publication_per_version"},
            }
        ),
        migrations.RenameIndex("inboxitem", old_name="inbox_age", new_name="inbox_created"),
        migrations.RenameIndex("matchnotice", old_name="match_to_tell", new_name="match_notice_due"),
        migrations.RenameIndex("subscription", old_name="subscription_of_piece", new_name="subscription_of_part"),
    ]
