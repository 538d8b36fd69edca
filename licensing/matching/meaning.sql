-- What a declared identifier or title means now, in the database: the rule in force, else the register, and the work that
-- survives where works were merged. The engine's scripts (match.sql, mean.sql) find the same; a test compares them.
--
--   licensing_survivor(work)                    the work that this one is today: itself, or what it was merged into
--   licensing_meaning(society, scheme, value)   the work, or NULL: nothing of the society's, or not certain what
--
-- `scheme` is one of terms.SCHEMES, `title` (value: matching.core.title_key) or `several` (value: matching.core.several: the
-- identifiers of a line that has more than one).

-- Works that were merged into others, with the one at the end; few, whatever the size of the register.
CREATE VIEW licensing_merged AS
WITH RECURSIVE chain(work_id, survivor_id) AS (
  SELECT id, merged_into_id FROM licensing_work WHERE merged_into_id IS NOT NULL
  UNION ALL
  SELECT c.work_id, w.merged_into_id FROM chain c JOIN licensing_work w ON w.id = c.survivor_id
  WHERE w.merged_into_id IS NOT NULL)
SELECT c.work_id, c.survivor_id FROM chain c JOIN licensing_work w ON w.id = c.survivor_id WHERE w.merged_into_id IS NULL;

CREATE FUNCTION licensing_survivor(work bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  into_ bigint;
BEGIN
  LOOP
    SELECT merged_into_id INTO into_ FROM licensing_work WHERE id = work;
    IF into_ IS NULL THEN
      RETURN work;
    END IF;
    work := into_;
  END LOOP;
END $$;

-- The most specific registered place that a web location lies in, as matching.core.nearest has it. (A public suffix is never
-- registered: repertoire.identifiers refuses it.)
CREATE FUNCTION licensing_web_work(society bigint, asked_scheme text, asked text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  location text := split_part(asked, '?', 1);
  host text := split_part(location, '/', 1);
  path text := rtrim(substr(location, length(host) + 2), '/');
  segments text[] := CASE WHEN path = '' THEN '{}' ELSE string_to_array(path, '/') END;
  labels text[] := string_to_array(split_part(host, ':', 1), '.');
  places text[] := ARRAY[asked, host || '/', host];
  n int;
BEGIN
  FOR n IN 1 .. least(cardinality(segments), 16) LOOP
    places := places || (host || '/' || array_to_string(segments[1:n], '/')) || (host || '/' || array_to_string(segments[1:n], '/') || '/');
  END LOOP;
  FOR n IN 1 .. cardinality(labels) - 1 LOOP
    places := places || array_to_string(labels[n:], '.');
  END LOOP;
  RETURN (
    SELECT i.work_id FROM licensing_identifier i
    WHERE i.society_id = society AND i.scheme IN ('domain', 'url') AND i.value = ANY(places)
    ORDER BY length(rtrim(i.value, '/')) DESC, i.value <> asked, i.scheme <> asked_scheme, length(i.value) DESC, i.scheme
    LIMIT 1);
END $$;

-- What the register says of one identifier or title, rules apart.
CREATE FUNCTION licensing_registered(society bigint, asked_scheme text, asked text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  found bigint;
BEGIN
  IF asked_scheme = 'title' THEN
    SELECT CASE WHEN count(DISTINCT work) = 1 THEN min(work) END INTO found
    FROM (SELECT licensing_survivor(t.work_id) AS work FROM licensing_titlekey t
          WHERE t.society_id = society AND t.value = asked) k;
    RETURN found;
  END IF;
  SELECT i.work_id INTO found FROM licensing_identifier i
  WHERE i.society_id = society AND i.scheme = asked_scheme AND i.value = asked;
  IF found IS NULL AND asked_scheme IN ('domain', 'url') THEN
    found := licensing_web_work(society, asked_scheme, asked);
  END IF;
  RETURN licensing_survivor(found);
END $$;

CREATE FUNCTION licensing_meaning(society bigint, asked_scheme text, asked text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  rule record;
  said text[];
  ruled int;
  works bigint[];
BEGIN
  SELECT r.work_id INTO rule FROM licensing_matchrule r
  WHERE r.society_id = society AND r.scheme = asked_scheme AND r.value = asked AND r.withdrawn_at IS NULL;
  IF FOUND THEN
    RETURN licensing_survivor(rule.work_id);
  ELSIF asked_scheme <> 'several' THEN
    RETURN licensing_registered(society, asked_scheme, asked);
  END IF;
  -- Several identifiers: those with a rule decide, else those that are registered; they must agree.
  said := string_to_array(asked, ';');
  SELECT count(*), array_agg(DISTINCT coalesce(licensing_survivor(r.work_id), 0)) INTO ruled, works
  FROM unnest(said) s(one) JOIN licensing_matchrule r ON r.society_id = society AND r.withdrawn_at IS NULL
    AND r.scheme = split_part(one, ':', 1)
    AND r.value = replace(replace(substr(one, strpos(one, ':') + 1), '%3B', ';'), '%25', '%');
  IF ruled = 0 THEN
    SELECT array_agg(DISTINCT work) INTO works
    FROM (SELECT licensing_registered(society, split_part(one, ':', 1),
                   replace(replace(substr(one, strpos(one, ':') + 1), '%3B', ';'), '%25', '%')) AS work
          FROM unnest(said) s(one)) m
    WHERE work IS NOT NULL;
  END IF;
  RETURN CASE WHEN cardinality(works) = 1 THEN nullif(works[1], 0) END;
END $$;
