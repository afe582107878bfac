-- Checks of arguments, single expressions that the planner inlines; cheaper than domains or CHECKs.
-- Bulk recording has each _checked_ function in its insert. A single call first asks cheaply: is
-- everything plainly in order? Only when it is not does it take the _checked_ functions, which
-- refuse or clean the argument. An expression is set up anew at every call, and its price is the
-- number of functions and operators in it (bench/README.md has the figures); hence one comparison
-- for all names of a call: '!' is the first character after the blank ones, so the least of the
-- names falls below it when one of them is empty or begins with a blank.

create or replace function monitoring._is_small_object(p_value jsonb) returns boolean
language sql
stable
return p_value is null or (p_value @> '{}' and pg_column_size(p_value) <= 65536);

comment on function monitoring._is_small_object(jsonb) is
'Whether a document is missing, or an object of at most 64 KiB.';

create or replace function monitoring._is_small_numbers(p_value jsonb) returns boolean
language sql
stable
return p_value is null
or (
    p_value @> '{}'
    and pg_column_size(p_value) <= 65536
    and not jsonb_path_exists(p_value, 'strict $.* ? (@.type() != "number" || @ < 0)')
);

comment on function monitoring._is_small_numbers(jsonb) is
'Whether a document is missing, or an object of numbers that are not negative, of at most 64 KiB.';

create or replace function monitoring._is_small_json(p_value jsonb) returns boolean
language sql
stable
return p_value is null or (pg_column_size(p_value) <= 65536 and p_value <> 'null');

comment on function monitoring._is_small_json(jsonb) is
'Whether a document is missing, or is something and takes at most 64 KiB.';

create or replace function monitoring._checked_name(p_what text, p_value text) returns text
language sql
stable
return case
    when btrim(p_value, E' \t\r\n') <> '' and length(p_value) <= 255 then p_value
    else monitoring._refuse_name(p_what, p_value)
end;

comment on function monitoring._checked_name(text, text) is
'The name, or PV001 when missing or blank, PV002 when longer than 255 characters.';

create or replace function monitoring._checked_optional_name(p_what text, p_value text) returns text
language sql
stable
return case
    when p_value is null or p_value = '' then null
    when length(p_value) <= 255 then p_value
    else monitoring._refuse_name(p_what, p_value)
end;

comment on function monitoring._checked_optional_name(text, text) is
'The name, null when missing or empty, or PV002 when longer than 255 characters.';

create or replace function monitoring._checked_severity(p_value text) returns text
language sql
stable
return case
    when p_value in ('low', 'medium', 'high', 'critical') then p_value
    else monitoring._refuse_choice('severity', p_value, array['low', 'medium', 'high', 'critical'])
end;

comment on function monitoring._checked_severity(text) is
'The severity, or PV003 unless low, medium, high or critical.';

create or replace function monitoring._checked_end_status(p_value text) returns text
language sql
stable
return case
    when p_value in ('completed', 'failed', 'cancelled', 'timeout', 'lost') then p_value
    else monitoring._refuse_choice(
            'status', p_value, array['completed', 'failed', 'cancelled', 'timeout', 'lost']
        )
end;

comment on function monitoring._checked_end_status(text) is
'The status a task ended with, or PV003 unless completed, failed, cancelled, timeout or lost.';

create or replace function monitoring._checked_health(p_value text) returns text
language sql
stable
return case
    when p_value in ('healthy', 'degraded', 'unhealthy', 'unknown') then p_value
    else monitoring._refuse_choice(
            'health status', p_value, array['healthy', 'degraded', 'unhealthy', 'unknown']
        )
end;

comment on function monitoring._checked_health(text) is
'The health status, or PV003 unless healthy, degraded, unhealthy or unknown.';

create or replace function monitoring._checked_level(p_value text) returns text
language sql
stable
return case
    when p_value in ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL') then p_value
    -- The letters of the database's language may have an upper case of their own.
    when upper(p_value collate "C") in ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL')
        then upper(p_value collate "C")
    when upper(p_value collate "C") = 'WARN' then 'WARNING'
    when upper(p_value collate "C") = 'FATAL' then 'CRITICAL'
    else monitoring._refuse_choice(
            'level', p_value, array['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL']
        )
