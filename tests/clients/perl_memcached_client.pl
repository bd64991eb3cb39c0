#!/usr/bin/perl
# Cache::Memcached against the server at $ARGV[0] (host:port). Exits 0 if every answer is right.
use strict;
use warnings;

use Cache::Memcached;
use Test::More tests => 26;

my $client = Cache::Memcached->new({
    servers => [$ARGV[0]], compress_threshold => 10_000, select_timeout => 30, connect_timeout => 30,
});

ok($client->set('k', 'one'), 'set');
is($client->get('k'), 'one', 'get');
ok(!$client->add('k', 'two'), 'add of a present key');
ok($client->add('new', 'two'), 'add of a missing key');
ok($client->replace('k', 'three'), 'replace of a present key');
ok(!$client->replace('missing', 'x'), 'replace of a missing key');
ok($client->append('k', '-end'), 'append');
ok($client->prepend('k', 'start-'), 'prepend');
is($client->get('k'), 'start-three-end', 'append and prepend are seen');
is($client->get('missing'), undef, 'get of a missing key');

is_deeply(do { $client->set('ref', {a => [1, 2]}); $client->get('ref') }, {a => [1, 2]}, 'reference');
ok($client->set('large', 'x' x 500_000), 'set of a large, compressed value');
is(length $client->get('large'), 500_000, 'get of a large, compressed value');
my $bytes = join '', map { chr } 0 .. 255;
$client->set('bytes', $bytes);
is($client->get('bytes'), $bytes, 'every byte');

my %values = map { ("many$_" => $_) } 1 .. 300;
is(scalar(grep { $client->set($_, $values{$_}) } sort keys %values), 300, '300 sets');
is_deeply($client->get_multi('missing', keys %values), \%values, 'get_multi');

$client->set('n', 10);
is($client->incr('n', 5), 15, 'incr');
is($client->decr('n', 20) + 0, 0, 'decr stops at 0');
ok(!$client->incr('missing'), 'incr of a missing key');
ok($client->delete('n'), 'delete');
ok(!$client->delete('n'), 'delete of a missing key');

ok($client->set('dead', 'x', 1), 'set with expiry');
my $stats = $client->stats(['misc', 'items', 'slabs']);
ok($stats->{total}{curr_items} > 300, 'stats');
ok(defined $stats->{hosts}{$ARGV[0]}{misc}{version}, 'stats of this host');
ok($client->flush_all, 'flush_all');
is($client->get('k'), undef, 'nothing after flush_all');

$client->disconnect_all;
