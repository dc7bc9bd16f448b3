module philipp.info/stackgen/e2e/kubernetes

go 1.26.0

require (
	golang.org/x/sys v0.49.0
	gopkg.in/yaml.v3 v3.0.1
	philipp.info/stackgen v0.0.0
	sigs.k8s.io/gateway-api v1.6.3
)

require (
	github.com/BurntSushi/toml v1.6.0 // indirect
	github.com/agext/levenshtein v1.2.3 // indirect
	github.com/aymanbagabas/go-osc52/v2 v2.0.1 // indirect
	github.com/compose-spec/compose-go/v2 v2.16.2 // indirect
	github.com/docker/go-connections v0.4.0 // indirect
	github.com/gofrs/flock v0.13.1 // indirect
	github.com/gravitational/trace v1.5.0 // indirect
	github.com/lucasb-eyer/go-colorful v1.2.0 // indirect
	github.com/mattn/go-isatty v0.0.20 // indirect
	github.com/muesli/termenv v0.16.0 // indirect
	github.com/oklog/ulid/v2 v2.1.2 // indirect
	github.com/rivo/uniseg v0.4.7 // indirect
	github.com/rogpeppe/go-internal v1.16.0 // indirect
	github.com/sirupsen/logrus v1.10.1 // indirect
	github.com/traefik/paerser v0.2.2 // indirect
	github.com/vulcand/predicate v1.3.0 // indirect
	golang.org/x/net v0.55.0 // indirect
	golang.org/x/term v0.47.0 // indirect
	golang.org/x/tools v0.26.0 // indirect
)

replace philipp.info/stackgen => ../..
