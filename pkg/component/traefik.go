package component

// Traefik is the reverse proxy.
const Traefik Program = "traefik"

// TraefikRules is the label that says in which words the rules of a service are, where Traefik itself is not seen: v2.
const TraefikRules = "stackgen.traefik-rules"

var traefik = Component{
	Program: Traefik, Title: "Traefik",
	Images: []string{"traefik"},
	Tested: Ref{Repository: "docker.io/library/traefik", Tag: "v3.7.13"},
	Oldest: Version{3, 6, 7}, OldestWhy: "3.6.4 to 3.6.6 answer aliases of rooms with 400, and what is older is mended no more",
	Container: &Container{
		// Its image would run it as root. Rendered it listens on high ports and has no socket of Docker, so that it needs no rights at all.
		Rendered: "65531:65531",
		Affects:  "everybody who reaches the stack from outside",
	},
}
