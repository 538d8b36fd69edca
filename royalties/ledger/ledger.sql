-- The double-entry ledger, defended by PostgreSQL itself (15 or later; nothing but plpgsql).
--
-- A posting is a transfer: one account debited, one credited, one positive amount. Debits therefore equal credits in every
-- journal by the shape of the row. What else must hold is refused where it would break, by whomever and by whatever statement:
--
--   * a journal is written with its postings, all of them in one statement, in the transaction that made it;
--   * a balance moves only by what one journal's postings say, once (compared with the postings, not with who asks);
--   * nothing written is changed or removed; a correction is a reversal, line for line;
--   * no journal mixes societies, no posting mixes currencies, no account passes its floor, nothing enters a closed period.
--
-- Every check runs once a statement or once a journal, never once a posting, so the cost is linear in the postings.
-- Queries over a statement's rows are EXECUTEd, so that each is planned for its own size: a plan kept from a journal of two
-- lines would join 200,000 lines by nested loops. Names inside the functions are bound to this schema, before temporary
-- tables, so that nobody can put a table of the same name in front. The triggers also fire for replication roles.

SELECT set_config('ledger.search_path', current_setting('search_path'), true),
       set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

-- The chart: which kinds of account exist, and on which side each must stay. `named` kinds carry a name: deduction:<name>.
CREATE TABLE ledger_kind (
  kind  text PRIMARY KEY CHECK (kind ~ '^[a-z_]+$'),
  floor smallint NOT NULL CHECK (floor IN (-1, 0, 1)),
  named boolean NOT NULL DEFAULT false
);
INSERT INTO ledger_kind (kind, floor, named) VALUES
  ('bank', -1, false), ('receivable', -1, false), ('billed', 1, false), ('vat', 1, false), ('pool', 1, false),
  ('clearing', 1, false), ('deduction', 1, true), ('reserve', 1, false), ('payable', 1, false), ('held', 1, false),
  ('suspense', 1, false);

-- One row a society: its book, and the day through which it is closed.
CREATE TABLE ledger_period (
  society_id     bigint PRIMARY KEY REFERENCES accounts_organisation,
  closed_through date NOT NULL DEFAULT '-infinity',
  CONSTRAINT ledger_period_ends CHECK (closed_through < 'infinity')
);

CREATE TABLE ledger_account (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  society_id bigint NOT NULL,
  kind       text NOT NULL,
  owner_id   bigint,
  currency   char(3) NOT NULL,
  floor      smallint NOT NULL, -- 1: debits never exceed credits (payables, pools); -1: credits never exceed debits; 0: free
  debits     bigint NOT NULL DEFAULT 0,
  credits    bigint NOT NULL DEFAULT 0,
  moved_by   bigint,            -- the journal that moved the balance last
  closed_on  date,
  CONSTRAINT ledger_account_stays_above_its_floor
    CHECK ((floor <> 1 OR debits <= credits) AND (floor <> -1 OR credits <= debits)),
  CONSTRAINT ledger_account_is_empty_when_closed CHECK (closed_on IS NULL OR debits = credits),
  CONSTRAINT ledger_account_is_one_a_purpose UNIQUE NULLS NOT DISTINCT (society_id, kind, owner_id, currency)
) WITH (fillfactor = 45); -- room on the page for every account to move once, so that no index is touched

CREATE TABLE ledger_journal (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  society_id      bigint NOT NULL REFERENCES ledger_period,
  kind            text NOT NULL CHECK (kind <> ''),
  idempotency_key text NOT NULL CONSTRAINT ledger_journal_key_is_used_once UNIQUE,
  request_sha256  bytea NOT NULL CHECK (length(request_sha256) = 32),
  effective_on    date NOT NULL CHECK (isfinite(effective_on)),
  created_at      timestamptz NOT NULL,
  xid             xid8 NOT NULL,
  reverses_id     bigint CONSTRAINT ledger_journal_is_reversed_once UNIQUE REFERENCES ledger_journal CHECK (reverses_id <> id),
  posting_count   integer NOT NULL CHECK (posting_count > 0), -- control totals: what the postings must come to
  posting_total   numeric(24) NOT NULL CHECK (posting_total > 0)
);
CREATE INDEX ledger_journal_by_society ON ledger_journal (society_id, id DESC);

