-- What has become of the runs of a source since it was last read. Reads source_runs and
-- finished_tasks, writes nothing.

-- A status code without blanks around it, in upper case; empty when missing.
create or replace function monitoring._status_code(p_code text) returns text
language sql
stable
return coalesce(btrim(upper(p_code collate "C"), E' \t\r\n'), '');

-- What is wrong with a row of a source, in a sentence; null when nothing is.
create or replace function monitoring._run_fault(
    p_run monitoring.source_run, p_source_name text, p_copies bigint, p_is_known boolean,
    p_now timestamptz
)
returns text
language sql
stable
return nullif(concat_ws(
    '; ',
    (p_run).fault,
    case
        when coalesce(btrim((p_run).run_id), '') = '' then 'has no run_id'
        when p_copies > 1 then format('appears %s times', p_copies)
        when length(p_source_name) + 1 + length((p_run).run_id) > 255 then 'run_id is too long'
    end,
    case
        when coalesce(btrim((p_run).task_type), '') = '' then 'has no task_type'
        when length((p_run).task_type) > 255 then 'task_type is too long'
    end,
    case
        when least((p_run).started_at, (p_run).finished_at, (p_run).updated_at)
            < '1970-01-01 00:00:00+00'::timestamptz
            then 'has a time before 1970'
        when greatest((p_run).started_at, (p_run).finished_at, (p_run).updated_at)
            > p_now + '24 hours'::interval
            then 'has a time more than a day ahead'
        when coalesce((p_run).status, '') not in ('completed', 'failed', 'cancelled') then null
        -- The hour that an autumn night has twice may make an end come before its start.
        when (p_run).finished_at < (p_run).started_at - '1 hour'::interval
            then 'ends before it starts'
        when not p_is_known and coalesce((p_run).finished_at, (p_run).updated_at) is null
            then 'has ended, and neither finished_at nor updated_at says when'
    end,
    case
        when least(
                (p_run).records_total, (p_run).records_done, (p_run).threads, (p_run).attempt,
                (p_run).max_attempts, 0
            ) < 0
            then 'has a negative number'
    end
), '');

