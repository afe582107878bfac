-- What the statuses of attempts that have ended come to: one definition for rules, views, reports
-- and faces. Reads and writes nothing.

-- Statuses with which an attempt counts as failed, wherever failures are counted; cancelled is
-- neither a success nor a failure.
create or replace function monitoring._failures() returns text[]
language sql
immutable
return array['failed', 'timeout', 'lost'];

-- Whether an attempt that ended so counts as failed: failed, timeout or lost.
create or replace function monitoring._is_failure(p_status text) returns boolean
language sql
immutable
return p_status in ('failed', 'timeout', 'lost');
