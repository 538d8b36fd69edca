-- Permission of every declared use, in the order that permissions/core.py states; that module is this script's oracle.
--
-- Inputs   used(work_id, scheme, value, kind, use, unit, used_on, dataset, units, lines)   work_id NULL: nothing matched
--          work(work_id, kind, protected_until)
--          share(work_id, holder_id, ppm, valid_from, valid_to)
--          mandate, direct(holder_id, uses, kinds, territory, valid_from, valid_to)        codes as '|train|ground|' or '|*|'
--          reservation(id, work_id, holder_id, place, pattern, scheme, value, uses, territory, reserved_from, reserved_to)
--                                           one target a row: work, holder, place (pattern: NULL, or LIKE over locations), or
--                                           identifier; `near.sql` finds the identifiers that are as good as reserved
--          excepting(id, pattern)           locations that a reservation of a place does not speak of
--          place(scheme, value, place)      every location whose reservation counts for a declared web identifier
--          statutory(uses, kinds, territory, valid_from, valid_to)   what the society's enabled schemes allow
--          licence(use, kind, dataset, valid_from, valid_to)   what the licence allows here; dataset NULL: any
--          context(territory)
-- Output   permitted(work_id, scheme, value, kind, use, unit, used_on, status, basis, missing_ppm, units, lines)
-- All date ranges are half-open; an open end is 9999-12-31.

-- step asked: what is asked about each work, once
SELECT u.work_id, w.kind, u.use, u.used_on, w.protected_until
FROM (SELECT DISTINCT work_id, use, used_on FROM used) u JOIN work w ON w.work_id = u.work_id;

-- step claimed: the shares on the day of use
SELECT a.work_id, a.kind, a.use, a.used_on, s.holder_id, s.ppm
FROM asked a JOIN share s ON s.work_id = a.work_id AND s.valid_from <= a.used_on AND a.used_on < s.valid_to;

-- step mandated: what mandates say about the uses and kinds that are asked about
SELECT m.holder_id, q.use, q.kind, m.valid_from, m.valid_to
FROM mandate m
JOIN (SELECT DISTINCT use, kind FROM asked) q
  ON (m.uses = '|*|' OR m.uses LIKE '%|' || q.use || '|%') AND (m.kinds = '|*|' OR m.kinds LIKE '%|' || q.kind || '|%')
JOIN context c ON m.territory = '|*|' OR m.territory LIKE '%|' || c.territory || '|%';

-- step given: the same for licences that holders gave directly
SELECT d.holder_id, q.use, q.kind, d.valid_from, d.valid_to
FROM direct d
JOIN (SELECT DISTINCT use, kind FROM asked) q
  ON (d.uses = '|*|' OR d.uses LIKE '%|' || q.use || '|%') AND (d.kinds = '|*|' OR d.kinds LIKE '%|' || q.kind || '|%')
JOIN context c ON d.territory = '|*|' OR d.territory LIKE '%|' || c.territory || '|%';

-- step by_law: the same for statutory schemes, on the days that are asked about
SELECT DISTINCT q.use, q.kind, q.used_on
FROM statutory s
JOIN (SELECT DISTINCT use, kind, used_on FROM asked) q
  ON (s.uses = '|*|' OR s.uses LIKE '%|' || q.use || '|%') AND (s.kinds = '|*|' OR s.kinds LIKE '%|' || q.kind || '|%')
 AND s.valid_from <= q.used_on AND q.used_on < s.valid_to
JOIN context c ON s.territory = '|*|' OR s.territory LIKE '%|' || c.territory || '|%';

-- step reserving: reservations for this territory
SELECT r.id, r.work_id, r.holder_id, r.place, r.pattern, r.scheme, r.value, r.uses, r.reserved_from, r.reserved_to
FROM reservation r JOIN context c ON r.territory = '|*|' OR r.territory LIKE '%|' || c.territory || '|%';

-- step reserved_work: reserved as a work, or as all works of a holder
SELECT a.work_id, a.use, a.used_on
FROM asked a JOIN reserving r ON r.work_id = a.work_id AND r.reserved_from <= a.used_on AND a.used_on < r.reserved_to
 AND (r.uses = '|*|' OR r.uses LIKE '%|' || a.use || '|%')
UNION
SELECT c.work_id, c.use, c.used_on
FROM claimed c JOIN reserving r ON r.holder_id = c.holder_id AND r.reserved_from <= c.used_on AND c.used_on < r.reserved_to
 AND (r.uses = '|*|' OR r.uses LIKE '%|' || c.use || '|%');

-- step reserved_as_said: reserved where it was found or under the identifier that was said, whatever that matched
SELECT u.scheme, u.value, u.use, u.used_on
FROM used u
JOIN place p ON p.scheme = u.scheme AND p.value = u.value
JOIN reserving r ON r.place = p.place AND r.reserved_from <= u.used_on AND u.used_on < r.reserved_to
 AND (r.uses = '|*|' OR r.uses LIKE '%|' || u.use || '|%') AND (r.pattern IS NULL OR u.value LIKE r.pattern ESCAPE '!')
WHERE NOT EXISTS (SELECT 1 FROM excepting e WHERE e.id = r.id AND u.value LIKE e.pattern ESCAPE '!')
UNION
SELECT u.scheme, u.value, u.use, u.used_on
FROM used u
JOIN reserving r ON r.scheme = u.scheme AND r.value = u.value AND r.reserved_from <= u.used_on AND u.used_on < r.reserved_to
 AND (r.uses = '|*|' OR r.uses LIKE '%|' || u.use || '|%');

