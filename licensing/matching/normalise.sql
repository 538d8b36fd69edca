-- Normal forms of identifiers whose spelling leaves no doubt, as repertoire/identifiers has them; NULL leaves it to Python.
--
-- Input    strange(scheme, identifier), public_suffix(name, rule)
-- Output   certain(scheme, identifier, value)

-- step compact: numbers without blanks and hyphens; the host, path and query of plain web locations
SELECT scheme, identifier,
       CASE WHEN scheme IN ('isbn', 'issn', 'ismn') AND regexp_full_match(text, '[0-9][0-9 -]*[0-9Xx]')
            THEN upper(replace(replace(text, '-', ''), ' ', ''))
            WHEN scheme = 'iswc' AND regexp_full_match(text, '[Tt][0-9 .-]*[0-9]')
            THEN upper(replace(replace(replace(text, '-', ''), ' ', ''), '.', ''))
            WHEN scheme = 'doi' AND regexp_full_match(text, '10[.][0-9]{4,9}/[!-~]+') THEN lower(text)
            WHEN scheme = 'proprietary' AND regexp_full_match(text, '[!-~]+( [!-~]+)*') THEN text
            WHEN scheme = 'domain' AND regexp_full_match(text, '[A-Za-z0-9._-]+') THEN rtrim_dot
       END AS code,
       CASE WHEN scheme = 'url'
            THEN regexp_extract(text, '^(?:(?i:https?)://)?([A-Za-z0-9._-]+)(/[!-"$->@-~]*)?(?:[?]([!-"$-~]+))?$',
                                ['host', 'path', 'query']) END AS part
FROM (
  SELECT scheme, identifier, trim(identifier) AS text,
         lower(regexp_replace(trim(identifier), '[.]$', '')) AS rtrim_dot
  FROM strange
) t
WHERE length(text) <= 2048;

-- step checked: sums of digits, and hosts in lower case
SELECT scheme, identifier, code, part,
       CASE WHEN regexp_full_match(code, '97[89][0-9]{10}') THEN
         list_sum(list_transform(range(1, 14), lambda i: TRY_CAST(substr(code, CAST(i AS INT), 1) AS INT) * (1 + 2 * ((i + 1) % 2)))) % 10 END AS ean,
       CASE WHEN scheme IN ('isbn', 'issn') AND regexp_full_match(code, '[0-9]{7}([0-9]{2})?[0-9X]') THEN
         list_sum(list_transform(range(1, length(code) + 1), lambda i: (length(code) + 1 - i) *
           CASE WHEN substr(code, CAST(i AS INT), 1) = 'X' THEN 10 ELSE TRY_CAST(substr(code, CAST(i AS INT), 1) AS INT) END)) % 11 END AS mod11,
       CASE WHEN scheme = 'isbn' AND length(code) = 10 THEN
         list_sum(list_transform(range(1, 10), lambda i: TRY_CAST(substr(code, CAST(i AS INT), 1) AS INT) * (1 + 2 * (i % 2)))) END AS inner_ean,
       CASE WHEN scheme = 'iswc' AND regexp_full_match(code, 'T[0-9]{10}') THEN
         (1 + list_sum(list_transform(range(1, 11), lambda i: TRY_CAST(substr(code, CAST(i + 1 AS INT), 1) AS INT) * CASE WHEN i < 10 THEN i ELSE 1 END))) % 10 END AS mod10,
       CASE WHEN scheme = 'domain' THEN code WHEN scheme = 'url' THEN lower(regexp_replace(part.host, '[.]$', '')) END AS host
FROM compact;

-- step hosted: whether a host is one, and a domain no public suffix
SELECT c.*,
       length(host) <= 253 AND NOT regexp_full_match(host, '.*[.][0-9]+')
         AND regexp_full_match(host, '([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?[.])+[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?') AS good_host,
       e.name IS NOT NULL OR (w.name IS NOT NULL AND x.name IS NULL) AS suffix
FROM checked c
LEFT JOIN public_suffix e ON e.rule = 'exact' AND e.name = c.host
LEFT JOIN public_suffix w ON w.rule = 'wild' AND w.name = substr(c.host, strpos(c.host, '.') + 1)
LEFT JOIN public_suffix x ON x.rule = 'except' AND x.name = c.host;

-- step certain: the normal form where all is well
SELECT s.scheme, s.identifier,
       CASE WHEN s.scheme = 'isbn' AND h.ean = 0 AND h.code NOT LIKE '9790%' THEN h.code
            WHEN s.scheme = 'isbn' AND length(h.code) = 10 AND h.mod11 = 0
            THEN '978' || substr(h.code, 1, 9) || CAST((10 - (38 + h.inner_ean) % 10) % 10 AS VARCHAR)
            WHEN s.scheme = 'issn' AND length(h.code) = 8 AND h.mod11 = 0 THEN h.code
            WHEN s.scheme = 'ismn' AND h.ean = 0 AND h.code LIKE '9790%' THEN h.code
            WHEN s.scheme = 'iswc' AND h.mod10 = 0 THEN h.code
            WHEN s.scheme IN ('doi', 'proprietary') THEN h.code
            WHEN s.scheme = 'domain' AND h.good_host AND NOT h.suffix THEN h.host
            WHEN s.scheme = 'url' AND h.good_host AND NOT regexp_matches(COALESCE(h.part.query, ''), '(^|&)(&|$|(?i:utm_|gclid|gclsrc|dclid|gbraid|wbraid|fbclid|msclkid|yclid|ttclid|twclid|igshid|mc_|_ga|_gl))')
            THEN h.host || CASE WHEN h.part.path = '' THEN '/' ELSE h.part.path END || '?' || h.part.query
            WHEN s.scheme = 'url' AND h.good_host AND h.part.query = '' THEN h.host || CASE WHEN h.part.path = '' THEN '/' ELSE h.part.path END
       END AS value
FROM strange s
LEFT JOIN hosted h ON h.scheme = s.scheme AND h.identifier = s.identifier;
