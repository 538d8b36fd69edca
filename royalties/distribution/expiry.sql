-- What is held or in suspense and still there; and what of it may not be distributed any more, by a resolution. Such an amount has left
-- its account for `undistributable`: it is never released, and what it is part of is neither divided anew nor reversed.

-- The pool whose declarations weighed in a pool: of what was released, once or several times, the one where it was allocated first.
CREATE FUNCTION royalties_root(pool bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  WITH RECURSIVE up AS (
    SELECT p.id, p.origin_id, p.kind FROM royalties_runpool p WHERE p.id = pool
    UNION ALL
    SELECT o.id, o.origin_id, o.kind FROM up JOIN royalties_runpool o ON o.id = up.origin_id WHERE up.kind = 'release')
  SELECT id FROM up WHERE kind <> 'release'
$$;

-- 1. An expired amount is all of an allocation that still stands, in the journal of its resolution. Whoever expires holds the runs
--    so that nothing is taken from them, and they are not reversed, at the same moment.
CREATE FUNCTION royalties_check_expired() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wrong text;
BEGIN
  EXECUTE $query$ SELECT count(*) FROM (
    SELECT r.id FROM royalties_run r WHERE r.id IN (
      SELECT a.run_id FROM inserted i JOIN royalties_allocation a ON a.id = i.allocation_id
      UNION SELECT p.run_id FROM (SELECT DISTINCT a.pool_id FROM inserted i JOIN royalties_allocation a ON a.id = i.allocation_id) x
            JOIN royalties_runpool p ON p.id = royalties_root(x.pool_id)) ORDER BY r.id FOR NO KEY UPDATE) locked $query$;
  EXECUTE $query$
    SELECT min(CASE
      WHEN a.id IS NULL OR a.status NOT IN ('held', 'suspense') OR a.amount <> i.amount THEN 'what expires is an amount held or in suspense, and all of it'
      WHEN r.status NOT IN ('posted', 'published') THEN 'what expires is of a posted run'
      WHEN j.id IS NULL OR j.kind <> 'expiry' OR j.society_id <> r.society_id THEN 'what expires has a journal of its society'
      WHEN EXISTS (SELECT FROM royalties_runrelease x WHERE x.allocation_id = a.id AND x.active) THEN 'what was released does not expire'
      END)
    FROM inserted i
    LEFT JOIN royalties_allocation a ON a.id = i.allocation_id
    LEFT JOIN royalties_run r ON r.id = a.run_id
    LEFT JOIN ledger_journal j ON j.id = i.journal_id $query$ INTO wrong;
  IF wrong IS NULL THEN
    EXECUTE $query$
      SELECT 'what was divided anew does not expire'
      FROM (SELECT DISTINCT a.pool_id FROM inserted i JOIN royalties_allocation a ON a.id = i.allocation_id) x
      JOIN royalties_runcorrection c ON c.corrected_id = royalties_root(x.pool_id) AND c.active LIMIT 1 $query$ INTO wrong;
  END IF;
  IF wrong IS NULL THEN
    EXECUTE $query$
      SELECT 'what expires is what its journal moved'
      FROM (SELECT i.journal_id, a.status AS kind, sum(i.amount) AS amount
            FROM inserted i JOIN royalties_allocation a ON a.id = i.allocation_id GROUP BY 1, 2) e
      FULL JOIN (SELECT p.journal_id, d.kind, sum(p.amount) AS amount FROM ledger_posting p JOIN ledger_account d ON d.id = p.debit_id
                 WHERE p.journal_id IN (SELECT journal_id FROM inserted) GROUP BY 1, 2) b ON b.journal_id = e.journal_id AND b.kind = e.kind
      WHERE e.amount IS DISTINCT FROM b.amount LIMIT 1 $query$ INTO wrong;
  END IF;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION '%', wrong USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'expired_is_what_still_stood';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER check_expired AFTER INSERT ON royalties_expiredallocation REFERENCING NEW TABLE AS inserted
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_check_expired();

CREATE FUNCTION royalties_keep_expired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: what a resolution declared stays', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON royalties_expiredallocation
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_keep_expired();

-- 2. It is not taken by another run, and the run that it is of is not reversed.
CREATE FUNCTION royalties_refuse_expired() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE found boolean;
BEGIN
  IF TG_TABLE_NAME = 'royalties_run' THEN
    SELECT EXISTS (SELECT FROM royalties_allocation a JOIN royalties_expiredallocation e ON e.allocation_id = a.id
                   WHERE a.run_id = NEW.id AND a.status <> 'payable') INTO found;
  ELSIF TG_TABLE_NAME = 'royalties_runrelease' THEN
    EXECUTE 'SELECT EXISTS (SELECT FROM inserted i JOIN royalties_expiredallocation e ON e.allocation_id = i.allocation_id)' INTO found;
  ELSE
    EXECUTE $query$ SELECT EXISTS (SELECT FROM inserted i JOIN royalties_expiredpool e ON e.pool_id = i.corrected_id) $query$ INTO found;
  END IF;
  IF found THEN
    RAISE EXCEPTION 'a resolution declared some of this undistributable' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'expired_is_not_moved';
  END IF;
  RETURN NEW;
END $$;

-- Pools some of whose money, released since or not, has expired.
CREATE VIEW royalties_expiredpool AS
SELECT DISTINCT royalties_root(a.pool_id) AS pool_id
FROM royalties_expiredallocation e JOIN royalties_allocation a ON a.id = e.allocation_id;

CREATE TRIGGER expired_is_kept BEFORE UPDATE ON royalties_run
  FOR EACH ROW WHEN (NEW.status = 'reversed' AND OLD.status <> 'reversed') EXECUTE FUNCTION royalties_refuse_expired();
CREATE TRIGGER expired_is_kept AFTER INSERT ON royalties_runrelease REFERENCING NEW TABLE AS inserted
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_expired();
CREATE TRIGGER expired_is_kept AFTER INSERT ON royalties_runcorrection REFERENCING NEW TABLE AS inserted
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_expired();

-- 3. What is held or in suspense now, as the accounts of these names have it. `taken_by_id`: the run, computed and not posted yet, that would
--    release it or divide it anew. `first_pool_id`: the pool in which its money was new, and from which its clock runs.
CREATE VIEW royalties_outstandingallocation AS
SELECT a.id AS allocation_id, r.society_id, a.run_id, a.pool_id, a.holder_id, a.work_id, a.scheme, a.value, a.status, a.reason, a.used_on,
       a.amount, r.currency, r.posted_at, coalesce(x.run_id, p.taken_by_id) AS taken_by_id, p.first_pool_id
FROM royalties_run r
CROSS JOIN LATERAL (
  SELECT p.id, t.id AS taken_by_id, t.status AS taken_status, f.first_pool_id
  FROM royalties_runpool p
  LEFT JOIN (royalties_runcorrection c JOIN royalties_runpool q ON q.id = c.pool_id JOIN royalties_run t ON t.id = q.run_id)
    ON c.corrected_id = royalties_root(p.id) AND c.active
  CROSS JOIN LATERAL (
    WITH RECURSIVE up AS (
      SELECT p.id, p.origin_id
      UNION ALL
      SELECT o.id, o.origin_id FROM up JOIN royalties_runpool o ON o.id = up.origin_id)
    SELECT id AS first_pool_id FROM up WHERE origin_id IS NULL) f
  WHERE p.run_id = r.id AND (t.status IS NULL OR t.status NOT IN ('posted', 'published'))
) p
JOIN royalties_allocation a ON a.run_id = r.id AND a.pool_id = p.id AND a.status <> 'payable' AND a.amount > 0
LEFT JOIN (
  SELECT x.allocation_id, t.id AS run_id, t.status
  FROM royalties_runrelease x JOIN royalties_runpool q ON q.id = x.pool_id JOIN royalties_run t ON t.id = q.run_id WHERE x.active
) x ON x.allocation_id = a.id
WHERE r.status IN ('posted', 'published') AND (x.status IS NULL OR x.status NOT IN ('posted', 'published'))
  AND NOT EXISTS (SELECT FROM royalties_expiredallocation e WHERE e.allocation_id = a.id);
