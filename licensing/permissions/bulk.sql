-- The rows of a file with their answers. Each society's answers are in `heard`; services/asking.py is this script's oracle.
--
-- Inputs   file_row(row, identifier_type, identifier, title, creators)   text, NULL where empty
--          unread(row, reason)                                        rows that could not be read
--          spelled(scheme, identifier, value, problem)                distinct identifiers, normalised or refused
--          titled(title, creators, value, problem)                    distinct titles of rows without identifier, likewise
--          heard(nth, speaks, scheme, value, society, work_ref, verdict, basis, missing_ppm, reason)
--                                                                     `nth`: of the society; `speaks`: 1 with a licence, else 0
-- Output   told(row, identifier_type, identifier, title, creators, verdict, basis, missing_ppm, society, work_ref, reason)

-- step chosen: where several societies know a work, one with which there is a licence speaks; of these the loudest
SELECT scheme, value, society, work_ref, verdict, basis, missing_ppm, reason
FROM (
  SELECT h.*, ROW_NUMBER() OVER (
    PARTITION BY scheme, value
    ORDER BY speaks DESC, CASE verdict WHEN 'reserved' THEN 0 WHEN 'licensed' THEN 1 WHEN 'unmandated' THEN 2 ELSE 3 END, nth) AS rank
  FROM heard h
) r
WHERE rank = 1;

-- step told: every row of the file, in its terms, with its answer
SELECT a.row, a.identifier_type, a.identifier, a.title, a.creators,
       COALESCE(c.verdict, 'rejected') AS verdict, COALESCE(c.basis, '') AS basis, COALESCE(c.missing_ppm, 0) AS missing_ppm,
       c.society, c.work_ref,
       COALESCE(c.reason,
                CASE WHEN s.problem IS NOT NULL THEN 'bad_' || s.problem
                     WHEN t.problem IS NOT NULL THEN 'bad_' || t.problem
                     WHEN a.identifier IS NULL THEN 'no_identifier: neither an identifier nor a title'
                     WHEN a.scheme IS NULL THEN 'no_type: the identifier has no type'
                     ELSE 'unknown_type: unknown type of identifier' END) AS reason
FROM (SELECT *, CASE WHEN identifier IS NULL THEN 'title' ELSE lower(trim(identifier_type)) END AS scheme FROM file_row) a
LEFT JOIN spelled s ON s.scheme = a.scheme AND s.identifier = a.identifier
LEFT JOIN titled t ON a.identifier IS NULL AND t.title = a.title AND t.creators IS NOT DISTINCT FROM a.creators
LEFT JOIN chosen c ON c.scheme = a.scheme AND c.value = COALESCE(s.value, t.value)
UNION ALL
SELECT row, NULL, NULL, NULL, NULL, 'rejected', '', 0, NULL, NULL, 'unreadable: ' || reason FROM unread;
