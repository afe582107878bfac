-- Many records of all kinds in one call, each batch once. Writes senders, and what the functions
-- write that it calls (batch_calls.sql).
-- A program that collects what it records sends it in batches, numbered from 1, under a name of
-- its own. A batch whose answer got lost is sent again: it is known by its number and passed over,
-- for all of it was recorded in one transaction, or nothing.

-- Notes that a batch comes, unless it or a later one of its sender was recorded before. Returns
-- the attempts of runs that the sender has begun and not ended, by its numbers for them; null when
-- the batch is to be passed over.
create or replace function monitoring._begin_batch(p_sender uuid, p_number bigint) returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_attempts jsonb;
begin
    insert into monitoring.senders as s (sender, number, attempts, sent_at)
    values (p_sender, p_number, '{}', monitoring.clock())
    on conflict (sender) do update
        set number = excluded.number, sent_at = excluded.sent_at
        where s.number < excluded.number
    returning s.attempts into v_attempts;
    return v_attempts;
end
$$;

-- Keeps the attempts of runs that a sender has begun and not ended: those begun are added, those
-- ended taken away.
create or replace function monitoring._note_runs(p_sender uuid, p_attempts jsonb) returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.senders s set attempts = p_attempts where s.sender = p_sender;
end
$$;

