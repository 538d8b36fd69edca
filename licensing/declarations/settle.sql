-- Lines with their works: the use that permission is asked for, and the groups of lines that are refused.
--
-- Inputs   said                                           from intake.sql
--          spelled(scheme, identifier, value, problem)     strange identifiers, normalised or refused
--          titled(title, creators, value, problem)         titles, normalised or refused
--          found(scheme, value, work_id)                   from match.sql
--          work(work_id, kind), kind_of_scheme(scheme, kind)
-- Output   used        see permissions/permit.sql
--          refused     the groups that are rejected, by what their lines say, with `problem` as `column: reason`

-- step settled: every group with its normalised identifier and work, or its problem
SELECT g.identifier_type, g.identifier, g.unit, g.use, g.used_on, g.dataset, g.title, g.creators, g.readable, g.units, g.lines,
       g.said_unit, g.said_use, g.said_dataset, g.said_on,
       COALESCE(g.problem, s.problem, t.problem) AS problem,
       CASE WHEN g.identifier IS NULL THEN 'title' ELSE g.scheme END AS scheme,
       CASE WHEN g.work_id IS NOT NULL THEN g.identifier ELSE COALESCE(s.value, t.value) END AS value,
       COALESCE(g.work_id, f.work_id) AS work_id
FROM said g
LEFT JOIN spelled s ON s.scheme = g.scheme AND s.identifier = g.identifier AND g.work_id IS NULL
LEFT JOIN titled t ON g.identifier IS NULL AND t.title = g.title AND t.creators IS NOT DISTINCT FROM g.creators
LEFT JOIN found f ON f.scheme = g.scheme AND f.value = s.value AND g.work_id IS NULL;

-- step used: what permission is asked for
SELECT s.work_id, s.scheme, s.value, COALESCE(w.kind, k.kind, 'other') AS kind, s.said_use AS use, s.said_unit AS unit,
       s.said_on AS used_on, s.said_dataset AS dataset, s.units, s.lines
FROM settled s
LEFT JOIN work w ON w.work_id = s.work_id
LEFT JOIN kind_of_scheme k ON k.scheme = s.scheme
WHERE s.problem IS NULL;

-- step refused: what is rejected
SELECT identifier_type, identifier, unit, use, used_on, dataset, title, creators, readable, units, lines, problem
FROM settled
WHERE problem IS NOT NULL;
