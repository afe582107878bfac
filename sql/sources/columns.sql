-- How columns of a foreign make become ours: expressions over a row "s" of the relation, made from
-- the types that the columns have at present. What a text or number may not mean becomes null, and
-- a fault says so, for one bad row must not hide the others. Reads the catalogue, writes nothing.

create or replace function monitoring._as_time(p_value text, p_time_zone text)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Only what names its own zone is not of the source's.
    if p_value ~* ':\d\d(\.\d+)?\s*(Z|[+-]\d\d(:?\d\d)?)\s*$' then
        return p_value::timestamptz;
    end if;
    return p_value::timestamp at time zone p_time_zone;
exception
    when data_exception then
        return null;
end
$$;

comment on function monitoring._as_time(text, text) is
'The time that a text means, in a time zone unless it names one; null when it means none.';

create or replace function monitoring._as_count(p_value text) returns bigint
language sql
stable
return case
    when p_value ~ '^\s*-?\d{1,18}(\.0*)?\s*$' then trunc(p_value::numeric)::bigint
end;

comment on function monitoring._as_count(text) is
'The whole number that a text means; null when it means none.';

create or replace function monitoring._as_date(p_value text) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_value ~ '^\s*\d{4}-?\d\d-?\d\d' then
        return to_char(p_value::timestamp, 'YYYY-MM-DD');
    end if;
    return null;
exception
    when data_exception then
        return null;
end
$$;

comment on function monitoring._as_date(text) is
'The date that a text begins with, as 2026-01-15; null when there is none.';

create or replace function monitoring._source_fields()
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
        ('error_message', 'text', 'text')
    ) as f (field, kind, type_name);
end;

comment on function monitoring._source_fields() is
'What a source may have columns for, and what kind of value each is.';

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

comment on function monitoring._source_conversion(text, text, regtype, text) is
'Expression that makes a value of ours of a column.';

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
                when 'count' then ' is no whole number: "'
                when 'date' then ' is no date: "'
                else ' is no time: "'
            end
        )
end;

comment on function monitoring._source_fault(text, text, text, text) is
'Expression that says what is wrong with the value of a column, or null.';

create or replace function monitoring._source_columns(p_source monitoring.run_sources)
returns table (field text, column_name text, column_type regtype, conversion text, fault text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_relation regclass := to_regclass(p_source.relation_name);
    v_missing text;
begin
    if v_relation is null then
        raise exception using
            errcode = 'PV007',
            message = format('there is no relation %s', p_source.relation_name),
            hint = 'Register the source anew with the table, view or foreign table that it is now.';
    end if;
    select c.value into v_missing
    from jsonb_each_text(p_source.columns) c
    where not exists (
        select from pg_attribute a
        where a.attrelid = v_relation and a.attname = c.value and a.attnum > 0
            and not a.attisdropped
    )
    order by c.key
    limit 1;
    if v_missing is not null then
        raise exception using
            errcode = 'PV007',
            message = format('%s has no column "%s"', p_source.relation_name, v_missing),
            hint = 'Register the source anew with the columns that it has now.';
    end if;
    return query
    select f.field, t.column_name, t.column_type, e.conversion,
        monitoring._source_fault(f.field, t.column_name, f.kind, e.conversion)
    from monitoring._source_fields() with ordinality f (field, kind, type_name, position)
    left join lateral (
        select a.attname::text as column_name,
            coalesce(nullif(y.typbasetype, 0), y.oid)::regtype as column_type
        from pg_attribute a
        inner join pg_type y on y.oid = a.atttypid
        where a.attrelid = v_relation and a.attname = p_source.columns ->> f.field
            and a.attnum > 0
    ) t on true
    cross join lateral (
        select format('(%s)::%s', monitoring._source_conversion(
            t.column_name, f.kind, t.column_type, p_source.time_zone
        ), f.type_name) as conversion
    ) e
    order by f.position;
end
$$;

comment on function monitoring._source_columns(monitoring.run_sources) is
'How each value of ours is made of a relation as it is now; PV007 when it or a column is gone.';
