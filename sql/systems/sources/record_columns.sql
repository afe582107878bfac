-- How a row of a source of records becomes a record of ours: a query made from the columns that the
-- relation has at present. Reads the catalogue, writes nothing.

-- What a source of records may have columns for.
create or replace function monitoring._fields_of_records() returns text[]
language sql
stable
return array[
    'record_key', 'status', 'effective_at', 'actor', 'change_source', 'target_date', 'group'
];

-- All columns that a source of records reads.
create or replace function monitoring._columns_of_records(p_columns jsonb) returns text[]
language sql
stable
return array(
    select n.name
    from jsonb_path_query(p_columns, 'lax $.*[*]') as c (value)
    cross join lateral (select c.value #>> '{}' as name) as n
);

-- Expression that makes the key of a record of one column or several, null where all are blank.
create or replace function monitoring._key_of_source(p_record_key jsonb) returns text
language sql
stable
return case
    when jsonb_typeof(p_record_key) = 'string'
        then format('nullif(btrim(s.%1$I::text), '''')', p_record_key #>> '{}')
    else (
        select
            format(
                'case when concat(%s) <> '''' then monitoring.key_of_record(%s) end',
                string_agg(format('btrim(s.%I::text)', c.name), ', ' order by c.position),
                string_agg(format('btrim(s.%I::text)', c.name), ', ' order by c.position)
            )
        from jsonb_array_elements_text(p_record_key) with ordinality as c (name, position)
    )
end;

-- Expression that makes a status of a column: what its code is called, or the code itself.
create or replace function monitoring._status_expression(p_column text, p_statuses jsonb)
returns text
language sql
stable
return case
    when p_statuses = '{}' then format('btrim(s.%I::text)', p_column)
    else format(
            'coalesce(%2$L::jsonb ->> monitoring._status_code(s.%1$I::text), btrim(s.%1$I::text))',
            p_column, p_statuses
        )
end;

-- Condition for the rows of a day; true when no day is asked for or no column tells it.
create or replace function monitoring._date_filter(
    p_column text, p_type regtype, p_time_zone text, p_date date
)
returns text
language sql
stable
return case
    when p_date is null or p_column is null then 'true'
    -- Plain comparisons of a column with constants are handed to a foreign server.
    when p_type = 'date'::regtype then format('s.%I = date %L', p_column, p_date)
    when p_type = 'timestamp'::regtype
        then format(
                's.%1$I >= timestamp %2$L and s.%1$I < timestamp %3$L', p_column,
                to_char(p_date, 'YYYY-MM-DD'), to_char(p_date + 1, 'YYYY-MM-DD')
            )
    when p_type = 'timestamptz'::regtype
        then format(
                's.%1$I >= timestamptz %2$L and s.%1$I < timestamptz %3$L', p_column,
                p_date::timestamp at time zone p_time_zone,
                (p_date + 1)::timestamp at time zone p_time_zone
            )
    else format(
            'monitoring._as_date(s.%I::text) = %L', p_column, to_char(p_date, 'YYYY-MM-DD')
        )
end;

-- Condition for the rows of some records; true when all are asked for. A plain column is compared
-- with constants of its own type where that can be: an index finds them, and a foreign server is
-- asked for no others.
create or replace function monitoring._key_filter(
    p_record_key jsonb, p_type regtype, p_keys text[]
)
returns text
language sql
stable
return case
    when p_keys is null then 'true'
    when p_type in ('text'::regtype, 'varchar'::regtype)
        then format('s.%I = any (%L::text[])', p_record_key #>> '{}', p_keys)
    when p_type in ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype)
        then format(
                's.%I = any (%L::bigint[])', p_record_key #>> '{}',
                array(select k.key from unnest(p_keys) as k (key) where k.key ~ '^-?\d{1,18}$')
            )
    else format('%s = any (%L::text[])', monitoring._key_of_source(p_record_key), p_keys)
end;

