-- What the programs of this folder write beside their records; run it as the owner of the database.
create table orders (
    order_id bigint generated always as identity primary key,
    customer text not null,
    amount numeric not null check (amount > 0)
);
create role orders_import login in role monitoring_writer;
grant insert on orders to orders_import;
