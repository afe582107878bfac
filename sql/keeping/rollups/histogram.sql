-- Log-scaled histograms that can be merged: percentiles over any span come from merging the counts
-- of its parts, never from averaging percentiles. A cell holds the values between two powers of
-- 1.05, so the value that stands for it is wrong by at most 0.05 / 2.05 = 2.44 %.
-- Cells number from -15000 to 15000 in the order of the values; 0 is for zero.

-- Number of the cell that a value falls into: 10000 + ceil(log(value) to the base of 1.05),
-- negative for negative values, 0 for zero; sizes beyond 1e105 or below 1e-105 share the last ones.
create or replace function monitoring._histogram_cell(p_value double precision) returns smallint
language sql
immutable
return case
    when p_value > 0
        then (10000 + greatest(least(ceil(ln(p_value) / 0.048790164169432), 5000), -5000))::smallint
    when p_value < 0
        then (
            -10000 - greatest(least(ceil(ln(-p_value) / 0.048790164169432), 5000), -5000)
        )::smallint
    when p_value = 0 then 0::smallint
end;

-- Value that stands for all in a cell, at most 2.44 % from any of them.
create or replace function monitoring._histogram_value(p_cell smallint) returns double precision
language sql
immutable
return case
    -- The harmonic mean of a cell's two ends is equally far from both, in proportion.
    -- The bounds are those of _histogram_cell(): whatever is beyond stands for no number.
    when p_cell > 0
        then power(
                1.05::double precision,
                greatest(least(p_cell::integer, 15000), 5000) - 10000
            ) / 1.025
    when p_cell < 0
        then -power(
                1.05::double precision,
                greatest(least(-(p_cell::integer), 15000), 5000) - 10000
            ) / 1.025
    when p_cell = 0 then 0
end;

create or replace function monitoring.approx_percentile(
    p_histogram monitoring.histogram, p_fraction double precision
)
returns double precision
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
    -- Counts that somebody made up may add up to more than a bigint holds.
    v_rank double precision := double precision '0';
    v_count bigint;
    v_index integer := 0;
begin
    if p_fraction is null or not p_fraction between 0 and 1 then
        raise exception using
            errcode = 'PV004',
            message = format('p_fraction is out of range: %s', coalesce(p_fraction::text, 'null')),
            hint = 'Give p_fraction as a number from 0 to 1, such as 0.95.';
    end if;
    foreach v_count in array coalesce(p_histogram.counts, '{}') loop
        v_rank := v_rank + coalesce(v_count, 0);
    end loop;
    v_rank := greatest(ceil(v_rank * p_fraction), 1);
    foreach v_count in array coalesce(p_histogram.counts, '{}') loop
        v_index := v_index + 1;
        v_rank := v_rank - coalesce(v_count, 0);
        exit when v_rank <= 0;
    end loop;
    return monitoring._histogram_value(p_histogram.cells[v_index]);
end
$$;

comment on function monitoring.approx_percentile(monitoring.histogram, double precision) is
'Value that the given fraction (0 to 1) of the values do not exceed, as percentile_disc has it, '
'within 2.44 % of it; null for an empty histogram.';

-- One histogram of all values in several; null when there are none.
create or replace function monitoring._merge_histograms(p_histograms monitoring.histogram[])
returns monitoring.histogram
language sql
immutable
parallel safe
return (
    select
        row(
            array_agg(m.cell order by m.cell), array_agg(m.n order by m.cell)
        )::monitoring.histogram as merged
    from (
        select
            c.cell,
            least(sum(c.n), 9223372036854775807)::bigint as n
        from (
            -- Half the work of "cross join unnest(h.cells, h.counts)", which puts each aside.
            select
                unnest(h.cells) as cell,
                unnest(h.counts) as n
            from unnest(p_histograms) as h
        ) as c
        group by c.cell
    ) as m
    having count(*) > 0
);

-- The same for the aggregate: of thousands of names most have one histogram, which is all there
-- is to be merged, and to start a query for each would take longer than all else.
create or replace function monitoring._merge_collected_histograms(
    p_histograms monitoring.histogram[]
)
returns monitoring.histogram
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
    if cardinality(p_histograms) = 1 and cardinality(p_histograms[1].cells) > 0 then
        return p_histograms[1];
    end if;
    return monitoring._merge_histograms(p_histograms);
end
$$;

do $$
begin
    create or replace aggregate monitoring.merge_histograms(monitoring.histogram) (
        sfunc = array_append,
        stype = monitoring.histogram [],
        finalfunc = monitoring._merge_collected_histograms,
        combinefunc = array_cat,
        parallel = safe
    );

    comment on aggregate monitoring.merge_histograms(monitoring.histogram) is
    'One histogram of all values in several; null when there are none.';
end
$$;
