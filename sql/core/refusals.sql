-- How bad input is refused: our SQLSTATE, a message that names the value, a hint that says what
-- would be right. docs/errors.md lists the codes. Reads and writes nothing.
-- What is wrong is one array of code, message and hint: _raise() refuses it, which is what calls
-- of operators get; recording functions repair and tell it instead (repairs.sql).

-- Raises a fault that is given as code, message and hint.
create or replace function monitoring._raise(p_fault text[]) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
-- An immutable one would be tried while planning:
-- @plpgsql_check_options: performance_warnings = off
begin
    raise exception using errcode = p_fault[1], message = p_fault[2], hint = p_fault[3];
end
$$;

-- Raises PV007: there is nothing of that name, or number.
create or replace function monitoring._refuse_unknown(p_what text, p_name text, p_hint text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._raise(array[
        'PV007',
        format('there is no %s %s', p_what, case
            when p_name ~ '^-?[0-9]+$' then p_name
            else coalesce('"' || left(p_name, 100) || '"', 'null')
        end),
        p_hint
    ]);
end
$$;

-- What is wrong with a name: PV001 (empty, missing or not printable) or PV002 (too long).
create or replace function monitoring._fault_of_name(p_what text, p_value text) returns text[]
language sql
stable
return case
    when length(p_value) > 255
        then array[
                'PV002',
                format(
                    '%s is too long: %s characters, beginning with "%s"',
                    p_what, length(p_value), left(p_value, 40)
                ),
                'A name has at most 255 characters; put longer texts into details or metadata.'
            ]
    else array[
            'PV001',
            format(
                '%s is %s', p_what,
                case
                    when p_value is null then 'missing: null'
                    when btrim(p_value, E' \t\r\n') = '' then format('empty: "%s"', p_value)
                    else format('not printable: %s', to_json(left(p_value, 100)))
                end
            ),
            format('Give %s a name of 1 to 255 characters that are not all blank.', p_what)
        ]
end;

-- Raises PV001 (empty or missing) or PV002 (too long) for a name.
create or replace function monitoring._refuse_name(p_what text, p_value text) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._raise(monitoring._fault_of_name(p_what, p_value));
    return null;
end
$$;

-- PV003: a value is not one of the allowed ones.
create or replace function monitoring._fault_of_choice(
    p_what text, p_value text, p_allowed text[]
) returns text[]
language sql
stable
return array[
    'PV003',
    format('%s is not known: %s', p_what, coalesce('"' || left(p_value, 100) || '"', 'null')),
    format('Use one of: %s.', array_to_string(p_allowed, ', '))
];

-- Raises PV003 for a value that is not one of the allowed ones.
create or replace function monitoring._refuse_choice(
    p_what text, p_value text, p_allowed text[]
) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._raise(monitoring._fault_of_choice(p_what, p_value, p_allowed));
    return null;
end
$$;

-- PV004: a value is negative, missing, infinite or not a number.
create or replace function monitoring._fault_of_number(p_what text, p_value text, p_wanted text)
returns text[]
language sql
stable
return array[
    'PV004',
    format('%s is out of range: %s', p_what, coalesce(left(p_value, 400), 'null')),
    format('Give %s as %s.', p_what, p_wanted)
];

-- Raises PV004 for a negative, missing, infinite or not-a-number value.
create or replace function monitoring._refuse_number(p_what text, p_value text, p_wanted text)
returns double precision
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._raise(monitoring._fault_of_number(p_what, p_value, p_wanted));
    return null;
end
$$;

-- PV005: a JSON value has the wrong shape.
create or replace function monitoring._fault_of_json(p_what text, p_value text, p_wanted text)
returns text[]
language sql
stable
return array[
    'PV005',
    format('%s has the wrong shape: %s', p_what, left(p_value, 200)),
    format('Give %s as %s.', p_what, p_wanted)
];

-- Raises PV005 for a JSON value of the wrong shape.
create or replace function monitoring._refuse_json(p_what text, p_value text, p_wanted text)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._raise(monitoring._fault_of_json(p_what, p_value, p_wanted));
    return null;
end
$$;

-- PV006: a time before 1970 or more than a day ahead.
create or replace function monitoring._fault_of_time(p_at timestamptz) returns text[]
language sql
stable
return array[
    'PV006',
    format('time is impossible: %s', p_at),
    'Give a time from 1970-01-01 up to a day from now, or leave it out to mean now.'
];

-- Raises PV006 for a time before 1970 or more than a day ahead.
create or replace function monitoring._refuse_time(p_at timestamptz) returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._raise(monitoring._fault_of_time(p_at));
    return null;
end
$$;

-- PV006: a task has no end, or ends before it starts.
create or replace function monitoring._fault_of_span(p_start timestamptz, p_end timestamptz)
returns text[]
language sql
stable
return case
    when p_end is null
        then array[
                'PV006', 'end_time is missing', 'Give the time at which the task ended.'
            ]
    else array[
            'PV006',
            format('task ends before it starts: start_time %s, end_time %s', p_start, p_end),
            'Give an end_time that is not before start_time.'
        ]
end;
