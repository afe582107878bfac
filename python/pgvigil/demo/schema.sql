-- The demonstration's own tables, which have nothing to do with monitoring.

create schema if not exists demo;

create table if not exists demo.sales (
    shop text not null,
    receipt text not null,
    sold_at timestamptz not null,
    product text not null,
    quantity integer not null,
    price numeric(10, 2) not null,
    price_eur numeric(10, 2) not null,
    customer text,
    constraint sales_pk primary key (shop, receipt),
    constraint sales_quantity_is_positive_ck check (quantity > 0)
);

create table if not exists demo.daily_sales (
    shop text not null,
    day date not null,
    receipts bigint not null,
    turnover_eur numeric not null,
    constraint daily_sales_pk primary key (shop, day)
);

create table if not exists demo.invoices (
    invoice_id bigint generated always as identity,
    shop text not null,
    receipt text not null,
    customer text,
    state text not null default 'pending',
    ready_at timestamptz not null default clock_timestamp(),
    constraint invoices_pk primary key (invoice_id)
);

create index if not exists invoices_pending_ix on demo.invoices (invoice_id)
where state = 'pending';
