"""Whom a decision about several members was about; an index for the few with another role."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("members", "0012_month_closing")]

    operations = [
        migrations.CreateModel(
            name="AuditedMember",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.company",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="about",
                        to="members.auditentry",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("member"), models.F("entry"), name="audited_member_once"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="member",
            index=models.Index(
                condition=models.Q(("role", "member"), _negated=True),
                fields=["company", "role", "name_key", "id"],
                name="member_with_role",
            ),
        ),
    ]
