-- The queries of status triggers: which records a statement on a watched table has changed.
-- Made once when a trigger is attached, or for a statement that changes many rows. Read and write
-- nothing.

-- The type that a domain is made of in the end, or a type itself.
create or replace function monitoring._base_type(p_type oid) returns oid
language sql
stable
-- A domain is read as what it is made of; its constraints are looked at when it is written.
return (
    with recursive types as (
        select p_type as oid
        union all
        select y.typbasetype
        from types as t
        inner join pg_catalog.pg_type as y on t.oid = y.oid
        where y.typtype = 'd'
    )

    select y.oid
    from types as t
    inner join pg_catalog.pg_type as y on t.oid = y.oid
    where y.typtype <> 'd'
);

-- Whether the values of a type become texts by PostgreSQL's own code alone: its own types,
-- enums, and domains over them.
create or replace function monitoring._is_our_kind_of_type(p_type oid) returns boolean
language sql
stable
return exists (
    select from pg_catalog.pg_type as y
    where
        y.oid = monitoring._base_type(p_type)
        and (y.typnamespace = 'pg_catalog'::regnamespace or y.typtype = 'e')
);

-- Raises PV007: a type of others, for which code of others might run.
create or replace function monitoring._refuse_type(p_type regtype) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using
        errcode = 'PV007',
        message = format('values of type %s are not read', p_type),
        hint = 'Reading them may run code of others. Watch a column of one of PostgreSQL''s own '
            'types, of an enum, or of a domain over these; a generated column will do. Then attach '
            'the trigger again.';
end
$$;

