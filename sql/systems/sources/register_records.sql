-- What people say about sources of records. Writes sources.

-- Raises PV003 or PV005 unless an object names the columns that a source of records needs, and
-- no others.
create or replace function monitoring._check_record_columns(p_columns jsonb) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_bad text;
begin
    if p_columns is null or jsonb_typeof(p_columns) <> 'object' then
        perform monitoring._refuse_json('columns', coalesce(p_columns::text, 'null'),
            'a JSON object such as {"record_key": ["branch", "number"], "status": "state"}');
    end if;
    perform monitoring._refuse_unknown_keys(
        'key of columns', p_columns, monitoring._fields_of_records()
    );
    select c.key into v_bad from jsonb_each(p_columns) c
    where not (
        jsonb_typeof(c.value) = 'string'
        or (c.key = 'record_key' and jsonb_typeof(c.value) = 'array' and c.value <> '[]'
            and not jsonb_path_exists(c.value, '$[*] ? (@.type() != "string")'))
    )
    order by c.key
    limit 1;
    if v_bad is not null then
        perform monitoring._refuse_json('columns.' || v_bad, (p_columns -> v_bad)::text,
            case v_bad
                when 'record_key' then 'the name of a column, or an array of names'
                else 'the name of a column'
            end);
    end if;
    if not p_columns ?& array['record_key', 'status'] then
        perform monitoring._refuse_json('columns', p_columns::text,
            'an object with record_key and status');
    end if;
end
$$;

-- What status codes are called, codes in upper case and without blanks; PV005 when that is not
-- clear.
create or replace function monitoring._checked_status_names(p_statuses jsonb) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_bad text;
    v_statuses jsonb;
begin
    if p_statuses is null or jsonb_typeof(p_statuses) <> 'object' then
        perform monitoring._refuse_json('statuses', coalesce(p_statuses::text, 'null'),
            'a JSON object such as {"1": "OPEN", "2": "DONE"}');
    end if;
    select s.key into v_bad from jsonb_each(p_statuses) s
    where jsonb_typeof(s.value) <> 'string'
        or length(s.value #>> '{}') not between 1 and 255
    order by s.key limit 1;
    if v_bad is not null then
        perform monitoring._refuse_json('statuses.' || v_bad, (p_statuses -> v_bad)::text,
            'the name of a status');
    end if;
    select monitoring._status_code(s.key) into v_bad
    from jsonb_each_text(p_statuses) s
    group by monitoring._status_code(s.key) having count(distinct s.value) > 1
    limit 1;
    if v_bad is not null then
        perform monitoring._refuse_json('statuses', p_statuses::text,
            format('an object that says once what "%s" is called; case and blanks do not count',
                v_bad));
    end if;
    select coalesce(jsonb_object_agg(monitoring._status_code(s.key), s.value), '{}')
    into v_statuses
    from jsonb_each(p_statuses) s;
    return v_statuses;
end
$$;

create or replace function monitoring.register_record_source(
    p_source_name text,
    p_dataset text,
    p_relation text,
    p_columns jsonb,
    p_statuses jsonb default '{}',
    p_change_source text default 'SYSTEM',
    p_time_zone text default 'UTC',
    p_is_complete boolean default false,
    p_by text default null,
    p_every interval default '1 hour',
    p_timeout interval default '10 minutes'
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_source monitoring.sources;
begin
    v_source := monitoring._new_source(
        p_source_name, 'record', p_relation, p_columns, p_time_zone, p_every, p_timeout, p_by
    );
    perform monitoring._checked_name('dataset', p_dataset);
    perform monitoring._check_record_columns(p_columns);
    perform monitoring._checked_change_source(p_change_source);
    v_source.statuses := monitoring._checked_status_names(p_statuses);
    v_source.settings := jsonb_build_object(
        'dataset', p_dataset, 'change_source', p_change_source,
        'is_complete', coalesce(p_is_complete, false)
    );
    perform monitoring._put_source(v_source, monitoring._columns_of_records(p_columns));
end
$$;

comment on function monitoring.register_record_source(
    text, text, text, jsonb, jsonb, text, text, boolean, text, interval, interval
) is
'Registers the relation, or query:NAME, that shows the records of a dataset and their statuses; '
'calling it again changes that. docs/sources.md lists the settings.';
