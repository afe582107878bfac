-- Reading a source of runs: once, whole, with as much of the search left to the other side as its
-- types allow. With which rights: foreign_code.sql.

-- Condition that leaves out rows older than a time; null when the column is of no type for it.
create or replace function monitoring._run_time_filter(
    p_column text, p_type regtype, p_time_zone text, p_since timestamptz
)
returns text
language sql
stable
-- Only plain comparisons of a column with a constant are handed to a foreign server. A day more
-- leaves room for time zones; what is too old is passed over afterwards.
return case
    when p_type = 'timestamptz'::regtype
        then format(
                's.%I >= timestamptz %L', p_column,
                to_char(p_since at time zone 'UTC' - interval '1 day', 'YYYY-MM-DD HH24:MI:SS')
                || '+00'
            )
    when p_type in ('timestamp'::regtype, 'date'::regtype)
        then format(
                's.%I >= timestamp %L', p_column,
                to_char(
                    p_since at time zone p_time_zone - interval '1 day', 'YYYY-MM-DD HH24:MI:SS'
                )
            )
end;

-- For how long runs that were never seen before may be over.
create or replace function monitoring._look_back(p_source monitoring.sources) returns interval
language sql
stable
return make_interval(secs => 86400 * ((p_source).settings ->> 'look_back_days')::double precision);

-- Condition for the rows of a source that are not too old, have no time, or are known to run.
create or replace function monitoring._run_filter(
    p_source monitoring.sources, p_now timestamptz
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_since timestamptz := p_now - monitoring._look_back(p_source);
    v_young text;
    v_is_sure boolean;
    v_timeless text;
    v_run_id text;
    v_type regtype;
    v_running text [];
begin
    select
        string_agg(monitoring._run_time_filter(
            c.column_name, c.column_type, p_source.time_zone, v_since
        ), ' or '),
        bool_and(monitoring._run_time_filter(
            c.column_name, c.column_type, p_source.time_zone, v_since
        ) is not null),
        string_agg(format('s.%I is null', c.column_name), ' and ')
    into v_young, v_is_sure, v_timeless
    from monitoring._source_columns(p_source) c
    where c.field in ('started_at', 'finished_at', 'updated_at') and c.column_name is not null;
    if v_is_sure is not true then
        return 'true';
    end if;
    select c.column_name, c.column_type into v_run_id, v_type
    from monitoring._source_columns(p_source) c where c.field = 'run_id';
    v_running := array(
        select k.run_id from monitoring.source_runs k
        where k.source_name = p_source.source_name and k.ended_at = 'infinity'
    );
    -- What is known to run is looked for however old it is.
    return format('%s or (%s) or ', v_young, v_timeless) || case
        when v_type::text in ('smallint', 'integer', 'bigint', 'numeric', 'uuid', 'text',
            'character varying', 'character')
            -- The type "character" without a length is that of one letter.
            then format('s.%I = any (%L::%s [])', v_run_id, v_running,
                case v_type when 'bpchar'::regtype then 'bpchar' else v_type::text end)
        else format('s.%I::text = any (%L::text [])', v_run_id, v_running)
    end;
end
$$;

-- Query for the rows of a source as fields of ours, and what is wrong with each; all names in it
-- were looked up.
create or replace function monitoring._run_rows_query(
    p_source monitoring.sources, p_now timestamptz, p_most integer
)
returns text
language sql
stable
return (
    select
        format(
            'select %s, nullif(concat_ws(''; '', %s), '''') as fault from %s s where %s limit %s',
            string_agg(format('%s as %I', c.conversion, c.field), ', '),
            string_agg(c.fault, ', '),
            monitoring._relation_rows(
                p_source.relation_name,
                array(select v.value from jsonb_each_text(p_source.columns) as v)
            ),
            monitoring._run_filter(p_source, p_now),
            p_most
        )
    from monitoring._source_columns(p_source) as c
);

-- Query that makes an array of ours of the rows of a source; all names in it were looked up.
create or replace function monitoring._run_query(
    p_source monitoring.sources, p_now timestamptz, p_most integer
)
returns text
language sql
stable
return (
    select
        format(
            'select array(select row(%s, q.fault, %s)::monitoring.source_run from (%s) q)',
            -- The meaning of a status, and whether there is trouble, is not known yet.
            string_agg(
                format('q.%I', f.field)
                || case when f.field in ('status', 'error_message') then ', null::text' else '' end,
                ', ' order by f.position
            ) filter (where f.field not in ('work', 'attempt', 'max_attempts')),
            string_agg(format('q.%I', f.field), ', ' order by f.position) filter (
                where f.field in ('work', 'attempt', 'max_attempts')
            ),
            case
                when monitoring._is_read_without_rights(
                        p_source.relation_name,
                        array(select v.value from jsonb_each_text(p_source.columns) as v)
                    )
                    then monitoring._query_as_reader(
                            monitoring._run_rows_query(p_source, p_now, p_most),
                            array_agg(f.field order by f.position) || 'fault'::text,
                            array_agg(f.type_name order by f.position) || 'text'::text
                        )
                else monitoring._run_rows_query(p_source, p_now, p_most)
            end
        )
    from monitoring._run_fields() with ordinality as f (field, kind, type_name, position)
);

-- The rows of a source that are not too old or are known to run, in our terms.
create or replace function monitoring._rows_of_runs(
    p_source monitoring.sources, p_now timestamptz
)
returns monitoring.source_run[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- A run must not depend on how the session of whoever asks writes values.
set datestyle = 'ISO'
set extra_float_digits = 1
-- Rows that a policy hides are not rows that are not there.
set row_security = off
as $$
declare
    v_most constant integer := 200000;
    v_found constant text [] := monitoring._kept_by_session();
    v_query text;
    v_is_complete boolean := false;
    v_runs monitoring.source_run [];
begin
    v_query := monitoring._run_query(p_source, p_now, v_most + 1);
    begin
        -- Ends with this block, as does whatever else is done by what is read.
        perform set_config('transaction_read_only', 'on', true);
        execute v_query into v_runs;
        v_is_complete := true;
        raise transaction_rollback;
    exception
        when transaction_rollback then
            if not v_is_complete then
                raise;
            end if;
    end;
    perform monitoring._leave_session_as(v_found);
    if cardinality(v_runs) > v_most then
        perform monitoring._refuse_number('number of runs to read', 'more than ' || v_most,
            'no more than that: register the source with a shorter p_look_back, or as a view');
    end if;
    return v_runs;
end
$$;
