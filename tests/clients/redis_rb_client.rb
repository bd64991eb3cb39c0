# redis-rb, Ruby's client of Redis, against the server at ARGV[0], port ARGV[1], with the password
# ARGV[2] unless that is empty. Exits 0 if every answer is right.
require 'redis'

HOST, PORT, PASSWORD = ARGV
CUT = 'cut-this-connection'.freeze
BINARY = ((0..255).to_a + [13, 10, 13, 10]).pack('C*').freeze
MANY_KEYS = 20_000
KEYS_LISTED_MAX = 5_000

def fail_with(message)
  warn message
  exit 1
end

def expect(what, is, should)
  fail_with "#{what}: #{is.inspect}, not #{should.inspect}" unless is == should
end

# Some of the time may have passed.
def expect_near(what, remains, wanted)
  fail_with "#{what}: #{remains}, not #{wanted}" unless (0.7 * wanted..wanted).cover?(remains)
end

def expect_error(message, kind = Redis::CommandError)
  yield
  fail_with "no error, not #{message}"
rescue kind => e
  fail_with "#{e.message}, not #{message}" unless e.message.start_with?(message)
end

def connect(**options)
  password = PASSWORD.empty? ? nil : PASSWORD
  Redis.new(host: HOST, port: PORT.to_i, password: password, timeout: 30, **options)
end

client = connect(id: 'tests', reconnect_attempts: 3)

expect 'set', client.set('k', 'one'), 'OK'
expect 'get', client.get('k'), 'one'
expect 'a miss', client.get('none'), nil
expect 'set nx', client.set('k', 'two', nx: true), false
expect 'set get', client.set('k', 'two', get: true), 'one'
expect 'append', client.append('k', '-end'), 7
expect 'getrange', client.getrange('k', 0, 2), 'two'
expect 'setrange', client.setrange('k', 3, '+'), 7
expect 'getdel', client.getdel('k'), 'two+end'
expect 'exists', client.exists?('k'), false
client.set('Grüße', '世界')
expect 'unicode', client.get('Grüße').force_encoding('UTF-8'), '世界'
puts 'ok strings'

client.set('t', 'v', ex: 100)
expect_near 'ttl', client.ttl('t'), 100
expect 'getex', client.getex('t', px: 50_000), 'v'
expect_near 'pttl', client.pttl('t'), 50_000
expect 'expire', client.expire('t', 10, gt: true), false
expect 'persist', client.persist('t'), true
expect 'ttl of what never expires', client.ttl('t'), -1
expect 'expireat', client.expireat('t', 1), true
expect 'ttl of what has expired', client.ttl('t'), -2
puts 'ok expiry'

expect 'mset', client.mapped_mset('a' => '1', 'b' => '2'), 'OK'
expect 'mget', client.mapped_mget('a', 'none', 'b'), { 'a' => '1', 'none' => nil, 'b' => '2' }
expect 'msetnx', client.msetnx('b', '3', 'c', '4'), false
expect 'renamenx', client.renamenx('b', 'c'), true
expect 'copy', client.copy('c', 'd'), true
expect 'del', client.del('a', 'b', 'c', 'd'), 3
expect 'type', client.type('a'), 'none'
puts 'ok several keys'

expect 'incr', client.incr('n'), 1
expect 'incrby', client.incrby('n', 41), 42
expect 'decrby', client.decrby('n', 50), -8
expect 'incrbyfloat', client.incrbyfloat('n', 0.5), -7.5
puts 'ok numbers'

replies = client.multi do |transaction|
  transaction.set('x', '1')
  transaction.incr('x')
  transaction.get('none')
end
expect 'multi', replies, ['OK', 2, nil]
other = connect
replies = client.watch('x') do |watching|
  other.set('x', 'changed')
  watching.multi { |transaction| transaction.set('x', 'lost') }
end
expect 'a watched key that changed', replies, nil
expect 'get', client.get('x'), 'changed'
expect_error 'ERR unknown command' do
  client.multi do |transaction|
    transaction.set('x', 'lost')
    transaction.lpush('list', 'v')
  end
end
expect 'get', client.get('x'), 'changed'
puts 'ok transactions'

replies = client.pipelined do |pipeline|
  1000.times do |i|
    pipeline.set("p#{i}", i)
    pipeline.get("p#{i}")
  end
end
expect 'a pipeline', replies, (0...1000).flat_map { |i| ['OK', i.to_s] }
puts 'ok pipelines'

expect 'scan', client.scan_each(match: 'p*', count: 100).to_a.sort,
       (0...1000).map { |i| "p#{i}" }.sort
expect 'keys', client.keys('p99?').size, 10
puts 'ok scans'

number = client.client(:id)
client.set('text', 'abc')
expect_error('ERR value is not an integer or out of range') { client.incr('text') }
expect_error("ERR unknown command 'lpush', with args beginning with: 'list' 'v'") do
  client.lpush('list', 'v')
end
expect_error('ERR unknown command') { client.eval('return 1') }
expect 'the connection', client.client(:id), number
puts 'ok wrong requests'

[BINARY, "\a" * 900_000, ''].each do |value|
  client.set('large', value)
  expect 'a value', client.get('large').b, value.b
end
client.set('large', 'old')
expect_error('ERR string exceeds maximum allowed size (proto-max-bulk-len)') do
  client.set('large', 'x' * (3 << 20))
end
expect 'what was there', client.get('large'), 'old'
puts 'ok large values'

key = 'k' * 65_535
client.set(key, 'v')
expect 'mget', client.mget(key, 'none'), ['v', nil]
expect_error('ERR key is longer than 65535 bytes') { client.set("#{key}k", 'v') }
expect 'ping', client.ping, 'PONG'
puts 'ok long keys'

third = connect(db: 3)
client.set('here', '0')
expect 'another database', third.get('here'), nil
third.set('here', '3')
third.select(0)
expect 'select', third.get('here'), '0'
expect_error('ERR DB index is out of range') { third.select(16) }
puts 'ok databases'

fifth = connect(db: 5)
fifth.mapped_mset((0...MANY_KEYS).to_h { |i| ["name:#{i}", 'v'] })
expect 'keys at their limit', fifth.keys('*').size < KEYS_LISTED_MAX, true
expect 'dbsize', fifth.dbsize, MANY_KEYS
fifth.flushdb
expect 'dbsize', fifth.dbsize, 0
puts 'ok keys end at their limit'

expect 'info', client.info['role'], 'master'
expect 'info of a section', client.info('replication')['connected_slaves'], '0'
expect 'config', client.config(:get, 'maxmemory-policy'), { 'maxmemory-policy' => 'allkeys-lfu' }
expect 'time', client.time.size, 2
puts 'ok what it tells about itself'

number = client.client(:id)
expect 'ping', client.ping(CUT), CUT
expect 'another connection', client.client(:id) == number, false
puts 'ok reconnects'

unless PASSWORD.empty?
  expect_error('NOAUTH') { connect(password: nil).get('k') }
  expect_error('WRONGPASS') { connect(password: 'wrong').get('k') }
end
puts 'ok strangers'

value = client.get('from-memcached').b
expect 'what Memcached stored', value, BINARY.b
client.setex('from-redis', 100, value)
expect 'incr of what Memcached stored', client.incr('shared-number'), 42
puts 'ok shared with Memcached'
client.close
