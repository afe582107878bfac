-- The built-in rules about changes of status and bots. Reads status_changes, record_states and
-- finished_tasks.

-- Changes recorded in a span that their dataset does not allow.
create or replace function monitoring._unexpected_status_changes(
    p_from timestamptz, p_to timestamptz
)
returns setof monitoring._all_status_changes
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select c.*
    from monitoring._all_status_changes c
    where c.dataset in (select t.dataset from monitoring.allowed_transitions t)
        and c.recorded_at > p_from
        and c.recorded_at <= p_to
        and c.validation_type = ''
        and not exists (
            select from monitoring.allowed_transitions t
            where t.dataset = c.dataset
                and t.from_status = coalesce(c.from_status, '')
                and t.to_status = coalesce(c.to_status, '')
        );
end
$$;

-- Changes within window_minutes that their dataset does not allow, by status before and after.
create or replace function monitoring._find_unexpected_status_changes(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        monitoring.key_of_record(c.dataset, coalesce(c.from_status, ''), coalesce(c.to_status, '')),
        count(*)::double precision,
        jsonb_build_object(
            'dataset', c.dataset,
            'from_status', coalesce(c.from_status, ''),
            'to_status', coalesce(c.to_status, '')
        ),
        format(
            '%s: %s went from %s to %s', c.dataset,
            case when count(*) = 1 then '1 record' else count(*) || ' records' end,
            coalesce(c.from_status, 'not known'), coalesce(c.to_status, 'gone')
        ),
        null::text,
        null::double precision
    from monitoring._unexpected_status_changes(
        p_now - monitoring._span_of(p_rule, 'window_minutes'), p_now
    ) c
    group by c.dataset, c.from_status, c.to_status;
end
$$;

call monitoring._ship_rule(
    'status_change_unexpected', 'records',
    'Records went from one status to another that their dataset does not allow.',
    p_finder => '_find_unexpected_status_changes',
    p_explainer => '_explain_unexpected_status_changes',
    p_alert_for_each => 'dataset, status before and after',
    p_comparison => '>=',
    p_unit => 'changes',
    p_thresholds => '{"medium": 1, "high": 100}',
    p_parameters => '{"window_minutes": 60}'
);

-- The changes that an alert is about, the newest first.
create or replace function monitoring._explain_unexpected_status_changes(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        'status change',
        c.recorded_at,
        jsonb_strip_nulls(jsonb_build_object(
            'dataset', c.dataset, 'record_key', c.record_key, 'from_status', c.from_status,
            'to_status', c.to_status, 'change_source', c.change_source, 'actor', c.actor,
            'effective_at', c.effective_at, 'task_id', c.task_id
        ))
    from monitoring._unexpected_status_changes(
        coalesce(p_alert.started_at, p_now) - interval '1 day', p_now
    ) c
    where c.dataset = p_alert.labels ->> 'dataset'
        and coalesce(c.from_status, '') = p_alert.labels ->> 'from_status'
        and coalesce(c.to_status, '') = p_alert.labels ->> 'to_status'
    order by c.recorded_at desc, c.change_id desc
    limit p_limit;
end
$$;

-- Since when it is known that a record of a dataset has one of some statuses, of those that have
-- one at a time; null when none has.
create or replace function monitoring._pending_since(
    p_dataset text, p_statuses text[], p_now timestamptz
)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return least(
        (
            select min(r.recorded_at) from monitoring.record_states r
            where r.dataset = p_dataset and r.status = any(p_statuses) and r.recorded_at <= p_now
        ),
        (
            -- What has changed since was then what it was before, which the change before it made.
            select min(coalesce(b.recorded_at, '-infinity'))
            from monitoring._all_status_changes c
            left join lateral (
                select max(e.recorded_at) as recorded_at
                from monitoring._all_status_changes e
                where e.dataset = p_dataset
                    and e.record_key = c.record_key
                    and e.validation_type = ''
                    and e.recorded_at < c.recorded_at
            ) b on true
            where c.dataset = p_dataset
                and c.validation_type = ''
                and c.from_status = any(p_statuses)
                and c.recorded_at > p_now
                and coalesce(b.recorded_at <= p_now, true)
        )
    );
end
$$;

-- Completed runs of a bot in a span that began after the last change that any bot made in the
-- dataset, and while a record waited that still waits at its end.
create or replace function monitoring._runs_without_effect(
    p_dataset text, p_task_type text, p_from timestamptz, p_to timestamptz
)
returns table (task_id text, started_at timestamptz, finished_at timestamptz)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_changed_at timestamptz;
begin
    -- What was recorded last took effect last; a source tells many changes at once.
    select max(c.effective_at) into v_changed_at
    from monitoring._all_status_changes c
    where c.dataset = p_dataset
        and c.change_source = 'BOT'
        and c.recorded_at = (
            select l.recorded_at
            from monitoring._all_status_changes l
            where l.dataset = p_dataset
                and l.change_source = 'BOT'
                and l.recorded_at > p_from
                and l.recorded_at <= p_to
            order by l.recorded_at desc
            limit 1
        );
    return query
    select t.task_id, t.started_at, t.finished_at
    from monitoring._all_finished_tasks t
    where t.task_type = p_task_type
        and t.status = 'completed'
        and t.finished_at > greatest(p_from, v_changed_at)
        and t.finished_at <= p_to
        -- A run that made a change goes on for a while after it.
        and (v_changed_at is null or coalesce(t.started_at, t.finished_at) > v_changed_at)
        -- One that began while nothing waited had nothing to do.
        and coalesce(t.started_at, t.finished_at) > (
            select monitoring._pending_since(p_dataset, d.pending_statuses, p_to)
            from monitoring.datasets d
            where d.dataset = p_dataset
        );
end
$$;

-- Runs of each dataset's bot within window_minutes that completed since its last change, and
-- began while a record was waiting that is still in one of the pending statuses.
create or replace function monitoring._find_bots_without_effect(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        d.dataset,
        r.runs::double precision,
        jsonb_build_object('dataset', d.dataset, 'task_type', d.bot_task_type),
        format(
            '%s: %s of %s ended without changing a record, though some wait', d.dataset,
            case when r.runs = 1 then '1 run' else r.runs || ' runs' end, d.bot_task_type
        ),
        null::text,
        null::double precision
    from monitoring.datasets d
    cross join lateral (
        select count(*) as runs
        from monitoring._runs_without_effect(
            d.dataset, d.bot_task_type, p_now - monitoring._span_of(p_rule, 'window_minutes'), p_now
        )
    ) r
    where d.bot_task_type is not null
        and r.runs > 0;
end
$$;

call monitoring._ship_rule(
    'bot_without_effect', 'records',
    'Runs of a bot ended without changing a record, though records wait for it.',
    p_finder => '_find_bots_without_effect',
    p_explainer => '_explain_bot_without_effect',
    p_alert_for_each => 'dataset',
    p_comparison => '>=',
    p_unit => 'runs',
    p_thresholds => '{"medium": 3, "high": 6}',
    p_parameters => '{"window_minutes": 1440}'
);

-- The runs of the last day without effect, and the records that have waited longest.
create or replace function monitoring._explain_bot_without_effect(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    (
        select
            'run', r.finished_at,
            jsonb_build_object('task_id', r.task_id, 'started_at', r.started_at)
        from monitoring._runs_without_effect(
            p_alert.labels ->> 'dataset', p_alert.labels ->> 'task_type',
            p_now - interval '1 day', p_now
        ) r
        order by r.finished_at desc
        limit p_limit
    )
    union all
    (
        select
            'waiting record', s.effective_at,
            jsonb_build_object('record_key', s.record_key, 'status', s.status)
        from monitoring.record_states s
        inner join monitoring.datasets d
            on d.dataset = s.dataset and s.status = any(d.pending_statuses)
        where s.dataset = p_alert.labels ->> 'dataset' and s.recorded_at <= p_now
        order by s.effective_at, s.record_key
        limit p_limit
    );
end
$$;
