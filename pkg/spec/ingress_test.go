package spec

import "testing"

func TestBadIngress(t *testing.T) {
	checkBad(t, []badCase{
		{"another proxy", "\ningress: {kind: caddy, traefik: {network: proxy}}", []string{"4:24 it would be used for nothing\n\tfix: kind: traefik, or remove the lines"}},
		{"a Traefik of the stack without an address", "\ningress: {traefik: {managed: true}}", []string{"4:21 ingress.traefik.email is missing; Traefik gets no certificate without an address in whose name it asks for one\n\tfix: email: anna@example.org"}},
		{"a Traefik of the stack with the names of another", "\ningress: {traefik: {managed: true, email: a@example.org, network: web, cert_resolver: le, entrypoint: https, middlewares: [a@file]}}", []string{
			"4:58 ingress.traefik.network is what a Traefik that runs already calls something", "4:72 ingress.traefik.cert_resolver is what", "4:91 ingress.traefik.entrypoint is what", "4:110 ingress.traefik.middlewares is what",
		}},
		{"an image of another Traefik", "\ningress: {traefik: {image: registry.example.org/traefik, email: a@example.org}}", []string{"4:21 ingress.traefik.image is for a Traefik that runs in the stack", "4:58 ingress.traefik.email is for a Traefik that runs in the stack"}},
		{"a Traefik that refuses aliases", "\ningress: {traefik: {managed: true, email: a@example.org, version: v3.6.5}}", []string{"4:58 ingress.traefik.version v3.6.5 is too old; 3.6.4 to 3.6.6 answer aliases of rooms with 400"}},
		{"no such proxy", "\ningress: {kind: cady}", []string{"4:11 ingress.kind must be traefik, caddy, nginx or none\n\tfix: kind: caddy"}},
		{"labels without a network", "\ningress: {kind: caddy, caddy: {form: labels}}", []string{"4:32 it could reach nothing\n\tfix: caddy: {network: caddy, form: labels}"}},
		{"a port for a container", "\ningress: {kind: caddy, port: 8018, caddy: {network: caddy}}", []string{"4:24 it would be used for nothing\n\tfix: remove the line"}},
		{"a port for Traefik", "\ningress: {port: 8018}", []string{"4:11 it would be used for nothing"}},
		{"apex off", "\ningress: {apex: {matrix: false}}", []string{"4:18 federation would be dead\n\tfix: well_known: external"}},
		{"apex off with synapse", "\ningress: {apex: {matrix: false, well_known: synapse}}", []string{"4:18 federation would be dead"}},
	})
}

func TestBadAdmin(t *testing.T) {
	checkBad(t, []badCase{
		{"nobody named", "\nadmin: {}", []string{"4:1 admin.allow_from is missing; everybody on the internet could try the page and the admin APIs of Synapse and MAS\n\tfix: allow_from: [192.168.0.0/16], the networks that administrators come from"}},
		{"everybody", "\nadmin: {allow_from: [0.0.0.0/0, '::/0', 128.0.0.0/2]}", []string{"4:22 holds more of the internet", "4:33 holds more of the internet", "4:41 holds more of the internet"}},
		{"no network", "\nadmin: {allow_from: [office, 10.0.0.0/33]}", []string{"4:22 is no network; no proxy would take it\n\tfix: a network such as 192.168.0.0/16", "4:30 is no network"}},
		{"a host and no interface", "\nhosts: {admin: a.example.org}", []string{"4:9 the spec has none; nothing would answer there"}},
		{"on the host of Element Web", "\nelement: {}\nadmin: {allow_from: [10.0.0.0/8]}\nhosts: {admin: element.example.org}", []string{"6:9 The page for administrators is on the host of Element Web"}},
		{"on the Matrix host", "\nadmin: {allow_from: [10.0.0.0/8]}\nhosts: {admin: matrix.example.org}", []string{"5:9 could act in the name of an administrator"}},
	})
}
