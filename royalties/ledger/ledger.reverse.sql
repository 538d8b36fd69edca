DROP VIEW ledger_discrepancy;
DROP TABLE ledger_posting, ledger_journal, ledger_account, ledger_period, ledger_kind CASCADE; -- with ledger_check_reversal(ledger_journal)
DROP FUNCTION ledger_check_journal(), ledger_apply_postings(), ledger_stamp_journal(), ledger_guard_accounts(), ledger_open_account(),
  ledger_guard_period(), ledger_refuse_change(), ledger_refuse_accounts(bigint), ledger_refuse(text, text);
