-- When cron expressions are due, by the clocks of a time zone, and how bad ones are refused.

begin;
select plan(91);
\ir helpers/refusals.psql

-- Where nothing is said of a time zone, UTC is meant, whatever the session's is.
set local timezone = 'Pacific/Kiritimati';

create function pg_temp.runs(
    p_expression text, p_after text, p_time_zone text default 'UTC', p_runs integer default 3
)
returns text
language plpgsql
as $$
declare
    v_at timestamptz := p_after::timestamptz;
    v_shown text := '';
begin
    for v_run in 1 .. p_runs loop
        v_at := monitoring.next_cron_time(p_expression, v_at, p_time_zone);
        v_shown := v_shown || coalesce(to_char(v_at at time zone 'UTC', ' DD.MM.YY HH24:MI'), ' -');
    end loop;
    return ltrim(v_shown);
end
$$;

-- Interface

select is(
    monitoring.next_cron_time('30 2 * * *', '2026-01-15 12:00+00'),
    '2026-01-16 02:30+00'::timestamptz,
    'the time zone is UTC where none is given'
);

select is(
    monitoring.next_cron_time('30 2 * * *', '2026-01-15 12:00+00', 'Asia/Kolkata'),
    '2026-01-15 21:00+00'::timestamptz,
    'a time zone is that whose clocks the expression means'
);

-- Behaviour: fields

select
    is(
        pg_temp.runs(expression, '2026-01-15 12:00+00'),
        expected,
        expression || ' is read as cron does'
    )
from (
    values
    ('* * * * *', '15.01.26 12:01 15.01.26 12:02 15.01.26 12:03'),
    ('*/25 * * * *', '15.01.26 12:25 15.01.26 12:50 15.01.26 13:00'),
    ('5/25 * * * *', '15.01.26 12:05 15.01.26 12:30 15.01.26 12:55'),
    ('5-50/25 * * * *', '15.01.26 12:05 15.01.26 12:30 15.01.26 13:05'),
    ('5-5/25 * * * *', '15.01.26 12:05 15.01.26 13:05 15.01.26 14:05'),
    ('*/99 * * * *', '15.01.26 13:00 15.01.26 14:00 15.01.26 15:00'),
    ('50,7,08-9 12 * * *', '15.01.26 12:07 15.01.26 12:08 15.01.26 12:09'),
    ('0 0 31 * *', '31.01.26 00:00 31.03.26 00:00 31.05.26 00:00'),
    ('0 12 * FEB,jun-Aug/2 *', '01.02.26 12:00 02.02.26 12:00 03.02.26 12:00'),
    ('0 12 * * Fri-sat', '16.01.26 12:00 17.01.26 12:00 23.01.26 12:00'),
    ('0 12 * * 7', '18.01.26 12:00 25.01.26 12:00 01.02.26 12:00'),
    ('0 12 * * 0', '18.01.26 12:00 25.01.26 12:00 01.02.26 12:00'),
    ('0 12 * * 6-7', '17.01.26 12:00 18.01.26 12:00 24.01.26 12:00'),
    ('0 12 * * */3', '17.01.26 12:00 18.01.26 12:00 21.01.26 12:00'),
    (E' 0\t12 *  *  * ', '16.01.26 12:00 17.01.26 12:00 18.01.26 12:00'),
    ('@hourly', '15.01.26 13:00 15.01.26 14:00 15.01.26 15:00'),
    ('@daily', '16.01.26 00:00 17.01.26 00:00 18.01.26 00:00'),
    ('@Midnight ', '16.01.26 00:00 17.01.26 00:00 18.01.26 00:00'),
    ('@weekly', '18.01.26 00:00 25.01.26 00:00 01.02.26 00:00'),
    ('@monthly', '01.02.26 00:00 01.03.26 00:00 01.04.26 00:00'),
    ('@yearly', '01.01.27 00:00 01.01.28 00:00 01.01.29 00:00'),
    ('@annually', '01.01.27 00:00 01.01.28 00:00 01.01.29 00:00')
) as known (expression, expected);

-- Behaviour: two kinds of days

select is(
    pg_temp.runs('0 0 13 * fri', '2026-02-01', p_runs => 4),
    '06.02.26 00:00 13.02.26 00:00 20.02.26 00:00 27.02.26 00:00',
    'a day of the month and a day of the week: one of them is enough'
);

select is(
    pg_temp.runs('0 0 13 * */5', '2026-02-01'),
    '13.02.26 00:00 13.03.26 00:00 13.09.26 00:00',
    'both must match when one begins with a star, be it with a step'
);

select is(
    pg_temp.runs('0 0 */2,13 * mon', '2026-02-01'),
    '09.02.26 00:00 23.02.26 00:00 09.03.26 00:00',
    'or with more behind it'
);

