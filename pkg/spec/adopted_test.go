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
		{"a prefix and a template", "\nbridges: {signal: {username_template: '_s_{{.}}', username_prefix: s}}\npermissions: {example.org: user}", []string{"4:20 bridges.signal.username_template is the whole of what username_prefix begins"}},
	})
}
