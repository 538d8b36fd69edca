DROP VIEW royalties_outstandingallocation;
DROP TRIGGER expired_is_kept ON royalties_runcorrection;
DROP TRIGGER expired_is_kept ON royalties_runrelease;
DROP TRIGGER expired_is_kept ON royalties_run;
DROP VIEW royalties_expiredpool;
DROP TRIGGER never_changed ON royalties_expiredallocation;
DROP TRIGGER check_expired ON royalties_expiredallocation;
DROP FUNCTION royalties_refuse_expired, royalties_keep_expired, royalties_check_expired, royalties_root;
