-- A determined tariff version is fixed: its rates and days never change and it is never deleted. Only its end may be set earlier,
-- when a later version supersedes it.
CREATE FUNCTION guard_tariff_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status <> 'determined' THEN RETURN coalesce(NEW, OLD); END IF;
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a determined tariff version is never deleted' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF (NEW.id, NEW.tariff_id, NEW.version, NEW.document, NEW.sha256, NEW.status, NEW.determined_by_id, NEW.determined_at)
     IS DISTINCT FROM (OLD.id, OLD.tariff_id, OLD.version, OLD.document, OLD.sha256, OLD.status, OLD.determined_by_id, OLD.determined_at)
     OR lower(NEW.valid) IS DISTINCT FROM lower(OLD.valid) OR NOT NEW.valid <@ OLD.valid THEN
    RAISE EXCEPTION 'a determined tariff version cannot be changed: propose a new version' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_tariff_version BEFORE UPDATE OR DELETE ON licensing_tariffversion
  FOR EACH ROW EXECUTE FUNCTION guard_tariff_version();
