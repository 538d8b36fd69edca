-- What a file's lines say, added up before anything else is asked, and what is wrong with those that cannot be used.
--
-- Inputs   raw(identifier_type, identifier, identifiers, units, unit, use, used_on, dataset, title, creators)
--                                                                text, NULL where empty; identifiers: scheme:value;…
--          declared(unit, use, dataset, first_day, last_day)     what holds where a line says nothing; both days inclusive
--          known_scheme(code), known_unit(code), known_use(code)
-- Output   said: one row a group of lines that say the same
--          piece(identifier_type, identifier, identifiers, said, scheme, text)
--                                                                what stands in lines that may have several identifiers
--          strange(scheme, identifier)                           what must be normalised and checked
--          named(title, creators)                                works named by title only

-- step line_group: the same words once, with sums; `units` NULL where the cell is no number of units
SELECT identifier_type, identifier, identifiers, unit, use, used_on, dataset, title, creators,
       number IS NOT NULL AS readable, CAST(SUM(number) AS DECIMAL(38,0)) AS units, COUNT(*) AS lines,
       MIN(known_as) AS known_as, MIN(known_by) AS known_by
FROM (
  SELECT identifier_type, identifier, identifiers, unit, use, used_on, dataset,
         CASE WHEN COALESCE(identifier, identifiers) IS NULL THEN title END AS title,
         CASE WHEN COALESCE(identifier, identifiers) IS NULL THEN creators END AS creators,
         CASE WHEN COALESCE(identifier, identifiers) IS NOT NULL THEN title END AS known_as,
         CASE WHEN COALESCE(identifier, identifiers) IS NOT NULL THEN creators END AS known_by,
         CASE WHEN regexp_full_match(units, '[0-9]{1,15}') THEN NULLIF(CAST(units AS BIGINT), 0) END AS number
  FROM raw
) r
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10;

-- step said: the same in known terms, completed from the declaration, or the column and reason that spoil it
SELECT s.*,
       CASE WHEN s.identifiers IS NULL AND s.identifier IS NULL AND (s.title IS NULL OR trim(s.title) = '') THEN 'identifier: neither an identifier nor a title'
            WHEN s.identifiers IS NULL AND s.identifier IS NOT NULL AND s.scheme IS NULL THEN 'identifier_type: the identifier has no type'
            WHEN s.identifiers IS NULL AND s.identifier IS NOT NULL AND k.code IS NULL THEN 'identifier_type: unknown type of identifier'
            WHEN NOT s.readable THEN 'units: not a whole number from 1 to 999999999999999 in digits'
            WHEN s.said_unit IS NULL THEN 'unit: neither the line nor the declaration names a unit'
            WHEN u.code IS NULL THEN 'unit: unknown unit'
            WHEN s.said_use IS NULL THEN 'use: neither the line nor the declaration names a use'
            WHEN v.code IS NULL THEN 'use: unknown use'
            WHEN s.said_on IS NULL THEN 'used_on: not a date such as 2026-03-31'
            WHEN s.said_on < s.first_day OR s.said_on > s.last_day THEN 'used_on: outside the declared period' END AS problem
FROM (
  SELECT g.*, lower(trim(g.identifier_type)) AS scheme, COALESCE(lower(trim(g.unit)), d.unit) AS said_unit,
         COALESCE(lower(trim(g.use)), d.use) AS said_use, COALESCE(g.dataset, d.dataset) AS said_dataset,
         CASE WHEN g.used_on IS NULL THEN d.last_day
              WHEN regexp_full_match(trim(g.used_on), '[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN TRY_CAST(trim(g.used_on) AS DATE)
         END AS said_on, d.first_day, d.last_day
  FROM line_group g CROSS JOIN declared d
) s
LEFT JOIN known_scheme k ON k.code = s.scheme
LEFT JOIN known_unit u ON u.code = s.said_unit
LEFT JOIN known_use v ON v.code = s.said_use;

-- step piece: every identifier of lines that may have several; `group.sql` brings those of a line together again
SELECT identifier_type, identifier, identifiers, trim(one) AS said, lower(trim(split_part(one, ':', 1))) AS scheme,
       CASE WHEN contains(one, ':') THEN trim(substr(one, strpos(one, ':') + 1)) END AS text
FROM (SELECT identifier_type, identifier, identifiers, unnest(string_split(identifiers, ';')) AS one
      FROM (SELECT DISTINCT identifier_type, identifier, identifiers FROM said WHERE identifiers IS NOT NULL) d) p
WHERE trim(one) <> ''
UNION ALL
SELECT DISTINCT identifier_type, identifier, identifiers, identifier AS said, lower(trim(identifier_type)) AS scheme, identifier AS text
FROM said
WHERE identifiers IS NOT NULL AND identifier IS NOT NULL;

-- step strange: what must be normalised and checked, each once
SELECT DISTINCT scheme, identifier
FROM said
WHERE identifiers IS NULL AND identifier IS NOT NULL AND (problem IS NULL OR problem NOT LIKE 'identifier%')
UNION
SELECT p.scheme, p.text FROM piece p JOIN known_scheme k ON k.code = p.scheme WHERE p.text <> '';

-- step named: works named by title only
SELECT DISTINCT title, creators
FROM said
WHERE identifiers IS NULL AND identifier IS NULL AND problem IS NULL;
