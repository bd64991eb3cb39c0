# Dalli, Ruby's client, against the server at ARGV[0] (host:port). Exits 0 if every answer is right.
# Debian's Dalli is 3.0: it speaks binary.
require 'dalli'

def expect(what, is, should)
  return if is == should

  warn "#{what}: #{is.inspect}, not #{should.inspect}"
  exit 1
end

client = Dalli::Client.new(ARGV[0], socket_timeout: 30, compress: false)

expect 'set', client.set('k', 'one').is_a?(Integer), true
expect 'get', client.get('k'), 'one'
expect 'a miss', client.get('none'), nil
expect 'add', client.add('k', 'two'), false
expect 'add a new one', !client.add('new', 'two').nil?, true
client.replace('none', 'x')
expect 'replace', client.get('none'), nil
client.set('raw', 'middle', 100, raw: true)
client.append('raw', '-end')
client.prepend('raw', 'start-')
expect 'append and prepend', client.get('raw', raw: true), 'start-middle-end'
puts 'ok stores'

[42, nil, { 'a' => [1, 2] }, 'x' * 500_000, [0, 13, 10, 255].pack('C*')].each do |value|
  client.set('typed', value)
  expect 'a value', client.get('typed'), value
end
puts 'ok values'

expect 'incr without', client.incr('n', 1), nil
expect 'incr', client.incr('n', 5, 100, 10), 10
expect 'incr', client.incr('n', 5), 15
expect 'decr', client.decr('n', 20), 0
puts 'ok numbers'

client.set('c', 1)
expect('cas', !client.cas('c') { |value| value + 1 }.nil?, true)
expect 'after cas', client.get('c'), 2
value, unique = client.get_cas('c')
expect 'get_cas', value, 2
client.set('c', 3)
expect 'set_cas', client.set_cas('c', 4, unique), false
puts 'ok cas'

client.multi { 300.times { |i| client.set("many#{i}", i) } }
many = (0...300).to_h { |i| ["many#{i}", i] }
expect 'get_multi', client.get_multi(*many.keys, 'none'), many
puts 'ok many'

expect 'touch', client.touch('c', 100), true
expect 'gat', client.gat('c', 100), 3
expect 'delete', client.delete('c'), true
expect 'delete again', client.delete('c') ? true : false, false
expect 'stats', client.stats.values.first['curr_items'].to_i.positive?, true
expect 'version', client.version.values.first.start_with?('1.6'), true
client.flush
expect 'flush', client.get('k'), nil
puts 'ok the rest'
client.close