-- Times of a record, as the clock that took them would have told them had it been right.
create or replace function monitoring._with_times_moved(p_record jsonb, p_by interval)
returns jsonb
language sql
stable
return p_record || coalesce(
    (
        select jsonb_object_agg(t.key, to_jsonb((t.told #>> '{}')::timestamptz + p_by))
        from (
            select
                k.key,
                monitoring._told_time(p_record -> k.key) as told
            from unnest(
                    array[
                        'started_at', 'finished_at', 'start_time', 'end_time', 'at', 'occurred_at',
                        'recorded_at', 'logged_at', 'checked_at', 'detected_at', 'released_at'
                    ]
                ) as k (key)
            where p_record ? k.key
        ) as t
        where t.told is not null
    ),
    '{}'
);

-- A batch with its times as of our clock. What clock they were taken from shows in sent_at; that of
-- a program may be wrong by hours, and a few seconds are the way here.
create or replace function monitoring._on_our_clock(p_batch jsonb) returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_sent_at constant timestamptz
    := (monitoring._told_time(p_batch -> 'sent_at') #>> '{}')::timestamptz;
    v_by constant interval := monitoring.clock() - v_sent_at;
    v_kind text;
begin
    if (v_by between interval '-5 seconds' and interval '5 seconds') is not false then
        return p_batch;
    end if;
    for v_kind in
        select e.key from jsonb_each(p_batch) e where jsonb_typeof(e.value) = 'array'
    loop
        p_batch := jsonb_set(p_batch, array[v_kind], (
            select coalesce(
                jsonb_agg(
                    case
                        when r.value ? 'arguments' then jsonb_set(
                            r.value, '{arguments}',
                            monitoring._with_times_moved(r.value -> 'arguments', v_by)
                        )
                        else monitoring._with_times_moved(r.value, v_by)
                    end
                    order by r.ordinality
                ),
                '[]'
            )
            from jsonb_array_elements(p_batch -> v_kind) with ordinality r
            where jsonb_typeof(r.value) = 'object'
        ));
    end loop;
    return p_batch;
end
$$;

-- Records one run from beginning to end, as if it had been told at its start and at its end.
create or replace function monitoring._record_run(p_run jsonb) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_attempt jsonb;
begin
    v_attempt := monitoring._make_call('start_task_tracking', p_run || jsonb_build_object(
        'started_at', coalesce(p_run -> 'start_time', p_run -> 'end_time')
    ));
    if p_run ? 'items_done' then
        perform monitoring._make_call('update_task_progress', p_run || jsonb_build_object(
            'at', p_run -> 'end_time', 'attempt', v_attempt
        ));
    end if;
    perform monitoring._make_call(
        'complete_task_tracking',
        (p_run - 'metadata')
        || jsonb_build_object('finished_at', p_run -> 'end_time', 'attempt', v_attempt)
    );
exception
    when data_exception or program_limit_exceeded then
        if monitoring._is_strict() then
            raise;
        end if;
        -- Leaves out of it what cannot be read.
        perform monitoring.record_finished_tasks(jsonb_build_array(p_run));
end
$$;

-- Records runs from beginning to end. Those that completed at their first attempt, which is most,
-- are written at once.
create or replace function monitoring._record_runs(p_runs jsonb) returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_plain jsonb;
    v_others jsonb;
    v_run jsonb;
begin
    select
        jsonb_agg(r.value) filter (where f.is_plain),
        jsonb_agg(r.value order by r.ordinality) filter (where not f.is_plain)
    into v_plain, v_others
    from (
        select a.value, a.ordinality, count(*) over (partition by a.value ->> 'task_id') as runs
        from jsonb_array_elements(p_runs) with ordinality a
    ) r
    cross join lateral (
        select
            r.runs = 1
            and coalesce(r.value ->> 'status', 'completed') = 'completed'
            and not exists (
                select from monitoring.unsuccessful_attempts u
                where u.task_id = r.value ->> 'task_id'
            )
            and not exists (
                select from monitoring.active_tasks a where a.task_id = r.value ->> 'task_id'
            ) as is_plain
    ) f;
    if v_plain is not null then
        perform monitoring.record_finished_tasks(v_plain);
    end if;
    for v_run in select r.value from jsonb_array_elements(v_others) r loop
        perform monitoring._record_run(v_run);
    end loop;
end
$$;

-- Records what a batch holds, kind by kind, and returns what there is to answer.
create or replace function monitoring._record_batch(p_batch jsonb, p_attempts jsonb)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_batch constant jsonb := monitoring._on_our_clock(p_batch);
    v_answer jsonb := '{}'::jsonb;
begin
    if v_batch ? 'calls' then
        begin
            v_answer := monitoring._make_calls(v_batch -> 'calls', p_attempts, false);
        exception
            when others then
                if monitoring._is_strict() then
                    raise;
                end if;
                v_answer := monitoring._make_calls(v_batch -> 'calls', p_attempts, true);
        end;
    end if;
    if v_batch ? 'runs' then
        perform monitoring._record_runs(v_batch -> 'runs');
    end if;
    if v_batch ? 'finished_tasks' then
        perform monitoring.record_finished_tasks(v_batch -> 'finished_tasks');
    end if;
    if v_batch ? 'errors' then
        perform monitoring.record_errors(v_batch -> 'errors');
    end if;
    if v_batch ? 'metrics' then
        perform monitoring.record_metrics(v_batch -> 'metrics');
    end if;
    if v_batch ? 'logs' then
        perform monitoring.record_logs(v_batch -> 'logs');
    end if;
    return v_answer;
end
$$;

-- The batch as it can be recorded: what is no part of one is left out, and told of.
create or replace function monitoring._told_batch(p_batch jsonb) returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_batch jsonb := monitoring._decoded(p_batch);
    v_key text;
    v_value jsonb;
begin
    if (jsonb_typeof(v_batch) = 'object') is not true then
        if v_batch is not null then
            perform monitoring._tell_repair(
                'batch', monitoring._fault_of_json('batch', p_batch::text, 'an object'), 'left out'
            );
        end if;
        return '{}'::jsonb;
    end if;
    for v_key, v_value in select e.key, e.value from jsonb_each(v_batch) e loop
        if (case
            when v_key = 'sender' then
                (v_value #>> '{}') ~* '^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$'
                and jsonb_typeof(v_batch -> 'number') = 'number'
            when v_key = 'number' then (v_value #>> '{}') ~ '^[1-9][0-9]{0,17}$'
            when v_key = 'sent_at' then monitoring._told_time(v_value) is not null
            when v_key in ('calls', 'runs', 'finished_tasks', 'errors', 'metrics', 'logs')
                then jsonb_typeof(v_value) = 'array'
        end) is not true then
            perform monitoring._tell_repair(
                'batch',
                monitoring._fault_of_json(
                    'batch.' || v_key, v_value::text,
                    'sender (a uuid, with number), number (from 1), sent_at (a time), or an array: '
                    'calls, runs, finished_tasks, errors, metrics, logs'
                ),
                'left out'
            );
            v_batch := v_batch - v_key;
        end if;
    end loop;
    if not v_batch ? 'number' then
        v_batch := v_batch - 'sender';
    end if;
    return v_batch;
end
$$;

create or replace function monitoring.record_batch(p_batch jsonb) returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_sender uuid;
    v_attempts jsonb := '{}'::jsonb;
    v_answer jsonb;
begin
    p_batch := monitoring._told_batch(p_batch);
    v_sender := (p_batch ->> 'sender')::uuid;
    if v_sender is not null then
        v_attempts := monitoring._begin_batch(v_sender, (p_batch ->> 'number')::bigint);
        if v_attempts is null then
            return jsonb_build_object('is_repeated', true, 'recorded_at', monitoring.clock());
        end if;
    end if;
    -- Whose session this is says nothing of the tasks: see _speaking_backend.
    perform set_config('monitoring.is_batch', 'on', true);
    v_answer := monitoring._record_batch(p_batch, v_attempts);
    perform set_config('monitoring.is_batch', '', true);
    if v_sender is not null and v_answer -> 'open' <> v_attempts then
        perform monitoring._note_runs(v_sender, v_answer -> 'open');
    end if;
    return v_answer - 'open'
        || jsonb_build_object('is_repeated', false, 'recorded_at', monitoring.clock());
end
$$;

comment on function monitoring.record_batch(jsonb) is
'Records many things at once: an object with calls (function, arguments, run), runs, '
'finished_tasks, errors, metrics and logs; with sender (a uuid) and number each batch is recorded '
'once. Returns recorded_at, the attempts of runs begun, runs that are not running, and calls left '
'out.';

create or replace function monitoring.record_batch(p_batch text) returns jsonb
language sql
volatile
return monitoring.record_batch(monitoring._told_json('batch', p_batch));

comment on function monitoring.record_batch(text) is
'The same for JSON that is a plain text, as drivers send it; what JSON cannot hold is left out.';

call monitoring._ship_retention('senders', '30 days');
