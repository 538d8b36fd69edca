-- The references of declared uses, checked once a statement instead of once a row. A declaration or work that is named
-- cannot go; declarations take their uses with them, in the statement that deletes the uses first.
CREATE FUNCTION declared_use_refers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM (SELECT DISTINCT declaration_id AS id FROM written) w
             WHERE NOT EXISTS (SELECT FROM licensing_declaration d WHERE d.id = w.id)) THEN
    RAISE EXCEPTION 'A declared use names a declaration that does not exist.' USING ERRCODE = 'foreign_key_violation';
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