-- Behaviour: clocks that are changed. New York's went from 02:00 to 03:00 on 9 March 2025 at 07:00
-- UTC, and from 02:00 to 01:00 on 2 November 2025 at 06:00 UTC.

select
    is(
        pg_temp.runs(expression, after, 'America/New_York'),
        expected,
        format('%s after %s: %s', expression, after, story)
    )
from (
    values
    (
        '30 2 * * *', '2025-03-09 06:00+00', '09.03.25 07:00 10.03.25 06:30 11.03.25 06:30',
        'a time of the day that is left out is made up for right after the change'
    ),
    (
        '0,20,40 2 * * *', '2025-03-09 06:00+00', '09.03.25 07:00 10.03.25 06:00 10.03.25 06:20',
        'several that are left out are one run'
    ),
    (
        '0 2,3 * * *', '2025-03-09 06:00+00', '09.03.25 07:00 10.03.25 06:00 10.03.25 07:00',
        'and one with what is due then anyway'
    ),
    (
        '30 2 * * *', '2025-03-09 07:00+00', '10.03.25 06:30 11.03.25 06:30 12.03.25 06:30',
        'what was made up for is not made up for again'
    ),
    (
        '*/30 2 * * *', '2025-03-09 06:00+00', '10.03.25 06:00 10.03.25 06:30 11.03.25 06:00',
        'a job by elapsed time has no run in an hour that is left out'
    ),
    (
        '0 */2 * * *', '2025-03-09 05:30+00', '09.03.25 08:00 09.03.25 10:00 09.03.25 12:00',
        'a star in the hour is enough'
    ),
    (
        '*/30 * * * *', '2025-03-09 06:30+00', '09.03.25 07:00 09.03.25 07:30 09.03.25 08:00',
        'every half hour stays every half hour'
    ),
    (
        '30 1 * * *', '2025-11-02 05:00+00', '02.11.25 05:30 03.11.25 06:30 04.11.25 06:30',
        'a time of the day that comes twice is run the first time'
    ),
    (
        '30 1 * * *', '2025-11-02 06:10+00', '03.11.25 06:30 04.11.25 06:30 05.11.25 06:30',
        'and not the second time, asked in between either'
    ),
    (
        '0 2 * * *', '2025-11-02 06:10+00', '02.11.25 07:00 03.11.25 07:00 04.11.25 07:00',
        'the time the clock was set back at is shown only once'
    ),
    (
        '*/30 1 * * *', '2025-11-02 05:10+00', '02.11.25 05:30 02.11.25 06:00 02.11.25 06:30',
        'a job by elapsed time runs in both'
    ),
    (
        '0 * * * *', '2025-11-02 04:30+00', '02.11.25 05:00 02.11.25 06:00 02.11.25 07:00',
        'an hourly one every 60 minutes'
    )
) as known (expression, after, expected, story);

select is(
    pg_temp.runs('0 0 * * *', '2018-11-03 12:00+00', 'America/Sao_Paulo'),
    '04.11.18 03:00 05.11.18 02:00 06.11.18 02:00',
    'a midnight that is left out is made up for at one o''clock'
);

select is(
    pg_temp.runs('15 2 * * *', '2018-10-06 12:00+00', 'Australia/Lord_Howe'),
    '06.10.18 15:30 07.10.18 15:15 08.10.18 15:15',
    'clocks may change by half an hour'
);

select is(
    pg_temp.runs('30 2 * * *', '2011-12-29 12:30+00', 'Pacific/Apia'),
    '30.12.11 10:00 30.12.11 12:30 31.12.11 12:30',
    'or by a day, whose run is made up for too'
);

-- Boundaries

select is(
    pg_temp.runs('0 12 * * *', '2026-01-15 11:59:59.999999+00', p_runs => 1),
    '15.01.26 12:00',
    'a run may be a microsecond away'
);

select is(
    pg_temp.runs('0 12 * * *', '2026-01-15 12:00:00.000001+00', p_runs => 1),
    '16.01.26 12:00',
    'what was due a microsecond ago is past'
);

select is(
    pg_temp.runs('0 0 29 2 *', '2096-03-01'),
    '29.02.04 00:00 29.02.08 00:00 29.02.12 00:00',
    '1900 and 2100 have no 29 February'
);

select is(
    pg_temp.runs('0 0 29 2 */7', '2026-01-01'),
    '29.02.32 00:00 29.02.60 00:00 29.02.88 00:00',
    'one that is a Sunday comes every 28 years'
);

select
    is(
        pg_temp.runs(expression, '2026-01-15', 'Europe/Berlin', 1),
        '-',
        'there is none within 50 years: ' || expression
    )
from unnest(array['0 0 30 2 *', '0 0 31 4,6,9,11 *', '*/5 * 30 feb *']) as expression;

