-- How columns of a foreign make become ours: expressions over a row "s" of the relation, made from
-- the types that the columns have at present. What a text or number may not mean becomes null, and
-- a fault says so, for one bad row must not hide the others. Reads the catalogue, writes nothing.

-- The time that a text means, in a time zone unless it names one; null when it means none.
create or replace function monitoring._as_time(p_value text, p_time_zone text)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Only what names its own zone is not of the source's.
    if p_value
        ~* ':[0-9]{2}([.][0-9]+)?[[:space:]]*(Z|[+-][0-9]{2}(:?[0-9]{2})?)[[:space:]]*$'
    then
        return p_value::timestamptz;
    end if;
    return p_value::timestamp at time zone p_time_zone;
exception
    when data_exception then
        return null;
end
$$;

-- The whole number that a text means; null when it means none.
create or replace function monitoring._as_count(p_value text) returns bigint
language sql
stable
return case
    when p_value ~ '^\s*-?\d{1,18}(\.0*)?\s*$' then trunc(p_value::numeric)::bigint
end;

-- The date that a text begins with, as 2026-01-15; null when there is none.
create or replace function monitoring._as_date(p_value text) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_value ~ '^[[:space:]]*[0-9]{4}-?[0-9]{2}-?[0-9]{2}' then
        return to_char(p_value::timestamp, 'YYYY-MM-DD');
    end if;
    return null;
exception
    when data_exception then
        return null;
end
$$;

-- What a source of runs may have columns for, and what kind of value each is.
create or replace function monitoring._run_fields()
returns table (field text, kind text, type_name text)
language sql
stable
begin atomic
    -- In the order of the type source_run.
    select *
    from (
        values
        ('run_id', 'text', 'text'),
        ('task_type', 'text', 'text'),
        ('status', 'text', 'text'),
        ('started_at', 'time', 'timestamptz'),
        ('finished_at', 'time', 'timestamptz'),
        ('updated_at', 'time', 'timestamptz'),
        ('records_total', 'count', 'bigint'),
        ('records_done', 'count', 'bigint'),
        ('threads', 'count', 'bigint'),
        ('business_date', 'date', 'text'),
        ('error_message', 'text', 'text'),
        -- After what only a reading knows: trouble and fault.
        ('work', 'text', 'text'),
        ('attempt', 'count', 'bigint'),
        ('max_attempts', 'count', 'bigint')
    ) as f (field, kind, type_name);
end;

-- What a source of queues may have columns for: of a table of items, and of one of figures.
create or replace function monitoring._fields_of_queues()
returns table (field text, kind text, is_of_items boolean, is_of_figures boolean)
language sql
stable
begin atomic
    select *
    from (
        values
        ('queue', 'text', true, true),
        ('status', 'text', true, false),
        ('ready_at', 'time', true, false),
        ('pending', 'count', false, true),
        ('processing', 'count', false, true),
        ('completed', 'count', false, true),
        ('failed', 'count', false, true),
        ('oldest_ready_at', 'time', false, true)
    ) as f (field, kind, is_of_items, is_of_figures);
end;

-- Expression that makes a value of ours of a column.
create or replace function monitoring._source_conversion(
    p_column text, p_kind text, p_type regtype, p_time_zone text
)
returns text
language sql
stable
return case
    when p_column is null then 'null'
    when p_kind = 'text' then format('s.%I::text', p_column)
    when p_kind = 'time' and p_type = 'timestamptz'::regtype then format('s.%I', p_column)
    when p_kind = 'time' and p_type in ('timestamp'::regtype, 'date'::regtype)
        then format('s.%I::timestamp at time zone %L', p_column, p_time_zone)
    when p_kind = 'time'
        then format('monitoring._as_time(s.%I::text, %L)', p_column, p_time_zone)
    when p_kind = 'count' and p_type in ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype)
        then format('s.%I::bigint', p_column)
    when p_kind = 'count' then format('monitoring._as_count(s.%I::text)', p_column)
    when p_type = 'timestamptz'::regtype
        then format('monitoring._as_date((s.%I at time zone %L)::text)', p_column, p_time_zone)
    else format('monitoring._as_date(s.%I::text)', p_column)
end;

