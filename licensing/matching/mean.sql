-- What lines mean, once rules and titles had their say; matching/meaning.sql says the same for one value in the database.
--
-- Inputs   wanted(scheme, value), sought(scheme, value), member(whole, scheme, value)   see members.sql
--          found(scheme, value, work_id)           what match.sql found in the register
--          title(value, work_id)                   spellings of titles that one work has
--          rule(scheme, value, work_id)            decisions in force; work_id NULL: none of the society's
-- Output   meant(scheme, value, work_id)

-- step registered: by the register, with titles
SELECT scheme, value, work_id FROM found
UNION ALL
SELECT s.scheme, s.value, t.work_id FROM sought s JOIN title t ON t.value = s.value WHERE s.scheme = 'title';

-- step ruled: by a decision
SELECT s.scheme, s.value, r.work_id
FROM sought s JOIN "rule" r ON r.scheme = s.scheme AND r.value = s.value;

-- step vote: of several identifiers those with a decision speak, else those that are registered; 0 is none of the society's
SELECT m.whole, COALESCE(r.work_id, 0) AS work_id
FROM member m JOIN ruled r ON r.scheme = m.scheme AND r.value = m.value
UNION ALL
SELECT m.whole, g.work_id
FROM member m JOIN registered g ON g.scheme = m.scheme AND g.value = m.value
WHERE NOT EXISTS (SELECT 1 FROM member o JOIN ruled r ON r.scheme = o.scheme AND r.value = o.value WHERE o.whole = m.whole);

-- step agreed: where they agree
SELECT whole, MIN(work_id) AS work_id FROM vote GROUP BY whole HAVING COUNT(DISTINCT work_id) = 1;

-- step meant: a decision about what the line says goes before all
SELECT scheme, value, work_id FROM ruled WHERE work_id IS NOT NULL
UNION ALL
SELECT g.scheme, g.value, g.work_id FROM registered g
WHERE NOT EXISTS (SELECT 1 FROM ruled r WHERE r.scheme = g.scheme AND r.value = g.value)
UNION ALL
SELECT w.scheme, w.value, r.work_id
FROM wanted w JOIN "rule" r ON r.scheme = w.scheme AND r.value = w.value
WHERE w.scheme = 'several' AND r.work_id IS NOT NULL
UNION ALL
SELECT 'several' AS scheme, a.whole AS value, a.work_id
FROM agreed a
WHERE a.work_id <> 0 AND NOT EXISTS (SELECT 1 FROM "rule" r WHERE r.scheme = 'several' AND r.value = a.whole);
