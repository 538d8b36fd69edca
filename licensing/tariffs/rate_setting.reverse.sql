DROP TRIGGER guard_comment_attachment ON licensing_attachment;
DROP FUNCTION guard_comment_attachment();
DROP TRIGGER guard_tariff_comment_in_time ON licensing_comment;
DROP FUNCTION guard_tariff_comment_in_time();
DROP TRIGGER guard_tariff_outcome ON licensing_tariffversion;
DROP FUNCTION guard_tariff_outcome();
DROP TRIGGER guard_tariff_draft ON licensing_tariffversion;
DROP FUNCTION guard_tariff_draft();
CREATE OR REPLACE FUNCTION guard_tariff_determination() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.determined_by_id IS NOT NULL AND NOT EXISTS (
       SELECT FROM accounts_organisation o JOIN licensing_tariff t ON t.id = NEW.tariff_id
       WHERE o.id = NEW.determined_by_id AND o.kind = 'rate_body' AND o.id <> t.society_id) THEN
    RAISE EXCEPTION 'a tariff is determined by a rate body, never by the society' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION guard_tariff_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    RAISE EXCEPTION 'a decision of a rate body is never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NOT EXISTS (
       SELECT FROM accounts_organisation o JOIN licensing_tariffversion v ON v.id = NEW.version_id JOIN licensing_tariff t ON t.id = v.tariff_id
       WHERE o.id = NEW.body_id AND o.kind = 'rate_body' AND o.id <> t.society_id) THEN
    RAISE EXCEPTION 'a rate body decides on a tariff, never the society' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
