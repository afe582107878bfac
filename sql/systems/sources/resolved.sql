-- Reading the statuses of records that were invalid and are valid again: at once where that can be,
-- else with the next reading of the source. Writes what reading writes, and records_to_read.
-- Whoever resolves calls this first, so that record_states is locked before invalid_record_states,
-- as by whoever reads a source.

-- Notes records that a source is still to be asked for, and has it read soon; the query of one is
-- run in somebody else's database, as often as was agreed and no oftener.
create or replace function monitoring._read_later(
    p_source monitoring.sources, p_keys text[], p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into monitoring.records_to_read as r (source_name, record_key, resolved_at)
    select p_source.source_name, k.record_key, p_now
    from unnest(p_keys) k (record_key)
    order by k.record_key
    on conflict do nothing;
    -- Whoever has the row is at it, and nobody who resolves is to wait for that.
    update monitoring.sources s
    set next_sync_at = least(s.next_sync_at, p_now)
    where s.source_name in (
        select o.source_name from monitoring.sources o
        where o.source_name = p_source.source_name
        for no key update skip locked
    );
end
$$;

-- Reads some records of a source without waiting long; false when it could not be read now.
create or replace function monitoring._try_records(
    p_source monitoring.sources, p_keys text[], p_task_id text, p_now timestamptz
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set lock_timeout = '1s'
as $$
begin
    if monitoring._reason_not_to_read(p_source.source_name) is not null then
        return false;
    end if;
    p_source.timeout_seconds := least(p_source.timeout_seconds, 3);
    -- Whoever cancels this has the source left alone; what was resolved is so all the same.
    return not monitoring._try_source(p_source, p_now, true, p_keys, p_task_id) ? 'error';
end
$$;

-- Asks the sources of a dataset for the statuses of records that are about to be resolved as valid.
create or replace function monitoring._read_resolved_records(
    p_closing monitoring.invalid_record_states[], p_task_id text, p_is_dry_run boolean
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := monitoring.clock();
    v_keys text [];
    v_source monitoring.sources;
begin
    v_keys := array(
        select distinct c.record_key from unnest(p_closing) c
        where c.resolution = 'auto'
        order by c.record_key
    );
    if p_is_dry_run or v_keys = '{}' then
        return;
    end if;
    for v_source in
        select s.* from monitoring.sources s
        where s.kind = 'record' and s.is_enabled
            and s.settings ->> 'dataset' = p_closing[1].dataset
        order by s.source_name
    loop
        if not monitoring._try_records(v_source, v_keys, p_task_id, v_now) then
            perform monitoring._read_later(v_source, v_keys, v_now);
        end if;
    end loop;
end
$$;

-- A source that is never read again keeps them waiting.
call monitoring._ship_retention('records_to_read', '30 days');
