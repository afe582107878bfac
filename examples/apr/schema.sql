-- The system that is watched: proposals of clients who sell their trade bills, and what they sell.
-- It knows nothing of monitoring.

create schema apr;

create table apr.proposals (
    proposal text primary key,
    branch text not null,
    client text not null,
    received_on date not null,
    amount numeric(12, 2) not null,
    status text not null,
    nfechave text,
    duplicata text,
    seuno text,
    changed_at timestamptz not null,
    changed_by text not null,
    changed_through text not null
);

create index on apr.proposals (received_on);

create table apr.products (
    proposal text not null,
    product text not null,
    quantity integer not null,
    amount numeric(12, 2) not null,
    primary key (proposal, product)
);

-- Every state that a proposal ever had, as its own system keeps it.
create table apr.journal (
    entry bigserial primary key,
    changed_at timestamptz not null,
    proposal text not null,
    state jsonb not null
);

create function apr.note() returns trigger
language plpgsql
as $$
begin
    insert into apr.journal (changed_at, proposal, state)
    values (new.changed_at, new.proposal, to_jsonb(new));
    return null;
end
$$;

create trigger note after insert or update on apr.proposals
for each row execute function apr.note();
