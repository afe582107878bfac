-- How bad input is refused: our SQLSTATE, a message that names the value, a hint that says what
-- would be right. docs/errors.md lists the codes. Reads and writes nothing.

create or replace function monitoring._refuse_name(p_what text, p_value text) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if length(p_value) > 255 then
        raise exception using
            errcode = 'PV002',
            message = format('%s is too long: %s characters, beginning with "%s"',
                p_what, length(p_value), left(p_value, 40)),
            hint = 'A name has at most 255 characters; put longer texts into details or metadata.';
    end if;
    raise exception using
        errcode = 'PV001',
        message = format('%s is %s', p_what,
            case when p_value is null then 'missing: null' else format('empty: "%s"', p_value) end),
        hint = format('Give %s a name of 1 to 255 characters that are not all blank.', p_what);
end
$$;

comment on function monitoring._refuse_name(text, text) is
'Raises PV001 (empty or missing) or PV002 (too long) for a name.';

create or replace function monitoring._refuse_choice(
    p_what text, p_value text, p_allowed text[]
) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using
        errcode = 'PV003',
        message = format('%s is not known: %s', p_what,
            coalesce('"' || left(p_value, 100) || '"', 'null')),
        hint = format('Use one of: %s.', array_to_string(p_allowed, ', '));
end
$$;

comment on function monitoring._refuse_choice(text, text, text[]) is
'Raises PV003 for a value that is not one of the allowed ones.';

create or replace function monitoring._refuse_number(p_what text, p_value text, p_wanted text)
returns double precision
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using
        errcode = 'PV004',
        message = format('%s is out of range: %s', p_what, coalesce(p_value, 'null')),
        hint = format('Give %s as %s.', p_what, p_wanted);
end
$$;

comment on function monitoring._refuse_number(text, text, text) is
'Raises PV004 for a negative, missing, infinite or not-a-number value.';

create or replace function monitoring._refuse_json(p_what text, p_value text, p_wanted text)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using
        errcode = 'PV005',
        message = format('%s has the wrong shape: %s', p_what, left(p_value, 200)),
        hint = format('Give %s as %s.', p_what, p_wanted);
end
$$;

comment on function monitoring._refuse_json(text, text, text) is
'Raises PV005 for a JSON value of the wrong shape.';

create or replace function monitoring._refuse_time(p_at timestamptz) returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using
        errcode = 'PV006',
        message = format('time is impossible: %s', p_at),
        hint = 'Give a time from 1970-01-01 up to a day from now, or leave it out to mean now.';
end
$$;

comment on function monitoring._refuse_time(timestamptz) is
'Raises PV006 for a time before 1970 or more than a day ahead.';

create or replace function monitoring._refuse_span(p_start timestamptz, p_end timestamptz)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_end is null then
        raise exception using
            errcode = 'PV006',
            message = 'end_time is missing',
            hint = 'Give the time at which the task ended.';
    end if;
    raise exception using
        errcode = 'PV006',
        message = format('task ends before it starts: start_time %s, end_time %s', p_start, p_end),
        hint = 'Give an end_time that is not before start_time.';
end
$$;

comment on function monitoring._refuse_span(timestamptz, timestamptz) is
'Raises PV006 for a task that has no end, or ends before it starts.';