-- How each value of a record is made of a relation as it is now; PV007 when it or a column is
-- gone.
create or replace function monitoring._expressions_of_records(
    p_source monitoring.sources, p_target_date date
)
returns table (record_key text, status text, field text, expression text, condition text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._check_relation_columns(
        p_source.relation_name, monitoring._columns_of_records(p_source.columns)
    );
    return query
    select
        monitoring._key_of_source(p_source.columns -> 'record_key'),
        monitoring._status_expression(
            p_source.columns ->> 'status', p_source.statuses
        ),
        f.field,
        case
            when c.column_name is null then 'null::text'
            when f.field = 'effective_at' then monitoring._source_conversion(
                c.column_name, 'time', c.column_type, p_source.time_zone
            )
            else format('nullif(btrim(s.%I::text), '''')', c.column_name)
        end,
        monitoring._date_filter(
            case when f.field = 'target_date' then c.column_name end, c.column_type,
            p_source.time_zone, p_target_date
        )
    from unnest(array['effective_at', 'actor', 'change_source', 'group', 'target_date']) f (field)
    left join monitoring._relation_columns(p_source.relation_name) c
        on c.column_name = p_source.columns ->> f.field;
end
$$;

-- Query for the rows of a source of records, of a day, of some keys or all, with what is wrong with
-- each; all names in it were looked up.
create or replace function monitoring._query_of_records(
    p_source monitoring.sources, p_target_date date, p_now timestamptz, p_keys text[] default null
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_expressions jsonb;
    v_filter text;
    v_keys text;
    v_key text;
    v_status text;
    v_rows text;
    v_time_column constant text := p_source.columns ->> 'effective_at';
    v_columns constant text [] := monitoring._columns_of_records(p_source.columns);
begin
    select jsonb_object_agg(e.field, e.expression), min(e.record_key), min(e.status),
        string_agg(e.condition, ' and ') filter (where e.condition <> 'true')
    into v_expressions, v_key, v_status, v_filter
    from monitoring._expressions_of_records(p_source, p_target_date) e;
    v_keys := monitoring._key_filter(
        p_source.columns -> 'record_key',
        (
            select c.column_type from monitoring._relation_columns(p_source.relation_name) c
            where to_jsonb(c.column_name) = p_source.columns -> 'record_key'
        ),
        p_keys
    );
    v_rows := format(
        $query$
        select %1$s as record_key, %2$s as status, (%3$s)::timestamptz as effective_at,
            left(%4$s, 255) as actor, %5$s as change_source, %6$s as details, %7$s as has_time
        from %8$s s where %9$s
        -- Else each value would be made anew wherever it stands above.
        offset 0
        $query$,
        v_key, v_status, v_expressions ->> 'effective_at', v_expressions ->> 'actor',
        v_expressions ->> 'change_source',
        case
            when p_source.columns ? 'group' then format(
                'case when %1$s is not null then jsonb_build_object(''group'', left(%1$s, 255)) end',
                v_expressions ->> 'group'
            )
            else 'null::jsonb'
        end,
        case
            when v_time_column is null then 'false'
            else format('btrim(s.%I::text) <> ''''', v_time_column)
        end,
        monitoring._relation_rows(p_source.relation_name, v_columns),
        concat_ws(' and ', v_filter, v_keys)
    );
    if monitoring._is_read_without_rights(p_source.relation_name, v_columns) then
        v_rows := monitoring._query_as_reader(
            v_rows,
            array['record_key', 'status', 'effective_at', 'actor', 'change_source', 'details',
                'has_time'],
            array['text', 'text', 'timestamptz', 'text', 'text', 'jsonb', 'boolean']
        );
    end if;
    return format(
        $query$
        select r.*, case
            when r.record_key is null then 'has no record_key'
            when length(r.record_key) > 255 then 'record_key is too long'
            when coalesce(r.status, '') = '' then 'has no status'
            when length(r.status) > 255 then 'status is too long'
            when r.effective_at < '1970-01-01 00:00:00+00'::timestamptz
                or r.effective_at > %2$L::timestamptz then 'effective_at is impossible'
            when r.effective_at is null and r.has_time then 'effective_at is not a time'
            when r.change_source <> all (%3$L::text[]) then 'change_source is not known'
        end as fault
        from (%1$s) r
        $query$,
        v_rows, p_now + interval '1 day',
        array(select c.change_source from monitoring.change_sources c order by 1)
    );
end
$$;
