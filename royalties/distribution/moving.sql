-- Money that moves more than once: what was released may wait again, for its shares, and be released again; and what rests on shares,
-- works and matches that are others now is divided anew where a society asks for it. `releases.sql` has the first form of this.

-- 1. A release is of an allocation that waits: nothing matched it, or its shares did not add up, or were disputed.
CREATE FUNCTION royalties_check_released() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wrong text;
BEGIN
  EXECUTE $query$ SELECT count(*) FROM (
    SELECT r.id FROM royalties_run r WHERE r.id IN (
      SELECT a.run_id FROM inserted i JOIN royalties_allocation a ON a.id = i.allocation_id
      UNION SELECT p.run_id FROM (SELECT DISTINCT a.pool_id FROM inserted i JOIN royalties_allocation a ON a.id = i.allocation_id) x
            JOIN royalties_runpool p ON p.id = royalties_root(x.pool_id)) ORDER BY r.id FOR SHARE) locked $query$;
  EXECUTE $query$
    SELECT min(CASE
      WHEN i.active IS NOT TRUE THEN 'a release begins active'
      WHEN a.id IS NULL THEN 'a release names an allocation that does not exist'
      WHEN (a.status, a.reason) NOT IN (('suspense', 'unmatched'), ('suspense', 'no_share'), ('held', 'overclaimed'), ('held', 'disputed'))
        OR a.amount <> i.amount THEN 'a release is of an amount that waits for a match or for its shares, and of all of it'
      WHEN p.kind <> 'release' OR p.origin_id <> a.pool_id OR n.status <> 'draft' THEN 'a release belongs to a pool of a run that is being computed, which names where it comes from'
      WHEN o.status NOT IN ('posted', 'published') OR (o.society_id, o.currency) <> (n.society_id, n.currency) THEN 'a release comes from a posted run of the same society and currency'
      END)
    FROM inserted i
    JOIN royalties_runpool p ON p.id = i.pool_id
    JOIN royalties_run n ON n.id = p.run_id
    LEFT JOIN royalties_allocation a ON a.id = i.allocation_id
    LEFT JOIN royalties_run o ON o.id = a.run_id $query$ INTO wrong;
  IF wrong IS NULL THEN
    EXECUTE $query$
      SELECT 'what was divided anew is not released'
      FROM (SELECT DISTINCT a.pool_id FROM inserted i JOIN royalties_allocation a ON a.id = i.allocation_id) x
      JOIN royalties_runcorrection c ON c.corrected_id = royalties_root(x.pool_id) AND c.active LIMIT 1 $query$ INTO wrong;
  END IF;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION '%', wrong USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'release_is_of_suspense';
  END IF;
  RETURN NULL;
END $$;
DROP TRIGGER check_releases ON royalties_runrelease;
CREATE TRIGGER check_releases AFTER INSERT ON royalties_runrelease REFERENCING NEW TABLE AS inserted
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_check_released();