-- References to journal and accounts are checked once a statement (below), which is faster than a foreign key's check once
-- a row and refuses the same: what they refer to can never be deleted or renumbered.
CREATE TABLE ledger_posting (
  journal_id bigint NOT NULL,
  line       integer NOT NULL CHECK (line > 0),
  debit_id   bigint NOT NULL,
  credit_id  bigint NOT NULL,
  currency   char(3) NOT NULL,
  amount     bigint NOT NULL CONSTRAINT ledger_posting_amount_is_positive CHECK (amount BETWEEN 1 AND 1000000000000000),
  CONSTRAINT ledger_posting_has_its_own_line PRIMARY KEY (journal_id, line),
  CONSTRAINT ledger_posting_is_between_two_accounts CHECK (debit_id <> credit_id)
);
CREATE INDEX ledger_posting_by_debit ON ledger_posting (debit_id, journal_id, line);
CREATE INDEX ledger_posting_by_credit ON ledger_posting (credit_id, journal_id, line);

-- Every refusal has a name, as a constraint has, so that the program can tell a person what to do about it.
CREATE FUNCTION ledger_refuse(name text, message text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', message USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = name;
END $$;
CREATE FUNCTION ledger_refuse_accounts(journal bigint) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM ledger_refuse('ledger_posting_fits_its_accounts', format(
    'journal %s posts to an account that is closed, missing, of another society, or in another currency', journal));
END $$;

-- 1. What is written stays.
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM ledger_refuse('ledger_is_append_only', format('%s on %s is refused: post a reversal instead', TG_OP, TG_TABLE_NAME));
  RETURN NULL;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_posting FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_journal FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_kind FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER keep BEFORE DELETE OR TRUNCATE ON ledger_account FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER keep BEFORE DELETE OR TRUNCATE ON ledger_period FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- 2. A closed period stays closed. Closing waits for journals under way, which hold the row FOR SHARE (see 4).
CREATE FUNCTION ledger_guard_period() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.society_id <> OLD.society_id OR NEW.closed_through < OLD.closed_through THEN
    PERFORM ledger_refuse('ledger_period_stays_closed', format('the book of society %s is closed through %s and is not reopened',
                          OLD.society_id, OLD.closed_through));
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE UPDATE ON ledger_period FOR EACH ROW EXECUTE FUNCTION ledger_guard_period();

-- 3. Accounts: they start empty, in an open book, as the chart says; what they are never changes; and a balance moves only
--    by the postings of a journal of this very transaction, once. Journals of one transaction are posted in their order, so
--    `moved_by` tells that a journal has been counted.
CREATE FUNCTION ledger_open_account() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE wrong text;
BEGIN
  EXECUTE $query$
    SELECT format('account %s of society %s', a.kind, a.society_id) FROM opened a
    LEFT JOIN ledger_period p USING (society_id)
    LEFT JOIN ledger_kind k ON k.kind = split_part(a.kind, ':', 1)
    WHERE a.debits <> 0 OR a.credits <> 0 OR a.moved_by IS NOT NULL OR a.closed_on IS NOT NULL OR p.society_id IS NULL
       OR k.kind IS NULL OR a.floor <> k.floor OR a.currency !~ '^[A-Z]{3}$' OR k.named IS DISTINCT FROM (a.kind LIKE '%:_%') OR (NOT k.named AND a.kind <> k.kind)
    LIMIT 1 $query$ INTO wrong;
  IF wrong IS NOT NULL THEN
    PERFORM ledger_refuse('ledger_account_opens_empty', wrong || ' is refused: it opens at zero, in a society''s book, with a currency code and the floor of the chart');
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER opened AFTER INSERT ON ledger_account REFERENCING NEW TABLE AS opened
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_open_account();

CREATE FUNCTION ledger_guard_accounts() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE other bigint; moved bigint; first bigint; last bigint; counted bigint[]; wrong bigint;
BEGIN
  EXECUTE $query$
    SELECT max(n.id) FILTER (WHERE o.id IS NULL OR o.closed_on IS NOT NULL OR n.society_id <> o.society_id OR n.kind <> o.kind
                             OR n.owner_id IS DISTINCT FROM o.owner_id OR n.currency <> o.currency OR n.floor <> o.floor),
           count(*) FILTER (WHERE n.debits <> o.debits OR n.credits <> o.credits OR n.moved_by IS DISTINCT FROM o.moved_by),
           min(coalesce(n.moved_by, 0)) FILTER (WHERE n.debits <> o.debits OR n.credits <> o.credits OR n.moved_by IS DISTINCT FROM o.moved_by),
           max(n.moved_by) FILTER (WHERE n.debits <> o.debits OR n.credits <> o.credits OR n.moved_by IS DISTINCT FROM o.moved_by),
           array_agg(DISTINCT o.moved_by) FILTER (WHERE o.moved_by >= n.moved_by AND (n.debits, n.credits, n.moved_by) <> (o.debits, o.credits, o.moved_by))
    FROM after n LEFT JOIN before o ON o.id = n.id $query$ INTO other, moved, first, last, counted;
  IF other IS NOT NULL THEN
    PERFORM ledger_refuse('ledger_account_keeps_its_identity', format(
      'account %s is refused the change: society, kind, owner, currency and floor are fixed, and a closed account stays closed', other));
  ELSIF moved = 0 THEN
    RETURN NULL;
  ELSIF first IS DISTINCT FROM last
     OR NOT EXISTS (SELECT FROM ledger_journal WHERE id = first AND xid = pg_current_xact_id())
     OR EXISTS (SELECT FROM ledger_journal WHERE id = ANY (counted) AND xid = pg_current_xact_id()) THEN
    PERFORM ledger_refuse('ledger_balance_moves_by_posting', 'balances move only by the postings of a journal, once, when it is posted');
  END IF;
  EXECUTE $query$
    SELECT id FROM (
      SELECT id, debits AS debit, credits AS credit FROM after UNION ALL SELECT id, -debits, -credits FROM before
      UNION ALL SELECT debit_id, -amount, 0 FROM ledger_posting WHERE journal_id = $1
      UNION ALL SELECT credit_id, 0, -amount FROM ledger_posting WHERE journal_id = $1) legs
    GROUP BY id HAVING sum(debit) <> 0 OR sum(credit) <> 0 LIMIT 1 $query$ INTO wrong USING first;
  IF wrong IS NOT NULL AND NOT EXISTS (SELECT FROM after WHERE id = wrong) THEN
    PERFORM ledger_refuse_accounts(first);
  ELSIF wrong IS NOT NULL THEN
    PERFORM ledger_refuse('ledger_balance_moves_by_posting', format('the balance of account %s moves only by the postings of a journal, once', wrong));
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER guard AFTER UPDATE ON ledger_account REFERENCING OLD TABLE AS before NEW TABLE AS after
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_accounts();

-- 4. Journals: number, transaction and time are the ledger's to give.
CREATE FUNCTION ledger_stamp_journal() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.id IS DISTINCT FROM currval(pg_get_serial_sequence('ledger_journal', 'id')) THEN
    PERFORM ledger_refuse('ledger_journal_is_numbered_by_the_ledger', 'a journal''s number is given by the ledger');
  END IF;
  NEW.xid := pg_current_xact_id();
  NEW.created_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER stamp BEFORE INSERT ON ledger_journal FOR EACH ROW EXECUTE FUNCTION ledger_stamp_journal();

-- A reversal mirrors its original line for line, in the same book, on the same day or later. A reversal is not itself
-- reversed: the event is posted again under a new key, so that a journal is either reversed or it is not.
CREATE FUNCTION ledger_check_reversal(head ledger_journal) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE original ledger_journal; wrong integer;
BEGIN
  SELECT * INTO original FROM ledger_journal WHERE id = head.reverses_id;
  IF original.reverses_id IS NOT NULL THEN
    PERFORM ledger_refuse('ledger_reversal_is_final', format('journal %s is a reversal: post the event again under a new key', original.id));
  ELSIF original.society_id <> head.society_id OR original.effective_on > head.effective_on
     OR (original.posting_count, original.posting_total) <> (head.posting_count, head.posting_total) THEN
    PERFORM ledger_refuse('ledger_reversal_mirrors_its_original', format('the reversal does not mirror journal %s', original.id));
  END IF;
  SELECT line INTO wrong FROM (
    SELECT line, debit_id, credit_id, currency, amount FROM ledger_posting WHERE journal_id = head.id
    EXCEPT SELECT line, credit_id, debit_id, currency, amount FROM ledger_posting WHERE journal_id = original.id) different LIMIT 1;
  IF wrong IS NOT NULL THEN
    PERFORM ledger_refuse('ledger_reversal_mirrors_its_original', format('line %s of the reversal does not mirror journal %s', wrong, original.id));
  END IF;
END $$;

-- 5. Postings: one statement brings all postings of one journal. Their accounts are locked in id order (no
--    deadlock), those that fit are moved, and what was moved must be all that was posted.
CREATE FUNCTION ledger_apply_postings() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE head ledger_journal; lines bigint; total numeric; lowest bigint; highest bigint; last integer; closed date;
        debited numeric; credited numeric;
BEGIN
  SELECT count(*), sum(amount), min(journal_id), max(journal_id), max(line) INTO lines, total, lowest, highest, last FROM inserted;
  IF lines = 0 THEN RETURN NULL; END IF;
  SELECT * INTO head FROM ledger_journal WHERE id = lowest;
  IF head.id IS NULL OR lowest <> highest THEN
    PERFORM ledger_refuse('ledger_posting_has_one_journal', 'one statement brings the postings of one journal, and the journal exists');
  ELSIF head.xid <> pg_current_xact_id() THEN
    PERFORM ledger_refuse('ledger_journal_is_sealed', format('journal %s is sealed', head.id));
  ELSIF (lines, total) IS DISTINCT FROM (head.posting_count::bigint, head.posting_total) OR last <> lines THEN
    PERFORM ledger_refuse('ledger_journal_is_whole', format(
      'journal %s declares %s postings of %s, lines 1 to %s, in one statement; these are %s of %s, up to line %s',
      head.id, head.posting_count, head.posting_total, head.posting_count, lines, total, last));
  END IF;
  SELECT closed_through INTO closed FROM ledger_period WHERE society_id = head.society_id FOR SHARE;
  IF head.effective_on <= closed THEN
    PERFORM ledger_refuse('ledger_period_is_open', format('%s lies in a period that is closed through %s', head.effective_on, closed));
  END IF;
  EXECUTE 'SELECT count(*) FROM (SELECT FROM ledger_account
           WHERE id IN (SELECT debit_id FROM inserted UNION SELECT credit_id FROM inserted) ORDER BY id FOR NO KEY UPDATE) locked';
  IF head.reverses_id IS NOT NULL THEN PERFORM ledger_check_reversal(head); END IF;
  EXECUTE $query$
    WITH moved AS (
      UPDATE ledger_account a SET debits = a.debits + s.debit, credits = a.credits + s.credit, moved_by = $1
      FROM (SELECT id, currency, sum(debit)::bigint AS debit, sum(credit)::bigint AS credit
            FROM (SELECT debit_id AS id, currency, amount AS debit, 0::bigint AS credit FROM inserted
                  UNION ALL SELECT credit_id, currency, 0, amount FROM inserted) legs GROUP BY id, currency) s
      WHERE a.id = s.id AND a.currency = s.currency AND a.society_id = $2 AND a.closed_on IS NULL
      RETURNING s.debit, s.credit)
    SELECT sum(debit), sum(credit) FROM moved $query$ INTO debited, credited USING head.id, head.society_id;
  IF (debited, credited) IS DISTINCT FROM (total, total) THEN
    PERFORM ledger_refuse_accounts(head.id);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER apply AFTER INSERT ON ledger_posting REFERENCING NEW TABLE AS inserted
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_apply_postings();

