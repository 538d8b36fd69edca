DROP TRIGGER never_changed ON royalties_statement;
DROP TRIGGER approved_is_kept ON royalties_rule;
DROP TRIGGER approved_is_kept ON royalties_runpool;
DROP TRIGGER approved_is_kept ON royalties_run;
DROP TRIGGER keep_allocated ON licensing_work;
DROP TRIGGER keep_allocated ON licensing_holder;
DROP TRIGGER kept ON royalties_allocation;
DROP TRIGGER never_changed ON royalties_allocation;
DROP TRIGGER check_references ON royalties_allocation;
DROP FUNCTION royalties_keep_rule, royalties_keep_pool, royalties_keep_run, royalties_keep_work, royalties_keep_holder,
  royalties_keep_allocations, royalties_refuse_change, royalties_check_allocations;
