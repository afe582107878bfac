-- Which days may still get rows. Whoever records puts rows of today and yesterday alone into a
-- partition, so the day before may be closed as soon as every transaction that could have recorded
-- in it has ended: those that run when it is no longer yesterday are listed, and the day is closed
-- by the first roll-up that finds none of them running. A transaction that was prepared meanwhile
-- runs on under another name. Writes rollup_progress.

-- Virtual numbers of the transactions of this database that are running, and those prepared.
create or replace function monitoring._running_transactions() returns text[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_running text [];
begin
    select array_agg(l.virtualxid) into v_running
    from pg_locks l
    left join pg_stat_get_activity(l.pid) a on true
    left join pg_database d on d.oid = a.datid
    where l.locktype = 'virtualxid' and l.granted and l.mode = 'ExclusiveLock'
        -- Those of other databases have nothing to record here.
        and (d.datname is null or d.datname = current_database());
    -- Looked at afterwards: what is no longer there is prepared by now, or has ended.
    return v_running || array(
        select 'prepared ' || x.transaction from pg_prepared_xacts x
        where x.database = current_database()
    );
end
$$;

-- Closes the days before yesterday for a table that was just rolled up, once every transaction
-- that could have recorded in them has ended, or goes on waiting for these.
create or replace function monitoring._close_days(
    p_table text, p_yesterday timestamptz, p_running text[]
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_progress monitoring.rollup_progress;
    v_prepared text [];
begin
    select r.* into v_progress from monitoring.rollup_progress r where r.table_name = p_table;
    if p_running is null
        or (v_progress.open_since_at = p_yesterday and v_progress.closing_to_at is null)
    then
        return;
    end if;
    v_prepared := array(select t.name from unnest(p_running) t (name) where t.name ~ '^prepared ');
    if v_progress.open_since_at > p_yesterday then
        -- The clock went back, and days are recorded in that were closed.
        v_progress.open_since_at := p_yesterday;
        v_progress.closing_to_at := null;
    elsif v_progress.closing_to_at is null or v_progress.closing_to_at > p_yesterday then
        v_progress.closing_to_at := p_yesterday;
        v_progress.closing_sessions := p_running;
    elsif not v_progress.closing_sessions && p_running then
        -- Once those that ran have ended, only those that they have prepared are waited for.
        if v_prepared = '{}' or v_progress.closing_sessions[1] ~ '^prepared ' then
            v_progress.open_since_at := v_progress.closing_to_at;
            v_progress.closing_to_at := null;
        else
            v_progress.closing_sessions := v_prepared;
        end if;
    end if;
    update monitoring.rollup_progress r
    set
        open_since_at = v_progress.open_since_at,
        closing_to_at = v_progress.closing_to_at,
        closing_sessions = case
            when v_progress.closing_to_at is not null then v_progress.closing_sessions
        end
    where r.table_name = p_table;
end
$$;

-- Opens the days from a given one on again: somebody has written rows there by hand.
create or replace function monitoring._reopen_days(p_table text, p_begins_at timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.rollup_progress r
    set open_since_at = p_begins_at
    where r.table_name = p_table and r.open_since_at > p_begins_at;
end
$$;
