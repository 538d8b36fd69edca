-- Money that moves a second time: what leaves suspense, and what is divided anew. Each once, from a run that is posted, to a run
-- that is being computed; given back only when that run is discarded or reversed. Whoever takes something from a posted run
-- holds its row FOR SHARE, so that a reversal of it at the same moment waits and then sees what was taken.

-- 1. A release is of an allocation that waits in suspense because nothing matched it, in full, in a pool of the same society and
--    currency that names where it comes from.
CREATE FUNCTION royalties_check_releases() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wrong text;
BEGIN
  EXECUTE $query$ SELECT count(*) FROM (
    SELECT r.id FROM royalties_run r WHERE r.id IN (
      SELECT a.run_id FROM inserted i JOIN royalties_allocation a ON a.id = i.allocation_id) ORDER BY r.id FOR SHARE) locked $query$;
  EXECUTE $query$
    SELECT min(CASE
      WHEN i.active IS NOT TRUE THEN 'a release begins active'
      WHEN a.id IS NULL THEN 'a release names an allocation that does not exist'
      WHEN a.status <> 'suspense' OR a.reason <> 'unmatched' OR a.amount <> i.amount THEN 'a release is of an amount in suspense that matched nothing, and of all of it'
      WHEN p.kind <> 'release' OR p.origin_id <> a.pool_id OR n.status <> 'draft' THEN 'a release belongs to a pool of a run that is being computed, which names where it comes from'
      WHEN o.status NOT IN ('posted', 'published') OR (o.society_id, o.currency) <> (n.society_id, n.currency) THEN 'a release comes from a posted run of the same society and currency'
      WHEN EXISTS (SELECT FROM royalties_runcorrection c WHERE c.corrected_id = a.pool_id AND c.active) THEN 'what was divided anew is not released'
      END)
    FROM inserted i
    JOIN royalties_runpool p ON p.id = i.pool_id
    JOIN royalties_run n ON n.id = p.run_id
    LEFT JOIN royalties_allocation a ON a.id = i.allocation_id
    LEFT JOIN royalties_run o ON o.id = a.run_id $query$ INTO wrong;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION '%', wrong USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'release_is_of_suspense';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER check_releases AFTER INSERT ON royalties_runrelease REFERENCING NEW TABLE AS inserted
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_check_releases();

-- 2. A correction is of a whole pool of a posted run of the same society and currency, for the same invoice. Its amount is what that
--    pool distributed.
CREATE FUNCTION royalties_check_corrections() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wrong text;
BEGIN
  EXECUTE $query$ SELECT count(*) FROM (
    SELECT r.id FROM royalties_run r WHERE r.id IN (
      SELECT p.run_id FROM inserted i JOIN royalties_runpool p ON p.id = i.corrected_id) ORDER BY r.id FOR SHARE) locked $query$;
  EXECUTE $query$
    SELECT min(CASE
      WHEN i.active IS NOT TRUE THEN 'a correction begins active'
      WHEN p.kind <> 'correction' OR p.origin_id <> c.id OR n.status <> 'draft' OR p.invoice_id <> c.invoice_id
        THEN 'a correction belongs to a pool of a run that is being computed, which names what it corrects'
      WHEN c.kind = 'release' OR c.distributable <> i.amount THEN 'a correction divides all that a pool distributed'
      WHEN o.status NOT IN ('posted', 'published') OR (o.society_id, o.currency) <> (n.society_id, n.currency) THEN 'a correction is of a posted run of the same society and currency'
      WHEN EXISTS (SELECT FROM royalties_runpool r JOIN royalties_run u ON u.id = r.run_id
                   WHERE r.origin_id = c.id AND r.kind = 'release' AND u.status IN ('draft', 'computed', 'approved')
                     AND EXISTS (SELECT FROM royalties_runrelease x WHERE x.pool_id = r.id AND x.active))
        THEN 'what is being released is not divided anew'
      END)
    FROM inserted i
    JOIN royalties_runpool p ON p.id = i.pool_id
    JOIN royalties_run n ON n.id = p.run_id
    JOIN royalties_runpool c ON c.id = i.corrected_id
    JOIN royalties_run o ON o.id = c.run_id $query$ INTO wrong;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION '%', wrong USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'correction_is_of_a_pool';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER check_corrections AFTER INSERT ON royalties_runcorrection REFERENCING NEW TABLE AS inserted
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_check_corrections();

-- 3. What was taken is given back with the run that took it, and only then; nothing else about it changes.
CREATE FUNCTION royalties_keep_taken() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE state text;
BEGIN
  SELECT r.status INTO state FROM royalties_runpool p JOIN royalties_run r ON r.id = p.run_id WHERE p.id = OLD.pool_id;
  IF TG_OP = 'DELETE' THEN
    IF state IN ('draft', 'computed', 'discarded') THEN RETURN OLD; END IF;
  ELSIF state IN ('discarded', 'reversed') AND OLD.active AND NEW.active IS NULL
    AND (to_jsonb(NEW) - 'active') = (to_jsonb(OLD) - 'active') THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% on % is refused: what a run took is given back when it is reversed', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'taken_once_is_kept';
END $$;
CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON royalties_runrelease FOR EACH ROW EXECUTE FUNCTION royalties_keep_taken();
CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON royalties_runcorrection FOR EACH ROW EXECUTE FUNCTION royalties_keep_taken();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON royalties_runrelease FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON royalties_runcorrection FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_change();

-- 4. A run is not reversed while another one has what it distributed: that one is reversed first.
CREATE FUNCTION royalties_keep_origin() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE other bigint;
BEGIN
  SELECT min(run_id) INTO other FROM (
    SELECT p.run_id FROM royalties_runpool o JOIN royalties_runpool p ON p.origin_id = o.id AND p.kind = 'release'
      JOIN royalties_runrelease x ON x.pool_id = p.id AND x.active WHERE o.run_id = NEW.id
    UNION ALL
    SELECT p.run_id FROM royalties_runpool o JOIN royalties_runcorrection c ON c.corrected_id = o.id AND c.active
      JOIN royalties_runpool p ON p.id = c.pool_id WHERE o.run_id = NEW.id
    UNION ALL -- what this run released, and was divided anew with the pool that it came from
    SELECT p.run_id FROM royalties_runpool r JOIN royalties_runcorrection c ON c.corrected_id = r.origin_id AND c.active
      JOIN royalties_runpool p ON p.id = c.pool_id
      WHERE r.run_id = NEW.id AND r.kind = 'release' AND p.run_id <> NEW.id) taken;
  IF other IS NOT NULL THEN
    RAISE EXCEPTION 'run % has what run % distributed: reverse or discard it first', other, NEW.id
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'run_is_reversed_last_in_first';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER origin_is_kept BEFORE UPDATE ON royalties_run
  FOR EACH ROW WHEN (NEW.status = 'reversed' AND OLD.status <> 'reversed') EXECUTE FUNCTION royalties_keep_origin();

-- 5. The figures of an approved run, those of 4. in `distribution.sql` and the two sums of what it took.
CREATE FUNCTION royalties_keep_taken_sums() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'run % is approved: reverse it and compute a new one', OLD.id USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER approved_sums_are_kept BEFORE UPDATE ON royalties_run
  FOR EACH ROW WHEN (OLD.status IN ('approved', 'posted', 'published', 'reversed')
                     AND (NEW.released, NEW.corrected) IS DISTINCT FROM (OLD.released, OLD.corrected))
  EXECUTE FUNCTION royalties_keep_taken_sums();
