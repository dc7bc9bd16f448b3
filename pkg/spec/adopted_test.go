package spec

import "testing"

// What a stack that was taken over says of itself: names, servers and registrations as they were.
func TestBadAdopted(t *testing.T) {
	checkBad(t, []badCase{
		{"two services of one name", "\nsynapse: {service: db}\ndatabase: {service: db}", []string{`5:12 two services are called "db"`}},
		{"a service of a default name", "\ndatabase: {service: synapse}", []string{`4:12 database.service is called "synapse", as another rendered service is`}},
		{"a service of the name of a job", "\nsynapse: {service: db-init}", []string{`4:11 synapse.service is called "db-init", as a rendered service that runs once is`}},
		{"two containers of one name", "\nsynapse: {container_name: matrix}\ndatabase: {container_name: matrix}", []string{`5:12 two containers are called "matrix"`}},
		{"another image for a rendered service", "\nsynapse: {service: hs}\ncompose: {extra: {services: {hs: {image: nginx}}}}", []string{`5:35 "hs" is the service of Synapse, which is rendered`}},
		{"an own build of a rendered service", "\ncompose: {extra: {services: {synapse: {build: ./synapse}}}}", nil},
		{"a registration elsewhere", "\nsynapse: {registrations: [/etc/hookshot.yaml]}", []string{"4:27 synapse.registrations.0 is no path relative to the spec"}},
		{"two registrations of one name", "\nsynapse: {registrations: [a/hookshot.yaml, b/hookshot.yaml]}", []string{"4:44 synapse.registrations.1 has the name of another registration"}},
		{"a server of both kinds", "\ndatabase: {external: {host: db.example.org}, data: ./data/pg}", []string{"4:46 database.data is about a PostgreSQL of the stack"}},
		{"a server in the container", "\ndatabase: {external: {host: localhost}}", []string{"4:23 database.external.host is the loopback address"}},
		{"a server without a host", "\ndatabase: {external: {port: 5433}}", []string{"4:12 "}},
		{"a bridge in Go that prefers", "\ndatabase: {external: {host: db.example.org, sslmode: prefer}}\nbridges: {signal: {}}\npermissions: {example.org: user}", []string{"4:45 database.external.sslmode is prefer"}},
		{"ghosts that are everybody", "\nbridges: {signal: {username_template: '{{.}}'}}\npermissions: {example.org: user}", []string{"4:20 bridges.signal.username_template must be a localpart"}},
		{"a user of no number", "\nsynapse: {user: anna}", []string{"4:11 synapse.user must be a uid and a gid in quotes"}},
		{"root", "\ndatabase: {user: '0:0'}", []string{"4:12 database.user is root; its image"}},
		{"a user that is too large", "\nelement: {user: '4294967296:1'}", []string{"4:11 element.user holds a number above"}},
		{"a network of the stack's own", "\nsynapse: {networks: [stack]}", []string{"4:22 synapse.networks.0 is what the stack calls a network of its own"}},
		{"a network twice", "\nsynapse: {networks: [a, {name: a}]}", []string{"4:26 synapse.networks.1.name names \"a\" once more"}},
		{"a network of no name", "\nsynapse: {networks: [{aliases: [a]}]}", []string{"4:22 synapse.networks.0.name is missing"}},
		{"an alias that is none", "\nsynapse: {networks: [{name: a, aliases: ['b c']}]}", []string{"4:42 synapse.networks.0.aliases.0 is no name by which a container can be called"}},
		{"LiveKit in two networks", "\ncalls: {livekit: {networks: [a]}}", []string{"4:19 LiveKit is to be in no other network: its answers"}},
		{"coturn in two networks", "\nturn: {networks: [a]}", []string{"4:8 coturn is to be in no other network: who makes a call"}},
		{"a network of a proxy of another stack", "\ningress: {traefik: {networks: [a]}}", []string{"4:21 ingress.traefik.networks is for a Traefik that runs in the stack"}},
		{"a network of a database elsewhere", "\ndatabase: {external: {host: db.example.org}, networks: [a]}", []string{"4:46 database.networks is about a PostgreSQL of the stack"}},
		{"a prefix and a template", "\nbridges: {signal: {username_template: '_s_{{.}}', username_prefix: s}}\npermissions: {example.org: user}", []string{"4:20 bridges.signal.username_template is the whole of what username_prefix begins"}},
	})
}
