-- Histograms that can be merged: cells, percentiles, and the bound of their error.

begin;
select plan(39);
\ir helpers/refusals.psql

create function pg_temp.histogram_of(p_values double precision[]) returns monitoring.histogram
language sql
as $$
    select row(array_agg(c.cell order by c.cell), array_agg(c.n order by c.cell))::histogram
    from (
        select _histogram_cell(v.value) as cell, count(*) as n
        from unnest(p_values) as v (value)
        group by 1
    ) as c
$$;

-- Interface

select function_returns('monitoring', '_histogram_cell', array['double precision'], 'smallint');
select function_returns('monitoring', '_histogram_value', array['smallint'], 'double precision');
select function_returns(
    'monitoring', 'approx_percentile', array['histogram', 'double precision'], 'double precision'
);
select is_aggregate('monitoring', 'merge_histograms', array['histogram']);
select volatility_is('monitoring', '_histogram_cell', array['double precision'], 'immutable');
select volatility_is('monitoring', '_histogram_value', array['smallint'], 'immutable');

-- Cells

select results_eq(
    $$select _histogram_cell(v) from unnest(array[0, 1, 1.04, 1.06, 100, -1, -100]::float8[]) v$$,
    $$
        values (0::smallint), (10000::smallint), (10001::smallint), (10002::smallint),
            (10095::smallint), (-10000::smallint), (-10095::smallint)
    $$,
    'cells number by powers of 1.05, with a sign as the values have'
);

select is_empty(
    $$
        select v from (
            select v, _histogram_cell(v), lag(_histogram_cell(v)) over (order by v) as before
            from (
                select s * power(10::float8, e / 7.0)
                from unnest(array[-1, 1]) as s, generate_series(-700, 700) as e
                union all
                select 0
            ) as given (v)
        ) as ordered (v, cell, before)
        where cell < before
    $$,
    'cells are in the order of the values, from -1e100 by 0 to 1e100'
);

select is_empty(
    $$
        select v from (
            select s * power(10::float8, e / 70.0)
            from unnest(array[-1, 1]) as s, generate_series(-7000, 7000) as e
        ) as given (v)
        where abs(_histogram_value(_histogram_cell(v)) / v - 1) > 0.0244
    $$,
    'a cell''s value is at most 2.44 % from any in it, from 1e-100 to 1e100 and below 0'
);

select is(_histogram_value(_histogram_cell(0)), 0::double precision, 'zero stays zero');
select is(
    _histogram_cell(null), null, 'what has no value has no cell'
);
select results_eq(
    $$
        select _histogram_cell(v)
        from unnest(array[5e-324, 1e-200, 1e300, 'infinity', '-infinity', 'nan']::float8[]) as v
    $$,
    $$
        values (5000::smallint), (5000::smallint), (15000::smallint), (15000::smallint),
            (-15000::smallint), (15000::smallint)
    $$,
    'sizes beyond the last cells are in the last cells'
);

-- Percentiles

select
    is(
        approx_percentile(pg_temp.histogram_of(array[42]), fraction),
        _histogram_value(_histogram_cell(42)),
        format('of one value, %s is that value', fraction)
    )
from unnest(array[0, 0.5, 1]) as fraction;

select results_eq(
    $$
        select approx_percentile(pg_temp.histogram_of(array[-8, 0, 0, 5]), fraction)::numeric(6, 3)
        from unnest(array[0, 0.25, 0.26, 0.5, 0.75, 0.76, 1]) as fraction
    $$,
    $$
        select _histogram_value(_histogram_cell(v))::numeric(6, 3)
        from unnest(array[-8, -8, 0, 0, 0, 5, 5]) as v
    $$,
    'the value at a fraction is the first that so many do not exceed, as percentile_disc has it'
);

select is(approx_percentile(null, 0.5), null, 'nothing has no percentile');
select is(approx_percentile(row(null, null)::histogram, 0.5), null, 'nor has an empty histogram');
select is(
    approx_percentile(row('{}', '{}')::histogram, 0.5), null, 'however it is written'
);
select is(
    approx_percentile(row('{0,10000}', '{9000000000000000000,1}')::histogram, 0.5),
    0::double precision, 'counts may be as large as they get'
);

-- Merging

create temporary table parts as
select
    n % 7 as part,
    exp(5 * sin(n)) * case when n % 5 = 0 then -1 else 1 end as value -- noqa: RF04
