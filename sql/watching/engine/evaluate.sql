-- Evaluating rules: first all of them look, then, under the lock of alerts, what they found is
-- applied, what has cleared resolves, and what is to be told is queued in the same transaction.
-- Lock order: evaluations wait for each other, then for _lock_alerts().

-- How many alerts were opened, raised and resolved after a transition, as an object.
create or replace function monitoring._count_transitions(p_after bigint) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select jsonb_build_object(
            'opened', count(*) filter (where t.transition = 'firing'),
            'raised', count(*) filter (where t.transition = 'escalated'),
            'resolved', count(*) filter (where t.transition = 'resolved')
        )
        from monitoring.alert_transitions t
        where t.transition_id > p_after
    );
end
$$;

-- Evaluates the rules of some families as of a moment, resolves what has cleared where that is
-- wanted, and queues what is to be told; returns an object of opened, raised, resolved and
-- queued.
create or replace function monitoring._evaluate(
    p_families text[], p_is_resolving boolean, p_now timestamptz
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- To compile what reads many partitions takes far longer than to read the few rows in them.
set jit = off
as $$
declare
    v_now timestamptz;
    v_clock constant text := coalesce(current_setting('monitoring.now', true), '');
    v_outcomes monitoring.rule_outcome [];
    v_before bigint;
    v_result jsonb;
begin
    perform monitoring._checked_time(p_now);
    perform monitoring._guard('evaluations');
    perform monitoring._put_alerts_right(monitoring.clock());
    perform monitoring._follow_expected_runs(monitoring.clock());
    -- Not before: whoever waited would find again what the one before it has resolved since.
    v_now := coalesce(p_now, monitoring.clock());
    -- Whatever rules read goes by the same moment.
    perform set_config('monitoring.now', monitoring._sealed_time(v_now), true);
    v_outcomes := monitoring._find_all(p_families, v_now);
    perform monitoring._lock_alerts();
    select coalesce(max(t.transition_id), 0) into v_before from monitoring.alert_transitions t;
    if cardinality(p_families) > 0 then
        perform monitoring._apply_all(v_outcomes, v_now);
    end if;
    if p_is_resolving then
        perform monitoring._resolve_cleared(v_now);
    end if;
    perform monitoring._end_needless_silences(v_now);
    perform monitoring._give_reasons(v_now);
    v_result := jsonb_build_object('queued', monitoring._plan_notifications(v_now));
    perform set_config('monitoring.now', v_clock, true);
    return monitoring._count_transitions(v_before) || v_result;
end
$$;

create or replace function monitoring.evaluate_alerts(p_now timestamptz default null) returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return monitoring._evaluate(
        array['errors', 'processing', 'health', 'queues', 'records', 'self', 'reported', 'own'],
        true,
        p_now
    );
end
$$;

comment on function monitoring.evaluate_alerts(timestamptz) is
'Evaluates all rules as of a moment (now, when left out), resolves what has cleared and queues '
'notifications. Returns an object of how many alerts opened, rose and resolved, and messages '
'queued.';

-- Evaluates the rules of one family and returns how many alerts opened or rose.
create or replace function monitoring._evaluate_family(p_family text, p_now timestamptz)
returns integer
language sql
volatile
begin atomic
    select (e.result ->> 'opened')::integer + (e.result ->> 'raised')::integer
    from monitoring._evaluate(array[p_family], false, p_now) as e (result);
end;

call monitoring._ship_job(
    'evaluate_alerts', 'Evaluates the alert rules and queues notifications.',
    '1 minute', 'monitoring.evaluate_alerts',
    p_timeout => '5 minutes'
);

create or replace function monitoring.check_error_rate_alerts(p_now timestamptz default null)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return monitoring._evaluate_family('errors', p_now);
end
$$;

comment on function monitoring.check_error_rate_alerts(timestamptz) is
'Evaluates the rules about errors and returns how many alerts opened or rose. '
'What has cleared waits for resolve_resolved_alerts() or evaluate_alerts().';

create or replace function monitoring.check_processing_performance_alerts(
    p_now timestamptz default null
)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return monitoring._evaluate_family('processing', p_now);
end
$$;

comment on function monitoring.check_processing_performance_alerts(timestamptz) is
'Evaluates the rules about tasks and returns how many alerts opened or rose. '
'What has cleared waits for resolve_resolved_alerts() or evaluate_alerts().';

create or replace function monitoring.check_system_health_alerts(p_now timestamptz default null)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return monitoring._evaluate_family('health', p_now);
end
$$;

comment on function monitoring.check_system_health_alerts(timestamptz) is
'Evaluates the rules about components and returns how many alerts opened or rose. '
'What has cleared waits for resolve_resolved_alerts() or evaluate_alerts().';

create or replace function monitoring.check_queue_backlog_alerts(p_now timestamptz default null)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return monitoring._evaluate_family('queues', p_now);
end
$$;

comment on function monitoring.check_queue_backlog_alerts(timestamptz) is
'Evaluates the rules about queues and returns how many alerts opened or rose. '
'What has cleared waits for resolve_resolved_alerts() or evaluate_alerts().';

create or replace function monitoring.resolve_resolved_alerts(p_now timestamptz default null)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return (monitoring._evaluate('{}', true, p_now) ->> 'resolved')::integer;
end
$$;

comment on function monitoring.resolve_resolved_alerts(timestamptz) is
'Resolves alerts that the last evaluation no longer found, once they have been gone for as long as '
'their rule says; returns how many.';
