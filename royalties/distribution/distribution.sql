-- What a posted run keeps. Allocations come by the million: every check runs once a statement, never once a row. Queries over a
-- statement's rows are EXECUTEd, so that each is planned for its own size.

-- 1. Allocations belong to a draft run, and what they point at exists.
CREATE FUNCTION royalties_check_allocations() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wrong text;
BEGIN
  EXECUTE $query$
    SELECT min(CASE WHEN p.id IS NULL THEN 'draft' WHEN i.holder_id IS NOT NULL AND h.id IS NULL THEN 'holder'
                    WHEN i.work_id IS NOT NULL AND w.id IS NULL THEN 'work' END)
    FROM inserted i
    LEFT JOIN (SELECT p.id, p.run_id FROM royalties_runpool p JOIN royalties_run r ON r.id = p.run_id AND r.status = 'draft') p
      ON p.id = i.pool_id AND p.run_id = i.run_id
    LEFT JOIN licensing_holder h ON h.id = i.holder_id
    LEFT JOIN licensing_work w ON w.id = i.work_id $query$ INTO wrong;
  IF wrong = 'draft' THEN
    RAISE EXCEPTION 'an allocation belongs to a pool of a run that is being computed' USING ERRCODE = 'integrity_constraint_violation';
  ELSIF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'an allocation names a holder or a work that does not exist' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER check_references AFTER INSERT ON royalties_allocation REFERENCING NEW TABLE AS inserted
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_check_allocations();

-- 2. They are never changed, and go only with a run that was not approved.
CREATE FUNCTION royalties_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: reverse the run and compute a new one', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER never_changed BEFORE UPDATE OR TRUNCATE ON royalties_allocation
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_change();

CREATE FUNCTION royalties_keep_allocations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM (SELECT DISTINCT run_id FROM deleted) d JOIN royalties_run r ON r.id = d.run_id
             WHERE r.status NOT IN ('draft', 'computed', 'discarded')) THEN
    RAISE EXCEPTION 'the allocations of an approved run are kept' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER kept AFTER DELETE ON royalties_allocation REFERENCING OLD TABLE AS deleted
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_keep_allocations();

-- 3. What they point at stays.
CREATE FUNCTION royalties_keep_holder() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM deleted d JOIN royalties_allocation a ON a.holder_id = d.id) THEN
    RAISE EXCEPTION 'a holder with allocations is kept' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER keep_allocated AFTER DELETE ON licensing_holder REFERENCING OLD TABLE AS deleted
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_keep_holder();
CREATE FUNCTION royalties_keep_work() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM deleted d JOIN royalties_allocation a ON a.work_id = d.id) THEN
    RAISE EXCEPTION 'a work with allocations is kept' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER keep_allocated AFTER DELETE ON licensing_work REFERENCING OLD TABLE AS deleted
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_keep_work();

-- 4. An approved run, its pools and its rule no longer change: only the status and the journals move on.
CREATE FUNCTION royalties_keep_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR (NEW.society_id, NEW.period, NEW.currency, NEW.rule_id, NEW.supplementary, NEW.pool, NEW.deductions, NEW.reserve,
      NEW.distributable, NEW.payable, NEW.held, NEW.suspense, NEW.holders, NEW.works, NEW.input_digest, NEW.result_digest)
     IS DISTINCT FROM (OLD.society_id, OLD.period, OLD.currency, OLD.rule_id, OLD.supplementary, OLD.pool, OLD.deductions, OLD.reserve,
      OLD.distributable, OLD.payable, OLD.held, OLD.suspense, OLD.holders, OLD.works, OLD.input_digest, OLD.result_digest)
     OR NEW.status IN ('draft', 'computed') OR (NEW.status = 'discarded' AND OLD.status <> 'approved') OR (OLD.journal_id IS NOT NULL AND NEW.journal_id IS DISTINCT FROM OLD.journal_id) THEN
    RAISE EXCEPTION 'run % is approved: reverse it and compute a new one', OLD.id USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER approved_is_kept BEFORE UPDATE OR DELETE ON royalties_run
  FOR EACH ROW WHEN (OLD.status IN ('approved', 'posted', 'published', 'reversed')) EXECUTE FUNCTION royalties_keep_run();

CREATE FUNCTION royalties_keep_pool() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT status FROM royalties_run WHERE id = OLD.run_id) NOT IN ('draft', 'computed', 'discarded') THEN
    RAISE EXCEPTION 'the pools of an approved run are kept' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER approved_is_kept BEFORE UPDATE OR DELETE ON royalties_runpool FOR EACH ROW EXECUTE FUNCTION royalties_keep_pool();

CREATE FUNCTION royalties_keep_rule() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR (NEW.society_id, NEW.ref, NEW.version, NEW.document, NEW.sha256, NEW.status, lower(NEW.valid))
     IS DISTINCT FROM (OLD.society_id, OLD.ref, OLD.version, OLD.document, OLD.sha256, OLD.status, lower(OLD.valid)) THEN
    RAISE EXCEPTION 'rule % v% is approved: publish a new version', OLD.ref, OLD.version USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER approved_is_kept BEFORE UPDATE OR DELETE ON royalties_rule
  FOR EACH ROW WHEN (OLD.status = 'approved') EXECUTE FUNCTION royalties_keep_rule();

-- 5. Statements are told once: only a new one corrects them.
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON royalties_statement
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_change();
