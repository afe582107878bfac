-- The products of records become what is given, and rows that stay the same are not touched.

begin;
select plan(15);
\ir helpers/fixed_clock.psql
select set_config('monitoring.strict', 'on', true);

create function pg_temp.products(p_key text) returns text
language sql
as $$
    select coalesce(string_agg(product, ' ' order by product), 'none')
    from monitoring.record_products where dataset = 'apr' and record_key = p_key
$$;

select is(
    monitoring.track_record_products('apr', '[
        {"record_key": "a", "products": ["X", "Y", {"product": "Z", "quantity": 2.5,
            "amount": 1999.99, "details": {"lot": 7}}]},
        {"record_key": "b", "products": ["X"]}
    ]', 'run 1'),
    '{"added": 4, "changed": 0, "removed": 0, "unchanged": 0}'::jsonb,
    'products are named, or told of in full'
);
select results_eq(
    $$
        select product, quantity, amount, details, first_seen_at, task_id
        from monitoring.record_products where record_key = 'a' order by 1
    $$,
    $$
        values
        ('X', null::float8, null::numeric, null::jsonb, '2026-01-15 12:00+00'::timestamptz,
            'run 1'),
        ('Y', null, null, null, '2026-01-15 12:00+00', 'run 1'),
        ('Z', 2.5, 1999.99, '{"lot": 7}', '2026-01-15 12:00+00', 'run 1')
    $$,
    'and kept as they were told'
);
select pg_temp.set_clock('2026-01-15 13:00+00');
create temporary table before_telling_again as
select
    p.ctid as place,
    p as stored
from monitoring.products_of_records as p;
select is(
    monitoring.track_record_products('apr', '[
        {"record_key": "a", "products": ["X", "Y", {"product": "Z", "quantity": 2.50,
            "amount": 1999.990, "details": {"lot": 7}}]}
    ]', 'run 2'),
    '{"added": 0, "changed": 0, "removed": 0, "unchanged": 3}'::jsonb,
    'the same told again changes nothing'
);
select set_eq(
    'select p.ctid as place, p as stored from monitoring.products_of_records as p',
    'select * from before_telling_again',
    'and no row is written anew'
);
select is(
    monitoring.track_record_products('apr', '[
        {"record_key": "a", "products": ["X", {"product": "Z", "quantity": 3}, "W"]}
    ]', 'run 3', p_is_dry_run => true),
    '{"added": 1, "changed": 1, "removed": 1, "unchanged": 1, "sample": [
        {"record_key": "a", "product": "W", "change": "added"},
        {"record_key": "a", "product": "Y", "change": "removed"},
        {"record_key": "a", "product": "Z", "change": "changed"}
    ]}'::jsonb,
    'a dry run tells what would change'
);
select set_eq(
    'select p.ctid as place, p as stored from monitoring.products_of_records as p',
    'select * from before_telling_again',
    'and changes nothing'
);
select is(
    monitoring.track_record_products('apr', '[
        {"record_key": "a", "products": ["X", {"product": "Z", "quantity": 3}, "W"]}
    ]', 'run 3') - 'sample',
    '{"added": 1, "changed": 1, "removed": 1, "unchanged": 1}'::jsonb,
    'then it does'
);
select is(pg_temp.products('a'), 'W X Z', 'what is not given any more is gone');
select results_eq(
    $$
        select product, first_seen_at, changed_at from monitoring.record_products
        where record_key = 'a' order by 1
    $$,
    $$
        values
        ('W', '2026-01-15 13:00+00'::timestamptz, '2026-01-15 13:00+00'::timestamptz),
        ('X', '2026-01-15 12:00+00', '2026-01-15 12:00+00'),
        ('Z', '2026-01-15 12:00+00', '2026-01-15 13:00+00')
    $$,
    'each product knows when it was first seen, and when it last changed'
);
select is(pg_temp.products('b'), 'X', 'records that are not named keep theirs');

-- Boundaries

select is(
    monitoring.track_record_products('apr', '[{"record_key": "b", "products": []}]'),
    '{"added": 0, "changed": 0, "removed": 1, "unchanged": 0}'::jsonb,
    'a record without products has none'
);
select monitoring.track_record_products('apr', '[
    {"record_key": "c", "products": ["P", {"product": "P", "quantity": 2}]},
    {"record_key": "c", "products": ["Q"]}
]');
select results_eq(
    $$select product, quantity from monitoring.record_products where record_key = 'c' order by 1$$,
    $$values ('P', 2::float8), ('Q', null)$$,
    'of a product that is told twice the last counts, and a record that comes twice has both sets'
);
select is(
    monitoring.track_record_products('else', '[{"record_key": "a", "products": []}]')
    ->> 'removed',
    '0',
    'datasets know nothing of each other'
);
select is(
    (
        select
            monitoring.track_record_products('many', jsonb_agg(
                jsonb_build_object('record_key', 'k' || n, 'products', array['A', 'B'])
            )) ->> 'added'
        from generate_series(1, 5000) as n
    ),
    '10000',
    'ten thousand products are one call'
);

-- Refusals

select throws_ok(
    $$
        select monitoring.track_record_products('apr', '[
            {"record_key": "a", "products": ["P", {"product": "Q", "quantty": 2}]}
        ]')
    $$,
    'PV005', 'row 1: product has the wrong shape: {"product": "Q", "quantty": 2}',
    'a field that there is not would be lost'
);

select * from finish(); -- noqa: AM04
rollback;
