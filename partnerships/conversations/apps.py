"""The conversations room as Django knows it."""

from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    name = "partnerships.conversations"
    label = "conversations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from partnerships.activity.registry import register_kind  # noqa: PLC0415 - models must be loaded first
        from partnerships.commitments.origins import register_origin  # noqa: PLC0415 - models must be loaded first
        from partnerships.conversations.models import Conversation, Point, PrivateNote  # noqa: PLC0415 - as above
        from partnerships.conversations.origin import CONVERSATION  # noqa: PLC0415 - as above
        from partnerships.conversations.personal import RULES  # noqa: PLC0415 - as above
        from partnerships.conversations.queries import (  # noqa: PLC0415 - as above
            events_of_conversations,
            events_of_own_side,
            kept_by,
        )
        from partnerships.conversations.sections import meeting_section  # noqa: PLC0415 - as above
        from partnerships.organisations.sections import ON_ORGANISATIONS  # noqa: PLC0415 - as above
        from partnerships.people.personal import register_personal  # noqa: PLC0415 - as above

        for name, condition in (("conversation", events_of_conversations), ("conversation_side", events_of_own_side)):
            register_kind(
                name=name,
                visible_ids=lambda user: Conversation.objects.visible_to(user).values("pk"),
                condition=condition,
            )
        register_kind(name="private_note", visible_ids=lambda user: PrivateNote.objects.visible_to(user).values("pk"))
        register_kind(name="conversation_draft", visible_ids=lambda user: kept_by(user).values("pk"))
        register_kind(
            name="point",
            visible_ids=lambda user: Point.objects.visible_to(user).values("pk"),
            condition=events_of_own_side,
        )
        register_origin(CONVERSATION)
        register_personal(RULES)
        ON_ORGANISATIONS.register("05 meeting", meeting_section)
