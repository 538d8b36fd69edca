DROP TRIGGER note_merge ON licensing_work;
DROP TRIGGER note_less_share_on_delete ON licensing_share;
DROP TRIGGER note_less_share_on_update ON licensing_share;
DROP FUNCTION royalties_note_merge, royalties_note_shares;
DROP TRIGGER kept ON royalties_helduse;
DROP FUNCTION royalties_keep_held_use;
CREATE OR REPLACE VIEW royalties_takenback AS
SELECT c.pool_id AS correction_id, q.run_id AS correction_run_id, a.*
FROM royalties_runcorrection c
JOIN royalties_runpool q ON q.id = c.pool_id
JOIN royalties_runpool p ON p.id = c.corrected_id
JOIN royalties_allocation a ON a.run_id = p.run_id AND a.pool_id = p.id
WHERE c.active AND NOT EXISTS (SELECT FROM royalties_runrelease x WHERE x.allocation_id = a.id AND x.active)
UNION ALL
SELECT c.pool_id, q.run_id, a.*
FROM royalties_runcorrection c
JOIN royalties_runpool q ON q.id = c.pool_id
JOIN royalties_runpool p ON p.origin_id = c.corrected_id AND p.kind = 'release'
JOIN royalties_run r ON r.id = p.run_id AND r.status IN ('posted', 'published')
JOIN royalties_allocation a ON a.run_id = p.run_id AND a.pool_id = p.id
WHERE c.active;
DROP TRIGGER origin_is_kept ON royalties_run;
CREATE TRIGGER origin_is_kept BEFORE UPDATE ON royalties_run
  FOR EACH ROW WHEN (NEW.status = 'reversed' AND OLD.status <> 'reversed') EXECUTE FUNCTION royalties_keep_origin();
DROP TRIGGER check_corrections ON royalties_runcorrection;
CREATE TRIGGER check_corrections AFTER INSERT ON royalties_runcorrection REFERENCING NEW TABLE AS inserted
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_check_corrections();
DROP TRIGGER check_releases ON royalties_runrelease;
CREATE TRIGGER check_releases AFTER INSERT ON royalties_runrelease REFERENCING NEW TABLE AS inserted
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_check_releases();
DROP FUNCTION royalties_keep_origins, royalties_check_corrected, royalties_check_released;