-- 6. At commit, once a journal: it has its postings. Asked for earlier (SET CONSTRAINTS … IMMEDIATE), a journal still without
--    postings is refused then and there, and one that has them can get no more: nothing is left to slip in afterwards.
CREATE FUNCTION ledger_check_journal() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE lines bigint; total numeric;
BEGIN
  SELECT count(*), coalesce(sum(amount), 0) INTO lines, total FROM ledger_posting WHERE journal_id = NEW.id;
  IF (lines, total) IS DISTINCT FROM (NEW.posting_count::bigint, NEW.posting_total) THEN
    PERFORM ledger_refuse('ledger_journal_is_whole', format(
      'journal %s declares %s postings of %s and has %s of %s', NEW.id, NEW.posting_count, NEW.posting_total, lines, total));
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER whole AFTER INSERT ON ledger_journal DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION ledger_check_journal();

ALTER TABLE ledger_kind ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE ledger_period ENABLE ALWAYS TRIGGER keep, ENABLE ALWAYS TRIGGER guard;
ALTER TABLE ledger_account ENABLE ALWAYS TRIGGER keep, ENABLE ALWAYS TRIGGER opened, ENABLE ALWAYS TRIGGER guard;
ALTER TABLE ledger_journal ENABLE ALWAYS TRIGGER append_only, ENABLE ALWAYS TRIGGER stamp, ENABLE ALWAYS TRIGGER whole;
ALTER TABLE ledger_posting ENABLE ALWAYS TRIGGER append_only, ENABLE ALWAYS TRIGGER apply;

