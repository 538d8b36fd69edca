-- What a correction takes back: all that stands of the pool that it divides anew. Its own allocations, but for those that left
-- suspense since; and what became of those in the pools that released them.
CREATE VIEW royalties_takenback AS
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
