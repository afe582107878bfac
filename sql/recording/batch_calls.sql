-- The calls of a batch: recording functions by their names, with arguments that are named as their
-- parameters are. With the caller's rights: what one may not call, one may not call by name either.

-- The function that a call means: a recording function with parameters of all these names.
-- Null when there is none. Of functions that take JSON as a text as well, the one that takes JSON.
create or replace function monitoring._function_to_call(p_name text, p_arguments text[])
returns oid
language sql
stable
return (
    select p.oid
    from pg_proc as p
    where p.pronamespace = 'monitoring'::regnamespace
        and p.prokind = 'f'
        and p.proname = p_name
        and not starts_with(p.proname, '_')
        and p.proargnames[1:p.pronargs] @> p_arguments
        and has_function_privilege(p.oid, 'execute')
    order by
        'jsonb'::regtype = any(p.proargtypes) desc, p.pronargs
    limit 1
);

-- The text of a call of that function with the values of an object, which is $1.
create or replace function monitoring._text_of_call(p_function oid, p_arguments text[])
returns text
language sql
stable
return (
    select
        format(
            'select pg_catalog.to_jsonb(monitoring.%I(%s))',
            p.proname,
            string_agg(
                format(
                    case
                        when a.kind = 'jsonb'::regtype then '%1$I => $1 -> %2$L'
                        when a.kind = 'text[]'::regtype
                            then '%1$I => case when $1 ->> %2$L is not null then array('
                                || 'select pg_catalog.jsonb_array_elements_text($1 -> %2$L)) end'
                        else '%1$I => ($1 ->> %2$L)::%3$s'
                    end,
                    a.name, substr(a.name, 3), a.kind
                ),
                ', ' order by a.place
            )
        )
    from pg_proc as p
    cross join
        lateral (
            select
                n.name,
                n.place,
                p.proargtypes[n.place - 1]::regtype as kind
            from unnest(p.proargnames[1:p.pronargs]) with ordinality as n (name, place)
            where n.name = any(p_arguments)
        ) as a
    where p.oid = p_function
    group by p.proname
);

-- Calls a recording function by its name, with arguments by theirs, and returns its value.
create or replace function monitoring._call_by_name(p_name text, p_arguments jsonb)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
-- The text has names in it that the catalogue has, and no value:
-- @plpgsql_check_options: security_warnings = off
declare
    v_names constant text [] := array(select 'p_' || k from jsonb_object_keys(p_arguments) k);
    v_function constant oid := monitoring._function_to_call(p_name, v_names);
    v_value jsonb;
begin
    if v_function is null then
        perform monitoring._refuse_unknown(
            'recording function', p_name,
            format('None has parameters %s; docs/sql-api.md lists them.', v_names)
        );
    end if;
    execute monitoring._text_of_call(v_function, v_names) into v_value using p_arguments;
    return v_value;
end
$$;

-- Makes one call of a batch and returns its value. The tasks' own functions are called as they
-- are, for they come by the thousand.
create or replace function monitoring._make_call(p_function text, p_arguments jsonb)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_value jsonb;
begin
    case p_function
        when 'start_task_tracking' then
            select to_jsonb(monitoring.start_task_tracking(
                a.task_id, a.task_type, a.input_size, a.worker_id, a.parent_task_id, a.metadata,
                a.items_total, a.started_at
            ))
            into v_value
            from jsonb_to_record(p_arguments) as a (
                    task_id text, task_type text, input_size double precision, worker_id text,
                    parent_task_id text, metadata jsonb, items_total double precision,
                    started_at timestamptz
                );
        when 'update_task_progress' then
            select to_jsonb(monitoring.update_task_progress(
                a.task_id, a.items_done, a.items_total, a.counters, a.at, a.attempt
            ))
            into v_value
            from jsonb_to_record(p_arguments) as a (
                    task_id text, items_done double precision, items_total double precision,
                    counters jsonb, at timestamptz, attempt bigint
                );
        when 'complete_task_tracking' then
            select to_jsonb(monitoring.complete_task_tracking(
                a.task_id, coalesce(a.status, 'completed'), a.output_size, a.step_durations,
                a.counters, a.metadata, a.finished_at, a.attempt
            ))
            into v_value
            from jsonb_to_record(p_arguments) as a (
                    task_id text, status text, output_size double precision, step_durations jsonb,
                    counters jsonb, metadata jsonb, finished_at timestamptz, attempt bigint
                );
        else
            v_value := monitoring._call_by_name(p_function, p_arguments);
    end case;
    return v_value;
end
$$;

-- Tells that a call of a batch was refused.
create or replace function monitoring._tell_refused_call(
    p_place bigint, p_code text, p_message text
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._tell_repair(
        'call of a batch',
        array[
            p_code, format('call %s of this batch is refused: %s', p_place, p_message),
            'The function itself says more when it is called alone.'
        ],
        'left out'
    );
end
$$;

-- Makes the calls of a batch in their order and returns what there is to answer. An attempt that a
-- run has got stands in what is said of it later. With p_each_apart a call that is refused is left
-- out and named, else it raises.
create or replace function monitoring._make_calls(
    p_calls jsonb, p_attempts jsonb, p_each_apart boolean
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_attempts jsonb := coalesce(p_attempts, '{}'::jsonb);
    v_begun jsonb := '{}'::jsonb;
    v_not_running jsonb := '[]'::jsonb;
    v_refused jsonb := '[]'::jsonb;
    v_function text;
    v_arguments jsonb;
    v_run text;
    v_value jsonb;
    v_place bigint;
begin
    for v_function, v_arguments, v_run, v_place in
        select c.value ->> 'function', coalesce(c.value -> 'arguments', '{}'::jsonb),
            c.value ->> 'run', c.ordinality
        from jsonb_array_elements(p_calls) with ordinality c
    loop
        if v_attempts ? v_run and not v_arguments ? 'attempt' then
            v_arguments := v_arguments || jsonb_build_object('attempt', v_attempts -> v_run);
        end if;
        if not p_each_apart then
            v_value := monitoring._make_call(v_function, v_arguments);
        else
            begin
                v_value := monitoring._make_call(v_function, v_arguments);
            exception
                when others then
                    v_value := null;
                    v_refused := v_refused || jsonb_build_object(
                        'call', v_place, 'function', v_function, 'sqlstate', sqlstate,
                        'message', sqlerrm
                    );
                    perform monitoring._tell_refused_call(v_place, sqlstate, sqlerrm);
            end;
        end if;
        if v_run is null then
            continue;
        elsif starts_with(v_function, 'start_') and jsonb_typeof(v_value) = 'number' then
            v_attempts := v_attempts || jsonb_build_object(v_run, v_value);
            v_begun := v_begun || jsonb_build_object(v_run, v_value);
        elsif v_value = 'false' then
            v_not_running := v_not_running || to_jsonb(v_run);
        end if;
        if v_function in ('complete_task_tracking', 'finish_etl_execution') then
            v_attempts := v_attempts - v_run;
        end if;
    end loop;
    return jsonb_build_object(
        'attempts', v_begun, 'not_running', v_not_running, 'refused', v_refused,
        'open', v_attempts
    );
end
$$;
