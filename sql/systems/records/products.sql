-- Which products records have. Writes products_of_records.

-- Records with their products as rows, each field checked; one without a product for a record
-- that has none.
create or replace function monitoring._read_products(p_records jsonb)
returns table (
    row_number bigint,
    product_number bigint,
    record_key text,
    product text,
    quantity double precision,
    amount numeric,
    details jsonb
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        r.ordinality,
        p.ordinality,
        monitoring._key_of_row(r.value),
        case
            when p.value is not null
                then monitoring._checked_name(
                    'product',
                    case
                        when jsonb_typeof(p.value) = 'string' then p.value #>> '{}'
                        -- A misspelt field would be lost.
                        when p.value <@ jsonb_build_object(
                            'product', p.value -> 'product', 'quantity', p.value -> 'quantity',
                            'amount', p.value -> 'amount', 'details', p.value -> 'details'
                        ) then p.value ->> 'product'
                        else monitoring._refuse_json('product', p.value::text,
                            'its name, or an object of product, quantity, amount and details')::text
                    end
                )
        end,
        (p.value ->> 'quantity')::double precision,
        (p.value ->> 'amount')::numeric,
        monitoring._capped_json(p.value -> 'details')
    from jsonb_array_elements(p_records) with ordinality r
    left join lateral jsonb_array_elements(
        case
            when jsonb_typeof(r.value -> 'products') = 'array' then r.value -> 'products'
            else monitoring._refuse_json('products', coalesce((r.value -> 'products')::text, 'missing'),
                'an array of names, or of objects such as {"product": "A", "quantity": 2}')
        end
    ) with ordinality p on true;
end
$$;

-- A product of a record as a row. Its body is kept parsed, so that it makes such rows while
-- the table has a column more as well, where PL/pgSQL would miss one.
create or replace function monitoring._product_of_record(
    p_dataset text,
    p_record_key text,
    p_product text,
    p_quantity double precision,
    p_amount numeric,
    p_details jsonb,
    p_first_seen_at timestamptz,
    p_changed_at timestamptz,
    p_task_id text
)
returns monitoring.products_of_records
language sql
stable
return row(
    p_dataset, p_record_key, p_product, p_quantity, p_amount, p_details, p_first_seen_at,
    p_changed_at, p_task_id
)::monitoring.products_of_records;

-- The products that records are said to have, each once, in the order in which they are written.
create or replace function monitoring._checked_products(p_records jsonb)
returns monitoring.products_of_records[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
begin
    return array(
        select distinct on (r.record_key, r.product) monitoring._product_of_record(
            ''::text, r.record_key, r.product, r.quantity, r.amount, r.details, v_now, v_now,
            null::text
        )
        from monitoring._read_products(p_records) r
        order by r.record_key, r.product, r.row_number desc, r.product_number desc
    );
exception
    when data_exception or sqlstate 'PV001' or sqlstate 'PV002' or sqlstate 'PV005' then
        perform monitoring._name_bad_record(
            'select * from monitoring._read_products($1)', p_records
        );
        raise;
end
$$;

-- Compares the products of the named records with those that are known, writes what differs, and
-- tells for each whether it was added, changed, removed or unchanged.
create or replace function monitoring._write_products(
    p_dataset text,
    p_given monitoring.products_of_records[],
    p_task_id text,
    p_is_dry_run boolean
)
returns table (record_key text, product text, change text)
language sql
volatile
begin atomic
    with known as materialized (
        select p.*
        from monitoring.products_of_records as p
        where
            p.dataset = p_dataset
            and p.record_key in (select g.record_key from unnest(p_given) as g)
    ),

    compared as materialized (
        select
            coalesce(g.record_key, k.record_key) as record_key,
            coalesce(g.product, k.product) as product,
            g.quantity,
            g.amount,
            g.details,
            g.changed_at as found_at,
            case
                when k.record_key is null then 'added'
                when g.record_key is null then 'removed'
                when
                    (g.quantity is distinct from k.quantity)
                    or (g.amount is distinct from k.amount)
                    or (g.details is distinct from k.details)
                    then 'changed'
                else 'unchanged'
            end as change
        from (select n.* from unnest(p_given) as n where n.product is not null) as g
        full join known as k on g.record_key = k.record_key and g.product = k.product
    ),

    removed as (
        delete from monitoring.products_of_records as p
        using compared as c
        where
            not p_is_dry_run
            and c.change = 'removed'
            and p.dataset = p_dataset
            and p.record_key = c.record_key
            and p.product = c.product
        returning p.product
    ),

    written as (
        insert into monitoring.products_of_records (
            dataset, record_key, product, quantity, amount, details, first_seen_at, changed_at,
            task_id
        )
        select
            p_dataset,
            c.record_key,
            c.product,
            c.quantity,
            c.amount,
            c.details,
            c.found_at as first_seen_at,
            c.found_at as changed_at,
            p_task_id
        from compared as c
        where not p_is_dry_run and c.change in ('added', 'changed')
        on conflict (dataset, record_key, product) do update
            set
                quantity = excluded.quantity,
                amount = excluded.amount,
                details = excluded.details,
                changed_at = excluded.changed_at,
                task_id = excluded.task_id
        returning product
    )

    select
        c.record_key,
        c.product,
        c.change
    from compared as c;
end;

-- The products that records are said to have, without the records that cannot be read.
create or replace function monitoring._given_products(p_records jsonb)
returns monitoring.products_of_records[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_records jsonb := p_records;
begin
    for v_reading in 1 .. 2 loop
        begin
            return monitoring._checked_products(v_records);
        exception
            when data_exception or sqlstate 'PV001' or sqlstate 'PV002' or sqlstate 'PV005' then
                if v_reading = 2 or monitoring._is_strict() then
                    raise;
                end if;
                v_records := monitoring._readable_records(
                    'select * from monitoring._read_products($1)', v_records,
                    array['record_key', 'products']
                );
        end;
    end loop;
    return null;
end
$$;

create or replace function monitoring.track_record_products(
    p_dataset text,
    p_records jsonb,
    p_task_id text default null,
    p_is_dry_run boolean default false
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_hint text;
    v_dataset text := monitoring._mended_key('dataset', p_dataset);
    v_task_id text := monitoring._mended_optional_name('task_id', p_task_id);
    v_is_dry_run boolean := coalesce(p_is_dry_run, false);
    v_given monitoring.products_of_records [];
    v_result jsonb;
begin
    v_given := monitoring._given_products(
        monitoring._given_records(p_records, array['record_key', 'products'])
    );
    if not v_is_dry_run then
        -- Two sets for the same record must not become the union of both.
        perform monitoring._guard_one_of_many('products', v_dataset);
    end if;
    select jsonb_strip_nulls(jsonb_build_object(
        'added', count(*) filter (where w.change = 'added'),
        'changed', count(*) filter (where w.change = 'changed'),
        'removed', count(*) filter (where w.change = 'removed'),
        'unchanged', count(*) filter (where w.change = 'unchanged'),
        'sample', case when v_is_dry_run then coalesce(to_jsonb((array_agg(
            jsonb_build_object(
                'record_key', w.record_key, 'product', w.product, 'change', w.change
            )
            order by w.record_key, w.product
        ) filter (where w.change <> 'unchanged'))[:20]), '[]') end
    ))
    into v_result
    from monitoring._write_products(v_dataset, v_given, v_task_id, v_is_dry_run) w;
    return v_result;
exception
    when data_exception or sqlstate 'PV001' or sqlstate 'PV002' or sqlstate 'PV003'
        or sqlstate 'PV004' or sqlstate 'PV005' or sqlstate 'PV006' or sqlstate 'PV007' then
            get stacked diagnostics v_hint = pg_exception_hint;
            perform monitoring._tell_refusal('track_record_products', sqlstate, sqlerrm, v_hint);
            return null;
end
$$;

comment on function monitoring.track_record_products(text, jsonb, text, boolean) is
'Records the products of records, [{"record_key": "k", "products": ["A", {"product": "B", '
'"quantity": 2}]}]: those of each named record become what is given. Returns how many differ.';

call monitoring._ship_retention('products_of_records', '30 days');
