DROP VIEW ledger_discrepancy;
DROP TABLE ledger_posting, ledger_journal, ledger_account, ledger_period, ledger_kind CASCADE;
DROP FUNCTION ledger_check_journal(), ledger_apply_postings(), ledger_stamp_journal(), ledger_check_balances(), ledger_guard_account(),
  ledger_open_account(), ledger_guard_period(), ledger_refuse_change(), ledger_refuse(text, text);
