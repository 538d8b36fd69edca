-- Lines with their identifiers in normal form: groups of good ones, and the groups of lines that are refused.
--
-- Inputs   said, piece                                    from intake.sql
--          spelled(scheme, identifier, value, problem)    every strange identifier, normalised or refused
--          titled(title, creators, value, problem)        every named work's key, or why it has none
-- Output   grouped     one row a (scheme, value, use, unit, day, dataset); `title` and `creators` tell people what it is
--                      scheme `several`: value as matching/core/several.py writes it
--          refused     the groups that are rejected, by what their lines say, with `problem` as `column: reason`

-- step checked_piece: identifiers that stand with others, each normalised or with what is wrong with it
SELECT p.identifier_type, p.identifier, p.identifiers, p.said, p.scheme, s.value,
       CASE WHEN s.value IS NULL THEN COALESCE(s.problem, 'identifiers: write identifiers as scheme:value, with ; between') END AS problem
FROM piece p LEFT JOIN spelled s ON s.scheme = p.scheme AND s.identifier = p.text;

-- step whole: the good ones of a line together, in one order whatever theirs was; one alone is as if it stood alone
SELECT identifier_type, identifier, identifiers, many,
       CASE WHEN many = 1 THEN scheme ELSE 'several' END AS scheme,
       CASE WHEN many = 1 THEN value ELSE several END AS value,
       CASE WHEN many = 0 THEN problem
            WHEN many > 20 OR octet_length(encode(several)) > 2048 THEN 'identifiers: too many identifiers for one line' END AS problem
FROM (
  SELECT identifier_type, identifier, identifiers, MIN(scheme) FILTER (WHERE value IS NOT NULL) AS scheme, MIN(value) AS value,
         MIN(problem) AS problem, COUNT(DISTINCT scheme || ':' || value) AS many,
         string_agg(DISTINCT scheme || ':' || replace(replace(value, '%', '%25'), ';', '%3B'), ';'
                    ORDER BY scheme || ':' || replace(replace(value, '%', '%25'), ';', '%3B')) AS several
  FROM checked_piece
  GROUP BY identifier_type, identifier, identifiers
) w;

-- step spoken: every group with its normalised identifier, or its problem
SELECT g.identifier_type, g.identifier, g.identifiers, g.unit, g.use, g.used_on, g.dataset, g.title, g.creators, g.known_as,
       g.known_by, g.readable, g.units, g.lines, g.said_unit, g.said_use, g.said_dataset, g.said_on,
       COALESCE(CASE WHEN g.identifiers IS NOT NULL AND w.many IS NULL THEN 'identifiers: write identifiers as scheme:value, with ; between' END,
                w.problem, g.problem, s.problem, t.problem) AS problem,
       CASE WHEN g.identifiers IS NOT NULL THEN w.scheme WHEN g.identifier IS NULL THEN 'title' ELSE g.scheme END AS scheme,
       COALESCE(w.value, s.value, t.value) AS value
FROM said g
LEFT JOIN spelled s ON g.identifiers IS NULL AND s.scheme = g.scheme AND s.identifier = g.identifier
LEFT JOIN titled t ON g.identifiers IS NULL AND g.identifier IS NULL AND t.title = g.title AND t.creators IS NOT DISTINCT FROM g.creators
LEFT JOIN whole w ON w.identifiers = g.identifiers AND w.identifier IS NOT DISTINCT FROM g.identifier
 AND w.identifier_type IS NOT DISTINCT FROM g.identifier_type;

-- step grouped: what is used, however it was spelled
SELECT scheme, value, said_use AS use, said_unit AS unit, said_on AS used_on, said_dataset AS dataset,
       MIN(COALESCE(title, known_as)) AS title, MIN(COALESCE(creators, known_by)) AS creators,
       CAST(SUM(units) AS DECIMAL(38,0)) AS units, CAST(SUM(lines) AS BIGINT) AS lines
FROM spoken
WHERE problem IS NULL
GROUP BY scheme, value, said_use, said_unit, said_on, said_dataset;

-- step refused: what is rejected
SELECT identifier_type, identifier, identifiers, unit, use, used_on, dataset, title, creators, readable, units, lines, problem
FROM spoken
WHERE problem IS NOT NULL;
