-- The work of each sought identifier; matching/core.py is its oracle. A web location finds the most specific registered path,
-- host or parent domain, never a public suffix.
--
-- Inputs   sought(scheme, value)                   normalised identifiers, each once
--          identifier(scheme, value, work_id)      the society's register
--          reserved(place)                         places that are reserved
--          public_suffix(name, rule)
-- Output   found(scheme, value, work_id)           matched ones alone
--          place(scheme, value, place)             every place that a sought web location lies in

-- step exact: registered as it stands
SELECT s.scheme, s.value, i.work_id
FROM sought s JOIN identifier i ON i.scheme = s.scheme AND i.value = s.value;

-- step web: the parts of a location; one that is found exactly has no need of them, unless places are reserved
SELECT scheme, value, split_part(value, '?', 1) AS location, split_part(split_part(value, '?', 1), '/', 1) AS host
FROM sought s
WHERE scheme IN ('domain', 'url')
  AND (EXISTS (SELECT 1 FROM reserved) OR NOT EXISTS (SELECT 1 FROM exact e WHERE e.scheme = s.scheme AND e.value = s.value));

-- step deep: how many levels of paths are registered or reserved under a host; deeper ones, or beyond 16, need no look
SELECT split_part(location, '/', 1) AS host, MAX(length(location) - length(replace(location, '/', ''))) AS levels
FROM (SELECT split_part(value, '?', 1) AS location FROM identifier WHERE scheme = 'url'
      UNION ALL SELECT split_part(place, '?', 1) FROM reserved) r
WHERE location LIKE '%/%'
GROUP BY 1;

-- step above: each host and the hosts above it, without public suffixes
SELECT h.host, h.place
FROM (
  SELECT host, host AS place FROM (SELECT DISTINCT host FROM web) a
  UNION
  SELECT host, array_join(slice(labels, n, array_size(labels) - n + 1), '.') AS place
  FROM (SELECT host, labels, explode(sequence(1, array_size(labels) - 1)) AS n
        FROM (SELECT host, split_at(split_part(host, ':', 1), '.') AS labels
              FROM (SELECT DISTINCT host FROM web WHERE host LIKE '%.%') b) c) d
) h
WHERE h.place LIKE '%.%'
  AND NOT EXISTS (SELECT 1 FROM public_suffix s WHERE s.rule = 'exact' AND s.name = h.place)
  AND (NOT EXISTS (SELECT 1 FROM public_suffix s WHERE s.rule = 'wild' AND s.name = substr(h.place, instr(h.place, '.') + 1))
       OR EXISTS (SELECT 1 FROM public_suffix s WHERE s.rule = 'except' AND s.name = h.place));

-- step place: the location itself, its paths upwards with and without a final slash, and the hosts
SELECT scheme, value, value AS place FROM web
UNION
SELECT scheme, value, host || '/' || array_join(slice(segments, 1, n), '/') || slash AS place
FROM (SELECT scheme, value, host, segments, explode(sequence(1, least(array_size(segments), levels, 16))) AS n
      FROM (SELECT w.scheme, w.value, w.host, d.levels,
                   split_at(trim(TRAILING '/' FROM substr(w.location, length(w.host) + 2)), '/') AS segments
            FROM web w JOIN deep d ON d.host = w.host) q) p
CROSS JOIN (VALUES (''), ('/')) s(slash)
UNION
SELECT scheme, value, host || '/' AS place FROM web
UNION
SELECT w.scheme, w.value, a.place FROM web w JOIN above a ON a.host = w.host;

-- step found: exact for most schemes, nearest for the web
SELECT scheme, value, work_id FROM exact
UNION ALL
SELECT scheme, value, work_id
FROM (
  SELECT p.scheme, p.value, i.work_id,
         ROW_NUMBER() OVER (
           PARTITION BY p.scheme, p.value
           ORDER BY length(trim(TRAILING '/' FROM p.place)) DESC,
                    CASE WHEN p.place = p.value THEN 0 ELSE 1 END, CASE WHEN i.scheme = p.scheme THEN 0 ELSE 1 END,
                    length(p.place) DESC, i.scheme) AS nth
  FROM place p JOIN identifier i ON i.value = p.place AND i.scheme IN ('domain', 'url')
  WHERE NOT EXISTS (SELECT 1 FROM exact e WHERE e.scheme = p.scheme AND e.value = p.value)
) ranked
WHERE nth = 1;
