-- The references of declared uses, checked once a statement instead of once a row. A work or declaration that is named
-- cannot go: whoever deletes a declaration deletes its uses first.
-- (Uses come in the order of their works, so merging beats hashing.)
CREATE FUNCTION declared_use_refers() RETURNS trigger LANGUAGE plpgsql SET enable_hashjoin = off AS $$
DECLARE
  wrong record;
BEGIN
  SELECT d.id INTO wrong FROM (SELECT DISTINCT declaration_id AS id FROM written) w
    LEFT JOIN licensing_declaration d ON d.id = w.id WHERE d.id IS NULL OR d.submitted_at IS NOT NULL LIMIT 1;
  IF FOUND AND wrong.id IS NULL THEN
    RAISE EXCEPTION 'A declared use names a declaration that does not exist.' USING ERRCODE = 'foreign_key_violation';
  ELSIF FOUND THEN
    RAISE EXCEPTION 'The declared use of a submitted declaration is immutable.' USING ERRCODE = 'restrict_violation';
  END IF;
  IF EXISTS (SELECT FROM written w WHERE w.work_id IS NOT NULL
             AND NOT EXISTS (SELECT FROM licensing_work k WHERE k.id = w.work_id)) THEN
    RAISE EXCEPTION 'A declared use names a work that does not exist.' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER declared_use_refers_when_added AFTER INSERT ON licensing_declareduse
  REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION declared_use_refers();
CREATE TRIGGER declared_use_refers_when_changed AFTER UPDATE ON licensing_declareduse
  REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION declared_use_refers();

CREATE FUNCTION work_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM gone g JOIN licensing_declareduse u ON u.work_id = g.id) THEN
    RAISE EXCEPTION 'Declared uses name this work.' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION declaration_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM gone g JOIN licensing_declareduse u ON u.declaration_id = g.id) THEN
    RAISE EXCEPTION 'Declared uses name this declaration.' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER work_is_kept_while_declared AFTER DELETE ON licensing_work
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION work_is_kept();
CREATE TRIGGER declaration_is_kept_while_it_has_uses AFTER DELETE ON licensing_declaration
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION declaration_is_kept();

-- What was handed in is immutable: neither its declared use nor what it says can change, whoever asks. Its way on
-- (accepted, superseded, questions) stays open.
CREATE FUNCTION declared_use_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM (SELECT DISTINCT declaration_id AS id FROM gone) g
             JOIN licensing_declaration d ON d.id = g.id WHERE d.submitted_at IS NOT NULL) THEN
    RAISE EXCEPTION 'The declared use of a submitted declaration is immutable.' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER declared_use_stays_once_submitted AFTER DELETE ON licensing_declareduse
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION declared_use_stays();
CREATE TRIGGER declared_use_is_not_moved_once_submitted AFTER UPDATE ON licensing_declareduse
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION declared_use_stays();

CREATE FUNCTION declaration_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR (NEW.submitted_at, NEW.licence_id, NEW.period, NEW.use, NEW.unit, NEW.model, NEW.dataset,
      NEW.reference, NEW.bases, NEW.territory, NEW.sandbox, NEW.supersedes_id, NEW.sha256, NEW.lines, NEW.units, NEW.works)
    IS DISTINCT FROM (OLD.submitted_at, OLD.licence_id, OLD.period, OLD.use, OLD.unit, OLD.model, OLD.dataset,
      OLD.reference, OLD.bases, OLD.territory, OLD.sandbox, OLD.supersedes_id, OLD.sha256, OLD.lines, OLD.units, OLD.works) THEN
    RAISE EXCEPTION 'A submitted declaration is immutable.' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER declaration_is_immutable_once_submitted BEFORE UPDATE OR DELETE ON licensing_declaration
  FOR EACH ROW WHEN (OLD.submitted_at IS NOT NULL) EXECUTE FUNCTION declaration_is_immutable();
