"""What the ledger promises, enforced by the database past the code."""

from django.db import migrations

COMPOSITE_KEYS = """
ALTER TABLE credit_account
  ADD CONSTRAINT account_member_of_same_company
  FOREIGN KEY (member_id, company_id) REFERENCES members_member (id, company_id);
ALTER TABLE credit_transfer
  ADD CONSTRAINT transfer_source_of_same_company
  FOREIGN KEY (source_id, company_id, currency, source_kind)
  REFERENCES credit_account (id, company_id, currency, kind);
ALTER TABLE credit_transfer
  ADD CONSTRAINT transfer_destination_of_same_company
  FOREIGN KEY (destination_id, company_id, currency, destination_kind)
  REFERENCES credit_account (id, company_id, currency, kind);
ALTER TABLE credit_rechargerule
  ADD CONSTRAINT recharge_rule_member_of_same_company
  FOREIGN KEY (member_id, company_id) REFERENCES members_member (id, company_id);
ALTER TABLE credit_call
  ADD CONSTRAINT call_member_of_same_company
  FOREIGN KEY (member_id, company_id) REFERENCES members_member (id, company_id);
"""
DROP_COMPOSITE_KEYS = """
ALTER TABLE credit_call DROP CONSTRAINT call_member_of_same_company;
ALTER TABLE credit_rechargerule DROP CONSTRAINT recharge_rule_member_of_same_company;
ALTER TABLE credit_transfer DROP CONSTRAINT transfer_destination_of_same_company;
ALTER TABLE credit_transfer DROP CONSTRAINT transfer_source_of_same_company;
ALTER TABLE credit_account DROP CONSTRAINT account_member_of_same_company;
"""

NEVER_CHANGED = """
CREATE FUNCTION credit_transfer_is_never_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING
    ERRCODE = 'restrict_violation',
    CONSTRAINT = 'transfer_is_never_changed',
    MESSAGE = 'transfer_is_never_changed: corrections are added, never edited';
END $$;
CREATE TRIGGER transfer_is_never_changed
  BEFORE UPDATE OR DELETE ON credit_transfer
  FOR EACH ROW EXECUTE FUNCTION credit_transfer_is_never_changed();
"""
DROP_NEVER_CHANGED = """
DROP TRIGGER transfer_is_never_changed ON credit_transfer;
DROP FUNCTION credit_transfer_is_never_changed();
"""

# The reversed row is locked so that two reversals at once see each other's sum.
REVERSALS = """
CREATE FUNCTION credit_transfer_reversal_within() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  reversed credit_transfer%ROWTYPE;
  reversed_sum numeric;
BEGIN
  SELECT * INTO reversed FROM credit_transfer WHERE id = NEW.reverses_id FOR NO KEY UPDATE;
  IF reversed.company_id IS DISTINCT FROM NEW.company_id
     OR reversed.source_id IS DISTINCT FROM NEW.destination_id
     OR reversed.destination_id IS DISTINCT FROM NEW.source_id
     OR reversed.kind NOT IN ('purchase', 'call', 'feature') THEN
    RAISE EXCEPTION USING
      ERRCODE = 'check_violation',
      CONSTRAINT = 'transfer_reversal_of_what_may_be_reversed',
      MESSAGE = 'transfer_reversal_of_what_may_be_reversed';
  END IF;
  SELECT coalesce(sum(amount), 0) INTO reversed_sum
    FROM credit_transfer WHERE reverses_id = NEW.reverses_id;
  IF reversed_sum > reversed.amount THEN
    RAISE EXCEPTION USING
      ERRCODE = 'check_violation',
      CONSTRAINT = 'transfer_reversals_within_amount',
      MESSAGE = 'transfer_reversals_within_amount';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER transfer_reversal_within
  AFTER INSERT ON credit_transfer
  FOR EACH ROW WHEN (NEW.reverses_id IS NOT NULL)
  EXECUTE FUNCTION credit_transfer_reversal_within();
"""
DROP_REVERSALS = """
DROP TRIGGER transfer_reversal_within ON credit_transfer;
DROP FUNCTION credit_transfer_reversal_within();
"""

# Half of each page stays free so that balance updates stay within it (HOT).
STORAGE = "ALTER TABLE credit_account SET (fillfactor = 50);"
RESET_STORAGE = "ALTER TABLE credit_account RESET (fillfactor);"


class Migration(migrations.Migration):
    dependencies = [("credit", "0001_initial"), ("members", "0001_initial")]

    operations = [
        migrations.RunSQL(COMPOSITE_KEYS, DROP_COMPOSITE_KEYS),
        migrations.RunSQL(NEVER_CHANGED, DROP_NEVER_CHANGED),
        migrations.RunSQL(REVERSALS, DROP_REVERSALS),
        migrations.RunSQL(STORAGE, RESET_STORAGE),
    ]
