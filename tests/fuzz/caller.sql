-- Makes many calls in one round trip, each in a sub-transaction, with the rights of whoever asks.
-- Loaded by superuser into the database that is tried; never part of pgvigil.

create schema fuzz;
grant usage on schema fuzz to public;

-- An argument is null, a text, or what would be too long to send: {"times": 1000000, "of": "x"}.
create function fuzz.argument(p_argument jsonb) returns text
language plpgsql
immutable
as $$
begin
    if pg_catalog.jsonb_typeof(p_argument) operator(pg_catalog.=) 'object' then
        return concat(
            p_argument ->> 'head',
            repeat(p_argument ->> 'of', (p_argument ->> 'times')::integer),
            p_argument ->> 'middle',
            repeat(p_argument ->> 'then', (p_argument ->> 'times')::integer)
        );
    end if;
    return p_argument #>> '{}';
end
$$;

-- How each call ended, and how long it took. A call is {"statement": ..., "arguments": [...]}; its
-- statement takes the arguments as $1, an array of texts.
create function fuzz.try_calls(p_calls jsonb)
returns table (place bigint, state text, message text, hint text, origin text, ms double precision)
language plpgsql
volatile
as $$
declare
    v_call record;
    v_arguments text[];
    v_began timestamptz;
begin
    for v_call in
        select c.ordinality, c.value ->> 'statement' as statement, c.value -> 'arguments' as arguments
        from jsonb_array_elements(p_calls) with ordinality c
    loop
        select coalesce(array_agg(fuzz.argument(a.value) order by a.ordinality), '{}')
        into v_arguments
        from jsonb_array_elements(v_call.arguments) with ordinality a;
        place := v_call.ordinality;
        state := '00000';
        message := null;
        hint := null;
        origin := null;
        v_began := pg_catalog.clock_timestamp();
        begin
            execute v_call.statement using v_arguments;
        exception
            when query_canceled or assert_failure or others then
                get stacked diagnostics
                    state = returned_sqlstate,
                    message = message_text,
                    hint = pg_exception_hint,
                    origin = pg_exception_context;
        end;
        ms := extract(epoch from pg_catalog.clock_timestamp() operator(pg_catalog.-) v_began)
            operator(pg_catalog.*) 1000;
        return next;
    end loop;
end
$$;

grant execute on all functions in schema fuzz to public;

-- Names that a session may have before those of PostgreSQL.
create schema evil;
grant usage on schema evil to public;

create function evil.refuse() returns boolean
language plpgsql
volatile
as $$
begin
    raise exception 'a function of the caller''s search_path was called';
end
$$;

create function evil.lower(text) returns text language sql
return evil.refuse()::text;
create function evil.btrim(text) returns text language sql
return evil.refuse()::text;
create function evil.now() returns timestamptz language sql
return case when evil.refuse() then null::timestamptz end;
create function evil.jsonb_typeof(jsonb) returns text language sql
return evil.refuse()::text;
create function evil.length(text) returns integer language sql
return evil.refuse()::integer;
create function evil.equal(text, text) returns boolean language sql
return evil.refuse();
do $$
begin
    create operator evil.= (leftarg = text, rightarg = text, function = evil.equal);
end
$$;

-- Tables of somebody else's, for sources, rules and triggers.
create schema shop;
create table shop.orders (
    order_id bigint primary key, state text, changed_at timestamptz, amount numeric
);
insert into shop.orders
select n, case n % 3 when 0 then 'OPEN' when 1 then 'PAID' end, pg_catalog.now(), n
from generate_series(1, 20) n;
create table shop."odd ""name" (
    "the 'key" text, "sta""tus" text, at timestamp, primary key ("the 'key")
);
insert into shop."odd ""name" values ('k', 'A', pg_catalog.now());
grant usage on schema shop to public;
grant select on all tables in schema shop to public;
