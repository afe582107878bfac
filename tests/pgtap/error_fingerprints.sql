-- Error fingerprints: what is one group, what are two, and what a fingerprint promises.

begin;

select plan(60);

-- Interface

select
    is(
        (select provolatile::text || proparallel::text from pg_proc where oid = f::regprocedure),
        'is',
        f || ' is immutable and parallel safe'
    )
from unnest(array[
        'monitoring.message_template(text)',
        'monitoring.error_fingerprint(text, text)'
    ]) as f;

select matches(
    monitoring.error_fingerprint('TimeoutError', 'no answer in 30 s'),
    '^v2:[0-9a-f]{16}$',
    'a fingerprint is the version of the rules and 16 hexadecimal characters'
);

select is(
    monitoring.error_fingerprint(p_error_type => 'E', p_message => 'm'),
    monitoring._fingerprint_version() || ':' || left(md5('E' || chr(1) || 'm'), 16),
    'a fingerprint is computed from type and template alone'
);

-- Changing a rule without a new version would break the groups that are stored already.
select is(
    monitoring.error_fingerprint('ConnectionError', 'connect to db-1:5432 failed after 30 s'),
    'v2:4f8d8e18e17dcb9b',
    'the fingerprint of a known message stays what it was when version v2 was released'
);

-- Behaviour: variable parts

select is(monitoring.message_template(message), template, 'template: ' || about)
from (
    values
    ('numbers', 'row 17 of 300', 'row <*> of <*>'),
    ('signed and decimal numbers', 'drift -0.25 over +3', 'drift <*> over <*>'),
    ('UUIDs', 'job 63a0d960-70b6-44c6-b606-491478a5cadf lost', 'job <*> lost'),
    ('hexadecimal', 'fault at 0x7f3a, mask ffffffff', 'fault at <*>, mask <*>'),
    ('ids with letters', 'attempt_1445_0020_m_3 killed', '<*> killed'),
    ('double quotes', 'relation "my orders" is missing', 'relation <*> is missing'),
    ('single quotes', 'unknown key ''abc'' given', 'unknown key <*> given'),
    ('apostrophes stay', 'can''t open the owner''s file', 'can''t open the owner''s file'),
    ('paths', 'cannot read /var/lib/app/in: denied', 'cannot read <*> denied'),
    ('quoted paths', 'no such file: ''/data/in.csv''', 'no such file: <*>'),
    ('Windows paths', 'cannot read C:\data\in', 'cannot read C:<*>'),
    ('URLs', 'GET https://example.org/a?b=c failed', 'GET https:<*> failed'),
    ('request lines keep the verb', '"POST /orders/7 HTTP/1.1" 500', '"POST <*>'),
    ('JSON', 'answer {"code": 5, "why": "disk"}', 'answer {<*>}'),
    ('IPv4 with port', 'refused by 10.0.0.7:5432', 'refused by <*>'),
    ('IPv6 and hardware addresses', 'fe80::1 is at 0a:bb:cc:dd:ee:ff', '<*> is at <*>'),
    ('hosts', 'lookup of db.example.org failed', 'lookup of <*> failed'),
    ('host and port', 'db.example.org:5432 closed', '<*> closed'),
    ('e-mail', 'bounced: joe@example.org', 'bounced: <*>'),
    ('account names', 'login failed for user alice', 'login failed for user <*>'),
    ('names of hosts', 'no route to host gateway now', 'no route to host <*> now'),
    ('names of domains', 'unknown domain CORP', 'unknown domain <*>'),
    ('hosts of two parts and a port', 'example.org:443 closed', '<*> closed'),
    ('whence it came', 'refused alice from example.org', 'refused alice from <*>'),
    ('whence, with the address', 'call from gateway [10.0.0.1]', 'call from <*>'),
    ('for whom from where', 'no password for root from 10.0.0.1', 'no password for <*> from <*>'),
    ('dates in words', 'due Sat, 05 Dec 2026 12:00 or Jun 9', 'due <*> or <*>'),
    ('words that are no dates', 'Set 5 of 7', 'Set <*> of <*>'),
    ('timestamps', 'due 2026-01-02T03:04:05Z', 'due <*>'),
    ('values of keys', 'id=7 user=bob file=/a.b', 'id=<*> user=<*> file=<*>'),
    ('words of keys stay', 'state=open', 'state=open'),
    ('what is said of a user stays', 'no role: user unknown', 'no role: user unknown'),
    ('details of constraints', 'Key (id)=(42) already exists', 'Key (id)=(<*>) already exists'),
    ('ratios and counts', '3/17 done, 1,204 left', '<*> done, <*> left'),
    ('lists', 'missing ids [1, 2, 3]', 'missing ids [<*>]'),
    ('class names stay', 'java.io.IOException: closed', 'java.io.IOException: closed')
) as example (about, message, template);

-- Behaviour: pairs

select
    is(
        monitoring.error_fingerprint('E', one),
        monitoring.error_fingerprint('E', other),
        'one group: ' || about
    )
from (
    values
    ('lists of any length', 'lost 1, 2', 'lost 1, 2, 3, 4'),
    ('sizes in any unit', 'sent 900 bytes', 'sent 1.2 KB'),
    ('times in any unit', 'ended after 5 ms', 'ended after 1.5 seconds'),
    ('what is added in brackets', 'sent 2048 bytes (2 KB) to a', 'sent 900 bytes to a'),
    ('less than a number', 'lived <1 sec', 'lived 00:12'),
    ('several lines', E'failed\n  at line 3', E'failed\n  at line 14')
) as pair (about, one, other);

select
    isnt(
        monitoring.error_fingerprint('E', one),
        monitoring.error_fingerprint('E', other),
        'two groups: ' || about
    )
from (
    values
    ('another wording', 'disk 1 full', 'disk 1 failed'),
    ('another state', 'moved from NEW to OPEN', 'moved from NEW to DONE'),
    ('another verb', '"GET /a HTTP/1.1" 500', '"POST /a HTTP/1.1" 500'),
    ('what is said of a host', 'connection to host closed', 'connection to host lost'),
    ('what is said of a user', 'access for user denied', 'access for user granted'),
    ('whence, in plain words', 'no data from server', 'no data from client'),
    ('another exception', 'java.io.IOException: x', 'java.net.ConnectException: x')
) as pair (about, one, other);

select isnt(
    monitoring.error_fingerprint('timeout', 'm'),
    monitoring.error_fingerprint('Timeout', 'm'),
    'two groups: error types that differ in case'
);

-- Boundaries

select is(monitoring.message_template(null), null, 'the template of no message is null');

select is(
    array[
        monitoring.error_fingerprint(null, null),
        monitoring.error_fingerprint('', null),
        monitoring.error_fingerprint(null, '')
    ],
    array_fill(monitoring.error_fingerprint('', ''), array[3]),
    'a missing type or message counts as an empty one and still gives a fingerprint'
);

select is(
    monitoring.error_fingerprint('E', repeat('step 1 failed and ', 500)),
    monitoring.error_fingerprint('E', repeat('step 222 failed and ', 5000)),
    'very long messages group by their beginning'
);

select is(
    length(monitoring.message_template(repeat('word ', 20000))),
    300,
    'a template is never longer than 300 characters'
);

select is(
    monitoring.message_template('Größe 12 überschritten, 文件5损坏'),
    'Größe <*> überschritten, 文件<*>损坏',
    'letters outside ASCII belong to the wording'
);

select * from finish(); -- noqa: AM04

rollback;
