"""Create the nine kinds of partnership that were in the code, and the kind for data-sharing agreements."""

from django.db import migrations

# Code, label, what it is for.
KINDS = (
    ("bilateral", "Bilateral agreement", "Two organisations agree how they work together."),
    (
        "memorandum",
        "Memorandum of understanding",
        "Organisations say in writing what they intend, usually without legal force.",
    ),
    ("charter", "Charter", "Organisations publish the standards that they all commit to."),
    (
        "preferred_partners",
        "Preferred-partner panel",
        "A council or authority chooses the providers that it turns to first for new homes.",
    ),
    ("strategic_board", "Strategic board", "Organisations meet regularly to set direction and watch progress."),
    ("joint_venture", "Joint venture", "Organisations share the cost, the risk and the return of building homes."),
    (
        "homes_england",
        "Homes England strategic or place partnership",
        "A provider or a place delivers a programme of homes with grant from Homes England.",
    ),
    ("nominations", "Nominations agreement", "A council puts forward households for homes that a provider lets."),
    ("consortium", "Consortium", "Organisations bid or deliver together, and one of them leads."),
    (
        "data_sharing",
        "Data-sharing agreement",
        "Organisations agree which personal data they share, why, and how they protect it.",
    ),
)
SHARE_PERSONAL_DATA = ("nominations",)
ARE_DATA_SHARING = ("data_sharing",)


def add_kinds(apps, schema_editor):
    kinds = apps.get_model("agreements", "PartnershipKind")
    for index, (code, label, purpose) in enumerate(KINDS, 1):
        kinds.objects.create(
            code=code,
            label=label,
            purpose=purpose,
            position=index * 10,
            needs_data_sharing=code in SHARE_PERSONAL_DATA,
            gives_data_sharing=code in ARE_DATA_SHARING,
        )


class Migration(migrations.Migration):
    dependencies = [("agreements", "0006_partnership_kinds")]

    operations = [migrations.RunPython(add_kinds, migrations.RunPython.noop)]
