"""Indexes by which the table of members is counted, paged and searched."""

from django.db import migrations, models
from django.db.models import Q

# Where the extension cannot be made the search reads the company's rows: slower, never wrong.
BY_TEXT = """
DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE INDEX member_by_text ON members_member USING gin (search_text gin_trgm_ops);
EXCEPTION
  WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
    RAISE NOTICE 'pg_trgm is not available: members are searched without an index';
END $$;
"""
DROP_BY_TEXT = "DROP INDEX IF EXISTS member_by_text;"


class Migration(migrations.Migration):
    dependencies = [("members", "0010_notice_choices")]

    operations = [
        migrations.AddIndex(
            model_name="member",
            index=models.Index(
                condition=Q(("status__in", ("active", "suspended"))),
                fields=["company", "name_key", "id"],
                name="member_present_by_name",
            ),
        ),
        migrations.AddIndex(
            model_name="member",
            index=models.Index(
                fields=["company", "status", "id"],
                include=("role", "list", "joined_at"),
                name="member_by_status",
            ),
        ),
        migrations.RunSQL(BY_TEXT, DROP_BY_TEXT),
    ]
