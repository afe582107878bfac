-- Checks of arguments, single expressions that the planner inlines; cheaper than domains or CHECKs.
-- Calls of operators take the _checked_ functions, which refuse what is wrong. Recording functions
-- take the _mended_ ones of mended_values.sql: bulk recording has each of them in its insert, a
-- single call first asks cheaply: is everything plainly in order? Only when it is not does it come
-- to them. An expression is set up anew at every call, and its price is the
-- number of functions and operators in it (bench/README.md has the figures); hence one comparison
-- for all names of a call: '!' is the first character after the blank ones, so the least of the
-- names falls below it when one of them is empty or begins with a blank.

-- Whether a document is missing, or an object of at most 64 KiB.
create or replace function monitoring._is_small_object(p_value jsonb) returns boolean
language sql
stable
return p_value is null or (p_value @> '{}' and pg_column_size(p_value) <= 65536);

-- Whether a document is missing, or an object of numbers that are not negative, of at most 64
-- KiB.
create or replace function monitoring._is_small_numbers(p_value jsonb) returns boolean
language sql
stable
return p_value is null
or (
    p_value @> '{}'
    and pg_column_size(p_value) <= 65536
    and not jsonb_path_exists(p_value, 'strict $.* ? (@.type() != "number" || @ < 0)')
);

-- Whether a document is missing, or is something and takes at most 64 KiB.
create or replace function monitoring._is_small_json(p_value jsonb) returns boolean
language sql
stable
return p_value is null or (pg_column_size(p_value) <= 65536 and p_value <> 'null');

-- Whether a name, or several in a row, has nothing in it that cannot be seen.
create or replace function monitoring._is_printable(p_names text) returns boolean
language sql
stable
-- No control characters, no blanks but the plain one, and no marks without a width.
return (p_names collate "C")
!~ '[\u0001-\u001f\u007f-\u00a0\u00ad\u1680\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u2069\u3000\ufeff]'; -- noqa: LT05

-- The name, or PV001 when missing or blank, PV002 when longer than 255 characters.
create or replace function monitoring._checked_name(p_what text, p_value text) returns text
language sql
stable
return case
    when btrim(p_value, E' \t\r\n') <> '' and length(p_value) <= 255 then p_value
    else monitoring._refuse_name(p_what, p_value)
end;

-- The name, null when missing or empty, or PV002 when longer than 255 characters.
create or replace function monitoring._checked_optional_name(p_what text, p_value text) returns text
language sql
stable
return case
    when p_value is null or p_value = '' then null
    when length(p_value) <= 255 then p_value
    else monitoring._refuse_name(p_what, p_value)
end;

create or replace function monitoring.severities() returns text[]
language sql
immutable
return array['low', 'medium', 'high', 'critical'];

comment on function monitoring.severities() is
'The severities, the least severe first. array_position(monitoring.severities(), severity) orders '
'by severity.';

-- The severity, or PV003 unless low, medium, high or critical.
create or replace function monitoring._checked_severity(p_value text) returns text
language sql
stable
return case
    when p_value in ('low', 'medium', 'high', 'critical') then p_value
    else monitoring._refuse_choice('severity', p_value, array['low', 'medium', 'high', 'critical'])
end;

-- The count or size, null when missing, or PV004 when negative.
create or replace function monitoring._checked_size(p_what text, p_value bigint) returns bigint
language sql
stable
return case
    when p_value is null or p_value >= 0 then p_value
    else monitoring._refuse_number(p_what, p_value::text, 'a number from 0 up')::bigint
end;

-- The object, null when missing, capped when large, or PV005 when it is no object.
create or replace function monitoring._checked_object(p_what text, p_value jsonb) returns jsonb
language sql
stable
return case
    when p_value is null then null
    when jsonb_typeof(p_value) = 'object' then monitoring._capped_json(p_value)
    when jsonb_typeof(p_value) = 'null' then null
    else monitoring._refuse_json(p_what, p_value::text, 'a JSON object such as {"key": "value"}')
end;

-- The number that a caller chose for a row, null when missing, or PV004 unless it is negative.
create or replace function monitoring._checked_own_id(p_what text, p_value bigint) returns bigint
language sql
stable
return case
    when p_value is null or p_value < 0 then p_value
    else monitoring._refuse_number(p_what, p_value::text, 'a number below 0; ours count up from 1')
        ::bigint
end;
