-- What a bank said stays as it was said; only what is done with an entry moves on, and never backwards.
CREATE FUNCTION bank_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'royalties_entry'
     AND to_jsonb(NEW) - ARRAY['applied', 'parked_id', 'status'] = to_jsonb(OLD) - ARRAY['applied', 'parked_id', 'status']
     AND NEW.applied >= OLD.applied AND (OLD.parked_id IS NULL OR NEW.parked_id = OLD.parked_id) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'bank_stays_as_it_was_said: % on % is refused', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'bank_stays_as_it_was_said';
END $$;
CREATE TRIGGER bank_stays BEFORE UPDATE OR DELETE ON royalties_entry FOR EACH ROW EXECUTE FUNCTION bank_stays();
CREATE TRIGGER bank_stays BEFORE UPDATE OR DELETE ON royalties_bankstatement FOR EACH ROW EXECUTE FUNCTION bank_stays();
CREATE TRIGGER bank_stays BEFORE UPDATE OR DELETE ON royalties_application FOR EACH ROW EXECUTE FUNCTION bank_stays();
CREATE TRIGGER bank_stays BEFORE UPDATE OR DELETE ON royalties_exchangerate FOR EACH ROW EXECUTE FUNCTION bank_stays();
CREATE TRIGGER bank_truncate BEFORE TRUNCATE ON royalties_entry FOR EACH STATEMENT EXECUTE FUNCTION bank_stays();
