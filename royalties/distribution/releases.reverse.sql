DROP TRIGGER approved_sums_are_kept ON royalties_run;
DROP TRIGGER origin_is_kept ON royalties_run;
DROP TRIGGER never_emptied ON royalties_runcorrection;
DROP TRIGGER never_emptied ON royalties_runrelease;
DROP TRIGGER kept ON royalties_runcorrection;
DROP TRIGGER kept ON royalties_runrelease;
DROP TRIGGER check_corrections ON royalties_runcorrection;
DROP TRIGGER check_releases ON royalties_runrelease;
DROP FUNCTION royalties_keep_taken_sums, royalties_keep_origin, royalties_keep_taken, royalties_check_corrections, royalties_check_releases;
