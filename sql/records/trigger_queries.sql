-- The queries of status triggers: which records a statement on a watched table has changed.
-- Made once when a trigger is attached, or for a statement that changes many rows. Read and write
-- nothing.

create or replace function monitoring._joined_key(p_alias text, p_key_columns text[])
returns text
language sql
stable
return case
    when cardinality(p_key_columns) = 1 then format('%I.%I::text', p_alias, p_key_columns[1])
    else format('monitoring.key_of_record(%s)', (
            select string_agg(format('%I.%I::text', p_alias, k.name), ', ' order by k.number)
            from unnest(p_key_columns) with ordinality as k (name, number)
        ))
end;

comment on function monitoring._joined_key(text, text[]) is
'Expression for the record key of a row.';

create or replace function monitoring._rows_of_table(
    p_relation text, p_key_columns text[], p_status text
)
returns text
language sql
stable
return format(
    'select %s as record_key, %s as status from %s x',
    monitoring._joined_key('x', p_key_columns), p_status, p_relation
);

comment on function monitoring._rows_of_table(text, text[], text) is
'Query for the keys and statuses in a relation.';

create or replace function monitoring._parts_of_rows(
    p_relation text, p_key_columns text[], p_status_column text
)
returns text
language sql
stable
return format(
    'select %s, x.%I::text as status from %s x',
    (
        select string_agg(format('x.%I::text as part_%s', k.name, k.number), ', ' order by k.number)
        from unnest(p_key_columns) with ordinality as k (name, number)
    ),
    p_status_column, p_relation
);

comment on function monitoring._parts_of_rows(text, text[], text) is
'Query for the parts of the keys, and the statuses, in a transition table.';

create or replace function monitoring._rows_updated(p_key_columns text[], p_status_column text)
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
            monitoring._parts_of_rows('new_rows', p_key_columns, p_status_column),
            monitoring._parts_of_rows('old_rows', p_key_columns, p_status_column),
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

comment on function monitoring._rows_updated(text[], text) is
'Query for the records whose status an update has changed.';

create or replace function monitoring._rows_of_trigger(
    p_operation text, p_table text, p_key_columns text[], p_status_column text
)
returns text
language sql
stable
return case p_operation
    when 'UPDATE' then monitoring._rows_updated(p_key_columns, p_status_column)
    else format(
            case p_operation
                when 'INSERT' then 'select r.*, null::text as previous_status from (%s) r'
                else 'select r.record_key, null::text as status, r.status as previous_status'
                    ' from (%s) r'
            end,
            monitoring._rows_of_table(
                case p_operation
                    when 'INSERT' then 'new_rows'
                    when 'DELETE' then 'old_rows'
                    -- Before a truncate the rows are still there.
                    else p_table
                end,
                p_key_columns, format('x.%I::text', p_status_column)
            )
        )
end;

comment on function monitoring._rows_of_trigger(text, text, text[], text) is
'Query for what a statement has changed in a table: keys, with the status that each has now and '
'had before.';

create or replace function monitoring._first_rows(p_rows_query text) returns text
language sql
stable
return format(
    'select array_agg(r.record_key), array_agg(r.status), array_agg(r.previous_status)'
    ' from (%s limit 1001) r',
    p_rows_query
);

comment on function monitoring._first_rows(text) is
'Query for keys, statuses and previous statuses as arrays, of one row more than a batch has; null '
'where there are none.';

create or replace function monitoring._batches_of_rows(p_rows_query text) returns text
language sql
stable
return format(
    'select array_agg(b.record_key), array_agg(b.status), array_agg(b.previous_status)'
    ' from (select r.*, (row_number() over (order by r.record_key) - 1) / 1000 as batch'
    ' from (%s) r) b group by b.batch order by b.batch',
    p_rows_query
);

comment on function monitoring._batches_of_rows(text) is
'Query for the same of all rows, by the thousand in the order of the keys.';

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

comment on function monitoring._status_rows_query(text) is
'Makes what _status_change_statement takes of keys and statuses, with an actor ($7) and details '
'($8); a row whose key is null or blank is no record, and a key that is too long is shortened, for '
'one row must not hide the others.';
