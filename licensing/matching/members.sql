-- Lines with several identifiers, taken apart; matching/core/several.py says how they are written.
--
-- Input    wanted(scheme, value)                   what lines say, each once
-- Output   member(whole, scheme, value)            the identifiers of each that has several
--          sought(scheme, value)                   every identifier that is looked up

-- step member: each identifier by itself
SELECT whole, split_part(one, ':', 1) AS scheme,
       replace(replace(substr(one, instr(one, ':') + 1), '%3B', ';'), '%25', '%') AS value
FROM (SELECT whole, explode(parts) AS one
      FROM (SELECT value AS whole, split_at(value, ';') AS parts FROM wanted WHERE scheme = 'several') w) p;

-- step sought: what stands alone, and what stands with others
SELECT scheme, value FROM wanted WHERE scheme <> 'several'
UNION
SELECT scheme, value FROM member;