from generate_series(1, 2000) as n;

select is(
    (
        select merge_histograms(p.h order by p.part)
        from (
            select
                part,
                pg_temp.histogram_of(array_agg(value)) as h
            from parts
            group by part
        ) as p
    ),
    (select pg_temp.histogram_of(array_agg(value)) from parts),
    'merging parts is the same as counting all at once'
);

select is(
    (
        select merge_histograms(p.h order by p.part desc)
        from (
            select
                part,
                pg_temp.histogram_of(array_agg(value)) as h
            from parts
            group by part
        ) as p
    ),
    (select pg_temp.histogram_of(array_agg(value)) from parts),
    'in whatever order'
);

select is(
    (
        select merge_histograms(w.h)
        from (
            select merge_histograms(pg_temp.histogram_of(array[value])) as h
            from parts
            group by part
        ) as w
    ),
    (select pg_temp.histogram_of(array_agg(value)) from parts),
    'and however often'
);

select is(
    (select merge_histograms(h) from unnest(array[null, null]::histogram[]) as h), null,
    'merging nothing gives nothing'
);
select is(
    (select merge_histograms(h) from unnest(array[]::histogram[]) as h), null, 'nor does no row'
);
select is(
    (
        select merge_histograms(h)
        from (values (null), (pg_temp.histogram_of(array[1, 1]))) as given (h)
    ),
    pg_temp.histogram_of(array[1, 1]),
    'what has no histogram adds nothing'
);

-- The bound

select setseed(0.5);

create temporary table distributions as
select
    d.about,
    d.value
from generate_series(1, 4000) as n,
    lateral (
        values
        ('even', random() * 1000),
        ('of a long tail', exp(random() * 20 - 10)),
        ('of whole numbers', floor(random() * 30)),
        ('on both sides of zero', tan((random() - 0.5) * 3)),
        ('of a few large ones', case when n % 97 = 0 then 1e9 * random() else 1 + n / 4000.0 end),
        ('of sizes at both ends', power(10, random() * 200 - 100))
    ) as d (about, value);

select
    is_empty(
        format(
            $$
            select f, exact, approximate
            from (
                select
                    f,
                    (
                        select percentile_disc(f) within group (order by value)
                        from distributions where about = %1$L
                    ) as exact,
                    (
                        select approx_percentile(pg_temp.histogram_of(array_agg(value)), f)
                        from distributions where about = %1$L
                    ) as approximate
                from unnest(array[0.01, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999]) as f
            ) as compared
            where abs(approximate - exact) > 0.025 * abs(exact)
        $$, about
        ),
        format('percentiles of values %s are within 2.5 %% of percentile_disc', about)
    )
from (select distinct about from distributions) as d;

-- Refusals

select
    results_eq(
        format(
            'select * from pg_temp.refusal_of(%L)', format('approx_percentile(null, %s)', fraction)
        ),
        format(
            $$
            values ('PV004', 'p_fraction is out of range: %s',
                'Give p_fraction as a number from 0 to 1, such as 0.95.')
        $$, shown
        ),
        format('a fraction of %s is refused', shown)
    )
from (
    values ('null', 'null'), ('-0.01', '-0.01'), ('1.01', '1.01'), ('''nan''', 'NaN')
) as given (fraction, shown);

-- What somebody made up

select is(
    (
        select array_agg(monitoring._histogram_value(c.cell::smallint) is not null)
        from unnest(array[-32768, -15001, -4999, -1, 1, 4999, 15001, 32767]) as c (cell)
    ),
    array_fill(true, array[8]),
    'every cell has a value, also those that no value falls into'
);
select is(
    monitoring.approx_percentile(
        row('{9999,10000}', '{9223372036854775807,9223372036854775807}')::monitoring.histogram, 0.9
    ),
    monitoring._histogram_value(10000::smallint),
    'counts may add up to more than a bigint holds'
);
select is(
    (
        select (monitoring.merge_histograms(h.histogram)).counts
        from (
            values
            (row('{10000}', '{9223372036854775807}')::monitoring.histogram),
            (row('{10000}', '{1}')::monitoring.histogram)
        ) as h (histogram)
    ),
    '{9223372036854775807}'::bigint[],
    'also when merged'
);

select * from finish(); -- noqa: AM04
rollback;