-- 7. Must always be empty: what the triggers cannot let happen, looked for in what is stored.
CREATE VIEW ledger_discrepancy AS
WITH legs AS (
  SELECT journal_id, debit_id AS account_id, currency, amount AS debit, 0::bigint AS credit FROM ledger_posting
  UNION ALL SELECT journal_id, credit_id, currency, 0, amount FROM ledger_posting
), balances AS (
  SELECT account_id, sum(debit) AS debits, sum(credit) AS credits FROM legs GROUP BY 1
)
SELECT 'balance' AS what, a.society_id, a.id AS subject_id,
       format('account %s shows %s debited and %s credited; its postings give %s and %s',
              a.id, a.debits, a.credits, coalesce(b.debits, 0), coalesce(b.credits, 0)) AS detail
FROM ledger_account a LEFT JOIN balances b ON b.account_id = a.id
WHERE (a.debits, a.credits) IS DISTINCT FROM (coalesce(b.debits, 0), coalesce(b.credits, 0))
UNION ALL
SELECT 'trial balance', society_id, NULL, format('%s: %s debited, %s credited', currency, sum(debits), sum(credits))
FROM ledger_account GROUP BY society_id, currency HAVING sum(debits) <> sum(credits)
UNION ALL
SELECT 'floor', a.society_id, a.id, format('account %s is past its floor, or its floor is not that of the chart', a.id)
FROM ledger_account a LEFT JOIN ledger_kind k ON k.kind = split_part(a.kind, ':', 1)
WHERE a.floor IS DISTINCT FROM k.floor OR (a.floor = 1 AND a.debits > a.credits) OR (a.floor = -1 AND a.credits > a.debits)
UNION ALL
SELECT 'control totals', j.society_id, j.id, format('journal %s declares %s postings of %s and has %s of %s',
       j.id, j.posting_count, j.posting_total, coalesce(p.lines, 0), coalesce(p.total, 0))