-- Expression for a column of a table as a text that runs no code of others; PV007 when its type
-- may.
--
-- Expression for a column as a text. The trigger functions have the rights of their owner: no cast
-- that others have made may be named in them, for the planner may run it even where no row does. So
-- the text is made by concat(), which asks the type's output function, and those only superusers
-- can make. What casts to text otherwise than it is put out goes on as the type it was.
create or replace function monitoring._text_of_column(
    p_table text, p_alias text, p_column text
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_type regtype;
    v_base pg_type;
    v_value constant text := format('%I.%I', p_alias, p_column);
begin
    select a.atttypid::regtype into v_type
    from pg_attribute a
    where a.attrelid = to_regclass(p_table) and a.attname = p_column and a.attnum > 0
        and not a.attisdropped;
    if not found then
        raise exception using
            errcode = 'PV007',
            message = format('%s has no column %s', p_table, p_column),
            hint = 'Attach the trigger again, with the columns that the table has now.';
    end if;
    if not monitoring._is_our_kind_of_type(v_type) then
        perform monitoring._refuse_type(v_type);
    end if;
    select y.* into v_base from pg_type y where y.oid = monitoring._base_type(v_type);
    return format(
        'case when pg_typeof(%1$s)::oid < 16384%2$s then case when %1$s is not null then %3$s end '
        'else monitoring._refuse_type(pg_typeof(%1$s)) end',
        v_value,
        -- Those that others have made have higher numbers. Another one may take its place.
        case
            when v_type::oid >= 16384
                then format(' or pg_typeof(%s) = %L::regtype', v_value, v_type)
            else ''
        end,
        format('concat(%s)', v_value) || case
            when exists (
                select from pg_cast c
                where c.castsource = v_base.oid and c.casttarget = 'text'::regtype
                    and c.castmethod = 'f' and v_base.oid < 16384
            ) then format('::pg_catalog.%I::text', v_base.typname)
            else ''
        end
    );
end
$$;

-- Expression for the record key of a row of a table.
create or replace function monitoring._joined_key(
    p_table text, p_alias text, p_key_columns text[]
)
returns text
language sql
stable
return case
    when cardinality(p_key_columns) = 1
        then monitoring._text_of_column(p_table, p_alias, p_key_columns[1])
    else format('monitoring.key_of_record(%s)', (
            select
                string_agg(
                    monitoring._text_of_column(p_table, p_alias, k.name), ', ' order by k.number
                )
            from unnest(p_key_columns) with ordinality as k (name, number)
        ))
end;

-- Query for the keys and statuses in a table, or in a relation with its rows.
create or replace function monitoring._rows_of_table(
    p_table text, p_relation text, p_key_columns text[], p_status_column text
)
returns text
language sql
stable
return format(
    'select %s as record_key, %s as status from %s x',
    monitoring._joined_key(p_table, 'x', p_key_columns),
    monitoring._text_of_column(p_table, 'x', p_status_column), p_relation
);

-- Query for the parts of the keys, and the statuses, in a transition table of a table.
create or replace function monitoring._parts_of_rows(
    p_table text, p_relation text, p_key_columns text[], p_status_column text
)
returns text
language sql
stable
return format(
    'select %s, %s as status from %s x',
    (
        select
            string_agg(
                format(
                    '%s as part_%s', monitoring._text_of_column(p_table, 'x', k.name), k.number
                ),
                ', ' order by k.number
            )
        from unnest(p_key_columns) with ordinality as k (name, number)
    ),
    monitoring._text_of_column(p_table, 'x', p_status_column), p_relation
);

-- Query for the records whose status an update has changed.
create or replace function monitoring._rows_updated(
    p_table text, p_key_columns text[], p_status_column text
)
returns text
language sql
stable
return (
    select
        format(
            -- A row that got another key is the end of one record and the beginning of another.
            -- Parts of keys are joined only where the status differs.
            'select %s as record_key, n.status, o.status as previous_status'
            ' from (%s) n full join (%s) o on %s where n.status is distinct from o.status',
            case
                when count(*) = 1 then 'coalesce(n.part_1, o.part_1)'
                else format('monitoring.key_of_record(%s)', string_agg(
                        format('coalesce(n.part_%1$s, o.part_%1$s)', p.number), ', '
                        order by p.number
                    ))
            end,
            monitoring._parts_of_rows(p_table, 'new_rows', p_key_columns, p_status_column),
            monitoring._parts_of_rows(p_table, 'old_rows', p_key_columns, p_status_column),
            case
                when count(*) = 1 then 'n.part_1 = o.part_1'
                -- A null part of several is an empty one.
                else string_agg(
                        format(
                            'coalesce(n.part_%1$s, '''') = coalesce(o.part_%1$s, '''')', p.number
                        ),
                        ' and ' order by p.number
                    )
            end
        )
    from generate_series(1, cardinality(p_key_columns)) as p (number)
);

-- Query for what a statement has changed in a table: keys, with the status that each has now and
-- had before.
create or replace function monitoring._rows_of_trigger(
    p_operation text, p_table text, p_key_columns text[], p_status_column text
)
returns text
language sql
stable
return case p_operation
    when 'UPDATE' then monitoring._rows_updated(p_table, p_key_columns, p_status_column)
    else format(
            case p_operation
                when 'INSERT' then 'select r.*, null::text as previous_status from (%s) r'
                else 'select r.record_key, null::text as status, r.status as previous_status'
                    ' from (%s) r'
            end,
            monitoring._rows_of_table(
                p_table,
                case p_operation
                    when 'INSERT' then 'new_rows'
                    when 'DELETE' then 'old_rows'
                    -- Before a truncate the rows are still there.
                    else p_table
                end,
                p_key_columns, p_status_column
            )
        )
end;

-- Query for keys, statuses and previous statuses as arrays, of one row more than a batch has;
-- null where there are none.
create or replace function monitoring._first_rows(p_rows_query text) returns text
language sql
stable
return format(
    'select array_agg(r.record_key), array_agg(r.status), array_agg(r.previous_status)'
    ' from (%s limit 1001) r',
    p_rows_query
);

-- Query for the same of all rows, by the thousand in the order of the keys.
create or replace function monitoring._batches_of_rows(p_rows_query text) returns text
language sql
stable
return format(
    'select array_agg(b.record_key), array_agg(b.status), array_agg(b.previous_status)'
    ' from (select r.*, (row_number() over (order by r.record_key) - 1) / 1000 as batch'
    ' from (%s) r) b group by b.batch order by b.batch',
    p_rows_query
);

-- Makes what _status_change_statement takes of keys and statuses, with an actor ($7) and details
-- ($8); a row whose key is null or blank is no record, and a key that is too long is shortened,
-- for one row must not hide the others.
create or replace function monitoring._status_rows_query(p_rows_query text) returns text
language sql
stable
return format(
    'select monitoring._fitted_name(q.record_key) as record_key,'
    ' monitoring._capped_text(q.status, 255) as status, null::timestamptz as effective_at,'
    ' $7::text as actor, null::text as change_source, $8::jsonb as details'
    ' from (%s) q where btrim(q.record_key) <> ''''',
    p_rows_query
);
