-- Messages of databases and their drivers: grouped by what failed, and by which constraint.

begin;

select plan(29);

-- Behaviour

select is(monitoring.message_template(message), template, 'template: ' || about)
from (
    values
    (
        'DETAIL on a line of its own',
        E'division by zero\nDETAIL:  Row (Anna, 3).\nHINT:  No.\nCONTEXT:  SQL function "f"',
        'division by zero'
    ),
    (
        'the statement on a line of its own',
        E'syntax error\nLINE 1: selec Anna\n        ^',
        'syntax error'
    ),
    (
        'what JDBC adds',
        E'ERROR: no such thing\n  Detail: Anna.\n  Where: PL/pgSQL function f()',
        'ERROR: no such thing'
    ),
    (
        'what SQLAlchemy adds',
        E'(a.Error) no such thing\n\n[SQL: insert into t values (?)]\n[parameters: (''Anna'',)]',
        '(a.Error) no such thing'
    ),
    (
        'the constraint stays',
        'duplicate key value violates unique constraint "orders_pkey"',
        'duplicate key value violates unique constraint <*> (orders_pkey)'
    ),
    (
        'constraints of partitions',
        'duplicate key value violates unique constraint "orders_p2026_11_22_pkey"',
        'duplicate key value violates unique constraint <*> (orders_p<*>_<*>_<*>_pkey)'
    ),
    (
        'the column that is null',
        'null value in column "name" of relation "people" violates not-null constraint',
        'null value in column <*> of relation <*> violates not-null constraint'
        ' (name of relation people)'
    ),
    (
        'MySQL',
        'Duplicate entry ''Anna O''Neil'' for key ''people.name''',
        'Duplicate entry <*> for key <*> (people.name)'
    ),
    (
        'SQL Server',
        'Violation of UNIQUE KEY constraint ''UQ_name''. '
        'The duplicate key value is (Anna Maria, b).',
        'Violation of UNIQUE KEY constraint <*>. The duplicate key value is <*>. (UQ_name)'
    ),
    ('SQLite', 'UNIQUE constraint failed: people.name', 'UNIQUE constraint failed: people.name'),
    ('other lines stay', E'two faults:\nno disk\nno net', E'two faults:\nno disk\nno net'),
    ('detail within a line stays', 'no detail: disk', 'no detail: disk'),
    ('a constraint without a name', 'CHECK constraint failed', 'CHECK constraint failed')
) as example (about, message, template);

select
    is(
        monitoring.error_fingerprint('E', format(message, one, 1)),
        monitoring.error_fingerprint('E', format(message, other, 200)),
        'one group whatever the value is: ' || left(message, 40)
    )
from (
    values
    (E'new row violates check constraint "a_ck"\nDETAIL:  Failing row contains (%s, %s).'),
    (E'duplicate key value violates unique constraint "a_uq"\nDETAIL:  Key (a)=(%s) exists.'),
    (E'insert violates foreign key constraint "a_fk"\nDETAIL:  Key (a)=(%s) is not present.'),
    (E'null value in column "a" of relation "r" violates not-null constraint\nDETAIL:  (%s).'),
    ('Duplicate entry ''%s'' for key ''a.uq'''),
    (E'invalid input syntax for type integer: "%s"\nLINE 1: select ''%s''')
) as m (message)
cross join (values ('Anna', 'Anna Maria O''Neil (née B.)')) as v (one, other);

select
    isnt(
        monitoring.error_fingerprint('E', format(message, 'a_first')),
        monitoring.error_fingerprint('E', format(message, 'a_second')),
        'two groups: ' || left(message, 50)
    )
from (
    values
    ('new row for relation "a" violates check constraint "%s"'),
    ('duplicate key value violates unique constraint "%s"'),
    ('update on table "a" violates foreign key constraint "%s" on table "b"'),
    ('null value in column "%s" of relation "a" violates not-null constraint'),
    ('null value in column "b" of relation "%s" violates not-null constraint'),
    ('Duplicate entry ''x'' for key ''%s'''),
    ('Check constraint ''%s'' is violated.')
) as m (message);

select isnt(
    monitoring.error_fingerprint('E', 'row violates check constraint "t1_check"'),
    monitoring.error_fingerprint('E', 'row violates check constraint "t1_check1"'),
    'two groups: constraints that PostgreSQL has numbered'
);

-- Boundaries

select is(
    length(monitoring.message_template(
        'constraint "' || repeat('a', 290) || '" of ' || repeat('word ', 2000)
    )),
    300,
    'a template with a constraint is never longer than 300 characters'
);

select is(
    monitoring.message_template(E'\nDETAIL:  all there is'), '',
    'a message may be nothing but details'
);

select * from finish(); -- noqa: AM04

rollback;
