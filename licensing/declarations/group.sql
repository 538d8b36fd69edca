-- Lines with their identifiers in normal form: groups of good ones, and the groups of lines that are refused.
--
-- Inputs   said                                           from intake.sql
--          spelled(scheme, identifier, value, problem)    every strange identifier, normalised or refused
--          titled(title, creators, value, problem)        every named work's key, or why it has none
-- Output   grouped     one row a (scheme, value, use, unit, day, dataset); `title` and `creators` tell people what it is
--          refused     the groups that are rejected, by what their lines say, with `problem` as `column: reason`

-- step spoken: every group with its normalised identifier, or its problem
SELECT g.identifier_type, g.identifier, g.unit, g.use, g.used_on, g.dataset, g.title, g.creators, g.known_as, g.known_by,
       g.readable, g.units, g.lines, g.said_unit, g.said_use, g.said_dataset, g.said_on,
       COALESCE(g.problem, s.problem, t.problem) AS problem,
       CASE WHEN g.identifier IS NULL THEN 'title' ELSE g.scheme END AS scheme,
       COALESCE(s.value, t.value) AS value
FROM said g
LEFT JOIN spelled s ON s.scheme = g.scheme AND s.identifier = g.identifier
LEFT JOIN titled t ON g.identifier IS NULL AND t.title = g.title AND t.creators IS NOT DISTINCT FROM g.creators;

-- step grouped: what is used, however it was spelled
SELECT scheme, value, said_use AS use, said_unit AS unit, said_on AS used_on, said_dataset AS dataset,
       MIN(COALESCE(title, known_as)) AS title, MIN(COALESCE(creators, known_by)) AS creators,
       CAST(SUM(units) AS DECIMAL(38,0)) AS units, CAST(SUM(lines) AS BIGINT) AS lines
FROM spoken
WHERE problem IS NULL
GROUP BY scheme, value, said_use, said_unit, said_on, said_dataset;

-- step refused: what is rejected
SELECT identifier_type, identifier, unit, use, used_on, dataset, title, creators, readable, units, lines, problem
FROM spoken
WHERE problem IS NOT NULL;