-- The rows of a source with what their status means and what is wrong with them, without those
-- that are too old and were never seen.
create or replace function monitoring._judged_runs(
    p_source monitoring.sources, p_runs monitoring.source_run[], p_now timestamptz
)
returns monitoring.source_run[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_since timestamptz;
begin
    -- What may have been forgotten must not seem new.
    select greatest(
        p_now - monitoring._look_back(p_source),
        max(monitoring._kept_from(o.keep, p_now))
    )
    into v_since
    from monitoring.retention_policies o
    where o.table_name = 'source_runs' and o.category = '';
    return array(
        select row(
            r.run_id, s.task_type, r.status_code, s.status, r.started_at, r.finished_at,
            r.updated_at, r.records_total, r.records_done, r.threads, r.business_date,
            r.error_message,
            case
                when f.fault is not null then 'bad_row'
                when s.status is null then 'unknown_status'
            end,
            coalesce(f.fault, case when s.status is null then format(
                'nobody has said what status "%s" means',
                left(monitoring._status_code(r.status_code), 40)
            ) end),
            r.work, r.attempt, r.max_attempts
        )::monitoring.source_run
        from (
            select u.*, count(*) over (partition by u.run_id) as copies from unnest(p_runs) u
        ) r
        cross join lateral (
            select
                p_source.statuses ->> monitoring._status_code(r.status_code) as status,
                coalesce(
                    nullif(btrim(r.task_type), ''), p_source.settings ->> 'task_type'
                ) as task_type
        ) s
        left join monitoring.source_runs k
            on k.source_name = p_source.source_name and k.run_id = r.run_id
        left join monitoring.retention_policies p
            on p.table_name = 'finished_tasks' and p.category = s.task_type
        left join monitoring.retention_policies d
            on d.table_name = 'finished_tasks' and d.category = ''
        cross join lateral (
            select monitoring._run_fault(
                row(
                    r.run_id, s.task_type, r.status_code, s.status, r.started_at, r.finished_at,
                    r.updated_at, r.records_total, r.records_done, r.threads, r.business_date,
                    r.error_message, null, r.fault, r.work, r.attempt, r.max_attempts
                )::monitoring.source_run,
                p_source.source_name, r.copies, k.run_id is not null, p_now
            ) as fault
        ) f
        -- What is too old, or would be removed at once, is history that nobody asked for.
        where k.run_id is not null
            or coalesce(r.finished_at, r.updated_at, r.started_at) is null
            or coalesce(r.finished_at, r.updated_at, r.started_at) >= greatest(
                v_since,
                monitoring._kept_from(
                    case when p.table_name is null then d.keep else p.keep end, p_now
                )
            )
    );
end
$$;

-- How a run went backwards since it was last seen, in a sentence; null when it did not.
create or replace function monitoring._how_backwards(
    p_was monitoring.source_runs, p_is monitoring.source_run, p_is_restart boolean
)
returns text
language sql
stable
return case
    when (p_was).run_id is null or p_is_restart then null
    when (p_was).status = 'completed' and (p_is).status <> 'completed'
        then format('was completed and is %s', (p_is).status)
    when (p_was).status = 'running' and (p_is).status = 'pending'
        then 'was running and is pending'
    when (p_is).records_done < (p_was).records_done
        and (
            (p_was).status = (p_is).status
            or ((p_was).status = 'running' and (p_is).status <> 'pending')
        )
        then format(
                'had done %s records and has done %s',
                (p_was).records_done, (p_is).records_done
            )
end;

-- start, progress, end (of what runs), record (what never ran or ran again meanwhile), remember,
-- or null when nothing changed.
create or replace function monitoring._run_action(
    p_was monitoring.source_runs, p_is monitoring.source_run, p_is_later boolean,
    p_is_in_history boolean
)
returns text
language sql
stable
return case
    when
        row(
            (p_was).status, (p_was).task_type, (p_was).started_at, (p_was).finished_at,
            (p_was).updated_at, (p_was).records_total, (p_was).records_done, (p_was).threads
        ) is not distinct from row(
            (p_is).status, (p_is).task_type, (p_is).started_at, (p_is).finished_at,
            (p_is).updated_at, (p_is).records_total, (p_is).records_done, (p_is).threads
        )
        then null
    when (p_is).status = 'pending'
        -- Nothing has begun, so there is nothing to keep, unless something had.
        then case when (p_was).run_id is not null then 'remember' end
    when (p_is).status = 'running'
        then case
                when (p_was).status = 'running' and not p_is_later then 'progress'
                else 'start'
            end
    when (p_was).status = 'running' and not p_is_later then 'end'
    when (p_was).run_id is null and p_is_in_history then 'remember'
    when (p_was).status = (p_is).status and not p_is_later then 'remember'
    else 'record'
end;

-- What is to be done about the runs of a source that have changed since they were last seen.
create or replace function monitoring._changes_of_runs(
    p_source_name text, p_runs monitoring.source_run[], p_now timestamptz
)
returns monitoring.run_change[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return array(
        select row(
            t.task_id, a.action, (k).status,
            (k).run_id is not null and a.action in ('start', 'record'),
            case
                -- The start that a later attempt has is not the source's.
                when a.action in ('progress', 'end')
                    then case when r.started_at is distinct from (k).started_at then r.started_at end
                when coalesce((k).status, 'pending') = 'pending' or l.is_later
                    then case
                        when a.action = 'start' then coalesce(r.started_at, h.heard_at)
                        else r.started_at
                    end
                -- It was begun anew without a new start: when, only the first sight tells.
                when a.action = 'start' then greatest(h.heard_at, (k).ended_at)
            end,
            case
                when r.status = 'running' then 'infinity'
                when r.status = 'pending' then least((k).ended_at, p_now)
                else h.ends_at
            end,
            h.heard_at,
            case
                when (k).status = 'running' and r.status = 'pending' then p_now
                when (k).status = 'running' and a.action in ('start', 'record')
                    then least(r.started_at, p_now)
            end,
            monitoring._how_backwards(k, r, l.is_later), r
        )::monitoring.run_change
        from unnest(p_runs) r
        left join monitoring.source_runs k
            on k.source_name = p_source_name and k.run_id = r.run_id
        cross join lateral (select p_source_name || ':' || r.run_id as task_id) t
        cross join lateral (
            select
                least(coalesce(r.updated_at, p_now), p_now) as heard_at,
                coalesce(r.finished_at, r.updated_at, p_now) as ends_at
        ) h
        -- A later start is another attempt under the same name.
        cross join lateral (select coalesce(r.started_at > (k).started_at, false) as is_later) l
        cross join lateral (
            select monitoring._run_action(
                k, r, l.is_later,
                (k).run_id is null and exists (
                    select from monitoring._all_finished_tasks f
                    where f.task_id = t.task_id and f.finished_at = h.ends_at
                )
            ) as action
        ) a
        where r.trouble is null and a.action is not null
    );
end
$$;
