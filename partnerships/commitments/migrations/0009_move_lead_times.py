"""Move everybody's lead times of reminders to the people room, where each kind of reminder has its own.

The history of a lead time moves too. The history of lead times that no longer exist, because their person was erased,
ends here.
"""

from django.db import migrations

MOVE = """
INSERT INTO people_leadtimes (person_id, kind, days)
SELECT person_id, 'commitments', days FROM commitments_reminderchoice
    ON CONFLICT (person_id, kind) DO NOTHING;
INSERT INTO people_leadtimesevent
       (pgh_created_at, pgh_label, id, kind, days, person_id, pgh_context_id, pgh_obj_id)
SELECT e.pgh_created_at, e.pgh_label, l.id, l.kind, e.days, e.person_id, e.pgh_context_id, l.id
  FROM commitments_reminderchoiceevent e
  JOIN people_leadtimes l ON l.person_id = e.person_id AND l.kind = 'commitments'
 ORDER BY e.pgh_id;
"""
MOVE_BACK = """
INSERT INTO commitments_reminderchoice (person_id, days)
SELECT person_id, days FROM people_leadtimes WHERE kind = 'commitments'
    ON CONFLICT (person_id) DO NOTHING;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("commitments", "0008_tell_stakeholders"),
        ("people", "0010_lead_times"),
    ]

    operations = [migrations.RunSQL(MOVE, MOVE_BACK)]
