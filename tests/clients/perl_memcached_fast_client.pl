#!/usr/bin/perl
# Cache::Memcached::Fast against the server at $ARGV[0] (host:port). Exits 0 if every answer is
# right.
use strict;
use warnings;

use Cache::Memcached::Fast;
use Test::More tests => 33;

my $client = Cache::Memcached::Fast->new({
    servers => [$ARGV[0]], namespace => 'app:', compress_threshold => 10_000,
    connect_timeout => 30, io_timeout => 30,
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

my $found = $client->gets('k');
is($found->[1], 'start-three-end', 'gets');
ok($client->cas('k', $found->[0], 'four'), 'cas');
ok(!$client->cas('k', $found->[0], 'five'), 'cas with a unique that is old');
is($client->get('k'), 'four', 'what cas stored');

is_deeply(do { $client->set('ref', {a => [1, 2]}); $client->get('ref') }, {a => [1, 2]}, 'reference');
ok($client->set('large', 'x' x 500_000), 'set of a large, compressed value');
is(length $client->get('large'), 500_000, 'get of a large, compressed value');
my $bytes = join '', map { chr } 0 .. 255;
$client->set('bytes', $bytes);
is($client->get('bytes'), $bytes, 'every byte');

my %values = map { ("many$_" => $_) } 1 .. 300;
my $stored = $client->set_multi(map { [$_, $values{$_}] } sort keys %values);
is(scalar(grep { $_ } values %$stored), 300, 'set_multi of 300');
is_deeply($client->get_multi('missing', sort keys %values), \%values, 'get_multi');
is(scalar(keys %{$client->gets_multi(sort keys %values)}), 300, 'gets_multi');
my $deleted = $client->delete_multi(map { "many$_" } 1 .. 100);
is(scalar(grep { $_ } values %$deleted), 100, 'delete_multi');
# Without looking at the answer: noreply.
$client->set("quiet$_", $_) for 1 .. 100;
$client->nowait_push;
is(scalar(keys %{$client->get_multi(map { "quiet$_" } 1 .. 100)}), 100, 'sets without an answer');

$client->set('n', 10);
is($client->incr('n', 5), 15, 'incr');
is($client->decr('n', 20) + 0, 0, 'decr stops at 0');
ok(!$client->incr('missing'), 'incr of a missing key');
ok($client->touch('n', 100), 'touch');
ok($client->delete('n'), 'delete');
ok(!$client->delete('n'), 'delete of a missing key');

like($client->server_versions->{$ARGV[0]}, qr/^1\.6\.\d+$/, 'version');
is($client->get_multi('k')->{k}, 'four', 'still there');
is(scalar(grep { $_ } values %{$client->flush_all}), 1, 'flush_all');
is($client->get('k'), undef, 'nothing after flush_all');

$client->disconnect_all;
