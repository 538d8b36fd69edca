"""The public list of what waits, published as it is today: immutable, with its digest, since clocks start from it."""

from __future__ import annotations

from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Reference, Refusal
from accounts.organisations.models import Organisation
from royalties.distribution.services.guards import enter
from royalties.outstanding.models import PublicNotice

PERMISSION: Final = "distribution.compute"
# What an entry's line in the digest is; `checks.py` computes it again.
LINE: Final = (
    "concat_ws(E'\\x1f', key, title, creators, identifier, reason, state, since, coalesce(expires_on::text, '-'))"
)
DIGEST: Final = (
    f"encode(sha256(convert_to(coalesce(string_agg({LINE}, E'\\n' ORDER BY key COLLATE \"C\", state, reason), ''), "
    "'UTF8')), 'hex')"
)
# Amounts whose work or identifier says something to somebody. A firm's own number alone says nothing, except perhaps whose it is.
_STAGE: Final = """
    CREATE TEMP TABLE noticing ON COMMIT DROP AS
    SELECT o.allocation_id, o.work_id, o.scheme, o.value, o.reason, o.allocated_on AS since, o.noticed_on,
           coalesce(o.expires_on,
                    CASE WHEN o.starts_from = 'notice' THEN royalties_months_after(%(today)s::date + 1, o.expire) END) AS expires_on,
           CASE WHEN o.work_id IS NOT NULL THEN concat('work:', o.work_id) ELSE concat(o.scheme, ':', o.value) END AS key,
           CASE WHEN o.work_id IS NULL THEN coalesce(nullif(u.title, ''),
                                                     CASE WHEN o.scheme = 'title' THEN split_part(o.value, ' / ', 1) END, '')
                ELSE w.title END AS title,
           CASE WHEN o.work_id IS NULL THEN coalesce(u.creators, '') ELSE w.creators END AS creators
    FROM royalties_outstandingclock o
    LEFT JOIN licensing_work w ON w.id = o.work_id
    LEFT JOIN licensing_unmatched u ON o.work_id IS NULL AND u.society_id = o.society_id AND u.scheme = o.scheme AND u.value = o.value
    WHERE o.society_id = %(society)s"""
_BLANK: Final = "DELETE FROM noticing WHERE title = '' AND scheme IN ('proprietary', 'several')"
_ENTRIES: Final = """
    CREATE TEMP TABLE notice_lines ON COMMIT DROP AS
    SELECT key, left(max(title), 1000) AS title, left(max(creators), 2000) AS creators,
           CASE WHEN max(scheme) IN ('', 'title', 'several', 'proprietary') OR key LIKE 'work:%%' THEN ''
                ELSE concat(max(scheme), ':', max(value)) END
             AS identifier,
           reason, 'waiting' AS state, min(since) AS since, min(expires_on) AS expires_on
    FROM noticing GROUP BY key, reason
    UNION ALL
    SELECT CASE WHEN a.work_id IS NOT NULL THEN concat('work:', a.work_id) ELSE concat(a.scheme, ':', a.value) END,
           left(max(coalesce(w.title, '')), 1000),
           left(max(coalesce(w.creators, '')), 2000),
           CASE WHEN a.work_id IS NULL AND a.scheme NOT IN ('title', 'several', 'proprietary')
                THEN concat(a.scheme, ':', a.value) ELSE '' END,
           a.reason, 'expired', min(j.effective_on), min(j.effective_on)
    FROM royalties_expiredallocation e
    JOIN ledger_journal j ON j.id = e.journal_id AND j.society_id = %(society)s
    JOIN royalties_allocation a ON a.id = e.allocation_id
    LEFT JOIN licensing_work w ON w.id = a.work_id
    WHERE a.work_id IS NOT NULL OR a.scheme NOT IN ('title', 'several', 'proprietary')
    GROUP BY a.work_id, a.scheme, a.value, a.reason
    UNION ALL
    SELECT concat('holder:', h.id), h.name, '', '', 'no_payee', 'waiting', t.made_on, NULL
    FROM (SELECT DISTINCT ON (holder_id) holder_id, result, made_on FROM royalties_attempt
          WHERE society_id = %(society)s AND holder_id IS NOT NULL
          ORDER BY holder_id, made_on DESC, id DESC) t
    JOIN licensing_holder h ON h.id = t.holder_id
    WHERE t.result = 'returned' AND EXISTS (
      SELECT FROM ledger_account a
      WHERE a.society_id = %(society)s AND a.kind = 'payable' AND a.owner_id = h.id AND a.credits > a.debits)"""
_INSERT: Final = """
    INSERT INTO royalties_noticeentry (notice_id, key, title, creators, identifier, reason, state, since, expires_on)
    SELECT %s, key, title, creators, identifier, reason, state, since, expires_on FROM notice_lines ORDER BY title, key, reason"""
_NOTICED: Final = """
    INSERT INTO royalties_noticedallocation (allocation_id, notice_id, noticed_on)
    SELECT allocation_id, %s, %s FROM noticing WHERE noticed_on IS NULL ORDER BY allocation_id"""


@transaction.atomic
def publish_notice(*, actor: Actor, society: Organisation) -> PublicNotice:
    """Publish the list as it is now. Once a day is enough; a second time on the same day is a Conflict.

    Works and identifiers whose money waits or has expired, and holders who cannot be reached; no amount, nothing of any firm.
    """
    enter(actor, society, PERMISSION)
    today = timezone.localdate()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('royalties.notice', %s))", [society.pk])
        last = PublicNotice.objects.filter(society=society).order_by("-number").first()
        if last is not None and last.published_on == today:
            raise Conflict("published_today", _("A list was published today already."))
        cursor.execute(_STAGE, {"society": society.pk, "today": today})
        cursor.execute(_BLANK)
        cursor.execute(_ENTRIES, {"society": society.pk})
        cursor.execute(f"SELECT count(*), {DIGEST} FROM notice_lines")
        count, sha256 = cursor.fetchone()
        if not count:
            raise Refusal("nothing_waits", _("Nothing waits now: there is no list to publish."))
        notice = PublicNotice.objects.create(
            society=society, number=(last.number if last else 0) + 1, published_on=today, published_by=actor.label[:200],
            entries=count, sha256=sha256,
        )  # fmt: skip
        cursor.execute(_INSERT, [notice.pk])
        cursor.execute(_NOTICED, [notice.pk, today])
        noticed = cursor.rowcount
        cursor.execute("DROP TABLE noticing, notice_lines")
    data: dict[str, Any] = {
        "number": notice.number,
        "entries": count,
        "new": noticed,
        "sha256": sha256,
        "on": today.isoformat(),
    }
    record(
        actor=actor,
        verb="public_notice.published",
        object=Reference("public_notice", notice.pk),
        organisation_id=society.pk,
        data=data,
    )
    return notice
