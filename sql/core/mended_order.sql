-- Arguments of recording functions that were given in another order, put right where a word tells
-- which is which. What is changed is told (repairs.sql).

-- The values as they are told in their order, p_names. Where the one that has to be a word (at
-- p_place) is none that anybody knows, and exactly one of the others is one of p_words, that one is
-- it, and the others keep their order.
create or replace function monitoring._in_order(
    p_kind text, p_words text[], p_names text[], p_place integer, p_values text[]
)
returns text[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_what constant text := p_names[p_place];
    v_places integer[];
    v_others text[];
begin
    if lower(p_values[p_place] collate "C") = any(p_words)
        or coalesce(btrim(p_values[p_place]), '') = ''
    then
        return p_values;
    end if;
    v_places := array(
        select v.place
        from unnest(p_values) with ordinality v (value, place)
        where lower(v.value collate "C") = any(p_words) and v.place <> p_place
    );
    if cardinality(v_places) <> 1
        or monitoring._meaning(p_kind, p_values[p_place]) is not null
    then
        return p_values;
    end if;
    perform monitoring._tell_repair(
        'order of ' || array_to_string(p_names, ', '),
        array[
            'PV003',
            format(
                '%s is not known: "%s", but %s is one: "%s"', v_what,
                left(p_values[p_place], 100), p_names[v_places[1]], p_values[v_places[1]]
            ),
            format('Give %s in this order.', array_to_string(p_names, ', '))
        ],
        'taken as ' || v_what
    );
    v_others := array(
        select v.value
        from unnest(p_values) with ordinality v (value, place)
        where v.place <> v_places[1]
        order by v.place
    );
    return v_others[:p_place - 1] || p_values[v_places[1]] || v_others[p_place:];
end
$$;

-- Type, severity and message of an error, in this order.
create or replace function monitoring._error_in_order(
    p_error_type text, p_severity text, p_message text
)
returns text[]
language sql
volatile
return monitoring._in_order(
    'severity', array['low', 'medium', 'high', 'critical'],
    array['error_type', 'severity', 'message'], 2, array[p_error_type, p_severity, p_message]
);

-- Component, level and message of a log line, in this order.
create or replace function monitoring._log_in_order(
    p_component text, p_level text, p_message text
)
returns text[]
language sql
volatile
return monitoring._in_order(
    'level', array['debug', 'info', 'warning', 'error', 'critical'],
    array['component', 'level', 'message'], 2, array[p_component, p_level, p_message]
);

-- Type, name and status of a component, in this order.
create or replace function monitoring._health_in_order(
    p_component_type text, p_component_name text, p_status text
)
returns text[]
language sql
volatile
return monitoring._in_order(
    'health', array['healthy', 'degraded', 'unhealthy', 'unknown'],
    array['component_type', 'component_name', 'status'], 3,
    array[p_component_type, p_component_name, p_status]
);

-- Name and status of a task that ends, in this order.
create or replace function monitoring._end_in_order(p_task_id text, p_status text)
returns text[]
language sql
volatile
return monitoring._in_order(
    'status', array['completed', 'failed', 'cancelled', 'timeout', 'lost'],
    array['task_id', 'status'], 2, array[p_task_id, p_status]
);
