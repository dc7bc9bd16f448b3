package component

// Traefik is the reverse proxy.
const Traefik Program = "traefik"

var traefik = Component{
	Program: Traefik, Title: "Traefik",
	Images:    []string{"traefik"},
	Container: &Container{},
	Tested:    Ref{Repository: "docker.io/library/traefik", Tag: "v3.7.13"},
}