FROM ledger_journal j LEFT JOIN (SELECT journal_id, count(*) AS lines, sum(amount) AS total FROM ledger_posting GROUP BY 1) p ON p.journal_id = j.id
WHERE (j.posting_count::bigint, j.posting_total) IS DISTINCT FROM (coalesce(p.lines, 0), coalesce(p.total, 0))
UNION ALL
SELECT 'reference', j.society_id, l.journal_id, format('journal %s has a posting to account %s, which is not of its book and currency', l.journal_id, l.account_id)
FROM legs l LEFT JOIN ledger_journal j ON j.id = l.journal_id LEFT JOIN ledger_account a ON a.id = l.account_id
WHERE j.id IS NULL OR a.id IS NULL OR a.society_id <> j.society_id OR a.currency <> l.currency
UNION ALL
SELECT 'reversal', r.society_id, r.id, format('journal %s does not mirror journal %s', r.id, r.reverses_id)
FROM ledger_journal r
WHERE r.reverses_id IS NOT NULL AND EXISTS (
  SELECT FROM (SELECT * FROM ledger_posting WHERE journal_id = r.id) n
  FULL JOIN (SELECT * FROM ledger_posting WHERE journal_id = r.reverses_id) o ON o.line = n.line
  WHERE (o.debit_id, o.credit_id, o.currency, o.amount) IS DISTINCT FROM (n.credit_id, n.debit_id, n.currency, n.amount));

SELECT set_config('search_path', current_setting('ledger.search_path'), true);
