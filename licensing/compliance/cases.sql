-- Whose a case is, about which declaration and between whom, never changes; how it ended does not, either; nor what it is about.
-- Its money follows from these: whoever could change them could lead it to somebody else.
CREATE FUNCTION case_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' OR TG_TABLE_NAME = 'licensing_caseuse' THEN
    RAISE EXCEPTION 'A case and its uses are kept as they were opened.' USING ERRCODE = 'restrict_violation';
  END IF;
  IF (NEW.declaration_id, NEW.society_id, NEW.licensee_id, NEW.holder_id, NEW.currency)
     IS DISTINCT FROM (OLD.declaration_id, OLD.society_id, OLD.licensee_id, OLD.holder_id, OLD.currency) THEN
    RAISE EXCEPTION 'A case and its uses are kept as they were opened.' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.ended_at IS NOT NULL AND (NEW.status, NEW.amount, NEW.ended_at, NEW.licence_id, NEW.outcome)
     IS DISTINCT FROM (OLD.status, OLD.amount, OLD.ended_at, OLD.licence_id, OLD.outcome) THEN
    RAISE EXCEPTION 'A case that has ended stays as it ended.' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER case_stays_as_opened BEFORE UPDATE OR DELETE ON licensing_case FOR EACH ROW EXECUTE FUNCTION case_stays();
CREATE TRIGGER use_stays_as_declared BEFORE UPDATE OR DELETE ON licensing_caseuse FOR EACH ROW EXECUTE FUNCTION case_stays();