select
    is(
        monitoring.next_cron_time('* * * * *', at::timestamptz),
        null,
        format('there is none after %s', at)
    )
from unnest(array['infinity', '-infinity', '9950-01-01', null]) as at;

-- Behaviour: counting

select is(
    monitoring._count_cron_times('0 * * * *', '2026-01-15 12:00+00', '2026-01-15 15:00+00'),
    3,
    'runs are counted after a time until another, the latter included'
);

select is(
    monitoring._count_cron_times(
        '30 * * * *', '2025-11-02 05:00+00', '2025-11-02 07:00+00', 'America/New_York'
    ),
    2,
    'by the clocks of a time zone'
);

select is(
    monitoring._count_cron_times('* * * * *', '2026-01-15', '2027-01-15', p_limit => 60),
    60,
    'no further than the limit'
);

select is(
    monitoring._count_cron_times('0 0 30 2 *', '2026-01-15', '2027-01-15'),
    0,
    'none when there is none'
);

-- Refusals

select
    is(
        pg_temp.refusal_of(format('next_cron_time(%L, ''2026-01-15'')', expression)),
        row(code, message, hint)::pg_temp.refusal,
        'is refused: ' || coalesce(expression, 'null')
    )
from (
    values
    (
        null, 'PV003', 'cron expression is missing: null',
        'Give minute, hour, day of month, month and day of week, such as "30 2 * * mon-fri", or '
        'one of: @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually.'
    ),
    (
        '0 12 * *', 'PV003', 'cron expression has 4 fields instead of 5: "0 12 * *"',
        'Give minute, hour, day of month, month and day of week, such as "30 2 * * mon-fri", or '
        'one of: @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually.'
    ),
    (
        '@reboot', 'PV003', 'cron expression is not known: "@reboot"',
        'Use one of: @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually.'
    ),
    (
        '0 twelve * * *', 'PV003', 'hour of a cron expression is not understood: "twelve"',
        'Give hour as *, a number from 0 to 23, a range such as 1-22, a step such as */2, or '
        'several of these with commas between them.'
    ),
    (
        '0 0 * * mon-friday', 'PV003',
        'day of week of a cron expression is not understood: "friday"',
        'Give day of week as *, a number from 0 to 7, a name from sun to sat, a range such as 1-6, '
        'a step such as */2, or several of these with commas between them.'
    ),
    (
        '60 * * * *', 'PV004', 'minute is out of range: 60', 'Give minute as a number from 0 to 59.'
    ),
    (
        '0 0 0 * *', 'PV004', 'day of month is out of range: 0',
        'Give day of month as a number from 1 to 31.'
    ),
    (
        '0 0 * 99999999999999999999999 *', 'PV004', 'month is out of range: 99999999999999999999',
        'Give month as a number from 1 to 12.'
    ),
    (
        '*/0 * * * *', 'PV004', 'step of minute is out of range: 0',
        'Give step of minute as a number from 1 up.'
    ),
    (
        '0 22-6 * * *', 'PV004', 'hour of a cron expression runs backwards: "22-6"',
        'Give the lesser one first, or two ranges: 22-23,0-6.'
    ),
    (
        '0 0 * * sat-sun', 'PV004', 'day of week of a cron expression runs backwards: "sat-sun"',
        'Give the lesser one first, or two ranges: 6-7,0-0.'
    )
) as bad (expression, code, message, hint);

select
    is(
        (pg_temp.refusal_of(format('_check_cron(%L)', expression))).code,
        'PV003',
        'is refused: ' || expression
    )
from unnest(array[
        '',
        '* * * * * *',
        '* * L * *',
        '* * * * 5#2',
        '1,,2 * * * *',
        '1- * * * *',
        '1-2-3 * * * *',
        '*/ * * * *', '*-5 * * * *', '* * * * @daily', '@daily 5', '+1 * * * *', '１ * * * *'
    ]) as expression;

select
    is(
        pg_temp.refusal_of(format('next_cron_time(''@daily'', ''2026-01-15'', %L)', zone)),
        row(
            'PV007', format('there is no time zone "%s"', zone),
            'Use UTC or a name of pg_timezone_names, such as Europe/Berlin.'
        )::pg_temp.refusal,
        'is no time zone: ' || zone
    )
from unnest(array['Europe/Atlantis', 'CEST', 'UTC+2', '+02:00', 'Berlin+1/2']) as zone;

select
    is(
        (pg_temp.refusal_of(format('next_cron_time(''@daily'', ''2026-01-15'', %L)', zone))).code,
        'none',
        'is a time zone: ' || zone
    )
from unnest(array['Etc/GMT+5', 'utc', 'Japan', 'EST5EDT', 'america/argentina/buenos_aires'])
        as zone;

select * from finish(); -- noqa: AM04
rollback;
