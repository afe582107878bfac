#!/usr/bin/env perl
# Imports orders and records how that goes, over DBD::Pg: perl import-orders.pl ../orders.tsv
# The database is that of PGHOST, PGDATABASE and so on.
use v5.30;
use warnings;
use open qw(:std :encoding(UTF-8));
use Carp qw(longmess);
use DBI;
use Encode qw(decode);
use File::Basename qw(basename);
use JSON::PP;
use Scalar::Util qw(looks_like_number);
use Time::HiRes qw(time);

# DBD::Pg takes characters and encodes them: JSON has to be characters, too, as encode() makes it, and
# not bytes, as encode_json() does.
my $json = JSON::PP->new;
my $file = decode('UTF-8', $ARGV[0]);
open my $handle, '<', $ARGV[0] or die "$file: $!";
chomp(my @lines = <$handle>);
my $task = 'orders ' . basename($file);

# Nothing is prepared in the server, so that it works behind a pooler as well.
my $db = DBI->connect('dbi:Pg:', undef, undef,
    { RaiseError => 1, PrintError => 0, AutoCommit => 1, pg_server_prepare => 0 });

# Calls a function of pgvigil and returns what it answers.
sub ask {
    my ($call, @values) = @_;
    return ($db->selectrow_array("select monitoring.$call", undef, @values))[0];
}

# Imports the lines and returns how many orders they were, each committed with its records.
sub load {
    my ($imported, $refused, $number) = (0, 0, 0);
    for my $line (@lines) {
        $number++;
        my ($customer, $amount) = split /\t/, $line;
        looks_like_number($amount) or die "$amount is not a number";
        $db->begin_work;
        if ($amount > 0) {
            $db->do('insert into orders (customer, amount) values (?, ?)', undef, $customer, $amount);
            ask("record_performance_metric('orders.amount', 'gauge', ?, 'EUR', 'orders.import', p_task_id => ?)",
                $amount, $task);
            $imported++;
        }
        else {
            ask("record_error(?, 'AmountRefused', 'low', ?, 'orders.import', ?)",
                $task, "$customer orders for $amount", $json->encode({ line => $number }));
            $refused++;
        }
        ask('update_task_progress(?, ?, ?, ?)',
            $task, $number, scalar @lines, $json->encode({ refused => $refused }));
        $db->commit;
    }
    return $imported;
}

my $source = { file => $file, source => { bytes => -s $handle, is_new => JSON::PP::true } };
my $attempt = ask("start_task_tracking(?, 'orders.import', p_metadata => ?, p_items_total => ?)",
    $task, $json->encode($source), scalar @lines);
my $stack = '';
eval {
    local $SIG{__DIE__} = sub { $stack = longmess($_[0]) };
    my $begun    = time;
    my $imported = load();
    my $steps    = $json->encode({ load => (time - $begun) * 1000 });
    ask("complete_task_tracking(?, 'completed', ?, ?, p_attempt => ?)", $task, $imported, $steps, $attempt);
    1;
} or do {
    my $trouble = $@;
    $db->rollback unless $db->{AutoCommit};
    ask("record_error(?, 'die', 'high', ?, 'orders.import', p_stack => ?)", $task, $trouble, $stack);
    ask("complete_task_tracking(?, 'failed', p_attempt => ?)", $task, $attempt);
    die $trouble;
};
$db->disconnect;