-- step touched: works of which some holder gave a direct licence
SELECT DISTINCT c.work_id, c.use, c.used_on
FROM claimed c JOIN given g ON g.holder_id = c.holder_id AND g.use = c.use AND g.kind = c.kind
 AND g.valid_from <= c.used_on AND c.used_on < g.valid_to;

-- step ungiven: those of which some holder did not
SELECT DISTINCT c.work_id, c.use, c.used_on
FROM claimed c JOIN touched t ON t.work_id = c.work_id AND t.use = c.use AND t.used_on = c.used_on
WHERE NOT EXISTS (SELECT 1 FROM given g WHERE g.holder_id = c.holder_id AND g.use = c.use AND g.kind = c.kind
                  AND g.valid_from <= c.used_on AND c.used_on < g.valid_to);

-- step unclaimed: works without any share on the day
SELECT a.work_id, a.use, a.used_on
FROM asked a
WHERE NOT EXISTS (SELECT 1 FROM claimed c WHERE c.work_id = a.work_id AND c.use = a.use AND c.used_on = a.used_on);

-- step missing: the parts per million of which no holder's mandate speaks
SELECT c.work_id, c.use, c.used_on, SUM(c.ppm) AS ppm
FROM claimed c
WHERE NOT EXISTS (SELECT 1 FROM mandated m WHERE m.holder_id = c.holder_id AND m.use = c.use AND m.kind = c.kind
                  AND m.valid_from <= c.used_on AND c.used_on < m.valid_to)
GROUP BY c.work_id, c.use, c.used_on;

-- step decided: one answer a work, use and day; NULL leaves it to the licence
SELECT a.work_id, a.use, a.used_on,
       CASE WHEN a.protected_until <= a.used_on THEN 'free'
            WHEN r.work_id IS NOT NULL THEN 'reserved'
            WHEN g.work_id IS NOT NULL AND n.work_id IS NULL THEN 'individual'
            WHEN t.use IS NOT NULL THEN 'statutory'
            WHEN e.work_id IS NOT NULL OR m.work_id IS NOT NULL THEN 'unmandated' END AS answer,
       CASE WHEN e.work_id IS NOT NULL THEN 1000000 ELSE COALESCE(m.ppm, 0) END AS missing_ppm
FROM asked a
LEFT JOIN unclaimed e ON e.work_id = a.work_id AND e.use = a.use AND e.used_on = a.used_on
LEFT JOIN touched g ON g.work_id = a.work_id AND g.use = a.use AND g.used_on = a.used_on
LEFT JOIN ungiven n ON n.work_id = a.work_id AND n.use = a.use AND n.used_on = a.used_on
LEFT JOIN missing m ON m.work_id = a.work_id AND m.use = a.use AND m.used_on = a.used_on
LEFT JOIN reserved_work r ON r.work_id = a.work_id AND r.use = a.use AND r.used_on = a.used_on
LEFT JOIN by_law t ON t.kind = a.kind AND t.use = a.use AND t.used_on = a.used_on;

-- view answered: each declared use with its answer, once the place and the licence had their say
SELECT u.work_id, u.scheme, u.value, u.kind, u.use, u.unit, u.used_on, u.units, u.lines, d.missing_ppm,
       CASE WHEN d.answer = 'free' THEN 'free'
            WHEN p.value IS NOT NULL THEN 'reserved'
            WHEN d.answer IS NOT NULL THEN d.answer
            WHEN l.use IS NULL THEN 'unlicensed'
            WHEN u.work_id IS NULL THEN 'unmatched'
            ELSE 'licence' END AS answer
FROM used u
LEFT JOIN decided d ON d.work_id = u.work_id AND d.use = u.use AND d.used_on = u.used_on
LEFT JOIN reserved_as_said p ON p.scheme = u.scheme AND p.value = u.value AND p.use = u.use AND p.used_on = u.used_on
LEFT JOIN licence l ON l.use = u.use AND l.kind = u.kind AND l.valid_from <= u.used_on AND u.used_on < l.valid_to
 AND (l.dataset IS NULL OR l.dataset = u.dataset);

-- step permitted: one row a work or unmatched identifier, use, unit, day, status
SELECT work_id, scheme, value, MIN(kind) AS kind, use, unit, used_on,
       CASE WHEN answer IN ('free', 'individual', 'statutory', 'licence') THEN 'licensed' ELSE answer END AS status,
       CASE WHEN answer IN ('free', 'individual', 'statutory', 'licence') THEN answer ELSE '' END AS basis,
       MIN(CASE WHEN answer = 'unmandated' THEN missing_ppm ELSE 0 END) AS missing_ppm,
       CAST(SUM(units) AS DECIMAL(38,0)) AS units, CAST(SUM(lines) AS BIGINT) AS lines
FROM (
  SELECT work_id, CASE WHEN work_id IS NULL THEN scheme ELSE '' END AS scheme,
         CASE WHEN work_id IS NULL THEN value ELSE '' END AS value,
         kind, use, unit, used_on, units, lines, missing_ppm, answer
  FROM answered
) a
GROUP BY work_id, scheme, value, use, unit, used_on, answer;
