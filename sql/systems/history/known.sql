-- Which rows of history are here already, and under which numbers the others come in. Reads
-- errors, metric_samples, log_lines, status_changes, finished_tasks, and what of them is late.
--
-- A number counts up in its own database, so it says nothing by itself: error 17 of another one is
-- not ours. A row is here already when one is that is about the same, at the same time, says the
-- same and has the same number, whatever its sign: what was loaded got its number with a minus.

-- The number of a row whose own is taken, with a minus sign, by one that says something else; and
-- of such a number the row's own.
create or replace function monitoring._number_aside(p_number bigint, p_content text)
returns bigint
language sql
immutable
return (
    -- Their exclusive or, which undoes itself.
    select (n.number & c.content) - (n.number | c.content)
    from
        (select abs(p_number) as number) as n,
        (select ('x' || left(md5(p_content), 15))::bit(60)::bigint as content) as c
);

-- Columns that say what happened, as the text that rows are compared by. What is cut when it is
-- written is cut far behind.
create or replace function monitoring._text_of_columns(p_alias text, p_columns text[])
returns text
language sql
immutable
return (
    select
        'pg_catalog.concat_ws(pg_catalog.chr(10), '
        || string_agg(
            format('pg_catalog.left(coalesce(%s.%I::text, ''''), 4000)', p_alias, c.name),
            ', ' order by c.place
        )
        || ')'
    from unnest(p_columns) with ordinality as c (name, place)
);

-- Those of an array of rows that are not here, with the numbers under which they come in.
create or replace function monitoring._unknown_numbered_rows(
    p_table text, p_number_column text, p_contents text[], p_rows jsonb
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Each row is looked up by its key, whatever the planner thinks.
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
-- The text has names in it that the catalogue has, and no value:
-- @plpgsql_check_options: security_warnings = off
declare
    v_rows jsonb;
begin
    execute (
        select format(
            $statement$
                with given as materialized (
                    select
                        r.value as told, r.ordinality as place,
                        coalesce(g.%3$I, '') as key, g.%4$I as at, g.%5$I as number, %6$s as content
                    from jsonb_array_elements($1) with ordinality r
                    cross join lateral jsonb_populate_record(null::monitoring.%1$I, r.value) g
                ),
                compared as materialized (
                    select
                        g.*, n.number_aside,
                        array[g.number, -g.number, n.number_aside, -n.number_aside] as numbers,
                        first_value(g.content) over (
                            partition by g.key, g.at, abs(g.number) order by g.place
                        ) <> g.content as is_second
                    from given g
                    cross join lateral (
                        select monitoring._number_aside(g.number, g.content) as number_aside
                    ) n
                ),
                -- Apart: of a view of both, all days would be asked.
                alike as materialized (
                    select c.place, t.%5$I as number, %7$s as content
                    from compared c
                    inner join monitoring.%1$I t
                        on t.%3$I = c.key and t.%4$I = c.at and t.%5$I = any (c.numbers)
                    union all
                    select c.place, t.%5$I as number, %7$s as content
                    from compared c
                    inner join monitoring.%2$I t
                        on t.%3$I = c.key and t.%4$I = c.at and t.%5$I = any (c.numbers)
                )
                select jsonb_agg(
                    case
                        when c.number is null then c.told
                        when c.is_second or exists (
                            select from alike a
                            where a.place = c.place and a.number = -abs(c.number)
                        ) then c.told || jsonb_build_object(%5$L, c.number_aside)
                        else c.told || jsonb_build_object(%5$L, -abs(c.number))
                    end
                    order by c.place
                )
                from compared c
                where not exists (
                    select from alike a where a.place = c.place and a.content = c.content
                )
            $statement$,
            p_table, 'late_' || p_table, t.key_column, t.time_column, p_number_column,
            monitoring._text_of_columns('g', p_contents),
            monitoring._text_of_columns('t', p_contents)
        )
        from monitoring.partitioned_tables t
        where t.table_name = p_table
    )
    into v_rows
    using p_rows;
    return coalesce(v_rows, '[]');
end
$$;

-- Those of an array of tasks that are not here. One that does not say which attempt it was is the
-- one that ended at that time.
create or replace function monitoring._unknown_tasks(p_rows jsonb) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
begin
    return (
        select coalesce(jsonb_agg(r.value order by r.ordinality), '[]')
        from (
            select
                a.value, a.ordinality, a.value ->> 'task_id' as task_id,
                (a.value ->> 'end_time')::timestamptz as ended_at,
                (a.value ->> 'attempt')::integer as attempt
            from jsonb_array_elements(p_rows) with ordinality a
        ) r
        where not exists (
            select from monitoring.finished_tasks t
            where t.task_id = r.task_id and t.finished_at = r.ended_at
                and t.attempt = coalesce(r.attempt, t.attempt)
        )
        and not exists (
            select from monitoring.late_finished_tasks t
            where t.task_id = r.task_id and t.finished_at = r.ended_at
                and t.attempt = coalesce(r.attempt, t.attempt)
        )
    );
end
$$;

-- Status changes with the time at which they were recorded. Those that do not say count as recorded
-- when they took effect, and what the record was before is to be found out.
create or replace function monitoring._with_recorded_at(p_rows jsonb) returns jsonb
language sql
stable
return (
    select
        jsonb_agg(
            case
                when r.value ->> 'recorded_at' is not null then r.value || '{"is_complete": true}'
                else r.value || jsonb_build_object('recorded_at', r.value -> 'effective_at')
            end
            order by r.ordinality
        )
    from jsonb_array_elements(p_rows) with ordinality as r
);