end;

comment on function monitoring._checked_level(text) is
'The log level in upper case (WARN is WARNING, FATAL is CRITICAL), or PV003.';

create or replace function monitoring._checked_size(p_what text, p_value bigint) returns bigint
language sql
stable
return case
    when p_value is null or p_value >= 0 then p_value
    else monitoring._refuse_number(p_what, p_value::text, 'a number from 0 up')::bigint
end;

comment on function monitoring._checked_size(text, bigint) is
'The count or size, null when missing, or PV004 when negative.';

create or replace function monitoring._checked_length(p_what text, p_value double precision)
returns double precision
language sql
stable
return case
    when p_value is null or p_value between 0 and '1e100' then p_value
    else monitoring._refuse_number(p_what, p_value::text, 'a number from 0 to 1e100')
end;

comment on function monitoring._checked_length(text, double precision) is
'The length of time, null when missing, or PV004 unless from 0 to 1e100.';

create or replace function monitoring._checked_value(p_value double precision)
returns double precision
language sql
stable
return case
    -- Larger ones have no square, and would break every mean and deviation.
    when abs(p_value) <= '1e100' then p_value
    else monitoring._refuse_number('value', p_value::text, 'a number from -1e100 to 1e100')
end;

comment on function monitoring._checked_value(double precision) is
'The measured value, or PV004 unless from -1e100 to 1e100.';

create or replace function monitoring._checked_object(p_what text, p_value jsonb) returns jsonb
language sql
stable
return case
    when p_value is null then null
    when jsonb_typeof(p_value) = 'object' then monitoring._capped_json(p_value)
    when jsonb_typeof(p_value) = 'null' then null
    else monitoring._refuse_json(p_what, p_value::text, 'a JSON object such as {"key": "value"}')
end;

comment on function monitoring._checked_object(text, jsonb) is
'The object, null when missing, capped when large, or PV005 when it is no object.';

create or replace function monitoring._checked_numbers(p_what text, p_value jsonb) returns jsonb
language sql
stable
return case
    when jsonb_typeof(p_value) = 'null' then null
    when monitoring._is_small_numbers(p_value) then p_value
    when pg_column_size(p_value) > 65536
        then monitoring._refuse_json(
                p_what,
                format('%s bytes', pg_column_size(p_value)),
                'a JSON object of at most 64 KiB'
            )
    else monitoring._refuse_json(
            p_what,
            p_value::text,
            'a JSON object of numbers that are not negative, such as {"done": 12}'
        )
end;

comment on function monitoring._checked_numbers(text, jsonb) is
'The object of numbers, null when missing, or PV005 when it is anything else or too large.';

create or replace function monitoring._checked_start(p_start timestamptz, p_end timestamptz)
returns timestamptz
language sql
volatile
return case
    when p_start is null then null
    when p_start <= p_end then monitoring._event_time(p_start)
    else monitoring._refuse_span(p_start, p_end)
end;

comment on function monitoring._checked_start(timestamptz, timestamptz) is
'The start of a task, null when missing, or PV006 when it lies after the end.';

create or replace function monitoring._checked_end(p_end timestamptz) returns timestamptz
language sql
stable
return coalesce(p_end, monitoring._refuse_span(null, p_end));

comment on function monitoring._checked_end(timestamptz) is
'The end of a finished task, or PV006 when missing: it says which run it was, so now will not do.';

create or replace function monitoring._checked_own_id(p_what text, p_value bigint) returns bigint
language sql
stable
return case
    when p_value is null or p_value < 0 then p_value
    else monitoring._refuse_number(p_what, p_value::text, 'a number below 0; ours count up from 1')
        ::bigint
end;

comment on function monitoring._checked_own_id(text, bigint) is
'The number that a caller chose for a row, null when missing, or PV004 unless it is negative.';

create or replace function monitoring._checked_attempt(p_value bigint) returns integer
language sql
stable
return case
    when p_value between 1 and 2147483647 then p_value::integer
    else monitoring._refuse_number('attempt', p_value::text, 'a number from 1 up')::integer
end;

comment on function monitoring._checked_attempt(bigint) is
'The number of an attempt, or PV004 unless it counts from 1.';
