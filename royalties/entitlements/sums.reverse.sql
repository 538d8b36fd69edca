-- The function goes with `entitlements.sql`.
SELECT 1;
