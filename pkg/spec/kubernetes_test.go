package spec

import "testing"

// What says something of Docker or of one machine is told, with what to write instead, and nothing is passed over.
func TestBadKubernetes(t *testing.T) {
	const cluster = base + "\ntarget: kubernetes\nkubernetes: {gateway: {name: public}}\n"
	const operated = base + "\ntarget: kubernetes\nkubernetes: {gateway: {name: public}, database: cnpg}\n"
	checkBad(t, []badCase{
		{"without the target", base + "\nkubernetes: {namespace: chat}\n", []string{"4:1 kubernetes says something of a cluster, and the target is compose"}},
		{"another target", base + "\ntarget: swarm\n", []string{"4:1 target must be compose or kubernetes"}},
		{"owner", cluster + "owner: '1000:1000'\n", []string{"6:1 owner gives files on this host to one user"}},
		{"a proxy beside Docker", cluster + "ingress: {kind: caddy, caddy: {network: a}}\n", []string{"6:11 ingress.kind is a proxy beside Docker", "6:24 ingress.caddy is about a Caddy beside Docker"}},
		{"Traefik", cluster + "ingress: {traefik: {network: a}}\n", []string{"6:11 ingress.traefik is about a Traefik beside Docker"}},
		{"backup", cluster + "backup: {borgmatic: {repositories: [{path: /mnt/a}]}}\n", []string{"6:1 backup has borgmatic read directories of this host"}},
		{"a relay", cluster + "turn: {}\n", []string{"6:1 turn is a relay with a range of ports of this host"}},
		{"the page for administrators", cluster + "admin: {allow_from: [10.0.0.0/8]}\n", []string{"6:1 admin is for some networks alone"}},
		{"compose", cluster + "compose: {extra: {x-a: 1}}\n", []string{"6:1 compose is laid onto a docker-compose.yml"}},
		{"names of Docker", cluster + "synapse: {container_name: hs, networks: [a]}\n", []string{"6:11 synapse.container_name is the name of a container of Docker", "6:31 synapse.networks is about networks of Docker"}},
		{"a name that no Service has", cluster + "synapse: {service: My_Synapse}\n", []string{"6:11 synapse is called \"My_Synapse\", and a Service begins with a lower-case letter"}},
		{"directories of a host", cluster + "synapse: {data: /srv/media}\ndatabase: {data: {path: ./pg}}\n", []string{"6:11 synapse.data is a directory of one host", "7:12 database.data is a directory of one host"}},
		{"two ways in", base + "\ntarget: kubernetes\nkubernetes: {gateway: {name: public}, ingress: {class: a}}\n", []string{"5:39 kubernetes.ingress and kubernetes.gateway are two ways in"}},
		{"a path for an Ingress", base + "\ntarget: kubernetes\ncalls: {}\n", []string{"4:1 MAS is asked without the path", "5:1 LiveKit is asked without the path"}},
		{"storage", base + "\ntarget: kubernetes\nkubernetes: {gateway: {name: public}, storage: {class: fast, mas: 1Gi, synapse: 5}}\n", []string{"5:62 \"mas\" keeps nothing in this stack", "5:72 kubernetes.storage.synapse is no amount of storage"}},
		{"an external database that is nowhere", base + "\ntarget: kubernetes\nkubernetes: {gateway: {name: public}, database: external}\n", []string{"5:39 kubernetes.database is external, and the spec does not say where"}},
		{"two databases", base + "\ntarget: kubernetes\nkubernetes: {gateway: {name: public}, database: single}\ndatabase: {external: {host: db.example.org}}\n", []string{"5:39 kubernetes.database is single, and database.external names"}},
		{"roles and databases of CloudNativePG", operated + "database: {names: {synapse: {name: synapse, user: postgres}, mas: {name: mas, user: streaming_replica}, signal: cnpg_x, whatsapp: {name: postgres, user: whatsapp}}}\nbridges: {signal: {}, whatsapp: {}}\npermissions: {example.org: user}\n", []string{
			"6:45 database.names.synapse.user is the role postgres, which CloudNativePG keeps for itself", "6:79 database.names.mas.user is the role streaming_replica",
			"6:105 database.names.signal is the role cnpg_x", "6:132 database.names.whatsapp.name is the database postgres, which CloudNativePG keeps",
		}},
		{"a Secret of CloudNativePG", operated + "services: {app: {image: example/app, version: '1', database: true}}\n", []string{"5:39 the role of app is app, and CloudNativePG keeps something of its own"}},
		{"a role of PostgreSQL", operated + "database: {names: {synapse: pg_x}}\n", []string{"6:20 database.names.synapse begins with pg_"}},
		{"what CloudNativePG settles", operated + "database: {user: '70:70', superuser: matrix, image: registry.example.org/pg, version: '17', data: {volume: old, external: true}}\n", []string{
			"6:12 database.user says as whom PostgreSQL runs", "6:27 database.superuser is who a cluster is made by", "6:46 database.image is none of CloudNativePG's", "6:93 database.data is a volume of one pod",
		}},
		{"what the ESS chart runs", "version: 1\nserver_name: example.org\nauth: {passwords: true, public_url: 'https://account.example.org/', image: a, migration: true, extra: {http: {}}}\ntarget: kubernetes\nkubernetes: {ess: true, gateway: {name: a}}\nsynapse: {workers: small, limits: {memory: 1G}, extra: {listeners: [], presence: {enabled: false}}}\nelement: {version: v1.12.30}\n", []string{
			"3:69 auth.image is about the container of MAS, which is the chart's", "3:79 auth.migration has syn2mas run", "3:104 auth.extra.http is what the chart settles",
			"5:25 kubernetes.gateway is a way in by HTTPRoutes", "6:11 synapse.workers are processes of the Synapse that the chart runs", "6:27 synapse.limits is about the container of Synapse",
			"6:57 synapse.extra.listeners is what the chart settles", "7:11 element.version is about the container of Element Web",
		}},
		{"logins without MAS beside the ESS chart", "version: 1\nserver_name: example.org\nauth: synapse\ntarget: kubernetes\nkubernetes: {ess: true}\n", []string{"3:1 auth.kind is synapse"}},
		{"the host of a container", cluster + "database: {external: {host: host.docker.internal}}\n", []string{"6:23 database.external.host is the host of a container of Docker"}},
	})
}
