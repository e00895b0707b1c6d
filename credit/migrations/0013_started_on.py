"""The day on which each call started. Each step can be repeated; none holds the table for long."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

AT_ONCE = 20_000
# The zone in force when the call was stored, as far as the company still knows it.
FILL = """
UPDATE credit_call call
   SET started_on = least(call.booked_on, (call.started_at AT TIME ZONE CASE
         WHEN call.created_at
           >= company.next_time_zone_on::timestamp AT TIME ZONE company.next_time_zone
         THEN company.next_time_zone ELSE company.time_zone END)::date)
  FROM members_company company
 WHERE company.id = call.company_id AND call.started_on IS NULL
   AND call.id > %s AND call.id <= %s
"""
ENFORCE = (
    "ALTER TABLE credit_call DROP CONSTRAINT IF EXISTS call_started_on_known",
    """ALTER TABLE credit_call ADD CONSTRAINT call_started_on_known
       CHECK (started_on IS NOT NULL) NOT VALID""",
    "ALTER TABLE credit_call VALIDATE CONSTRAINT call_started_on_known",
    # Believes the constraint and does not read the table again.
    "ALTER TABLE credit_call ALTER COLUMN started_on SET NOT NULL",
    "ALTER TABLE credit_call DROP CONSTRAINT call_started_on_known",
    "ALTER TABLE credit_call DROP CONSTRAINT IF EXISTS call_started_before_booked",
    """ALTER TABLE credit_call ADD CONSTRAINT call_started_before_booked
       CHECK (started_on <= booked_on) NOT VALID""",
    "ALTER TABLE credit_call VALIDATE CONSTRAINT call_started_before_booked",
)
RELAX = (
    "ALTER TABLE credit_call DROP CONSTRAINT call_started_before_booked",
    "ALTER TABLE credit_call ALTER COLUMN started_on DROP NOT NULL",
)


def fill(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Old calls know their day, a part at a time, each part in a transaction of its own."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM credit_call")
        first, last = cursor.fetchone()
        for after in range(first - 1, last, AT_ONCE):
            cursor.execute(FILL, [after, after + AT_ONCE])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("credit", "0012_usage")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunSQL(
            ENFORCE,
            RELAX,
            state_operations=[
                migrations.AlterField(
                    model_name="call", name="started_on", field=models.DateField()
                ),
                migrations.AddConstraint(
                    model_name="call",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("started_on__lte", models.F("booked_on"))),
                        name="call_started_before_booked",
                    ),
                ),
            ],
        ),
    ]
