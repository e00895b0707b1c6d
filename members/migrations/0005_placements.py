"""Members' lists and cost centres by day; present members are where they are since they joined."""

import django.db.models.deletion
from django.db import migrations, models

SAME_COMPANY = """
ALTER TABLE members_memberplacement
  ADD CONSTRAINT placement_member_of_same_company
  FOREIGN KEY (member_id, company_id) REFERENCES members_member (id, company_id);
ALTER TABLE members_memberplacement
  ADD CONSTRAINT placement_list_of_same_company
  FOREIGN KEY (list_id, company_id) REFERENCES members_memberlist (id, company_id);
"""
NOT_SAME_COMPANY = """
ALTER TABLE members_memberplacement DROP CONSTRAINT placement_list_of_same_company;
ALTER TABLE members_memberplacement DROP CONSTRAINT placement_member_of_same_company;
"""
FILL = """
INSERT INTO members_memberplacement (company_id, member_id, valid_from, list_id, cost_centre)
SELECT member.company_id, member.id, (member.joined_at AT TIME ZONE company.time_zone)::date,
       member.list_id, member.cost_centre
  FROM members_member member JOIN members_company company ON company.id = member.company_id;
"""


class Migration(migrations.Migration):
    dependencies = [("members", "0004_next_time_zone")]

    operations = [
        migrations.CreateModel(
            name="MemberPlacement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("valid_from", models.DateField()),
                ("cost_centre", models.CharField(blank=True, max_length=40)),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.company",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="placements",
                        to="members.member",
                    ),
                ),
                (
                    "list",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.memberlist",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="memberplacement",
            constraint=models.UniqueConstraint(
                models.F("member"), models.F("valid_from"), name="placement_once_a_day"
            ),
        ),
        migrations.RunSQL(SAME_COMPANY, NOT_SAME_COMPANY),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
