"""The other titles that a works file states for its works."""

from __future__ import annotations

from django.db import connection

from accounts.identity.core import gettext_noop
from licensing.intake.importing import Stage

LONG_TITLE = gettext_noop("a title has at most 1,000 characters")


def find_aliases(stage: Stage) -> None:
    """The table `also` (ref, title) and, of what is too long, rejects."""
    stage.engine.execute(
        """CREATE OR REPLACE TABLE also AS
        SELECT DISTINCT row, work_ref AS ref, trim(text) AS title
        FROM (SELECT row, work_ref, unnest(string_split(also_titles, ';')) AS text FROM incoming)
        WHERE trim(text) <> ''"""
    )
    stage.reject_parts(
        f"SELECT row, 'also_titles', left(title, 200), '{LONG_TITLE}' FROM also WHERE length(title) > 1000"
    )
    stage.engine.execute("DELETE FROM also WHERE length(title) > 1000")


def replace_aliases(stage: Stage, *, beside: bool) -> int:
    """Make the other titles of the file's works, as far as they have the work's creators, those that it states.

    Returns how many works only this changed; `beside`: identifiers were replaced too, and what that changed is counted.
    """
    stage.copy("incoming_alias", {"ref": "varchar", "title": "varchar"}, "SELECT ref, title FROM also")
    counted = "SELECT ref FROM touched" + (" UNION ALL SELECT ref FROM renamed" if beside else "")
    with connection.cursor() as cursor:
        cursor.execute(_REPLACE, {"society": stage.society.pk})
        cursor.execute(f"SELECT count(DISTINCT ref) FROM realiased WHERE ref NOT IN ({counted})")
        [changed] = cursor.fetchone()
    return int(changed)


_REPLACE = """
DROP TABLE IF EXISTS realiased;
CREATE TEMP TABLE realiased (ref varchar) ON COMMIT DROP;
WITH gone AS (
  DELETE FROM licensing_workalias a USING licensing_work w, incoming_work f
  WHERE w.id = a.work_id AND w.society_id = %(society)s AND f.ref = w.ref AND a.creators = ''
    AND NOT EXISTS (SELECT FROM incoming_alias i WHERE i.ref = w.ref AND i.title = a.title)
  RETURNING w.ref)
INSERT INTO realiased SELECT ref FROM gone;
WITH added AS (
  INSERT INTO licensing_workalias (society_id, work_id, title, creators)
  SELECT %(society)s, w.id, i.title, '' FROM incoming_alias i JOIN licensing_work w ON w.society_id = %(society)s AND w.ref = i.ref
  ON CONFLICT (work_id, title, creators) DO NOTHING
  RETURNING work_id)
INSERT INTO realiased SELECT w.ref FROM added JOIN licensing_work w ON w.id = added.work_id
"""
