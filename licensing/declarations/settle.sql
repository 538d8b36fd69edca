-- Lines with their works: the use that permission is asked for.
--
-- Inputs   grouped(scheme, value, use, unit, used_on, dataset, title, creators, units, lines)   of all files
--          found(scheme, value, work_id)                  from matching
--          work(work_id, kind), kind_of_scheme(scheme, kind)
-- Output   used        see permissions/permit.sql
--          named_as(scheme, value, title, creators)       how unmatched ones were called, for people

-- step used: what permission is asked for
SELECT f.work_id, g.scheme, g.value, COALESCE(w.kind, k.kind, 'other') AS kind, g.use, g.unit, g.used_on, g.dataset,
       g.units, g.lines
FROM grouped g
LEFT JOIN found f ON f.scheme = g.scheme AND f.value = g.value
LEFT JOIN work w ON w.work_id = f.work_id
LEFT JOIN kind_of_scheme k ON k.scheme = CASE WHEN g.scheme = 'several' THEN split_part(g.value, ':', 1) ELSE g.scheme END;

-- step named_as: how unmatched ones were called
SELECT g.scheme, g.value, MIN(g.title) AS title, MIN(g.creators) AS creators
FROM grouped g
WHERE g.title IS NOT NULL AND NOT EXISTS (SELECT 1 FROM found f WHERE f.scheme = g.scheme AND f.value = g.value)
GROUP BY g.scheme, g.value;