-- 2. A correction is of a whole pool that was not itself released, with all that left it.
CREATE FUNCTION royalties_check_corrected() RETURNS trigger LANGUAGE plpgsql AS $$
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
      WHEN EXISTS (SELECT FROM royalties_run u JOIN royalties_runpool r ON r.run_id = u.id AND r.kind = 'release'
                   WHERE u.society_id = n.society_id AND u.status IN ('draft', 'computed', 'approved') AND royalties_root(r.id) = c.id
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
DROP TRIGGER check_corrections ON royalties_runcorrection;
CREATE TRIGGER check_corrections AFTER INSERT ON royalties_runcorrection REFERENCING NEW TABLE AS inserted
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_check_corrected();

-- 3. A run is not reversed while another one has what it distributed, be it released once or several times since.
CREATE FUNCTION royalties_keep_origins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE other bigint;
BEGIN
  SELECT min(run_id) INTO other FROM (
    SELECT p.run_id FROM royalties_runpool o JOIN royalties_runpool p ON p.origin_id = o.id AND p.kind = 'release'
      JOIN royalties_runrelease x ON x.pool_id = p.id AND x.active WHERE o.run_id = NEW.id
    UNION ALL
    SELECT p.run_id FROM royalties_runpool r JOIN royalties_runcorrection c ON c.corrected_id = royalties_root(r.id) AND c.active
      JOIN royalties_runpool p ON p.id = c.pool_id
      WHERE r.run_id = NEW.id AND p.run_id <> NEW.id) taken;
  IF other IS NOT NULL THEN
    RAISE EXCEPTION 'run % has what run % distributed: reverse or discard it first', other, NEW.id
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'run_is_reversed_last_in_first';
  END IF;
  RETURN NEW;
END $$;
DROP TRIGGER origin_is_kept ON royalties_run;
CREATE TRIGGER origin_is_kept BEFORE UPDATE ON royalties_run
  FOR EACH ROW WHEN (NEW.status = 'reversed' AND OLD.status <> 'reversed') EXECUTE FUNCTION royalties_keep_origins();

-- 4. What a correction takes back: all that stands of the pool that it divides anew, and of what was released from it, however often.
CREATE OR REPLACE VIEW royalties_takenback AS
SELECT c.pool_id AS correction_id, q.run_id AS correction_run_id, a.*
FROM royalties_runcorrection c
JOIN royalties_runpool q ON q.id = c.pool_id
CROSS JOIN LATERAL (
  WITH RECURSIVE down AS (
    SELECT p.id, p.run_id FROM royalties_runpool p WHERE p.id = c.corrected_id
    UNION ALL
    SELECT p.id, p.run_id FROM down JOIN royalties_runpool p ON p.origin_id = down.id AND p.kind = 'release'
      JOIN royalties_run r ON r.id = p.run_id AND r.status IN ('posted', 'published'))
  SELECT id, run_id FROM down) p
JOIN royalties_allocation a ON a.run_id = p.run_id AND a.pool_id = p.id
WHERE c.active AND NOT EXISTS (SELECT FROM royalties_runrelease x WHERE x.allocation_id = a.id AND x.active);

-- 5. What a release found not to be allowed stays as its run found it.
CREATE FUNCTION royalties_keep_held_use() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND (SELECT r.status FROM royalties_runpool p JOIN royalties_run r ON r.id = p.run_id WHERE p.id = OLD.pool_id)
     IN ('draft', 'computed', 'discarded') THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'what an approved run held is kept' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON royalties_helduse FOR EACH ROW EXECUTE FUNCTION royalties_keep_held_use();

-- 6. What changes in the register of works that may have been distributed: whose share became less, which works became one, or two again.
--    Only added to, and looked at by whoever asks which pools rest on it.
CREATE FUNCTION royalties_note_shares() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    INSERT INTO royalties_repertoirechange (society_id, work_id, holder_id, what)
    SELECT DISTINCT w.society_id, o.work_id, o.holder_id, 'shares'
    FROM before o LEFT JOIN after n ON n.id = o.id JOIN licensing_work w ON w.id = o.work_id
    WHERE (n.id IS NULL OR (n.work_id, n.holder_id, n.role, n.valid) IS DISTINCT FROM (o.work_id, o.holder_id, o.role, o.valid) OR n.ppm < o.ppm)
      AND EXISTS (SELECT FROM royalties_run r WHERE r.society_id = w.society_id AND r.status NOT IN ('discarded', 'reversed'))
    ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING;
  ELSE
    INSERT INTO royalties_repertoirechange (society_id, work_id, holder_id, what)
    SELECT DISTINCT w.society_id, o.work_id, o.holder_id, 'shares'
    FROM before o JOIN licensing_work w ON w.id = o.work_id
    WHERE EXISTS (SELECT FROM royalties_run r WHERE r.society_id = w.society_id AND r.status NOT IN ('discarded', 'reversed'))
    ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER note_less_share_on_update AFTER UPDATE ON licensing_share REFERENCING OLD TABLE AS before NEW TABLE AS after
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_note_shares();
CREATE TRIGGER note_less_share_on_delete AFTER DELETE ON licensing_share REFERENCING OLD TABLE AS before
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_note_shares();

CREATE FUNCTION royalties_note_merge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM royalties_run r WHERE r.society_id = NEW.society_id AND r.status NOT IN ('discarded', 'reversed')) THEN
    INSERT INTO royalties_repertoirechange (society_id, work_id, holder_id, what)
    SELECT NEW.society_id, NEW.id, NULL, 'unmerged' WHERE OLD.merged_into_id IS NOT NULL
    UNION
    SELECT NEW.society_id, NEW.id, s.holder_id, 'merged' FROM licensing_share s WHERE s.work_id = NEW.id AND NEW.merged_into_id IS NOT NULL
    ORDER BY 3
    ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER note_merge AFTER UPDATE OF merged_into_id ON licensing_work
  FOR EACH ROW WHEN (OLD.merged_into_id IS DISTINCT FROM NEW.merged_into_id) EXECUTE FUNCTION royalties_note_merge();