-- Expression that says what is wrong with the value of a column, or null.
create or replace function monitoring._source_fault(
    p_field text, p_column text, p_kind text, p_conversion text
)
returns text
language sql
stable
return case
    when p_column is null or p_kind = 'text' then 'null'
    else format(
            'case when btrim(s.%1$I::text) <> '''' and %2$s is null '
            'then %3$L || left(s.%1$I::text, 40) || ''"'' end',
            p_column, p_conversion,
            p_field
            || case p_kind
                when 'count' then ' is not a whole number: "'
                when 'date' then ' is not a date: "'
                else ' is not a time: "'
            end
        )
end;

-- Columns of what a source reads, as it is now, and their types; PV007 when it is gone.
create or replace function monitoring._relation_columns(p_relation_name text)
returns table (column_name text, column_type regtype)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_relation regclass;
    v_query monitoring.source_queries;
begin
    if starts_with(p_relation_name, 'query:') then
        v_query := monitoring._found_source_query(substr(p_relation_name, 7));
        return query select c.name, 'text'::regtype from unnest(v_query.columns) c (name);
        return;
    end if;
    v_relation := to_regclass(p_relation_name);
    if v_relation is null then
        perform monitoring._refuse_unknown(
            'relation', p_relation_name,
            'Register the source anew with the table, view or foreign table that it is now.'
        );
    end if;
    return query
    select
        a.attname::text,
        case
            when y.typtype = 'e' then 'text'::regtype
            else coalesce(nullif(y.typbasetype, 0), y.oid)::regtype
        end
    from pg_attribute a
    inner join pg_type y on y.oid = a.atttypid
    where a.attrelid = v_relation and a.attnum > 0 and not a.attisdropped;
end
$$;

-- Raises PV007 unless what a source reads has all these columns.
create or replace function monitoring._check_relation_columns(
    p_relation_name text, p_columns text[]
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_missing text;
begin
    select c.name into v_missing
    from unnest(p_columns) with ordinality c (name, position)
    where c.name not in (
        select r.column_name from monitoring._relation_columns(p_relation_name) r
    )
    order by c.position
    limit 1;
    if v_missing is not null then
        raise exception using
            errcode = 'PV007',
            message = format('%s has no column "%s"', p_relation_name, v_missing),
            hint = 'Register the source anew with the columns that it has now.';
    end if;
end
$$;

-- The load whose rows a source of a query is to read; null when its rows are not here.
create or replace function monitoring._load_to_read(p_relation_name text) returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Complete, and not yet ended: so it is only while finish_source_load() has its sources read.
    return (
        select max(l.load_id) from monitoring.source_loads l
        where l.query_name = substr(p_relation_name, 7)
            and l.status = 'loaded' and l.ended_at = 'infinity'
    );
end
$$;

-- What a source reads, as an item of a from clause with these columns at least.
create or replace function monitoring._relation_rows(p_relation_name text, p_columns text[])
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not starts_with(p_relation_name, 'query:') then
        return coalesce((
            -- Not by a cast, which others can make: enum_out() takes nothing but enums.
            select format(
                '(select %s from %s e)',
                string_agg(
                    format(
                        case
                            when y.typtype = 'e' then 'textin(enum_out(e.%1$I)) as %1$I'
                            else 'e.%I'
                        end,
                        a.attname
                    ),
                    ', ' order by a.attnum
                ),
                p_relation_name
            )
            from pg_attribute a
            inner join pg_type y on y.oid = a.atttypid
            where a.attrelid = to_regclass(p_relation_name) and a.attnum > 0
                and a.attname = any (p_columns)
            having bool_or(y.typtype = 'e')
        ), p_relation_name);
    end if;
    return (
        select format(
            '(select %s from monitoring.staged_rows r where r.load_id = %s)',
            string_agg(format('r.cells[%s] as %I', c.position, c.name), ', ' order by c.position),
            coalesce(monitoring._load_to_read(p_relation_name), 0)
        )
        from monitoring.source_queries q,
            unnest(q.columns) with ordinality c (name, position)
        where q.query_name = substr(p_relation_name, 7)
    );
end
$$;

-- How each value of a run or a queue is made of a relation as it is now; PV007 when it or a column
-- is gone.
create or replace function monitoring._source_columns(p_source monitoring.sources)
returns table (field text, column_name text, column_type regtype, conversion text, fault text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._check_relation_columns(
        p_source.relation_name,
        array(select c.value from jsonb_each_text(p_source.columns) c order by c.key)
    );
    return query
    select f.field, t.column_name, t.column_type, e.conversion,
        monitoring._source_fault(f.field, t.column_name, f.kind, e.conversion)
    from (
        select r.field, r.kind, r.type_name, r.position
        from monitoring._run_fields() with ordinality r (field, kind, type_name, position)
        where p_source.kind = 'run'
        union all
        select q.field, q.kind,
            case q.kind when 'time' then 'timestamptz' when 'count' then 'bigint' else 'text' end,
            q.position
        from monitoring._fields_of_queues() with ordinality
            q (field, kind, is_of_items, is_of_figures, position)
        where p_source.kind = 'queue'
    ) f
    left join monitoring._relation_columns(p_source.relation_name) t
        on t.column_name = p_source.columns ->> f.field
    cross join lateral (
        select format('(%s)::%s', monitoring._source_conversion(
            t.column_name, f.kind, t.column_type, p_source.time_zone
        ), f.type_name) as conversion
    ) e
    order by f.position;
end
$$;
