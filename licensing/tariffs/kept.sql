-- The record of the procedure is not emptied either, and a tariff stays its society's, under its name and in its currency, once somebody else
-- could read a version of it.
CREATE FUNCTION guard_procedure_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is never emptied: what was decided and said stays', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER guard_decisions BEFORE TRUNCATE ON licensing_decision FOR EACH STATEMENT EXECUTE FUNCTION guard_procedure_stays();
CREATE TRIGGER guard_comments BEFORE TRUNCATE ON licensing_comment FOR EACH STATEMENT EXECUTE FUNCTION guard_procedure_stays();
CREATE TRIGGER guard_attachments BEFORE TRUNCATE ON licensing_attachment FOR EACH STATEMENT EXECUTE FUNCTION guard_procedure_stays();
CREATE TRIGGER guard_tariff_versions BEFORE TRUNCATE ON licensing_tariffversion FOR EACH STATEMENT EXECUTE FUNCTION guard_procedure_stays();

CREATE FUNCTION guard_tariff() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.id, NEW.society_id, NEW.ref, NEW.currency) IS DISTINCT FROM (OLD.id, OLD.society_id, OLD.ref, OLD.currency)
     AND EXISTS (SELECT FROM licensing_tariffversion v WHERE v.tariff_id = OLD.id AND v.status <> 'draft') THEN
    RAISE EXCEPTION 'a published tariff stays its society''s, under its name and in its currency' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_tariff BEFORE UPDATE OF id, society_id, ref, currency ON licensing_tariff
  FOR EACH ROW EXECUTE FUNCTION guard_tariff();
